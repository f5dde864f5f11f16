// A SELECT of ClickHouse's dialect as one of SQLite's. Without aggregates it is one query; with
// them, the filtered rows make groups, and what SQLite cannot aggregate is joined to them.

import { aggregate, isOrderBound } from "./aggregates.js";
import { hasAggregate, keyOf, some, translate } from "./expression.js";
import { integer, joined, name, sql, string } from "./fragment.js";
import { Names, unknownColumn } from "./names.js";
import { truth } from "./operators.js";
import { refuse } from "./refused.js";
import { COLUMNS } from "./schema.js";

/** @import { Group } from "./aggregates.js" */
/** @import { Context } from "./context.js" */
/** @import { Scope } from "./expression.js" */
/** @import { Fragment } from "./fragment.js" */
/** @import { Select, Tree } from "./tree.js" */
/** @import { Value } from "./types.js" */

/**
 * @typedef {object} Source
 * @property {Fragment} rows a FROM, or nothing
 * @property {Fragment} order of the rows
 * @property {Map<string, Value>} columns
 */

/** @typedef {{ tree: Tree, descending: boolean, ofRows: boolean }} OrderKey */
/** @typedef {{ sql: Fragment, columns: { name: string, value: Value }[] }} Translated columns are c0, c1, ... */

/** @type {Scope["aggregate"]} */
const noAggregate = (tree) => refuse(`the aggregate function ${tree.shown}() cannot stand here`);
/** @type {Scope["known"]} */
const nothingKnown = () => undefined;

/**
 * @param {Context} context
 * @param {Select} query
 * @param {Fragment} cutoff rows before it have outlived the retention
 * @param {(value: Value) => Fragment} [result] how a column leaves SQLite
 * @returns {Translated}
 */
export function translateSelect(context, query, cutoff, result = ({ sql: it }) => it) {
  const source = sourceOf(context, query, cutoff);
  const names = new Names(query, source.columns);
  const order = orderOf(query, names);
  const trees = [...names.columns.map(({ tree }) => tree), ...order.map(({ tree }) => tree)];
  const having = query.having === null ? null : names.expanded(query.having);
  const isGrouped = query.group.length > 0 || having !== null || trees.some(hasAggregate);
  /** @type {Scope} */
  const rows = { column: (it) => names.column(it), aggregate: noAggregate, known: nothingKnown };
  const where = query.where === null ? sql`` : whereOf(context, names.expanded(query.where), rows);
  const plan = isGrouped
    ? grouped(context, query, names, { source, rows, where, order })
    : { from: sql`${source.rows}${where}`, scope: rows, with: sql``, order };
  const columns = names.columns.map(({ name: called, tree }) => ({
    name: called,
    value: resultValue(translate(context, tree, plan.scope)),
  }));
  const filter = having === null ? sql`` : whereOf(context, having, plan.scope);
  const sorted = plan.order.map(({ tree, descending }) => ({
    it: resultValue(translate(context, tree, plan.scope)),
    descending,
  }));
  const selected = columns.map(({ value: it }, i) => sql`${result(it)} AS ${name("c", i)}`);
  const text = sql`${plan.with}SELECT ${selected}${plan.from}${filter}${orderBy(sorted)}${limitOf(query)}`;
  return { sql: text, columns };
}

/** @param {Value} value */
function resultValue(value) {
  if (value.type.startsWith("Interval")) refuse("an INTERVAL is not a result: add it to a time");
  if (value.type === "Null") refuse("unsupported expression type: NULL");
  return value;
}

// -- clauses --------------------------------------------------------------------------------------

/**
 * @param {Context} context
 * @param {Select} query
 * @param {Fragment} cutoff
 * @returns {Source}
 */
function sourceOf(context, { from }, cutoff) {
  if (from === null) return { rows: sql``, order: integer(1), columns: new Map() };
  if ("table" in from) {
    const rows = sql` FROM (SELECT * FROM points WHERE dataset = ${string(from.table)} AND timestamp >= ${cutoff})`;
    return { rows, order: sql`id`, columns: COLUMNS };
  }
  const inner = translateSelect(context, from.select, cutoff);
  /** @type {Map<string, Value>} */
  const columns = new Map();
  const aliases = inner.columns.map((column, i) => {
    const at = context.name("b");
    const { literal: _, ...value } = column.value;
    columns.set(column.name, { ...value, sql: at });
    return sql`${name("c", i)} AS ${at}`;
  });
  if (columns.size < inner.columns.length) refuse("two columns of a subquery have the same name");
  const at = context.name("b");
  const rows = sql` FROM (SELECT ${aliases}, row_number() OVER () AS ${at} FROM (${inner.sql}))`;
  return { rows, order: at, columns };
}

/** @param {Context} context @param {Tree} tree @param {Scope} scope */
const whereOf = (context, tree, scope) => sql` WHERE ${truth(translate(context, tree, scope))}`;

/** @param {Select} query */
function limitOf({ limit, offset }) {
  if (limit === null && offset === null) return sql``;
  const most = limit === null ? sql` LIMIT -1` : sql` LIMIT ${integer(BigInt(limit))}`;
  return offset === null ? most : sql`${most} OFFSET ${integer(BigInt(offset))}`;
}

/**
 * A name in ORDER BY is a column of the result, or Analytics Engine does not find it; an expression may be
 * written as it was selected. Where first_value() or last_value() have no groups, a column of the source says
 * what is first.
 * @param {Select} query
 * @param {Names} names
 */
function orderOf(query, names) {
  const selected = new Set(names.columns.map(({ tree }) => keyOf(tree)));
  const isEdge = names.columns.some(({ tree }) =>
    some(tree, (it) => "call" in it && isOrderBound(it.call)),
  );
  return query.order.map(({ tree, descending }) => {
    if ("number" in tree || "string" in tree)
      refuse("ORDER BY takes names and expressions, not positions");
    if (
      "name" in tree &&
      names.resultAt(tree.name) < 0 &&
      names.source.has(tree.name) &&
      isEdge &&
      query.group.length === 0
    ) {
      return { tree, descending, ofRows: true };
    }
    const expanded = "name" in tree ? tree : names.expanded(tree);
    if (!("name" in tree) && selected.has(keyOf(expanded)))
      return { tree: expanded, descending, ofRows: false };
    return { tree: overResult(tree, names), descending, ofRows: false };
  });
}

/**
 * @param {Tree} tree
 * @param {Names} names
 * @returns {Tree}
 */
function overResult(tree, names) {
  if ("name" in tree) {
    const at = names.resultAt(tree.name);
    return at < 0 ? unknownColumn(tree.name) : names.columns[at].tree;
  }
  return "call" in tree ? { ...tree, args: tree.args.map((arg) => overResult(arg, names)) } : tree;
}

/** NaN comes last, whatever the direction. @param {{ it: Value, descending: boolean }[]} keys */
function orderBy(keys) {
  // By a number alone SQLite means a column at that place; as a value it orders nothing.
  const telling = keys.filter(({ it }) => !/^[-(]*\d+\)*$/.test(it.sql.text));
  if (telling.length === 0) return sql``;
  const parts = telling.flatMap(({ it, descending }) => [
    ...(it.nan ? [sql`${it.sql} IS NULL`] : []),
    descending ? sql`${it.sql} DESC` : it.sql,
  ]);
  return sql` ORDER BY ${parts}`;
}

// -- groups ---------------------------------------------------------------------------------------

/**
 * @param {Context} context
 * @param {Select} query
 * @param {Names} names
 * @param {{ source: Source, rows: Scope, where: Fragment, order: OrderKey[] }} more
 */
function grouped(context, query, names, { source, rows, where, order }) {
  const groups = new Groups(context, rows);
  for (const tree of query.group) groups.key(groupTree(tree, names));
  const rowOrder = order.filter(({ ofRows }) => ofRows);
  const sortedBy = rowOrder.map(({ tree, descending }) => ({
    it: translate(context, tree, rows),
    descending,
  }));
  // Aggregates are registered as they are met, so the tables are put together when all have been.
  const lazy = {
    get from() {
      return groups.from();
    },
    get with() {
      return groups.tables(source, where, sortedBy);
    },
    scope: groups.scope,
    order: order.filter(({ ofRows }) => !ofRows),
  };
  return lazy;
}

/** @param {Tree} tree @param {Names} names */
function groupTree(tree, names) {
  if ("number" in tree || "string" in tree)
    refuse("GROUP BY takes names and expressions, not positions");
  const expanded = names.expanded(tree);
  if (hasAggregate(expanded)) refuse("an aggregate function cannot stand in GROUP BY");
  return expanded;
}

class Groups {
  /**
   * @param {Context} context
   * @param {Scope} rows
   */
  constructor(context, rows) {
    this.context = context;
    this.rows = rows;
    this.base = context.name("b");
    this.order = context.name("k");
    /** @type {{ key: string, name: Fragment, value: Value }[]} */
    this.keys = [];
    /** @type {Map<string, { name: Fragment, it: Fragment }>} */
    this.columns = new Map();
    /** @type {Map<string, { name: Fragment, it: Fragment }>} */
    this.plain = new Map();
    /** @type {{ name: Fragment, keys: Fragment[], column: Fragment, text: Fragment }[]} */
    this.joins = [];
    /** @type {Map<string, Value>} */
    this.made = new Map();
    /** @type {Scope} */
    this.scope = {
      column: (it) =>
        refuse(`the column "${it}" is neither in GROUP BY nor in an aggregate function`),
      aggregate: (tree) => this.aggregate(tree),
      known: (tree) => this.known(tree),
    };
  }

  /** @param {Tree} tree */
  key(tree) {
    const { literal: _, ...value } = resultValue(translate(this.context, tree, this.rows));
    this.keys.push({ key: keyOf(tree), name: this.context.name("g"), value });
  }

  /** @param {Tree} tree @returns {Value | undefined} */
  known(tree) {
    const key = keyOf(tree);
    const found = this.keys.find((one) => one.key === key);
    return found === undefined ? undefined : { ...found.value, sql: found.name };
  }

  /** @param {import("./tree.js").Call} tree @returns {Value} */
  aggregate(tree) {
    const key = keyOf(tree);
    const known = this.made.get(key);
    if (known !== undefined) return known;
    /** @type {Scope} */
    const inside = {
      ...this.rows,
      aggregate: () => refuse(`an aggregate function inside of ${tree.shown}()`),
    };
    const args = tree.args.map((arg) => resultOrInterval(translate(this.context, arg, inside)));
    const made = aggregate(this.group(), tree, args);
    this.made.set(key, made);
    return made;
  }

  /** @returns {Group} */
  group() {
    /** @param {Map<string, { name: Fragment, it: Fragment }>} map @param {string} prefix */
    const named = (map, prefix) => (/** @type {Fragment} */ it) => {
      const known = map.get(it.text);
      if (known !== undefined) return known.name;
      const given = this.context.name(prefix);
      map.set(it.text, { name: given, it });
      return given;
    };
    return {
      context: this.context,
      column: named(this.columns, "a"),
      plain: named(this.plain, "s"),
      table: (make, column) => {
        const keys = this.keys.map(() => this.context.name("k"));
        const table = {
          rows: this.base,
          keys: this.keys.map((one) => one.name),
          order: this.order,
        };
        this.joins.push({ name: this.context.name("h"), keys, column, text: make(table) });
        return column;
      },
    };
  }

  /**
   * @param {Source} source
   * @param {Fragment} where
   * @param {{ it: Value, descending: boolean }[]} sortedBy
   */
  tables(source, where, sortedBy) {
    const keys = this.keys.map(({ name: given, value }) => sql`${value.sql} AS ${given}`);
    const columns = [...this.columns.values()].map(({ name: given, it }) => sql`${it} AS ${given}`);
    const order =
      sortedBy.length === 0
        ? source.order
        : sql`row_number() OVER (${orderBy(sortedBy)}, ${source.order})`;
    // A subquery's order costs a window; it is asked for only where a table needs one.
    const ordered = this.joins.length === 0 ? [] : [sql`${order} AS ${this.order}`];
    const selected = [...keys, ...columns, ...ordered];
    const base = sql`${this.base} AS (SELECT ${selected.length > 0 ? selected : integer(1)}${source.rows}${where})`;
    const joins = this.joins.map(
      ({ name: given, keys: own, column, text }) => sql`${given}(${[...own, column]}) AS (${text})`,
    );
    return sql`WITH ${[base, ...joins]} `;
  }

  from() {
    const keys = this.keys.map(({ name: given }) => given);
    const plain = [...this.plain.values()].map(({ name: given, it }) => sql`${it} AS ${given}`);
    const selected = [...keys, ...plain];
    const by = keys.length === 0 ? sql`` : sql` GROUP BY ${keys}`;
    // Without keys there is one group, of nothing too: an aggregate makes it so.
    const all = keys.length === 0 ? [...selected, sql`count(*)`] : selected;
    const joins = this.joins.map(({ name: given, keys: own }) => {
      const same = own.map((key, i) => sql`${key} IS ${keys[i]}`);
      return sql` LEFT JOIN ${given} ON ${same.length === 0 ? integer(1) : joined(same, sql` AND `)}`;
    });
    return sql` FROM (SELECT ${all} FROM ${this.base}${by})${joins.length === 0 ? sql`` : joined(joins, sql``)}`;
  }
}

/** @param {Value} value */
function resultOrInterval(value) {
  return value.type.startsWith("Interval") ? value : resultValue(value);
}
