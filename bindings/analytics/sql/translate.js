// From the text of a query to SQLite's, with the names and types of the result's columns.

import { Context } from "./context.js";
import { integer, sql } from "./fragment.js";
import { refuse } from "./refused.js";
import { translateSelect } from "./select.js";
import { statement } from "./statement.js";

/** @import { Select } from "./tree.js" */
/** @import { Value } from "./types.js" */

/**
 * @typedef {object} Plan
 * @property {"JSON" | "JSONEachRow" | "TabSeparated"} format
 * @property {{ name: string, type: string }[]} columns
 * @property {string} [sql] of SQLite; without it, rows are given
 * @property {(string | number)[]} [values] that are bound to it
 * @property {string[]} [tables] that it reads
 * @property {string | null} [column] the first that it names
 * @property {"TABLES" | "TIMEZONES" | "TIMEZONE"} [show]
 */

/** @typedef {{ success: boolean, ast?: unknown, error?: string }} Parsed */

// As Analytics Engine.
export const QUERY_LENGTH_MAX = 10_000;
// Of SQLite in a Durable Object it is 100,000.
const SQL_LENGTH_MAX = 99_000;
export const RETENTION_SECONDS = 90 * 86_400;

/**
 * @param {string} query
 * @param {(query: string) => Parsed} parse @polyglot-sql/sdk with ClickHouse's dialect
 * @param {number} now seconds since 1970
 * @returns {Plan}
 */
export function translateQuery(query, parse, now) {
  if (query.length > QUERY_LENGTH_MAX) {
    refuse(`SQL was excessively long, exceeded maximum length: ${QUERY_LENGTH_MAX}`);
  }
  // The parser loses this backslash, which ClickHouse keeps for LIKE.
  if (/(^|[^\\])(\\\\)*\\[%_]/.test(query))
    refuse("write \\\\% and \\\\_ with two backslashes in a string");
  const { body, format } = ended(query);
  const parsed = tried(body, parse);
  if (!parsed.success) refuse(`unable to parse the query: ${(parsed.error ?? "").slice(0, 300)}`);
  const read = statement(/** @type {unknown[]} */ (parsed.ast));
  if (read.format !== END) refuse("unable to parse the query: its end is not understood");
  if ("show" in read) return shown(read.show, format);
  const context = new Context(now);
  const translated = translateSelect(context, read, integer(now - RETENTION_SECONDS), exact);
  const columns = translated.columns.map(({ name: called, value }) => ({
    name: called,
    type: value.type,
  }));
  if (translated.sql.text.length > SQL_LENGTH_MAX) refuse("the query is too complex");
  return {
    format,
    columns,
    sql: translated.sql.text,
    values: context.values,
    tables: tablesOf(read),
    column: firstName(read),
  };
}

/**
 * What makes the parser trap is no query.
 * @param {string} body
 * @param {(query: string) => Parsed} parse
 * @returns {Parsed}
 */
function tried(body, parse) {
  try {
    return parse(body);
  } catch (error) {
    return { success: false, error: error instanceof Error ? error.message : String(error) };
  }
}

const FORMATS = ["JSON", "JSONEachRow", "TabSeparated"];
const END = "z0_end";

/**
 * The parser says nothing of words that it does not understand at the end of a query. So the query gets a
 * FORMAT of ours for its last clause: when that was read, so was all that comes before it.
 * @param {string} query
 * @returns {{ body: string, format: Plan["format"] }}
 */
function ended(query) {
  const tail = /\bFORMAT\s+(\w+)[\s;]*$/i.exec(query);
  const said = tail?.[1] ?? "JSON";
  const format = FORMATS.find((one) => one === said);
  if (format === undefined)
    return refuse(`unsupported format: ${said}. There are ${FORMATS.join(", ")}`);
  const body = query.slice(0, tail?.index).replace(/[\s;]+$/, "");
  if (body === "") refuse("the query is empty");
  return { body: `${body}\nFORMAT ${END}`, format: /** @type {Plan["format"]} */ (format) };
}

/** An integer of 64 bits does not fit into a number of JavaScript. @param {Value} value */
const exact = ({ type, sql: it }) => (/^U?Int64$/.test(type) ? sql`CAST(${it} AS TEXT)` : it);

/** @param {NonNullable<Plan["show"]>} show @param {Plan["format"]} format @returns {Plan} */
function shown(show, format) {
  const called = { TABLES: "dataset", TIMEZONES: "timezone", TIMEZONE: "timezone" }[show];
  return { format, columns: [{ name: called, type: "String" }], show };
}

/** @param {Select} query @returns {string[]} */
function tablesOf({ from }) {
  if (from === null) return [];
  return "table" in from ? [from.table] : tablesOf(from.select);
}

/** @param {Select} query @returns {string | null} */
function firstName(query) {
  const found = /"name":"((?:[^"\\]|\\.)*)"/.exec(
    JSON.stringify([query.columns, query.where, query.group]),
  );
  return found === null ? null : JSON.parse(`"${found[1]}"`);
}
