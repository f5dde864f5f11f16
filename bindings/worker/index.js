// The Worker: HTTP requests and queue messages become frames, replies become responses. Which routes
// there are, who may use them and what they answer is decided in the core.

import { readBody } from "./body.js";
import { logError } from "./log.js";
import { hostOf, run, runPart } from "./perform.js";
import { countError } from "./points.js";
import { writeSpans } from "./spans.js";
import { Frame, METHOD_TRAP, Target } from "./types.js";

/** @import { Env, Reply } from "./types.js" */

export { Alerts } from "./alerts.js";
export { Directory } from "./directory.js";
export { Ledger } from "./ledger.js";
export { Monitor } from "./monitor.js";

// The headers that include/z0.h names, but for content-encoding, which goes with the body.
const HEADERS = [
  "authorization",
  "traceparent",
  "tracestate",
  "content-type",
  "idempotency-key",
  "origin",
  "accept",
];
const PREFLIGHT_HEADERS = ["access-control-request-method", "access-control-request-headers"];
const ANALYTICS_API = "/client/v4/";
const DEAD_LETTERS = "z0-facts-dead";
// For messages that met an error before the core could name a pause.
const RETRY_SECONDS = 5;

/** @type {ExportedHandler<Env>} */
export default {
  async fetch(request, env, ctx) {
    try {
      const { pathname, search, searchParams } = new URL(request.url);
      if (env.Z0_DEBUG === "1" && request.method === "POST" && pathname === "/debug/trap") {
        await trap(env, searchParams.get("object") ?? "");
      }
      // Deployed, METRICS is Analytics Engine, whose SQL API Cloudflare answers. Its local stand-in does so here.
      if (pathname.startsWith(ANALYTICS_API) && env.METRICS?.fetch !== undefined) {
        return await env.METRICS.fetch(request);
      }
      const { body, encoding } = await readBody(request);
      const parts = [request.method, pathname + search, body, env.Z0_TOKEN_SECRET];
      if (encoding !== null) parts.push("content-encoding", encoding);
      addHeaders(parts, request);
      return respond(await run(hostOf(Target.EDGE, env, ctx), Frame.REQUEST, parts));
    } catch (error) {
      logError("z0.request_failed", error);
      countError({ env, ctx }, "worker", "edge", traceOf(request));
      return internalError(request);
    }
  },

  async queue(batch, env, ctx) {
    /** @type {string[]} */
    const spans = [];
    // One after the other: a run's successor finds its predecessor in D1.
    for (const message of batch.messages) {
      try {
        const [kind, parts] = frameOf(batch.queue, message);
        settle(message, await runPart(hostOf(Target.QUEUE, env, ctx), kind, parts, spans));
      } catch (error) {
        logError("z0.message_failed", error);
        countError({ env, ctx }, "queue", "consumer");
        message.retry({ delaySeconds: RETRY_SECONDS });
      }
    }
    writeSpans(spans);
  },
};

/**
 * @param {(string | Uint8Array)[]} parts of a Frame.REQUEST
 * @param {Request} request
 */
function addHeaders(parts, { method, headers }) {
  const names = method === "OPTIONS" ? [...HEADERS, ...PREFLIGHT_HEADERS] : HEADERS;
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) parts.push(name, value);
  }
  if (!headers.has("ce-specversion")) return;
  for (const [name, value] of headers) if (name.startsWith("ce-")) parts.push(name, value);
}

/**
 * @param {string} queue
 * @param {Message} message
 * @returns {[number, (string | Uint8Array)[]]}
 */
function frameOf(queue, message) {
  // Our messages are bytes. Anything else in the queue is somebody's mistake; the core says so.
  const body =
    message.body instanceof ArrayBuffer || ArrayBuffer.isView(message.body)
      ? bytesOf(message.body)
      : JSON.stringify(message.body);
  return queue === DEAD_LETTERS ? [Frame.DEAD_LETTER, [message.id, body]] : [Frame.MESSAGE, [body]];
}

/** @param {ArrayBuffer | ArrayBufferView} body */
function bytesOf(body) {
  return body instanceof ArrayBuffer
    ? new Uint8Array(body)
    : new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
}

/**
 * @param {Message} message
 * @param {Reply} reply
 */
function settle(message, { status, headers }) {
  if (status === 200) return message.ack();
  const pause = headers.find(([name]) => name.toLowerCase() === "retry-after");
  message.retry({ delaySeconds: pause === undefined ? RETRY_SECONDS : Number(pause[1]) });
}

/** @param {Reply} reply */
function respond({ status, headers, body }) {
  // 204 and 304 have no body, not even an empty one.
  return new Response(body.length > 0 ? body : null, { status, headers });
}

/** The caller's trace. @param {Request} request */
function traceOf({ headers }) {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(headers.get("traceparent") ?? "")?.[1];
}

/**
 * Says nothing of what went wrong inside; the log does, under the same trace.
 * @param {Request} request
 */
function internalError(request) {
  const trace_id = traceOf(request);
  return Response.json(
    {
      status: "internal_error",
      http: 500,
      message: "z0 could not complete the request",
      action: "Send it again with the same fact ids: what was recorded is answered as a duplicate.",
      trace_id,
    },
    { status: 500 },
  );
}

/**
 * Only for tests of what a trap does: makes the core trap inside a ledger's object.
 * @param {Env} env
 * @param {string} name of the object, {type}_{entity_id}
 */
async function trap(env, name) {
  await env.LEDGER.getByName(name).call(METHOD_TRAP, name, new Uint8Array(0));
}
