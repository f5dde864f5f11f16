// Health bands of replication: thresholds, words, and where a value stands on its meter.

/** @typedef {'healthy' | 'degraded' | 'critical'} Band */

/**
 * One signal's bands; every value has exactly one.
 * @typedef {object} Signal
 * @property {string} name
 * @property {number} degradedFrom the lowest value that is not healthy
 * @property {number} criticalAbove the highest value that is not yet critical
 * @property {number} floor where the degraded scale begins
 * @property {string} rule the bands in words
 */

/** @type {{lag: Signal, depth: Signal, failureRate: Signal}} */
export const signals = {
  lag: {
    name: "Lag",
    degradedFrom: 1_000,
    criticalAbove: 60_000,
    floor: 1_000,
    rule: "Time from a fact being recorded to being readable in D1. Healthy below 1 s, degraded from 1 s to 60 s, critical above.",
  },
  depth: {
    name: "Depth",
    degradedFrom: 1_000,
    criticalAbove: 100_000,
    floor: 1_000,
    rule: "Facts recorded and not yet in D1. Healthy below 1,000, degraded up to 100,000, critical above.",
  },
  failureRate: {
    name: "Failure rate",
    degradedFrom: Number.MIN_VALUE,
    criticalAbove: 0.01,
    floor: 0.00001,
    rule: "Share of deliveries to D1 that failed in the last minute. Healthy at 0, degraded up to 1 %, critical above.",
  },
};

export const bandWords = {
  healthy: "Healthy",
  degraded: "Degraded",
  critical: "Critical",
  unknown: "Unknown",
};

/**
 * @param {Signal} signal
 * @param {number | null} value
 * @returns {Band | 'unknown'}
 */
export function bandOf(signal, value) {
  if (value === null) return "unknown";
  if (value > signal.criticalAbove) return "critical";
  return value >= signal.degradedFrom ? "degraded" : "healthy";
}

/**
 * The band of all three signals: the worst wins, what is not known does not count.
 * @param {{lagMs: number | null, depth: number | null, failureRate: number | null}} replication
 * @returns {Band | 'unknown'}
 */
export function worstBand({ lagMs, depth, failureRate }) {
  const bands = [
    bandOf(signals.lag, lagMs),
    bandOf(signals.depth, depth),
    bandOf(signals.failureRate, failureRate),
  ];
  /** @type {Band[]} */
  const worstFirst = ["critical", "degraded", "healthy"];
  return worstFirst.find((band) => bands.includes(band)) ?? "unknown";
}

/**
 * Where a value stands on a meter of three equal zones, 0 to 1: logarithmic inside each, because a
 * lag of 40 ms and one of 40 minutes share the same inch.
 * @param {Signal} signal
 * @param {number} value
 */
export function meterPosition(signal, value) {
  const third = 1 / 3;
  const band = bandOf(signal, value);
  if (band === "healthy") {
    const top = signal.degradedFrom < 1 ? 1 : signal.degradedFrom;
    return third * (Math.log1p(Math.max(0, value)) / Math.log1p(top));
  }
  if (band === "degraded") {
    const span = Math.log(signal.criticalAbove / signal.floor);
    return third + third * Math.max(0, Math.log(value / signal.floor) / span);
  }
  return 2 * third + third * Math.min(1, Math.log(value / signal.criticalAbove) / Math.log(100));
}
