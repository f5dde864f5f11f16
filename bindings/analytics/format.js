// Rows as text, in the formats of Analytics Engine. 64-bit integers are strings in JSON, and what
// is no number there is null, as ClickHouse writes them.

import { elementOf, kind, zoneOf } from "./sql/types.js";
import { offsetAt } from "./sql/zones.js";

/** @import { Plan } from "./sql/translate.js" */

/** @typedef {Pick<Plan, "format" | "columns">} Shape */

const CONTENT_TYPES = {
  JSON: "application/json",
  JSONEachRow: "application/x-ndjson",
  TabSeparated: "text/tab-separated-values; charset=UTF-8",
};

/** @param {Plan["format"]} format */
export const contentType = (format) => CONTENT_TYPES[format];

/** @param {unknown} value an integer of 64 bits, as text; SQLite knows no unsigned ones */
function wide(value, /** @type {string} */ type) {
  const text = String(value);
  if (type !== "UInt64" || !text.startsWith("-")) return text;
  return String(BigInt.asUintN(64, BigInt(text)));
}

/** @param {string} type @param {unknown} value */
function timeOf(type, value) {
  const seconds = Number(value);
  const zone = zoneOf(type);
  const local = zone === "Etc/UTC" ? seconds : seconds + offsetAt(zone, seconds);
  const text = new Date(local * 1000).toISOString();
  return type === "Date" ? text.slice(0, 10) : text.slice(0, 19).replace("T", " ");
}

/** @param {number} number */
const digits = (number) => (Object.is(number, -0) ? "-0" : String(number).replace("e+", "e"));

/**
 * @param {string} type
 * @param {unknown} value
 * @returns {string}
 */
export function jsonOf(type, value) {
  switch (kind(type)) {
    case "String":
      return JSON.stringify(String(value));
    case "DateTime":
    case "Date":
      return `"${timeOf(type, value)}"`;
    case "Boolean":
      return String(Boolean(value));
    case "Array":
      return `[${elementsOf(value).map((one) => jsonOf(elementOf(type), one))}]`;
    case "Double":
      return typeof value === "number" && Number.isFinite(value) ? digits(value) : "null";
    default:
      return type.endsWith("64") ? `"${wide(value, type)}"` : String(value);
  }
}

/** @param {unknown} value @returns {unknown[]} */
const elementsOf = (value) => JSON.parse(String(value));

/** @type {Map<string, string>} */
const ESCAPES = new Map(
  [
    ...[
      ["\b", "\\b"],
      ["\f", "\\f"],
      ["\r", "\\r"],
      ["\n", "\\n"],
      ["\t", "\\t"],
      ["\0", "\\0"],
    ],
    ...[
      ["'", "\\'"],
      ["\\", "\\\\"],
    ],
  ].map(([from, to]) => [from, to]),
);

/** @param {unknown} text */
const escaped = (text) =>
  String(text).replaceAll(/[\b\f\r\n\t\0'\\]/g, (it) => ESCAPES.get(it) ?? it);

/**
 * @param {string} type
 * @param {unknown} value
 * @returns {string}
 */
function tabbed(type, value) {
  switch (kind(type)) {
    case "String":
      return escaped(value);
    case "Array": {
      const quote = ["String", "DateTime", "Date"].includes(kind(elementOf(type))) ? "'" : "";
      return `[${elementsOf(value).map((one) => quote + tabbed(elementOf(type), one) + quote)}]`;
    }
    case "DateTime":
    case "Date":
      return timeOf(type, value);
    case "Boolean":
      return String(Boolean(value));
    case "Double":
      if (value === null) return "nan";
      return Number.isFinite(value) ? digits(Number(value)) : Number(value) > 0 ? "inf" : "-inf";
    default:
      return type.endsWith("64") ? wide(value, type) : String(value);
  }
}

/**
 * @param {Shape} shape
 * @param {unknown[][]} rows
 */
export function render({ format, columns }, rows) {
  if (format === "TabSeparated") {
    return rows
      .map((row) => `${row.map((value, i) => tabbed(columns[i].type, value)).join("\t")}\n`)
      .join("");
  }
  const names = columns.map(({ name }) => JSON.stringify(name));
  const objects = rows.map(
    (row) => `{${row.map((value, i) => `${names[i]}:${jsonOf(columns[i].type, value)}`)}}`,
  );
  if (format === "JSONEachRow") return objects.map((object) => `${object}\n`).join("");
  return `{"meta":${JSON.stringify(columns)},"data":[${objects}],"rows":${rows.length}}`;
}
