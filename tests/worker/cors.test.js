// What a browser asks before a page of another origin may call, and what it is told.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deposit, unique } from "./lib/facts.js";
import { startZ0, token } from "./lib/z0.js";

const ORIGIN = "https://app.example.com";

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0({ vars: { Z0_SETTINGS: JSON.stringify({ cors_origins: [ORIGIN] }) } });
});
after(() => z0?.dispose());

/** @param {string} origin */
function preflight(origin) {
  const headers = {
    origin,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,ce-id",
  };
  return z0.fetch("/v1/facts", { method: "OPTIONS", headers, token: null });
}

test("A page of an origin that the setting names may send, read and be refused", async () => {
  const { status, headers, body } = await preflight(ORIGIN);
  assert.equal(status, 204);
  assert.equal(body, "");
  assert.equal(headers.get("access-control-allow-origin"), ORIGIN);
  assert.equal(headers.get("access-control-allow-methods"), "GET, HEAD, POST");
  assert.equal(headers.get("access-control-allow-headers"), "authorization, content-type, ce-id");
  const page = { headers: { origin: ORIGIN }, token: token("north") };
  const recorded = await z0.post(deposit(unique("acct_")), page);
  assert.equal(recorded.status, 201);
  assert.equal(recorded.headers.get("access-control-allow-origin"), ORIGIN);
  const refused = await z0.post(deposit(unique("acct_"), { amount: 0 }), page);
  assert.equal(refused.status, 422);
  assert.equal(refused.headers.get("access-control-allow-origin"), ORIGIN);
  assert.match(refused.headers.get("access-control-expose-headers") ?? "", /retry-after/);
});

test("A page of another origin is told nothing that lets it in", async () => {
  const evil = "https://app.example.com.evil.example";
  const { status, headers } = await preflight(evil);
  assert.equal(status, 405);
  assert.equal(headers.get("access-control-allow-origin"), null);
  const answer = await z0.post(deposit(unique("acct_")), {
    headers: { origin: evil },
    token: token("north"),
  });
  assert.equal(answer.headers.get("access-control-allow-origin"), null);
});
