// Runs the core: writes a frame into WASM memory, steps, decodes the effects. There is one instance
// an isolate, shared by the Worker and all its objects. Its memory is a cache of rows, so after a
// trap the instance is dropped and the next step begins with a fresh one.

/// <reference path="./wasm.d.ts" />

import module from "./z0.wasm";
import { Reader, textBytesMax, writeText } from "./bytes.js";
import { decodeEffects } from "./effects.js";
import { ABI_VERSION, ENTROPY_BYTES, Frame, HEADER_BYTES } from "./types.js";

/** @import { AnyEffect, FrameInput } from "./types.js" */

// A trapping frame is logged up to this size, so that `z0 step` can replay it natively.
const LOGGED_FRAME_BYTES_MAX = 64 * 1024;

/**
 * @typedef {object} CoreExports
 * @property {WebAssembly.Memory} memory
 * @property {() => void} [_initialize]
 * @property {() => number} z0_abi_version
 * @property {(size: number) => number} z0_frame
 * @property {(size: number) => number} z0_step
 * @property {() => number} z0_effects_size
 * @property {() => number} z0_trapped_on
 */

/** The core broke one of its invariants on a frame. */
export class CoreTrap extends Error {
  /**
   * @param {{kind: number, target: number}} input
   * @param {unknown} cause
   */
  constructor({ kind, target }, cause) {
    super(`the core trapped on a frame of kind ${kind} to target ${target}`, { cause });
    this.name = "CoreTrap";
  }
}

/** @type {CoreExports | null} */
let instance = null;
const entropy = new Uint8Array(ENTROPY_BYTES);

/**
 * Takes one step. Everything in the effects is a copy.
 * @param {FrameInput} input
 * @returns {AnyEffect[]}
 */
export function step(input) {
  const core = (instance ??= instantiate());
  crypto.getRandomValues(entropy);
  try {
    const size = writeFrame(core, input);
    const at = core.z0_step(size) >>> 0;
    return decodeEffects(
      new Reader(new Uint8Array(core.memory.buffer, at, core.z0_effects_size() >>> 0)),
    );
  } catch (cause) {
    // An exception that unwound through WASM leaves its stack pointer where it was.
    instance = null;
    logTrap(input, cause, invariantOf(core));
    throw new CoreTrap(input, cause);
  }
}

/** @returns {CoreExports} */
function instantiate() {
  // The core calls nobody. What the C library still imports is either harmless (the note that memory
  // grew) or the end (proc_exit).
  /** @type {Record<string, Record<string, () => void>>} */
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => {
      if (name !== "emscripten_notify_memory_growth") throw new Error(`the core called ${name}`);
    };
  }
  const made = new WebAssembly.Instance(module, imports);
  const core = /** @type {CoreExports} */ (/** @type {unknown} */ (made.exports));
  core._initialize?.();
  const version = core.z0_abi_version();
  if (version !== ABI_VERSION) {
    throw new Error(`z0.wasm speaks ABI ${version}, this shim ${ABI_VERSION}`);
  }
  return core;
}

/**
 * @param {CoreExports} core
 * @param {FrameInput} input
 */
function writeFrame(core, input) {
  const room = frameBytesMax(input);
  const at = core.z0_frame(room) >>> 0;
  return encodeFrame(new Uint8Array(core.memory.buffer, at, room), input);
}

/** @param {FrameInput} input */
function frameBytesMax({ parts, answers, settings = "" }) {
  let size = HEADER_BYTES + 4 + 4 + textBytesMax(settings);
  for (const part of parts)
    size += 4 + (typeof part === "string" ? textBytesMax(part) : part.length);
  for (const answer of answers) size += 4 + answer.length;
  return size;
}

/**
 * Strings go straight to where the core reads them; the room is for their worst case, the size that
 * is returned is the true one.
 * @param {Uint8Array} bytes
 * @param {FrameInput} input
 */
function encodeFrame(bytes, { kind, target, method, flags, now, incarnation, parts, answers, settings }) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  bytes.set([kind, target, method, flags]);
  view.setUint32(4, parts.length, true);
  view.setUint32(8, now >>> 0, true);
  view.setUint32(12, Math.floor(now / 2 ** 32), true);
  view.setUint32(16, incarnation[0], true);
  view.setUint32(20, incarnation[1], true);
  bytes.set(entropy, HEADER_BYTES - ENTROPY_BYTES);
  let at = HEADER_BYTES;
  /** @param {string | Uint8Array} part */
  const write = (part) => {
    if (typeof part === "string") {
      at += writeText(bytes, view, at, part);
    } else {
      view.setUint32(at, part.length, true);
      bytes.set(part, at + 4);
      at += 4 + part.length;
    }
  };
  parts.forEach(write);
  view.setUint32(at, answers.length, true);
  at += 4;
  answers.forEach(write);
  if (settings) write(settings);
  return at;
}

/**
 * What should have held, in the core's own words; undefined where it had none.
 * @param {CoreExports} core
 */
function invariantOf(core) {
  const at = core.z0_trapped_on() >>> 0;
  if (at === 0) return undefined;
  const bytes = new Uint8Array(core.memory.buffer, at);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

/**
 * @param {FrameInput} input
 * @param {unknown} cause
 * @param {string | undefined} invariant
 */
function logTrap(input, cause, invariant) {
  const { parts, answers } = input;
  const safe = {
    ...input,
    parts: input.kind === Frame.REQUEST ? withoutSecrets(parts) : parts,
    answers: input.secret ? answers.map(() => new Uint8Array(0)) : answers,
  };
  const bytes = new Uint8Array(frameBytesMax(safe));
  const size = encodeFrame(bytes, safe);
  let binary = "";
  for (const byte of bytes.subarray(0, Math.min(size, LOGGED_FRAME_BYTES_MAX))) {
    binary += String.fromCharCode(byte);
  }
  console.error(
    JSON.stringify({
      level: "error",
      event: "z0.trap",
      kind: input.kind,
      target: input.target,
      method: input.method,
      error: String(cause),
      invariant,
      frame_bytes: size,
      frame: btoa(binary),
    }),
  );
}

/**
 * A log must not hold what signs tokens, nor a token that still works: the secrets and each token's
 * signature become as many x. A replay that signs the token anew with that secret takes the same path.
 * @param {(string | Uint8Array)[]} parts of a Z0_FRAME_REQUEST
 */
function withoutSecrets(parts) {
  return parts.map((part, i) => {
    if (typeof part !== "string") return part;
    if (i === 3) return part.replace(/[^,]/g, "x");
    if (i < 4 || parts[i - 1] !== "authorization") return part;
    const signature = part.lastIndexOf(".") + 1;
    return part.slice(0, signature) + "x".repeat(part.length - signature);
  });
}
