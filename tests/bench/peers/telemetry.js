// @ts-nocheck: the types of these packages are only there once the benchmarks installed them.
// A span and a point in OpenTelemetry and prom-client: each function makes a loop that takes n of them.
import { ROOT_CONTEXT, SpanKind } from "@opentelemetry/api";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { Counter, Histogram, Registry } from "prom-client";

// As z0's loops have them: what differs between points is the asset.
const VARIANTS = 64;
const ASSETS = Array.from({ length: VARIANTS }, (_, i) => `ast_bench_${i}`);
// What OpenTelemetry's batching processor exports at once.
const BATCH_SPANS = 512;
const TENANT = "tenant_acme";

// -- OpenTelemetry -----------------------------------------------------------------------------------

/** Collects what ended and writes it as the OTLP exporter would, for nobody. */
class WritingProcessor {
  /** @type {any[]} */
  ended = [];
  bytes = 0;
  onStart() {}
  /** @param {any} span */
  onEnd(span) {
    if (this.ended.push(span) < BATCH_SPANS) return;
    this.bytes += JsonTraceSerializer.serializeRequest(this.ended)?.length ?? 0;
    this.ended = [];
  }
  async forceFlush() {}
  async shutdown() {}
}

export function otelSpans() {
  const provider = new BasicTracerProvider({ spanProcessors: [new WritingProcessor()] });
  const tracer = provider.getTracer("bench");
  return (n) => {
    for (let i = 0; i < n; i++) {
      const span = tracer.startSpan("z0.worker.facts.record", { kind: SpanKind.SERVER }, ROOT_CONTEXT);
      span.setAttribute("tenant.id", TENANT);
      span.setAttribute("money", "moved");
      span.setAttribute("http.request.method", "POST");
      span.setAttribute("http.route", "/v1/facts");
      span.setAttribute("http.response.status_code", 200);
      span.setAttribute("z0.facts", 100);
      span.end();
    }
  };
}

class DroppingReader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}
const meter = () => new MeterProvider({ readers: [new DroppingReader()] }).getMeter("bench");

/** @param {number} i */
const factLabels = (i) => ({
  tenant_id: TENANT,
  fact_type: "invocation",
  subtype: "inbound_call",
  asset_id: ASSETS[i % VARIANTS],
});
const callLabels = () => ({ tenant_id: TENANT, tool_id: "tool_openai", operation: "completion", error_code: "" });

export function otelCounts() {
  const counter = meter().createCounter("z0_facts_written_total");
  return (n) => {
    for (let i = 0; i < n; i++) counter.add(1, factLabels(i));
  };
}

export function otelObservations() {
  const histogram = meter().createHistogram("z0_external_call_duration_ms", { unit: "ms" });
  return (n) => {
    for (let i = 0; i < n; i++) histogram.record((i * 7) % 1_000, callLabels());
  };
}

// -- prom-client -------------------------------------------------------------------------------------

export function promCounts() {
  const labelNames = Object.keys(factLabels(0));
  const counter = new Counter({ name: "z0_facts_written_total", help: "Facts", labelNames, registers: [new Registry()] });
  return (n) => {
    for (let i = 0; i < n; i++) counter.inc(factLabels(i), 1);
  };
}

export function promObservations() {
  const labelNames = Object.keys(callLabels());
  const options = { name: "z0_external_call_duration_ms", help: "Calls", labelNames, registers: [new Registry()] };
  const histogram = new Histogram({ ...options, buckets: [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500] });
  return (n) => {
    for (let i = 0; i < n; i++) histogram.observe(callLabels(), (i * 7) % 1_000);
  };
}
