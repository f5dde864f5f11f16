// @ts-nocheck: the types of these packages are only there once the benchmarks installed them.
// Histograms of others: hdr-histogram-js with one digit (as coarse as z0) and two, and DataDog's sketches.
import { DDSketch } from "@datadog/sketches-js";
import * as hdr from "hdr-histogram-js";

/**
 * @typedef {object} Sketch
 * @property {() => any} make
 * @property {(histogram: any, value: number) => void} insert
 * @property {(into: any, histogram: any) => void} merge
 * @property {(histogram: any, q: number) => number} quantile
 */

await hdr.initWebAssembly();

/** @type {Record<string, Sketch>} */
export const SKETCHES = {};
for (const [name, digits, useWebAssembly] of [
  ["hdr1", 1, false],
  ["hdr2", 2, false],
  ["hdr2_wasm", 2, true],
]) {
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
