// What each operation tells z0: spans, facts and metrics, as the table of events asks for them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { tool } from "../../bindings/client/index.js";
import { attributesOf, charge, START_MS, World } from "./lib/world.js";

const openai = tool("openai", { operations: ["completion"] });

/** Lets the clock of the world move inside a function. @param {World} world @param {number} ms */
const takes = (world, ms) => void (world.time += ms);

test("A span has a name, a time, who it was for and what was said of it", async () => {
  const world = new World();
  const given = world.client().span(
    "z0.worker.shop.sell",
    (z0) => {
      takes(world, 12.5);
      z0.setAttribute("basket", 3);
      z0.setAttribute("vip", true);
      z0.link({ traceId: "a".repeat(32), spanId: "b".repeat(16) });
      return "sold";
    },
    { attributes: { shop: "corner" } },
  );
  assert.equal(given, "sold");
  await world.pass(1_000);
  const [span] = world.spans();
  assert.equal(span.name, "z0.worker.shop.sell");
  assert.equal(span.startTimeUnixNano, `${START_MS}000000`);
  assert.equal(span.endTimeUnixNano, `${START_MS + 12}500000`);
  assert.deepEqual(attributesOf(span), { "z0.tenant_id": "north", shop: "corner", basket: "3", vip: true });
  assert.equal(span.status, undefined);
  assert.deepEqual(span.links, [{ traceId: "a".repeat(32), spanId: "b".repeat(16) }]);
  const [{ resourceSpans }] = world.bodies("/v1/traces");
  assert.equal(attributesOf(resourceSpans[0].resource)["service.name"], "shop");
});

test("A duration that the clock could not see is marked, and is no observation of 0 ms", async () => {
  const world = new World();
  const z0 = world.client();
  z0.routingDecision("z0.worker.router.evaluate", () => ({ result: "routed", reason: "first" }));
  await world.pass(1_000);
  assert.equal(attributesOf(world.spans()[0])["z0.clock"], "stood");
  assert.deepEqual(world.points("z0_routing_decisions_total"), [["north", "routed", "first", 1]]);
  assert.deepEqual(world.points("z0_routing_decision_duration_ms"), []);
  assert.equal(world.facts()[0].data.duration_ms, undefined);
});

test("What is thrown reaches the caller as it was, and is counted once however many spans it passes", async () => {
  const world = new World();
  const z0 = world.client();
  const error = new RangeError("too far");
  await assert.rejects(
    z0.span("z0.worker.shop.sell", (outer) =>
      outer.span("z0.d1.stock.look", async () => {
        throw error;
      }),
    ),
    (thrown) => thrown === error,
  );
  assert.throws(() => z0.span("z0.worker.shop.sell", () => assert.fail("at once")));
  await world.pass(1_000);
  assert.deepEqual(
    world.spans().map(({ name, status }) => [name, status.code, status.message]),
    [
      ["z0.d1.stock.look", 2, "too far"],
      ["z0.worker.shop.sell", 2, "too far"],
      ["z0.worker.shop.sell", 2, "at once"],
    ],
  );
  assert.deepEqual(world.points("z0_errors_total"), [
    ["north", "d1", "stock", "range_error", 1],
    ["north", "worker", "shop", "err_assertion", 1],
  ]);
});

test("A call of a tool is a span, an invocation, a cost and metrics", async () => {
  const world = new World();
  const z0 = world.client();
  let id = "";
  const given = await z0.externalTool(
    openai,
    "completion",
    async ({ invocationId }) => {
      id = invocationId;
      takes(world, 40);
      return { tokens: 120 };
    },
    { cost: ({ tokens }) => ({ amount: tokens / 10, data: { unit: "token" } }), data: { model: "small" } },
  );
  assert.deepEqual(given, { tokens: 120 });
  await world.pass(1_000);
  const [span] = world.spans();
  assert.equal(span.name, "z0.external.openai.completion");
  assert.equal(span.kind, 3);
  assert.equal(attributesOf(span)["z0.money"], "moved");
  const common = { timestamp: START_MS, tenant_id: "north", tool_id: "tool_openai", asset_id: "ast_north", trace_id: z0.traceId };
  const [invocation, cost] = world.facts();
  assert.deepEqual(invocation, {
    ...common,
    ...{ id, type: "invocation", entity_id: "ast_north" },
    data: { model: "small", operation: "completion", span_id: span.spanId, duration_ms: 40 },
  });
  assert.deepEqual(cost, {
    ...common,
    ...{ id: cost.id, timestamp: START_MS + 40, type: "cost", entity_id: "acct_north", source_id: id, amount: 12 },
    data: { unit: "token" },
  });
  assert.equal(attributesOf(span)["z0.fact_id"], cost.id);
  assert.equal(attributesOf(span)["z0.entity_id"], "ast_north");
  assert.deepEqual(world.points("z0_external_calls_total"), [["north", "tool_openai", "completion", "", 1]]);
  assert.deepEqual(world.points("z0_external_call_duration_ms"), [["north", "tool_openai", "completion", "", 1]]);
  assert.deepEqual(world.points("z0_external_errors_total"), []);
});

for (const { what, fn, code } of [
  { what: "throws", fn: () => Promise.reject(Object.assign(new Error("gone"), { code: "ECONNRESET" })), code: "econnreset" },
  { what: "throws at once", fn: () => assert.fail("gone"), code: "err_assertion" },
  { what: "takes too long", fn: () => Promise.reject(new DOMException("late", "TimeoutError")), code: "timeout" },
  { what: "answers 503", fn: async () => new Response("", { status: 503 }), code: "http_503" },
  { what: "answers 429", fn: async () => new Response("", { status: 429 }), code: "rate_limited" },
]) {
  test(`A tool that ${what} is a failed invocation, an explicit cost of 0 and an error in the metrics`, async () => {
    const world = new World();
    const z0 = world.client();
    await assert.doesNotReject(async () => {
      try {
        await z0.externalTool(openai, "completion", fn, { cost: 7 });
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    });
    await world.pass(1_000);
    const [invocation, cost] = world.facts();
    assert.equal(invocation.data.error.code, code);
    assert.equal(invocation.trace_id, z0.traceId);
    assert.equal(cost.amount, 0);
    assert.equal(cost.source_id, invocation.id);
    assert.equal(attributesOf(world.spans()[0])["z0.error_code"], code);
    assert.deepEqual(world.points("z0_external_errors_total"), [["north", "tool_openai", "completion", code, 1]]);
    assert.deepEqual(world.points("z0_errors_total"), [["north", "external", "openai", code, 1]]);
  });
}

test("A cost that cannot be told is an error and no fact, and the caller has its result", async () => {
  const world = new World();
  const given = world.client().externalTool(openai, "completion", () => ({}), { cost: () => NaN });
  assert.deepEqual(given, {});
  await world.pass(1_000);
  assert.deepEqual(world.facts().map(({ type }) => type), ["invocation"]);
  assert.equal(attributesOf(world.spans()[0])["z0.error_code"], "cost_unknown");
});

test("A routing decision is a span, a fact and metrics", async () => {
  const world = new World();
  const decision = await world.client().routingDecision("z0.worker.router.evaluate_eligibility", async () => {
    takes(world, 8);
    return { result: "routed", reason: "Highest bid", data: { buyer: "acct_b" } };
  });
  assert.equal(decision.result, "routed");
  await world.pass(1_000);
  const [fact] = world.facts();
  assert.deepEqual([fact.type, fact.subtype, fact.entity_id], ["routing_decision", "routed", "ast_north"]);
  assert.deepEqual(fact.data, { buyer: "acct_b", reason: "highest_bid", span_id: world.spans()[0].spanId, duration_ms: 8 });
  assert.deepEqual(world.points("z0_routing_decisions_total"), [["north", "routed", "highest_bid", 1]]);
  assert.deepEqual(world.points("z0_routing_decision_duration_ms"), [["north", "routed", "highest_bid", 1]]);
});

test("A decision that fails is counted as failed", async () => {
  const world = new World();
  await assert.rejects(
    world.client().routingDecision("z0.worker.router.evaluate", () => Promise.reject(new Error("no data"))),
  );
  await world.pass(1_000);
  assert.deepEqual(world.points("z0_routing_decisions_total"), [["north", "failed", "error", 1]]);
  assert.deepEqual(world.facts(), []);
});

test("Reads of a cache and of a config are counted and make no span", async () => {
  const world = new World();
  const z0 = world.client();
  assert.equal(await z0.cacheRead("buyer_budget", () => 7, () => assert.fail("it is there")), 7);
  assert.equal(await z0.cacheRead("buyer_budget", () => undefined, async () => (takes(world, 3), 8)), 8);
  assert.equal(await z0.cacheRead("buyer_budget", async () => 0, () => 9), 0);
  assert.equal(z0.configRead("routing", () => "plain"), "plain");
  assert.equal(await z0.configRead("routing", async () => (takes(world, 2), "waited")), "waited");
  await world.pass(1_000);
  assert.deepEqual(world.points("z0_cache_hits_total"), [["north", "buyer_budget", 2]]);
  assert.deepEqual(world.points("z0_cache_misses_total"), [["north", "buyer_budget", 1]]);
  assert.deepEqual(world.points("z0_cache_read_duration_ms"), [["north", "buyer_budget", 1]]);
  assert.deepEqual(world.points("z0_config_reads_total"), [["north", "routing", 2]]);
  assert.deepEqual(world.points("z0_config_read_duration_ms"), [["north", "routing", 1]]);
  assert.deepEqual(world.allSpans(), []);
});

test("A fact that lacks an id, a time, a tenant or a trace gets them; what it has it keeps", async () => {
  const world = new World();
  const z0 = world.client();
  const own = charge({ id: "chg_1", timestamp: 1, tenant_id: "north", data: { trace_id: "d".repeat(32) } });
  const { ids, receipts } = z0.recordFacts([charge(), own]);
  own.amount = 9;
  await world.pass(1_000);
  const [made, kept] = world.facts();
  assert.deepEqual([made.id, made.timestamp, made.tenant_id, made.trace_id], [ids[0], START_MS, "north", z0.traceId]);
  assert.deepEqual(kept, { ...own, amount: 1250 });
  const told = receipts();
  await world.pass(100);
  assert.deepEqual((await told).map(({ id, status, seq }) => [id, status, seq]), [[ids[0], "recorded", 1], ["chg_1", "recorded", 2]]);
});

test("What is no fact throws where it is recorded", () => {
  const z0 = new World().client();
  assert.throws(() => z0.recordFacts(/** @type {any} */ (null)), TypeError);
  assert.throws(() => z0.recordFacts(/** @type {any} */ ([{ entity_id: "acct_1" }])), TypeError);
  assert.throws(() => z0.recordFacts(charge({ id: "no id" })), TypeError);
  assert.throws(() => z0.recordFacts(Array.from({ length: 1_001 }, () => charge())), RangeError);
});

test("A span of the platform's of the same name goes around ours", async () => {
  const world = new World();
  /** @type {unknown[]} */
  const entered = [];
  const tracing = {
    enterSpan(/** @type {string} */ name, /** @type {(span: any) => any} */ run) {
      return run({ setAttribute: (/** @type {string} */ key, /** @type {string} */ value) => entered.push(name, key, value) });
    },
  };
  const ctx = { tracing, waitUntil: () => {} };
  const z0 = world.client({ ctx });
  assert.equal(z0.span("z0.worker.shop.sell", () => 1), 1);
  assert.deepEqual(entered.slice(0, 3), ["z0.worker.shop.sell", "z0.trace_id", z0.traceId]);
});

test("Data that cannot be written as JSON costs the fact, never the call that it tells of", async (t) => {
  t.mock.method(console, "error", () => {});
  const world = new World();
  const z0 = world.client();
  const data = { huge: 1n };
  assert.equal(z0.externalTool(openai, "completion", () => "done", { data }), "done");
  const decision = await z0.routingDecision("z0.worker.router.evaluate", async () => ({ result: "a", reason: "b", data }));
  assert.equal(decision.result, "a");
  assert.equal(z0.dropped.facts, 2);
  await world.pass(1_000);
  assert.deepEqual(world.facts().map(({ type }) => type), ["cost"]);
});

test("A request that is over does not fail who tells in it, and what it tells goes out", async () => {
  const world = new World();
  const ctx = { waitUntil: () => assert.fail("the request is over") };
  assert.equal(world.client({ ctx }).span("z0.worker.shop.sell", () => 1), 1);
  await world.pass(1_000);
  assert.equal(world.spans().length, 1);
});
