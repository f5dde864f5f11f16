// The stand-in of Analytics Engine for tests: its real modules in workerd, on a free port.

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { SECRET, token } from "../../worker/lib/z0.js";

// The copy that wrangler brings: it fits the runtime that is installed beside it.
const require = createRequire(createRequire(import.meta.url).resolve("wrangler"));
/** @type {typeof import("miniflare")} */
const { Miniflare, Log, LogLevel } = require("miniflare");

const ROOT = join(import.meta.dirname, "..", "..", "..");
const ANALYTICS = "bindings/analytics";
const PARSER = dirname(fileURLToPath(import.meta.resolve("@polyglot-sql/sdk/manual")));

/**
 * The Worker, for a list of workers of Miniflare. A bundler would find the parser by its name; here it lies
 * where the runtime looks for that name.
 * @param {{ main?: string, vars?: Record<string, string> }} [options] another main module, and variables
 */
export function analyticsWorker({ main = `${ANALYTICS}/index.js`, vars = {} } = {}) {
  /** @type {Record<string, {type: string, contents: string | Uint8Array}>} */
  const modules = {
    [`${ANALYTICS}/@polyglot-sql/sdk/manual`]: {
      type: "esm",
      contents: readFileSync(join(PARSER, "manual.js"), "utf8"),
    },
    [`${ANALYTICS}/@polyglot-sql/sdk/polyglot_sql.wasm`]: {
      type: "wasm",
      contents: readFileSync(join(PARSER, "polyglot_sql.wasm")),
    },
  };
  const files = readdirSync(join(ROOT, ANALYTICS), { recursive: true, encoding: "utf8" });
  const paths = files.filter((file) => file.endsWith(".js")).map((file) => `${ANALYTICS}/${file}`);
  for (const path of new Set([main, ...paths])) {
    modules[path] = { type: "esm", contents: readFileSync(join(ROOT, path), "utf8") };
  }
  return {
    config: {
      name: "z0-analytics",
      compatibilityDate: "2026-11-01",
      manifest: { mainModule: main, modulesRoot: ROOT, modules },
      exports: { Points: { type: "durable-object", storage: "sqlite" } },
      env: {
        POINTS: { type: "durable-object", worker: "z0-analytics", exportName: "Points" },
        ...Object.fromEntries(
          Object.entries({ Z0_TOKEN_SECRET: SECRET, ...vars }).map(([name, value]) => [
            name,
            { type: "text", value },
          ]),
        ),
      },
    },
  };
}

export class Analytics {
  /** @param {InstanceType<typeof Miniflare>} mf @param {URL} url */
  constructor(mf, url) {
    this.mf = mf;
    this.url = url;
  }

  /**
   * @param {string} sql
   * @param {{ token?: string | null, method?: string, path?: string }} [how]
   */
  async ask(sql, { token: bearer = token(), method = "POST", path } = {}) {
    /** @type {Record<string, string>} */
    const headers = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
    const body = method === "POST" ? sql : undefined;
    const url = new URL(path ?? "/client/v4/accounts/local/analytics_engine/sql", this.url);
    const response = await fetch(url, { method, headers, body });
    const text = await response.text();
    const type = response.headers.get("content-type") ?? "";
    return {
      status: response.status,
      type,
      text,
      json: type === "application/json" ? JSON.parse(text) : null,
    };
  }

  /** @param {unknown[]} points with times of their own */
  async write(points) {
    const response = await fetch(new URL("/test/write", this.url), {
      method: "POST",
      body: JSON.stringify(points),
    });
    if (response.status !== 200) throw new Error(await response.text());
  }

  dispose() {
    return this.mf.dispose();
  }
}

/**
 * It has a way to write points that have a time, at /test/write; what is written there can be asked for at once.
 * @param {Record<string, string>} [vars]
 */
export async function startAnalytics(vars = {}) {
  const main = relative(ROOT, join(import.meta.dirname, "writable.js"));
  const mf = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    enableDevRegistry: false,
    logRequests: false,
    log: new Log(LogLevel.NONE),
    workers: [analyticsWorker({ main, vars })],
  });
  try {
    return new Analytics(mf, await mf.ready);
  } catch (error) {
    await mf.dispose();
    throw error;
  }
}
