// The example product beside a z0 of a test, in the same runtime.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { token } from "./z0.js";

const ROOT = join(import.meta.dirname, "..", "..", "..");

export const TENANT = "tenant_riverside";

/** For `beside` of startZ0. */
export function exampleOptions() {
  const paths = ["bindings/example", "bindings/client"].flatMap((directory) =>
    readdirSync(join(ROOT, directory))
      .filter((name) => name.endsWith(".js"))
      .map((name) => `${directory}/${name}`),
  );
  const modules = Object.fromEntries(
    paths.map((path) => [path, { type: "esm", contents: readFileSync(join(ROOT, path), "utf8") }]),
  );
  const self = (/** @type {string} */ exportName) => ({ type: "worker", worker: "z0-example", exportName });
  return {
    config: {
      name: "z0-example",
      compatibilityDate: "2026-11-01",
      manifest: { mainModule: "bindings/example/index.js", modulesRoot: ROOT, modules },
      env: {
        Z0: { type: "worker", worker: "z0" },
        TWILIO: self("Twilio"),
        OPENAI: self("OpenAi"),
        TENANT: { type: "text", value: TENANT },
        Z0_TOKEN: { type: "text", value: token(TENANT, "facts:write facts:read telemetry:write") },
      },
    },
  };
}

/**
 * @param {import("./z0.js").Z0} z0
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<{ status: number, body: any }>}
 */
export async function askExample(z0, method, path, body) {
  const worker = await z0.mf.getWorker("z0-example");
  const reply = await worker.fetch(`http://example${path}`, { method, body: body && JSON.stringify(body) });
  return { status: reply.status, body: await reply.json() };
}
