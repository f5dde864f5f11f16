// Functions of bits. An integer has as many as its type; SQLite's have 64, of which the first is
// the sign.

import { cannotUse, expectTypes } from "./context.js";
import { integer, sql } from "./fragment.js";
import { hasBits } from "./numbers.js";
import { value, integerType, isInteger, kind, widthOf } from "./types.js";

/** @import { Context, Definition } from "./context.js" */
/** @import { Fragment } from "./fragment.js" */
/** @import { Call } from "./tree.js" */
/** @import { Value } from "./types.js" */

/** @param {Fragment} it @param {number} bits */
const low = (it, bits) => (bits === 64 ? it : sql`(${it} & ${integer(2n ** BigInt(bits) - 1n)})`);

/**
 * The lowest bits as a number of this width, with its sign.
 * @param {Context} context
 * @param {Fragment} it
 * @param {number} bits
 * @param {boolean} signed
 */
function sized(context, it, bits, signed) {
  if (!signed || bits === 64) return low(it, bits);
  const half = integer(2n ** BigInt(bits - 1));
  return context.let(
    low(it, bits),
    (one) => sql`iif(${one} < ${half}, ${one}, ${one} - ${integer(2n ** BigInt(bits))})`,
  );
}

/** @param {Fragment} a @param {Fragment} b */
const exclusive = (a, b) => sql`((${a} | ${b}) & ~(${a} & ${b}))`;

/**
 * @param {(a: Fragment, b: Fragment) => Fragment} make
 * @returns {Definition}
 */
const ofTwo = (make) => [
  2,
  2,
  (context, [a, b], tree) => {
    expectTypes(tree, [a, b], isInteger);
    const [left, right] = [widthOf(a.type), widthOf(b.type)];
    const bits = Math.max(left.bits, right.bits);
    const signed = left.signed || right.signed;
    const made = context.let(a.sql, (x) => context.let(b.sql, (y) => make(x, y)));
    return value(integerType(bits, signed), sized(context, made, bits, signed));
  },
];

/**
 * Of a number and a count of bits.
 * @param {(it: Fragment, count: Fragment, bits: number) => Fragment} make of its lowest bits
 * @returns {Definition}
 */
const moved = (make) => [
  2,
  2,
  (context, [a, n], tree) => {
    expectTypes(tree, [a, n], isInteger);
    const { bits, signed } = widthOf(a.type);
    const made = context.let(low(a.sql, bits), (it) =>
      context.let(n.sql, (count) => make(it, count, bits)),
    );
    return value(a.type, sized(context, made, bits, signed));
  },
];

/** Without the sign's copies, which SQLite's >> brings in. @param {Fragment} it @param {Fragment} count */
const right = (it, count) =>
  sql`iif(${count} = 0, ${it}, ((${it} >> 1) & 9223372036854775807) >> (${count} - 1))`;

/** @param {Fragment} it @param {Fragment} count @param {number} bits */
const rotatedLeft = (it, count, bits) => {
  const width = integer(bits);
  const rest = sql`((${width} - ${count} % ${width}) % ${width})`;
  return sql`((${it} << (${count} % ${width})) | ${right(it, rest)})`;
};

// -- as text --------------------------------------------------------------------------------------

/**
 * The 64 bits of a floating point number: SQLite has no function for them, but they can be computed.
 * @param {Context} context
 * @param {Fragment} number
 */
function realBits(context, number) {
  const sign = (/** @type {Fragment} */ it) => sql`iif(${it} < 0, -9223372036854775807 - 1, 0)`;
  const normal = (/** @type {Fragment} */ size) =>
    context.let(sql`CAST(floor(log2(${size})) AS INTEGER)`, (guess) =>
      // A logarithm close to a whole number may have been rounded to it.
      context.let(
        sql`(${guess} - (${size} < pow(2.0, ${guess})) + (${size} / 2.0 >= pow(2.0, ${guess})))`,
        (power) =>
          sql`(((${power} + 1023) << 52)
            + CAST((${size} / pow(2.0, ${power}) - 1.0) * 4503599627370496.0 AS INTEGER))`,
      ),
    );
  return context.let(
    number,
    (it) => sql`CASE WHEN ${it} IS NULL THEN 9221120237041090560 WHEN ${it} = 0 THEN 0
      WHEN abs(${it}) = 9e999 THEN (9218868437227405312 | ${sign(it)})
      WHEN abs(${it}) < 2.2250738585072014e-308
        THEN (CAST(abs(${it}) * 4503599627370496.0 / 2.2250738585072014e-308 AS INTEGER) | ${sign(it)})
      ELSE (${context.let(sql`abs(${it})`, normal)} | ${sign(it)}) END`,
  );
}

/** The bytes of a Float64 come lowest first, those of an integer highest first. @param {Fragment} digits */
const reversed = (digits) =>
  sql`(${[14, 12, 10, 8, 6, 4, 2].reduce(
    (sum, at) => sql`${sum} || substr(${digits}, ${integer(at - 1)}, 2)`,
    sql`substr(${digits}, 15, 2)`,
  )})`;

/**
 * Hexadecimal digits, two a byte.
 * @param {Context} context
 * @param {Value} it
 * @param {Call} tree
 */
function digitsOf(context, it, tree) {
  if (it.type === "String") return sql`hex(CAST(${it.sql} AS BLOB))`;
  if (it.type === "Float64") {
    return context.let(sql`printf('%016X', ${realBits(context, it.sql)})`, reversed);
  }
  if (!hasBits(it)) return cannotUse(tree, 0, it.type);
  const bits = kind(it.type) === "DateTime" ? 32 : widthOf(it.type).bits;
  const digits = sql`printf('%X', ${low(it.sql, bits)})`;
  return context.let(digits, (text) => sql`iif(length(${text}) % 2 = 1, '0' || ${text}, ${text})`);
}

const NIBBLES = "0123456789ABCDEF";
const QUOTED = [
  ...[sql`'0'`, sql`'1'`, sql`'2'`, sql`'3'`, sql`'4'`, sql`'5'`, sql`'6'`, sql`'7'`],
  ...[sql`'8'`, sql`'9'`, sql`'A'`, sql`'B'`, sql`'C'`, sql`'D'`, sql`'E'`, sql`'F'`],
];
const BITS = [
  ...[
    sql`'oooo'`,
    sql`'oooi'`,
    sql`'ooio'`,
    sql`'ooii'`,
    sql`'oioo'`,
    sql`'oioi'`,
    sql`'oiio'`,
    sql`'oiii'`,
  ],
  ...[
    sql`'iooo'`,
    sql`'iooi'`,
    sql`'ioio'`,
    sql`'ioii'`,
    sql`'iioo'`,
    sql`'iioi'`,
    sql`'iiio'`,
    sql`'iiii'`,
  ],
];

/** By letters that are no digits, or a 1 of 1000 would be replaced again. @param {Fragment} digits */
function bitsOf(digits) {
  const letters = [...NIBBLES].reduce(
    (it, _, i) => sql`replace(${it}, ${QUOTED[i]}, ${BITS[i]})`,
    digits,
  );
  return sql`replace(replace(${letters}, 'o', '0'), 'i', '1')`;
}

/** @param {Fragment} digits */
const onesIn = (digits) => sql`length(replace(${bitsOf(digits)}, '0', ''))`;

/** @type {Definition} */
const bitCount = [
  1,
  1,
  (context, [it], tree) => {
    const type = it.type === "String" ? "UInt64" : "UInt8";
    return value(type, onesIn(digitsOf(context, it, tree)));
  },
];

/** @type {Definition} */
const bitHammingDistance = [
  2,
  2,
  (context, [a, b], tree) => {
    expectTypes(tree, [a, b], isInteger);
    // Of 64 bits, whatever the types: a negative one has ones up to the last.
    const differing = context.let(a.sql, (x) => context.let(b.sql, (y) => exclusive(x, y)));
    return value("UInt8", onesIn(sql`printf('%X', ${differing})`));
  },
];

/** @type {Definition} */
const bitNot = [
  1,
  1,
  (context, [it], tree) => {
    expectTypes(tree, [it], isInteger);
    const { bits, signed } = widthOf(it.type);
    return value(it.type, sized(context, sql`(~${it.sql})`, bits, signed));
  },
];

/** @type {Definition} */
const bitTest = [
  2,
  2,
  (_, [a, n], tree) => {
    expectTypes(tree, [a, n], isInteger);
    return value("UInt8", sql`((${a.sql} >> ${n.sql}) & 1)`, { truth: true });
  },
];

/** @type {Record<string, Definition>} */
export const BITWISE = {
  bitAnd: ofTwo((a, b) => sql`(${a} & ${b})`),
  bitOr: ofTwo((a, b) => sql`(${a} | ${b})`),
  bitXor: ofTwo(exclusive),
  bitNot,
  bitCount,
  bitHammingDistance,
  bitTest,
  bitShiftLeft: moved((it, count) => sql`(${it} << ${count})`),
  bitShiftRight: moved(right),
  bitRotateLeft: moved(rotatedLeft),
  bitRotateRight: moved((it, count, bits) =>
    rotatedLeft(
      it,
      sql`((${integer(bits)} - ${count} % ${integer(bits)}) % ${integer(bits)})`,
      bits,
    ),
  ),
  bin: [1, 1, (context, [it], tree) => value("String", bitsOf(digitsOf(context, it, tree)))],
  hex: [1, 1, (context, [it], tree) => value("String", digitsOf(context, it, tree))],
};
