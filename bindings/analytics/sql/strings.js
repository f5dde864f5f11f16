// Functions of strings.

import { expectTypes } from "./context.js";
import { sql, string } from "./fragment.js";
import { letterPairs } from "./letters.js";
import { asReal, concatenated, truthValue } from "./operators.js";
import { refuse } from "./refused.js";
import { value, isInteger, kind, zoneOf } from "./types.js";
import { clockOf } from "./clock.js";

/** @import { Context, Definition } from "./context.js" */
/** @import { Fragment } from "./fragment.js" */
/** @import { Value } from "./types.js" */

/** @param {string} type */
const isString = (type) => type === "String";

/**
 * @param {string} type
 * @param {(it: Fragment, context: Context) => Fragment} make
 * @returns {Definition}
 */
const ofString = (type, make) => [
  1,
  1,
  (context, [it], tree) => {
    expectTypes(tree, [it], isString);
    return value(type, make(it.sql, context));
  },
];

// -- cases ----------------------------------------------------------------------------------------

/** @param {Fragment} it whether all of it is ASCII */
const isAscii = (it) => sql`length(${it}) = length(CAST(${it} AS BLOB))`;

/**
 * Letter by letter where there are others than those of ASCII.
 * @param {Context} context
 * @param {Fragment} text
 * @param {"upper" | "lower"} to
 */
function inCase(context, text, to) {
  const { upper, lower } = letterPairs();
  const from = context.bind(to === "upper" ? lower : upper);
  const into = context.bind(to === "upper" ? upper : lower);
  const ascii = (/** @type {Fragment} */ it) =>
    to === "upper" ? sql`upper(${it})` : sql`lower(${it})`;
  const [letters, at, letter] = [context.name("w"), context.name("v"), context.name("v")];
  // The sharp s of German is the one letter in use that becomes two.
  const whole = to === "upper" ? sql`replace(${text}, char(223), 'SS')` : text;
  return context.let(
    whole,
    (it) => sql`iif(${isAscii(it)}, ${ascii(it)}, (
      WITH RECURSIVE ${letters}(${at}, ${letter}) AS (
        SELECT 1, substr(${it}, 1, 1)
        UNION ALL SELECT ${at} + 1, substr(${it}, ${at} + 1, 1) FROM ${letters} WHERE ${at} < length(${it})
      )
      SELECT group_concat(CASE WHEN instr(${from}, ${letter}) > 0 THEN substr(${into}, instr(${from}, ${letter}), 1)
        ELSE ${ascii(letter)} END, '') FROM ${letters}))`,
  );
}

const lowerUtf8 = ofString("String", (it, context) => inCase(context, it, "lower"));
const upperUtf8 = ofString("String", (it, context) => inCase(context, it, "upper"));

// -- patterns -------------------------------------------------------------------------------------

// What SQLite in a Durable Object takes for a pattern with wildcards inside of it.
const GLOB_BYTES_MAX = 50;

/** @param {string} pattern of LIKE @returns {(string | { any: 1 | "many" })[]} */
function piecesOf(pattern) {
  /** @type {(string | { any: 1 | "many" })[]} */
  const pieces = [];
  for (const [piece, escaped] of pattern.matchAll(/\\([\s\S])|%+|_|[^%_\\]+|\\/g)) {
    if (piece[0] === "%") pieces.push({ any: "many" });
    else if (piece === "_") pieces.push({ any: 1 });
    else
      pieces.push(
        escaped === undefined ? piece : "%_\\".includes(escaped) ? escaped : `\\${escaped}`,
      );
  }
  return pieces;
}

/** @param {string} pattern */
function globOf(pattern) {
  const glob = piecesOf(pattern)
    .map((piece) =>
      typeof piece === "string" ? piece.replaceAll(/[*?[]/g, "[$&]") : piece.any === 1 ? "?" : "*",
    )
    .join("");
  if (new TextEncoder().encode(glob).length > GLOB_BYTES_MAX) {
    refuse(
      `this stand-in takes patterns of ${GLOB_BYTES_MAX} bytes: '${pattern.slice(0, 20)}...' is longer`,
    );
  }
  return glob;
}

/**
 * A pattern without wildcards but at its ends needs no GLOB, and may be long.
 * @param {Fragment} it
 * @param {string} pattern
 */
function matches(it, pattern) {
  const pieces = piecesOf(pattern);
  const [first, last] = [pieces[0], pieces[pieces.length - 1]];
  const before = typeof first === "object" && first.any === "many";
  const after = typeof last === "object" && last.any === "many";
  const inner = pieces.slice(before ? 1 : 0, after ? pieces.length - 1 : pieces.length);
  if (inner.length === 0 && before) return sql`(${it} IS NOT NULL)`;
  if (!inner.every((piece) => typeof piece === "string"))
    return sql`(${it} GLOB ${string(globOf(pattern))})`;
  const text = string(inner.join(""));
  if (before && after) return sql`(instr(${it}, ${text}) > 0)`;
  if (after) return sql`(substr(${it}, 1, length(${text})) = ${text})`;
  return before ? endsWith(it, text) : sql`(${it} = ${text})`;
}

/**
 * @param {boolean} isCaseless
 * @param {boolean} inverted
 * @returns {Definition}
 */
const like = (isCaseless, inverted) => [
  2,
  2,
  (context, [it, pattern], tree) => {
    expectTypes(tree, [it, pattern], isString);
    if (typeof pattern.literal !== "string")
      return refuse(`the pattern of ${tree.shown} is a string literal`);
    const wanted = isCaseless ? pattern.literal.toLowerCase() : pattern.literal;
    const text = isCaseless ? inCase(context, it.sql, "lower") : it.sql;
    const found = context.let(text, (one) => matches(one, wanted));
    return truthValue(inverted ? sql`(NOT ${found})` : found);
  },
];

// -- parts ----------------------------------------------------------------------------------------

/** @param {Fragment} it @param {Fragment} end */
const endsWith = (it, end) =>
  sql`(length(${it}) >= length(${end}) AND substr(${it}, length(${it}) - length(${end}) + 1) = ${end})`;

/** @type {Definition} */
const startsWithCall = [
  2,
  2,
  (context, args, tree) => {
    expectTypes(tree, args, isString);
    const found = context.let(
      args[1].sql,
      (it) => sql`(substr(${args[0].sql}, 1, length(${it})) = ${it})`,
    );
    return truthValue(found);
  },
];

/** @type {Definition} */
const endsWithCall = [
  2,
  2,
  (context, args, tree) => {
    expectTypes(tree, args, isString);
    return truthValue(
      context.let(args[0].sql, (it) => context.let(args[1].sql, (end) => endsWith(it, end))),
    );
  },
];

/** In bytes, as ClickHouse counts. @type {Definition} */
const position = [
  2,
  2,
  (_, args, tree) => {
    expectTypes(tree, args, isString);
    return value("UInt64", sql`instr(CAST(${args[0].sql} AS BLOB), CAST(${args[1].sql} AS BLOB))`);
  },
];

/** A negative length counts from the end of the string. @type {Definition} */
const substring = [
  2,
  3,
  (context, [it, offset, length], tree) => {
    expectTypes(tree, [it, offset, ...(length ? [length] : [])], isString, isInteger);
    const from = (/** @type {Fragment} */ text, /** @type {Fragment} */ at) =>
      sql`max(1, iif(${at} < 0, length(${text}) + ${at} + 1, ${at}))`;
    const missing = (/** @type {Fragment} */ text, /** @type {Fragment} */ at) =>
      sql`max(0, -length(${text}) - ${at})`;
    const taken = context.let(it.sql, (text) =>
      context.let(offset.sql, (at) => {
        if (!length) return sql`iif(${at} = 0, '', substr(${text}, ${from(text, at)}))`;
        return context.let(
          length.sql,
          (
            count,
          ) => sql`iif(${at} = 0, '', substr(${text}, ${from(text, at)}, max(0, iif(${count} < 0,
            length(${text}) - ${from(text, at)} + 1 + ${count}, ${count} - iif(${at} < 0, ${missing(text, at)}, 0)))))`,
        );
      }),
    );
    return value("String", taken);
  },
];

// -- format ---------------------------------------------------------------------------------------

/**
 * The shortest digits that give the same number back, as ClickHouse writes them.
 * @param {Context} context
 * @param {Fragment} number
 */
const realText = (context, number) =>
  context.let(
    number,
    (
      it,
    ) => sql`CASE WHEN ${it} IS NULL THEN 'nan' WHEN ${it} = 9e999 THEN 'inf' WHEN ${it} = -9e999 THEN '-inf'
      WHEN abs(${it}) < 9e15 AND ${it} = CAST(${it} AS INTEGER) THEN CAST(CAST(${it} AS INTEGER) AS TEXT)
      WHEN CAST(printf('%!.15g', ${it}) AS REAL) = ${it} THEN printf('%!.15g', ${it})
      WHEN CAST(printf('%!.16g', ${it}) AS REAL) = ${it} THEN printf('%!.16g', ${it})
      ELSE printf('%!.17g', ${it}) END`,
  );

/**
 * @param {Context} context
 * @param {Value} it
 */
export function asText(context, it) {
  switch (kind(it.type)) {
    case "String":
      return it.sql;
    case "Double":
      return realText(context, asReal(it));
    case "Boolean":
      return sql`iif(${it.sql}, 'true', 'false')`;
    case "DateTime":
      return sql`strftime('%Y-%m-%d %H:%M:%S', ${clockOf(context, it, zoneOf(it.type))}, 'unixepoch')`;
    case "Date":
      return sql`strftime('%Y-%m-%d', ${it.sql}, 'unixepoch')`;
    default:
      return sql`CAST(${it.sql} AS TEXT)`;
  }
}

/** @type {Definition} */
const format = [
  1,
  100,
  (context, [pattern, ...args], tree) => {
    if (typeof pattern.literal !== "string")
      return refuse("the first argument of format() is a string literal");
    expectTypes(
      tree,
      [pattern, ...args],
      isString,
      (type) => kind(type) !== "Array" && !type.startsWith("Interval"),
    );
    let next = 0;
    const parts = [...pattern.literal.matchAll(/\{(\d*)\}|[{}]|[^{}]+/g)].map(([piece, number]) => {
      if (piece === "{" || piece === "}")
        refuse("format() does not support literal { and } characters");
      if (number === undefined) return string(piece);
      const arg = args[number === "" ? next++ : Number(number)];
      return arg === undefined
        ? refuse(`format() has no argument for ${piece}`)
        : asText(context, arg);
    });
    return value("String", concatenated([sql`''`, ...parts]));
  },
];

/** @type {Record<string, Definition>} */
export const STRINGS = {
  length: ofString("UInt64", (it) => sql`length(${it})`),
  empty: [
    1,
    1,
    (_, [it], tree) => (expectTypes(tree, [it], isString), truthValue(sql`(${it.sql} = '')`)),
  ],
  lower: ofString("String", (it) => sql`lower(${it})`),
  upper: ofString("String", (it) => sql`upper(${it})`),
  lowerUTF8: lowerUtf8,
  toLower: lowerUtf8,
  upperUTF8: upperUtf8,
  toUpper: upperUtf8,
  startsWith: startsWithCall,
  endsWith: endsWithCall,
  position,
  substring,
  format,
};

/** @type {Record<string, Definition>} */
export const PATTERNS = {
  like: like(false, false),
  notLike: like(false, true),
  ilike: like(true, false),
  notILike: like(true, true),
};
