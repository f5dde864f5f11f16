// The loops of the benchmark `metrics`: a span, a point, a value in a histogram, n times over, in z0's core,
// in z0's core with its host, and in what others use.
import { DDSketch } from "@datadog/sketches-js";
import { ROOT_CONTEXT, SpanKind } from "@opentelemetry/api";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import * as hdr from "hdr-histogram-js";
import { Counter, Histogram, Registry } from "prom-client";
import { Reader, collect, decodeEffects, writeSpans } from "./shim_in_node.js";

/** @typedef {{values: number[], merges: number}} Work values of histograms; how many are merged into one */
/** @typedef {(work: Work, wasm: WebAssembly.Module) => (n: number) => unknown} Make */

// As the module has them: what differs between points is the asset.
const VARIANTS = 64;
const ASSETS = Array.from({ length: VARIANTS }, (_, i) => `ast_bench_${i}`);
// What OpenTelemetry's batching processor exports at once.
const BATCH_SPANS = 512;
const TENANT = "tenant_acme";

/** @param {WebAssembly.Module} module @returns {any} */
function loadLoops(module) {
  /** @type {Record<string, Record<string, () => number>>} */
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => 0;
  const exports = /** @type {any} */ (new WebAssembly.Instance(module, imports).exports);
  exports._initialize?.();
  return exports;
}

// -- z0 --------------------------------------------------------------------------------------------

/** Nobody listens: Analytics Engine and the monitor take what they are given. */
const host = {
  target: 3,
  incarnation: new Uint32Array(2),
  ctx: { waitUntil() {} },
  env: { METRICS: { writeDataPoint() {} }, MONITOR: { getByName: () => ({ tell: async () => true }) } },
};

/** @param {string} name of an export that takes n steps @returns {Make} */
const inCore = (name) => (_, wasm) => {
  const loops = loadLoops(wasm);
  return (n) => loops[name](n);
};

/**
 * The effects of each step as the Worker reads them.
 * @param {string} name of an export that takes one step @param {(effect: any) => void} take @returns {Make}
 */
const withHost = (name, take) => (_, wasm) => {
  const loops = loadLoops(wasm);
  return (n) => {
    for (let i = 0; i < n; i++) {
      const size = loops[name](i);
      const bytes = new Uint8Array(loops.memory.buffer, loops.bench_effects() >>> 0, size);
      for (const effect of decodeEffects(new Reader(bytes))) take(effect);
    }
  };
};

/** A line an invocation, which nobody prints. @param {{text: string}} effect */
function takeSpan({ text }) {
  const print = console.log;
  console.log = () => {};
  writeSpans([text]);
  console.log = print;
}

/** @param {any} effect */
const takePoint = (effect) => collect(host, effect);

/** @param {(loops: any, n: number) => void} work @returns {Make} */
const ofHistograms = (work) => ({ values, merges }, wasm) => {
  const loops = loadLoops(wasm);
  const at = loops.bench_values(values.length) >>> 0;
  new Int32Array(loops.memory.buffer, at, values.length).set(values);
  for (let i = 1; i <= merges; i++) loops.bench_insert(i, values.length);
  return (n) => work(loops, n);
};

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

/** @type {Make} */
function otelSpans() {
  const provider = new BasicTracerProvider({ spanProcessors: [/** @type {any} */ (new WritingProcessor())] });
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
  asset_id: /** @type {string} */ (ASSETS[i % VARIANTS]),
});
const callLabels = () => ({ tenant_id: TENANT, tool_id: "tool_openai", operation: "completion", error_code: "" });

/** @type {Make} */
function otelCounts() {
  const counter = meter().createCounter("z0_facts_written_total");
  return (n) => {
    for (let i = 0; i < n; i++) counter.add(1, factLabels(i));
  };
}

/** @type {Make} */
function otelObservations() {
  const histogram = meter().createHistogram("z0_external_call_duration_ms", { unit: "ms" });
  return (n) => {
    for (let i = 0; i < n; i++) histogram.record((i * 7) % 1_000, callLabels());
  };
}

// -- prom-client -------------------------------------------------------------------------------------

/** @type {Make} */
function promCounts() {
  const labelNames = Object.keys(factLabels(0));
  const counter = new Counter({ name: "z0_facts_written_total", help: "Facts", labelNames, registers: [new Registry()] });
  return (n) => {
    for (let i = 0; i < n; i++) counter.inc(factLabels(i), 1);
  };
}

/** @type {Make} */
function promObservations() {
  const labelNames = Object.keys(callLabels());
  const options = { name: "z0_external_call_duration_ms", help: "Calls", labelNames, registers: [new Registry()] };
  const histogram = new Histogram({ ...options, buckets: [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500] });
  return (n) => {
    for (let i = 0; i < n; i++) histogram.observe(callLabels(), (i * 7) % 1_000);
  };
}

// -- histograms of others ----------------------------------------------------------------------------

await hdr.initWebAssembly();

/** @type {Record<string, {make: () => any, insert: (h: any, v: number) => void, merge: (into: any, h: any) => void, quantile: (h: any, q: number) => number}>} */
export const SKETCHES = {};
for (const [name, digits, useWebAssembly] of /** @type {[string, 1 | 2, boolean][]} */ ([
  ["hdr1", 1, false],
  ["hdr2", 2, false],
  ["hdr2_wasm", 2, true],
])) {
  SKETCHES[name] = {
    make: () => hdr.build({ numberOfSignificantValueDigits: digits, useWebAssembly, bitBucketSize: 64 }),
    insert: (h, v) => h.recordValue(v),
    merge: (into, h) => into.add(h),
    quantile: (h, q) => h.getValueAtPercentile(q * 100),
  };
}
SKETCHES["ddsketch"] = {
  make: () => new DDSketch({ relativeAccuracy: 0.01 }),
  insert: (h, v) => h.accept(v),
  merge: (into, h) => into.merge(h),
  quantile: (h, q) => h.getValueAtQuantile(q),
};

/** @param {string} name @returns {Make} */
const insertInto = (name) => ({ values }) => {
  const { make, insert } = /** @type {NonNullable<typeof SKETCHES[string]>} */ (SKETCHES[name]);
  const histogram = make();
  return (n) => {
    for (let i = 0; i < n; i++) insert(histogram, /** @type {number} */ (values[i % values.length]));
  };
};

/** @param {string} name @returns {Make} */
const mergeOf = (name) => ({ values, merges }) => {
  const { make, insert, merge } = /** @type {NonNullable<typeof SKETCHES[string]>} */ (SKETCHES[name]);
  const parts = Array.from({ length: merges }, () => {
    const histogram = make();
    for (const value of values) insert(histogram, value);
    return histogram;
  });
  const all = make();
  return (n) => {
    for (let i = 0; i < n; i++) merge(all, parts[i % merges]);
  };
};

/** @type {Record<string, Make>} */
export const LOOPS = {
  span_z0: inCore("bench_spans"),
  span_host: withHost("bench_span", takeSpan),
  span_otel: otelSpans,
  count_z0: inCore("bench_counts"),
  count_host: withHost("bench_count", takePoint),
  count_otel: otelCounts,
  count_prom: promCounts,
  observe_z0: inCore("bench_observations"),
  observe_host: withHost("bench_observation", takePoint),
  observe_otel: otelObservations,
  observe_prom: promObservations,
  insert_z0: (work, wasm) =>
    ofHistograms((loops, n) => {
      const size = work.values.length;
      for (; n >= size; n -= size) loops.bench_insert(0, size);
      loops.bench_insert(0, n);
    })(work, wasm),
  merge_z0: (work, wasm) =>
    ofHistograms((loops, n) => {
      for (let i = 0; i < n; i++) loops.bench_merge(0, 1 + (i % work.merges));
    })(work, wasm),
};
for (const name of Object.keys(SKETCHES)) {
  LOOPS[`insert_${name}`] = insertInto(name);
  LOOPS[`merge_${name}`] = mergeOf(name);
}

/**
 * What z0's histogram says of these values. @param {number[]} values @param {number[]} quantiles
 * @param {WebAssembly.Module} wasm
 */
export function quantilesOfZ0(values, quantiles, wasm) {
  const loops = loadLoops(wasm);
  const at = loops.bench_values(values.length) >>> 0;
  new Int32Array(loops.memory.buffer, at, values.length).set(values);
  loops.bench_insert(0, values.length);
  return quantiles.map((q) => loops.bench_quantile(0, Math.round(q * 1e6)));
}
