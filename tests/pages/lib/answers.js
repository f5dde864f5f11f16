// Answers of GET /v1/live and GET /v1/alerts for the tests: a busy marketplace, a quiet start, and what should never come.

const NOW = Date.UTC(2026, 10, 24, 7, 30, 0);

/** @typedef {Record<string, any>} Answer */

/**
 * A small generator with a seed: the same picture in every run.
 * @param {number} seed
 */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

/** @type {{type: string, subtype?: string, entity: string, amount?: number, currency?: string}[]} */
const KINDS = [
  { type: "invocation", entity: "ast_hotline_berlin" },
  { type: "outcome", subtype: "qualified_call", entity: "ast_hotline_berlin" },
  { type: "charge", entity: "acct_buyer_northwind", amount: 4_250, currency: "USD" },
  { type: "cost", entity: "acct_platform", amount: 12, currency: "USD" },
  { type: "payout", entity: "acct_publisher_mara", amount: 2_900, currency: "EUR" },
  { type: "deposit", entity: "acct_buyer_lumen", amount: 1_250_000, currency: "JPY" },
  { type: "lifecycle", subtype: "config_updated", entity: "deal_q4_renewal" },
];

/**
 * One fact of the list.
 * @param {number} n its place in time; a later fact has a higher n
 * @param {Answer} [changes]
 * @returns {Answer}
 */
export function fact(n, changes = {}) {
  const kind = KINDS[n % KINDS.length] ?? { type: "invocation", entity: "ast_a" };
  return {
    id: `fact_01JDEMO${String(n).padStart(18, "0")}`,
    type: kind.type,
    ...(kind.subtype === undefined ? {} : { subtype: kind.subtype }),
    entity_id: kind.entity,
    tenant_id: n % 3 === 0 ? "lumen" : "northwind",
    ...(kind.amount === undefined ? {} : { amount: kind.amount, currency: kind.currency }),
    status: n % 17 === 5 ? "failed" : "recorded",
    recorded_at: NOW - 50_000 + n * 737,
    ...(n % 4 === 3
      ? {}
      : {
          trace_id:
            (0x4bf92f35 + n * 7_919).toString(16).padStart(8, "0") +
            "a3ce929d0e0e4736".padEnd(24, "b"),
        }),
    ...changes,
  };
}

/**
 * @param {Answer} [changes] to the replication part
 * @returns {Answer}
 */
export function busy(changes = {}) {
  const random = randomFrom(7);
  const perSecond = Array.from({ length: 120 }, (_, i) =>
    Math.max(
      0,
      Math.round(
        64 +
          26 * Math.sin(i / 13) +
          12 * Math.sin(i / 4) +
          22 * (random() - 0.5) +
          (i > 96 && i < 104 ? 74 : 0),
      ),
    ),
  );
  return {
    now: NOW,
    facts_per_second: perSecond,
    recorded: 38_412,
    duplicate: 217,
    conflict: 3,
    refused: 41,
    failed: 0,
    by_type: {
      invocation: 17_204,
      outcome: 9_310,
      charge: 5_127,
      cost: 4_902,
      payout: 1_611,
      deposit: 208,
      lifecycle: 38,
      correction: 9,
      call_transcribed: 3,
    },
    replication: {
      band: "healthy",
      lag_ms: 184,
      lag_p99_ms: 412,
      depth: 37,
      oldest_age_ms: 230,
      failure_rate: 0,
      failures: 0,
      retries: 2,
      dead_letters: 0,
      bands: bands(),
      ...changes,
    },
    latest: Array.from({ length: 50 }, (_, i) => fact(49 - i)),
  };
}

/** Where the bands of each signal begin, as the core says. */
export function bands() {
  return {
    lag_ms: { healthy_max: 999, critical_above: 60_000 },
    depth: { healthy_max: 999, critical_above: 100_000 },
    failure_rate: { healthy_max: 0, critical_above: 0.01 },
  };
}

/** @returns {Answer} a z0 that has just started */
export function quiet() {
  return {
    now: NOW,
    facts_per_second: Array.from({ length: 120 }, () => 0),
    recorded: 0,
    duplicate: 0,
    conflict: 0,
    refused: 0,
    failed: 0,
    by_type: {},
    replication: {
      band: "healthy",
      lag_ms: 0,
      lag_p99_ms: 0,
      depth: 0,
      oldest_age_ms: 0,
      failure_rate: 0,
      failures: 0,
      retries: 0,
      dead_letters: 0,
      bands: bands(),
    },
    latest: [],
  };
}

/** @returns {Answer} markup in strings, ids at their limit, numbers beyond sense, members missing or of the wrong kind */
export function hostile() {
  const markup = '<img src=x onerror="window.stolen=1"><script>window.stolen=1</script>';
  return {
    now: NOW,
    facts_per_second: [1, null, "many", -4, 1e21, 3],
    recorded: Number.MAX_SAFE_INTEGER,
    duplicate: "7",
    refused: -1,
    failed: 1e300,
    by_type: { [markup]: 12, __proto__x: 3, ["t".repeat(64)]: 9e15, none: null },
    replication: {
      band: "<b>",
      lag_ms: 1e15,
      lag_p99_ms: {},
      depth: 4e12,
      failure_rate: 7,
      dead_letters: 3,
      bands: { lag_ms: { healthy_max: "1", critical_above: 5 }, depth: markup },
    },
    latest: [
      fact(1, {
        type: markup,
        subtype: markup,
        entity_id: markup,
        tenant_id: markup,
        status: markup,
        currency: "<b>",
        amount: 5,
        trace_id: markup,
      }),
      fact(2, {
        id: "i".repeat(128),
        entity_id: `acct_${"e".repeat(123)}`,
        tenant_id: "t".repeat(128),
        amount: Number.MAX_SAFE_INTEGER,
        currency: "USD",
      }),
      fact(3, { amount: -1, currency: "KWD", recorded_at: 9e18 }),
      fact(4, { amount: 1e400 }),
      {},
      null,
      "fact",
      fact(2, { id: "i".repeat(128), entity_id: `acct_${"e".repeat(123)}` }),
    ],
  };
}

const FIRED_AT = NOW - 720_000;

/** One that pages. @param {Record<string, unknown>} [changes] */
export const alert = (changes = {}) => ({
  id: "a1",
  state: "firing",
  rule: "TenantWriteFailures",
  tenant_id: "northwind",
  labels: {},
  value: 0.112,
  in_words: "11.2 %, fires above 1 %",
  money: {
    currency: "USD",
    lost: 123_400,
    at_risk_per_hour: 50_000,
    in_words: "1,234.00 USD lost so far, 500.00 USD an hour at risk",
    reckoning: "What was usual at this hour.",
  },
  severity: "critical",
  level: 1,
  summary: "More than 1 % of a tenant's facts are not recorded.",
  runbook: "fact_write_failures",
  owner: "platform",
  active_at: FIRED_AT,
  fired_at: FIRED_AT,
  ...changes,
});
export const warning = alert({
  id: "a2",
  rule: "ExternalToolErrors",
  severity: "warning",
  tenant_id: undefined,
  labels: { tool_id: "openai" },
  money: undefined,
  runbook: "external_tool_errors",
});

/** An answer of GET /v1/alerts. @param {...unknown} alerts */
export const alertsOf = (...alerts) => ({ alerts, evaluated_at: FIRED_AT + 60_000, left_out: 0 });
