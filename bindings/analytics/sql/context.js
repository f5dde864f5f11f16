// What the translation of one query carries along: its moment, the values that are bound to it, and
// numbers for the names it gives.

import { Fragment, bound, name, sql } from "./fragment.js";
import { refuse } from "./refused.js";
import { kind } from "./types.js";
import { shownName } from "./tree.js";

/** @import { Call, Tree } from "./tree.js" */
/** @import { Value } from "./types.js" */

/** @typedef {(context: Context, args: Value[], tree: Call) => Value} Make */
/** @typedef {[least: number, most: number, make: Make]} Definition */

// Durable Objects bind 100 values; these are the letters of both cases.
const BOUND_MAX = 4;

export class Context {
  /** @param {number} now seconds since 1970 */
  constructor(now) {
    this.now = now;
    /** @type {(string | number)[]} */
    this.values = [];
    this.names = 0;
  }

  /** @param {string | number} value */
  bind(value) {
    let at = this.values.indexOf(value);
    if (at < 0) at = this.values.push(value) - 1;
    if (at >= BOUND_MAX) refuse("too many tables of letters in one query");
    return bound(at + 1);
  }

  /** @param {string} prefix */
  name(prefix) {
    return name(prefix, this.names++);
  }

  /**
   * An expression that says another one several times, and computes it once.
   * @param {Fragment} it
   * @param {(it: Fragment) => Fragment} use
   */
  let(it, use) {
    if (it.atomic) return use(it);
    const named = this.name("v");
    return sql`(SELECT ${use(named)} FROM (SELECT ${it} AS ${named}))`;
  }
}

/**
 * SQLite has no error of ours to raise: this one of its own says our words. They stand in these sources.
 * @param {Fragment} words in quotes
 */
export const raise = (words) => sql`json_extract('{}', ${words})`;

/** @param {string} message of an error of SQLite @returns {string | undefined} what raise() was given */
export const raised = (message) => /bad JSON path: '([^']*)'/.exec(message)?.[1];

/**
 * As Analytics Engine shows an expression in its errors: with names in quotes.
 * @param {Tree} tree
 * @returns {string}
 */
export function shown(tree) {
  /** @type {(tree: Tree) => Tree} */
  const quoted = (one) => {
    if ("name" in one) return { name: `"${one.name}"` };
    return "call" in one ? { ...one, args: one.args.map(quoted) } : one;
  };
  return shownName(quoted(tree));
}

/**
 * @param {Call} tree
 * @param {number} at which argument, from 0
 * @param {string} type
 * @returns {never}
 */
export function cannotUse(tree, at, type) {
  return refuse(`cannot use the ${kind(type)} type as argument ${at + 1} in ${shown(tree)}`);
}

/**
 * @param {Call} tree
 * @param {Value[]} args
 * @param {((type: string) => boolean)[]} tests one for each argument; the last one for all that follow
 */
export function expectTypes(tree, args, ...tests) {
  args.forEach(({ type }, i) => {
    const test = tests[Math.min(i, tests.length - 1)];
    if (!test(type)) cannotUse(tree, i, type);
  });
}

/**
 * @param {Call} tree
 * @param {number} got
 * @param {number} least
 * @param {number} most
 */
export function expectCount(tree, got, least, most) {
  if (got >= least && got <= most) return;
  const wanted = least === most ? String(least) : `${least} to ${most}`;
  refuse(`${tree.shown.toUpperCase()}() function must have ${wanted} arguments: ${got}`);
}

/**
 * Refuses what Analytics Engine has for aggregates only.
 * @param {Call} tree
 */
export function expectPlain(tree) {
  if (tree.distinct) refuse(`DISTINCT is not supported in ${tree.shown}()`);
  if (tree.params !== undefined)
    refuse(`${tree.shown}() takes no parameters in parentheses before its arguments`);
}
