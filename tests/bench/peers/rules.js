// The rules of a fact, hand-written in plain JavaScript: the same ones that the core checks, for
// the peers that parse with JSON.parse.

const ID = /^[A-Za-z0-9_.:-]{1,128}$/;
const TYPE = /^[a-z][a-z0-9_]{0,63}$/;
const TRACE = /^(?!0{32})[0-9a-f]{32}$/;
const CURRENCY = /^[A-Z]{3}$/;
const LEDGER = /^(?:acct|ast|con|deal)_./;
const TIMESTAMP_MAX = 253402300799999;
const DATA_BYTES_MAX = 65536;
const DATA_DEPTH_MAX = 16;

const MEMBERS = new Set([
  "id",
  "type",
  "subtype",
  "timestamp",
  "tenant_id",
  "entity_id",
  "source_id",
  "asset_id",
  "campaign_id",
  "tool_id",
  "user_id",
  "config_id",
  "config_version",
  "amount",
  "currency",
  "trace_id",
  "data",
]);
const IDS = ["source_id", "asset_id", "campaign_id", "tool_id", "user_id", "config_id"];
const LIFECYCLE = new Set(["created", "retiring", "retired", "config_updated"]);
const RESERVED = new Set(["reconciliation", "alert"]);
const SOURCED = new Set(["outcome", "charge", "cost", "payout", "correction"]);
const PAID = new Set(["charge", "cost", "payout"]);
const CREDITED = new Set(["deposit", "credit_issued"]);

/** @param {unknown} value @param {number} depth @returns {boolean} */
function tooDeep(value, depth) {
  if (value === null || typeof value !== "object") return false;
  if (depth > DATA_DEPTH_MAX) return true;
  for (const inner of Object.values(value)) if (tooDeep(inner, depth + 1)) return true;
  return false;
}

/** @param {any} fact @returns {string | null} */
function shapeProblem(fact) {
  if (fact === null || typeof fact !== "object" || Array.isArray(fact)) return "not_an_object";
  for (const name of Object.keys(fact)) if (!MEMBERS.has(name)) return "unknown_member";
  if (fact.id !== undefined && (typeof fact.id !== "string" || !ID.test(fact.id)))
    return "invalid_id";
  if (typeof fact.type !== "string" || !TYPE.test(fact.type)) return "invalid_type";
  if (fact.subtype !== undefined && (typeof fact.subtype !== "string" || !TYPE.test(fact.subtype)))
    return "invalid_type";
  if (
    fact.timestamp !== undefined &&
    (!Number.isSafeInteger(fact.timestamp) || fact.timestamp < 0 || fact.timestamp > TIMESTAMP_MAX)
  )
    return "number_out_of_range";
  if (typeof fact.entity_id !== "string" || !ID.test(fact.entity_id)) return "invalid_id";
  if (!LEDGER.test(fact.entity_id)) return "unknown_ledger";
  for (const name of IDS) {
    const value = fact[name];
    if (value !== undefined && (typeof value !== "string" || !ID.test(value))) return "invalid_id";
  }
  if ((fact.config_id === undefined) !== (fact.config_version === undefined))
    return "missing_member";
  if (
    fact.config_version !== undefined &&
    (!Number.isSafeInteger(fact.config_version) || fact.config_version < 1)
  )
    return "number_out_of_range";
  if (fact.amount !== undefined && !Number.isSafeInteger(fact.amount)) return "number_out_of_range";
  if (
    fact.currency !== undefined &&
    (typeof fact.currency !== "string" || !CURRENCY.test(fact.currency))
  )
    return "invalid_value";
  if (
    fact.trace_id !== undefined &&
    (typeof fact.trace_id !== "string" || !TRACE.test(fact.trace_id))
  )
    return "invalid_value";
  return null;
}

/** @param {any} fact @returns {string | null} */
function dataProblem(fact) {
  const data = fact.data;
  if (data === undefined) return null;
  if (data === null || typeof data !== "object" || Array.isArray(data)) return "wrong_type";
  if (tooDeep(data, 1)) return "too_deep";
  if (data.trace_id !== undefined) {
    if (typeof data.trace_id !== "string" || !TRACE.test(data.trace_id)) return "invalid_value";
    if (fact.trace_id !== undefined && fact.trace_id !== data.trace_id) return "trace_mismatch";
  }
  return null;
}

/** @param {any} fact @returns {string | null} */
function ruleProblem(fact) {
  const type = fact.type;
  const traced = fact.trace_id !== undefined || fact.data?.trace_id !== undefined;
  if (RESERVED.has(type)) return "reserved_type";
  if (SOURCED.has(type) && fact.source_id === undefined) return "missing_member";
  if (PAID.has(type) && (fact.amount === undefined || fact.amount < 0)) return "invalid_value";
  if (CREDITED.has(type) && !(fact.amount > 0)) return "invalid_value";
  if (type === "invocation" && fact.tool_id === undefined) return "missing_member";
  if (type === "outcome" && fact.subtype === undefined) return "missing_member";
  if (type === "lifecycle" && !LIFECYCLE.has(fact.subtype)) return "invalid_value";
  if (type === "correction" && typeof fact.data?.reason !== "string") return "missing_member";
  if ((type === "invocation" || fact.data?.error !== undefined) && !traced) return "trace_required";
  return null;
}

/**
 * The first rule that a parsed fact breaks, or null. @param {any} fact @param {string} tenant
 * @returns {string | null}
 */
export function factProblem(fact, tenant) {
  const problem = shapeProblem(fact) ?? dataProblem(fact);
  if (problem) return problem;
  if (fact.tenant_id !== undefined && fact.tenant_id !== tenant) return "tenant_mismatch";
  return ruleProblem(fact);
}

/**
 * What is stored of a fact: its members with the defaults filled in, `data` as text.
 * @param {any} fact @param {string} tenant @param {number} nowMs
 */
export function normalize(fact, tenant, nowMs) {
  const traceId = fact.trace_id ?? fact.data?.trace_id;
  const data = JSON.stringify(
    traceId === undefined ? (fact.data ?? {}) : { ...fact.data, trace_id: traceId },
  );
  if (data.length > DATA_BYTES_MAX) return null;
  return {
    id: fact.id ?? `fact_${crypto.randomUUID()}`,
    type: fact.type,
    subtype: fact.subtype,
    timestamp: fact.timestamp ?? nowMs,
    tenant_id: tenant,
    entity_id: fact.entity_id,
    source_id: fact.source_id,
    asset_id: fact.asset_id,
    campaign_id: fact.campaign_id,
    tool_id: fact.tool_id,
    user_id: fact.user_id,
    config_id: fact.config_id,
    config_version: fact.config_version,
    amount: fact.amount,
    currency: fact.amount === undefined ? undefined : (fact.currency ?? "USD"),
    trace_id: traceId,
    data,
  };
}
