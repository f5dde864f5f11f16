// Facts for tests: each builder gives the least that its type asks for.

let made = 0;

/** A fresh name, so that tests in one file never meet in a ledger. */
export function unique(prefix = "") {
  made += 1;
  return `${prefix}t${made}`;
}

/** @param {number} [n] */
export function traceId(n = 1) {
  return n.toString(16).padStart(32, "0");
}

/** @typedef {Record<string, unknown> & {id: string, entity_id: string}} FactIn */

/**
 * @param {string} entity_id
 * @param {object} [more]
 * @returns {FactIn}
 */
export function invocation(entity_id, more = {}) {
  return {
    id: unique("inv_"),
    type: "invocation",
    entity_id,
    tool_id: "tool_caller",
    trace_id: traceId(7),
    ...more,
  };
}

/**
 * @param {string} entity_id
 * @param {object} [more]
 * @returns {FactIn}
 */
export function outcome(entity_id, more = {}) {
  return {
    id: unique("out_"),
    type: "outcome",
    subtype: "qualified",
    entity_id,
    source_id: "inv_1",
    ...more,
  };
}

/**
 * @param {string} entity_id
 * @param {object} [more]
 * @returns {FactIn}
 */
export function charge(entity_id, more = {}) {
  return {
    id: unique("chg_"),
    type: "charge",
    entity_id,
    source_id: "out_1",
    amount: 1250,
    ...more,
  };
}

/**
 * @param {string} entity_id
 * @param {object} [more]
 * @returns {FactIn}
 */
export function deposit(entity_id, more = {}) {
  return { id: unique("dep_"), type: "deposit", entity_id, amount: 100_000, ...more };
}
