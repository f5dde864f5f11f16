// Aggregate functions. SQLite has those that go over a group once; for the others, each a table of
// its own is made with window functions, one row a group, and joined to the groups.

import { cannotUse, expectCount, expectTypes } from "./context.js";
import { integer, real, sql } from "./fragment.js";
import { truth } from "./operators.js";
import { refuse } from "./refused.js";
import { value, isNumber, isInteger, isTime, kind, widthOf } from "./types.js";

/** @import { Context } from "./context.js" */
/** @import { Fragment } from "./fragment.js" */
/** @import { Call } from "./tree.js" */
/** @import { Value } from "./types.js" */

/**
 * @typedef {object} Group what an aggregate is made over
 * @property {Context} context
 * @property {(it: Fragment) => Fragment} column a column of the rows with this in it
 * @property {(it: Fragment) => Fragment} plain a column of the groups with this aggregate in it
 * @property {(make: MakeTable, column: Fragment) => Fragment} table of its own, one row a group;
 *   gives the name of its column
 */

/**
 * @typedef {object} Table
 * @property {Fragment} rows a FROM
 * @property {Fragment[]} keys of the group
 * @property {Fragment} order the column of the rows' order
 */

/** @typedef {(table: Table) => Fragment} MakeTable */
/** @typedef {(group: Group, args: Value[], tree: Call) => Value} Aggregate */
/** @typedef {"level" | "count"} Parameter */
/** @typedef {[least: number, most: number, make: Aggregate, takes?: Parameter]} AggregateDefinition */

const TOP_DEFAULT = 10;
const TOP_MAX = 10_000;

/** What an aggregate of nothing is. @param {string} type */
function emptyOf(type) {
  if (type === "String") return sql`''`;
  return type === "Float64" ? real(0) : integer(0);
}

/** @param {string} type */
const isOrdered = (type) => isNumber(type) || isTime(type);

/** @param {Table} table */
const partition = ({ keys }) => (keys.length === 0 ? sql`` : sql`PARTITION BY ${keys}`);
/** @param {Table} table */
const grouping = ({ keys }) => (keys.length === 0 ? sql`` : sql`GROUP BY ${keys}`);
/** @param {Table} table @param {Fragment[]} more */
const withKeys = ({ keys }, ...more) => [...keys, ...more];

// -- of SQLite ------------------------------------------------------------------------------------

/** @param {string} type */
const sumType = (type) => (type === "Float64" ? type : widthOf(type).signed ? "Int64" : "UInt64");

/**
 * NaN makes a sum NaN; SQLite leaves NULL out, so that has to be said.
 * @param {Value} it
 * @param {Fragment} column
 * @param {Fragment} aggregate
 */
const withNan = (it, column, aggregate) =>
  it.nan ? sql`iif(count(*) > count(${column}), NULL, ${aggregate})` : aggregate;

/** @type {Aggregate} */
function sum(group, [it], tree) {
  expectTypes(tree, [it], isNumber);
  const type = sumType(it.type);
  const column = group.column(it.sql);
  const distinct = tree.distinct ? sql`DISTINCT ` : sql``;
  if (type === "Float64") {
    const total = withNan(it, column, sql`total(${distinct}${column})`);
    return value(type, group.plain(total), { nan: it.nan });
  }
  return value(type, group.plain(sql`coalesce(sum(${distinct}${column}), 0)`));
}

/** @type {Aggregate} */
function avg(group, [it], tree) {
  expectTypes(tree, [it], isNumber);
  const column = group.column(it.sql);
  const distinct = tree.distinct ? sql`DISTINCT ` : sql``;
  return value("Float64", group.plain(withNan(it, column, sql`avg(${distinct}${column})`)), {
    nan: true,
  });
}

/** @param {boolean} isLargest @returns {Aggregate} */
const extreme =
  (isLargest) =>
  (group, [it], tree) => {
    expectTypes(tree, [it], isOrdered);
    const column = group.column(it.sql);
    const found = isLargest ? sql`max(${column})` : sql`min(${column})`;
    const orEmpty = it.nan
      ? sql`iif(count(*) = 0, 0.0, ${found})`
      : sql`coalesce(${found}, ${emptyOf(it.type)})`;
    return value(it.type, group.plain(orEmpty), { nan: it.nan });
  };

/** @type {Aggregate} */
function count(group, args, tree) {
  if (!tree.distinct) return value("UInt64", group.plain(sql`count(*)`));
  return value("UInt64", group.plain(sql`count(DISTINCT ${group.column(args[0].sql)})`));
}

/** @type {Aggregate} */
const countIf = (group, [condition]) =>
  value("UInt64", group.plain(sql`count(iif(${group.column(truth(condition))}, 1, NULL))`));

/** @type {Aggregate} */
function sumIf(group, [it, condition], tree) {
  expectTypes(tree, [it], isNumber);
  const type = sumType(it.type);
  const column = group.column(it.sql);
  const chosen = group.column(truth(condition));
  const wanted = sql`iif(${chosen}, ${column}, NULL)`;
  if (type !== "Float64") return value(type, group.plain(sql`coalesce(sum(${wanted}), 0)`));
  const total = it.nan
    ? sql`iif(coalesce(sum(${chosen}), 0) > count(${wanted}), NULL, total(${wanted}))`
    : sql`total(${wanted})`;
  return value(type, group.plain(total), { nan: it.nan });
}

/** @type {Aggregate} */
function avgIf(group, [it, condition], tree) {
  expectTypes(tree, [it], isNumber);
  const column = group.column(it.sql);
  const chosen = group.column(truth(condition));
  const wanted = sql`iif(${chosen}, ${column}, NULL)`;
  const average = it.nan
    ? sql`iif(coalesce(sum(${chosen}), 0) > count(${wanted}), NULL, avg(${wanted}))`
    : sql`avg(${wanted})`;
  return value("Float64", group.plain(average), { nan: true });
}

// -- in tables of their own -----------------------------------------------------------------------

/** @param {Call} tree @param {string} word */
function parameter(tree, word) {
  const [first, ...rest] = tree.params ?? [];
  if (rest.length > 0) refuse(`${tree.shown}() takes one ${word}`);
  if (first === undefined) return null;
  return "number" in first
    ? Number(first.number)
    : refuse(`the ${word} of ${tree.shown}() is a literal number`);
}

/**
 * As ClickHouse: the first value at which the weights up to it reach their part of all.
 * @type {Aggregate}
 */
function quantile(group, args, tree) {
  // quantileWeighted(0.5, x, weight) is how it was written at first.
  const isOld = args.length === 3;
  const given = isOld ? args[0].literal : (parameter(tree, "level") ?? 0.5);
  const level = typeof given === "number" ? given : NaN;
  if (!(level >= 0 && level <= 1))
    refuse(`the level of ${tree.shown}() is a literal number from 0 to 1`);
  const [it, weight] = isOld ? args.slice(1) : args;
  const isWeight = (/** @type {string} */ type) => isInteger(type) && !widthOf(type).signed;
  if (!isOrdered(it.type)) cannotUse(tree, isOld ? 1 : 0, it.type);
  if (!isWeight(weight.type)) cannotUse(tree, isOld ? 2 : 1, weight.type);
  const [x, w] = [group.column(it.sql), group.column(weight.sql)];
  const [weightOf, upTo, all] = [
    group.context.name("w"),
    group.context.name("w"),
    group.context.name("w"),
  ];
  const found = group.context.name("r");
  const column = group.table((table) => {
    const by = partition(table);
    // Equal values first become one: of a histogram's buckets there are few.
    const weighed = sql`SELECT ${withKeys(table, x)}, sum(${w}) AS ${weightOf} FROM ${table.rows}
      WHERE ${x} IS NOT NULL GROUP BY ${withKeys(table, x)}`;
    const running = sql`SELECT ${withKeys(table, x)}, sum(${weightOf}) OVER (${by} ORDER BY ${x}) AS ${upTo},
      sum(${weightOf}) OVER (${by}) AS ${all} FROM (${weighed})`;
    const reached = sql`min(iif(${upTo} >= ceil(${all} * ${real(level)}), ${x}, NULL)) AS ${found}`;
    return sql`SELECT ${withKeys(table, reached)} FROM (${running}) ${grouping(table)}`;
  }, found);
  const orEmpty = it.type === "Float64" ? column : sql`coalesce(${column}, 0)`;
  return value(it.type, orEmpty, { nan: it.type === "Float64" });
}

/** @param {boolean} isWeighted @returns {Aggregate} */
const top =
  (isWeighted) =>
  (group, [it, weight], tree) => {
    const most = parameter(tree, "count") ?? TOP_DEFAULT;
    if (!Number.isInteger(most) || most < 1 || most > TOP_MAX) {
      refuse(`the count of ${tree.shown}() is a literal number from 1 to ${TOP_MAX}`);
    }
    if (kind(it.type) === "Array") cannotUse(tree, 0, it.type);
    if (isWeighted && !isInteger(weight.type)) cannotUse(tree, 1, weight.type);
    const { context } = group;
    const x = group.column(it.sql);
    const w = isWeighted ? group.column(weight.sql) : null;
    const [often, first, rank, found] = [
      context.name("w"),
      context.name("w"),
      context.name("w"),
      context.name("r"),
    ];
    const column = group.table((table) => {
      const counted = sql`SELECT ${withKeys(table, x)}, ${w === null ? sql`count(*)` : sql`sum(${w})`} AS ${often},
      min(${table.order}) AS ${first} FROM ${table.rows} GROUP BY ${withKeys(table, x)}`;
      // Of values that are equally common, the one that came first: ClickHouse leaves that open.
      const ranked = sql`SELECT *, row_number() OVER (${partition(table)} ORDER BY ${often} DESC, ${first}) AS ${rank}
      FROM (${counted})`;
      const element = /^U?Int64$/.test(it.type) ? sql`CAST(${x} AS TEXT)` : x;
      const list = sql`json_group_array(${element} ORDER BY ${rank}) AS ${found}`;
      return sql`SELECT ${withKeys(table, list)} FROM (${ranked}) WHERE ${rank} <= ${integer(most)} ${grouping(table)}`;
    }, found);
    return value(`Array(${it.type})`, sql`coalesce(${column}, '[]')`);
  };

/**
 * The value of the first row in some order.
 * @param {Group} group
 * @param {Value} it
 * @param {(table: Table) => Fragment} order
 */
function firstBy(group, it, order) {
  const x = group.column(it.sql);
  const [rank, found] = [group.context.name("w"), group.context.name("r")];
  const column = group.table((table) => {
    const ranked = sql`SELECT ${withKeys(table, x)},
      row_number() OVER (${partition(table)} ORDER BY ${order(table)}) AS ${rank} FROM ${table.rows}`;
    return sql`SELECT ${withKeys(table, sql`${x} AS ${found}`)} FROM (${ranked}) WHERE ${rank} = 1`;
  }, found);
  return value(it.type, it.nan ? column : sql`coalesce(${column}, ${emptyOf(it.type)})`, {
    nan: it.nan,
  });
}

/** @param {boolean} isLargest @returns {Aggregate} */
const argExtreme =
  (isLargest) =>
  (group, [it, by], tree) => {
    if (kind(it.type) === "Array") cannotUse(tree, 0, it.type);
    if (kind(by.type) === "Array") cannotUse(tree, 1, by.type);
    const key = group.column(by.sql);
    const direction = isLargest ? sql`DESC` : sql`ASC`;
    return firstBy(group, it, ({ order }) => sql`${key} IS NULL, ${key} ${direction}, ${order}`);
  };

/** @param {boolean} isLast @returns {Aggregate} */
const edge =
  (isLast) =>
  (group, [it], tree) => {
    if (kind(it.type) === "Array") cannotUse(tree, 0, it.type);
    return firstBy(group, it, ({ order }) => (isLast ? sql`${order} DESC` : order));
  };

/** @type {[string, AggregateDefinition][]} */
const DEFINITIONS = [
  ["count", [0, 1, count]],
  ["sum", [1, 1, sum]],
  ["avg", [1, 1, avg]],
  ["min", [1, 1, extreme(false)]],
  ["max", [1, 1, extreme(true)]],
  ["countIf", [1, 1, countIf]],
  ["sumIf", [2, 2, sumIf]],
  ["avgIf", [2, 2, avgIf]],
  ["quantileExactWeighted", [2, 2, quantile, "level"]],
  ["quantileWeighted", [2, 3, quantile, "level"]],
  ["topK", [1, 1, top(false), "count"]],
  ["topKWeighted", [2, 2, top(true), "count"]],
  ["argMin", [2, 2, argExtreme(false)]],
  ["argMax", [2, 2, argExtreme(true)]],
  ["first_value", [1, 1, edge(false)]],
  ["last_value", [1, 1, edge(true)]],
];
const AGGREGATES = new Map(
  DEFINITIONS.map(([called, definition]) => [called.toLowerCase(), definition]),
);
const DISTINCT = new Set(["count", "sum", "avg"]);

/** @param {string} called in lower case */
export const isAggregate = (called) => AGGREGATES.has(called);

/** Whether it depends on the order of the rows. @param {string} called */
export const isOrderBound = (called) => called === "first_value" || called === "last_value";

/**
 * @param {Group} group
 * @param {Call} tree
 * @param {Value[]} args
 * @returns {Value}
 */
export function aggregate(group, tree, args) {
  const definition = AGGREGATES.get(tree.call);
  if (definition === undefined) return refuse(`unknown function call: ${tree.shown.toUpperCase()}`);
  const [least, most, make, takes] = definition;
  if (tree.distinct && !DISTINCT.has(tree.call))
    refuse(`DISTINCT is not supported in ${tree.shown}()`);
  if (tree.params !== undefined && takes === undefined)
    refuse(`${tree.shown}() takes no parameters`);
  expectCount(tree, args.length, least, most);
  const interval = args.findIndex(({ type }) => type.startsWith("Interval"));
  if (interval >= 0) cannotUse(tree, interval, "Interval");
  return make(group, args, tree);
}
