// What is worth a call only together: messages for the queue and reports for the Monitor, collected
// over the isolate for a moment, so that under load one call carries what many requests have to say.
//
// Nothing depends on it. A message that is lost here is sent again by its ledger's alarm; a report that
// is lost is missing from the live window.

import { encodeReports } from "./effects.js";
import { logError } from "./log.js";
import { Frame, MESSAGE_BYTES_MAX } from "./types.js";

/** @import { Env, Host } from "./types.js" */

const COLLECT_MS = 100;
// A request that had promised to hand over may be gone; then the next one does.
const OVERDUE_MS = 2_000;

/**
 * Calls `handOver` once for all that came within COLLECT_MS.
 * @param {(env: Env) => Promise<void>} handOver
 */
function soon(handOver) {
  let dueMs = 0;
  return /** @param {Host} host */ ({ ctx, env }) => {
    const now = Date.now();
    if (now < dueMs + OVERDUE_MS) return;
    dueMs = now + COLLECT_MS;
    const wait = new Promise((resolve) => setTimeout(resolve, COLLECT_MS));
    ctx.waitUntil(
      wait.then(() => {
        dueMs = 0;
        return handOver(env);
      }),
    );
  };
}

// -- messages -------------------------------------------------------------------------------------

/** @type {Uint8Array[]} */
let bodies = [];
let bodyBytes = 0;
const sendSoon = soon(sendCollected);

/**
 * @param {Host} host
 * @param {Uint8Array} body
 */
export function send(host, body) {
  if (bodyBytes + body.length > MESSAGE_BYTES_MAX) host.ctx.waitUntil(sendCollected(host.env));
  bodies.push(body);
  bodyBytes += body.length;
  sendSoon(host);
}

/** @param {Env} env */
async function sendCollected(env) {
  if (bodies.length === 0) return;
  const message = new Uint8Array(bodyBytes);
  let at = 0;
  for (const body of bodies) {
    message.set(body, at);
    at += body.length;
  }
  bodies = [];
  bodyBytes = 0;
  try {
    await env.FACTS_QUEUE.send(message, { contentType: "bytes" });
  } catch (error) {
    logError("z0.send_failed", error);
  }
}

// -- reports --------------------------------------------------------------------------------------

// An unreachable Monitor must not cost memory. 10,000 reports of some hundred bytes.
const REPORTS_MAX = 10_000;

/** @type {Uint8Array[]} */
let reports = [];
const tellSoon = soon(tellCollected);

/**
 * @param {Host} host
 * @param {Uint8Array} report
 */
export function tell(host, report) {
  if (reports.length < REPORTS_MAX) reports.push(report);
  tellSoon(host);
}

/** @param {Env} env */
async function tellCollected(env) {
  const request = encodeReports(reports);
  reports = [];
  try {
    await env.MONITOR.getByName("root").call(Frame.MONITOR_TELL, "root", request);
  } catch (error) {
    logError("z0.tell_failed", error);
  }
}
