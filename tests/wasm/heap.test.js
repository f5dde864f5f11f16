// The module's own heap: what a step took is there for the next one.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { Core } from "./lib/core.js";
import { decodeCall, decodeEffects, decodeReply, Effect, encodeFrame, Kind, Target } from "./lib/frame.js";

const now = 1_774_915_200_000;
const secret = "heap-secret";

function token() {
  const claims = { tenant: "ten_heap", scope: "facts:write", exp: now / 1000 + 60 };
  const body = ['{"alg":"HS256"}', JSON.stringify(claims)]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
}

/** The same numbers in every run. @param {number} seed */
function random(seed) {
  let x = seed;
  return (/** @type {number} */ below) => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return Math.floor((x / 2 ** 32) * below);
  };
}

/** Facts of every size, over few ledgers and many, some of them refused. @param {(below: number) => number} next */
function bodyOf(next) {
  const ledgers = 1 + next(120);
  const facts = Array.from({ length: 1 + next(200) }, (_, i) => ({
    id: next(9) === 0 ? "not an id" : `fact_${"x".repeat(next(100))}${i}`,
    type: "note",
    entity_id: `deal_${"y".repeat(next(60))}${next(ledgers)}`,
    data: { text: "z".repeat(next(2) * next(3000)) },
  }));
  return JSON.stringify(facts);
}

/** @param {Core} core @param {string} bearer @param {string} body */
function post(core, bearer, body) {
  const parts = ["POST", "/v1/facts", body, secret, "authorization", `Bearer ${bearer}`];
  const effects = decodeEffects(core.step(encodeFrame({ kind: Kind.request, target: Target.edge, now, parts })));
  return effects.map(({ kind, payload }) => [kind, payload.toString("hex")]);
}

test("Requests of all sizes, by the thousand, find the memory of those before them", () => {
  const core = new Core();
  const bearer = token();
  const size = () => core.exports.memory.buffer.byteLength;
  const run = (/** @type {number} */ seed) => {
    const next = random(seed);
    for (let i = 0; i < 150; i++) post(core, bearer, bodyOf(next));
  };
  run(1);
  const settled = size();
  for (let seed = 1; seed <= 4; seed++) run(seed);
  assert.ok(size() <= settled * 1.25, `${settled} bytes became ${size()}`);
});

test("An instance that has answered thousands answers as a fresh one", () => {
  const core = new Core();
  const bearer = token();
  const next = random(7);
  for (let i = 0; i < 400; i++) {
    const body = bodyOf(next);
    const effects = post(core, bearer, body);
    if (i % 50 === 0) assert.deepEqual(effects, post(new Core(), bearer, body));
  }
});

test("What is larger than a small block, or nothing at all, is served", () => {
  const core = new Core();
  for (const size of [0, 1, 15, 16, 17, 496, 511, 512, 513, 4_095, 4_096, 4_097, 70_000, 1_000_000]) {
    const url = `/v1/facts/${"u".repeat(size)}`;
    const frame = encodeFrame({ kind: Kind.request, target: Target.edge, now, parts: ["GET", url, "", secret] });
    const reply = decodeEffects(core.step(frame)).find(({ kind }) => kind === Effect.reply);
    assert.ok(decodeReply(reply?.payload ?? Buffer.alloc(0)).status >= 400, `${size} bytes`);
  }
  const one = '{"id":"f_1","type":"note","entity_id":"deal_1"}';
  const parts = ["POST", "/v1/facts", one, secret, "authorization", `Bearer ${token()}`];
  const asked = decodeEffects(core.step(encodeFrame({ kind: Kind.request, target: Target.edge, now, parts })));
  assert.equal(decodeCall(asked).object, "deal_deal_1");
});
