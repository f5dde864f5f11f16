// CloudEvents 1.0, as the SDK writes them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CloudEvent, HTTP } from "cloudevents";
import { unique } from "./lib/facts.js";
import { startZ0, token } from "./lib/z0.js";

/** @import { Message } from "cloudevents" */

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0();
});
after(() => z0?.dispose());

const north = token("north");
const TIME = "2026-03-31T12:15:00.250+02:00";

/**
 * @param {string} entity
 * @param {object} [more]
 */
function charge(entity, more = {}) {
  return new CloudEvent({
    id: unique("event "),
    source: "urn:example:shop",
    type: "com.example.charge.v1",
    subject: entity,
    time: TIME,
    data: { amount: 1250, source_id: "out_1", order: "o-7" },
    ...more,
  });
}

/** @param {Message} message */
function send({ headers, body }) {
  return z0.fetch("/v1/facts", {
    method: "POST",
    headers: /** @type {Record<string, string>} */ (headers),
    body: /** @type {string} */ (body),
    token: north,
  });
}

/** @param {CloudEvent<unknown>[]} events */
function sendBatch(events) {
  const headers = { "content-type": "application/cloudevents-batch+json; charset=utf-8" };
  return send({ headers, body: JSON.stringify(events) });
}

/** @param {string} entity */
async function facts(entity) {
  return (await z0.fetch(`/v1/facts/${entity}`, { token: north })).body.facts;
}

test("An event is one fact, in whichever mode the SDK sends it and however often", async () => {
  const entity = unique("acct_");
  const event = charge(entity, { tenantid: "north", shard: 7, note: 'cheap, "quoted" 100 %'  });
  const first = await send(HTTP.binary(event));
  assert.equal(first.status, 201, JSON.stringify(first.body));
  for (const again of [HTTP.structured(event), HTTP.binary(event)]) {
    const { status, body } = await send(again);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.status, "duplicate");
    assert.equal(body.id, first.body.id);
  }
  const batch = await sendBatch([event, charge(entity)]);
  assert.deepEqual(
    batch.body.results.map((/** @type {any} */ { status }) => status),
    ["duplicate", "recorded"],
  );
  const [fact] = await facts(entity);
  assert.equal(fact.type, "charge");
  assert.equal(fact.amount, 1250);
  assert.equal(fact.timestamp, Date.parse(TIME));
  assert.equal(fact.data.order, "o-7");
  assert.equal(fact.data.cloudevent.id, event.id);
  assert.equal(fact.data.cloudevent.note, event.note);
  assert.equal(fact.data.cloudevent.shard, "7");
});

test("Two sources may use one id; one source that does so is told of its conflict", async () => {
  const entity = unique("acct_");
  const id = "1";
  assert.equal((await send(HTTP.structured(charge(entity, { id })))).status, 201);
  const other = charge(entity, { id, source: "/other#place?x=1" });
  assert.equal((await send(HTTP.binary(other))).status, 201);
  const changed = charge(entity, { id, data: { amount: 1, source_id: "out_1", order: "o-7" } });
  const { status, body } = await send(HTTP.binary(changed));
  assert.equal(status, 409);
  assert.equal(body.field, "amount");
  assert.equal((await facts(entity)).length, 2);
});

test("An event without data, and one whose trace is an extension", async () => {
  const entity = unique("ast_");
  const trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  const event = new CloudEvent({
    source: "urn:example:dialer",
    type: "com.example.invocation",
    subject: entity,
    toolid: "tool_caller",
    traceparent: `00-${trace_id}-00f067aa0ba902b7-01`,
  });
  for (const [message, http] of /** @type {[Message, number][]} */ ([
    [HTTP.binary(event), 201],
    [HTTP.structured(event), 200],
  ])) {
    const { status, body } = await send(message);
    assert.equal(status, http, JSON.stringify(body));
  }
  const [fact] = await facts(entity);
  assert.equal(fact.tool_id, "tool_caller");
  assert.equal(fact.trace_id, trace_id);
});

test("Of a batch each event is judged by itself, and an empty one is well", async () => {
  const entity = unique("acct_");
  const { status, body } = await sendBatch([
    charge(entity),
    charge(entity, { data: { amount: "1", source_id: "out_1" } }),
    charge(entity, { subject: undefined }),
  ]);
  assert.equal(status, 207);
  assert.deepEqual(
    body.results.map((/** @type {any} */ { status, field, index }) => [status, field, index]),
    [
      ["recorded", undefined, undefined],
      ["wrong_type", "data.amount", 1],
      ["missing_member", "subject", 2],
    ],
  );
  assert.equal((await sendBatch([])).status, 200);
});

test("Binary data and other formats of events are refused by name", async () => {
  const entity = unique("acct_");
  const bytes = charge(entity, {
    data: new Uint8Array([1, 2, 3]),
    datacontenttype: "application/octet-stream",
  });
  for (const message of [HTTP.structured(bytes), HTTP.binary(bytes)]) {
    const { status, body } = await send(message);
    assert.equal(status, 415, JSON.stringify(body));
  }
  const xml = { "content-type": "application/cloudevents+xml" };
  assert.equal((await send({ headers: xml, body: "<event/>" })).status, 415);
});
