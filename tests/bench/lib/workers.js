// Starts Workers in workerd through the Miniflare that comes with wrangler: each in a process of
// its own, so that its CPU time is its own, on a direct socket, since the entry socket costs a hop.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { childrenNamed } from "./proc.js";
import { SECRET } from "./token.js";

export const BENCH = fileURLToPath(new URL("..", import.meta.url).href);
export const ROOT = fileURLToPath(new URL("../../..", import.meta.url).href);
const fromWrangler = createRequire(
  createRequire(join(ROOT, "package.json")).resolve("wrangler/package.json"),
);
const { Miniflare, Log, LogLevel } = /** @type {any} */ (fromWrangler("miniflare"));
const esbuild = /** @type {any} */ (fromWrangler("esbuild"));
export const WORKERD_VERSION = /** @type {string} */ (fromWrangler("workerd/package.json").version);

const SHIM = "bindings/worker";
const COMPATIBILITY_DATE = "2026-11-01";

/** @typedef {{type: "esm" | "wasm", contents: string | Uint8Array}} Module */
/**
 * @typedef {{url: string, port: number, pid: number, mf: any, dispose: () => Promise<void>,
 *   urlOf: (worker: string) => Promise<string>}} Running
 */
/**
 * @typedef {object} Spec
 * @property {string} name
 * @property {Record<string, Module>} modules
 * @property {string} main
 * @property {string[]} [objects] names of Durable Object classes
 * @property {Record<string, unknown>} [env]
 * @property {unknown[]} [triggers]
 * @property {string[]} [flags] of compatibility
 * @property {string[]} [tailConsumers] names of Workers beside it
 * @property {string[]} [streamingTailConsumers] those that are brought each span of the platform's
 * @property {Spec[]} [beside] further Workers in the same process
 */

/** @param {string} file of this directory @param {string[]} external */
async function bundle(file, external) {
  const result = await esbuild.build({
    entryPoints: [join(BENCH, file)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    legalComments: "none",
    logLevel: "error",
    external: ["cloudflare:*", "node:*", ...external],
  });
  return /** @type {string} */ (result.outputFiles[0].text);
}

/**
 * A Worker of this directory.
 * @param {string} name
 * @param {string} file
 * @param {Partial<Spec>} more
 * @returns {Promise<Spec>}
 */
export async function peer(name, file, more = {}) {
  return {
    name,
    main: "main.js",
    modules: { "main.js": { type: "esm", contents: await bundle(file, []) } },
    ...more,
  };
}

/** The loops of lib/loops.js with this core. @param {string} wasmFile @returns {Promise<Spec>} */
export async function coreLoop(wasmFile) {
  return {
    name: "core-loop",
    main: "main.js",
    flags: ["nodejs_compat"],
    modules: {
      "main.js": { type: "esm", contents: await bundle("workers/core_loop.js", ["z0.wasm"]) },
      "z0.wasm": { type: "wasm", contents: readFileSync(wasmFile) },
    },
  };
}

/** What a benchmark puts in the place of modules of the shim, so that z0 says nothing of how it ran. */
const SILENT = { "spans.js": "workers/no_spans.js", "points.js": "workers/no_points.js" };

/**
 * A Worker of this directory before modules of z0 by their paths, unbundled as they are deployed.
 * @param {string} main @param {string} entry the module of z0 that it imports @param {string} wasmFile
 * @param {Record<string, string>} instead files of this directory, by the module that they replace
 */
async function shim(main, entry, wasmFile, instead = {}) {
  const text = (/** @type {string} */ path) => readFileSync(path, "utf8");
  /** @type {Record<string, Module>} */
  const modules = {
    "bench.js": { type: "esm", contents: await bundle(main, [`./${entry}`]) },
    [entry]: { type: "esm", contents: text(join(ROOT, entry)) },
    [`${SHIM}/z0.wasm`]: { type: "wasm", contents: readFileSync(wasmFile) },
  };
  for (const file of readdirSync(join(ROOT, SHIM))) {
    const other = instead[file];
    const contents = () => text(other ? join(BENCH, other) : join(ROOT, SHIM, file));
    if (file.endsWith(".js")) modules[`${SHIM}/${file}`] = { type: "esm", contents: contents() };
  }
  return { main: "bench.js", modules };
}

/** @param {string} worker @param {string} exportName */
const object = (worker, exportName) => ({ type: "durable-object", worker, exportName });

/**
 * @typedef {object} Options
 * @property {boolean | "drops"} consumer whether the queue is worked off into D1, or its messages are dropped
 * @property {boolean} meter
 * @property {boolean} [silent] z0 without spans, points and metrics
 * @property {boolean | "idle"} [tail] the Tail Worker and its objects beside it, or one that does nothing
 * @property {string} [settings] Z0_SETTINGS
 */

/**
 * z0 itself, unbundled as it is deployed, behind workers/z0.js, which adds the routes that a
 * benchmark needs. @param {string} wasmFile
 * @param {Options} options @returns {Promise<Spec>}
 */
export async function z0Worker(wasmFile, { consumer, meter, silent = false, tail = false, settings = "" }) {
  const queue = (/** @type {object} */ more) => ({ type: "queue", maxBatchSize: 10, ...more });
  return {
    name: "z0",
    ...(await shim("workers/z0.js", `${SHIM}/index.js`, wasmFile, silent ? SILENT : {})),
    objects: ["Ledger", "Monitor", "Directory", "Noop"],
    env: {
      LEDGER: object("z0", "Ledger"),
      MONITOR: object("z0", "Monitor"),
      DIRECTORY: object("z0", "Directory"),
      NOOP: object("z0", "Noop"),
      ...(tail === true ? { TRACES: object("z0-tail", "TraceStore") } : {}),
      FACTS_QUEUE: { type: "queue", name: "z0-facts" },
      DB: { type: "d1", id: "z0" },
      ...(silent ? {} : { METRICS: { type: "analytics-engine-dataset", name: "z0" } }),
      Z0_TOKEN_SECRET: { type: "text", value: SECRET },
      ...(consumer === "drops" ? { BENCH_DROPS: { type: "text", value: "1" } } : {}),
      ...(settings ? { Z0_SETTINGS: { type: "text", value: settings } } : {}),
      ...(meter ? { BENCH_METER: { type: "text", value: "1" } } : {}),
    },
    triggers: consumer
      ? [
          queue({
            name: "z0-facts",
            maxBatchTimeout: 0,
            maxRetries: 20,
            deadLetterQueue: "z0-facts-dead",
          }),
          queue({ name: "z0-facts-dead", maxBatchTimeout: 1 }),
        ]
      : [],
    ...(tail ? { tailConsumers: ["z0-tail"] } : {}),
    ...(tail && meter ? { streamingTailConsumers: ["z0-tail"] } : {}),
    beside: tail === "idle" ? [IDLE_TAIL] : tail ? [await tailWorker(wasmFile, meter)] : [],
  };
}

/** Takes what the platform brings, and nothing of it. @type {Spec} */
const IDLE_TAIL = {
  name: "z0-tail",
  main: "tail.js",
  modules: { "tail.js": { type: "esm", contents: "export default { tail() {} };" } },
};

/** The Tail Worker behind workers/tail.js. @param {string} wasmFile @param {boolean} meter @returns {Promise<Spec>} */
async function tailWorker(wasmFile, meter) {
  const { main, modules } = await shim("workers/tail.js", "bindings/tail/index.js", wasmFile);
  return {
    name: "z0-tail",
    main,
    modules,
    objects: ["TraceStore"],
    env: {
      TRACES: object("z0-tail", "TraceStore"),
      ...(meter ? { BENCH_METER: { type: "text", value: "1" } } : {}),
    },
  };
}

/** Writes D1's tables. @param {Running} running */
export async function migrate(running) {
  const database = await running.mf.getD1Database("DB", "z0");
  const directory = join(ROOT, "bindings/d1/migrations");
  for (const file of readdirSync(directory).sort()) {
    const sql = readFileSync(join(directory, file), "utf8").replace(/^\s*--.*$/gm, "");
    for (const statement of sql.split(/;\s*(?:\n|$)/)) {
      if (statement.trim()) await database.prepare(statement).run();
    }
  }
}

/** @param {Spec} spec as Miniflare takes it */
function workerOptions(spec) {
  const objects = (spec.objects ?? []).map((name) => [
    name,
    { type: "durable-object", storage: "sqlite" },
  ]);
  return {
    config: {
      name: spec.name,
      compatibilityDate: COMPATIBILITY_DATE,
      compatibilityFlags: spec.flags ?? [],
      manifest: { mainModule: spec.main, modulesRoot: BENCH, modules: spec.modules },
      exports: Object.fromEntries(objects),
      env: spec.env ?? {},
      triggers: spec.triggers ?? [],
      tailConsumers: (spec.tailConsumers ?? []).map((worker) => ({ worker })),
      experimental: {
        streamingTailConsumers: (spec.streamingTailConsumers ?? []).map((worker) => ({ worker })),
      },
    },
    dev: { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] },
  };
}

/** @param {Spec} spec @returns {Promise<Running>} */
export async function start(spec) {
  const before = new Set(childrenNamed("workerd"));
  const mf = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    enableDevRegistry: false,
    logRequests: false,
    log: new Log(LogLevel.ERROR),
    // Lines of spans are read by the Tail Worker alone.
    handleStructuredLogs: (/** @type {{level: string, message: string}} */ line) => {
      if (line.level === "error") console.error(line.message);
    },
    workers: [spec, ...(spec.beside ?? [])].map(workerOptions),
  });
  await mf.ready;
  const url = /** @type {URL} */ (await mf.unsafeGetDirectURL(spec.name));
  const pid = childrenNamed("workerd").find((p) => !before.has(p));
  if (pid === undefined) throw new Error("workerd did not start");
  const urlOf = async (/** @type {string} */ worker) => String(await mf.unsafeGetDirectURL(worker));
  return { url: url.origin, port: Number(url.port), pid, mf, urlOf, dispose: () => mf.dispose() };
}
