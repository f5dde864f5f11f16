// A data point as the binding of Analytics Engine takes it, with its limits and the words that it
// has for them.

/**
 * @typedef {object} DataPoint
 * @property {(string | ArrayBufferLike | ArrayBufferView | null)[]} [indexes]
 * @property {(string | ArrayBufferLike | ArrayBufferView | null)[]} [blobs]
 * @property {number[]} [doubles]
 */

/**
 * @typedef {object} StoredPoint
 * @property {string} dataset
 * @property {number} timestamp seconds since 1970
 * @property {string} index
 * @property {string[]} blobs
 * @property {number[]} doubles
 */

// https://developers.cloudflare.com/analytics/analytics-engine/limits/
const INDEXES_MAX = 1;
const INDEX_BYTES_MAX = 96;
const MEMBERS_MAX = 20;
const BLOB_BYTES_MAX = 16 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @param {string} words @returns {never} */
function invalid(words) {
  throw new TypeError(`writeDataPoint(): ${words}`);
}

/** @param {unknown} list @param {string} what @param {number} most @returns {unknown[]} */
function listOf(list, what, most) {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) return invalid(`${what} is not an array.`);
  if (list.length > most) invalid(`Maximum of ${most} ${what} supported.`);
  return list;
}

/** @param {unknown} it @param {string} what */
function textOf(it, what) {
  if (it === null || it === undefined) return "";
  if (typeof it === "string") return it;
  if (it instanceof ArrayBuffer || ArrayBuffer.isView(it)) return decoder.decode(it);
  return invalid(`${what} takes strings, buffers and null.`);
}

/** A character of UTF-16 is at most three bytes of UTF-8. @param {string} text @param {number} most */
function bytesOf(text, most) {
  return text.length > most ? text.length : encoder.encode(text).length;
}

/**
 * @param {DataPoint} [point]
 * @returns {Omit<StoredPoint, "dataset" | "timestamp">}
 */
export function checkedPoint(point = {}) {
  const indexes = listOf(point.indexes, "indexes", INDEXES_MAX);
  const index = textOf(indexes[0], "indexes");
  if (bytesOf(index, INDEX_BYTES_MAX) > INDEX_BYTES_MAX) {
    invalid(`Size of indexes[0] exceeds ${INDEX_BYTES_MAX} bytes).`);
  }
  const blobs = listOf(point.blobs, "blobs", MEMBERS_MAX).map((blob) => textOf(blob, "blobs"));
  const bytes = blobs.reduce((sum, blob) => sum + bytesOf(blob, BLOB_BYTES_MAX), 0);
  if (bytes > BLOB_BYTES_MAX) invalid(`Cumulative size of blobs exceeds ${BLOB_BYTES_MAX} bytes).`);
  const doubles = listOf(point.doubles, "doubles", MEMBERS_MAX).map((double) => {
    // SQLite cannot keep NaN, and no query of ours could tell what it means.
    return typeof double === "number" && Number.isFinite(double)
      ? double
      : invalid("doubles takes finite numbers.");
  });
  return { index, blobs, doubles };
}
