// What an isolate has to tell z0. All requests of the isolate share it; each is a driver for as long as it
// may stay behind its reply (waitUntil), and no reply waits for it.

import { newId } from "./context.js";
import { FactLane } from "./fact_lane.js";
import { LEASE_SLACK_MS } from "./lane.js";
import { Losses } from "./losses.js";
import { PointLane, SpanLane } from "./telemetry.js";

/** @import { Host, Target } from "./transport.js" */

// Long enough that a burst shares a batch, short enough that a person sees what she just did.
const COLLECT_MS = 100;
// The platform lets a request go on for 30 s behind its reply.
export const DRIVE_MS_MAX = 25_000;
// One sends; the other one is there should the first one's request end.
const DRIVERS_MAX = 2;
// Something else may come while a driver waits for its next try.
const LOOK_MS_MAX = 500;
const RECOVER_SPAN = "z0.worker.client.recover";

export class Outbox {
  /** @type {number[]} until when each driver is believed to be there */
  #drivers = [];

  /**
   * @param {Host} host
   * @param {Target} target
   * @param {string} service
   * @param {number} timeoutMs
   */
  constructor(host, target, service, timeoutMs) {
    this.host = host;
    this.target = target;
    this.losses = new Losses(host, service);
    const shared = {
      ...{ host, target, service, timeoutMs, losses: this.losses },
      addSpan: (/** @type {import("./spans.js").Span} */ span) => this.spans.add(span),
    };
    this.facts = new FactLane(shared);
    this.spans = new SpanLane(shared);
    this.points = new PointLane(shared);
  }

  get #waiting() {
    return [this.facts, this.spans, this.points].filter((lane) => !lane.empty);
  }

  get empty() {
    return this.#waiting.length === 0;
  }

  /** Counts what waits as lost. @param {string} why */
  abandon(why) {
    for (const lane of [this.facts, this.spans, this.points]) lane.abandon(why);
  }

  /**
   * Sees to it that what came in goes out.
   * @param {(work: Promise<unknown>) => void} waitUntil
   */
  touch(waitUntil) {
    const now = this.host.now();
    this.#drivers = this.#drivers.filter((until) => until > now);
    if (this.#drivers.length >= DRIVERS_MAX) return;
    const until = now + DRIVE_MS_MAX;
    this.#drivers.push(until + LEASE_SLACK_MS);
    try {
      waitUntil(this.#driveBehind(until));
    } catch {
      // A request that is over promises nothing any more; the next one drives when this one does not.
    }
  }

  /** @param {number} until */
  async #driveBehind(until) {
    try {
      await this.host.sleep(COLLECT_MS);
      await this.drive(until);
    } finally {
      const at = this.#drivers.indexOf(until + LEASE_SLACK_MS);
      if (at >= 0) this.#drivers.splice(at, 1);
    }
  }

  /**
   * Sends until nothing is left, or until then.
   * @param {number} until
   */
  async drive(until) {
    for (let waiting = this.#waiting; waiting.length > 0; waiting = this.#waiting) {
      const now = this.host.now();
      if (now >= until) return;
      const wait = Math.min(...waiting.map(({ freeAt }) => freeAt)) - now;
      if (wait > 0) await this.host.sleep(Math.min(wait, until - now, LOOK_MS_MAX));
      else await this.#sendReady();
    }
  }

  async #sendReady() {
    const ready = (/** @type {import("./lane.js").Lane & {empty: boolean}} */ lane) =>
      !lane.empty && lane.freeAt <= this.host.now();
    // Facts first: a span that is sent behind them says what became of the money.
    if (ready(this.facts)) await this.facts.send();
    const { spans, points, losses } = this;
    await Promise.all([ready(spans) ? spans.send() : null, ready(points) ? points.send() : null]);
    if (losses.reachable && losses.any) this.#tellOfLosses();
  }

  /** A span over the time in which something was lost, with how much. */
  #tellOfLosses() {
    const { untold, since, tenant } = this.losses.take();
    const trace = { traceId: newId(16, this.host.randomHex), spanId: "" };
    const span = this.spans.ownSpan(RECOVER_SPAN, trace, tenant, since);
    for (const [what, count] of Object.entries(untold)) {
      if (count > 0) span.setAttribute(`z0.dropped_${what}`, count);
    }
    if (untold.facts > 0) span.setMoney(false);
    span.fail("dropped", "what did not reach z0 since the span began");
    this.spans.add(span);
  }
}
