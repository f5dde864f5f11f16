// ClickHouse's types, as far as Analytics Engine has them, and how they combine. Rules of integers
// are those of NumberTraits.h in ClickHouse: a sum of two UInt8 is a UInt16, a difference is
// signed, and so on.

import { refuse } from "./refused.js";

/** @import { Fragment } from "./fragment.js" */

/**
 * What an expression gives. SQLite has no NaN and says NULL instead; there are no other NULLs here.
 * @typedef {object} Value
 * @property {string} type ClickHouse's
 * @property {Fragment} sql
 * @property {boolean} nan whether it can be NaN
 * @property {boolean} truth whether it is 0 or 1 and nothing else
 * @property {string | number} [literal] what was written, where it is a literal
 */

/**
 * @param {string} type
 * @param {Fragment} sql
 * @param {{ nan?: boolean, truth?: boolean, literal?: string | number }} [more]
 * @returns {Value}
 */
export const value = (type, sql, { nan = false, truth = false, literal } = {}) => ({
  type,
  sql,
  nan,
  truth,
  ...(literal === undefined ? {} : { literal }),
});

/**
 * The words that Analytics Engine has for types, in its errors.
 * @param {string} type
 */
export function kind(type) {
  if (/^U?Int\d+$/.test(type)) return "Integer";
  if (type === "Float64") return "Double";
  if (type === "Bool") return "Boolean";
  if (type.startsWith("DateTime")) return "DateTime";
  if (type.startsWith("Array")) return "Array";
  return type;
}

/** @param {string} type */
export const isNumber = (type) => ["Integer", "Double", "Boolean"].includes(kind(type));

/** @param {string} type */
export const isInteger = (type) => ["Integer", "Boolean"].includes(kind(type));

/** @param {string} type */
export const isTime = (type) => ["DateTime", "Date"].includes(kind(type));

/**
 * @param {string} type an integer's
 * @returns {{ bits: number, signed: boolean }}
 */
export function widthOf(type) {
  const parts = /^(U?)Int(\d+)$/.exec(type);
  return parts === null
    ? { bits: 8, signed: false }
    : { bits: Number(parts[2]), signed: parts[1] === "" };
}

/**
 * @param {number} bits
 * @param {boolean} signed
 */
export const integerType = (bits, signed) => `${signed ? "" : "U"}Int${Math.min(bits, 64)}`;

/**
 * The type of a literal: the smallest that holds it.
 * @param {bigint} number
 */
export function literalType(number) {
  const signed = number < 0n;
  for (const bits of [8, 16, 32, 64]) {
    const fits = signed ? -number <= 2n ** BigInt(bits - 1) : number < 2n ** BigInt(bits);
    if (fits) return integerType(bits, signed);
  }
  return refuse(`the integer ${number} is out of range`);
}

/**
 * @param {string} a
 * @param {string} b
 * @param {"plus" | "minus" | "multiply"} operation
 */
export function arithmeticType(a, b, operation) {
  if (!isInteger(a) || !isInteger(b)) return "Float64";
  const [left, right] = [widthOf(a), widthOf(b)];
  const signed = operation === "minus" || left.signed || right.signed;
  return integerType(2 * Math.max(left.bits, right.bits), signed);
}

/**
 * @param {string} a
 * @param {string} b
 */
export function moduloType(a, b) {
  if (!isInteger(a) || !isInteger(b)) return "Float64";
  const { signed } = widthOf(a);
  return integerType(widthOf(b).bits * (signed ? 2 : 1), signed);
}

/**
 * The type that holds both, or null.
 * @param {string} a
 * @param {string} b
 */
export function commonType(a, b) {
  if (a === b) return a;
  if (kind(a) !== kind(b)) return null;
  if (kind(a) === "DateTime") return a;
  if (kind(a) !== "Integer") return null;
  const [left, right] = [widthOf(a), widthOf(b)];
  if (left.signed === right.signed)
    return integerType(Math.max(left.bits, right.bits), left.signed);
  const [plain, signed] = left.signed ? [right, left] : [left, right];
  const bits = Math.max(2 * plain.bits, signed.bits);
  return bits > 64 ? null : integerType(bits, true);
}

/** The zone that a DateTime is shown in. @param {string} type */
export const zoneOf = (type) => /^DateTime\('([^']+)'\)$/.exec(type)?.[1] ?? "Etc/UTC";

/** @param {string} zone */
export const dateTimeIn = (zone) => (isUtc(zone) ? "DateTime" : `DateTime('${zone}')`);

/** @param {string} zone */
export const isUtc = (zone) => /^(Etc\/)?(UTC|GMT|UCT|Zulu)$|^(Etc\/)?Universal$/.test(zone);

/** Of an Array(T). @param {string} type */
export const elementOf = (type) => type.slice("Array(".length, -1);
