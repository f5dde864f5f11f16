// The Workers that stand beside each other in the end-to-end benchmarks.
import { entityName } from "./facts.js";
import { mintToken } from "./token.js";
import { migrate, peer, start, z0Worker } from "./workers.js";

/**
 * @typedef {import("./workers.js").Running & {name?: string, headers: Record<string, string>}} Contender
 */

/** @param {string} worker @param {string[]} classes */
const bindings = (worker, classes) =>
  Object.fromEntries(
    classes.map((name) => [
      name.toUpperCase(),
      { type: "durable-object", worker, exportName: name },
    ]),
  );

export const headersOfOperator = () => ({ authorization: `Bearer ${mintToken("*")}` });
export const headersOfZ0 = () => ({ authorization: `Bearer ${mintToken("tenant_acme")}` });

/**
 * @param {string} wasm
 * @param {{consumer?: boolean, meter?: boolean}} [options]
 * @returns {Promise<Contender>}
 */
export async function startZ0(wasm, { consumer = false, meter = false } = {}) {
  const running = await start(await z0Worker(wasm, { consumer, meter }));
  await migrate(running);
  return { ...running, headers: headersOfZ0() };
}

/** @returns {Promise<Contender>} */
export async function startRows() {
  const env = bindings("rows", ["Rows", "Noop"]);
  return {
    ...(await start(await peer("rows", "workers/rows.js", { objects: ["Rows", "Noop"], env }))),
    headers: {},
  };
}

/** @param {boolean} queue whether it also sends the body on @returns {Promise<Contender>} */
export async function startBody(queue) {
  const env = {
    ...bindings("body", ["Bodies"]),
    ...(queue ? { FACTS_QUEUE: { type: "queue", name: "bodies" } } : {}),
  };
  return {
    ...(await start(await peer("body", "workers/body.js", { objects: ["Bodies"], env }))),
    headers: {},
  };
}

/**
 * Which ledgers each connection writes to, by turns.
 * @param {number} perRequest
 * @param {number} lists
 */
export function entityLists(perRequest, lists = 8) {
  return Array.from({ length: lists }, (_, i) =>
    Array.from({ length: perRequest }, (_, k) => entityName("acme", i * perRequest + k)),
  );
}

/**
 * @param {Contender} contender
 * @param {string} path
 * @param {string} [body]
 * @returns {Promise<any>}
 */
export async function call(contender, path, body) {
  const response = await fetch(contender.url + path, {
    headers: { ...contender.headers, "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status} ${text.slice(0, 1000)}`);
  return JSON.parse(text);
}
