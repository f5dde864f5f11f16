// Things that break around the ledger: what the caller hears, what is kept, what a retry does.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { charge, deposit, traceId, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0({ faults: true, vars: { Z0_APPEND_TIMEOUT_MS: "300" } });
});
afterEach(() => z0.fault({}));
after(() => z0?.dispose());

const north = token("north");

/** @param {string} entity_id */
const objectOf = (entity_id) => `account_${entity_id}`;

/**
 * The query that README.md promises, narrowed to one trace.
 * @param {string} trace_id
 */
function failedCharges(trace_id) {
  return z0.d1(
    "SELECT * FROM facts WHERE type = 'charge' AND status = 'failed' AND json_extract(data,'$.trace_id') = ?",
    trace_id,
  );
}

for (const { fault, http, status, says } of /** @type {const} */ ([
  { fault: "throw", http: 503, status: "storage_error", says: /the object broke/ },
  { fault: "overloaded", http: 503, status: "overloaded", says: /overloaded/ },
  { fault: "hang", http: 504, status: "timeout", says: /300 ms/ },
])) {
  test(`An append that meets "${fault}" is answered ${http} and leaves an attempt`, async () => {
    const entity_id = unique("acct_");
    const fact = charge(entity_id, { data: { note: "kept" } });
    await z0.fault({ calls: { [objectOf(entity_id)]: fault } });
    const { status: got, body, headers } = await z0.post(fact, { token: north });
    assert.equal(got, http, JSON.stringify(body));
    assert.equal(body.status, status);
    assert.ok(Number(headers.get("retry-after")) > 0);

    const [attempt] = await eventually("the attempt in D1", async () => {
      const found = await failedCharges(body.trace_id);
      return found.length > 0 && found;
    });
    const data = JSON.parse(attempt.data);
    assert.equal(attempt.id, fact.id);
    assert.equal(attempt.entity_id, entity_id);
    assert.equal(attempt.tenant_id, "north");
    assert.equal(attempt.amount, 1250);
    assert.equal(attempt.trace_id, body.trace_id);
    assert.equal(attempt.seq, null);
    assert.equal(data.error.code, status);
    assert.match(data.error.message, says);
    assert.ok(data.error.span);
    assert.match(attempt.data, /kept/);

    await z0.fault({});
    const retry = await z0.post(fact, { token: north });
    assert.equal(retry.status, 201);
    assert.equal(retry.body.seq, 1);
    await eventually("the fact beside its attempt", async () => {
      const rows = await z0.d1("SELECT status FROM facts WHERE id = ? ORDER BY status", fact.id);
      return rows.map((row) => row.status).join() === "failed,recorded";
    });
    const listed = await z0.fetch(`/v1/facts?type=charge&status=failed&trace_id=${body.trace_id}`, {
      token: north,
    });
    assert.deepEqual(
      listed.body.facts.map((/** @type {any} */ f) => [f.id, f.status]),
      [[fact.id, "failed"]],
    );
  });
}

test("A fact's own trace is the attempt's trace", async () => {
  const entity_id = unique("acct_");
  await z0.fault({ calls: { [objectOf(entity_id)]: "throw" } });
  await z0.post(charge(entity_id, { trace_id: traceId(77) }), { token: north });
  await eventually("the attempt in D1", async () => (await failedCharges(traceId(77))).length > 0);
});

test("One broken ledger does not hold up the others of the request", async () => {
  const [good, bad] = [unique("acct_"), unique("acct_")];
  await z0.fault({ calls: { [objectOf(bad)]: "throw" } });
  const { status, body, headers } = await z0.post([charge(good), charge(bad), deposit(good)], {
    token: north,
  });
  assert.equal(status, 207);
  assert.deepEqual(
    body.results.map((/** @type {any} */ r) => r.status),
    ["recorded", "storage_error", "recorded"],
  );
  assert.equal(body.results[1].http, 503);
  assert.ok(headers.get("retry-after"));
});

test("A reply that was lost leaves a recorded fact; the retry gets its receipt", async () => {
  const entity_id = unique("acct_");
  const fact = charge(entity_id);
  await z0.post(charge(entity_id), { token: north });
  await z0.fault({ calls: { [objectOf(entity_id)]: "lost_reply" } });
  assert.equal((await z0.post(fact, { token: north })).status, 504);
  await z0.fault({});
  const retry = await z0.post(fact, { token: north });
  assert.equal(retry.status, 200);
  assert.equal(retry.body.seq, 2);
});

test("A commit that fails leaves nothing behind: no fact, no gap, no memory of it", async () => {
  const entity_id = unique("acct_");
  const [first, second] = [charge(entity_id), charge(entity_id)];
  await z0.post(first, { token: north });
  await z0.fault({ commit: "rollback" });
  const failed = await z0.post(second, { token: north });
  assert.equal(failed.status, 503);
  assert.equal(failed.body.status, "storage_error");
  await eventually(
    "the attempt in D1",
    async () => (await failedCharges(failed.body.trace_id)).length > 0,
  );
  await z0.fault({});
  assert.equal((await z0.fetch(`/v1/entities/${entity_id}`, { token: north })).body.seq, 1);
  const retry = await z0.post(second, { token: north });
  assert.equal(retry.status, 201);
  assert.equal(retry.body.seq, 2);
  assert.equal((await z0.post(first, { token: north })).status, 200);
});

test("A first commit that fails leaves an entity that does not exist", async () => {
  const entity_id = unique("acct_");
  await z0.fault({ commit: "rollback" });
  assert.equal((await z0.post(charge(entity_id), { token: north })).status, 503);
  await z0.fault({});
  assert.equal((await z0.fetch(`/v1/entities/${entity_id}`, { token: north })).status, 404);
  assert.equal((await z0.post(charge(entity_id), { token: token("south") })).status, 201);
});

test("An evicted ledger goes on where it was: seq, duplicates, conflicts, counts, owner", async () => {
  const entity_id = unique("acct_");
  const facts = Array.from({ length: 300 }, () =>
    charge(entity_id, { data: { pad: "p".repeat(200) } }),
  );
  const { body: receipts } = await z0.post(facts, { token: north });
  const head = (await z0.fetch(`/v1/entities/${entity_id}`, { token: north })).body;
  await z0.evict("Ledger", objectOf(entity_id));

  assert.deepEqual((await z0.fetch(`/v1/entities/${entity_id}`, { token: north })).body, head);
  const again = await z0.post(facts, { token: north });
  assert.equal(again.body.duplicate, 300, JSON.stringify(again.body).slice(0, 400));
  const receipt = (/** @type {any} */ { seq, recorded_at }) => ({ seq, recorded_at });
  assert.deepEqual(again.body.results.map(receipt), receipts.results.map(receipt));
  assert.equal((await z0.post({ ...facts[7], amount: 1 }, { token: north })).status, 409);
  assert.equal((await z0.post(charge(entity_id), { token: token("south") })).status, 403);
  const next = await z0.post(deposit(entity_id), { token: north });
  assert.equal(next.body.seq, 301);
  assert.ok(next.body.recorded_at >= head.recorded_at);
  const { body } = await z0.fetch(`/v1/entities/${entity_id}`, { token: north });
  assert.deepEqual(body.counts, { charge: 300, deposit: 1 });
});

test("A read of a broken ledger says so and leaves no attempt", async () => {
  const entity_id = unique("acct_");
  await z0.post(charge(entity_id), { token: north });
  await z0.fault({ calls: { [objectOf(entity_id)]: "hang" } });
  const { status, body, headers } = await z0.fetch(`/v1/entities/${entity_id}`, { token: north });
  assert.equal(status, 504);
  assert.ok(headers.get("retry-after"));
  assert.deepEqual(await failedCharges(body.trace_id), []);
});

test("A read of D1 that fails is a clear 503", async () => {
  await z0.fault({ database: true });
  for (const path of ["/v1/facts", "/v1/report"]) {
    const { status, body } = await z0.fetch(path, { token: north });
    assert.equal(status, 503, JSON.stringify(body));
    assert.ok(!JSON.stringify(body).includes("D1 is not there"), "internals stay inside");
  }
});

test("A queue that is not there costs the caller nothing", async () => {
  await z0.fault({ queue: "throw" });
  assert.equal((await z0.post(charge(unique("acct_")), { token: north })).status, 201);
  await eventually("the log line", () => z0.logged("z0.send_failed").length > 0);
});

/**
 * A charge whose ledger is broken; gives the attempt's trace.
 * @returns {Promise<string>}
 */
async function failedCharge() {
  const entity_id = unique("acct_");
  const { body } = await z0.post(charge(entity_id), { token: north });
  assert.equal(body.status, "storage_error");
  return body.trace_id;
}

test("An attempt that the queue does not take is written to D1 from where it is", async () => {
  await z0.fault({ queue: "throw", commit: "rollback" });
  const trace_id = await failedCharge();
  await eventually("the attempt in D1", async () => (await failedCharges(trace_id)).length === 1);
});

test("Attempts that neither the queue nor D1 takes are written when one of them is back", async () => {
  await z0.fault({ queue: "throw", commit: "rollback", database: true });
  const traces = [await failedCharge()];
  await eventually("the first one's failure", () => z0.logged("z0.replication.message_failed").length > 0);
  traces.push(await failedCharge());
  for (const trace_id of traces) assert.deepEqual(await failedCharges(trace_id), []);
  // Nobody asks for anything meanwhile.
  await z0.fault({});
  for (const trace_id of traces) {
    await eventually("the attempt in D1", async () => (await failedCharges(trace_id)).length === 1);
  }
});
