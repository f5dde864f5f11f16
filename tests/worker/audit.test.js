// What is missing, on the real D1: messages that nobody could read, facts whose cause never came.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { charge, invocation, outcome, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0({ faults: true });
});
after(() => z0?.dispose());

const north = token("north");

/** @param {string} id */
const redrive = (id) => z0.fetch(`/v1/dead-letters/${id}/redrive`, { method: "POST" });

/**
 * Puts bytes among the dead letters, as an older version would have that could not read them.
 * @param {string} id
 * @param {Uint8Array} body
 */
async function putLetter(id, body) {
  const db = await z0.mf.getD1Database("DB");
  await db
    .prepare("INSERT INTO dead_letters (id, received_at, body) VALUES (?, 7, ?)")
    .bind(id, body)
    .run();
}

test("A poison message is listed and shown, and a redrive leaves it where it is", async () => {
  const producer = await z0.mf.getQueueProducer("FACTS_QUEUE", "z0");
  await producer.send(new TextEncoder().encode("poison"), { contentType: "bytes" });
  const [letter] = await eventually("the dead letter", async () => {
    const { body } = await z0.fetch("/v1/dead-letters");
    return body.dead_letters.length > 0 && body.dead_letters;
  });
  const { id, received_at } = letter;
  const members = { bytes: 6, readable: false, facts: 0, attempts: 0, entities: [] };
  assert.deepEqual(letter, { id, received_at, ...members });
  const reason = "a section of a version that is not known at byte 0";
  assert.deepEqual((await z0.fetch(`/v1/dead-letters/${id}`)).body, {
    ...letter,
    reason,
    body: Buffer.from("poison").toString("base64"),
  });
  assert.deepEqual((await redrive(id)).body, { id, redriven: false, reason });
  const all = await z0.fetch("/v1/dead-letters/redrive", { method: "POST" });
  assert.deepEqual(all.body, { redriven: 0, left: 0 });
  assert.deepEqual((await z0.fetch("/v1/dead-letters")).body, {
    dead_letters: [letter],
    cursor: null,
  });
  assert.equal((await z0.fetch("/v1/dead-letters", { token: north })).status, 403);
});

test("Letters that can be read land in D1 and are gone, one alone and all together", async () => {
  const entity_id = unique("acct_");
  await z0.fault({ capture: true, queue: "swallow" });
  await z0.captured();
  const messages = [];
  for (let i = 0; i < 3; i++) {
    await z0.post([charge(entity_id), charge(entity_id)], { token: north });
    messages.push(
      ...(await eventually("the message", async () => {
        const got = await z0.captured();
        return got.length > 0 && got;
      })),
    );
  }
  await z0.fault({});
  for (const [i, message] of messages.entries()) await putLetter(`good-${i}`, message);
  const { body: shown } = await z0.fetch("/v1/dead-letters/good-0");
  assert.deepEqual(shown.runs, [{ tenant_id: "north", entity_id, first_seq: 1, last_seq: 2 }]);
  assert.equal(shown.body, Buffer.from(messages[0] ?? []).toString("base64"));
  assert.deepEqual((await redrive("good-0")).body, { id: "good-0", redriven: true });
  const all = await z0.fetch("/v1/dead-letters/redrive", { method: "POST" });
  assert.deepEqual(all.body, { redriven: 2, left: 0 });
  const [row] = await z0.d1(
    "SELECT count(*) AS facts, (SELECT contiguous_seq FROM ledger_heads WHERE entity_id = ?1) AS head FROM ledger_facts WHERE entity_id = ?1",
    entity_id,
  );
  assert.deepEqual(row, { facts: 6, head: 6 });
  assert.equal((await z0.fetch("/v1/dead-letters/good-1")).status, 404);
  assert.equal((await redrive("good-1")).status, 404);
});

test("An orphan is told with what it lacks, until its source comes", async () => {
  const tenant = token("closing");
  const entity_id = unique("acct_");
  const source = invocation(unique("ast_"));
  const cause = outcome(source.entity_id, { source_id: source.id });
  const orphan = charge(entity_id, { source_id: cause.id, timestamp: Date.now() - 60_000 });
  const closure = async () => (await z0.fetch("/v1/closure", { token: tenant })).body;
  await z0.post([orphan, source], { token: tenant });
  const open = await eventually("the orphan", async () => {
    const found = await closure();
    return found.orphans?.length > 0 && found;
  });
  const { age_ms, ...rest } = open.orphans[0];
  assert.ok(age_ms >= 60_000);
  assert.deepEqual(rest, {
    tenant_id: "closing",
    type: "charge",
    missing: "outcome",
    entity_id,
    seq: 1,
    id: orphan.id,
    source_id: cause.id,
    amount: 1250,
    currency: "USD",
    trace_id: null,
    timestamp: orphan.timestamp,
  });
  assert.equal(open.cursor, null);
  assert.deepEqual(open.counts.charge, { total: 1, orphans: 1, amount_cents: { USD: 1250 } });
  await z0.post(cause, { token: tenant });
  const closed = await eventually("the loop to close", async () => {
    const found = await closure();
    return found.orphans.length === 0 && found;
  });
  assert.deepEqual(closed.counts.charge, { total: 1, orphans: 0, amount_cents: {} });
  assert.deepEqual(closed.counts.outcome, { total: 1, orphans: 0, amount_cents: {} });
});
