// The Tail Worker: takes the trace events of z0, and of any Worker that names it as a tail consumer, and
// hands them to the core, which makes spans of them, takes out what nobody should keep, and stores them.
// It has no address of its own.

import { soon } from "../worker/collect.js";
import { logError } from "../worker/log.js";
import { hostOf, run } from "../worker/perform.js";
import { Frame, Target } from "../worker/types.js";

/** @import { Env, Host } from "../worker/types.js" */

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
// One of the invocations waits for all: each that waited would be kept alive for as long.
const handOverSoon = soon(handOver, COLLECT_MS);

/** @type {ExportedHandler<Env>} */
export default {
  async tail(events, env, ctx) {
    for (const event of events) take(event);
    if (pending.length > 0) handOverSoon(hostOf(Target.TAIL, env, ctx));
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
 * What the core needs to know of an event; nothing where nobody would look for it. Most events are of
 * objects that had nothing to say, and each member is made when it is read: so what is not needed is not.
 * @param {TraceItem} event
 */
function invocationOf(event) {
  const { logs, exceptions, outcome } = event;
  const lines = logs.flatMap(({ message }) => linesOf(message));
  const failed = outcome !== "ok" || exceptions.length > 0;
  const itself = lines.length === 0 ? itselfOf(event) : undefined;
  if (itself?.traceparent === "" && !failed) return undefined;
  return {
    ...itself,
    script: event.scriptName ?? "",
    wall_ms: Math.round(event.wallTime),
    cpu_ms: Math.round(event.cpuTime),
    outcome,
    exceptions: exceptions.map(({ name, message, stack }) => ({
      name,
      message,
      stack: stack?.slice(0, STACK_LENGTH_MAX) ?? "",
    })),
    lines,
  };
}

/**
 * What a span is made of where the invocation logged none.
 * @param {TraceItem} event
 */
function itselfOf({ event, eventTimestamp, entrypoint, executionModel }) {
  return {
    entrypoint: entrypoint ?? "",
    durable: executionModel === "durableObject",
    event: kindOf(event),
    at: eventTimestamp ?? 0,
    status: statusOf(event),
    traceparent: traceparentOf(event) ?? "",
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

/** @param {TraceItem["event"]} event */
function traceparentOf(event) {
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

/** @param {Host} host */
async function handOver(host) {
  const body = `[${pending.join(",")}]`;
  pending = [];
  pendingLength = 0;
  if (lost > 0) logError("z0.traces.invocations_lost", `${lost} came faster than they could be kept`);
  lost = 0;
  try {
    await run(host, Frame.TAIL, [body]);
  } catch (error) {
    logError("z0.tail_failed", error);
  }
}
