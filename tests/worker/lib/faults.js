// The Worker with things going wrong, for tests: runs in place of index.js, around the real modules. What
// is to go wrong is posted to /test/faults; the Worker and its objects share one isolate, so they share
// it, too.

import worker, {
  Alerts as RealAlerts,
  Directory as RealDirectory,
  Ledger as RealLedger,
  Monitor as RealMonitor,
} from "../../../bindings/worker/index.js";

/**
 * @typedef {object} Faults
 * @property {Record<string, "throw" | "hang" | "overloaded" | "lost_reply">} [calls] what becomes of
 *   calls of the ledger of that name; "lost_reply": it does its work, the caller never hears of it
 * @property {"rollback"} [commit] commits of ledgers fail
 * @property {"swallow" | "throw"} [queue] what becomes of messages on their way into the queue
 * @property {boolean} [database] D1 refuses
 * @property {boolean} [capture] keep a copy of each message
 * @property {"lose" | "lost_reply"} [tells] what becomes of flushes for the monitor's shards
 * @property {number} [laterMs] how far the clock is ahead
 */

/** @type {Faults} */
let faults = {};
/** @type {Uint8Array[]} */
const captured = [];

const realNow = Date.now;
Date.now = () => realNow() + (faults.laterMs ?? 0);

/** @param {any} env */
function faulty(env) {
  return {
    ...env,
    LEDGER: {
      getByName: (/** @type {string} */ name) => faultyStub(env.LEDGER.getByName(name), name),
    },
    MONITOR: {
      getByName: (/** @type {string} */ name) => faultyMonitor(env.MONITOR.getByName(name), name),
    },
    FACTS_QUEUE: {
      async send(/** @type {Uint8Array} */ body, /** @type {object} */ options) {
        if (faults.capture) captured.push(body.slice());
        if (faults.queue === "throw") throw new Error("the queue is not there");
        if (faults.queue !== "swallow") await env.FACTS_QUEUE.send(body, options);
      },
    },
    DB: {
      prepare: (/** @type {string} */ sql) => env.DB.prepare(sql),
      async batch(/** @type {unknown[]} */ statements) {
        if (faults.database) throw new Error("D1 is not there");
        return env.DB.batch(statements);
      },
    },
  };
}

/**
 * @param {any} stub
 * @param {string} name
 */
function faultyStub(stub, name) {
  return {
    async call(
      /** @type {number} */ method,
      /** @type {string} */ object,
      /** @type {Uint8Array} */ request,
    ) {
      const fault = faults.calls?.[name];
      if (fault === "throw") throw new Error("the object broke");
      if (fault === "overloaded") {
        throw Object.assign(new Error("Durable Object is overloaded."), { overloaded: true });
      }
      if (fault === "lost_reply") await stub.call(method, object, request);
      if (fault) await new Promise((resolve) => setTimeout(resolve, 60_000));
      return stub.call(method, object, request);
    },
  };
}

/**
 * @param {any} stub
 * @param {string} name
 */
function faultyMonitor(stub, name) {
  return {
    call: (/** @type {unknown[]} */ ...request) => stub.call(...request),
    async tell(/** @type {string} */ object, /** @type {Uint8Array} */ reports) {
      const fault = name.startsWith("metrics_") ? faults.tells : undefined;
      if (fault === "lose") throw new Error("the shard is not there");
      const taken = await stub.tell(object, reports);
      if (fault === "lost_reply") throw new Error("the reply was lost");
      return taken;
    },
  };
}

export class Ledger extends RealLedger {
  /**
   * @param {DurableObjectState} ctx
   * @param {any} env
   */
  constructor(ctx, env) {
    super(ctx, faulty(env));
    const { storage } = ctx;
    this.host.storage = new Proxy(storage, {
      get(target, name) {
        if (name === "transactionSync" && faults.commit) {
          return (/** @type {() => void} */ work) =>
            target.transactionSync(() => {
              work();
              throw new Error("the disk is full");
            });
        }
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  /** Lets the alarm go off now, whether it is due or not; the platform clears it before it calls. */
  async ring() {
    await this.ctx.storage.deleteAlarm();
    await this.alarm();
    return this.ctx.storage.getAlarm();
  }
}

export class Monitor extends RealMonitor {
  /** As a ledger's. */
  async ring() {
    await this.ctx.storage.deleteAlarm();
    await this.alarm();
    return this.ctx.storage.getAlarm();
  }
}

export class Alerts extends RealAlerts {
  /**
   * @param {DurableObjectState} ctx
   * @param {any} env
   */
  constructor(ctx, env) {
    super(ctx, faulty(env));
  }

  /** As a ledger's. */
  async ring() {
    await this.ctx.storage.deleteAlarm();
    await this.alarm();
    return this.ctx.storage.getAlarm();
  }
}

export class Directory extends RealDirectory {}

export default {
  /**
   * @param {Request} request
   * @param {any} env
   * @param {ExecutionContext} ctx
   */
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/test/faults":
        faults = await request.json();
        return new Response();
      case "/test/captured":
        return Response.json({ captured: captured.splice(0).map((body) => [...body]) });
      case "/test/ring": {
        const object = searchParams.get("object") ?? "";
        const others = object === "alerts" ? env.ALERTS : env.LEDGER;
        const objects = object.startsWith("metrics_") ? env.MONITOR : others;
        return Response.json({ alarm_at: await objects.getByName(object).ring() });
      }
      default:
        return worker.fetch?.(/** @type {any} */ (request), faulty(env), ctx);
    }
  },

  /**
   * @param {MessageBatch} batch
   * @param {any} env
   * @param {ExecutionContext} ctx
   */
  async queue(batch, env, ctx) {
    await worker.queue?.(batch, faulty(env), ctx);
  },
};
