// z0 backtest: what rules would have done over three recorded incidents of the example product, over a
// history that a server tells, and what it says of files that are none.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import { FakeZ0, skip, z0 } from "./fake.js";

const MINUTE = 60_000;
const incidents = join(import.meta.dirname, "..", "incidents");
const directory = mkdtempSync(join(tmpdir(), "z0-backtest-"));
after(() => rmSync(directory, { recursive: true }));

/** @param {string} name @param {string | Uint8Array} contents */
function file(name, contents) {
  writeFileSync(join(directory, name), contents);
  return join(directory, name);
}

const recorded = (/** @type {string} */ name) => join(incidents, name);

/** @param {string} name @param {...string} args @returns {Promise<any>} */
async function played(name, ...args) {
  const history = ["--history", recorded(`${name}.history.ndjson`), "--incidents", recorded(`${name}.incident.ndjson`)];
  const run = await z0(["backtest", "--json", "--step", "15s", ...history, ...args]);
  assert.equal(run.code, 0, run.stderr);
  return JSON.parse(run.stdout);
}

/** @param {string} name @param {string} rule @param {number} minutes @param {...string} args */
async function isCaught(name, rule, minutes, ...args) {
  const told = await played(name, ...args);
  const [incident] = told.outcome.incidents;
  assert.equal(incident.rule, rule, JSON.stringify(incident));
  assert.ok(incident.detected_after_ms <= minutes * MINUTE, `${rule} told of it after ${incident.detected_after_ms} ms`);
  assert.equal(incident.paged_after_ms, incident.detected_after_ms);
  assert.equal(told.outcome.pages_outside_incidents, 0);
  console.log(`${name}: ${rule} after ${incident.detected_after_ms / 1_000} s, ${JSON.stringify(told.outcome.money)}`);
  return told.outcome;
}

describe("Backtests of recorded incidents", { skip }, () => {
  it("The shipped rules page within two minutes when a tool fails, before most of the money is lost", async () => {
    const { money } = await isCaught("tool_fails", "ExternalToolErrors", 2);
    assert.equal(money.length, 1);
    assert.equal(money[0].caught + money[0].missed, money[0].lost);
    assert.ok(money[0].caught > 0.5 * money[0].lost, JSON.stringify(money));
  });

  it("The shipped rules page within three minutes when D1 is away", async () => {
    const { firings } = await isCaught("d1_away", "ReplicationLag", 3);
    assert.ok(firings.some((/** @type {any} */ { rule }) => rule === "ReplicationFailures"));
  });

  it("A tenant's own rule catches what the shipped thresholds miss: buyers who stay away", async () => {
    const shipped = await played("buyers_away");
    const own = ["--shipped", recorded("rules.json")];
    const outcome = await isCaught("buyers_away", "NoChargesForAWhile", 6, ...own);
    const [before, now] = [shipped.outcome.money[0], outcome.money[0]];
    assert.equal(before.lost, now.lost);
    assert.ok(before.caught < now.caught, `${before.caught} of ${before.lost}, then ${now.caught}`);
  });

  it("Two versions of rules stand side by side, in a table and as JSON", async () => {
    const lax = JSON.parse(readFileSync(recorded("rules.json"), "utf8"));
    lax.rules[0].window = "2h";
    const other = file("lax.json", JSON.stringify(lax));
    const both = [recorded("rules.json"), "--against", other];
    const { outcome, against } = await played("buyers_away", ...both);
    assert.equal(outcome.firings.length, 1);
    assert.deepEqual(against.firings, []);
    assert.equal(against.incidents[0].detected, false);
    assert.equal(against.money[0].missed, outcome.money[0].lost);
    const files = ["--history", recorded("buyers_away.history.ndjson"), "--incidents", recorded("buyers_away.incident.ndjson")];
    const run = await z0(["backtest", "--step", "15s", ...both, ...files]);
    assert.match(run.stdout, /rule +severity +fires +a week +for +longest +other fires/);
    assert.match(run.stdout, /NoChargesForAWhile +critical +1 .* - *\n/);
    assert.match(run.stdout, /buyers_away +NoChargesForAWhile .*nobody/);
  });
});

/** @param {number} minute @param {string} more */
const call = (minute, more = "") =>
  `{"type":"invocation","timestamp":${1_774_915_200_000 + minute * MINUTE},"tenant_id":"north","tool_id":"tool_x","data":{${more}}}`;
// An hour of ten calls a minute, of which in five minutes all fail.
const facts = Array.from({ length: 600 }, (_, i) => {
  const minute = Math.floor(i / 10);
  return call(minute, minute >= 30 && minute < 35 ? '"error":{"code":"timeout"}' : "");
});

// A Monday, 00:00.
const MONDAY = 1_767_571_200_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const stops = MONDAY + 29 * DAY + 10 * HOUR;

/** Weekdays from 8 to 18 with a call a minute, every other one charged; north stops on a Tuesday. */
function* shops() {
  for (let at = MONDAY; at < stops + 3 * HOUR; at += MINUTE) {
    const [day, hour] = [Math.floor((at - MONDAY) / DAY) % 7, Math.floor((at % DAY) / HOUR)];
    if (day >= 5 || hour < 8 || hour >= 18) continue;
    for (const tenant_id of at < stops ? ["north", "south"] : ["south"]) {
      yield JSON.stringify({ type: "invocation", timestamp: at + 5, tenant_id, tool_id: "tool_x", data: {} });
      if ((at / MINUTE) % 2 === 0) {
        const money = { entity_id: `acct_${tenant_id}`, amount: 500, currency: "USD" };
        yield JSON.stringify({ type: "charge", timestamp: at + 9, tenant_id, ...money, data: {} });
      }
    }
  }
}

describe("Backtests of rules that have to learn", { skip }, () => {
  const history = file("shops.ndjson.gz", gzipSync([...shops()].join("\n")));
  const args = ["backtest", "--history", history, "--from", String(MONDAY + 28 * DAY)];

  it("A tenant that stopped in busy hours is known after a quarter of an hour, with what it lost", async () => {
    const lost = { amount: 45_000, currency: "USD" };
    const stop = { name: "north stops", from: stops, to: stops + 3 * HOUR, tenant_id: "north", lost };
    const incident = file("stop.ndjson", JSON.stringify(stop));
    const run = await z0([...args, "--json", "--incidents", incident]);
    assert.equal(run.code, 0, run.stderr);
    const { outcome } = JSON.parse(run.stdout);
    const [told] = outcome.incidents;
    assert.equal(told.rule, "ZeroInvocations", run.stdout);
    assert.ok(told.detected_after_ms <= 17 * MINUTE, `${told.detected_after_ms} ms`);
    assert.equal(told.caught + told.missed, lost.amount);
    assert.equal(outcome.pages_outside_incidents, 0);
    const by = (/** @type {string} */ name) => outcome.firings.filter((/** @type {any} */ { rule }) => rule === name);
    const [firing] = by("ZeroInvocations");
    assert.equal(firing.tenant_id, "north");
    assert.match(firing.why, /^No invocation for 1[67] min/);
    assert.equal(firing.money.at_risk_per_hour, 15_000);
    // Three hours, of which two are learned by then: so less is usual than was.
    assert.ok(firing.money.lost > 30_000 && firing.money.lost <= 45_000, JSON.stringify(firing));
    // The hour without facts is far from usual, too.
    assert.deepEqual([...new Set(by("FactsUnusual").map((/** @type {any} */ one) => one.tenant_id))], ["north"]);
    const rules = Object.fromEntries(outcome.rules.map((/** @type {any} */ one) => [one.name, one]));
    for (const name of ["ZeroInvocations", "FactsUnusual"]) {
      assert.equal(rules[name].not_judged, null);
      assert.equal(rules[name].judged_from, MONDAY + 28 * DAY);
      assert.ok(rules[name].learned_from < MONDAY + DAY);
    }
    assert.equal(rules.BudgetEnds.not_judged, "the history has no version of a budget");
  });

  it("says in the table what it cost, and since when a rule was judged", async () => {
    const { stdout } = await z0([...args.slice(0, 3), "--from", String(MONDAY + 7 * DAY)]);
    assert.match(stdout, /fired +rule +about +for +lost\n/);
    assert.match(stdout, /2026-02-03 10:1[67]:00\.000 +ZeroInvocations +north +to the end +4[0-9]{2}\.[0-9]{2} USD/);
    assert.match(stdout, /judged from 2026-01-19 [0-9:.]+ on: .*FactsUnusual/);
    assert.match(stdout, /not judged, the history has none of its measurements: .*WriteLatencyUnusual/);
  });

  it("names a rule about business where there are samples alone", async () => {
    const sample = { t: MONDAY, metric: "z0_external_calls_total", tenant_id: "north", rise: 1 };
    const input = [sample, { ...sample, t: MONDAY + HOUR }].map((one) => JSON.stringify(one)).join("\n");
    const { stdout } = await z0(["backtest", "--history", "-"], { input });
    assert.match(stdout, /not judged, it needs facts, and the history has none: .*NoCharges/);
    assert.match(stdout, /not judged, the history has none of its measurements: .*FactsUnusual/);
  });
});

describe("z0 backtest", { skip }, () => {
  /** @type {FakeZ0} */
  let server;
  before(async () => void (server = await new FakeZ0().start()));
  after(() => server.stop());

  it("plays facts as they are exported, packed or not, in any order", async () => {
    const lines = [...facts].reverse();
    const plain = await z0(["backtest", "--json", "--history", "-"], { input: lines.join("\n") });
    assert.equal(plain.code, 0, plain.stderr);
    const { outcome, measurements } = JSON.parse(plain.stdout);
    assert.equal(measurements, 1_250);
    assert.deepEqual(outcome.firings.map((/** @type {any} */ { rule, fired_at }) => [rule, (fired_at - 1_774_915_200_000) / MINUTE]), [
      ["ExternalToolErrors", 32],
    ]);
    const packed = file("facts.ndjson.gz", gzipSync(facts.join("\n")));
    const again = await z0(["backtest", "--json", "--history", packed]);
    assert.deepEqual(JSON.parse(again.stdout).outcome, outcome);
  });

  it("says in a table what fired, what was quiet and what could not be judged", async () => {
    const { stdout } = await z0(["backtest", "--history", "-"], { input: facts.join("\n") });
    assert.match(stdout, /1,250 measurements of 4 series/);
    assert.match(stdout, /ExternalToolErrors +critical +1 /);
    assert.match(stdout, /2026-03-31 00:32:00.000 +ExternalToolErrors +tool_id=tool_x /);
    assert.match(stdout, /quiet: FactWriteFailuresWarning, /);
    assert.match(stdout, /not judged, the history has none of its measurements: .*ReplicationLag/);
  });

  it("asks a running z0 page after page, for counters besides, and saves what it heard", async () => {
    const from = 1_774_915_200_000;
    const sample = (/** @type {number} */ i, /** @type {string} */ metric) => ({
      ...{ t: from + i * MINUTE, metric, tenant_id: "north", labels: { tool_id: "tool_x" }, rise: 10 },
    });
    server.before = ({ url }) => {
      if (url.startsWith("/v1/metrics/query")) {
        const labels = { tenant_id: "north", cache_type: "BudgetState" };
        const steps = [{ at: from, value: url.includes("misses") ? 300 : 100 }];
        return { status: 200, body: { groups: url.includes("z0_cache_") ? [{ labels, steps }] : [] } };
      }
      const second = url.includes("cursor=two");
      const begin = second ? 30 : 0;
      const samples = Array.from({ length: 30 }, (_, i) => sample(begin + i, "z0_external_calls_total"));
      if (second) samples.push(...samples.slice(0, 5).map((one) => ({ ...one, metric: "z0_external_errors_total" })));
      return { status: 200, body: { samples, reached: from, cursor: second ? null : "two" } };
    };
    const saving = file("saved.ndjson", "");
    const env = { Z0_URL: server.url, Z0_TOKEN: "token" };
    const times = ["--from", String(from), "--to", String(from + 60 * MINUTE)];
    const asked = await z0(["backtest", "--json", "--save", saving, ...times], { env });
    assert.equal(asked.code, 0, asked.stderr);
    const { outcome } = JSON.parse(asked.stdout);
    assert.deepEqual(outcome.firings.map((/** @type {any} */ { rule }) => rule).sort(), ["CacheMisses", "ExternalToolErrors"]);
    const [first] = server.seen.filter(({ url }) => url.startsWith("/v1/rules/history"));
    // Rules about anomalies learn for five weeks, and those about business ask for money.
    assert.ok(first.url.includes(`from=${from - 35 * 1_440 * MINUTE}`), first.url);
    assert.ok(first.url.includes("facts=true"), first.url);
    const saved = await z0(["backtest", "--json", "--history", saving, ...times]);
    assert.deepEqual(JSON.parse(saved.stdout).outcome, outcome);
  });

  it("judges rules about business by the sums that a running z0 tells", async () => {
    server.before = ({ url }) => {
      if (!url.startsWith("/v1/rules/history")) return { status: 200, body: { groups: [] } };
      const times = Array.from({ length: 600 }, (_, i) => MONDAY + i * MINUTE);
      const samples = times.map((t) => ({ t, metric: "z0_external_calls_total", tenant_id: "north", rise: 2 }));
      const facts = times.flatMap((t) => [
        { t: t + 9, type: "invocation", tenant_id: "north", facts: 2 },
        { t: t + 9, type: "charge", tenant_id: "north", facts: 1, amount: 250, currency: "USD" },
      ]);
      return { status: 200, body: { samples, facts, reached: MONDAY, cursor: null } };
    };
    const env = { Z0_URL: server.url, Z0_TOKEN: "token" };
    const saving = file("sums.ndjson", "");
    const times = ["--from", String(MONDAY + 6 * HOUR), "--to", String(MONDAY + 11 * HOUR)];
    const asked = await z0(["backtest", "--json", "--save", saving, ...times], { env });
    assert.equal(asked.code, 0, asked.stderr);
    const { outcome } = JSON.parse(asked.stdout);
    const [firing] = outcome.firings.filter((/** @type {any} */ { rule }) => rule === "ZeroInvocations");
    assert.ok(firing.fired_at <= MONDAY + 10 * HOUR + 17 * MINUTE, JSON.stringify(outcome.firings));
    assert.equal(firing.money.at_risk_per_hour, 15_000);
    const saved = await z0(["backtest", "--json", "--history", saving, ...times]);
    assert.deepEqual(JSON.parse(saved.stdout).outcome, outcome);
  });

  it("judges rules about business by facts in sum alone, which are no measurement of others", async () => {
    const sums = Array.from({ length: 600 }, (_, i) => [
      { t: MONDAY + i * MINUTE + 9, type: "invocation", tenant_id: "north", facts: 2 },
      { t: MONDAY + i * MINUTE + 9, type: "invocation", tenant_id: "south", facts: 1 },
    ]).flat();
    const stopped = sums.filter(({ t, tenant_id }) => tenant_id === "south" || t < MONDAY + 9 * HOUR);
    const input = stopped.map((one) => JSON.stringify(one)).join("\n");
    const run = await z0(["backtest", "--json", "--history", "-"], { input });
    assert.equal(run.code, 0, run.stderr);
    const { from, to, measurements, outcome } = JSON.parse(run.stdout);
    assert.deepEqual([from, to, measurements], [MONDAY, MONDAY + 599 * MINUTE + 9, 0]);
    assert.deepEqual(outcome.firings.map((/** @type {any} */ { rule, tenant_id }) => [rule, tenant_id]), [["ZeroInvocations", "north"]]);
    const rules = Object.fromEntries(outcome.rules.map((/** @type {any} */ one) => [one.name, one.not_judged]));
    assert.equal(rules.ZeroInvocations, null);
    assert.equal(rules.NoCharges, "the history has no charge");
    assert.equal(rules.FactsUnusual, "the history has none of its measurements");
    // Where no rule is about business, they say nothing.
    const refused = await z0(["backtest", recorded("rules.json"), "--history", "-"], { input });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /the history has no measurement/);
  });

  it("says which line of which file it cannot read, and why", async () => {
    const wrong = file("wrong.ndjson", `${facts[0]}\n{"t":1,"metric":"up","rise":1}\n`);
    const run = await z0(["backtest", "--history", wrong]);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /wrong\.ndjson, line 2: line\.metric: expected is a metric of the registry/);
    const incident = file("incident.ndjson", '{"name":"n","from":5,"to":4}');
    const other = await z0(["backtest", "--history", "-", "--incidents", incident], { input: facts[0] });
    assert.match(other.stderr, /incident\.ndjson, line 1: incident\.to: expected is when it ended, after it began/);
    for (const args of [["--step", "5ms"], ["--from", "2027-01-01"]]) {
      const refused = await z0(["backtest", "--history", "-", ...args], { input: facts.join("\n") });
      assert.equal(refused.code, 2, refused.stderr);
    }
  });
});
