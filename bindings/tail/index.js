// The Tail Worker: takes the trace events of z0, and of any Worker that names it as a tail consumer, and
// hands them to the core, which makes spans of them, takes out what nobody should keep, and stores them.
// It has no address of its own.

import { logError } from "../worker/log.js";
import { hostOf, run } from "../worker/perform.js";
import { Frame, Target } from "../worker/types.js";

/** @import { Env } from "../worker/types.js" */

export { TraceStore } from "../worker/trace_store.js";

const SPANS = '{"z0":"spans"';

// Events of many invocations are handed over together: a row a span would cost more than the spans are
// worth. What is collected waits this long at most, and is no larger than this.
const COLLECT_MS = 250;
const PENDING_LENGTH_MAX = 1 << 20;
const STACK_LENGTH_MAX = 4_000;

/** @type {string[]} JSON of invocations */
let pending = [];
let pendingLength = 0;
let lost = 0;
/** @type {Promise<void> | undefined} */
let collecting;

/** @type {ExportedHandler<Env>} */
export default {
  async tail(events, env, ctx) {
    for (const event of events) take(event);
    if (pending.length === 0) return;
    collecting ??= new Promise((resolve) => setTimeout(resolve, COLLECT_MS)).then(() => {
      collecting = undefined;
      return handOver(env, ctx);
    });
    ctx.waitUntil(collecting);
  },
};

/** @param {TraceItem} event */
function take(event) {
  const invocation = invocationOf(event);
  if (invocation === undefined) return;
  const json = JSON.stringify(invocation);
  // The newest gives way: what came first may be the beginning of a trace whose end is here already.
  if (pendingLength + json.length > PENDING_LENGTH_MAX) {
    lost++;
    return;
  }
  pending.push(json);
  pendingLength += json.length;
}

/**
 * What the core needs to know of an event; nothing where nobody would look for it.
 * @param {TraceItem} event
 */
function invocationOf(event) {
  const lines = event.logs.flatMap(({ message }) => linesOf(message));
  const traceparent = traceparentOf(event);
  const failed = event.outcome !== "ok" || event.exceptions.length > 0;
  if (lines.length === 0 && traceparent === undefined && !failed) return undefined;
  return {
    script: event.scriptName ?? "",
    entrypoint: event.entrypoint ?? "",
    durable: event.executionModel === "durableObject",
    event: kindOf(event.event),
    at: event.eventTimestamp ?? 0,
    wall_ms: Math.round(event.wallTime),
    cpu_ms: Math.round(event.cpuTime),
    outcome: event.outcome,
    status: statusOf(event.event),
    traceparent: traceparent ?? "",
    exceptions: event.exceptions.map(({ name, message, stack }) => ({
      name,
      message,
      stack: stack?.slice(0, STACK_LENGTH_MAX) ?? "",
    })),
    lines,
  };
}

/**
 * A local run puts the Worker's name in front of what was logged.
 * @param {unknown} message
 * @returns {string[]}
 */
function linesOf(message) {
  const parts = Array.isArray(message) ? message : [message];
  return parts.filter((part) => typeof part === "string" && part.startsWith(SPANS));
}

/** @param {TraceItem} event */
function traceparentOf({ event }) {
  if (event === null || !("request" in event)) return undefined;
  return event.request.headers.traceparent;
}

/** @param {TraceItem["event"]} event */
function kindOf(event) {
  if (event === null) return "invoke";
  if ("request" in event) return "fetch";
  if ("queue" in event) return "queue";
  if ("rpcMethod" in event) return "rpc";
  return "cron" in event ? "scheduled" : "alarm";
}

/** @param {TraceItem["event"]} event */
function statusOf(event) {
  return event !== null && "response" in event ? (event.response?.status ?? 0) : 0;
}

/**
 * @param {Env} env
 * @param {ExecutionContext} ctx
 */
async function handOver(env, ctx) {
  const body = `[${pending.join(",")}]`;
  pending = [];
  pendingLength = 0;
  if (lost > 0) logError("z0.traces.invocations_lost", `${lost} came faster than they could be kept`);
  lost = 0;
  try {
    await run(hostOf(Target.TAIL, env, ctx), Frame.TAIL, [body]);
  } catch (error) {
    logError("z0.tail_failed", error);
  }
}
