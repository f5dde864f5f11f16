// Data points for Analytics Engine, as they leave the Worker.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { charge, deposit, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0({ faults: true, points: true });
});
after(() => z0?.dispose());

const north = token("north");

test("What a request recorded is counted by tenant and type", async () => {
  const entity_id = unique("acct_");
  await z0.post([charge(entity_id), charge(entity_id), deposit(entity_id)], { token: north });
  const points = await eventually("two points", async () => {
    const found = await z0.points();
    return found.length >= 2 && found;
  });
  const counted = points.map(({ indexes, blobs, doubles }) => [...indexes, ...blobs, doubles[0]]);
  assert.deepEqual(counted, [
    ["north", "z0_facts_written_total", "charge", 2],
    ["north", "z0_facts_written_total", "deposit", 1],
  ]);
});

test("What failed is counted with its code", async () => {
  const entity_id = unique("acct_");
  await z0.fault({ calls: { [`account_${entity_id}`]: "throw" } });
  await z0.post(charge(entity_id), { token: north });
  await eventually("the failure", async () =>
    (await z0.points()).some(
      ({ blobs }) => blobs.join() === "z0_facts_write_failures_total,charge,storage_error",
    ),
  );
});

test("Points stay within what Analytics Engine takes", async () => {
  const tenant = "t".repeat(128);
  const entity_id = unique("acct_");
  const facts = Array.from({ length: 300 }, (_, i) => ({ type: `kind_${i}`, entity_id }));
  const before = (await z0.points()).length;
  await z0.post(facts, { token: token(tenant) });
  await eventually("its points", async () => (await z0.points()).length > before);
  const points = (await z0.points()).slice(before);
  assert.ok(points.length <= 250, `${points.length} points of one request`);
  assert.equal(
    points.reduce((sum, { doubles }) => sum + doubles[0], 0),
    300,
  );
  for (const { indexes, blobs, doubles } of points) {
    assert.equal(indexes.length, 1);
    assert.ok(Buffer.byteLength(indexes[0]) <= 96, "an index has at most 96 bytes");
    assert.ok(blobs.length <= 20 && doubles.length <= 20);
  }
});
