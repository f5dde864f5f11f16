// The exporters that OpenTelemetry gives out send to z0, as it is and in gzip.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { AggregationTemporality, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { eventually, startZ0, token } from "./lib/z0.js";

/** @typedef {{indexes: string[], blobs: string[], doubles: number[]}} Written */

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0({ points: true, traces: true });
});
after(() => z0?.dispose());

/**
 * How much of a metric of a tenant was written.
 * @param {string} metric
 * @param {string} tenant
 */
async function sumOf(metric, tenant) {
  const all = /** @type {Written[]} */ (await z0.points());
  return all
    .filter(({ indexes, blobs }) => indexes[0] === tenant && blobs[0] === metric)
    .reduce((sum, { doubles }) => sum + doubles[0], 0);
}

for (const compression of ["none", "gzip"]) {
  test(`A counter and a histogram of OpenTelemetry's SDK become z0's, compression ${compression}`, async () => {
    const tenant = `otel-${compression}`;
    const exporter = new OTLPMetricExporter({
      url: new URL("/v1/metrics", z0.url).href,
      headers: { authorization: `Bearer ${token(tenant)}` },
      compression: /** @type {any} */ (compression),
      temporalityPreference: /** @type {any} */ (AggregationTemporality.DELTA),
    });
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
    const provider = new MeterProvider({ readers: [reader] });
    const meter = provider.getMeter("test");
    meter.createCounter("z0_cache_hits_total").add(3, { cache_type: "budget" });
    meter.createHistogram("z0_cache_read_duration_ms").record(12, { cache_type: "budget" });
    await provider.forceFlush();
    await eventually("both", async () => {
      const hits = await sumOf("z0_cache_hits_total", tenant);
      return hits >= 3 && (await sumOf("z0_cache_read_duration_ms", tenant)) >= 1;
    });
    assert.equal(await sumOf("z0_cache_hits_total", tenant), 3);
    await provider.shutdown();
  });
}

test("A span of OpenTelemetry's SDK is found by its trace", async () => {
  const exporter = new OTLPTraceExporter({
    url: new URL("/v1/traces", z0.url).href,
    headers: { authorization: `Bearer ${token("north")}` },
    compression: /** @type {any} */ ("gzip"),
  });
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const span = provider.getTracer("test").startSpan("pay", { attributes: { "z0.money": "moved" } });
  span.end();
  await provider.forceFlush();
  const { traceId, spanId } = span.spanContext();
  const body = await eventually("the trace", async () => {
    const answer = await z0.fetch(`/v1/traces/${traceId}`, { token: token("north") });
    return answer.status === 200 && answer.body;
  });
  assert.ok(JSON.stringify(body).includes(spanId));
  await provider.shutdown();
});
