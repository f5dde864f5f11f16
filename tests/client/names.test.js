// The convention, as a table; and that a name which breaks it throws where it is written.
import assert from "node:assert/strict";
import { test } from "node:test";
import { spanName, tool } from "../../bindings/client/index.js";
import { code, errorCode, label } from "../../bindings/client/names.js";
import { World } from "./lib/world.js";

const LONG = "x".repeat(128 - "z0.worker.router.".length);

for (const name of [
  "z0.worker.router.evaluate_eligibility",
  "z0.do.ledger.append_fact",
  "z0.do.cache.read_budget_state",
  "z0.d1.query.facts_by_tenant",
  "z0.queue.consumer.write",
  "z0.external.twilio.create_call",
  "z0.external.gpt4.completion",
  `z0.worker.router.${LONG}`,
]) {
  test(`A span may be called ${name.slice(0, 60)}`, () => {
    assert.equal(spanName(name), name);
  });
}

for (const name of [
  "",
  "z0",
  "router.evaluate",
  "z0.worker.router",
  "z0.worker.router.evaluate.more",
  "z1.worker.router.evaluate",
  "Z0.worker.router.evaluate",
  "z0.browser.router.evaluate",
  "z0.worker.Router.evaluate",
  "z0.worker.router.evaluate-eligibility",
  "z0.worker.router.evaluateEligibility",
  "z0.worker.4router.evaluate",
  "z0.worker._router.evaluate",
  "z0.worker..evaluate",
  "z0.worker.router.",
  "z0.worker.router.evaluate ",
  "z0.worker.router.\u00e9valuate",
  "z0.worker.router.evaluate\n",
  `z0.worker.router.${LONG}x`,
  /** @type {any} */ (undefined),
  /** @type {any} */ (7),
]) {
  test(`A span may not be called ${JSON.stringify(name)?.slice(0, 60)}`, () => {
    assert.throws(() => spanName(name), TypeError);
    assert.throws(() => new World().client().span(name, () => 1), TypeError);
    assert.throws(() => new World().client().routingDecision(name, () => ({ result: "a", reason: "b" })), TypeError);
  });
}

test("A tool is checked when it is made: its name, its id and its operations", () => {
  assert.deepEqual(tool("openai", { operations: ["completion"] }), {
    name: "openai",
    id: "tool_openai",
    operations: ["completion"],
  });
  assert.equal(tool("twilio", { id: "tool_twilio_voice" }).id, "tool_twilio_voice");
  assert.throws(() => tool("OpenAI"), TypeError);
  assert.throws(() => tool("openai", { id: "tool openai" }), TypeError);
  assert.throws(() => tool("openai", { operations: ["createCompletion"] }), TypeError);
});

test("A call of an operation that its tool does not have throws before anything is called", () => {
  const openai = tool("openai", { operations: ["completion"] });
  const z0 = new World().client();
  let calls = 0;
  assert.throws(() => z0.externalTool(openai, "embedding", () => ++calls), /only completion/);
  assert.throws(() => z0.externalTool("OpenAI", "completion", () => ++calls), TypeError);
  assert.throws(() => z0.externalTool(openai, "completion", () => ++calls, { cost: 1.5 }), TypeError);
  assert.equal(calls, 0);
});

test("Who the client works for is checked when it is made", () => {
  const world = new World();
  assert.throws(() => world.client({ service: "" }), TypeError);
  assert.throws(() => world.client({ tenant: "no tenant" }), TypeError);
  assert.throws(() => world.client({ account: "tool_x" }), TypeError);
  assert.throws(() => world.client({ asset: "north" }), TypeError);
  assert.throws(() => world.client({ z0: /** @type {any} */ ({ token: "t" }) }), TypeError);
  assert.throws(() => world.client({ asset: undefined }).externalTool("openai", "completion", () => 1), /asset/);
});

test("A label comes from data, so it is made to fit and never throws", () => {
  assert.equal(label("out of stock"), "out_of_stock");
  assert.equal(label("x".repeat(200)).length, 128);
  assert.equal(label(undefined), "");
  for (const [given, made] of [
    ["no_buyer", "no_buyer"],
    ["NoBuyer", "no_buyer"],
    ["ECONNREFUSED", "econnrefused"],
    ["402 Payment", "payment"],
    ["", "unknown"],
    [undefined, "unknown"],
  ]) {
    assert.equal(code(given), made);
  }
});

test("An error that was thrown is called by its code, or by its name", () => {
  assert.equal(errorCode(new TypeError("x")), "type_error");
  assert.equal(errorCode(Object.assign(new Error("x"), { code: "ECONNRESET" })), "econnreset");
  assert.equal(errorCode(new DOMException("x", "TimeoutError")), "timeout");
  assert.equal(errorCode("a text"), "error");
  assert.equal(errorCode(null), "error");
});
