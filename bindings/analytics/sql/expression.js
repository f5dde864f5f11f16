// Expressions: a tree becomes SQL with ClickHouse's type, in a scope that knows the names.

import { expectCount, expectPlain } from "./context.js";
import { BITWISE } from "./bits.js";
import { integer, real, sql, string } from "./fragment.js";
import { NUMBERS } from "./numbers.js";
import { OPERATORS } from "./operators.js";
import { refuse } from "./refused.js";
import { PATTERNS, STRINGS } from "./strings.js";
import { TIMES } from "./times.js";
import { OPERATOR } from "./tree.js";
import { literalType, value } from "./types.js";
import { isAggregate } from "./aggregates.js";

/** @import { Context, Definition } from "./context.js" */
/** @import { Call, Tree } from "./tree.js" */
/** @import { Value } from "./types.js" */

/**
 * @typedef {object} Scope
 * @property {(name: string) => Value} column
 * @property {(tree: Call) => Value} aggregate
 * @property {(tree: Tree) => Value | undefined} known what stands for this expression as a whole
 */

const isWritten = (/** @type {string} */ called) => called === "if" || called === "intDiv";
const isInterval = (/** @type {string} */ called) => called.startsWith("toInterval");

/** @type {[string, Definition][]} by the name of a call, in lower case */
const ENTRIES = Object.entries({
  ...OPERATORS,
  ...PATTERNS,
  ...STRINGS,
  ...NUMBERS,
  ...BITWISE,
  ...TIMES,
}).map(([called, definition]) => {
  const isOperator =
    called in PATTERNS || isInterval(called) || (called in OPERATORS && !isWritten(called));
  return [(isOperator ? OPERATOR : "") + called.toLowerCase(), definition];
});
const FUNCTIONS = new Map(ENTRIES);

/**
 * @param {Context} context
 * @param {Tree} tree
 * @param {Scope} scope
 * @returns {Value}
 */
export function translate(context, tree, scope) {
  const known = scope.known(tree);
  if (known !== undefined) return known;
  if ("name" in tree) return scope.column(tree.name);
  if ("call" in tree) return translateCall(context, tree, scope);
  return literal(tree);
}

/** @param {Exclude<Tree, Call | { name: string }>} tree @returns {Value} */
function literal(tree) {
  if ("string" in tree) return value("String", string(tree.string), { literal: tree.string });
  if ("bool" in tree)
    return value("Bool", integer(tree.bool ? 1 : 0), { truth: true, literal: Number(tree.bool) });
  // Only if() tells its type, to say that it differs from the other one.
  if ("nothing" in tree) return value("Null", sql`NULL`);
  if (/^-?\d+$/.test(tree.number)) {
    const number = BigInt(tree.number);
    return value(literalType(number), integer(number), { literal: Number(number) });
  }
  const number = Number(tree.number);
  if (!Number.isFinite(number)) refuse(`the number ${tree.number.slice(0, 40)} is out of range`);
  return value("Float64", real(number), { literal: number });
}

/**
 * @param {Context} context
 * @param {Call} tree
 * @param {Scope} scope
 */
function translateCall(context, tree, scope) {
  if (isAggregate(tree.call)) return scope.aggregate(tree);
  const definition = FUNCTIONS.get(tree.call);
  if (definition === undefined)
    return refuse(`unknown function call: ${tree.shown.slice(0, 60).toUpperCase()}`);
  expectPlain(tree);
  const [least, most, make] = definition;
  expectCount(tree, tree.args.length, least, most);
  const args = tree.args.map((arg) => translate(context, arg, scope));
  if (tree.call !== "if" && args.some(({ type }) => type === "Null"))
    refuse("unsupported expression type: NULL");
  return make(context, args, tree);
}

/**
 * Whether a tree has a part like this.
 * @param {Tree} tree
 * @param {(tree: Tree) => boolean} test
 * @returns {boolean}
 */
export const some = (tree, test) =>
  test(tree) ||
  ("call" in tree && [...tree.args, ...(tree.params ?? [])].some((arg) => some(arg, test)));

/** @param {Tree} tree */
export const hasAggregate = (tree) => some(tree, (it) => "call" in it && isAggregate(it.call));

/** Two trees that are written the same have the same key. @param {Tree} tree */
export const keyOf = (tree) =>
  JSON.stringify(tree, (key, it) => (key === "shown" ? undefined : it));
