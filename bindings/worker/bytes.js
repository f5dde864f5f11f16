// Little-endian reading and writing of the encodings of include/z0.h: integers, `bytes` (u32 length,
// then the bytes) and `text` (bytes that are UTF-8). Whatever a Reader hands out is a copy, so it may
// run straight over WASM memory.

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const TWO_32 = 2 ** 32;

/** Appends to a buffer that grows by doubling. */
export class Writer {
  /** @param {number} [capacity] */
  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
    this.size = 0;
  }

  /** @param {number} more */
  #reserve(more) {
    if (this.size + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.size + more));
    grown.set(this.bytes.subarray(0, this.size));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  /** @param {number} value */
  u8(value) {
    this.#reserve(1);
    this.view.setUint8(this.size, value);
    this.size += 1;
    return this;
  }

  /** @param {number} value */
  u16(value) {
    this.#reserve(2);
    this.view.setUint16(this.size, value, true);
    this.size += 2;
    return this;
  }

  /** @param {number} value */
  u32(value) {
    this.#reserve(4);
    this.view.setUint32(this.size, value, true);
    this.size += 4;
    return this;
  }

  /** @param {number} value a safe integer */
  i64(value) {
    return this.u32(value >>> 0).u32(Math.floor(value / TWO_32) >>> 0);
  }

  /** @param {number} value */
  f64(value) {
    this.#reserve(8);
    this.view.setFloat64(this.size, value, true);
    this.size += 8;
    return this;
  }

  /** @param {Uint8Array} bytes */
  blob(bytes) {
    this.u32(bytes.length);
    this.#reserve(bytes.length);
    this.bytes.set(bytes, this.size);
    this.size += bytes.length;
    return this;
  }

  /** Without their length. @param {Uint8Array} bytes */
  bytesOf(bytes) {
    this.#reserve(bytes.length);
    this.bytes.set(bytes, this.size);
    this.size += bytes.length;
    return this;
  }

  /** @param {string} text */
  text(text) {
    this.#reserve(4 + textBytesMax(text));
    this.size += writeText(this.bytes, this.view, this.size, text);
    return this;
  }

  /** What was written: a view, for whoever owns the writer. */
  done() {
    return this.bytes.subarray(0, this.size);
  }
}

/** Reads in order; throws a RangeError at the end of the bytes. */
export class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  u8() {
    return this.view.getUint8(this.#take(1));
  }

  u16() {
    return this.view.getUint16(this.#take(2), true);
  }

  u32() {
    return this.view.getUint32(this.#take(4), true);
  }

  /** As a JS number: exact within 2^53, which the core's limits keep. */
  i64() {
    const low = this.u32();
    return this.view.getInt32(this.#take(4), true) * TWO_32 + low;
  }

  f64() {
    return this.view.getFloat64(this.#take(8), true);
  }

  blob() {
    const size = this.u32();
    const at = this.#take(size);
    return /** @type {Uint8Array<ArrayBuffer>} */ (this.bytes.slice(at, at + size));
  }

  text() {
    const size = this.u32();
    const at = this.#take(size);
    return decoder.decode(this.bytes.subarray(at, at + size));
  }

  /** @param {number} size */
  #take(size) {
    const at = this.at;
    if (at + size > this.bytes.length) throw new RangeError("bytes end too early");
    this.at = at + size;
    return at;
  }
}

/**
 * UTF-8 takes at most three bytes for each UTF-16 unit.
 * @param {string} text
 */
export function textBytesMax(text) {
  return 3 * text.length;
}

/**
 * Writes `text` (length first) at `at`, where 4 + textBytesMax(text) bytes must be free, and says how
 * many it took.
 * @param {Uint8Array} bytes
 * @param {DataView} view of the same bytes
 * @param {number} at
 * @param {string} text
 */
export function writeText(bytes, view, at, text) {
  const { written } = encoder.encodeInto(text, bytes.subarray(at + 4));
  view.setUint32(at, written, true);
  return 4 + written;
}
