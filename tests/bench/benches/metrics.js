// What a span and a point cost, and a histogram, in Node: z0's core as WASM, and with its host, beside
// OpenTelemetry, prom-client, hdr-histogram-js and DataDog's sketches.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compileCore } from "../lib/abi.js";
import { Child } from "../lib/children.js";
import { random } from "../lib/facts.js";
import { quantilesOfZ0 } from "../lib/metric_loops.js";
import { exact, gate, round } from "../lib/report.js";
import { calibrate, interleave, progress } from "../lib/rounds.js";
import { ROOT } from "../lib/workers.js";
import { SKETCHES } from "../peers/sketches.js";

/** @typedef {import("../lib/report.js").Row} Row */

const MODULE = join(ROOT, "build/wasm/z0_bench_loops.wasm");
const QUANTILES = [0.5, 0.99, 0.999];
// Of z0's buckets.
const ERROR_MAX = 1 / 20;
const SAMPLE_MS = 300;

/** What is measured, and by whom: the loops' names. @type {[string, string, Record<string, string>][]} */
const EVENTS = [
  [
    "a span, to its JSON",
    "µs CPU a span",
    { "z0's core": "span_z0", "z0's core and host": "span_host", OpenTelemetry: "span_otel" },
  ],
  [
    "a point of a counter",
    "µs CPU a point",
    {
      "z0's core": "count_z0",
      "z0's core and host": "count_host",
      OpenTelemetry: "count_otel",
      "prom-client": "count_prom",
    },
  ],
  [
    "a point of a histogram",
    "µs CPU a point",
    {
      "z0's core": "observe_z0",
      "z0's core and host": "observe_host",
      OpenTelemetry: "observe_otel",
      "prom-client": "observe_prom",
    },
  ],
];
const HISTOGRAMS = {
  z0: "z0",
  hdr1: "hdr, 1 digit",
  hdr2: "hdr, 2 digits",
  hdr2_wasm: "hdr, 2 digits, WASM",
  ddsketch: "DDSketch, 1 %",
};
const ofHistograms = (/** @type {string} */ what) =>
  Object.fromEntries(Object.entries(HISTOGRAMS).map(([name, title]) => [title, `${what}_${name}`]));

/** Whole ms, as a Worker's clock has them. @type {Record<string, (next: () => number) => number>} */
const SHAPES = {
  lognormal: (next) => 80 * Math.exp(normal(next)),
  bimodal: (next) => (next() < 0.95 ? 12 + 3 * normal(next) : 900 + 150 * normal(next)),
  "heavy tail": (next) => 5 * (1 - next()) ** (-1 / 1.1),
};

/** Box and Muller. @param {() => number} next */
function normal(next) {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** @param {string} shape @param {number} count */
function valuesOf(shape, count) {
  const next = random(7);
  const draw = /** @type {(next: () => number) => number} */ (SHAPES[shape]);
  return Array.from({ length: count }, () => Math.min(Math.max(Math.round(draw(next)), 1), 2 ** 31 - 1));
}

/**
 * The loops by turns, each in a process of its own.
 * @param {string} name @param {string} unit @param {Record<string, string>} loops
 * @param {import("../lib/metric_loops.js").Work} work @param {boolean} quick @returns {Promise<Row>}
 */
async function timed(name, unit, loops, work, quick) {
  progress(name);
  /** @type {Child[]} */
  const children = [];
  /** @type {Record<string, () => Promise<{us: number}>>} */
  const contenders = {};
  for (const [title, what] of Object.entries(loops)) {
    const child = new Child("loop_child.js", [MODULE, "./metric_loops.js"]);
    children.push(child);
    const spend = async (/** @type {number} */ n) => (await child.ask({ what, key: what, work, n })).cpuUs / 1000;
    const n = await calibrate(spend, quick ? SAMPLE_MS / 3 : SAMPLE_MS);
    contenders[title] = async () => ({ us: (Math.max(0, (await spend(n)) - (await spend(0))) * 1000) / n });
  }
  const figures = await interleave(contenders, quick ? 3 : 7);
  children.forEach((child) => child.stop());
  return { name, unit, cells: Object.fromEntries(Object.entries(figures).map(([title, f]) => [title, f.us])) };
}

/** How far off a quantile is, beside the value of that rank. @param {number} count @returns {Row[]} */
function errors(count) {
  const wasm = compileCore(readFileSync(MODULE));
  return Object.keys(SHAPES).flatMap((shape) => {
    const values = valuesOf(shape, count);
    const sorted = Float64Array.from(values).sort();
    /** @type {Record<string, number[]>} */
    const told = { z0: quantilesOfZ0(values, QUANTILES, wasm) };
    for (const [name, { make, insert, quantile }] of Object.entries(SKETCHES)) {
      const histogram = make();
      for (const value of values) insert(histogram, value);
      told[name] = QUANTILES.map((q) => quantile(histogram, q));
    }
    return QUANTILES.map((q, i) => {
      const right = /** @type {number} */ (sorted[Math.max(Math.ceil(q * count), 1) - 1]);
      const off = (/** @type {string} */ name) => ((/** @type {any} */ (told[name])[i] - right) / right) * 100;
      const z0 = off("z0");
      const within = z0 >= 0 && z0 < ERROR_MAX * 100;
      return {
        name: `error at p${q * 100}, ${shape} (${round(right)} ms)`,
        unit: "%",
        cells: Object.fromEntries(Object.entries(HISTOGRAMS).map(([name, title]) => [title, exact(off(name))])),
        gates: [gate(`0 to ${round(ERROR_MAX * 100)} % (${round(z0)})`, within)],
      };
    });
  });
}

/**
 * @param {import("../run.js").Options} options
 * @returns {Promise<import("../lib/report.js").Section[]>}
 */
export async function metrics({ quick }) {
  if (!existsSync(MODULE)) throw new Error(`${MODULE} is not there: run scripts/bench without --wasm`);
  const work = { values: valuesOf("lognormal", 10_000), merges: 100 };
  /** @type {Row[]} */
  const events = [];
  for (const [name, unit, loops] of EVENTS) events.push(await timed(name, unit, loops, work, quick));
  const histograms = [
    await timed("a value into a histogram", "µs CPU a value", ofHistograms("insert"), work, quick),
    await timed("a histogram of 10,000 values into another one", "µs CPU", ofHistograms("merge"), work, quick),
    ...errors(quick ? 20_000 : 200_000),
  ];
  return [
    {
      title: "A span and a point",
      rows: events,
      notes: [
        "In Node, all contenders in processes of their own; an empty call taken off. z0's core is WASM: it " +
          "checks name and labels and writes the effect. Its host is the Worker's own shim: it reads the " +
          "effect, and merges the point or writes the log line, which nobody prints here. OpenTelemetry's span " +
          "is started, given six attributes, ended, and written as OTLP JSON 512 at a time, as its exporter " +
          "does; its points and prom-client's are added to what is collected later. Sending is in none of them.",
      ],
    },
    {
      title: "Histograms",
      rows: histograms,
      notes: [
        "z0 in WASM, called once for 10,000 values and once a merge; the others in JavaScript (hdr-histogram-js " +
          "in WASM as well), called as their users do. Errors: what is told for a quantile beside the value " +
          "of that rank, of the same whole ms. z0 promises the bound of a bucket, never below and less than a " +
          "twentieth above.",
      ],
    },
  ];
}
