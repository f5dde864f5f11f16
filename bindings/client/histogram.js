// z0's buckets (include/z0/metrics/histogram.hpp): a value of its own below 32, then 16 to a doubling. A
// histogram that is sent in them merges in z0 without an error.

const DOUBLING = 16;
const VALUE_MAX = 2 ** 42 - 1;

/**
 * @param {number} value ms; a part of one counts as a whole one, so that nothing that took time took none
 */
export function bucketOf(value) {
  let rest = Math.min(Math.max(Math.ceil(value), 0), VALUE_MAX);
  let shift = 0;
  for (; rest >= 2 * DOUBLING; shift++) rest = Math.floor(rest / 2);
  return DOUBLING * shift + rest;
}

/** The largest value of a bucket. @param {number} bucket */
export function boundOf(bucket) {
  if (bucket < 2 * DOUBLING) return bucket;
  const shift = Math.floor(bucket / DOUBLING) - 1;
  return ((bucket % DOUBLING) + DOUBLING + 1) * 2 ** shift - 1;
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
