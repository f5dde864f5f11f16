// The smallest host of the core: include/z0.h in JavaScript, for loops that measure the core alone.
// The Worker's own host is bindings/worker/core.js; this one exists so that the core's figures do
// not change with it, and so that the same file runs in Node and in workerd.

export const FRAME = { request: 1, call: 4, tell: 5, alarm: 6, resume: 7 };
export const TARGET = { ledger: 0, monitor: 1, edge: 3 };
export const EFFECT = {
  needRows: 1,
  needQuery: 2,
  needCall: 3,
  needResume: 4,
  write: 16,
  alarm: 17,
  reply: 32,
  send: 48,
  tell: 64,
  point: 65,
  log: 66,
};

/** A payload lies in the core's memory, until the next step. @typedef {{kind: number, at: number, size: number}} Effect */
/** @typedef {{kind: number, target: number, method?: number}} Head */
/** @typedef {{nowMs: number, incarnation?: number, answers?: Uint8Array[]}} FrameOptions */

const ABI_VERSION = 10;
const HEADER_BYTES = 72;
const TWO_32 = 2 ** 32;
const decoder = new TextDecoder();

/** In Node; workerd compiles no bytes. @param {Uint8Array} bytes @returns {WebAssembly.Module} */
export const compileCore = (bytes) => new /** @type {any} */ (WebAssembly.Module)(bytes);

/** @param {WebAssembly.Module} module */
export function loadCore(module) {
  /** @type {Record<string, Record<string, () => number>>} */
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => 0;
  }
  const exports = /** @type {any} */ (new WebAssembly.Instance(module, imports).exports);
  exports._initialize?.();
  if (exports.z0_abi_version() !== ABI_VERSION) throw new Error("the core speaks another ABI version");
  return new Core(exports);
}

export class Core {
  /** @param {any} exports */
  constructor(exports) {
    this.x = exports;
    this.entropy = new Uint8Array(48).map((_, i) => (i * 73 + 11) & 255);
    this.view = new DataView(exports.memory.buffer);
    this.u8 = new Uint8Array(exports.memory.buffer);
  }

  // Views die when memory grows.
  look() {
    if (this.u8.buffer !== this.x.memory.buffer) {
      this.u8 = new Uint8Array(this.x.memory.buffer);
      this.view = new DataView(this.x.memory.buffer);
    }
  }

  /**
   * Writes a frame, takes a step, and says where the effects lie.
   * @param {Head} head
   * @param {Uint8Array[]} parts
   * @param {FrameOptions} options
   * @returns {Effect[]}
   */
  step({ kind, target, method = 0 }, parts, { nowMs, incarnation = 0, answers = [] }) {
    let size = HEADER_BYTES + 4;
    for (const part of parts) size += 4 + part.length;
    for (const answer of answers) size += 4 + answer.length;
    let at = this.x.z0_frame(size) >>> 0;
    this.look();
    const { view, u8 } = this;
    u8.set([kind, target, method, 0], at);
    view.setUint32(at + 4, parts.length, true);
    view.setUint32(at + 8, nowMs >>> 0, true);
    view.setUint32(at + 12, Math.floor(nowMs / TWO_32), true);
    view.setUint32(at + 16, incarnation, true);
    view.setUint32(at + 20, 0, true);
    // The first bytes change with every step, as random ones would.
    this.entropy[0] = /** @type {number} */ (this.entropy[0]) + 1;
    u8.set(this.entropy, at + 24);
    at += HEADER_BYTES;
    for (const part of parts) at = this.putBytes(at, part);
    view.setUint32(at, answers.length, true);
    at += 4;
    for (const answer of answers) at = this.putBytes(at, answer);
    const effects = this.x.z0_step(size) >>> 0;
    return this.findEffects(effects, this.x.z0_effects_size() >>> 0);
  }

  /** @param {number} at @param {Uint8Array} bytes */
  putBytes(at, bytes) {
    this.view.setUint32(at, bytes.length, true);
    this.u8.set(bytes, at + 4);
    return at + 4 + bytes.length;
  }

  /** @param {number} at @param {number} size @returns {Effect[]} */
  findEffects(at, size) {
    this.look();
    const { view, u8 } = this;
    const count = view.getUint32(at, true);
    const effects = [];
    let p = at + 4;
    for (let i = 0; i < count; i++) {
      const length = view.getUint32(p + 4, true);
      effects.push({ kind: /** @type {number} */ (u8[p]), at: p + 8, size: length });
      p += 8 + length;
    }
    if (p !== at + size) throw new Error("the effects do not end where they should");
    return effects;
  }

  /** Reads a payload from its beginning. @param {Effect} effect */
  read(effect) {
    return new Reader(this.u8, this.view, effect.at);
  }
}

/** Reads little-endian values in order. Bytes are copies. */
export class Reader {
  /** @param {Uint8Array} bytes @param {DataView} view @param {number} at */
  constructor(bytes, view, at) {
    this.b = bytes;
    this.v = view;
    this.p = at;
  }
  u8() {
    return /** @type {number} */ (this.b[this.p++]);
  }
  u16() {
    return this.v.getUint16((this.p += 2) - 2, true);
  }
  u32() {
    return this.v.getUint32((this.p += 4) - 4, true);
  }
  bytes() {
    const n = this.u32();
    return this.b.slice(this.p, (this.p += n));
  }
  text() {
    const n = this.u32();
    return decoder.decode(this.b.subarray(this.p, (this.p += n)));
  }
  skip() {
    const n = this.u32();
    this.p += n;
  }
}

/** @param {Reader} r */
export function readNeedCall(r) {
  return {
    target: r.u8(),
    method: r.u8(),
    object: r.text(),
    timeoutMs: r.u32(),
    request: r.bytes(),
  };
}

/** @param {Reader} r */
export function readResume(r) {
  return { continuation: r.bytes() };
}

/** @param {Reader} r */
export function readReply(r) {
  const status = r.u16();
  for (let n = r.u16(); n > 0; n--) (r.skip(), r.skip());
  return { status, body: r.bytes() };
}

/** The answer to a call that went well. @param {Uint8Array} reply @param {Uint8Array} request */
export function answerCall(reply, request) {
  const out = new Uint8Array(9 + reply.length + request.length);
  const view = new DataView(out.buffer);
  view.setUint32(1, reply.length, true);
  out.set(reply, 5);
  view.setUint32(5 + reply.length, request.length, true);
  out.set(request, 9 + reply.length);
  return out;
}

/** The answer of a table in which there is nothing: no changes, no columns, no rows. */
export const NO_ROWS = new Uint8Array(11);
