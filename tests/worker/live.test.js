// The monitor's numbers, as the dashboard asks for them.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { charge, deposit, invocation, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0({ faults: true });
});
afterEach(() => z0.fault({}));
after(() => z0?.dispose());

const north = token("north");

async function live() {
  const { status, body } = await z0.fetch("/v1/live");
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

test("Nothing happened yet: all is zero and healthy", async () => {
  const { facts_per_second, recorded, by_type, replication, latest } = await live();
  assert.equal(facts_per_second.length, 120);
  assert.equal(recorded, 0);
  assert.deepEqual(by_type, {});
  assert.equal(replication.band, "healthy");
  assert.deepEqual(latest, []);
});

test("What was recorded, repeated, in conflict, refused and failed is counted", async () => {
  const [account, asset, broken] = [unique("acct_"), unique("ast_"), unique("acct_")];
  const fact = charge(account, { amount: 4200 });
  await z0.post([fact, deposit(account), invocation(asset), invocation(asset)], { token: north });
  await z0.post(fact, { token: north });
  await z0.post({ ...fact, amount: 1 }, { token: north });
  await z0.post(charge(account, { amount: -1 }), { token: north });
  await z0.fault({ calls: { [`account_${broken}`]: "throw" } });
  await z0.post(charge(broken), { token: north });
  const now = await eventually("all of it in the live window", async () => {
    const body = await live();
    return (
      body.failed === 1 && body.facts_per_second.some((/** @type {number} */ n) => n > 0) && body
    );
  });
  const { recorded, duplicate, conflict, refused, failed } = now;
  assert.deepEqual(
    { recorded, duplicate, conflict, refused, failed },
    { recorded: 4, duplicate: 1, conflict: 1, refused: 1, failed: 1 },
  );
  assert.deepEqual(now.by_type, { invocation: 2, charge: 1, deposit: 1 });
  assert.equal(
    now.facts_per_second.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0),
    4,
  );
  const shown = now.latest.filter((/** @type {any} */ f) => f.id === fact.id);
  assert.deepEqual(
    shown.map((/** @type {any} */ f) => [f.status, f.amount]),
    [
      ["conflict", 1],
      ["recorded", 4200],
    ],
  );
  assert.equal(shown[1].type, "charge");
  assert.equal(shown[1].tenant_id, "north");
  assert.equal(now.latest[0].entity_id, broken, "the newest comes first");
  assert.notEqual(now.latest[0].status, "recorded");
});

test("Once all has landed depth is zero, and lag was measured", async () => {
  const before = (await live()).recorded;
  await z0.post(charge(unique("acct_")), { token: north });
  const { replication } = await eventually("told, and depth 0", async () => {
    const body = await live();
    const told = body.recorded === before + 1;
    return told && body.replication.depth === 0 && body.replication.lag_p99_ms > 0 && body;
  });
  assert.equal(replication.oldest_age_ms, 0);
  assert.equal(replication.failure_rate, 0);
});

test("What does not land shows as depth and age, until it is back-filled", async () => {
  const entity_id = unique("acct_");
  await z0.fault({ queue: "swallow" });
  await z0.post(
    Array.from({ length: 5 }, () => charge(entity_id)),
    { token: north },
  );
  const stuck = await eventually("depth 5", async () => {
    const { replication } = await live();
    return replication.depth === 5 && replication.oldest_age_ms > 0 && replication;
  });
  assert.ok(stuck.lag_ms >= stuck.oldest_age_ms);
  await z0.fault({ laterMs: 11_000 });
  assert.equal((await live()).replication.band, "degraded");
  await z0.ring(`account_${entity_id}`);
  await eventually("depth 0", async () => (await live()).replication.depth === 0);
  assert.ok((await live()).replication.retries > 0);
});

test("A message that fails is counted", async () => {
  const before = (await live()).replication.failures;
  await z0.deliver("z0-facts", [{ body: new TextEncoder().encode("poison") }]);
  const { replication } = await eventually("one more failure", async () => {
    const body = await live();
    return body.replication.failures > before && body;
  });
  assert.ok(replication.failure_rate > 0);
  assert.equal(replication.band, "critical");
});

test("Hundreds of requests at once are all counted", async () => {
  const before = (await live()).recorded;
  const entity_id = unique("acct_");
  await Promise.all(
    Array.from({ length: 200 }, () => z0.post(charge(entity_id), { token: north })),
  );
  await eventually("200 more", async () => (await live()).recorded === before + 200);
});
