// z0's buckets (include/z0/metrics/histogram.hpp): one for each value up to 50, then 70 from a power of ten
// to the next, which end at round numbers. A histogram that is sent in them merges in z0 without an error.

const EXACT_MAX = 50;
const VALUE_MAX = 1e12;
// From a power of ten up to 2, 5 and 10 times it.
const TO_TWO = 20;
const TO_FIVE = 50;
const TO_TEN = 70;

/**
 * @param {number} value ms; a part of one counts as a whole one, so that nothing that took time took none
 */
export function bucketOf(value) {
  const whole = Math.min(Math.max(Math.ceil(value), 0), VALUE_MAX);
  if (whole <= EXACT_MAX) return whole;
  let first = 1;
  let power = 10;
  for (; whole > 10 * power; power *= 10) first += TO_TEN;
  if (whole <= 2 * power) return first + Math.floor((whole - power - 1) / (power / 20));
  if (whole <= 5 * power) return first + TO_TWO + Math.floor((whole - 2 * power - 1) / (power / 10));
  return first + TO_FIVE + Math.floor((4 * (whole - 5 * power) - 1) / power);
}

/** The largest value of a bucket. @param {number} bucket */
export function boundOf(bucket) {
  if (bucket <= EXACT_MAX) return bucket;
  const power = 10 ** (1 + Math.floor((bucket - 1) / TO_TEN));
  const part = (bucket - 1) % TO_TEN;
  if (part < TO_TWO) return power + (part + 1) * (power / 20);
  if (part < TO_FIVE) return 2 * power + (part - TO_TWO + 1) * (power / 10);
  return Math.floor(5 * power + ((part - TO_FIVE + 1) * power) / 4);
}

/**
 * As OTLP has it: bounds, and one count more than there are. Only buckets in use, each between its own
 * bounds, so that empty ones cost nothing and others read it right, too.
 * @param {Map<number, number>} counts by bucket
 */
export function explicit(counts) {
  /** @type {number[]} */
  const bounds = [];
  /** @type {number[]} */
  const bucketCounts = [];
  for (const bucket of [...counts.keys()].sort((a, b) => a - b)) {
    const below = bucket > 0 ? boundOf(bucket - 1) : -1;
    if (below >= 0 && bounds[bounds.length - 1] !== below) {
      bounds.push(below);
      bucketCounts.push(0);
    }
    bounds.push(boundOf(bucket));
    bucketCounts.push(counts.get(bucket) ?? 0);
  }
  return { explicitBounds: bounds, bucketCounts: [...bucketCounts, 0].map(String) };
}
