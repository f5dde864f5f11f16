// In the place of spans.js: needs are answered, and nothing is said of them.

/**
 * @template T
 * @param {string[]} _spans
 * @param {unknown} _span
 * @param {(failed: (message: string) => void) => Promise<T>} answer
 * @returns {Promise<T>}
 */
export const inSpan = (_spans, _span, answer) => answer(() => {});

export function writeSpans() {}
