// Text of SQLite's SQL, as a type: it is made of templates that stand in these sources, of names
// with a number, and of literals that cannot end early. Nothing that a caller wrote gets into it.

import { refuse } from "./refused.js";

const KEY = Symbol("only this module makes fragments");

export class Fragment {
  /**
   * @param {symbol} key
   * @param {string} text
   * @param {boolean} atomic whether it costs nothing to say it twice
   */
  constructor(key, text, atomic) {
    if (key !== KEY) throw new TypeError("a fragment comes from a template");
    this.text = text;
    this.atomic = atomic;
  }
}

/** @typedef {Fragment | Fragment[]} Part a list is joined with commas */

/**
 * @param {TemplateStringsArray} strings
 * @param {Part[]} parts
 */
export function sql(strings, ...parts) {
  // Only a template has these; a string that was put together has not.
  if (!Object.isFrozen(strings) || !Array.isArray(strings.raw))
    throw new TypeError("not a template");
  const text = strings.reduce((sum, string, i) => sum + textOf(parts[i - 1]) + string);
  return new Fragment(KEY, text, false);
}

/** @param {Part} part @returns {string} */
function textOf(part) {
  if (Array.isArray(part)) return part.map(textOf).join(", ");
  if (!(part instanceof Fragment)) throw new TypeError("not a fragment");
  return part.text;
}

/**
 * @param {Fragment[]} parts
 * @param {Fragment} between
 */
export const joined = (parts, between) =>
  new Fragment(KEY, parts.map(textOf).join(between.text), parts.length === 1 && parts[0].atomic);

const PREFIXES = new Set(["a", "b", "c", "g", "h", "k", "r", "s", "v", "w"]);

/**
 * A name that we gave to a column or a table: a letter and a number.
 * @param {string} prefix
 * @param {number} number
 */
export function name(prefix, number) {
  if (!PREFIXES.has(prefix) || !Number.isSafeInteger(number))
    throw new TypeError("not a name of ours");
  return new Fragment(KEY, `${prefix}${number}`, true);
}

/** @param {number} number of a bound value, from 1 */
export function bound(number) {
  if (!Number.isSafeInteger(number) || number < 1) throw new TypeError("not a bound value");
  return new Fragment(KEY, `?${number}`, true);
}

const INT64_MAX = 2n ** 63n - 1n;

/** @param {bigint | number} value */
export function integer(value) {
  const number = BigInt(value);
  if (number > INT64_MAX || number < -INT64_MAX) {
    refuse(`the integer ${number} is out of range: this stand-in holds 63 bits`);
  }
  return new Fragment(KEY, number < 0n ? `(${number})` : `${number}`, true);
}

/** @param {number} value */
export function real(value) {
  if (Number.isNaN(value)) return new Fragment(KEY, "NULL", true);
  if (!Number.isFinite(value)) return new Fragment(KEY, value > 0 ? "9e999" : "(-9e999)", true);
  const digits = String(Math.abs(value));
  const text = /[.e]/.test(digits) ? digits : `${digits}.0`;
  return new Fragment(KEY, value < 0 ? `(-${text})` : text, true);
}

/** In hexadecimal digits, so that no character can end it. @param {string} value */
export function string(value) {
  const bytes = new TextEncoder().encode(value);
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return new Fragment(KEY, `CAST(x'${digits}' AS TEXT)`, value.length < 32);
}
