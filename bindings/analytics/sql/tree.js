// The tree that @polyglot-sql/sdk reads, made small: an expression is a name, a literal or a call,
// operators are calls by ClickHouse's names for them, and a SELECT has the clauses that Analytics
// Engine documents. What is not among these is refused here, by its name.

import { refuse } from "./refused.js";

/**
 * @typedef {{ name: string }} Name
 * @typedef {{ number: string } | { string: string } | { bool: boolean } | { nothing: true }} Literal
 * @typedef {{ call: string, shown: string, args: Tree[], params?: Tree[], distinct?: true }} Call
 * @typedef {Name | Literal | Call} Tree
 * @typedef {object} Select
 * @property {{ tree: Tree | null, alias: string | null }[]} columns one without a tree is `*`
 * @property {null | { table: string } | { select: Select }} from
 * @property {Tree | null} where
 * @property {Tree[]} group
 * @property {Tree | null} having
 * @property {{ tree: Tree, descending: boolean }[]} order
 * @property {string | null} limit
 * @property {string | null} offset
 * @property {string | null} format
 */

/** @typedef {Record<string, any>} Body of a node of the parser's tree */

// SQLite takes expressions 100 deep, and each of ours becomes one or two of its own.
const DEPTH_MAX = 40;

const BINARY = new Map(
  Object.entries({
    add: "plus",
    sub: "minus",
    mul: "multiply",
    div: "divide",
    mod: "modulo",
    eq: "equals",
    neq: "notEquals",
    lt: "less",
    lte: "lessOrEquals",
    gt: "greater",
    gte: "greaterOrEquals",
    like: "like",
    i_like: "ilike",
  }),
);

export const OPERATOR = "operator ";

// Functions that the parser knows by a kind of their own: their name here, and where their
// arguments are.
/** @type {Map<string, [string, string[]]>} */
const KNOWN = new Map(
  Object.entries({
    sum: ["sum", ["this"]],
    avg: ["avg", ["this"]],
    min: ["min", ["this"]],
    max: ["max", ["this"]],
    count_if: ["countIf", ["this"]],
    first_value: ["first_value", ["this"]],
    last_value: ["last_value", ["this"]],
    if_func: ["if", ["condition", "true_value", "false_value"]],
    lower: ["lower", ["this"]],
    upper: ["upper", ["this"]],
    length: ["length", ["this"]],
    substring: ["substring", ["this", "start", "length"]],
    str_position: ["position", ["this", "substr"]],
    starts_with: ["startsWith", ["this", "expression"]],
    ends_with: ["endsWith", ["this", "expression"]],
    floor: ["floor", ["this", "scale"]],
    ceil: ["ceil", ["this", "decimals"]],
    ln: ["log", ["this"]],
    power: ["pow", ["this", "expression"]],
    abs: ["abs", ["this"]],
    coalesce: ["coalesce", []],
    trim: ["trim", ["this"]],
  }),
);

const FIELDS = new Map(
  Object.entries({
    Year: "toYear",
    Month: "toMonth",
    Day: "toDayOfMonth",
    Hour: "toHour",
    Minute: "toMinute",
    Second: "toSecond",
  }),
);

// Of a node: how it came to be written, which changes nothing.
const REMARKS = new Set(
  (
    "span quoted join_mark original_name name use_bracket_syntax no_parens alias_explicit_as alias_keyword " +
    "inferred_type postfix_form from_for_syntax explicit_asc"
  ).split(" "),
);

/** @param {unknown} node @returns {[string, Body]} its kind, and the rest */
export function kindOf(node) {
  const entry = node !== null && typeof node === "object" ? Object.entries(node)[0] : undefined;
  return entry === undefined ? ["nothing", {}] : [entry[0], entry[1] ?? {}];
}

const WRITTEN = new Map(
  Object.entries({
    joins: "JOIN",
    query: "SUBQUERY",
    case: "CASE WHEN",
    concat: "||",
    window_function: "OVER",
  }),
);

/** @param {string} kind the parser's @returns {string} as somebody would write it */
const words = (kind) =>
  WRITTEN.get(kind) ??
  kind
    .replace(/_(func|clause|function)?$/, "")
    .replaceAll("_", " ")
    .toUpperCase();

/**
 * Refuses a node that says more than what is read of it.
 * @param {string} kind
 * @param {Body} body
 * @param {string[]} read
 */
export function only(kind, body, read) {
  for (const [field, said] of Object.entries(body)) {
    const isEmpty = said === null || said === false || (Array.isArray(said) && said.length === 0);
    if (isEmpty || read.includes(field) || REMARKS.has(field) || field.endsWith("_comments"))
      continue;
    refuse(`unsupported ${words(field)} in ${words(kind)}`);
  }
}

/** @param {string} called @param {Tree[]} args @returns {Call} */
const call = (called, args, shown = called) => ({ call: called.toLowerCase(), shown, args });

/**
 * An operator. ClickHouse has functions of these names; Analytics Engine does not document them.
 * @param {string} called
 * @param {Tree[]} args
 * @returns {Call}
 */
const operation = (called, args) => ({
  call: OPERATOR + called.toLowerCase(),
  shown: called,
  args,
});

/**
 * @param {unknown} node
 * @param {number} [depth]
 * @returns {Tree}
 */
export function expression(node, depth = 0) {
  if (depth > DEPTH_MAX) refuse(`expressions are nested deeper than ${DEPTH_MAX} levels`);
  const [kind, body] = kindOf(node);
  const inner = (/** @type {unknown} */ child) => expression(child, depth + 1);
  if (kind === "paren" || kind === "annotated") return inner(body.this);
  if (kind === "literal") return literal(body);
  if (kind === "boolean") return { bool: body.value === true };
  if (kind === "null") return { nothing: true };
  if (kind === "column") return columnName(body);
  if (kind === "and" || kind === "or") return chain(kind, node, inner);
  if (kind === "neg") return negated(inner(body.this), kindOf(body.this)[0]);
  if (kind === "not") return inverted(inner(body.this));
  const operator = BINARY.get(kind);
  if (operator !== undefined) {
    only(kind, body, ["left", "right"]);
    return operation(operator, [inner(body.left), inner(body.right)]);
  }
  return compound(kind, body, inner);
}

/**
 * @param {string} kind
 * @param {Body} body
 * @param {(node: unknown) => Tree} inner
 * @returns {Tree}
 */
function compound(kind, body, inner) {
  const known = KNOWN.get(kind);
  if (known !== undefined) return knownCall(kind, body, known, inner);
  switch (kind) {
    case "in":
      only(kind, body, ["this", "expressions", "not"]);
      return operation(body.not ? "notIn" : "in", [
        inner(body.this),
        ...body.expressions.map(inner),
      ]);
    case "between": {
      only(kind, body, ["this", "low", "high", "not"]);
      const it = inner(body.this);
      const within = operation("and", [
        operation("greaterOrEquals", [it, inner(body.low)]),
        operation("lessOrEquals", [it, inner(body.high)]),
      ]);
      return body.not ? operation("not", [within]) : within;
    }
    case "interval":
      return interval(body);
    case "extract":
      only(kind, body, ["this", "field"]);
      return call(
        FIELDS.get(String(body.field)) ??
          refuse(`unsupported time unit in EXTRACT: ${String(body.field)}`),
        [inner(body.this)],
      );
    case "count":
      return count(body, inner);
    case "function":
    case "aggregate_function": {
      only(kind, body, ["args", "distinct"]);
      const made = call(String(body.name), body.args.map(inner), String(body.name));
      return body.distinct ? { ...made, distinct: true } : made;
    }
    case "combined_parameterized_agg":
    case "parameterized_agg": {
      only(kind, body, ["this", "expressions", "params"]);
      const called = kindOf(body.this)[1].name;
      if (typeof called !== "string") refuse("unsupported expression type: a call of a call");
      return { ...call(called, body.expressions.map(inner)), params: body.params.map(inner) };
    }
    default:
      return refuse(`unsupported expression type: ${words(kind)}`);
  }
}

/**
 * @param {string} kind
 * @param {Body} body
 * @param {[string, string[]]} known
 * @param {(node: unknown) => Tree} inner
 * @returns {Call}
 */
function knownCall(kind, body, [called, fields], inner) {
  // Analytics Engine does not know these: they are read only to be refused by name.
  if (["abs", "coalesce", "trim"].includes(called)) return call(called, []);
  only(kind, body, [...fields, "distinct"]);
  const args = fields
    .map((field) => body[field])
    .filter((arg) => arg !== null && arg !== undefined);
  const shown = typeof body.name === "string" ? body.name : called;
  const made = call(called, args.map(inner), shown);
  return body.distinct ? { ...made, distinct: true } : made;
}

/** @param {Body} body @param {(node: unknown) => Tree} inner @returns {Call} */
function count(body, inner) {
  only("count", body, ["this", "star", "distinct"]);
  const hasArgument = body.star || body.this !== null;
  if (hasArgument && !body.distinct) refuse("COUNT() function must have 0 arguments: 1");
  if (!body.distinct) return call("count", [], body.original_name ?? "count");
  return { ...call("count", [inner(body.this)], "count"), distinct: true };
}

/** @param {Body} body @returns {Literal} */
function literal(body) {
  if (body.literal_type === "string") return { string: String(body.value) };
  if (body.literal_type !== "number")
    refuse(`unsupported literal: ${words(String(body.literal_type))}`);
  return { number: String(body.value) };
}

/** @param {Body} body @returns {Name} */
function columnName(body) {
  only("column", body, ["name"]);
  return { name: String(body.name.name) };
}

const OPPOSITES = new Map([
  [`${OPERATOR}like`, "notLike"],
  [`${OPERATOR}ilike`, "notILike"],
  [`${OPERATOR}in`, "notIn"],
]);

/**
 * A literal takes its sign, one in parentheses does not: as in ClickHouse.
 * @param {Tree} tree
 * @param {string} kind
 * @returns {Tree}
 */
function negated(tree, kind) {
  if (kind === "literal" && "number" in tree) return { number: `-${tree.number}` };
  return operation("negate", [tree]);
}

/** @param {Tree} tree @returns {Tree} */
function inverted(tree) {
  const opposite = "call" in tree ? OPPOSITES.get(tree.call) : undefined;
  if (opposite === undefined || !("call" in tree)) return operation("not", [tree]);
  return operation(opposite, tree.args);
}

/**
 * A chain of ANDs as one call: it may be long, and must not be deep.
 * @param {string} kind
 * @param {unknown} node
 * @param {(node: unknown) => Tree} inner
 */
function chain(kind, node, inner) {
  /** @type {Tree[]} */
  const args = [];
  let rest = node;
  for (;;) {
    const [restKind, body] = kindOf(rest);
    if (restKind !== kind) break;
    args.unshift(inner(body.right));
    rest = body.left;
  }
  return operation(kind, [inner(rest), ...args]);
}

const UNITS = ["Year", "Month", "Day", "Hour", "Minute", "Second"];

/** @param {Body} body @returns {Call} */
function interval(body) {
  only("interval", body, ["this", "unit"]);
  const [kind, amount] = kindOf(body.this);
  if (kind !== "literal") refuse("an INTERVAL takes a literal number");
  const unit = String(body.unit?.unit ?? "");
  if (!UNITS.includes(unit)) {
    refuse(
      `unsupported unit of an INTERVAL: ${body.unit === null ? amount.value : unit.toUpperCase()}`,
    );
  }
  if (!/^\d{1,9}$/.test(amount.value))
    refuse(`an INTERVAL takes a whole number, not '${amount.value}'`);
  return operation(`toInterval${unit}`, [{ string: String(amount.value) }]);
}

/**
 * How ClickHouse names a column that has no alias.
 * @param {Tree} tree
 * @returns {string}
 */
export function shownName(tree) {
  if ("name" in tree) return tree.name;
  if ("number" in tree)
    return /[.e]/i.test(tree.number) ? String(Number(tree.number)) : tree.number;
  if ("string" in tree) return `'${tree.string.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  if ("bool" in tree) return String(tree.bool);
  if ("nothing" in tree) return "NULL";
  const args = tree.args.map(shownName);
  if (tree.call === `${OPERATOR}in` || tree.call === `${OPERATOR}notin`) {
    const list = args.length === 2 ? args[1] : `(${args.slice(1).join(", ")})`;
    return `${tree.shown}(${args[0]}, ${list})`;
  }
  if (tree.call === "count" && tree.distinct) return `countDistinct(${args.join(", ")})`;
  const params = tree.params === undefined ? "" : `(${tree.params.map(shownName).join(", ")})`;
  return `${tree.shown}${params}(${tree.distinct ? "DISTINCT " : ""}${args.join(", ")})`;
}
