// Ledger -> Queue -> D1: each fact once, whatever the queue does.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { charge, invocation, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0({
    faults: true,
    vars: { Z0_SETTINGS: JSON.stringify({ databases: { DB_2: ["south"] } }) },
  });
});
afterEach(() => z0.fault({}));
after(() => z0?.dispose());

const north = token("north");
const CONFIRM_MS = 11_000;

/**
 * The sequence numbers of an entity in D1, in order, how far its head is, and the runs that wait.
 * One statement, so that the three are of one moment.
 * @param {string} entity_id
 */
async function inD1(entity_id) {
  const [row] = await z0.d1(
    `SELECT
       (SELECT json_group_array(seq) FROM (SELECT seq FROM facts
          WHERE entity_id = ?1 AND status = 'recorded' ORDER BY seq)) AS seqs,
       (SELECT contiguous_seq FROM ledger_heads WHERE entity_id = ?1) AS head,
       (SELECT json_group_array(first_seq) FROM (SELECT first_seq FROM ledger_runs
          WHERE entity_id = ?1 ORDER BY first_seq)) AS waiting`,
    entity_id,
  );
  return {
    seqs: JSON.parse(row.seqs),
    head: row.head ?? 0,
    waiting: JSON.parse(row.waiting),
  };
}

/** @param {number} last */
const upTo = (last) => Array.from({ length: last }, (_, i) => i + 1);

/**
 * Records batches of three facts, and gives the messages that would have been sent, one a batch.
 * @param {string} entity_id
 * @param {number} batches
 */
async function capture(entity_id, batches) {
  await z0.fault({ capture: true, queue: "swallow" });
  await z0.captured();
  const messages = [];
  for (let i = 0; i < batches; i++) {
    await z0.post([charge(entity_id), charge(entity_id), charge(entity_id)], { token: north });
    const sent = await eventually("the batch's message", async () => {
      const got = await z0.captured();
      return got.length > 0 && got;
    });
    messages.push(...sent);
  }
  await z0.fault({});
  assert.equal(messages.length, batches);
  return messages;
}

/** @param {Uint8Array[]} bodies */
async function deliver(...bodies) {
  const result = await z0.deliver(
    "z0-facts",
    bodies.map((body) => ({ body })),
  );
  assert.deepEqual(result.retryMessages, []);
}

test("Within seconds each fact is in D1 once, with every field", async () => {
  const entity_id = unique("ast_");
  const fact = invocation(entity_id, {
    campaign_id: "cmp_1",
    timestamp: 1_700_000_000_000,
    data: { é: [1] },
  });
  const { body: receipt } = await z0.post(fact, { token: north });
  await z0.post(
    Array.from({ length: 200 }, () => invocation(entity_id)),
    { token: north },
  );
  const { seqs } = await eventually("201 facts in D1", async () => {
    const found = await inD1(entity_id);
    return found.head === 201 && found;
  });
  assert.deepEqual(seqs, upTo(201));
  const [row] = await z0.d1("SELECT * FROM facts WHERE entity_id = ? AND seq = 1", entity_id);
  assert.deepEqual(
    { ...row, data: JSON.parse(row.data) },
    {
      id: fact.id,
      type: "invocation",
      subtype: null,
      timestamp: 1_700_000_000_000,
      tenant_id: "north",
      entity_id,
      source_id: null,
      asset_id: null,
      campaign_id: "cmp_1",
      tool_id: "tool_caller",
      user_id: null,
      config_id: null,
      config_version: null,
      amount: null,
      currency: null,
      trace_id: fact.trace_id,
      seq: 1,
      recorded_at: receipt.recorded_at,
      status: "recorded",
      data: { é: [1], trace_id: fact.trace_id },
      corrects: null,
    },
  );
  const types = await z0.d1(
    "SELECT DISTINCT typeof(timestamp) t, typeof(seq) s FROM facts WHERE entity_id = ?",
    entity_id,
  );
  assert.deepEqual(types, [{ t: "integer", s: "integer" }]);
});

test("A message that comes twice, also at once, changes nothing", async () => {
  const entity_id = unique("acct_");
  const [message] = await capture(entity_id, 1);
  await deliver(message, message);
  await Promise.all([deliver(message), deliver(message), deliver(message)]);
  assert.deepEqual(await inD1(entity_id), { seqs: [1, 2, 3], head: 3, waiting: [] });
});

test("Messages in any order give the same rows; the head waits for the gap to close", async () => {
  const entity_id = unique("acct_");
  const [first, second, third, fourth] = await capture(entity_id, 4);
  await deliver(fourth);
  assert.deepEqual(await inD1(entity_id), { seqs: [10, 11, 12], head: 0, waiting: [10] });
  await deliver(second, fourth);
  assert.deepEqual(await inD1(entity_id), {
    seqs: [4, 5, 6, 10, 11, 12],
    head: 0,
    waiting: [4, 10],
  });
  await deliver(first);
  const joined = await inD1(entity_id);
  assert.equal(joined.head, 6);
  assert.deepEqual(joined.waiting, [10]);
  await deliver(third, first);
  assert.deepEqual(await inD1(entity_id), { seqs: upTo(12), head: 12, waiting: [] });
});

test("A message of many ledgers moves each one's head", async () => {
  const entities = Array.from({ length: 40 }, () => unique("acct_"));
  await z0.post(
    entities.flatMap((id) => [charge(id), charge(id)]),
    { token: north },
  );
  await eventually("every head at 2", async () => {
    const heads = await z0.d1(
      "SELECT contiguous_seq FROM ledger_heads WHERE entity_id IN (SELECT value FROM json_each(?))",
      JSON.stringify(entities),
    );
    return heads.length === 40 && heads.every(({ contiguous_seq }) => contiguous_seq === 2);
  });
});

test("While D1 fails a message is kept for later; then it lands", async () => {
  const entity_id = unique("acct_");
  const [message] = await capture(entity_id, 1);
  await z0.fault({ database: true });
  const result = await z0.deliver("z0-facts", [{ body: message }]);
  assert.deepEqual(result.explicitAcks, []);
  assert.equal(result.retryMessages.length, 1);
  assert.ok(Number(result.retryMessages[0]?.delaySeconds) > 0);
  await z0.fault({});
  await deliver(message);
  assert.equal((await inD1(entity_id)).head, 3);
});

test("A poison message ends in dead_letters while its neighbours land", async () => {
  const entity_id = unique("acct_");
  const producer = await z0.mf.getQueueProducer("FACTS_QUEUE", "z0");
  const poison = new TextEncoder().encode(`poison ${entity_id}`);
  const neighbours = [z0.post(charge(entity_id), { token: north })];
  await producer.send(poison, { contentType: "bytes" });
  neighbours.push(z0.post(charge(entity_id), { token: north }));
  await Promise.all(neighbours);
  await eventually("the neighbours in D1", async () => (await inD1(entity_id)).head === 2);
  const letters = await eventually("the dead letter", async () => {
    const rows = await z0.d1("SELECT id, body FROM dead_letters");
    return rows.length > 0 && rows;
  });
  assert.equal(letters.length, 1);
  assert.equal(Buffer.from(letters[0].body).toString(), `poison ${entity_id}`);
});

test("A poison message in a batch is refused alone", async () => {
  const entity_id = unique("acct_");
  const [message] = await capture(entity_id, 1);
  const result = await z0.deliver("z0-facts", [
    { id: "text", body: "not even bytes" },
    { id: "good", body: message },
    { id: "cut", body: message.slice(0, message.length - 1) },
    { id: "empty", body: new Uint8Array(0) },
    { id: "object", body: { some: "json" } },
  ]);
  assert.deepEqual(result.explicitAcks, ["good"]);
  assert.deepEqual(
    result.retryMessages.map(({ msgId }) => msgId),
    ["text", "cut", "empty", "object"],
  );
  assert.deepEqual(z0.logged("z0.trap"), []);
});

test("A good message that was given up on lands from the dead-letter queue", async () => {
  const entity_id = unique("acct_");
  const [message] = await capture(entity_id, 1);
  const result = await z0.deliver("z0-facts-dead", [{ body: message }]);
  assert.equal(result.explicitAcks.length, 1);
  assert.equal((await inD1(entity_id)).head, 3);
});

test("When the queue lost everything, the ledger's alarm writes it to D1 and confirms", async () => {
  const entity_id = unique("acct_");
  const object = `account_${entity_id}`;
  await capture(entity_id, 3);
  assert.deepEqual(await inD1(entity_id), { seqs: [], head: 0, waiting: [] });

  // Not yet due: nothing is sent, and the alarm stays set.
  assert.ok(await z0.ring(object));
  await z0.fault({ laterMs: CONFIRM_MS, queue: "throw" });
  assert.equal(await z0.ring(object), null, "nothing is left to confirm");
  assert.deepEqual(await inD1(entity_id), { seqs: upTo(9), head: 9, waiting: [] });
  const { body } = await z0.fetch(`/v1/entities/${entity_id}`, { token: north });
  assert.equal(body.replicated_seq, 9);
});

test("A gap in the middle is back-filled", async () => {
  const entity_id = unique("acct_");
  const [first, , third] = await capture(entity_id, 3);
  await deliver(first, third);
  assert.deepEqual(await inD1(entity_id), { seqs: [1, 2, 3, 7, 8, 9], head: 3, waiting: [7] });
  await z0.fault({ laterMs: CONFIRM_MS });
  await z0.ring(`account_${entity_id}`);
  await eventually("the gap closed", async () => (await inD1(entity_id)).head === 9);
  assert.deepEqual(await inD1(entity_id), { seqs: upTo(9), head: 9, waiting: [] });
});

test("A lost reply's facts reach D1 without the caller's retry", async () => {
  const entity_id = unique("acct_");
  await z0.fault({ queue: "throw" });
  await z0.post(charge(entity_id), { token: north });
  await z0.evict("Ledger", `account_${entity_id}`);
  await z0.fault({ laterMs: CONFIRM_MS });
  await z0.ring(`account_${entity_id}`);
  await eventually("the fact in D1", async () => (await inD1(entity_id)).head === 1);
});

test("An alarm while D1 fails sends nothing, and comes back", async () => {
  const entity_id = unique("acct_");
  await capture(entity_id, 1);
  await z0.fault({ database: true, capture: true, laterMs: CONFIRM_MS });
  const next = await z0.ring(`account_${entity_id}`);
  // Ten seconds less the ledger's own share of a quarter, after the clock that is ahead.
  assert.ok(next && next > Date.now() + CONFIRM_MS + 7_000);
  assert.deepEqual(await z0.captured(), []);
});

test("An alarm whose own commit fails is set again", async () => {
  const entity_id = unique("acct_");
  await capture(entity_id, 1);
  await z0.fault({ commit: "rollback", laterMs: CONFIRM_MS });
  assert.ok(await z0.ring(`account_${entity_id}`));
  await eventually("the log line", () => z0.logged("z0.alarm_failed").length > 0);
  await z0.fault({ laterMs: CONFIRM_MS });
  await z0.ring(`account_${entity_id}`);
  await eventually("the back-fill", async () => (await inD1(entity_id)).head === 3);
});

test("After a restart that lost the queue, the facts are there and arrive", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "z0-test-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const entity_id = unique("acct_");
  const facts = [charge(entity_id), charge(entity_id)];
  const first = await startZ0({ faults: true, directory });
  try {
    await first.fault({ queue: "swallow" });
    await first.post(facts, { token: north });
  } finally {
    await first.dispose();
  }
  const second = await startZ0({ faults: true, directory, migrate: false });
  t.after(() => second.dispose());
  assert.equal((await second.post(facts, { token: north })).body.duplicate, 2);
  await second.fault({ laterMs: CONFIRM_MS });
  await second.ring(`account_${entity_id}`);
  await eventually("both in D1", async () => {
    const rows = await second.d1("SELECT seq FROM facts WHERE entity_id = ?", entity_id);
    return rows.length === 2;
  });
});

test("The alarm goes off by itself", async () => {
  const entity_id = unique("acct_");
  await capture(entity_id, 1);
  await eventually("the back-fill", async () => (await inD1(entity_id)).head === 3, 40_000);
});

/** @param {string} path */
const command = (path) => z0.fetch(`/v1/ledgers/${path}`, { method: "POST" });

test("A row that was altered in D1 is named, with its field, and repaired", async () => {
  const entity_id = unique("acct_");
  await z0.post(
    Array.from({ length: 50 }, () => charge(entity_id)),
    { token: north },
  );
  await eventually("50 facts in D1", async () => (await inD1(entity_id)).head === 50);
  const facts = () =>
    z0.d1("SELECT * FROM ledger_facts WHERE entity_id = ? ORDER BY seq", entity_id);
  const whole = await facts();
  assert.deepEqual((await command(`${entity_id}/verify`)).body, {
    entity_id,
    checked: 50,
    next_seq: null,
    missing: [],
    differing: [],
    surplus: [],
    repaired: 0,
  });
  for (const change of ["amount = amount + 1", 'data = \'{"x":1}\'', "type = 'payout'"]) {
    await z0.d1(`UPDATE ledger_facts SET ${change} WHERE entity_id = ? AND seq = 17`, entity_id);
    const { body } = await command(`${entity_id}/verify`);
    const [field] = change.split(" ");
    assert.equal(body.repaired, 1);
    if (field === "type") assert.deepEqual(body.missing, [17]);
    else assert.deepEqual(body.differing, [{ seq: 17, fields: [field] }]);
    assert.deepEqual(await facts(), whole);
  }
});

test("A D1 that was emptied is made anew from the ledgers, with the same roots", async () => {
  const entity_id = unique("acct_");
  for (let i = 0; i < 3; i++) {
    await z0.post(
      Array.from({ length: 1_000 }, () => charge(entity_id)),
      { token: north },
    );
  }
  await eventually("3,000 facts in D1", async () => (await inD1(entity_id)).head === 3_000);
  const head = () => z0.d1("SELECT tree, root FROM ledger_heads WHERE entity_id = ?", entity_id);
  const before = await head();
  await z0.d1("DELETE FROM ledger_facts WHERE entity_id = ?", entity_id);
  await z0.d1("DELETE FROM ledger_heads WHERE entity_id = ?", entity_id);
  for (let done = false, calls = 0; !done; calls++) {
    assert.ok(calls < 5);
    const { status, body } = await command(`${entity_id}/replicate`);
    assert.equal(status, 200);
    ({ done } = body);
  }
  assert.deepEqual(await inD1(entity_id), { seqs: upTo(3_000), head: 3_000, waiting: [] });
  assert.deepEqual(await head(), before);
  const { body } = await command(`${entity_id}/replicate?from=start`);
  assert.equal(body.replicated_root, before[0]?.root);
  assert.deepEqual(await head(), before);
});

test("A tenant's facts lie in the database that the settings name", async () => {
  const entity_id = unique("acct_");
  const south = token("south");
  await z0.post([charge(entity_id), charge(entity_id)], { token: south });
  await eventually("both in the second database", async () => {
    const rows = await z0.d1Of(
      "DB_2",
      "SELECT contiguous_seq FROM ledger_heads WHERE entity_id = ?",
      entity_id,
    );
    return rows[0]?.contiguous_seq === 2;
  });
  assert.deepEqual(await inD1(entity_id), { seqs: [], head: 0, waiting: [] });
  const { body } = await z0.fetch("/v1/replication?tenant=south");
  assert.deepEqual(
    body.ledgers.map((/** @type {any} */ ledger) => ledger.replicated_seq),
    [2],
  );
});
