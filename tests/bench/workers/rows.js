// Peer (a): a Worker as one writes it without z0. It parses and checks the JSON and inserts a row a
// fact, with two indexes, into the Durable Object of the entity. With a queue and D1 bound it is
// also the naive pipeline that storage.js prices: a message a fact, a row with two indexes in D1.
import { DurableObject } from "cloudflare:workers";
import { benchRoutes } from "../lib/bench_routes.js";
import { counters, meterEnv, meterObject, meterStorage, takeCounters } from "../lib/meter.js";
import { COLUMNS, INSERT, SCHEMA } from "../peers/row_schema.js";
import { factProblem, normalize } from "../peers/rules.js";

const TENANT = "tenant_acme";
const SEND_BATCH_MAX = 100;

/** @type {{entity: string, rows: any[], reply: any} | undefined} */
let ready;
let counter = 0;

export class Rows extends DurableObject {
  /** @param {any} ctx @param {any} env */
  constructor(ctx, env) {
    super(ctx, env);
    if (env.BENCH_METER) {
      meterStorage(ctx.storage);
      meterObject(Rows.prototype, ["append"]);
    }
    for (const sql of SCHEMA) ctx.storage.sql.exec(sql);
    this.seq = Number(ctx.storage.sql.exec("SELECT max(seq) AS seq FROM facts").one()["seq"] ?? 0);
  }

  /** @param {any[]} rows */
  append(rows) {
    const sql = this.ctx.storage.sql;
    const recordedAt = Date.now();
    return this.ctx.storage.transactionSync(() =>
      rows.map((row) => {
        const seq = this.seq + 1;
        const { rowsWritten } = sql.exec(
          INSERT,
          seq,
          recordedAt,
          ...COLUMNS.map((name) => row[name] ?? null),
        );
        if (rowsWritten > 0) this.seq = seq;
        return {
          status: rowsWritten > 0 ? "recorded" : "duplicate",
          id: row.id,
          entity_id: row.entity_id,
          seq,
          recorded_at: recordedAt,
        };
      }),
    );
  }
}

export class Noop extends DurableObject {
  /** @param {any[]} _rows */
  append(_rows) {
    return ready?.reply;
  }
}

/** @param {number} value @param {number} digits */
const hex = (value, digits) => value.toString(16).padStart(digits, "0");

/** @param {any[]} facts @returns {Map<string, any[]> | null} */
function byEntity(facts) {
  const nowMs = Date.now();
  /** @type {Map<string, any[]>} */
  const groups = new Map();
  for (const fact of facts) {
    if (factProblem(fact, TENANT)) return null;
    const row = normalize(fact, TENANT, nowMs);
    if (!row) return null;
    const group = groups.get(row.entity_id);
    if (group) group.push(row);
    else groups.set(row.entity_id, [row]);
  }
  return groups;
}

/** @param {Request} request @param {any} env @param {any} ctx */
async function append(request, env, ctx) {
  const facts = /** @type {any} */ (await request.json());
  if (!Array.isArray(facts) || facts.length > 1000)
    return new Response("not a batch", { status: 400 });
  const groups = byEntity(facts);
  if (!groups) return new Response("a bad fact", { status: 422 });
  const lists = await Promise.all(
    [...groups].map(([entity, rows]) => env.ROWS.getByName(entity).append(rows)),
  );
  const results = lists.flat();
  if (env.FACTS_QUEUE) ctx.waitUntil(sendAll(env, [...groups.values()].flat()));
  return Response.json({ recorded: results.length, duplicate: 0, refused: 0, results });
}

/** A message a fact. @param {any} env @param {any[]} rows */
async function sendAll(env, rows) {
  for (let i = 0; i < rows.length; i += SEND_BATCH_MAX) {
    await env.FACTS_QUEUE.sendBatch(rows.slice(i, i + SEND_BATCH_MAX).map((body) => ({ body })));
  }
}

/** @param {any} env @returns {import("../lib/bench_routes.js").Driver} */
function driver(env) {
  const run = async (
    /** @type {any} */ namespace,
    /** @type {number} */ n,
    /** @type {number} */ stream,
  ) => {
    if (!ready) throw new Error("not prepared");
    const stub = namespace.getByName(ready.entity);
    let results = 0;
    for (let i = 0; i < n; i++) {
      for (const row of ready.rows) {
        const mixed = Math.imul(++counter, 0x85ebca6b) >>> 0;
        row.id = `fact_${hex(stream, 4)}${hex(mixed, 12)}`;
      }
      results = (await stub.append(ready.rows)).length;
    }
    return { n, results };
  };
  return {
    async prepare(request) {
      const groups = byEntity(/** @type {any} */ (await request.json()));
      const [entry] = groups ?? [];
      if (!entry) throw new Error("a bad fact");
      const [entity, rows] = entry;
      ready = { entity, rows, reply: await env.ROWS.getByName(entity).append(rows) };
      return { entity, rows: rows.length };
    },
    loop: (n, stream) => run(env.ROWS, n, stream),
    noop: (n) => run(env.NOOP, n, 0),
  };
}

export default {
  /** @param {Request} request @param {any} env @param {any} ctx */
  async fetch(request, env, ctx) {
    if (request.url.endsWith("/bench/counters")) return Response.json(takeCounters());
    const answer = await benchRoutes(request, driver(env));
    return answer ?? append(request, env.BENCH_METER ? meterEnv(env) : env, ctx);
  },

  /** @param {any} batch @param {any} env */
  async queue(batch, env) {
    counters.consumed_batches++;
    const { DB } = env.BENCH_METER ? meterEnv(env) : env;
    const insert = DB.prepare(INSERT);
    const now = Date.now();
    await DB.batch(
      batch.messages.map((/** @type {any} */ m) =>
        insert.bind(null, now, ...COLUMNS.map((name) => m.body[name] ?? null)),
      ),
    );
    batch.ackAll();
  },
};
