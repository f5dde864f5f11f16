// What a function gives may be a value or a promise; the caller gets the same kind of thing.

/**
 * The result, or a promise of it that is settled behind `done` or `failed`.
 * @template T
 * @param {T} result
 * @param {(value: any) => void} done
 * @param {(error: unknown) => void} [failed]
 * @returns {T}
 */
export function whenDone(result, done, failed = () => {}) {
  const then = /** @type {any} */ (result)?.then;
  if (typeof then !== "function") {
    done(result);
    return result;
  }
  const settled = /** @type {PromiseLike<any>} */ (result).then(
    (value) => {
      done(value);
      return value;
    },
    (error) => {
      failed(error);
      throw error;
    },
  );
  return /** @type {T} */ (settled);
}
