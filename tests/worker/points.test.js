// Data points for Analytics Engine, as they leave the Worker.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { charge, deposit, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

/** @typedef {{indexes: string[], blobs: string[], doubles: number[]}} Written */

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0({ faults: true, points: true, vars: { Z0_DEBUG: "1" } });
});
after(() => z0?.dispose());

/**
 * The points of a metric of a tenant.
 * @param {string} metric
 * @param {string} tenant
 * @returns {Promise<Written[]>}
 */
async function pointsOf(metric, tenant) {
  const all = /** @type {Written[]} */ (await z0.points());
  return all.filter(({ indexes, blobs }) => indexes[0] === tenant && blobs[0] === metric);
}

/**
 * How much a metric of a tenant comes to.
 * @param {string} metric
 * @param {string} tenant
 */
async function sumOf(metric, tenant) {
  return (await pointsOf(metric, tenant)).reduce((sum, { doubles }) => sum + doubles[0], 0);
}

test("What a request recorded is counted by type, subtype and asset, with its trace", async () => {
  const entity_id = unique("acct_");
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const ad = { ...charge(entity_id), subtype: "call", asset_id: "ast_1" };
  await z0.fetch("/v1/facts", {
    method: "POST",
    token: token("north"),
    headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    body: JSON.stringify([ad, { ...ad, id: unique("f_") }, deposit(entity_id)]),
  });
  const points = await eventually("two points", async () => {
    const found = await pointsOf("z0_facts_written_total", "north");
    return found.length >= 2 && found;
  });
  const blobs = (/** @type {string[]} */ ...labels) => [
    "z0_facts_written_total",
    ...labels,
    ...Array.from({ length: 15 }, () => ""),
    trace,
  ];
  assert.deepEqual(
    points.map((point) => point.blobs),
    [blobs("charge", "call", "ast_1"), blobs("deposit", "", "")],
  );
  assert.deepEqual(
    points.map((point) => point.doubles),
    [
      [2, 0],
      [1, 0],
    ],
  );
  const [took] = await pointsOf("z0_facts_write_duration_ms", "north");
  assert.deepEqual(took.blobs.slice(0, 3), ["z0_facts_write_duration_ms", "charge", ""]);
  assert.equal(took.doubles[0], 2, "an observation a fact");
});

test("What failed is counted with its code, and as an error of the ledger", async () => {
  const entity_id = unique("acct_");
  await z0.fault({ calls: { [`account_${entity_id}`]: "throw" } });
  await z0.post(charge(entity_id), { token: token("south") });
  await eventually("the failure", async () => {
    const [failure] = await pointsOf("z0_facts_write_failures_total", "south");
    const [error] = await pointsOf("z0_errors_total", "south");
    return (
      failure?.blobs.slice(1, 3).join() === "charge,storage_error" &&
      error?.blobs.slice(1, 4).join() === "do,ledger,storage_error"
    );
  });
});

test("Two hundred requests at once come to a few data points, and all of them are counted", async () => {
  const entity_id = unique("acct_");
  await Promise.all(
    Array.from({ length: 200 }, () => z0.post(charge(entity_id), { token: token("busy") })),
  );
  await eventually("all", async () => (await sumOf("z0_facts_written_total", "busy")) === 200);
  const points = await pointsOf("z0_facts_written_total", "busy");
  assert.ok(points.length <= 20, `${points.length} points of 200 requests`);
});

test("Points stay within what Analytics Engine takes, and none is lost", async () => {
  const tenant = "t".repeat(128);
  const index = tenant.slice(0, 96);
  const entity_id = unique("acct_");
  const facts = Array.from({ length: 300 }, (_, i) => ({ type: `kind_${i}`, entity_id }));
  await z0.post(facts, { token: token(tenant) });
  await eventually("all", async () => (await sumOf("z0_facts_written_total", index)) === 300);
  for (const { indexes, blobs, doubles } of await z0.points()) {
    assert.equal(indexes.length, 1);
    assert.ok(Buffer.byteLength(indexes[0]) <= 96, "an index has at most 96 bytes");
    assert.ok(blobs.length <= 20 && doubles.length <= 20);
  }
});

test("A trap is an error of the Worker that failed, in the caller's trace", async () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const entity_id = unique("acct_");
  const { status } = await z0.fetch(`/debug/trap?object=account_${entity_id}`, {
    method: "POST",
    headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
  });
  assert.equal(status, 500);
  await eventually("the error", async () =>
    (await pointsOf("z0_errors_total", "")).some(
      ({ blobs }) =>
        blobs.slice(1, 4).join() === "worker,edge,internal_error" && blobs[19] === trace,
    ),
  );
});
