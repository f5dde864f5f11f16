// The Worker that stands in for Analytics Engine on the machine of whoever develops: the binding's
// call, a table for the points, and the SQL API. It is never deployed; there, Analytics Engine
// itself has them.

import { WorkerEntrypoint } from "cloudflare:workers";
import { answer } from "./api.js";
import { checkedPoint } from "./point.js";

/** @import { Env } from "./api.js" */
/** @import { DataPoint, StoredPoint } from "./point.js" */

export { Points } from "./points.js";

// Points of the isolate are written together, as Analytics Engine takes them: some moments later.
const COLLECT_MS = 50;
const COLLECTED_MAX = 10_000;
// The call that had promised to write may be gone; then the next one does.
const OVERDUE_MS = 2_000;

/** @type {StoredPoint[]} */
let collected = [];
let dueMs = 0;

/** @param {Env} env */
async function writeCollected(env) {
  const points = collected;
  collected = [];
  dueMs = 0;
  try {
    await env.POINTS.getByName("points").write(points);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    console.error(
      JSON.stringify({
        level: "error",
        event: "analytics.write_failed",
        points: points.length,
        error: words,
      }),
    );
  }
}

/** @extends {WorkerEntrypoint<Env, { dataset?: string }>} */
export class Metrics extends WorkerEntrypoint {
  /** @param {DataPoint} [point] */
  writeDataPoint(point) {
    this.writeDataPoints([point ?? {}]);
  }

  /**
   * Several at once, in one call between Workers: each with its own time (seconds since 1970), where
   * it has one.
   * @param {(DataPoint & { timestamp?: number })[]} points
   */
  writeDataPoints(points) {
    const dataset = this.ctx.props?.dataset ?? "z0";
    const now = Math.floor(Date.now() / 1000);
    for (const point of points) {
      const timestamp = Number.isSafeInteger(point.timestamp) ? Number(point.timestamp) : now;
      const stored = { dataset, timestamp, ...checkedPoint(point) };
      if (collected.length < COLLECTED_MAX) collected.push(stored);
    }
    if (Date.now() < dueMs + OVERDUE_MS) return;
    dueMs = Date.now() + COLLECT_MS;
    const wait = new Promise((resolve) => setTimeout(resolve, COLLECT_MS));
    this.ctx.waitUntil(wait.then(() => writeCollected(this.env)));
  }

  /**
   * The SQL API, for whoever has this binding.
   * @override
   * @param {Request} request
   */
  fetch(request) {
    return answer(request, this.env);
  }
}

/** @type {ExportedHandler<Env>} */
export default {
  fetch: (request, env) => answer(request, env),
};
