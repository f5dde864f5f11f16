// The vectors of tests/vectors, asked of the module through frames.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Core } from "./lib/core.js";
import {
  decodeAppendRequest,
  decodeCall,
  decodeEffects,
  decodeReply,
  decodeStatement,
  Effect,
  encodeFrame,
  Kind,
  noRows,
  Reader,
  registered,
  Target,
} from "./lib/frame.js";

const now = 1_774_915_200_000;
const secret = "vector-secret";

/** @param {string} name @returns {any} */
const vectors = (name) =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), "utf8"));

/** @param {string} header @param {string} claims @param {string} key */
function tokenOf(header, claims, key) {
  const body = [header, claims].map((part) => Buffer.from(part).toString("base64url")).join(".");
  return `${body}.${createHmac("sha256", key).update(body).digest("base64url")}`;
}

const writer = tokenOf(
  '{"alg":"HS256"}',
  JSON.stringify({ tenant: "ten_vector", scope: "facts:write", exp: now / 1000 + 60 }),
  secret,
);

/**
 * One request's first step.
 * @param {{ method?: string, url: string, body?: string, secrets?: string, headers?: Record<string, string> }} request
 */
function ask({ method = "GET", url, body = "", secrets = secret, headers = {} }) {
  const parts = [method, url, body, secrets, ...Object.entries(headers).flat()];
  const effects = decodeEffects(new Core().step(encodeFrame({ kind: Kind.request, target: Target.edge, now, parts })));
  const reply = effects.find(({ kind }) => kind === Effect.reply);
  return { effects, reply: reply && decodeReply(reply.payload) };
}

/** What becomes of one fact: its submission, or its error. @param {string} json */
function post(json) {
  const headers = { authorization: `Bearer ${writer}`, "content-type": "application/json" };
  const { effects, reply } = ask({ method: "POST", url: "/v1/facts", body: json, headers });
  if (reply) return { error: JSON.parse(reply.body.toString()) };
  const batch = decodeAppendRequest(decodeCall(effects).request);
  assert.equal(batch.tenantId, "ten_vector");
  return { entityId: batch.entityId, submission: batch.submissions[0] };
}

test("Submissions are judged and encoded as written", () => {
  for (const { name, json, status, field, entity_id, hex } of vectors("submissions.json")) {
    // Whatever is no object or array is not a fact in a list either: ask for it inside one.
    const { error, entityId, submission } = post(json.startsWith("{") ? json : `[${json}]`);
    if (status !== "recorded") {
      const item = error.results?.[0] ?? error;
      assert.equal(item.status, status, name);
      assert.equal(item.field, field, name);
      continue;
    }
    assert.equal(entityId, entity_id, name);
    assert.equal(submission?.toString("hex"), hex, name);
  }
});

test("Data is minified as written", () => {
  for (const { text, minified, status } of vectors("minified.json")) {
    const { error, submission } = post(`{"id":"f1","type":"note","entity_id":"deal_1","data":${text}}`);
    if (status !== undefined) {
      assert.equal(error.status, status, text);
      continue;
    }
    // type, fields, timestamp, id, custom type; then data, where there is any.
    const reader = new Reader(submission ?? Buffer.alloc(0));
    reader.u8();
    for (let n = 0; n < 2; n++) reader.varint();
    for (let n = 0; n < 2; n++) reader.short();
    const data = reader.at < reader.bytes.length ? reader.short().toString() : "{}";
    assert.equal(data, minified);
  }
});

test("Ids hash as written", () => {
  for (const { id, seed, hash } of vectors("id_hashes.json")) {
    const { effects } = ask({
      method: "POST",
      url: "/v1/facts",
      body: `{"id":"${id}","type":"note","entity_id":"deal_1"}`,
      headers: { authorization: `Bearer ${writer}` },
    });
    const { target, method, object, request } = decodeCall(effects);
    // A new ledger takes its seed from the last eight bytes.
    const entropy = Buffer.alloc(48);
    entropy.writeBigUInt64LE(BigInt(`0x${seed}`), 40);
    const core = new Core();
    const call = { target, method, now, incarnation: 1n, entropy };
    /** @param {number} kind @param {(string | Uint8Array)[]} parts @param {Uint8Array[]} answers */
    const step = (kind, parts, answers) =>
      decodeEffects(core.step(encodeFrame({ ...call, kind, parts, answers })));
    const asked = step(Kind.call, [object, registered(request)], []);
    // The ledger asks for its rows: there are none.
    const continuation = new Reader(asked[asked.length - 1].payload);
    const done = step(Kind.resume, [continuation.sized()], Array(asked.length - 1).fill(noRows));
    const segment = done
      .filter((effect) => effect.kind === Effect.write)
      .map((effect) => decodeStatement(effect.payload))
      .find(({ sql }) => sql.includes("INTO segments"));
    const hashes = segment?.values[8];
    assert.equal(hashes?.readBigUInt64LE().toString(16).padStart(16, "0"), hash, id);
  }
});

test("Tokens are accepted and refused as written", () => {
  for (const { name, header, claims, signed_with, secrets, accepted } of vectors("tokens.json")) {
    const authorization = `Bearer ${tokenOf(header, claims, signed_with)}`;
    const { reply } = ask({ url: "/v1/facts", secrets, headers: { authorization } });
    assert.equal(reply?.status, accepted ? undefined : 401, name);
  }
});

test("Trace context goes on as written", () => {
  for (const { name, traceparent, tracestate, continued, flags } of vectors("traces.json")) {
    const { reply } = ask({ url: "/healthz", headers: { traceparent, tracestate } });
    const fresh = "5a".repeat(16);
    const trace = continued ? traceparent.slice(3, 35) : fresh;
    const expected = `00-${trace}-${"5a".repeat(8)}-${continued ? flags : "03"}`;
    assert.equal(reply?.headers.traceparent, expected, name);
  }
});
