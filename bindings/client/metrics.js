// What a product Worker measures, merged over the isolate: sums and histograms since they were last sent,
// as OTLP's delta temporality has it.

import { bucketOf, explicit } from "./histogram.js";
import { label } from "./names.js";

/** @typedef {"counter" | "histogram"} MetricKind */

/**
 * The metrics of z0 that are measured in a product Worker, with their labels beside tenant_id. z0's own
 * registry is the law; a test compares the two.
 * @type {Record<string, { kind: MetricKind, labels: string[] }>}
 */
export const METRICS = {
  z0_external_calls_total: { kind: "counter", labels: ["tool_id", "operation", "error_code"] },
  z0_external_errors_total: { kind: "counter", labels: ["tool_id", "operation", "error_code"] },
  z0_external_call_duration_ms: { kind: "histogram", labels: ["tool_id", "operation", "error_code"] },
  z0_routing_decisions_total: { kind: "counter", labels: ["result", "reason"] },
  z0_routing_decision_duration_ms: { kind: "histogram", labels: ["result", "reason"] },
  z0_cache_hits_total: { kind: "counter", labels: ["cache_type"] },
  z0_cache_misses_total: { kind: "counter", labels: ["cache_type"] },
  z0_cache_read_duration_ms: { kind: "histogram", labels: ["cache_type"] },
  z0_config_reads_total: { kind: "counter", labels: ["config_type"] },
  z0_config_read_duration_ms: { kind: "histogram", labels: ["config_type"] },
  z0_errors_total: { kind: "counter", labels: ["layer", "component", "error_code"] },
};

// A series is some 300 bytes, and one more means a label that takes any value.
export const SERIES_MAX = 1_000;
const DELTA = 1;

/**
 * @typedef {object} Exemplar
 * @property {string} traceId
 * @property {string} spanId
 * @property {number} at
 */
/**
 * @typedef {object} Series
 * @property {string} name
 * @property {string} tenant
 * @property {string[]} values of the labels
 * @property {number} count how much, or how many observations
 * @property {number} sum of what was observed
 * @property {number} times it was measured
 * @property {Map<number, number>} buckets
 * @property {Exemplar | null} exemplar the newest
 * @property {number} exemplarValue what was measured there
 */

export class Metrics {
  constructor() {
    /** @type {Map<string, Series>} */
    this.series = new Map();
    // When the first of them was measured.
    this.since = 0;
  }

  get empty() {
    return this.series.size === 0;
  }

  /** How often something was measured. */
  get times() {
    let times = 0;
    for (const { times: own } of this.series.values()) times += own;
    return times;
  }

  /**
   * False when there is no room for another series.
   * @param {string} name
   * @param {string} tenant
   * @param {Record<string, unknown>} labels
   * @param {number} value how much more, or what was observed
   * @param {Exemplar} exemplar
   */
  add(name, tenant, labels, value, exemplar) {
    const metric = METRICS[name];
    if (metric === undefined) throw new TypeError(`${name} is no metric of z0`);
    const series = this.#seriesOf(
      name,
      tenant,
      metric.labels.map((key) => label(labels[key])),
      exemplar.at,
    );
    if (series === null) return false;
    series.times++;
    if (metric.kind === "counter") series.count += value;
    else {
      const bucket = bucketOf(value);
      series.buckets.set(bucket, (series.buckets.get(bucket) ?? 0) + 1);
      series.count++;
      series.sum += value;
    }
    if (exemplar.traceId !== "") {
      series.exemplar = exemplar;
      series.exemplarValue = value;
    }
    return true;
  }

  /**
   * @param {string} name
   * @param {string} tenant
   * @param {string[]} values
   * @param {number} at
   * @returns {Series | null}
   */
  #seriesOf(name, tenant, values, at) {
    const key = [name, tenant, ...values].join("\n");
    const found = this.series.get(key);
    if (found !== undefined) return found;
    if (this.series.size >= SERIES_MAX) return null;
    if (this.empty) this.since = at;
    const made = {
      ...{ name, tenant, values, count: 0, sum: 0, times: 0, buckets: new Map() },
      ...{ exemplar: null, exemplarValue: 0 },
    };
    this.series.set(key, made);
    return made;
  }

  /** What was measured so far; from here on it is counted anew. */
  take() {
    const taken = new Metrics();
    taken.series = this.series;
    taken.since = this.since;
    this.series = new Map();
    return taken;
  }

  /**
   * Takes back what was not sent. How often something was measured for which there is no room.
   * @param {Metrics} older
   */
  merge(older) {
    let lost = 0;
    if (!older.empty) this.since = this.empty ? older.since : Math.min(this.since, older.since);
    for (const [key, series] of older.series) {
      const own = this.series.get(key);
      if (own === undefined) {
        if (this.series.size < SERIES_MAX) this.series.set(key, series);
        else lost += series.times;
        continue;
      }
      own.count += series.count;
      own.sum += series.sum;
      own.times += series.times;
      for (const [bucket, count] of series.buckets)
        own.buckets.set(bucket, (own.buckets.get(bucket) ?? 0) + count);
      if (own.exemplar === null) {
        own.exemplar = series.exemplar;
        own.exemplarValue = series.exemplarValue;
      }
    }
    return lost;
  }

  /**
   * The metrics of an OTLP request.
   * @param {number} now
   */
  otlp(now) {
    /** @type {Map<string, object[]>} */
    const byName = new Map();
    for (const series of this.series.values()) {
      const points = byName.get(series.name) ?? [];
      points.push(pointOf(series, this.since, now));
      byName.set(series.name, points);
    }
    return [...byName].map(([name, dataPoints]) =>
      METRICS[name].kind === "counter"
        ? { name, sum: { dataPoints, aggregationTemporality: DELTA, isMonotonic: true } }
        : { name, unit: "ms", histogram: { dataPoints, aggregationTemporality: DELTA } },
    );
  }
}

/**
 * @param {Series} series
 * @param {number} since
 * @param {number} now
 */
function pointOf(series, since, now) {
  const { kind, labels } = METRICS[series.name];
  const common = {
    attributes: [
      text("tenant_id", series.tenant),
      ...labels.map((key, i) => text(key, series.values[i])),
    ],
    startTimeUnixNano: nanoseconds(since),
    timeUnixNano: nanoseconds(now),
    ...(series.exemplar === null ? {} : { exemplars: [exemplarOf(series.exemplar, series.exemplarValue)] }),
  };
  if (kind === "counter") return { ...common, asInt: String(series.count) };
  return { ...common, count: String(series.count), sum: series.sum, ...explicit(series.buckets) };
}

/**
 * @param {Exemplar} exemplar
 * @param {number} value
 */
function exemplarOf({ traceId, spanId, at }, value) {
  return { timeUnixNano: nanoseconds(at), asDouble: value, traceId, ...(spanId === "" ? {} : { spanId }) };
}

/**
 * @param {string} key
 * @param {string} stringValue
 */
export function text(key, stringValue) {
  return { key, value: { stringValue } };
}

/** A double has no room for nanoseconds since 1970. @param {number} ms */
export function nanoseconds(ms) {
  const whole = Math.floor(ms);
  return `${whole}${String(Math.floor((ms - whole) * 1e6)).padStart(6, "0")}`;
}
