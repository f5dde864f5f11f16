// Reports for the Monitor, collected over the isolate for a moment: under load one call carries what
// hundreds of requests have to tell. Best effort: what is lost here is not in the live window, and
// nothing else depends on it.

import { encodeReports } from "./effects.js";
import { logError } from "./log.js";
import { Frame } from "./types.js";

/** @import { Env, Host } from "./types.js" */

const COLLECT_MS = 100;
// A request that had promised to hand the reports over may be gone; then the next one does.
const OVERDUE_MS = 2_000;
// An unreachable Monitor must not cost memory. 10,000 reports of some hundred bytes.
const REPORTS_MAX = 10_000;

/** @type {Uint8Array[]} */
let reports = [];
let dueMs = 0;

/**
 * @param {Host} host
 * @param {Uint8Array} report
 */
export function tell(host, report) {
  if (reports.length < REPORTS_MAX) reports.push(report);
  const now = Date.now();
  if (now < dueMs + OVERDUE_MS) return;
  dueMs = now + COLLECT_MS;
  host.ctx.waitUntil(handOver(host.env));
}

/** @param {Env} env */
async function handOver(env) {
  await new Promise((resolve) => setTimeout(resolve, COLLECT_MS));
  const request = encodeReports(reports);
  reports = [];
  dueMs = 0;
  try {
    await env.MONITOR.getByName("root").call(Frame.MONITOR_TELL, "root", request);
  } catch (error) {
    logError("z0.tell_failed", error);
  }
}
