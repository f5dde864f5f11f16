// Functions of numbers, and conversions to them.

import { cannotUse, expectTypes, raise } from "./context.js";
import { integer, real, sql } from "./fragment.js";
import { asReal } from "./operators.js";
import { refuse } from "./refused.js";
import { value, isInteger, isNumber, isTime, kind, widthOf } from "./types.js";

/** @import { Context, Definition } from "./context.js" */
/** @import { Fragment } from "./fragment.js" */
/** @import { Value } from "./types.js" */

// ClickHouse rounds to at most this many digits.
const DIGITS_MAX = 15;

/** To the even neighbour where it lies in the middle. @param {Context} context @param {Fragment} number */
const toEven = (context, number) =>
  context.let(
    number,
    (it) => sql`CASE WHEN ${it} - floor(${it}) < 0.5 THEN floor(${it})
      WHEN ${it} - floor(${it}) > 0.5 THEN ceil(${it})
      ELSE 2.0 * round(${it} / 2.0) END`,
  );

/** @type {Record<string, (context: Context, it: Fragment) => Fragment>} */
const ROUNDED = {
  round: toEven,
  floor: (_, it) => sql`floor(${it})`,
  ceil: (_, it) => sql`ceil(${it})`,
};

/**
 * A whole number, to tens or hundreds.
 * @param {string} called
 * @param {Context} context
 * @param {Fragment} number
 * @param {Fragment} step
 */
function wholeRounded(called, context, number, step) {
  const down = (/** @type {Fragment} */ it) =>
    sql`(${it} - ((${it} % ${step}) + ${step}) % ${step})`;
  return context.let(number, (it) => {
    if (called === "floor") return down(it);
    if (called === "ceil") return sql`(-${down(sql`(-${it})`)})`;
    return sql`iif(${it} < 0, -((-${it} + ${step} / 2) / ${step}), (${it} + ${step} / 2) / ${step}) * ${step}`;
  });
}

/** @param {keyof typeof ROUNDED} called @returns {Definition} */
const rounded = (called) => [
  1,
  2,
  (context, [it, digits], tree) => {
    expectTypes(tree, [it], isNumber);
    if (
      digits !== undefined &&
      (typeof digits.literal !== "number" || !Number.isInteger(digits.literal))
    ) {
      refuse(`the number of digits in ${called}() is an integer literal`);
    }
    const count = Number(digits?.literal ?? 0);
    if (Math.abs(count) > DIGITS_MAX) refuse(`${called}() takes up to ${DIGITS_MAX} digits`);
    if (isInteger(it.type)) {
      if (count >= 0) return value(it.type, it.sql);
      // A rounded number that its type cannot hold loses its highest bits.
      const { bits, signed } = widthOf(it.type);
      const whole = sql`(${wholeRounded(called, context, it.sql, integer(10 ** -count))})`;
      return value(
        it.type,
        signed || bits === 64 ? whole : sql`(${whole} & ${integer(2 ** bits - 1)})`,
      );
    }
    const scale = real(10 ** Math.abs(count));
    const scaled = count < 0 ? sql`(${it.sql} / ${scale})` : sql`(${it.sql} * ${scale})`;
    const whole = ROUNDED[called](context, count === 0 ? it.sql : scaled);
    if (count === 0) return value("Float64", whole, { nan: it.nan });
    return value("Float64", count < 0 ? sql`(${whole} * ${scale})` : sql`(${whole} / ${scale})`, {
      nan: it.nan,
    });
  },
];

/** @type {Definition} */
const log = [
  1,
  1,
  (context, args, tree) => {
    expectTypes(tree, args, isNumber);
    const logarithm = context.let(asReal(args[0]), (it) => sql`iif(${it} = 0, -9e999, ln(${it}))`);
    return value("Float64", logarithm, { nan: true });
  },
];

/** @type {Definition} */
const pow = [
  2,
  2,
  (_, args, tree) => {
    expectTypes(tree, args, isNumber);
    return value("Float64", sql`pow(${asReal(args[0])}, ${asReal(args[1])})`, { nan: true });
  },
];

const DAY = 86_400;

/** @param {8 | 32} bits @returns {Definition} */
const unsigned = (bits) => [
  1,
  1,
  (context, [it], tree) => {
    const type = `UInt${bits}`;
    const cut = (/** @type {Fragment} */ number) =>
      value(type, sql`(${number} & ${integer(2 ** bits - 1)})`);
    if (isNumber(it.type)) return it.type === type ? it : cut(sql`CAST(${it.sql} AS INTEGER)`);
    if (it.type === "Date") return cut(sql`(${it.sql} / ${integer(DAY)})`);
    if (isTime(it.type)) return cut(it.sql);
    if (it.type !== "String") return cannotUse(tree, 0, it.type);
    const unreadable = raise(sql`'cannot read a string as a number'`);
    return cut(
      context.let(
        it.sql,
        (text) =>
          sql`iif(${text} <> '' AND length(${text}) < 19 AND ${text} NOT GLOB '*[^0-9]*',
            CAST(${text} AS INTEGER), ${unreadable})`,
      ),
    );
  },
];

/** @type {Record<string, Definition>} */
export const NUMBERS = {
  round: rounded("round"),
  floor: rounded("floor"),
  ceil: rounded("ceil"),
  log,
  ln: log,
  pow,
  toUInt8: unsigned(8),
  toUInt32: unsigned(32),
};

/** @param {Value} it whether it has bits that can be named */
export const hasBits = ({ type }) => isInteger(type) || kind(type) === "DateTime";
