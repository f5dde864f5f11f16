// Interleaved rounds: every contender runs once in each round, in turn, so that a machine that
// slows down slows all of them; the median over the rounds is the figure, its range stands beside
// it.

/** @typedef {{median: number, min: number, max: number, samples: number[]}} Figure */

/** @param {number[]} samples @returns {Figure} */
export function figure(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  const n = sorted.length;
  const at = (/** @type {number} */ i) => /** @type {number} */ (sorted[i]);
  const median = n % 2 ? at((n - 1) / 2) : (at(n / 2 - 1) + at(n / 2)) / 2;
  return { median, min: at(0), max: at(n - 1), samples };
}

/**
 * Runs every contender `rounds` times, A B C A B C, and gathers what each run returns by name.
 * @template {Record<string, number>} R
 * @param {Record<string, () => Promise<R>>} contenders @param {number} rounds
 * @returns {Promise<Record<string, Record<keyof R & string, Figure>>>}
 */
export async function interleave(contenders, rounds) {
  /** @type {Record<string, Record<string, number[]>>} */
  const samples = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const result = await run();
      const mine = (samples[name] ??= {});
      for (const [key, value] of Object.entries(result)) (mine[key] ??= []).push(value);
    }
  }
  /** @type {any} */
  const figures = {};
  for (const [name, mine] of Object.entries(samples)) {
    figures[name] = Object.fromEntries(
      Object.entries(mine).map(([key, list]) => [key, figure(list)]),
    );
  }
  return figures;
}

// The optimizing compilers work in threads of their own, on the same account; until they are done a
// loop looks dearer than it is.
const WARM_MS = 1_500;

/**
 * Warms up, then finds how many loops fill a sample.
 * @param {(n: number) => Promise<number>} spend
 * @param {number} sampleMs
 */
export async function calibrate(spend, sampleMs) {
  let n = 1;
  for (let warm = 0; ; ) {
    const ms = await spend(n);
    warm += ms;
    if (ms >= sampleMs * 0.6 && warm >= WARM_MS) return Math.round((n * sampleMs) / ms);
    n = Math.ceil(n * Math.min(8, Math.max(1.1, sampleMs / Math.max(ms, 0.5))));
  }
}

const started = Date.now();

/** Says on standard error what is being done. @param {string} text */
export function progress(text) {
  process.stderr.write(`[${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s] ${text}\n`);
}
