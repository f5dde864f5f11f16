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

const SHIM = join(ROOT, "bindings/worker");
const COMPATIBILITY_DATE = "2026-11-01";

/** @typedef {{type: "esm" | "wasm", contents: string | Uint8Array}} Module */
/**
 * @typedef {{url: string, port: number, pid: number, mf: any, dispose: () => Promise<void>}} Running
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

/**
 * z0 itself, unbundled as it is deployed, behind workers/z0.js, which adds the routes that a
 * benchmark needs. @param {string} wasmFile
 * @param {{consumer: boolean, meter: boolean}} options @returns {Promise<Spec>}
 */
export async function z0Worker(wasmFile, { consumer, meter }) {
  /** @type {Record<string, Module>} */
  const modules = {
    "bench.js": { type: "esm", contents: await bundle("workers/z0.js", ["./index.js"]) },
  };
  for (const file of readdirSync(SHIM)) {
    if (file.endsWith(".js"))
      modules[file] = { type: "esm", contents: readFileSync(join(SHIM, file), "utf8") };
  }
  modules["z0.wasm"] = { type: "wasm", contents: readFileSync(wasmFile) };
  const queue = (/** @type {object} */ more) => ({ type: "queue", maxBatchSize: 10, ...more });
  return {
    name: "z0",
    main: "bench.js",
    modules,
    objects: ["Ledger", "Monitor", "Directory", "Noop"],
    env: {
      LEDGER: { type: "durable-object", worker: "z0", exportName: "Ledger" },
      MONITOR: { type: "durable-object", worker: "z0", exportName: "Monitor" },
      DIRECTORY: { type: "durable-object", worker: "z0", exportName: "Directory" },
      NOOP: { type: "durable-object", worker: "z0", exportName: "Noop" },
      FACTS_QUEUE: { type: "queue", name: "z0-facts" },
      DB: { type: "d1", id: "z0" },
      METRICS: { type: "analytics-engine-dataset", name: "z0" },
      Z0_TOKEN_SECRET: { type: "text", value: SECRET },
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

/** @param {Spec} spec @returns {Promise<Running>} */
export async function start(spec) {
  const before = new Set(childrenNamed("workerd"));
  const objects = (spec.objects ?? []).map((name) => [
    name,
    { type: "durable-object", storage: "sqlite" },
  ]);
  const mf = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    enableDevRegistry: false,
    logRequests: false,
    log: new Log(LogLevel.ERROR),
    workers: [
      {
        config: {
          name: spec.name,
          compatibilityDate: COMPATIBILITY_DATE,
          compatibilityFlags: spec.flags ?? [],
          manifest: { mainModule: spec.main, modulesRoot: BENCH, modules: spec.modules },
          exports: Object.fromEntries(objects),
          env: spec.env ?? {},
          triggers: spec.triggers ?? [],
        },
        dev: { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] },
      },
    ],
  });
  await mf.ready;
  const url = /** @type {URL} */ (await mf.unsafeGetDirectURL(spec.name));
  const pid = childrenNamed("workerd").find((p) => !before.has(p));
  if (pid === undefined) throw new Error("workerd did not start");
  return { url: url.origin, port: Number(url.port), pid, mf, dispose: () => mf.dispose() };
}
