// What did not reach z0, counted, and told as soon as z0 takes something again: as a metric, as a span over
// the time in which it was lost, and meanwhile as a line in the log.

import { Metrics } from "./metrics.js";

/** @import { Host } from "./transport.js" */

/** @typedef {"facts" | "spans" | "points"} What */

const LINE_MS = 10_000;
const NO_TRACE = { traceId: "", spanId: "" };

export class Losses {
  /**
   * @param {Host} host
   * @param {string} service
   */
  constructor(host, service) {
    this.host = host;
    this.service = service;
    /** Not told yet. @type {Metrics} */
    this.metrics = new Metrics();
    /** Since the last span that told. @type {Record<What, number>} */
    this.untold = { facts: 0, spans: 0, points: 0 };
    /** Since the isolate began. @type {Record<What, number>} */
    this.all = { facts: 0, spans: 0, points: 0 };
    // Whether z0 has taken something since: until then it is not told, and nothing waits for that.
    this.reachable = false;
    this.since = 0;
    this.tenant = "";
    this.lineAfter = 0;
  }

  /**
   * @param {What} what
   * @param {string} tenant
   * @param {number} count
   * @param {string} why
   */
  add(what, tenant, count, why) {
    if (count === 0) return;
    const now = this.host.now();
    if (!this.any) {
      this.since = now;
      this.tenant = tenant;
    }
    this.reachable = false;
    this.untold[what] += count;
    this.all[what] += count;
    const labels = { layer: "worker", component: "client", error_code: `dropped_${what}` };
    this.metrics.add("z0_errors_total", tenant, labels, count, { ...NO_TRACE, at: now });
    if (now < this.lineAfter) return;
    this.lineAfter = now + LINE_MS;
    const { service, untold } = this;
    console.error(JSON.stringify({ level: "error", event: "z0.client.dropped", service, why, ...untold }));
  }

  get any() {
    return this.untold.facts + this.untold.spans + this.untold.points > 0;
  }

  /** What a span tells; from here on it is counted anew. */
  take() {
    const { untold, since, tenant } = this;
    this.untold = { facts: 0, spans: 0, points: 0 };
    return { untold, since, tenant };
  }
}
