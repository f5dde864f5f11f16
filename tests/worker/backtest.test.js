// Rules over what happened, asked of a z0 that runs: facts by minute from D1, and what rules would have done.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { charge } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const begin = Math.floor(Date.now() / MINUTE) * MINUTE - 3 * HOUR;
const trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0();
  // Two hours of a call a minute, and then none; from minute 60 to 80 each one fails. Every other one is paid.
  const calls = Array.from({ length: 120 }, (_, i) => ({
    ...{ type: "invocation", id: `inv_${i}`, entity_id: "ast_north", tool_id: "tool_dial", trace_id },
    timestamp: begin + i * MINUTE + 5,
    data: { operation: "dial", ...(i >= 60 && i < 80 ? { error: { code: "http_503" } } : {}) },
  }));
  const charges = Array.from({ length: 60 }, (_, i) =>
    charge("acct_north", { timestamp: begin + 2 * i * MINUTE + 9, amount: 500 }),
  );
  const facts = [...calls, ...charges];
  assert.equal((await z0.post(facts, { token: token("north") })).status, 200);
  await eventually("all facts in D1", async () => {
    const [{ n }] = await z0.d1("SELECT count(*) AS n FROM ledger_facts");
    return n === facts.length;
  });
});
after(() => z0?.dispose());

test("Facts are told by minute, as lines of a history", async () => {
  const path = `/v1/rules/history?from=${begin}&to=${begin + HOUR}`;
  const { body } = await z0.fetch(path, { token: token("north") });
  assert.equal(body.cursor, null);
  assert.equal(body.samples.length, 60 * 2 + 30);
  assert.deepEqual(body.samples.find((/** @type {any} */ { metric }) => metric === "z0_external_calls_total"), {
    ...{ t: begin, metric: "z0_external_calls_total", tenant_id: "north", rise: 1 },
    labels: { tool_id: "tool_dial", operation: "dial" },
  });
  assert.equal(body.facts, undefined);
  // For rules about business: the same minutes, in sum.
  const money = await z0.fetch(`${path}&facts=true`, { token: token("north") });
  assert.equal(money.body.facts.length, 60 + 30);
  const first = (/** @type {string} */ kind) => money.body.facts.find((/** @type {any} */ { type }) => type === kind);
  assert.deepEqual(first("invocation"), { t: begin + 5, type: "invocation", tenant_id: "north", facts: 1 });
  assert.deepEqual(first("charge"), { ...{ t: begin + 9, type: "charge", tenant_id: "north", facts: 1 }, amount: 500, currency: "USD" });
  const others = await z0.fetch(path, { token: token("south") });
  assert.deepEqual(others.body.samples, []);
});

test("A backtest goes over days in parts and says what would have fired", async () => {
  const asked = {
    ...{ from: begin - 48 * HOUR, to: begin + 3 * HOUR },
    incidents: [{ name: "no dial", from: begin + HOUR, to: begin + HOUR + 20 * MINUTE, lost: { amount: 20_000 } }],
  };
  const { status, body } = await z0.fetch("/v1/rules/backtest", {
    ...{ method: "POST", token: token("north") },
    body: JSON.stringify(asked),
  });
  assert.equal(status, 200, JSON.stringify(body));
  const [firing, silence, ...more] = body.outcome.firings;
  assert.deepEqual(more, []);
  assert.equal(firing.rule, "ExternalToolErrors");
  assert.deepEqual(firing.labels, { tool_id: "tool_dial" });
  const [incident] = body.outcome.incidents;
  assert.ok(incident.detected_after_ms <= 5 * MINUTE, `${incident.detected_after_ms} ms`);
  assert.equal(incident.caught + incident.missed, 20_000);
  assert.equal(body.outcome.pages, 2);
  // That nothing comes any longer is known by facts in sum.
  assert.equal(silence.rule, "ZeroInvocations");
  assert.equal(silence.tenant_id, "north");
  const after = (silence.fired_at - (begin + 2 * HOUR)) / MINUTE;
  assert.ok(after > 14 && after <= 20, `${after} minutes`);
  assert.match(silence.why, /^No invocation for \d+ min/);
  assert.equal(silence.money.currency, "USD");
  assert.ok(silence.money.at_risk_per_hour > 0 && silence.money.at_risk_per_hour <= 15_000, JSON.stringify(silence));
  // Facts of three hours teach no baseline, and budgets stand in ledgers.
  const rules = Object.fromEntries(body.outcome.rules.map((/** @type {any} */ one) => [one.name, one]));
  assert.equal(rules.FactsUnusual.not_judged, "none of its baselines saw two weeks");
  assert.equal(rules.ZeroInvocations.not_judged, null);
  assert.equal(rules.ZeroInvocations.learned_from, begin);
  assert.equal(rules.RevenueLow.not_judged, "the history is too short: it needs three weeks of charges");
  assert.equal(rules.BudgetEnds.not_judged, "the history has no version of a budget");
  assert.equal(rules.ExternalToolErrors.not_judged, null);
});

test("Two versions of rules about business are each judged by themselves", async () => {
  const rule = (/** @type {string} */ window) => ({
    ...{ name: "Silent", signal: { business: "zero_invocations" }, window, by: ["tenant_id"], severity: "warning" },
    ...{ runbook: "zero_invocations", owner: "z0", summary: "Nothing is invoked any longer." },
  });
  const asked = { from: begin, to: begin + 3 * HOUR, step: "5m", rules: [rule("15m")], against: [rule("45m")] };
  const { status, body } = await z0.fetch("/v1/rules/backtest", {
    ...{ method: "POST", token: token("north") },
    body: JSON.stringify(asked),
  });
  assert.equal(status, 200, JSON.stringify(body));
  const fired = (/** @type {any} */ outcome) => outcome.firings.map((/** @type {any} */ one) => one.fired_at - (begin + 2 * HOUR));
  const [[soon], [late]] = [fired(body.outcome), fired(body.against)];
  assert.ok(soon >= 15 * MINUTE && soon <= 25 * MINUTE, `${soon} ms`);
  assert.ok(late >= 45 * MINUTE && late <= 55 * MINUTE, `${late} ms`);
});
