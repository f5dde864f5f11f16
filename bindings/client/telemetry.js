// Spans and points on their way to z0, as OTLP over HTTP in JSON.

import { countWithin, Lane } from "./lane.js";
import { Metrics, text } from "./metrics.js";

/** @import { Span } from "./spans.js" */
/** @import { Exemplar } from "./metrics.js" */
/** @import { Answer } from "./transport.js" */

export const VERSION = "0.1.0";

const SPANS_MAX = 4_000;
const CHARACTERS_MAX = 8 << 20;
// Of a request: z0 takes 4 MiB, and a character may be three bytes of it.
const BATCH_SPANS = 500;
const BATCH_CHARACTERS = 1 << 20;
const AGE_MS_MAX = 300_000;
const SCOPE = { name: "@z0/client", version: VERSION };

/** @param {string} service */
function resourceOf(service) {
  const attributes = {
    "service.name": service,
    "telemetry.sdk.name": SCOPE.name,
    "telemetry.sdk.version": VERSION,
    "telemetry.sdk.language": "webjs",
  };
  return { attributes: Object.entries(attributes).map(([key, value]) => text(key, value)) };
}

/**
 * What a partial success left out.
 * @param {Answer} answer
 * @param {"rejectedSpans" | "rejectedDataPoints"} member
 */
function rejected({ what, body }, member) {
  const count = what === "taken" ? Number(body?.partialSuccess?.[member] ?? 0) : 0;
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

export class SpanLane extends Lane {
  /** @type {Span[]} oldest first */
  #waiting = [];
  #characters = 0;

  get empty() {
    return this.#waiting.length === 0;
  }

  /** @param {Span} span */
  add(span) {
    const characters = this.#characters + span.characters;
    if (this.#waiting.length >= SPANS_MAX || characters > CHARACTERS_MAX) {
      return this.shared.losses.add("spans", span.tenant, 1, "no room is left");
    }
    this.#waiting.push(span);
    this.#characters = characters;
  }

  /** @param {string} why */
  abandon(why) {
    this.#lose(this.#waiting, why);
  }

  async send() {
    const oldest = this.now - AGE_MS_MAX;
    this.#lose(this.#waiting.filter(({ end }) => end < oldest), "z0 did not take it in 5 minutes");
    const batch = this.#waiting.slice(0, countWithin(this.#waiting, BATCH_SPANS, BATCH_CHARACTERS));
    if (batch.length === 0) return;
    const { service, losses } = this.shared;
    const scopeSpans = [{ scope: SCOPE, spans: batch.map((span) => span.otlp()) }];
    const request = { resourceSpans: [{ resource: resourceOf(service), scopeSpans }] };
    for (const span of batch) span.sent = true;
    const answer = await this.post("/v1/traces", JSON.stringify(request));
    // A span has its id, so one that comes twice is the same one.
    if (answer.what === "again" || answer.what === "lost") return this.backOff(answer);
    this.goOn();
    if (answer.what === "refused") return this.#lose(batch, answer.why);
    this.#remove(batch);
    const why = answer.body?.partialSuccess?.errorMessage ?? "refused";
    losses.add("spans", batch[0].tenant, rejected(answer, "rejectedSpans"), why);
  }

  /** @param {Span[]} spans */
  #remove(spans) {
    const gone = new Set(spans);
    this.#waiting = this.#waiting.filter((span) => !gone.has(span));
    this.#characters = this.#waiting.reduce((sum, { characters }) => sum + characters, 0);
  }

  /**
   * @param {Span[]} spans
   * @param {string} why
   */
  #lose(spans, why) {
    if (spans.length === 0) return;
    this.#remove(spans);
    this.shared.losses.add("spans", spans[0].tenant, spans.length, why);
  }
}

export class PointLane extends Lane {
  #metrics = new Metrics();
  /** What is being sent. Still there when nobody sends: its sender ended. @type {Metrics | null} */
  #flying = null;

  get empty() {
    const { losses } = this.shared;
    const nothingToTell = losses.metrics.empty || !losses.reachable;
    return this.#metrics.empty && this.#flying === null && nothingToTell;
  }

  /**
   * @param {string} name
   * @param {string} tenant
   * @param {Record<string, unknown>} labels
   * @param {number} value
   * @param {Exemplar} exemplar
   */
  add(name, tenant, labels, value, exemplar) {
    if (!this.#metrics.add(name, tenant, labels, value, exemplar)) {
      this.shared.losses.add("points", tenant, 1, "no room is left");
    }
  }

  /** @param {string} why */
  abandon(why) {
    this.#lose(this.#metrics.take(), why);
  }

  async send() {
    const { losses, service } = this.shared;
    if (this.#flying !== null) this.#lose(this.#flying, "its request ended while it was sent");
    if (this.#metrics.since < this.now - AGE_MS_MAX) {
      this.#lose(this.#metrics.take(), "z0 did not take it in 5 minutes");
    }
    const own = this.#metrics.take();
    const lost = losses.metrics.take();
    this.#flying = own;
    const metrics = [...own.otlp(this.now), ...lost.otlp(this.now)];
    const scopeMetrics = [{ scope: SCOPE, metrics }];
    const request = { resourceMetrics: [{ resource: resourceOf(service), scopeMetrics }] };
    const answer = await this.post("/v1/metrics", JSON.stringify(request));
    if (this.#flying === own) this.#flying = null;
    if (answer.what !== "taken") losses.metrics.merge(lost);
    if (answer.what === "again") {
      losses.add("points", "", this.#metrics.merge(own), "no room is left");
      return this.backOff(answer);
    }
    if (answer.what === "lost") this.backOff(answer);
    else this.goOn();
    // An increase that came twice would count twice, so what may have come is not sent again.
    if (answer.what !== "taken") return this.#lose(own, answer.why);
    const why = answer.body?.partialSuccess?.errorMessage ?? "refused";
    losses.add("points", "", rejected(answer, "rejectedDataPoints"), why);
  }

  /**
   * @param {Metrics} metrics
   * @param {string} why
   */
  #lose(metrics, why) {
    if (this.#flying === metrics) this.#flying = null;
    for (const { tenant, times } of metrics.series.values()) {
      this.shared.losses.add("points", tenant, times, why);
    }
  }
}
