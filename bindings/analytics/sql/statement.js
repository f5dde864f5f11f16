// Statements: SELECT with the clauses that Analytics Engine documents, and SHOW.

import { refuse } from "./refused.js";
import { expression, kindOf, only } from "./tree.js";

/** @import { Select } from "./tree.js" */
/** @import { Body } from "./tree.js" */

/** @typedef {{ show: "TABLES" | "TIMEZONES" | "TIMEZONE", format: string | null }} Show */

// Each becomes one of SQLite's, and a query of a query of a query is still readable.
const SUBQUERIES_MAX = 8;

/**
 * @param {unknown[]} statements as the parser gives them
 * @returns {Show | Select}
 */
export function statement(statements) {
  if (statements.length === 0) refuse("the query is empty");
  if (statements.length > 1) refuse("only one statement is answered at a time");
  const [kind, body] = kindOf(statements[0]);
  if (kind === "select") return select(body, 0);
  if (kind === "command") return show(String(body.this));
  return refuse(`unsupported statement: ${kind.replaceAll("_", " ").toUpperCase()}`);
}

/** @param {string} text @returns {Show} */
function show(text) {
  const parts = text.trim().split(/\s+/);
  const [verb, what] = parts.map((part) => part.toUpperCase());
  const isKnown = what === "TABLES" || what === "TIMEZONES" || what === "TIMEZONE";
  if (verb !== "SHOW" || !isKnown) refuse(`unsupported statement: ${parts.slice(0, 2).join(" ")}`);
  const [, , clause, format, ...rest] = parts;
  if (clause === undefined) return { show: what, format: null };
  if (clause.toUpperCase() !== "FORMAT" || rest.length > 0) {
    refuse(`unsupported clause in SHOW ${what}: ${clause}`);
  }
  return { show: what, format };
}

/**
 * @param {Body} body
 * @param {number} depth
 * @returns {Select}
 */
function select(body, depth) {
  if (depth > SUBQUERIES_MAX) refuse(`subqueries are nested deeper than ${SUBQUERIES_MAX} levels`);
  only("select", body, [
    ...["expressions", "from", "where_clause", "group_by", "having", "order_by", "limit", "offset"],
    "format",
  ]);
  if (body.expressions.length === 0) refuse("a SELECT needs at least one expression");
  if (depth > 0 && body.format) refuse("FORMAT belongs to the outermost SELECT");
  if (body.group_by) only("group_by", body.group_by, ["expressions"]);
  const group = body.group_by?.expressions ?? [];
  return {
    columns: body.expressions.map(column),
    from: source(body.from, depth),
    where: body.where_clause ? expression(body.where_clause.this) : null,
    group: group.map((/** @type {unknown} */ node) => expression(node)),
    having: body.having ? expression(body.having.this) : null,
    order: order(body.order_by),
    limit: rows("LIMIT", body.limit),
    offset: rows("OFFSET", body.offset),
    format: body.format ? String(kindOf(body.format)[1].name) : null,
  };
}

/** @param {unknown} node */
function column(node) {
  const [kind, body] = kindOf(node);
  if (kind === "star") {
    only("*", body, []);
    return { tree: null, alias: null };
  }
  if (kind !== "alias") return { tree: expression(node), alias: null };
  only(kind, body, ["this", "alias"]);
  return { tree: expression(body.this), alias: String(body.alias.name) };
}

/**
 * @param {Body | null} from
 * @param {number} depth
 * @returns {Select["from"]}
 */
function source(from, depth) {
  if (!from) return null;
  only("from", from, ["expressions"]);
  if (from.expressions.length !== 1) refuse("a query reads one table: JOIN is not supported");
  const [kind, body] = kindOf(from.expressions[0]);
  if (kind === "table") {
    // An alias of the only table says nothing, so none of its columns can be written with it.
    only("table", body, ["name"]);
    return { table: String(body.name.name) };
  }
  if (kind !== "subquery")
    refuse(`unsupported table expression: ${kind.replaceAll("_", " ").toUpperCase()}`);
  only("subquery", body, ["this", "alias"]);
  const [innerKind, inner] = kindOf(body.this);
  if (innerKind !== "select") refuse(`unsupported subquery: ${innerKind.toUpperCase()}`);
  return { select: select(inner, depth + 1) };
}

/** @param {Body | null} clause @returns {Select["order"]} */
function order(clause) {
  if (!clause) return [];
  only("order_by", clause, ["expressions"]);
  return clause.expressions.map((/** @type {Body} */ item) => {
    only("order_by", item, ["this", "desc"]);
    if (item.nulls_first !== null) refuse("unsupported NULLS FIRST in ORDER BY");
    return { tree: expression(item.this), descending: item.desc === true };
  });
}

/** @param {string} clause @param {Body | null} node */
function rows(clause, node) {
  if (!node) return null;
  const [kind, body] = kindOf(node.this ?? node);
  if (clause === "LIMIT" && kind === "column" && /^all$/i.test(body.name.name)) return null;
  const isNumber =
    kind === "literal" && body.literal_type === "number" && /^\d{1,15}$/.test(body.value);
  return isNumber ? String(body.value) : refuse(`${clause} takes a number of rows`);
}
