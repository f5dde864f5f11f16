// The benchmarks' entry: scripts/bench installs and builds what is needed, then runs this.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alerts } from "./benches/alerts.js";
import { core } from "./benches/core.js";
import { execution } from "./benches/execution.js";
import { growth } from "./benches/growth.js";
import { metrics } from "./benches/metrics.js";
import { monitor } from "./benches/monitor.js";
import { size } from "./benches/size.js";
import { storage } from "./benches/storage.js";
import { traces } from "./benches/traces.js";
import { worker } from "./benches/worker.js";
import { describeMachine } from "./lib/proc.js";
import { markdown, writeBetweenMarkers } from "./lib/report.js";
import { progress } from "./lib/rounds.js";
import { BENCH, ROOT, WORKERD_VERSION } from "./lib/workers.js";

/**
 * @typedef {{quick: boolean, wasm: string, json: string | null, write: boolean, names: string[]}} Options
 */

/** @typedef {import("./lib/report.js").Section} Section */

/** @type {Record<string, (options: Options) => Promise<Section[]>>} */
const BENCHES = { size, core, worker, storage, growth, traces, metrics, execution, monitor, alerts };

/** @param {string[]} args @returns {Options} */
function parse(args) {
  /** @type {Options} */
  const options = {
    quick: false,
    wasm: join(ROOT, "bindings/worker/z0.wasm"),
    json: null,
    write: false,
    names: [],
  };
  for (let i = 0; i < args.length; i++) {
    const arg = /** @type {string} */ (args[i]);
    const value = () => args[++i] ?? fail(`${arg} wants a value`);
    if (arg === "--quick") options.quick = true;
    else if (arg === "--write") options.write = true;
    else if (arg === "--json") options.json = value();
    else if (arg === "--wasm") options.wasm = value();
    else if (arg === "all") options.names.push(...Object.keys(BENCHES));
    else if (arg in BENCHES) options.names.push(arg);
    else fail(`'${arg}' is none of ${Object.keys(BENCHES).join(", ")}, all (see --help)`);
  }
  if (!options.names.length) options.names.push(...Object.keys(BENCHES));
  if (!existsSync(options.wasm)) fail(`${options.wasm} is not there`);
  return options;
}

/** @param {string} text @returns {never} */
function fail(text) {
  console.error(text);
  throw process.exit(2);
}

const options = parse(process.argv.slice(2));
const machine = {
  ...describeMachine(WORKERD_VERSION),
  quick: options.quick ? ", a quick run" : "",
};
/** @type {import("./lib/report.js").Section[]} */
const sections = [];
for (const name of new Set(options.names)) {
  progress(name);
  sections.push(...(await /** @type {any} */ (BENCHES[name])(options)));
}
const text = markdown(machine, sections);
console.log(text);
if (options.json)
  writeFileSync(options.json, `${JSON.stringify({ machine, sections }, null, 1)}\n`);
if (options.write) writeBetweenMarkers(join(BENCH, "README.md"), text);
const missed = sections.flatMap((s) => s.rows.flatMap((r) => (r.gates ?? []).filter((g) => !g.ok)));
progress(missed.length ? `${missed.length} gates missed` : "every gate that was measured is met");
process.exit(0);
