// A host of z0.wasm in the plainest form: bytes in, bytes out.
import { readFileSync } from "node:fs";

/**
 * @typedef {object} Exports
 * @property {WebAssembly.Memory} memory
 * @property {() => void} [_initialize]
 * @property {(size: number) => number} z0_frame
 * @property {(size: number) => number} z0_step
 * @property {() => number} z0_effects_size
 */

const module = new WebAssembly.Module(
  readFileSync(new URL("../../../bindings/worker/z0.wasm", import.meta.url)),
);

export class Core {
  constructor() {
    const nothing = { proc_exit() {} };
    const { exports } = new WebAssembly.Instance(module, {
      wasi_snapshot_preview1: nothing,
      env: { emscripten_notify_memory_growth() {} },
    });
    this.exports = /** @type {Exports} */ (/** @type {unknown} */ (exports));
    this.exports._initialize?.();
  }

  /**
   * One step. The effects are a view of the core's memory: read them before the next step.
   * @param {Uint8Array} frame
   */
  step(frame) {
    const at = this.exports.z0_frame(frame.length) >>> 0;
    new Uint8Array(this.exports.memory.buffer, at, frame.length).set(frame);
    const effects = this.exports.z0_step(frame.length) >>> 0;
    return new Uint8Array(this.exports.memory.buffer, effects, this.exports.z0_effects_size() >>> 0);
  }
}
