// Kept traces and what was counted go on to an OTLP receiver, over real HTTP: one that is busy at first gets
// them later, once; and whoever is asked outside is found in the trace.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { deposit, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

/**
 * What a path was sent, and how it answered.
 * @typedef {{path: string, status: number, text: string, body: any, key: string, traceparent: string}} Got
 */

/** @type {Got[]} */
const got = [];
/** How many requests to a path are refused at first. @type {Record<string, number>} */
const busy = { "/v1/traces": 2, "/v1/metrics": 2 };
const receiver = createServer(async (request, response) => {
  let text = "";
  for await (const part of request) text += part;
  const path = String(request.url);
  const status = busy[path]-- > 0 ? 503 : 200;
  const { "x-api-key": key, traceparent } = request.headers;
  got.push({ path, status, text, body: JSON.parse(text), key: String(key), traceparent: String(traceparent) });
  response.writeHead(status, status === 503 ? { "retry-after": "1" } : { "content-type": "application/json" });
  // Of the metrics one data point is not wanted.
  const partial = { partialSuccess: { rejectedDataPoints: "1", errorMessage: "one is too many" } };
  response.end(status === 200 ? JSON.stringify(path === "/v1/metrics" ? partial : {}) : "");
});

/** @type {import("./lib/z0.js").Z0} */
let z0;
/** @type {string} */
let address;
before(async () => {
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (receiver.address());
  address = `http://127.0.0.1:${port}`;
  const otlp = {
    traces_url: `${address}/v1/traces`,
    metrics_url: `${address}/v1/metrics`,
    metrics_interval_s: 10,
    headers: { "x-api-key": "k" },
  };
  const vars = { Z0_SETTINGS: JSON.stringify({ otlp, traces: { one_in: 1 } }), Z0_DEBUG: "1" };
  z0 = await startZ0({ traces: true, vars });
});
after(async () => {
  await z0?.dispose();
  receiver.closeAllConnections();
  receiver.close();
});

/** @param {string} path */
const sentTo = (path) => got.filter((one) => one.path === path);
/** @param {Got[]} all @returns {any[]} */
const spansOf = (all) =>
  all.flatMap(({ body }) =>
    body.resourceSpans.flatMap((/** @type {any} */ { scopeSpans }) => scopeSpans.flatMap((/** @type {any} */ { spans }) => spans)),
  );
/** @param {any} body @returns {any[]} */
const metricsOf = (body) => body.resourceMetrics[0].scopeMetrics[0].metrics;

test("A receiver that is busy gets the trace of a charge later, with its secret header, once", async () => {
  const id = "4bf92f3577b34da6a3ce929d0e0e4736";
  const headers = { traceparent: `00-${id}-00f067aa0ba902b7-01` };
  const { status } = await z0.post(deposit(unique("acct_")), { headers, token: token("north") });
  assert.equal(status, 201);
  await eventually("the batch was taken", () => sentTo("/v1/traces").some((one) => one.status === 200), 60_000);
  assert.deepEqual(sentTo("/v1/traces").slice(0, 3).map((one) => one.status), [503, 503, 200]);
  const taken = spansOf(sentTo("/v1/traces").filter((one) => one.status === 200));
  const own = taken.filter(({ traceId }) => traceId === id);
  assert.ok(own.some(({ name }) => name === "z0.worker.facts.record"));
  assert.equal(new Set(own.map(({ spanId }) => spanId)).size, own.length);
  assert.ok(sentTo("/v1/traces").every(({ key }) => key === "k"));
  const counted = await eventually("the export was counted", async () => {
    const { body } = await z0.fetch("/v1/traces");
    return body.export.spans >= own.length && body.export;
  });
  assert.equal(counted.lost, 0);
});

test("What was counted goes out by itself, again where the receiver is busy, and z0 takes it as its own", async () => {
  await z0.post(deposit(unique("acct_")), { token: token("south") });
  const taken = await eventually(
    "the batch with the fact was taken",
    () => sentTo("/v1/metrics").find((one) => one.status === 200 && one.text.includes('"south"')),
    60_000,
  );
  const all = sentTo("/v1/metrics");
  assert.deepEqual(all.slice(0, 3).map((one) => one.status), [503, 503, 200]);
  assert.equal(all[0].text, all[2].text);
  assert.ok(all.every(({ key }) => key === "k"));
  const written = metricsOf(taken.body).find(({ name }) => name === "z0_facts_written_total");
  assert.equal(written.sum.aggregationTemporality, 1);
  const point = written.sum.dataPoints.find((/** @type {any} */ p) =>
    p.attributes.some((/** @type {any} */ a) => a.key === "tenant_id" && a.value.stringValue === "south"),
  );
  assert.equal(point.asInt, "1");
  assert.ok(Number(point.timeUnixNano) > Number(point.startTimeUnixNano));
  const { body } = await z0.fetch("/v1/metrics/query?metric=z0_errors_total");
  assert.ok(body.export.points > 0);
  assert.ok(body.export.lost > 0, "what a receiver rejects of a batch is counted");
  // Our own receiver takes all of it.
  const headers = { "content-type": "application/json" };
  const again = await z0.fetch("/v1/metrics", { method: "POST", headers, body: taken.text });
  assert.equal(again.status, 200);
  assert.deepEqual(again.body, {});
});

test("Whoever is asked outside has the span of that request as its parent", async () => {
  const id = "5bf92f3577b34da6a3ce929d0e0e4737";
  const headers = { traceparent: `00-${id}-00f067aa0ba902b7-01`, "content-type": "application/json" };
  const calls = JSON.stringify([1, 2].map((n) => ({ url: `${address}/called`, arguments: [n] })));
  const { status } = await z0.fetch("/conformance/trace-context", { method: "POST", headers, body: calls });
  assert.equal(status, 200);
  const parents = sentTo("/called").map(({ traceparent }) => traceparent);
  assert.equal(parents.length, 2);
  const taken = await eventually(
    "the trace was taken",
    () => {
      const spans = spansOf(sentTo("/v1/traces").filter((one) => one.status === 200));
      const own = spans.filter(({ traceId, name }) => traceId === id && name === "z0.external.conformance.post");
      return own.length === 2 && own;
    },
    60_000,
  );
  const recorded = taken.map((/** @type {any} */ { spanId }) => `00-${id}-${spanId}-01`);
  assert.deepEqual(recorded.sort(), parents.sort());
});
