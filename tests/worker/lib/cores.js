// Cores that are broken on purpose, a hundred bytes each: what the shim does with them is its own doing.

import { ABI_VERSION } from "../../../bindings/worker/types.js";

/**
 * A module with the exports of include/z0.h.
 * @param {number[]} step the body of z0_step
 * @param {number} [version] what z0_abi_version says
 * @param {number[]} [effects] that stand at EFFECTS_AT
 */
export function brokenCore(step, version = ABI_VERSION, effects = [0, 0, 0, 0]) {
  const CONST = 0x41,
    END = 0x0b,
    I32 = 0x7f,
    FUNCTION = 0,
    MEMORY = 2;
  const names = ["z0_abi_version", "z0_frame", "z0_step", "z0_effects_size", "z0_trapped_on"];
  /** @param {number} id @param {number[]} content */
  const section = (id, content) => [id, content.length, ...content];
  /** @param {string} name @param {number} kind @param {number} index */
  const exported = (name, kind, index) => [name.length, ...Buffer.from(name), kind, index];
  /** @param {number[]} code */
  const body = (code) => [code.length + 2, 0, ...code, END];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [2, 0x60, 0, 1, I32, 0x60, 1, I32, 1, I32]),
    ...section(3, [5, 0, 1, 1, 0, 0]),
    ...section(5, [1, 0, 16]),
    ...section(7, [
      6,
      ...exported("memory", MEMORY, 0),
      ...names.flatMap((name, i) => exported(name, FUNCTION, i)),
    ]),
    ...section(10, [
      5,
      ...body([CONST, version]),
      ...body([CONST, 16]),
      ...body(step),
      ...body([CONST, ...leb(effects.length)]),
      ...body([CONST, 0]),
    ]),
    ...section(11, [1, 0, CONST, ...leb(EFFECTS_AT), END, effects.length, ...effects]),
  ]);
}

// Beyond any frame that a test writes.
const EFFECTS_AT = 0x80000;

/** A number from 0 on, as WASM has constants. @param {number} value */
function leb(value) {
  const bytes = [];
  for (; value > 63; value >>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}

/** The first z0_step gives the effects, the next one is `unreachable`. */
export const stepThenTrap = [
  ...[0x41, 0, 0x28, 2, ...leb(EFFECTS_AT + 1024)],
  ...[0x04, 0x40, 0x00, 0x0b],
  ...[0x41, 0, 0x41, 1, 0x36, 2, ...leb(EFFECTS_AT + 1024)],
  ...[0x41, ...leb(EFFECTS_AT)],
];

/** z0_step is `unreachable`. */
export const trappingStep = [0x00];
/** z0_step gives address 0, where four zero bytes say that there are no effects. */
export const idleStep = [0x41, 0];
