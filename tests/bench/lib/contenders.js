// The Workers that stand beside each other in the end-to-end benchmarks.
import { SCHEMA } from "../peers/row_schema.js";
import { entityName } from "./facts.js";
import { mintToken } from "./token.js";
import { migrate, peer, start, z0Worker } from "./workers.js";

/**
 * @typedef {import("./workers.js").Running & {name?: string, headers: Record<string, string>,
 *   consumes?: boolean, tailUrl?: string}} Contender
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
 * @param {Partial<import("./workers.js").Options>} [options]
 * @returns {Promise<Contender>}
 */
export async function startZ0(wasm, options = {}) {
  const { consumer = false, meter = false } = options;
  const running = await start(await z0Worker(wasm, { ...options, consumer, meter }));
  await migrate(running);
  const tailUrl = options.tail ? { tailUrl: await running.urlOf("z0-tail") } : {};
  return { ...running, ...tailUrl, headers: headersOfZ0(), consumes: consumer === true };
}

/** @returns {Promise<Contender>} */
export async function startRows() {
  const env = bindings("rows", ["Rows", "Noop"]);
  return {
    ...(await start(await peer("rows", "workers/rows.js", { objects: ["Rows", "Noop"], env }))),
    headers: {},
  };
}

/**
 * The same work as z0 with everything on, as one writes it first: a row a fact in the object, a
 * message a fact, a row with two indexes in D1.
 * @param {{meter?: boolean}} [options]
 * @returns {Promise<Contender>}
 */
export async function startNaive({ meter = false } = {}) {
  const running = await start(
    await peer("naive", "workers/rows.js", {
      objects: ["Rows", "Noop"],
      env: {
        ...bindings("naive", ["Rows", "Noop"]),
        FACTS_QUEUE: { type: "queue", name: "naive" },
        DB: { type: "d1", id: "naive" },
        ...(meter ? { BENCH_METER: { type: "text", value: "1" } } : {}),
      },
      triggers: [{ type: "queue", name: "naive", maxBatchSize: 100, maxBatchTimeout: 1 }],
    }),
  );
  const database = await running.mf.getD1Database("DB", "naive");
  for (const sql of SCHEMA) await database.prepare(sql).run();
  return { ...running, headers: {}, consumes: true };
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
