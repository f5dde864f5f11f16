// A running z0 for tests: the real modules in workerd, with real Durable Objects, queues and D1, on a
// free port, in a temporary directory. Each test file starts its own and disposes of it.

import { createHmac } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// The copy that wrangler brings: it fits the runtime that is installed beside it.
const require = createRequire(createRequire(import.meta.url).resolve("wrangler"));
/** @type {typeof import("miniflare")} */
const { Miniflare, Log, LogLevel } = require("miniflare");

const ROOT = join(import.meta.dirname, "..", "..", "..");
const WORKER = join(ROOT, "bindings", "worker");
const MIGRATIONS = join(ROOT, "bindings", "d1", "migrations");
// Z0_WASM names another build of the core, to test it before it takes its place.
const CORE = process.env.Z0_WASM ?? join(WORKER, "z0.wasm");
// What Z0_SETTINGS may name, in a test that gives it among the variables.
const DATABASES = ["DB", "DB_2"];
export const SECRET = "a secret that only tests know";

/**
 * @typedef {object} Line what a Worker or an object logged
 * @property {string} level
 * @property {string} message
 */

/**
 * @typedef {object} Options
 * @property {boolean} [faults] run under lib/faults.js, so that `fault()` works
 * @property {Record<string, string>} [vars] further variables of the Worker
 * @property {Uint8Array} [wasm] another core
 * @property {number} [maxRetries] of the queue
 * @property {boolean} [traces] run the Tail Worker beside it, so that its traces are kept
 * @property {boolean} [points] keep the data points, so that `points()` gives them
 * @property {object} [metrics] the binding METRICS, as Miniflare takes it; else Analytics Engine's, which keeps nothing
 * @property {string} [directory] where the storage persists; a temporary one when absent
 * @property {boolean} [migrate] false where D1 has its tables already
 * @property {object[]} [beside] other Workers in the same runtime, as Miniflare takes them
 */

/** What all Workers of this test file have logged, for the message of a failure. @type {Line[]} */
const logged = [];

/** @param {Options} [options] */
export async function startZ0(options = {}) {
  /** @type {Line[]} */
  const lines = [];
  const mf = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    enableDevRegistry: false,
    logRequests: false,
    log: new Log(LogLevel.NONE),
    ...(options.directory ? { resourcePersistencePath: options.directory } : {}),
    handleStructuredLogs: (/** @type {Line} */ line) => void (lines.push(line), logged.push(line)),
    workers: [
      workerOptions(options),
      ...(options.points ? [metricsOptions()] : []),
      ...(options.traces ? [tailOptions(options)] : []),
      ...(options.beside ?? []),
    ],
  });
  try {
    const url = await mf.ready;
    const z0 = new Z0(mf, url, lines);
    if (options.migrate !== false) await z0.migrate();
    return z0;
  } catch (error) {
    await mf.dispose();
    throw error;
  }
}

/**
 * The shim's modules by their paths, so that whatever stands beside them can import them.
 * @param {string[]} paths further ones, the main module first
 * @param {Uint8Array} wasm
 */
function manifest(paths, wasm) {
  /** @type {Record<string, {type: string, contents: string | Uint8Array}>} */
  const modules = { "bindings/worker/z0.wasm": { type: "wasm", contents: wasm } };
  const names = readdirSync(WORKER).filter((name) => name.endsWith(".js"));
  for (const path of [...paths, ...names.map((name) => `bindings/worker/${name}`)]) {
    modules[path] = { type: "esm", contents: readFileSync(join(ROOT, path), "utf8") };
  }
  return { mainModule: paths[0], modulesRoot: ROOT, modules };
}

const TRACES = { type: "durable-object", worker: "z0-tail", exportName: "TraceStore" };

/** @param {Options} options */
function tailOptions({ vars = {}, wasm = readFileSync(CORE) }) {
  return {
    config: {
      name: "z0-tail",
      compatibilityDate: "2026-11-01",
      manifest: manifest(["bindings/tail/index.js"], wasm),
      exports: { TraceStore: { type: "durable-object", storage: "sqlite" } },
      env: {
        TRACES,
        ...(vars.Z0_SETTINGS ? { Z0_SETTINGS: { type: "text", value: vars.Z0_SETTINGS } } : {}),
      },
    },
  };
}

/** @param {Options} options */
function workerOptions({
  traces = false,
  faults = false,
  points = false,
  metrics = { type: "analytics-engine-dataset", name: "z0" },
  vars = {},
  wasm = readFileSync(CORE),
  maxRetries = 3,
}) {
  const main = faults ? "tests/worker/lib/faults.js" : "bindings/worker/index.js";
  const texts = { Z0_TOKEN_SECRET: SECRET, ...vars };
  return {
    config: {
      name: "z0",
      compatibilityDate: "2026-11-01",
      manifest: manifest([main], wasm),
      exports: {
        Ledger: { type: "durable-object", storage: "sqlite" },
        Monitor: { type: "durable-object", storage: "sqlite" },
        Directory: { type: "durable-object", storage: "sqlite" },
        Alerts: { type: "durable-object", storage: "sqlite" },
      },
      env: {
        LEDGER: { type: "durable-object", worker: "z0", exportName: "Ledger" },
        MONITOR: { type: "durable-object", worker: "z0", exportName: "Monitor" },
        DIRECTORY: { type: "durable-object", worker: "z0", exportName: "Directory" },
        ALERTS: { type: "durable-object", worker: "z0", exportName: "Alerts" },
        ...(traces ? { TRACES } : {}),
        FACTS_QUEUE: { type: "queue", name: "z0-facts" },
        ...Object.fromEntries(
          DATABASES.map((binding) => [binding, { type: "d1", id: `z0-${binding}` }]),
        ),
        METRICS: points ? { type: "worker", worker: "metrics" } : metrics,
        ...Object.fromEntries(
          Object.entries(texts).map(([name, value]) => [name, { type: "text", value }]),
        ),
      },
      triggers: [
        {
          type: "queue",
          name: "z0-facts",
          maxBatchSize: 10,
          maxBatchTimeout: 0,
          maxRetries,
          deadLetterQueue: "z0-facts-dead",
        },
        { type: "queue", name: "z0-facts-dead", maxBatchSize: 10, maxBatchTimeout: 0 },
      ],
      ...(traces ? { tailConsumers: [{ worker: "z0-tail" }] } : {}),
    },
  };
}

// In the place of Analytics Engine, which keeps nothing locally.
const METRICS = `import { WorkerEntrypoint } from "cloudflare:workers";
const points = [];
export default class extends WorkerEntrypoint {
  writeDataPoint(point) { points.push(point); }
  fetch() { return Response.json(points); }
}`;

function metricsOptions() {
  const modules = { "metrics.js": { type: "esm", contents: METRICS } };
  return {
    config: {
      name: "metrics",
      compatibilityDate: "2026-11-01",
      manifest: { mainModule: "metrics.js", modulesRoot: ROOT, modules },
    },
  };
}

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {Headers} headers
 * @property {any} body parsed when it is JSON, else text
 */

export class Z0 {
  /**
   * @param {InstanceType<typeof Miniflare>} mf
   * @param {URL} url
   * @param {Line[]} lines
   */
  constructor(mf, url, lines) {
    this.mf = mf;
    this.url = url;
    this.lines = lines;
  }

  async migrate() {
    const files = readdirSync(MIGRATIONS)
      .filter((file) => file.endsWith(".sql"))
      .sort();
    for (const binding of DATABASES) {
      const db = await this.mf.getD1Database(binding);
      for (const file of files)
        await db.prepare(readFileSync(join(MIGRATIONS, file), "utf8")).run();
    }
  }

  dispose() {
    return this.mf.dispose();
  }

  /**
   * @param {string} path
   * @param {RequestInit & {token?: string | null}} [init] token: null for none; an operator's by default
   * @returns {Promise<Answer>}
   */
  async fetch(path, { token: bearer = token(), ...init } = {}) {
    const headers = new Headers(init.headers);
    if (bearer !== null) headers.set("authorization", `Bearer ${bearer}`);
    const response = await fetch(new URL(path, this.url), { ...init, headers });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text,
    };
  }

  /**
   * Posts facts as they are given: an object as one, an array as a list.
   * @param {unknown} facts
   * @param {RequestInit & {token?: string | null}} [init]
   */
  post(facts, init = {}) {
    return this.fetch("/v1/facts", {
      method: "POST",
      body: JSON.stringify(facts),
      ...init,
      headers: {
        "content-type": "application/json",
        .../** @type {object} */ (init.headers ?? {}),
      },
    });
  }

  /**
   * @param {string} sql
   * @param {(string | number | null)[]} values
   * @returns {Promise<Record<string, any>[]>}
   */
  d1(sql, ...values) {
    return this.d1Of("DB", sql, ...values);
  }

  /**
   * @param {string} binding
   * @param {string} sql
   * @param {(string | number | null)[]} values
   * @returns {Promise<Record<string, any>[]>}
   */
  async d1Of(binding, sql, ...values) {
    const db = await this.mf.getD1Database(binding);
    return (
      await db
        .prepare(sql)
        .bind(...values)
        .all()
    ).results;
  }

  /**
   * Delivers message bodies as a queue would, and says what became of each.
   * @param {string} queue
   * @param {{id?: string, body: unknown, attempts?: number}[]} messages
   */
  async deliver(queue, messages) {
    const worker = await this.mf.getWorker("z0");
    return worker.queue(
      queue,
      messages.map(({ id, body, attempts = 1 }, i) => ({
        id: id ?? `message-${i}`,
        timestamp: new Date(),
        body,
        attempts,
      })),
    );
  }

  /**
   * The messages that the Worker meant for the queue since it was asked last; lib/faults.js with `capture`.
   * @returns {Promise<Uint8Array[]>}
   */
  async captured() {
    const { captured } = (await this.fetch("/test/captured")).body;
    return captured.map((/** @type {number[]} */ bytes) => new Uint8Array(bytes));
  }

  /**
   * The data points so far; with the option `points`.
   * @returns {Promise<{indexes: string[], blobs: string[], doubles: number[]}[]>}
   */
  async points() {
    const worker = await this.mf.getWorker("metrics");
    const response = await worker.fetch("http://metrics/");
    return /** @type {any} */ (await response.json());
  }

  /**
   * Ends an object's life in memory; its rows stay.
   * @param {string} className
   * @param {string} name
   */
  evict(className, name) {
    return this.mf.unsafeEvictDurableObject("z0", className, { name });
  }

  /**
   * Tells lib/faults.js what is to go wrong from now on; an empty object for nothing.
   * @param {import("./faults.js").Faults} faults
   */
  async fault(faults) {
    await this.fetch("/test/faults", { method: "POST", body: JSON.stringify(faults) });
  }

  /**
   * Lets a ledger's alarm go off, and says when it goes off next (ms since 1970, or null).
   * @param {string} name
   * @returns {Promise<number | null>}
   */
  async ring(name) {
    return (await this.fetch(`/test/ring?object=${name}`)).body.alarm_at;
  }

  /**
   * Log lines whose JSON has this event.
   * @param {string} event
   */
  logged(event) {
    return this.lines.flatMap(({ message }) => {
      try {
        const line = JSON.parse(message);
        return line.event === event ? [line] : [];
      } catch {
        return [];
      }
    });
  }
}

/**
 * Mints a token (HS256) as scripts do. Without arguments: an operator's, with every scope.
 * @param {string} [tenant]
 * @param {string} [scope]
 * @param {{exp?: number, secret?: string}} [how]
 */
export function token(
  tenant = "*",
  scope = "facts:write facts:read telemetry:write ops config:write",
  { exp = Math.floor(Date.now() / 1000) + 3600, secret = SECRET } = {},
) {
  const signed = [
    { alg: "HS256", typ: "JWT" },
    { tenant, scope, exp },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/**
 * Waits until `look` gives something truthy, and gives that back. Where delivery is asynchronous there is no
 * right pause, only a deadline.
 * @template T
 * @param {string} what
 * @param {() => Promise<T | undefined | null | false> | T | undefined | null | false} look
 * @param {number} [deadlineMs]
 * @returns {Promise<T>}
 */
export async function eventually(what, look, deadlineMs = 15_000) {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end) {
      const last = logged.slice(-5).map(({ message }) => message.slice(0, 300));
      throw new Error([`not within ${deadlineMs} ms: ${what}`, ...last].join("\n"));
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
