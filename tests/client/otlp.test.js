// What is sent is OTLP as its protocol has it in JSON: names in lowerCamelCase, ids in hexadecimal, integers
// of 64 bits as text, enums as numbers; and nothing that the protocol does not know.
import assert from "node:assert/strict";
import { test } from "node:test";
import { charge, World } from "./lib/world.js";

/** A check of a value, or the members of a message. @typedef {((value: any, at: string) => void) | { [member: string]: Shape }} Shape */

const text = (/** @type {any} */ value, /** @type {string} */ at) => assert.equal(typeof value, "string", at);
const number = (/** @type {any} */ value, /** @type {string} */ at) => assert.ok(Number.isFinite(value), at);
const flag = (/** @type {any} */ value, /** @type {string} */ at) => assert.equal(typeof value, "boolean", at);
const int64 = (/** @type {any} */ value, /** @type {string} */ at) => assert.match(value, /^\d{1,19}$/, at);
/** @param {number} digits */
const hex = (digits) => (/** @type {any} */ value, /** @type {string} */ at) =>
  assert.match(value, new RegExp(`^(?!0+$)[0-9a-f]{${digits}}$`), at);
/** @param {number} most */
const code = (most) => (/** @type {any} */ value, /** @type {string} */ at) =>
  assert.ok(Number.isInteger(value) && value >= 0 && value <= most, at);
/** @param {Shape} shape */
const list = (shape) => (/** @type {any} */ value, /** @type {string} */ at) => {
  assert.ok(Array.isArray(value), at);
  for (const [i, item] of value.entries()) check(item, shape, `${at}[${i}]`);
};

const anyValue = { stringValue: text, boolValue: flag, intValue: int64, doubleValue: number };
const attributes = list({ key: text, value: anyValue });
const scope = { name: text, version: text };
const resource = { attributes };
const traceId = hex(32);
const spanId = hex(16);
const span = {
  ...{ traceId, spanId, parentSpanId: spanId, name: text, kind: code(5), attributes },
  ...{ startTimeUnixNano: int64, endTimeUnixNano: int64 },
  links: list({ traceId, spanId }),
  status: { code: code(2), message: text },
};
const traces = { resourceSpans: list({ resource, scopeSpans: list({ scope, spans: list(span) }) }) };

const exemplars = list({ timeUnixNano: int64, asDouble: number, traceId, spanId });
const point = { attributes, startTimeUnixNano: int64, timeUnixNano: int64, exemplars };
const buckets = { count: int64, sum: number, bucketCounts: list(int64), explicitBounds: list(number) };
const metric = {
  ...{ name: text, unit: text },
  sum: { dataPoints: list({ ...point, asInt: int64 }), aggregationTemporality: code(2), isMonotonic: flag },
  histogram: { dataPoints: list({ ...point, ...buckets }), aggregationTemporality: code(2) },
};
const metrics = { resourceMetrics: list({ resource, scopeMetrics: list({ scope, metrics: list(metric) }) }) };

/** @param {any} value @param {Shape} shape @param {string} at */
function check(value, shape, at) {
  if (typeof shape === "function") return shape(value, at);
  assert.equal(typeof value, "object", at);
  for (const [member, inner] of Object.entries(value)) {
    const expected = shape[member] ?? assert.fail(`${at}.${member} is not of the protocol`);
    check(inner, expected, `${at}.${member}`);
  }
}

/** A world in which everything there is has been told. */
async function lively() {
  const world = new World();
  for (const z0 of [world.client(), world.client()]) {
    await z0.span("z0.worker.shop.sell", async (inner) => {
      inner.setAttribute("text", "a");
      inner.setAttribute("whole", 7);
      inner.setAttribute("part", 0.5);
      inner.setAttribute("flag", true);
      inner.link({ traceId: "a".repeat(32), spanId: "b".repeat(16) });
      inner.recordFacts(charge());
      inner.externalTool("openai", "completion", () => void (world.time += 700));
      inner.routingDecision("z0.worker.router.evaluate", () => ((world.time += 3), { result: "a", reason: "b" }));
      inner.configRead("routing", () => void (world.time += 40));
      inner.fail("out_of_stock", "nothing left");
    });
  }
  await world.pass(2_000);
  return world;
}

test("Traces are those of the protocol", async () => {
  const world = await lively();
  assert.ok(world.allSpans().length >= 6);
  for (const body of world.bodies("/v1/traces")) check(body, traces, "traces");
});

test("Metrics are those of the protocol: deltas, monotonic, a bucket more than bounds, bounds that grow", async () => {
  const world = await lively();
  const bodies = world.bodies("/v1/metrics");
  for (const body of bodies) check(body, metrics, "metrics");
  const all = bodies.flatMap(({ resourceMetrics }) => resourceMetrics[0].scopeMetrics[0].metrics);
  assert.ok(all.some(({ sum }) => sum) && all.some(({ histogram }) => histogram));
  for (const { name, sum, histogram } of all) {
    assert.equal((sum ?? histogram).aggregationTemporality, 1, name);
    if (sum) assert.equal(sum.isMonotonic, true);
    for (const { count, bucketCounts, explicitBounds, startTimeUnixNano, timeUnixNano } of histogram?.dataPoints ?? []) {
      assert.equal(bucketCounts.length, explicitBounds.length + 1);
      assert.equal(bucketCounts.map(Number).reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b), Number(count));
      assert.deepEqual([...new Set(explicitBounds)].sort((a, b) => a - b), explicitBounds);
      assert.ok(BigInt(startTimeUnixNano) <= BigInt(timeUnixNano));
    }
  }
});
