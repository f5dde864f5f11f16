// What callers get wrong: each clear, none harmful.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { charge, deposit, invocation, traceId, unique } from "./lib/facts.js";
import { startZ0, token } from "./lib/z0.js";

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0();
});
after(() => z0?.dispose());

const north = token("north");
const JSON_TYPE = { "content-type": "application/json" };
const MIB = 2 ** 20;

/**
 * @param {string | Uint8Array<ArrayBuffer>} body
 * @param {Record<string, string>} [headers]
 */
function send(body, headers = JSON_TYPE) {
  return z0.fetch("/v1/facts", { method: "POST", body, headers, token: north });
}

/** Proves that the isolate is unharmed: nothing trapped, and the next request works. */
async function isWell() {
  const { status, body } = await z0.post(charge(unique("acct_")), { token: north });
  assert.equal(status, 201, JSON.stringify(body));
  assert.deepEqual(z0.logged("z0.trap"), []);
  assert.deepEqual(z0.logged("z0.request_failed"), []);
}

test("Bodies that are no facts are refused by name", async () => {
  const fact = JSON.stringify(charge("acct_input"));
  /** @type {[string | Uint8Array<ArrayBuffer>, number, string][]} */
  const table = [
    ["", 400, "no_facts"],
    ["[]", 400, "no_facts"],
    ["{", 400, "not_json"],
    [`${fact} trailing`, 400, "not_json"],
    ["null", 400, "not_an_object"],
    [`{"a":1,}`, 400, "not_json"],
    [new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400, "not_utf8"],
    [`{"type":"charge","type":"cost"}`, 400, "duplicate_key"],
    [`${"[".repeat(200_000)}`, 400, "not_json"],
    [`{"data":${`{"a":`.repeat(20)}1${"}".repeat(20)}}`, 400, "too_deep"],
    [`{"data":{"title":"cut \\ud83d"}}`, 400, "lone_surrogate"],
    [fact.replace("}", `,"surprise":1}`), 422, "unknown_member"],
    [fact.replace("1250", `"1250"`), 422, "wrong_type"],
    [fact.replace("1250", "12.5"), 422, "wrong_type"],
    [fact.replace("1250", "9007199254740992"), 422, "number_out_of_range"],
    [fact.replace(`"amount":1250`, `"data":{}`), 422, "missing_member"],
    [fact.replace("acct_input", "cmp_input"), 422, "unknown_ledger"],
    [fact.replace("acct_input", "acct_ö"), 422, "invalid_id"],
  ];
  for (const [body, http, status] of table) {
    const answer = await send(body);
    const shown = `${String(body).slice(0, 60)} -> ${JSON.stringify(answer.body)}`;
    assert.equal(answer.status, http, shown);
    assert.equal(answer.body.status, status, shown);
    assert.equal(answer.body.http, http, shown);
    assert.match(answer.body.trace_id, /^[0-9a-f]{32}$/, shown);
    assert.ok(answer.body.message && answer.body.action, shown);
  }
  await isWell();
});

test("A rule that a fact breaks is named with its field", async () => {
  const invocationWithoutTrace = { ...invocation(unique("ast_")), trace_id: undefined };
  /** @type {[object, number, string, string][]} */
  const table = [
    [invocationWithoutTrace, 422, "trace_required", "trace_id"],
    [charge(unique("acct_"), { data: { error: "late" } }), 422, "trace_required", "trace_id"],
    [
      charge(unique("acct_"), { trace_id: traceId(1), data: { trace_id: traceId(2) } }),
      422,
      "trace_mismatch",
      "data.trace_id",
    ],
    [{ type: "reconciliation", entity_id: "acct_x" }, 403, "reserved_type", "type"],
    [deposit("acct_x", { amount: 0 }), 422, "number_out_of_range", "amount"],
    [charge("acct_x", { currency: "usd" }), 422, "invalid_value", "currency"],
    [charge("acct_x", { data: { x: "y".repeat(65 * 1024) } }), 413, "data_too_large", "data"],
  ];
  for (const [fact, http, status, field] of table) {
    const answer = await z0.post(fact, { token: north });
    const shown = JSON.stringify([fact, answer.body]).slice(0, 600);
    assert.equal(answer.status, http, shown);
    assert.equal(answer.body.status, status, shown);
    assert.equal(answer.body.field, field, shown);
  }
  await isWell();
});

test("A body above 4 MiB is refused, whether it tells its length or not", async () => {
  const fact = JSON.stringify(charge(unique("acct_")));
  const large = fact + " ".repeat(4 * MIB - fact.length);
  assert.equal((await send(large)).status, 201);
  const stated = await send(`${large} `);
  assert.equal(stated.status, 413);
  assert.equal(stated.body.status, "too_large");
  const chunked = await sendChunked([Buffer.from(large), Buffer.from("    ")]);
  assert.equal(chunked.status, 413);
  assert.equal(chunked.body.status, "too_large");
  await isWell();
});

/**
 * Without a content-length, as fetch cannot.
 * @param {Buffer[]} chunks
 * @param {Record<string, string>} [headers]
 * @returns {Promise<{status: number | undefined, body: any}>}
 */
function sendChunked(chunks, headers = JSON_TYPE) {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      new URL("/v1/facts", z0.url).href,
      { method: "POST", headers: { ...headers, authorization: `Bearer ${north}` } },
      (response) => {
        let text = "";
        response.on("data", (chunk) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
      },
    );
    outgoing.on("error", reject);
    for (const chunk of chunks) outgoing.write(chunk);
    outgoing.end();
  });
}

test("A body in chunks is put together in order", async () => {
  const fact = charge(unique("acct_"), { data: { text: "é".repeat(10_000) } });
  const bytes = Buffer.from(JSON.stringify(fact));
  const { status, body } = await sendChunked([
    bytes.subarray(0, 333),
    bytes.subarray(333, 334),
    bytes.subarray(334),
  ]);
  assert.equal(status, 201, JSON.stringify(body));
});

test("More than 1,000 facts are refused as a whole", async () => {
  const entity_id = unique("acct_");
  const { status, body } = await z0.post(
    Array.from({ length: 1_001 }, () => charge(entity_id)),
    { token: north },
  );
  assert.equal(status, 413);
  assert.equal(body.status, "too_many_facts");
  assert.equal((await z0.fetch(`/v1/entities/${entity_id}`, { token: north })).status, 404);
});

const GZIP = { ...JSON_TYPE, "content-encoding": "gzip" };

test("A body in gzip is read, and its limit is that of what is in it", async () => {
  const entity_id = unique("acct_");
  const fact = JSON.stringify(charge(entity_id));
  for (const coding of ["gzip", "GZIP", "x-gzip"]) {
    const body = new Uint8Array(gzipSync(JSON.stringify(charge(entity_id))));
    const { status, body: answer } = await send(body, { ...GZIP, "content-encoding": coding });
    assert.equal(status, 201, JSON.stringify(answer));
  }
  const members = Buffer.concat([gzipSync(`${fact}\n`), gzipSync(JSON.stringify(deposit(entity_id)))]);
  const lines = { "content-type": "application/x-ndjson", "content-encoding": "gzip" };
  const both = await send(new Uint8Array(members), lines);
  assert.deepEqual([both.status, both.body.recorded], [200, 2], JSON.stringify(both.body));
  const exact = JSON.stringify(charge(entity_id)).padEnd(4 * MIB);
  assert.equal((await send(new Uint8Array(gzipSync(exact)), GZIP)).status, 201);
  const above = await send(new Uint8Array(gzipSync(`${exact} `)), GZIP);
  assert.deepEqual([above.status, above.body.status], [413, "too_large"]);
  // It is no smaller by being sent in chunks, or by not shrinking.
  const noise = randomBytes(4 * MIB);
  const chunked = await sendChunked([noise, noise.subarray(0, MIB)], GZIP);
  assert.deepEqual([chunked.status, chunked.body.status], [413, "too_large"]);
  await isWell();
});

test("A gzip bomb is refused at its limit, not when it has burst", async () => {
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(512 * MIB), { level: 9 }));
  assert.ok(bomb.length < MIB);
  const answers = await Promise.all(Array.from({ length: 8 }, () => send(bomb, GZIP)));
  for (const { status, body } of answers) {
    assert.deepEqual([status, body.status], [413, "too_large"]);
  }
  await isWell();
});

test("What is no gzip, and an encoding that is not taken, are refused by name", async () => {
  const whole = gzipSync(JSON.stringify(charge(unique("acct_"))));
  const damaged = Uint8Array.from(whole);
  damaged[damaged.length - 6] ^= 1;
  for (const body of [
    "not gzip",
    "",
    new Uint8Array(whole.subarray(0, -1)),
    damaged,
    new Uint8Array(Buffer.concat([whole, Buffer.from("x")])),
  ]) {
    const answer = await send(body, GZIP);
    assert.deepEqual([answer.status, answer.body.status], [400, "not_gzip"], String(body));
    assert.equal(answer.body.field, "content-encoding");
  }
  for (const coding of ["br", "deflate", "zstd", "gzip, gzip"]) {
    const answer = await send("{}", { ...JSON_TYPE, "content-encoding": coding });
    assert.deepEqual([answer.status, answer.body.status], [415, "unsupported_encoding"], coding);
  }
  await isWell();
});

test("Tokens that are absent, expired, forged, unsigned or malformed are all just unauthorized", async () => {
  const unsigned = `${Buffer.from(`{"alg":"none"}`).toString("base64url")}.${north.split(".")[1]}.`;
  const tokens = [
    null,
    token("north", "facts:read", { exp: Math.floor(Date.now() / 1000) - 1 }),
    token("north", "facts:read", { secret: "another" }),
    unsigned,
    "x",
    `${north}x`,
    "é".repeat(10),
  ];
  const answers = [];
  for (const bearer of tokens)
    answers.push(await z0.fetch("/v1/facts?limit=1", { token: bearer && encodeURI(bearer) }));
  assert.deepEqual(
    answers.map(({ status }) => status),
    tokens.map(() => 401),
  );
  const messages = new Set(answers.map(({ body }) => body.message));
  assert.equal(messages.size, 1);
});

test("A token does what its scopes say and no more", async () => {
  const writer = token("north", "facts:write");
  const reader = token("north", "facts:read");
  const entity_id = unique("acct_");
  assert.equal((await z0.post(charge(entity_id), { token: writer })).status, 201);
  assert.equal((await z0.post(charge(entity_id), { token: reader })).status, 403);
  assert.equal((await z0.fetch(`/v1/facts/${entity_id}`, { token: reader })).status, 200);
  assert.equal((await z0.fetch(`/v1/facts/${entity_id}`, { token: writer })).status, 403);
  assert.equal((await z0.fetch("/v1/live", { token: token("*", "facts:read") })).status, 403);
});

test("Unknown paths, methods and parameters are told apart", async () => {
  /** @type {[string, string, number][]} */
  const table = [
    ["GET", "/v1/nothing", 404],
    ["GET", "/v1/facts/", 404],
    ["DELETE", "/v1/facts", 405],
    ["POST", "/healthz", 405],
    ["POST", "/debug/trap?object=account_acct_1", 404],
    ["GET", "/v1/facts?limit=0", 400],
    ["GET", "/v1/facts?limit=1001", 400],
    ["GET", "/v1/facts?limit=ten", 400],
    ["GET", "/v1/facts?limit=", 400],
    ["GET", "/v1/facts?status=odd", 400],
    ["GET", "/v1/facts?cursor=%00", 400],
    ["GET", "/v1/facts?type=%F0%9F", 400],
  ];
  for (const [method, path, http] of table) {
    const { status, body } = await z0.fetch(path, { method, token: north });
    assert.equal(status, http, `${method} ${path} -> ${JSON.stringify(body)}`);
    assert.equal(body.http, http);
  }
  await isWell();
});

test("The header Idempotency-Key reaches the fact as its id", async () => {
  const fact = { ...charge(unique("acct_")), id: undefined };
  const headers = { ...JSON_TYPE, "idempotency-key": unique("key_") };
  const first = await send(JSON.stringify(fact), headers);
  assert.equal(first.status, 201);
  assert.equal(first.body.id, headers["idempotency-key"]);
  const again = await send(JSON.stringify(fact), headers);
  assert.equal(again.status, 200);
  assert.equal(again.body.status, "duplicate");
});

test("A caller's trace goes through to the answer and the fact; an invalid one is replaced", async () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` };
  const good = await z0.post(charge(unique("acct_"), { amount: -1 }), { token: north, headers });
  assert.equal(good.body.trace_id, trace);
  const answered = good.headers.get("traceparent");
  assert.match(answered ?? "", new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
  assert.ok(!answered?.includes("00f067aa0ba902b7"), "the span is our own");
  for (const traceparent of [
    "rubbish",
    `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
    `ff-${trace}-00f067aa0ba902b7-01`,
  ]) {
    const { headers: got } = await z0.post(charge(unique("acct_")), {
      token: north,
      headers: { traceparent },
    });
    assert.match(
      got.get("traceparent") ?? "",
      /^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/,
    );
    assert.ok(!got.get("traceparent")?.includes(trace));
  }
});
