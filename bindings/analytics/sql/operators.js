// Operators, by ClickHouse's names for them. Where one of them meets NaN, SQLite says NULL, so a
// comparison says what it is with NaN: false, and true for "not equal".

import { cannotUse, expectTypes, raise, shown } from "./context.js";
import { integer, joined, sql } from "./fragment.js";
import { refuse } from "./refused.js";
import { literalTime, plusInterval } from "./clock.js";
import * as types from "./types.js";

/** @import { Context, Definition } from "./context.js" */
/** @import { Fragment } from "./fragment.js" */
/** @import { Call } from "./tree.js" */
/** @import { Value } from "./types.js" */

const { value, isNumber, isInteger, isTime } = types;
const SECONDS_A_DAY = 86_400;

/** @param {Value} it @returns {Fragment} 0 or 1 */
export function truth(it) {
  if (it.truth) return it.sql;
  if (!isNumber(it.type)) refuse(`cannot use the ${types.kind(it.type)} type as a condition`);
  return it.nan ? sql`coalesce(${it.sql} <> 0, 1)` : sql`(${it.sql} <> 0)`;
}

/** @param {Fragment} condition */
export const truthValue = (condition, type = "UInt8") => value(type, condition, { truth: true });

/** @param {Value} it as a floating point number */
export const asReal = (it) => (it.type === "Float64" ? it.sql : sql`CAST(${it.sql} AS REAL)`);

// -- comparison -----------------------------------------------------------------------------------

const COMPARISONS = {
  equals: sql` = `,
  notEquals: sql` <> `,
  less: sql` < `,
  lessOrEquals: sql` <= `,
  greater: sql` > `,
  greaterOrEquals: sql` >= `,
};

/**
 * Both sides, as values that can be compared: a string literal becomes a time beside a time.
 * @param {Value} a
 * @param {Value} b
 * @param {Call} tree
 */
function comparable(a, b, tree) {
  const times = (/** @type {Value} */ it, /** @type {Value} */ other) =>
    isTime(other.type) && typeof it.literal === "string"
      ? literalTime(it.literal, types.zoneOf(other.type))
      : it.sql;
  const [left, right] = [times(a, b), times(b, a)];
  const ofTime = (/** @type {Value} */ it) =>
    isTime(it.type) || isInteger(it.type) || typeof it.literal === "string";
  const fits =
    (isNumber(a.type) && isNumber(b.type)) ||
    (a.type === "String" && b.type === "String") ||
    ((isTime(a.type) || isTime(b.type)) && ofTime(a) && ofTime(b));
  if (!fits) {
    refuse(
      `cannot compare the ${types.kind(a.type)} type with the ${types.kind(b.type)} type in ${shown(tree)}`,
    );
  }
  return [left, right];
}

/** @param {keyof typeof COMPARISONS} called @returns {Definition} */
const comparison = (called) => [
  2,
  2,
  (_, [a, b], tree) => {
    const [left, right] = comparable(a, b, tree);
    const compared = sql`(${left}${COMPARISONS[called]}${right})`;
    if (!a.nan && !b.nan) return truthValue(compared);
    return truthValue(
      called === "notEquals" ? sql`coalesce(${compared}, 1)` : sql`coalesce(${compared}, 0)`,
    );
  },
];

/** @param {boolean} inverted @returns {Definition} */
const membership = (inverted) => [
  2,
  10_000,
  (_, [it, ...list], tree) => {
    if (list.some(({ literal }) => literal === undefined)) refuse("IN takes a list of literals");
    const members = list.map((member) => comparable(it, member, tree)[1]);
    const left = comparable(it, list[0], tree)[0];
    const found = it.nan
      ? sql`coalesce(${left} IN (${members}), 0)`
      : sql`(${left} IN (${members}))`;
    return truthValue(inverted ? sql`(NOT ${found})` : found);
  },
];

// -- logic ----------------------------------------------------------------------------------------

/**
 * Halves of halves, since SQLite counts the depth of a chain.
 * @param {Fragment[]} parts
 * @param {Fragment} operator
 * @returns {Fragment}
 */
function balanced(parts, operator) {
  if (parts.length === 1) return parts[0];
  const middle = parts.length >> 1;
  return sql`(${balanced(parts.slice(0, middle), operator)}${operator}${balanced(parts.slice(middle), operator)})`;
}

/** @param {Fragment} operator @returns {Definition} */
const logic = (operator) => [
  2,
  10_000,
  (_, args) => {
    const type = args.some((arg) => arg.type === "Bool") ? "Bool" : "UInt8";
    return truthValue(balanced(args.map(truth), operator), type);
  },
];

/** @type {Definition} */
const conditional = [
  3,
  3,
  (_, [condition, yes, no], tree) => {
    const [a, b] = [types.kind(yes.type), types.kind(no.type)];
    if (a !== b || a === "Array") {
      const had = `must have the same type but instead had ${a} and ${b}`;
      refuse(`the 2nd and 3rd arguments to IF() function ${had}: ${shown(tree)}`);
    }
    const type = types.commonType(yes.type, no.type);
    if (type === null)
      refuse(`no integer type holds both ${yes.type} and ${no.type} in ${shown(tree)}`);
    return value(type ?? "", sql`iif(${truth(condition)}, ${yes.sql}, ${no.sql})`, {
      nan: yes.nan || no.nan,
      truth: yes.truth && no.truth,
    });
  },
];

// -- arithmetic -----------------------------------------------------------------------------------

const SIGNS = { plus: sql` + `, minus: sql` - `, multiply: sql` * ` };

/** @param {keyof typeof SIGNS} called @returns {Definition} */
const arithmetic = (called) => [
  2,
  2,
  (context, args, tree) => {
    const [a, b] = args;
    if (isTime(a.type) || isTime(b.type)) return timeArithmetic(context, called, a, b, tree);
    expectTypes(tree, args, isNumber);
    const type = types.arithmeticType(a.type, b.type, called);
    const [left, right] = type === "Float64" ? [asReal(a), asReal(b)] : [a.sql, b.sql];
    return value(type, sql`(${left}${SIGNS[called]}${right})`, { nan: a.nan || b.nan });
  },
];

/**
 * @param {Context} context
 * @param {keyof typeof SIGNS} called
 * @param {Value} a
 * @param {Value} b
 * @param {Call} tree
 */
function timeArithmetic(context, called, a, b, tree) {
  if (called === "plus" && !isTime(a.type)) return timeArithmetic(context, called, b, a, tree);
  if (called === "multiply" || !isTime(a.type)) cannotUse(tree, isTime(a.type) ? 0 : 1, "DateTime");
  if (b.type.startsWith("Interval")) return plusInterval(context, a, b, called === "minus");
  const step = integer(a.type === "Date" ? SECONDS_A_DAY : 1);
  if (isInteger(b.type)) return value(a.type, sql`(${a.sql}${SIGNS[called]}${b.sql} * ${step})`);
  const isDifference = called === "minus" && a.type === b.type;
  if (!isDifference) cannotUse(tree, 1, b.type);
  return value("Int32", sql`((${a.sql} - ${b.sql}) / ${step})`);
}

const BY_ZERO = sql`'Division by zero'`;

/** @type {Definition} */
const divide = [
  2,
  2,
  (context, args, tree) => {
    expectTypes(tree, args, isNumber);
    const [a, b] = [asReal(args[0]), asReal(args[1])];
    if (typeof args[1].literal === "number" && args[1].literal !== 0) {
      return value("Float64", sql`(${a} / ${b})`, { nan: args[0].nan });
    }
    const quotient = context.let(a, (x) =>
      context.let(
        b,
        (y) =>
          sql`CASE WHEN ${y} <> 0 THEN ${x} / ${y} WHEN ${x} > 0 THEN 9e999 WHEN ${x} < 0 THEN -9e999 END`,
      ),
    );
    return value("Float64", sql`(${quotient})`, { nan: true });
  },
];

/** @type {Definition} */
const modulo = [
  2,
  2,
  (context, args, tree) => {
    expectTypes(tree, args, isNumber);
    const [a, b] = args;
    const type = types.moduloType(a.type, b.type);
    if (type === "Float64") {
      const left = asReal(a);
      const rest = context.let(
        asReal(b),
        (y) => sql`iif(abs(${y}) = 9e999, NULL, mod(${left}, ${y}))`,
      );
      return value(type, rest, { nan: true });
    }
    return value(type, wholeDivision(context, a.sql, b.sql, sql` % `));
  },
];

/**
 * @param {Context} context
 * @param {Fragment} a
 * @param {Fragment} b
 * @param {Fragment} operator
 */
const wholeDivision = (context, a, b, operator) =>
  context.let(b, (y) => sql`iif(${y} = 0, ${raise(BY_ZERO)}, ${a}${operator}${y})`);

/** @type {Definition} */
const intDiv = [
  2,
  2,
  (context, args, tree) => {
    expectTypes(tree, args, isNumber);
    const [a, b] = args;
    const isWhole = isInteger(a.type) && isInteger(b.type);
    const { bits } = types.widthOf(isInteger(a.type) ? a.type : "Int64");
    const signed = !isWhole || types.widthOf(a.type).signed || types.widthOf(b.type).signed;
    const divided = isWhole
      ? wholeDivision(context, a.sql, b.sql, sql` / `)
      : sql`CAST(${wholeDivision(context, asReal(a), asReal(b), sql` / `)} AS INTEGER)`;
    return value(types.integerType(bits, signed), divided);
  },
];

/** @type {Definition} */
const negate = [
  1,
  1,
  (_, [it], tree) => {
    expectTypes(tree, [it], isNumber);
    if (it.type === "Float64") return value("Float64", sql`(-${it.sql})`, { nan: it.nan });
    const { bits, signed } = types.widthOf(it.type);
    return value(types.integerType(signed ? bits : 2 * bits, true), sql`(-${it.sql})`);
  },
];

/** @type {Record<string, Definition>} */
export const OPERATORS = {
  ...Object.fromEntries(
    /** @type {(keyof typeof COMPARISONS)[]} */ (Object.keys(COMPARISONS)).map((called) => [
      called,
      comparison(called),
    ]),
  ),
  in: membership(false),
  notIn: membership(true),
  and: logic(sql` AND `),
  or: logic(sql` OR `),
  not: [
    1,
    1,
    (_, [it]) => truthValue(sql`(NOT ${truth(it)})`, it.type === "Bool" ? "Bool" : "UInt8"),
  ],
  if: conditional,
  plus: arithmetic("plus"),
  minus: arithmetic("minus"),
  multiply: arithmetic("multiply"),
  divide,
  modulo,
  intDiv,
  negate,
};

/** @param {Fragment[]} parts strings */
export const concatenated = (parts) => sql`(${joined(parts, sql` || `)})`;
