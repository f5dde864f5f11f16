// z0's Worker with the routes of a benchmark in front of it. Everything else goes through
// untouched, unless BENCH_METER asks for counting.
import { DurableObject } from "cloudflare:workers";
// @ts-ignore: resolved inside workerd, where this file stands beside z0's own.
import z0, * as real from "./bindings/worker/index.js";
import { benchRoutes } from "../lib/bench_routes.js";
import { findIds, renewIds } from "../lib/facts.js";
import { counters, meterEnv, meterObject, meterStorage, takeCounters } from "../lib/meter.js";

const { Directory: RealDirectory, Ledger: RealLedger, Monitor: RealMonitor } = real;

/**
 * @type {{method: number, name: string, request: Uint8Array, reply: Uint8Array, offsets: Uint32Array} | undefined}
 */
let ready;
let counter = 0;

export class Ledger extends RealLedger {
  /** @param {any} ctx @param {any} env */
  constructor(ctx, env) {
    super(ctx, env.BENCH_METER ? meter(ctx, env) : env);
  }
}
export class Monitor extends RealMonitor {
  /** @param {any} ctx @param {any} env */
  constructor(ctx, env) {
    super(ctx, env.BENCH_METER ? meter(ctx, env) : env);
  }
}

export class Directory extends RealDirectory {
  /** @param {any} ctx @param {any} env */
  constructor(ctx, env) {
    super(ctx, env.BENCH_METER ? meter(ctx, env) : env);
  }
}

/** Takes the same call as a ledger and does nothing. */
export class Noop extends DurableObject {
  /** @param {number} _kind @param {string} _name @param {Uint8Array} _request */
  async call(_kind, _name, _request) {
    return ready?.reply ?? new Uint8Array(0);
  }
}

/** @param {any} ctx @param {any} env */
function meter(ctx, env) {
  meterStorage(ctx.storage, kindOf(ctx));
  meterObject(RealLedger.prototype, ["call", "alarm"]);
  // The monitor's root has what facts report, too; its shards have metrics alone.
  meterObject(RealMonitor.prototype, ["call", "tell", "alarm"], ({ host }) => kindOf(host.ctx));
  meterObject(RealDirectory.prototype, ["call", "alarm"]);
  return meterEnv(env);
}

/** @param {any} ctx @returns {import("../lib/meter.js").Kind} */
const kindOf = (ctx) => (ctx.id.name?.startsWith("metrics_") ? "metrics" : "do");

/**
 * Lets a request through once and keeps the call that it made.
 * @param {Request} request
 * @param {any} env
 * @param {any} ctx
 */
async function prepare(request, env, ctx) {
  const body = await request.arrayBuffer();
  /** @type {any[]} */
  const calls = [];
  const LEDGER = {
    getByName: (/** @type {string} */ object) => ({
      async call(
        /** @type {number} */ method,
        /** @type {string} */ name,
        /** @type {Uint8Array} */ bytes,
      ) {
        const sent = bytes.slice();
        const reply = await env.LEDGER.getByName(object).call(method, name, bytes);
        calls.push({ method, name, request: sent, reply });
        return reply;
      },
    }),
  };
  const url = new URL("/v1/facts", request.url);
  const response = await z0.fetch(
    new Request(url, { method: "POST", headers: request.headers, body }),
    { ...env, LEDGER },
    ctx,
  );
  const answer = /** @type {any} */ (await response.json());
  if (response.status !== 200 && response.status !== 201) throw new Error(JSON.stringify(answer));
  // A new ledger is called twice; the second call is the one that it takes again and again.
  const taken = calls.at(-1);
  if (calls.some((call) => call.name !== taken.name)) throw new Error("calls of several ledgers");
  const ids = (answer.results ?? [answer]).map((/** @type {any} */ item) => item.id);
  ready = { ...taken, offsets: findIds(taken.request, ids) };
  return {
    name: taken.name,
    request_bytes: taken.request.length,
    reply_bytes: taken.reply.length,
  };
}

/** @param {any} env @param {any} ctx @returns {import("../lib/bench_routes.js").Driver} */
function driver(env, ctx) {
  const run = async (
    /** @type {any} */ namespace,
    /** @type {number} */ n,
    /** @type {number} */ stream,
  ) => {
    if (!ready) throw new Error("not prepared");
    const { method, name, request, offsets } = ready;
    const stub = namespace.getByName(name);
    let bytes = 0;
    for (let i = 0; i < n; i++) {
      counter = renewIds(request, offsets, stream, counter);
      bytes = (await stub.call(method, name, request)).length;
    }
    return { n, last_reply_bytes: bytes };
  };
  return {
    prepare: (request) => prepare(request, env, ctx),
    loop: (n, stream) => run(env.LEDGER, n, stream),
    noop: (n) => run(env.NOOP, n, 0),
  };
}

/**
 * Tells a shard of the monitor a report as it was posted, or n times over as an isolate's next flushes.
 * @param {Request} request
 * @param {any} env
 */
async function tell(request, env) {
  const reports = new Uint8Array(await request.arrayBuffer());
  const view = new DataView(reports.buffer);
  const stub = env.MONITOR.getByName("metrics_0");
  const n = Number(new URL(request.url).searchParams.get("n") ?? 1);
  for (let i = 0; i < n; i++) {
    if (!(await stub.tell("metrics_0", reports))) throw new Error("the shard did not take it");
    for (const [at, more] of flushMoves(view)) view.setBigInt64(at, view.getBigInt64(at, true) + more, true);
  }
  return Response.json({ n });
}

/**
 * Where the first flush of a report has its number and the events told before, and what they grow by.
 * @param {DataView} view
 * @returns {[number, bigint][]}
 */
const flushMoves = (view) => [
  [20, 1n],
  [28, view.getBigInt64(36, true)],
];

export default {
  /** @param {Request} request @param {any} env @param {any} ctx */
  async fetch(request, env, ctx) {
    if (request.url.includes("/bench/tell")) return tell(request, env);
    if (request.url.endsWith("/bench/counters")) return Response.json(takeCounters());
    const answer = await benchRoutes(request, driver(env, ctx));
    return answer ?? z0.fetch(request, env.BENCH_METER ? meterEnv(env) : env, ctx);
  },

  /** @param {any} batch @param {any} env @param {any} ctx */
  async queue(batch, env, ctx) {
    if (env.BENCH_DROPS) return;
    counters.consumed_batches++;
    return z0.queue(batch, env.BENCH_METER ? meterEnv(env) : env, ctx);
  },
};
