// The Tail Worker, and what a benchmark counts of it.
// @ts-ignore: resolved inside workerd, where this file stands beside z0's own.
import tail, { TraceStore as RealTraceStore } from "./bindings/tail/index.js";
import { counters, meterObject, meterStorage, takeCounters } from "../lib/meter.js";

export class TraceStore extends RealTraceStore {
  /** @param {any} ctx @param {any} env */
  constructor(ctx, env) {
    super(ctx, env);
    if (!env.BENCH_METER) return;
    meterStorage(ctx.storage, "traces");
    meterObject(RealTraceStore.prototype, ["call", "alarm"], () => "traces");
  }
}

export default {
  ...tail,

  async fetch() {
    return Response.json(takeCounters());
  },

  /** What the platform's own logs and traces would hold: an invocation is an event of each. */
  tailStream() {
    counters.log_events++;
    counters.platform_spans++;
    return {
      log: () => void counters.log_events++,
      spanOpen: () => void counters.platform_spans++,
    };
  },
};
