// The convention for names. A name stands in code, so one that breaks it is a mistake of whoever wrote
// it, and throws where it is written: on the first run of a test, not as a hole in a page months later.
// A label's value comes from data, and is made to fit instead.

/** @import { SpanName, Tool } from "./index.d.ts" */

const LAYERS = ["worker", "do", "d1", "queue", "external"];
const SPAN_NAME_BYTES_MAX = 128;
const WORD = /^[a-z][a-z0-9_]*$/;
const ID = /^[A-Za-z0-9_.:-]{1,128}$/;
const CODE = /^[a-z][a-z0-9_]{0,63}$/;
const CODE_CHARACTERS_MAX = 64;
const LEDGER = /^(acct|ast|con|deal)_/;

/** Names that were found good, so that the second look costs nothing. Bounded, should names be made up. */
const known = new Set();
const KNOWN_MAX = 1_000;

/**
 * z0.{layer}.{component}.{operation}
 * @param {string} name
 * @returns {SpanName}
 */
export function spanName(name) {
  if (known.has(name)) return /** @type {SpanName} */ (name);
  const parts = typeof name === "string" ? name.split(".") : [];
  const fits =
    parts.length === 4 &&
    parts[0] === "z0" &&
    LAYERS.includes(parts[1]) &&
    WORD.test(parts[2]) &&
    WORD.test(parts[3]) &&
    name.length <= SPAN_NAME_BYTES_MAX;
  if (!fits) {
    throw new TypeError(
      `${quoted(name)} is no name of a span: z0.{layer}.{component}.{operation}, layer one of ` +
        `${LAYERS.join(", ")}, the rest of a-z, 0-9 and _, at most ${SPAN_NAME_BYTES_MAX} characters`,
    );
  }
  if (known.size < KNOWN_MAX) known.add(name);
  return /** @type {SpanName} */ (name);
}

/**
 * What others offer and one pays for: its name in spans, its id in facts and metrics, and its operations.
 * @param {string} name
 * @param {{ id?: string, operations?: readonly string[] }} [more]
 * @returns {Tool}
 */
export function tool(name, { id = `tool_${name}`, operations = [] } = {}) {
  word(name, "a tool");
  identifier(id, "a tool's id");
  for (const operation of operations) spanName(`z0.external.${name}.${word(operation, "an operation")}`);
  return Object.freeze({ name, id, operations: Object.freeze([...operations]) });
}

/**
 * The name of a call's span; throws for an operation that its tool does not have.
 * @param {Tool} of
 * @param {string} operation
 */
export function callName({ name, operations }, operation) {
  if (operations.length > 0 && !operations.includes(operation)) {
    throw new TypeError(`${name} has no operation ${quoted(operation)}, only ${operations.join(", ")}`);
  }
  return spanName(`z0.external.${name}.${word(operation, "an operation")}`);
}

/**
 * @param {string} text
 * @param {string} what
 */
export function word(text, what) {
  if (typeof text === "string" && WORD.test(text)) return text;
  throw new TypeError(`${quoted(text)} is no name of ${what}: a-z, then a-z, 0-9 and _`);
}

/**
 * @param {string} text
 * @param {string} what
 */
export function identifier(text, what) {
  if (typeof text === "string" && ID.test(text)) return text;
  throw new TypeError(`${quoted(text)} is not ${what}: 1 to 128 of A-Z a-z 0-9 _ . : -`);
}

/**
 * An entity that has a ledger.
 * @param {string | undefined} text
 * @param {string} what
 */
export function ledger(text, what) {
  if (typeof text === "string" && LEDGER.test(text)) return identifier(text, what);
  throw new TypeError(`${quoted(text)} is not ${what}: it begins with acct_, ast_, con_ or deal_`);
}

/**
 * A label's value: data, so it is made to fit.
 * @param {unknown} value
 */
export function label(value) {
  const text = String(value ?? "");
  return ID.test(text) ? text : text.replace(/[^A-Za-z0-9_.:-]/g, "_").slice(0, 128);
}

/**
 * A code of an error, a result or a reason, made to fit.
 * @param {unknown} value
 */
export function code(value) {
  const text = String(value ?? "");
  if (CODE.test(text)) return text;
  const made = text
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, "_")
    .replace(/^[^a-z]+/, "");
  return made.slice(0, CODE_CHARACTERS_MAX) || "unknown";
}

/**
 * How an error that was thrown is called.
 * @param {unknown} error
 */
export function errorCode(error) {
  if (typeof error !== "object" || error === null) return "error";
  const { code: own, name } = /** @type {{code?: unknown, name?: unknown}} */ (error);
  if (name === "TimeoutError") return "timeout";
  if (typeof own === "string" && own !== "") return code(own);
  return typeof name === "string" && name !== "" ? code(name) : "error";
}

/** @param {unknown} value */
function quoted(value) {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 160)) : String(value);
}
