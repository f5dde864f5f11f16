// What is worth a call only together: messages for the queue and reports for the Monitor, collected
// over the isolate for a moment, so that under load one call carries what many requests have to say.
//
// A report that is lost is missing from the live window. Of messages, facts are sent again by their
// ledger's alarm, but an attempt lies nowhere else: so a message that the queue does not take goes to its
// consumer from here, and where D1 does not take it either it waits for the next one.

import { encodeReports } from "./effects.js";
import { logError } from "./log.js";
import { consume } from "./perform.js";
import { MESSAGE_BYTES_MAX } from "./types.js";

/** @import { Host } from "./types.js" */

const COLLECT_MS = 100;
// Until a message that nobody took is tried again, should no other one come before.
const AGAIN_MS = 2_000;
// A request that had promised to hand over may be gone; then the next one does.
const OVERDUE_MS = 2_000;

/**
 * Calls `handOver` once for all that came within `afterMs`.
 * @param {(host: Host) => Promise<void>} handOver
 * @param {number} afterMs
 */
export function soon(handOver, afterMs) {
  let dueMs = 0;
  return /** @param {Host} host */ (host) => {
    const now = Date.now();
    if (now < dueMs + OVERDUE_MS) return;
    dueMs = now + afterMs;
    const wait = new Promise((resolve) => setTimeout(resolve, afterMs));
    host.ctx.waitUntil(
      wait.then(() => {
        dueMs = 0;
        return handOver(host);
      }),
    );
  };
}

// -- messages -------------------------------------------------------------------------------------

// What waits while neither the queue nor D1 takes anything: some thousands of attempts. Then the oldest
// messages are given up.
const KEPT_BYTES_MAX = 1 << 20;

/** @type {Uint8Array[]} */
let bodies = [];
let bodyBytes = 0;
/** @type {Uint8Array[]} messages, oldest first */
let kept = [];
const sendSoon = soon(sendCollected, COLLECT_MS);
const sendAgain = soon(sendCollected, AGAIN_MS);

/**
 * @param {Host} host
 * @param {Uint8Array} body
 */
export function send(host, body) {
  if (bodyBytes + body.length > MESSAGE_BYTES_MAX) host.ctx.waitUntil(sendCollected(host));
  bodies.push(body);
  bodyBytes += body.length;
  sendSoon(host);
}

/** @param {Host} host */
async function sendCollected(host) {
  const messages = kept;
  kept = [];
  if (bodies.length > 0) messages.push(joined());
  for (let i = 0; i < messages.length; i++) {
    if (await delivered(host, messages[i])) continue;
    // Those behind it would fare no better.
    keep(messages.slice(i));
    return sendAgain(host);
  }
}

/** What was collected, as one message. */
function joined() {
  const message = new Uint8Array(bodyBytes);
  let at = 0;
  for (const body of bodies) {
    message.set(body, at);
    at += body.length;
  }
  bodies = [];
  bodyBytes = 0;
  return message;
}

/**
 * @param {Host} host
 * @param {Uint8Array} message
 */
async function delivered(host, message) {
  try {
    await host.env.FACTS_QUEUE.send(message, { contentType: "bytes" });
    return true;
  } catch (error) {
    logError("z0.send_failed", error);
  }
  try {
    return await consume(host, message);
  } catch (error) {
    logError("z0.message_failed", error);
    return false;
  }
}

/** @param {Uint8Array[]} messages that came before all that is kept */
function keep(messages) {
  kept = [...messages, ...kept];
  let bytes = kept.reduce((sum, message) => sum + message.length, 0);
  while (bytes > KEPT_BYTES_MAX) {
    bytes -= /** @type {Uint8Array} */ (kept.shift()).length;
    logError("z0.message_lost", "neither the queue nor D1 takes messages");
  }
}

// -- reports --------------------------------------------------------------------------------------

// An unreachable Monitor must not cost memory. 10,000 reports of some hundred bytes.
const REPORTS_MAX = 10_000;

/** @type {Uint8Array[]} */
let reports = [];
const tellSoon = soon(tellCollected, COLLECT_MS);

/**
 * @param {Host} host
 * @param {Uint8Array} report
 */
export function tell(host, report) {
  if (reports.length < REPORTS_MAX) reports.push(report);
  tellSoon(host);
}

/** @param {Host} host */
async function tellCollected({ env }) {
  const request = encodeReports(reports);
  reports = [];
  try {
    await env.MONITOR.getByName("root").tell("root", request);
  } catch (error) {
    logError("z0.tell_failed", error);
  }
}
