// The answer of GET /v1/live as the page uses it. Everything is checked here once, so that the drawing
// code never meets a missing field, a string for a number or a list for an object.

import { isRecord, list, measure, number, text, TEXT_MAX } from "../lib/read.js";

/** @typedef {import('./health.js').Band} Band */
/** @typedef {import('./health.js').Bands} Bands */

/**
 * @typedef {object} LatestFact
 * @property {string} id
 * @property {string} type
 * @property {string | null} subtype
 * @property {string} entityId
 * @property {string} tenantId
 * @property {number | null} amount minor units
 * @property {string | null} currency
 * @property {string} status recorded or failed
 * @property {number | null} recordedAt ms
 * @property {string | null} traceId
 */

/**
 * @typedef {object} Replication
 * @property {Band | 'unknown'} band
 * @property {number | null} lagMs
 * @property {number | null} lagP99Ms
 * @property {number | null} depth
 * @property {number | null} oldestAgeMs
 * @property {number | null} failureRate 0 to 1
 * @property {number | null} failures
 * @property {number | null} retries
 * @property {number | null} deadLetters
 * @property {Record<'lag' | 'depth' | 'failureRate', Bands | null>} bands null where z0 says none
 */

/**
 * @typedef {object} Totals the last 10 minutes
 * @property {number | null} recorded
 * @property {number | null} duplicate
 * @property {number | null} conflict
 * @property {number | null} refused
 * @property {number | null} failed
 */

/**
 * @typedef {object} Live
 * @property {number} now z0's clock, ms
 * @property {number} since when the monitor began to count, ms
 * @property {number[]} factsPerSecond oldest first, at most SECONDS_MAX
 * @property {Totals} totals
 * @property {{type: string, count: number}[]} byType most first
 * @property {Replication} replication
 * @property {LatestFact[]} latest newest first, at most LATEST_MAX
 */

// The curve's width, and what z0 sends.
const SECONDS_MAX = 120;
// z0 sends 50; more would only make the table slow.
const LATEST_MAX = 50;
// z0 counts some 64 types by name and the rest as "(other)".
const TYPES_MAX = 100;

/**
 * @param {unknown} body parsed JSON
 * @returns {Live | null} null when it is no object at all
 */
export function readLive(body) {
  if (!isRecord(body)) return null;
  return {
    now: number(body.now) ?? Date.now(),
    since: number(body.since) ?? 0,
    factsPerSecond: list(body.facts_per_second)
      .slice(-SECONDS_MAX)
      .map((n) => measure(n) ?? 0),
    totals: {
      recorded: measure(body.recorded),
      duplicate: measure(body.duplicate),
      conflict: measure(body.conflict),
      refused: measure(body.refused),
      failed: measure(body.failed),
    },
    byType: readByType(body.by_type),
    replication: readReplication(body.replication),
    latest: list(body.latest).slice(0, LATEST_MAX).filter(isRecord).map(readFact),
  };
}

/** @param {unknown} value */
function readByType(value) {
  if (!isRecord(value)) return [];
  return Object.entries(value)
    .map(([type, count]) => ({ type: type.slice(0, TEXT_MAX), count: measure(count) ?? 0 }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1))
    .slice(0, TYPES_MAX);
}

/**
 * @param {unknown} value
 * @returns {Replication}
 */
function readReplication(value) {
  const from = isRecord(value) ? value : {};
  const band = from.band;
  return {
    band: band === "healthy" || band === "degraded" || band === "critical" ? band : "unknown",
    lagMs: measure(from.lag_ms),
    lagP99Ms: measure(from.lag_p99_ms),
    depth: measure(from.depth),
    oldestAgeMs: measure(from.oldest_age_ms),
    failureRate: measure(from.failure_rate),
    failures: measure(from.failures),
    retries: measure(from.retries),
    deadLetters: measure(from.dead_letters),
    bands: readBands(from.bands),
  };
}

/**
 * @param {unknown} value
 * @returns {Replication["bands"]}
 */
function readBands(value) {
  const from = isRecord(value) ? value : {};
  /** @param {unknown} signal */
  const read = (signal) => {
    const { healthy_max, critical_above } = isRecord(signal) ? signal : {};
    const [healthyMax, criticalAbove] = [measure(healthy_max), measure(critical_above)];
    const known = healthyMax !== null && criticalAbove !== null && healthyMax < criticalAbove;
    return known ? { healthyMax, criticalAbove } : null;
  };
  return { lag: read(from.lag_ms), depth: read(from.depth), failureRate: read(from.failure_rate) };
}

/**
 * @param {Record<string, unknown>} from
 * @returns {LatestFact}
 */
function readFact(from) {
  return {
    id: text(from.id) ?? "",
    type: text(from.type) ?? "",
    subtype: text(from.subtype),
    entityId: text(from.entity_id) ?? "",
    tenantId: text(from.tenant_id) ?? "",
    amount: number(from.amount),
    currency: text(from.currency),
    status: text(from.status) ?? "",
    recordedAt: number(from.recorded_at),
    traceId: text(from.trace_id),
  };
}
