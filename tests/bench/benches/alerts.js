// What alerts cost: a tick of rules beside Prometheus with the same rules over the same series, and a
// backtest of a month. Both of z0 natively, as `z0 backtest` runs them.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Prometheus } from "../lib/prometheus.js";
import { exact, gate, round, times } from "../lib/report.js";
import { figure, progress } from "../lib/rounds.js";
import { ROOT } from "../lib/workers.js";

const TENANTS = 1_000;
const BACKTEST_SECONDS_MAX = 1;
const TICK_MS_MAX = 1;
// The longest window, and something over.
const PAST_S = 1_200;

/** @param {string} name @param {string[]} args */
function run(name, ...args) {
  const path = join(ROOT, "build/release", name);
  if (!existsSync(path)) throw new Error(`${path} is not there: scripts/bench alerts builds it`);
  return execFileSync(path, args, { encoding: "utf8", maxBuffer: 1 << 24 });
}
/** @param {string} name @param {string[]} args @returns {any[]} */
const told = (name, ...args) =>
  run(name, ...args)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

/** The series of tick_bench.cpp. @returns {import("../lib/prometheus.js").Counter[]} */
function counters() {
  /** @type {[string, string, number][]} name, labels, how much in ten seconds */
  const kinds = [
    ["z0_facts_written_total", 'fact_type="x",subtype="x",asset_id="x"', 50],
    ["z0_facts_write_failures_total", 'fact_type="x",error_code="x"', 0],
    ["z0_external_calls_total", 'tool_id="x",operation="x",error_code="x"', 20],
    ["z0_external_errors_total", 'tool_id="x",operation="x",error_code="x"', 0],
    ["z0_cache_hits_total", 'cache_type="x"', 30],
    ["z0_cache_misses_total", 'cache_type="x"', 3],
  ];
  return kinds.flatMap(([name, labels, rise]) =>
    Array.from({ length: TENANTS }, (_, i) => {
      const failing = rise === 0 && i % 50 === 0;
      return { name, labels: `tenant_id="tenant_${i}",${labels}`, perSecond: (failing ? 2 : rise) / 10 };
    }),
  );
}

// What z0 exports counts as z0 does, with three looks at each range.
const EXACT = /\(\((\w+) - min_over_time\(\1\[(\w+)\]\) unless resets\(\1\[\2\]\) > 0\) or increase\(\1\[\2\]\)\)/g;

/** @param {string} rules @param {number} rounds */
async function ofPrometheus(rules, rounds) {
  const prometheus = new Prometheus(counters(), rules);
  try {
    progress("a past for Prometheus");
    await prometheus.start(PAST_S);
    progress(`${rounds + 3} evaluations of Prometheus, ten seconds each`);
    const ms = figure(await prometheus.evaluations(rounds));
    return { ms, alerts: await prometheus.alertCount() };
  } finally {
    await prometheus.stop();
  }
}

// Prices of the paid plan: a million requests of objects, a million rows that they write.
const DOLLARS_A_MILLION = { requests: 0.15, rows: 1 };

/** What a day costs, of all of z0 and of its alerting. @returns {import("../lib/report.js").Section} */
function costSection() {
  const days = told("alerting_cost_bench");
  const rows = ["requests", "rows", "statements"].map((what) => ({
    name: { requests: "requests of objects", rows: "rows written", statements: "statements of D1" }[what] ?? what,
    unit: "a day",
    cells: Object.fromEntries(
      days.flatMap(({ day, all, alerting }) => [
        [`${day}: alerting`, exact(alerting[what])],
        [`${day}: all of z0`, exact(all[what])],
      ]),
    ),
  }));
  const dollars = (/** @type {Record<string, number>} */ counts) =>
    exact((counts.requests * DOLLARS_A_MILLION.requests + counts.rows * DOLLARS_A_MILLION.rows) / 1e6);
  rows.push({
    name: "requests and rows in money",
    unit: "$ a day",
    cells: Object.fromEntries(
      days.flatMap(({ day, all, alerting }) => [
        [`${day}: alerting`, dollars(alerting)],
        [`${day}: all of z0`, dollars(all)],
      ]),
    ),
  });
  return {
    title: "What alerting costs",
    rows,
    notes: [
      "Counted in a simulated z0 where nothing goes wrong: twenty tenants with an invocation and a charge a minute, and a day that " +
        "begins two days after the last of them. Durable Objects are priced at $0.15 a million requests and $1 a million rows. " +
        "For a week after the last fact a tenant may come back, so it is looked for each minute; then nothing is left that costs.",
    ],
  };
}

/**
 * @param {import("../run.js").Options} options
 * @returns {Promise<import("../lib/report.js").Section[]>}
 */
export async function alerts({ quick }) {
  const rounds = quick ? 3 : 7;
  const rules = run("tick_bench", "--rules");
  /** @type {any[]} */
  const ticks = [];
  const theirs = await ofPrometheus(rules, rounds);
  const plainly = await ofPrometheus(rules.replace(EXACT, "increase($1[$2])"), rounds);
  for (let i = 0; i < rounds; i++) ticks.push(...told("tick_bench", "200"));
  const z0 = figure(ticks.map(({ tick_us }) => tick_us / 1_000));
  const judging = figure(ticks.map(({ judging_us }) => judging_us / 1_000));
  const { alerts: count } = ticks[0];
  if (theirs.alerts !== count) throw new Error(`z0 has ${count} alerts, Prometheus ${theirs.alerts}`);
  const backtests = told("backtest_bench", String(rounds));
  const seconds = figure(backtests.map((one) => one.seconds));
  const ofBusiness = figure(backtests.map((one) => one.business_seconds));
  return [
    {
      title: "Alerts",
      rows: [
        {
          name: "a tick: 20 rules over 1,000 tenants, 6,000 series",
          unit: "ms CPU",
          cells: { z0, Prometheus: theirs.ms, "Prometheus, plain": plainly.ms },
          gates: [gate(`≤ ${TICK_MS_MAX} ms (Prometheus ${round(times(plainly.ms, z0))} ×)`, z0.median <= TICK_MS_MAX)],
        },
        { name: "of it judging", unit: "ms CPU", cells: { z0: judging } },
        {
          name: "a backtest: 30 days at one minute, one rule, 1,000 tenants",
          unit: "s CPU",
          cells: { z0: seconds },
          gates: [gate(`≤ ${BACKTEST_SECONDS_MAX} s`, seconds.median <= BACKTEST_SECONDS_MAX)],
        },
        {
          name: "the same of one rule about business, 100 tenants, after four weeks to learn",
          unit: "s CPU",
          cells: { z0: ofBusiness },
        },
      ],
      notes: [
        `z0 and Prometheus have ${count} alerts each that wait or fire. A tick of z0 takes in what rose in ten seconds and lets go ` +
          "of what is old; Prometheus's is its whole CPU from one evaluation to the next, ten seconds later, with one scrape. " +
          "Plain are the same rules with increase() alone, which misses what a counter began with and guesses beyond its samples.",
      ],
    },
    costSection(),
  ];
}
