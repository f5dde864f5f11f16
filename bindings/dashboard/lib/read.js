// What an answer says, or null where it says something else than it should.

// Ids have at most 128 characters. What is longer is not z0's and is cut.
export const TEXT_MAX = 256;

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @returns {unknown[]} */
export function list(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {unknown} value @returns {number | null} */
export function number(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** @param {unknown} value @returns {number | null} a count, a time span, a share: never below 0 */
export function measure(value) {
  const found = number(value);
  return found !== null && found >= 0 ? found : null;
}

/** @param {unknown} value @param {number} [max] @returns {string | null} */
export function text(value, max = TEXT_MAX) {
  return typeof value === "string" && value !== "" ? value.slice(0, max) : null;
}
