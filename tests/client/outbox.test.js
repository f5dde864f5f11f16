// The way to z0: batches over the isolate, tries, bounds, and what is told of what was lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accept, attributesOf, charge, World } from "./lib/world.js";

/** Silences the log of what was dropped, and keeps its lines. @param {import("node:test").TestContext} t */
function lines(t) {
  /** @type {any[]} */
  const said = [];
  t.mock.method(console, "error", (/** @type {string} */ line) => said.push(JSON.parse(line)));
  return said;
}

/** @param {World} world */
const times = (world, path = "/v1/facts") => world.got.filter((got) => got.path === path).map(({ at }) => at);

test("What many requests of an isolate tell goes out together, behind their replies", async () => {
  const world = new World();
  /** @type {Promise<unknown>[]} */
  const kept = [];
  const ctx = { waitUntil: (/** @type {Promise<unknown>} */ work) => void kept.push(work) };
  for (let i = 0; i < 20; i++) {
    const z0 = world.client({ ctx });
    z0.span("z0.worker.shop.sell", (inner) => {
      inner.recordFacts(charge());
      inner.externalTool("openai", "completion", () => 1);
    });
  }
  assert.equal(world.got.length, 0);
  await world.pass(1_000);
  const paths = world.got.map(({ path }) => path);
  assert.equal(paths[0], "/v1/facts");
  assert.deepEqual(paths.filter((path) => path === "/v1/facts").length, 1);
  assert.equal(world.facts().length, 60);
  assert.equal(world.spans().length, 40);
  assert.deepEqual(world.points("z0_external_calls_total"), [["north", "tool_openai", "completion", "", 20]]);
  assert.ok(kept.length <= 2, "two drivers are enough for an isolate");
  await Promise.all(kept);
  assert.equal(world.got[0].headers.authorization, "Bearer t");
});

test("Facts of one trace are sent in it; those of several with a link to each", async () => {
  const world = new World();
  const one = world.client();
  one.span("z0.worker.shop.sell", (z0) => z0.recordFacts([charge(), charge()]));
  await world.pass(1_000);
  const [sold] = world.spans();
  const [sending] = world.allSpans().filter(({ name }) => name === "z0.worker.client.send_facts");
  assert.equal(sending.traceId, one.traceId);
  assert.equal(sending.parentSpanId, sold.spanId);
  assert.equal(world.got[0].headers.traceparent, `00-${one.traceId}-${sending.spanId}-03`);

  const others = [world.client(), world.client()];
  for (const z0 of others) z0.span("z0.worker.shop.sell", (inner) => inner.recordFacts(charge()));
  await world.pass(1_000);
  const joined = world.allSpans().filter(({ name }) => name === "z0.worker.client.send_facts")[1];
  assert.deepEqual(joined.links.map((/** @type {any} */ { traceId }) => traceId), others.map(({ traceId }) => traceId));
  assert.ok(!others.some(({ traceId }) => traceId === joined.traceId));
});

test("A large heap is sent in several requests of a bounded size", async () => {
  const world = new World();
  const z0 = world.client();
  z0.recordFacts(Array.from({ length: 900 }, () => charge()));
  z0.recordFacts(Array.from({ length: 30 }, () => charge({ data: { note: "x".repeat(60_000) } })));
  await world.pass(1_000);
  assert.equal(world.facts().length, 930);
  for (const body of world.bodies("/v1/facts")) {
    assert.ok(body.length <= 500);
    assert.ok(JSON.stringify(body).length <= 1 << 20);
  }
});

for (const { what, status, headers, waits } of [
  { what: "429 with Retry-After", status: 429, headers: { "retry-after": "7" }, waits: 7_000 },
  { what: "503 with a date", status: 503, headers: { "retry-after": new Date(1_774_915_200_000 + 9_000).toUTCString() }, waits: 8_900 },
  { what: "500", status: 500, headers: {}, waits: 250 },
]) {
  test(`After ${what} facts are sent again, under the same ids, not before z0 said so`, async () => {
    const world = new World();
    world.answer = () => new Response("{}", { status, headers });
    world.client().recordFacts(charge());
    await world.pass(200);
    assert.equal(world.facts().length, 1);
    world.answer = accept;
    await world.pass(20_000);
    const [first, second] = times(world);
    assert.ok(second - first >= waits, `${second - first} ms later`);
    assert.equal(world.facts().length, 2);
    assert.equal(world.facts()[0].id, world.facts()[1].id);
  });
}

test("Tries become rarer, and a request stays no longer than the platform lets it", async () => {
  const world = new World();
  world.answer = () => Promise.reject(new TypeError("connection refused"));
  /** @type {Promise<unknown>[]} */
  const kept = [];
  world.client({ ctx: { waitUntil: (work) => void kept.push(work) } }).recordFacts(charge());
  await world.pass(30_000);
  await Promise.all(kept);
  const at = times(world);
  assert.ok(at.length >= 4 && at.length <= 8, `${at.length} tries in 25 s`);
  assert.ok(at[at.length - 1] - at[0] <= 25_000);
  assert.ok(at[3] - at[2] > at[1] - at[0]);
});

test("What one request could not send goes out with the next one of the isolate", async () => {
  const world = new World();
  world.answer = () => Promise.reject(new TypeError("connection refused"));
  world.client().recordFacts(charge({ id: "chg_1" }));
  await world.pass(60_000);
  world.answer = accept;
  world.got = [];
  world.client().recordFacts(charge({ id: "chg_2" }));
  await world.pass(30_000);
  assert.deepEqual(world.facts().map(({ id }) => id), ["chg_1", "chg_2"]);
});

test("A request that ends in the middle of a send loses no fact: the next one sends it again", async () => {
  const world = new World();
  let ended = false;
  // As the platform ends a request: its timers and answers never come.
  const host = { ...world.host, sleep: (/** @type {number} */ ms, /** @type {AbortSignal} */ end) =>
    ended ? new Promise(() => {}) : world.host.sleep(ms, end) };
  world.answer = () => ((ended = true), (world.sleepers = []), new Promise(() => {}));
  world.client({ host }).recordFacts(charge({ id: "chg_1" }));
  await world.pass(60_000);
  assert.equal(world.facts().length, 1);
  ended = false;
  world.answer = accept;
  world.client({ host }).recordFacts(charge({ id: "chg_2" }));
  await world.pass(10_000);
  assert.deepEqual(world.facts().map(({ id }) => id), ["chg_1", "chg_1", "chg_2"]);
});

test("A z0 that hangs is given up after the timeout; what may have counted is not counted twice", async (t) => {
  const said = lines(t);
  const world = new World();
  world.answer = () => new Promise(() => {});
  const z0 = world.client({ timeoutMs: 5_000 });
  z0.span("z0.worker.shop.sell", (inner) => void inner.recordFacts(charge()));
  z0.configRead("routing", () => 1);
  await world.pass(10_000);
  assert.deepEqual(z0.dropped, { facts: 0, spans: 0, points: 1 });
  assert.equal(said[0].event, "z0.client.dropped");
  world.answer = accept;
  await world.pass(30_000);
  assert.deepEqual(world.points("z0_config_reads_total"), [["north", "routing", 1]]);
  assert.equal(world.bodies("/v1/metrics").length, 2);
  assert.equal(new Set(world.facts().map(({ id }) => id)).size, 1);
});

test("Memory is bounded: what does not fit is dropped, counted, and told when z0 is back", async (t) => {
  const said = lines(t);
  const world = new World();
  world.answer = () => Promise.reject(new TypeError("connection refused"));
  const z0 = world.client();
  for (let i = 0; i < 5; i++) z0.recordFacts(Array.from({ length: 1_000 }, () => charge()));
  for (let i = 0; i < 4_100; i++) z0.span("z0.worker.shop.sell", () => 1);
  for (let i = 0; i < 1_500; i++) z0.configRead(`type_${i}`, () => 1);
  const { facts, spans, points } = z0.dropped;
  assert.equal(facts, 1_000);
  // The money of each dropped fact is told by a span of its own, where there is room.
  assert.equal(spans, 1_100);
  assert.equal(points, 500);
  assert.equal(said.length, 1);

  await world.pass(1_000);
  world.answer = accept;
  await world.pass(30_000);
  z0.span("z0.worker.shop.sell", () => 1);
  await world.pass(60_000);
  const [told] = world.allSpans().filter(({ name }) => name === "z0.worker.client.recover");
  const attributes = attributesOf(told);
  assert.equal(attributes["z0.dropped_facts"], "1000");
  assert.equal(Number(attributes["z0.dropped_spans"]) >= 1_100, true);
  assert.equal(attributes["z0.dropped_points"], "500");
  assert.equal(attributes["z0.money"], "failed");
  assert.ok(BigInt(told.endTimeUnixNano) > BigInt(told.startTimeUnixNano));
  const lost = world.points("z0_errors_total").filter(([, , component]) => component === "client");
  assert.deepEqual(lost.find(([, , , code]) => code === "dropped_facts"), ["north", "worker", "client", "dropped_facts", 1_000]);
  assert.deepEqual(lost.find(([, , , code]) => code === "dropped_points"), ["north", "worker", "client", "dropped_points", 500]);
});

test("Facts that z0 does not take in a quarter of an hour are given up", async (t) => {
  lines(t);
  const world = new World();
  world.answer = () => Promise.reject(new TypeError("connection refused"));
  const z0 = world.client();
  const { receipts } = z0.recordFacts(charge());
  await world.pass(901_000);
  z0.recordFacts(charge());
  await world.pass(60_000);
  assert.equal(z0.dropped.facts, 1);
  const told = receipts();
  await world.pass(100);
  assert.equal((await told)[0].status, "dropped");
});

test("What z0 refuses is not sent again; the receipt says why, and its trace that money failed to move", async (t) => {
  lines(t);
  const world = new World();
  world.answer = (got) => {
    if (got.path !== "/v1/facts") return accept(got);
    const results = [
      { status: "recorded", id: got.body[0].id, seq: 1, recorded_at: 2 },
      { status: "budget_exhausted", http: 402, message: "the budget is spent" },
      { status: "storage_error", http: 503, message: "later" },
    ].slice(0, got.body.length);
    return Response.json({ results }, { status: 207 });
  };
  const z0 = world.client();
  let recorded;
  z0.span("z0.worker.shop.sell", (inner) => (recorded = inner.recordFacts([charge(), charge(), charge({ id: "chg_3" })])));
  await world.pass(10_000);
  assert.deepEqual(world.bodies("/v1/facts").map((body) => body.length), [3, 1]);
  const told = /** @type {any} */ (recorded).receipts();
  await world.pass(100);
  assert.deepEqual((await told).map((/** @type {any} */ { status }) => status), ["recorded", "budget_exhausted", "recorded"]);
  assert.equal(attributesOf(world.spans()[0])["z0.money"], "failed");
  assert.deepEqual(z0.dropped, { facts: 0, spans: 0, points: 0 });
});

test("A span that was sent before its money was known gets a child that says it", async () => {
  const world = new World();
  world.answer = (got) => (got.path === "/v1/facts" && got.at < world.time + 1 && world.facts().length < 2 ? new Response("", { status: 503 }) : accept(got));
  world.client().span("z0.worker.shop.sell", (z0) => void z0.recordFacts(charge()));
  await world.pass(10_000);
  const [sold] = world.spans();
  assert.equal(attributesOf(sold)["z0.money"], undefined);
  const [late] = world.allSpans().filter(({ name }) => name === "z0.worker.client.settle_fact");
  assert.equal(late.parentSpanId, sold.spanId);
  assert.equal(attributesOf(late)["z0.money"], "moved");
});

test("A token that z0 does not know loses what was told, and says so in the log", async (t) => {
  const said = lines(t);
  const world = new World();
  world.answer = () => Response.json({ status: "unauthorized", message: "no such token" }, { status: 401 });
  const z0 = world.client();
  const { receipts } = z0.span("z0.worker.shop.sell", (inner) => inner.recordFacts(charge()));
  await world.pass(5_000);
  assert.equal(z0.dropped.facts, 1);
  assert.match(said[0].why, /no such token/);
  const told = receipts();
  await world.pass(100);
  assert.equal((await told)[0].status, "unauthorized");
  const sent = world.got.length;
  await world.pass(60_000);
  assert.equal(world.got.length, sent, "it does not ask for ever");
});

test("What a partial success leaves out is counted", async (t) => {
  lines(t);
  const world = new World();
  world.answer = (got) => {
    if (got.path === "/v1/traces") return Response.json({ partialSuccess: { rejectedSpans: "2", errorMessage: "too many" } });
    return accept(got);
  };
  const z0 = world.client();
  for (let i = 0; i < 3; i++) z0.span("z0.worker.shop.sell", () => 1);
  await world.pass(1_000);
  assert.ok(z0.dropped.spans >= 2);
  const sent = world.got.length;
  await world.pass(60_000);
  assert.equal(world.got.length, sent, "telling of what was refused does not go round for ever");
});

test("Without a z0 nothing breaks, and everything is counted", async (t) => {
  lines(t);
  const world = new World();
  const z0 = world.client({ z0: undefined });
  assert.equal(z0.externalTool("openai", "completion", () => 5), 5);
  await world.pass(1_000_000);
  z0.configRead("routing", () => 1);
  await world.pass(60_000);
  assert.equal(z0.dropped.facts, 2);
  assert.equal(z0.dropped.spans >= 1, true);
});

test("A fact on which z0 breaks does not hold up those beside it", async () => {
  const world = new World();
  /** @type {Set<string>} */
  const taken = new Set();
  world.answer = (got) => {
    if (got.path !== "/v1/facts") return accept(got);
    if (got.body.some((/** @type {any} */ { id }) => id === "chg_bad")) return new Response("", { status: 500 });
    for (const { id } of got.body) taken.add(id);
    return accept(got);
  };
  const z0 = world.client();
  z0.recordFacts([charge({ id: "chg_bad" }), ...Array.from({ length: 99 }, () => charge())]);
  for (let i = 0; i < 10; i++) {
    z0.setAttribute("still", "here");
    z0.configRead("routing", () => 1);
    await world.pass(30_000);
  }
  assert.equal(taken.size, 99);
});

test("Spans that say much are bounded by what they say, in memory and in a request", async (t) => {
  lines(t);
  const world = new World();
  const z0 = world.client();
  const said = "x".repeat(5_000);
  for (let i = 0; i < 2_000; i++) {
    z0.span("z0.worker.shop.sell", (inner) => {
      for (let key = 0; key < 40; key++) inner.setAttribute(`key_${key}`, said);
    });
  }
  assert.ok(z0.dropped.spans > 800, `${z0.dropped.spans} of 2,000 had no room`);
  await world.pass(5_000);
  for (const body of world.bodies("/v1/traces")) assert.ok(JSON.stringify(body).length < 2 << 20);
  assert.equal(world.spans().length, 2_000 - z0.dropped.spans);
});

test("A tool that is called with ever new tokens keeps a bounded number of them, and counts what it lets go", async (t) => {
  const said = lines(t);
  const world = new World();
  world.answer = () => Promise.reject(new TypeError("connection refused"));
  const first = world.client({ token: "t0" });
  const { receipts } = first.recordFacts(charge());
  // Those of other tests in this process are let go first.
  for (let i = 1; i <= 200; i++) world.client({ token: `t${i}` }).recordFacts(charge());
  assert.equal(first.dropped.facts, 1);
  assert.match(said[0].why, /more than 32 tokens/);
  const told = receipts();
  await world.pass(100);
  assert.equal((await told)[0].status, "dropped");
});

test("A span that comes while facts wait for their next try does not wait with them", async () => {
  const world = new World();
  world.answer = (got) =>
    got.path === "/v1/facts" ? new Response("", { status: 503, headers: { "retry-after": "20" } }) : accept(got);
  const z0 = world.client();
  z0.recordFacts(charge());
  await world.pass(1_000);
  z0.span("z0.worker.shop.sell", () => 1);
  await world.pass(1_000);
  assert.equal(world.spans().length, 1);
});

test("The count of what was dropped survives a request that carries it and is not taken", async (t) => {
  lines(t);
  const world = new World();
  const z0 = world.client();
  for (let i = 0; i < 5; i++) z0.recordFacts(Array.from({ length: 1_000 }, () => charge()));
  world.answer = (got) => (got.path === "/v1/metrics" ? new Response("", { status: 503 }) : accept(got));
  z0.configRead("routing", () => 1);
  await world.pass(2_000);
  const carried = () => world.points("z0_errors_total").filter(([, , , code]) => code === "dropped_facts");
  assert.ok(carried().length > 0, "it went out with the others");
  world.got = [];
  world.answer = accept;
  await world.pass(30_000);
  assert.deepEqual(carried(), [["north", "worker", "client", "dropped_facts", 1_000]]);
});

test("What waits goes out by the binding of the newest request: an older one may be closed", async () => {
  const world = new World();
  const closed = { fetch: () => Promise.reject(new Error("the environment is gone")) };
  world.client({ z0: closed }).recordFacts(charge({ id: "chg_1" }));
  await world.pass(200);
  world.client().recordFacts(charge({ id: "chg_2" }));
  await world.pass(30_000);
  assert.deepEqual(world.facts().map(({ id }) => id), ["chg_1", "chg_2"]);
});
