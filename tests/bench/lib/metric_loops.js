// The loops of the benchmark `metrics`: a span, a point, a value in a histogram, n times over, in z0's core,
// in z0's core with its host, and in what others use.
import { SKETCHES } from "../peers/sketches.js";
import { otelCounts, otelObservations, otelSpans, promCounts, promObservations } from "../peers/telemetry.js";
import { Reader, collect, decodeEffects, writeSpans } from "./shim_in_node.js";

/** @typedef {{values: number[], merges: number}} Work values of histograms; how many are merged into one */
/** @typedef {import("../peers/sketches.js").Sketch} Sketch */
/** @typedef {(work: Work, wasm: WebAssembly.Module) => (n: number) => unknown} Make */

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

// -- histograms of others ----------------------------------------------------------------------------

/** @param {string} name @returns {Make} */
const insertInto = (name) => ({ values }) => {
  const { make, insert } = /** @type {Sketch} */ (SKETCHES[name]);
  const histogram = make();
  return (n) => {
    for (let i = 0; i < n; i++) insert(histogram, /** @type {number} */ (values[i % values.length]));
  };
};

/** @param {string} name @returns {Make} */
const mergeOf = (name) => ({ values, merges }) => {
  const { make, insert, merge } = /** @type {Sketch} */ (SKETCHES[name]);
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
