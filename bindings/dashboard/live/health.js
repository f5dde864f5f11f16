// Health bands of replication: words, and where a value stands on its meter. The bounds themselves
// come with each answer; they stand in the core alone.

/** @typedef {'healthy' | 'degraded' | 'critical'} Band */

/**
 * One signal's bands; every value has exactly one.
 * @typedef {object} Bands
 * @property {number} healthyMax the highest value that is healthy
 * @property {number} criticalAbove the highest value that is not yet critical
 */

/** @typedef {{name: string, meaning: string}} Signal */

/** @satisfies {Record<string, Signal>} */
export const signals = {
  lag: { name: "Lag", meaning: "Time from a fact being recorded to being readable in D1." },
  depth: { name: "Depth", meaning: "Facts recorded and not yet in D1." },
  failureRate: {
    name: "Failure rate",
    meaning: "Share of deliveries to D1 that failed in the last minute.",
  },
};

/**
 * The bands in words.
 * @param {Bands | null} bands
 * @param {(value: number) => string} format
 */
export function ruleOf(bands, format) {
  if (bands === null) return "";
  const { healthyMax, criticalAbove } = bands;
  const healthy = healthyMax === 0 ? "at 0" : `up to ${format(healthyMax)}`;
  return `Healthy ${healthy}, degraded up to ${format(criticalAbove)}, critical above.`;
}

export const bandWords = {
  healthy: "Healthy",
  degraded: "Degraded",
  critical: "Critical",
  unknown: "Unknown",
};

/**
 * @param {Bands | null} bands
 * @param {number | null} value
 * @returns {Band | 'unknown'}
 */
export function bandOf(bands, value) {
  if (bands === null || value === null) return "unknown";
  if (value > bands.criticalAbove) return "critical";
  return value > bands.healthyMax ? "degraded" : "healthy";
}

/**
 * Where a value stands on a meter of three equal zones, 0 to 1: logarithmic inside each, because a
 * lag of 40 ms and one of 40 minutes share the same inch.
 * @param {Bands} bands
 * @param {number} value
 */
export function meterPosition({ healthyMax, criticalAbove }, value) {
  const third = 1 / 3;
  if (value <= healthyMax) {
    return third * (Math.log1p(Math.max(0, value)) / Math.log1p(Math.max(1, healthyMax)));
  }
  if (value <= criticalAbove) {
    // Where only 0 is healthy, the scale begins at a thousandth of what is critical.
    const floor = healthyMax > 0 ? healthyMax : criticalAbove / 1_000;
    const span = Math.log(criticalAbove / floor);
    return third + third * Math.max(0, Math.log(value / floor) / span);
  }
  return 2 * third + third * Math.min(1, Math.log(value / criticalAbove) / Math.log(100));
}
