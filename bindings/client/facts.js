// Facts on their way to z0: made complete and written as JSON when they are recorded, so that what a
// caller does to its object later changes nothing; and what z0 said of each.

import { identifier } from "./names.js";

/** @import { Fact, Receipt } from "./index.d.ts" */
/** @import { Span } from "./spans.js" */
/** @import { Answer } from "./transport.js" */

/**
 * @typedef {object} Entry a fact that waits
 * @property {string} id
 * @property {string} json
 * @property {number} characters of it
 * @property {boolean} money whether it moves any
 * @property {Span | null} span that recorded it
 * @property {string} traceId
 * @property {string} spanId
 * @property {string} tenant
 * @property {number} at
 * @property {Receipt | null} receipt
 */

const MONEY = ["charge", "cost", "payout", "deposit", "credit_issued", "correction"];

/**
 * What a fact lacks is added: an id, so that sending it twice records it once; the time; the tenant; and
 * the trace, which leads from the money to how it came about.
 * @param {Fact} fact
 * @param {{ tenant: string, at: number, traceId: string, spanId: string, span: Span | null, id: string }} from
 * @returns {Entry}
 */
export function entryOf(fact, { tenant, at, traceId, spanId, span, id: made }) {
  if (typeof fact !== "object" || fact === null || typeof fact.type !== "string") {
    throw new TypeError("A fact is an object with a type");
  }
  const id = identifier(fact.id ?? made, "a fact's id");
  const carriesTrace = fact.trace_id !== undefined || fact.data?.trace_id !== undefined;
  const whole = {
    ...fact,
    id,
    timestamp: fact.timestamp ?? Math.floor(at),
    ...(tenant === "" || fact.tenant_id !== undefined ? {} : { tenant_id: tenant }),
    ...(carriesTrace ? {} : { trace_id: traceId }),
  };
  const money = MONEY.includes(fact.type) && typeof fact.amount === "number" && fact.amount !== 0;
  const json = JSON.stringify(whole);
  return { id, json, characters: json.length, money, span, traceId, spanId, tenant, at, receipt: null };
}

/**
 * What became of each fact of a list that was posted: "again" for one that may be taken later.
 * @param {Answer} answer
 * @param {Entry[]} entries
 * @returns {(Receipt | "again")[]}
 */
export function receiptsOf({ what, status, body, why }, entries) {
  const results = Array.isArray(body?.results) && body.results.length === entries.length ? body.results : null;
  return entries.map(({ id }, i) => {
    const result = results?.[i];
    if (result === undefined) {
      // Sent again under its id, a fact that was recorded is a duplicate.
      if (what === "again" || what === "lost") return "again";
      if (what === "refused") return { id, status: body?.status ?? "refused", http: status, message: why };
      return { id, status: "unknown", message: "z0 did not say what became of it" };
    }
    if (result.status === "recorded" || result.status === "duplicate") {
      const { seq, recorded_at } = result;
      return { id, status: result.status, seq, recorded_at };
    }
    if (result.http === 429 || result.http >= 500) return "again";
    return { id, status: String(result.status), http: result.http, message: result.message };
  });
}

/** @param {Receipt} receipt */
export function isTaken({ status }) {
  return status === "recorded" || status === "duplicate";
}
