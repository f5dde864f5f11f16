// z0 rules: what it says of rules and of tests; and that Prometheus, with the rules that it exports,
// fires at the same minutes as z0's own machine, over series that are awkward.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";

import { skip, z0 } from "./fake.js";

/**
 * @typedef {{ metric: string, tenant_id?: string, labels?: Record<string, string>, values: string,
 *   exposed?: string }} Series `exposed`: the values as /metrics shows them, where that is otherwise
 * @typedef {Record<string, unknown> & { name: string }} Rule
 */

const directory = mkdtempSync(join(tmpdir(), "z0-rules-"));
after(() => rmSync(directory, { recursive: true }));

/** @param {string} name @param {unknown} content */
function file(name, content) {
  const path = join(directory, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const written = "z0_facts_written_total";
const failed = "z0_facts_write_failures_total";

/** @param {string} name @param {object} signal @param {object} more @returns {Rule} */
function rule(name, signal, more) {
  return {
    name,
    signal,
    severity: "critical",
    runbook: "a_page",
    owner: "platform",
    summary: `It is ${name}'s`,
    ...more,
  };
}

/** @param {string} tenant @param {string} values @param {string} metric @returns {Series} */
const counts = (tenant, values, metric = written) => ({ metric, tenant_id: tenant, values });

const perTenant = { by: ["tenant_id"] };

/** @type {Rule[]} */
const rules = [
  rule("Sum", { sum: written }, { above: 10, window: "5m", ...perTenant }),
  rule("SumFor", { sum: written }, { above: 10, window: "5m", for: "2m", ...perTenant }),
  rule("SumOddFor", { sum: written }, { above: 4, window: "2m", for: "90s", ...perTenant }),
  rule("SumKept", { sum: written }, {
    above: 4, window: "1m", for: "1m", keep_firing_for: "3m", ...perTenant,
  }),
  rule("SumAtLeast", { sum: written }, { at_least: 10, window: "5m", ...perTenant }),
  rule("SumOfAll", { sum: written }, { above: 25, window: "3m" }),
  rule("Ratio", { ratio: { of: failed, to: [written, failed] } }, {
    above: 0.1, window: "5m", ...perTenant,
  }),
  rule("RatioFor", { ratio: { of: failed, to: [written, failed] } }, {
    at_least: 0.5, window: "2m", for: "1m", keep_firing_for: "2m",
  }),
  rule("RatioOfSome", {
    ratio: { of: { metric: failed, not: { error_code: "budget_exhausted" } }, to: [written, failed] },
  }, { above: 0.1, window: "5m", ...perTenant }),
  rule("Burn", {
    burn: { of: failed, to: [written, failed], objective: 0.9, long_window: "10m" },
  }, { above: 2, window: "2m", ...perTenant }),
  rule("ByLabel", { sum: written }, {
    above: 3, window: "2m", by: ["tenant_id", "fact_type"],
  }),
  rule("Depth", { value: "z0_replication_queue_depth" }, { at_least: 100, for: "1m" }),
  rule("Lag", { value: "z0_replication_lag_ms" }, { above: 10_000, keep_firing_for: "2m" }),
  rule("Few", { sum: written }, { below: 3, window: "3m", ...perTenant }),
  rule("Nothing", { absent: written }, { window: "6m", ...perTenant }),
];

/** Each case is its own tenant, so that all of them run in one test. @type {Series[]} */
const awkward = [
  counts("boundary", "0 10 10x10 21"),
  counts("steady", "0+3x30"),
  counts("flapping", "0 10 10 20 20 30 30 40 40 50 50x9 100 100"),
  counts("long_flapping", "0 10 20 20x5 30 40 40x5 50 60 70 80 80x9"),
  counts("reset", "0 5 10 0 5 10 2 2x10"),
  counts("resets", "0 8 3 8 3 8 3 3x8"),
  counts("gap", "0 5 _ _ 20 20 _ 20 35 _x3 60 60x5"),
  counts("late", "_x9 0 20 20x9"),
  counts("still", "0+5x6"),
  counts("pause", "0 1 2 3 3x12 9 9x6"),
  counts("failing", "0+9x20"),
  counts("failing", "0+1x20", failed),
  counts("half", "0 10 20 25 30 40 50 50x9"),
  counts("half", "0 0 0 5 10 10 10 10x9", failed),
  counts("all", "0 0 0 0x9"),
  counts("all", "0 4 9 9x9", failed),
  counts("only_failures", "0 4 9 9x9", failed),
  { ...counts("refused", "0+5x20", failed), labels: { error_code: "budget_exhausted" } },
  { ...counts("refused", "0 0 0 1 1x16", failed), labels: { error_code: "timeout" } },
  counts("refused", "0+9x20"),
  { ...counts("types", "0+2x9"), labels: { fact_type: "charge" } },
  { ...counts("types", "0+1x9"), labels: { fact_type: "cost" } },
  { ...counts("types", "0+1x9"), labels: { fact_type: "cost", subtype: "telephony" } },
  { metric: "z0_replication_queue_depth", values: "99 100 100 99 100 _ _ 100 _x7 100 100 stale 100 5" },
  {
    metric: "z0_replication_lag_ms",
    values: "10000 10001 1 1 10001 1 1 1 10001 _x4 1 10001 stale",
    exposed: "10 10.001 0.001 0.001 10.001 0.001 0.001 0.001 10.001 _x4 0.001 10.001 stale",
  },
];

/** Counters stand where they are to the end: z0 goes on to show them. @param {Series} one @param {number} minutes */
function lasting(one, minutes) {
  const last = /(\d+)(?:\+(\d+))?(?:x(\d+))?$/.exec(one.values);
  if (!last || one.metric.startsWith("z0_replication")) return one;
  const value = Number(last[1]) + Number(last[2] ?? 0) * Number(last[3] ?? 0);
  return { ...one, values: `${one.values} ${value}x${minutes}` };
}

/** Pseudo-random numbers, mulberry32. @param {number} seed */
function randomOf(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Counters that stand, run, jump; and begin anew, or have gaps. @returns {Series[]} */
function made() {
  /** @type {Series[]} */
  const series = [];
  for (let i = 0; i < 30; i++) {
    const random = randomOf(i + 1);
    const pace = 1 + Math.floor(random() * 6);
    const calm = random();
    const resets = i % 3 === 1;
    const gaps = i % 3 === 2;
    for (const metric of [written, failed]) {
      let value = 0;
      let missing = 0;
      const samples = ["0"];
      for (let minute = 1; minute < 45; minute++) {
        if (resets && random() < 0.05) value = 0;
        if (random() > calm) value += Math.floor(random() * pace * (metric === failed ? 1 : 3));
        missing = gaps && missing < 3 && random() < 0.2 ? missing + 1 : 0;
        samples.push(missing > 0 ? "_" : `${value}`);
      }
      series.push(counts(`made_${i}`, samples.join(" "), metric));
    }
  }
  return series;
}

/** The series' name as /metrics writes it. @param {Series} one */
function exposed(one) {
  const name = one.metric.replace(/_ms$/, "_seconds");
  const labels = Object.entries({ tenant_id: one.tenant_id ?? "", ...one.labels });
  const text = labels.filter(([, value]) => value).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${text.join(",")}}`;
}

/**
 * Of each minute, the alerts that z0 says fire.
 * @param {Series[]} series @param {number} minutes
 * @returns {Promise<{ rule: string, labels: Record<string, string> }[][]>}
 */
async function firing(series, minutes) {
  const test = file("test.json", {
    rules,
    steps: minutes,
    series: series.map(({ exposed: _, ...one }) => one),
  });
  const run = await z0(["rules", "test", "--json", test]);
  assert.equal(run.code, 0, run.stderr);
  /** @type {{ rule: string, labels: Record<string, string> }[][]} */
  const sets = Array.from({ length: minutes }, () => []);
  for (const { at, firing: set } of JSON.parse(run.stdout).steps) sets.fill(set, minutesOf(at));
  return sets;
}

/** @param {string} text */
function minutesOf(text) {
  const [, hours, minutes] = /^(?:(\d+)h)?(?:(\d+)m)?(?:0s)?$/.exec(text) ?? assert.fail(text);
  return Number(hours ?? 0) * 60 + Number(minutes ?? 0);
}

/**
 * promtool's own words about what does not fire as z0 says; empty where all does.
 * @param {Series[]} series @param {number} minutes
 */
async function differences(series, minutes) {
  const exported = await z0(["rules", "export", "--prometheus", file("rules.json", { rules })]);
  assert.equal(exported.code, 0, exported.stderr);
  file("rules.yml", exported.stdout);
  const sets = await firing(series, minutes);
  const expectations = sets.flatMap((set, minute) =>
    rules.map(({ name, summary, runbook }) => ({
      eval_time: `${minute}m`,
      alertname: name,
      exp_alerts: set
        .filter((one) => one.rule === name)
        .map(({ labels }) => ({
          exp_labels: {
            ...labels,
            severity: "critical",
            level: "1",
            audience: "on_call",
            owner: "platform",
          },
          exp_annotations: { summary, runbook },
        })),
    })),
  );
  assert.ok(sets.some((set) => set.length > 0));
  const test = file("test.yml", {
    rule_files: ["rules.yml"],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: series.map((one) => ({
          series: exposed(one),
          values: one.exposed ?? one.values,
        })),
        alert_rule_test: expectations,
      },
    ],
  });
  const run = spawnSync("promtool", ["test", "rules", test], { encoding: "utf8" });
  return run.status === 0 ? "" : (run.stderr || run.stdout).slice(0, 4_000);
}

describe("z0 rules", { skip }, () => {
  it("fires at the minutes at which Prometheus fires, over awkward series", async () => {
    assert.equal(await differences(awkward.map((one) => lasting(one, 40)), 40), "");
  });

  it("fires at the minutes at which Prometheus fires, over series of chance", async () => {
    assert.equal(await differences(made(), 45), "");
  });

  it("exports the rules that ship, in a form that Prometheus takes", async () => {
    const run = await z0(["rules", "export", "--prometheus"]);
    assert.equal(run.code, 0, run.stderr);
    const checked = spawnSync("promtool", ["check", "rules", file("shipped.yml", run.stdout)], {
      encoding: "utf8",
    });
    assert.equal(checked.status, 0, checked.stderr);
    // All but those that Prometheus cannot say, which are named.
    const shipped = (await z0(["rules"])).stdout.match(/^\w+ +(warning|critical) /gm)?.length ?? 0;
    const left = run.stdout.match(/^# \w+ is not here: /gm)?.length ?? 0;
    assert.ok(left > 0 && shipped > left);
    assert.match(checked.stdout, new RegExp(`SUCCESS: ${shipped - left} rules found`));
    assert.match(run.stdout, /# stricter: z0 fires below min_events/);
  });

  it("lists what ships", async () => {
    const run = await z0(["rules"]);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /ReplicationLag +critical +value z0_replication_lag_ms above 60000/);
    assert.match(run.stdout, /critical +ratio z0_external_errors_total \/ z0_external_calls_total above /);
    assert.match(run.stdout, /RevenueUnusual +warning +business revenue_unusual above 0\.65 /);
    assert.match(run.stdout, /NoCharges +critical +business no_charges +1h /);
  });

  it("takes the rule of the README", async () => {
    const readme = readFileSync(join(import.meta.dirname, "..", "..", "README.md"), "utf8");
    const sample = /\n## Rules of alerts\n.*?```json\n(.*?)```/s.exec(readme)?.[1] ?? "";
    const listed = await z0(["rules", "check", file("readme.json", sample)]);
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout, /AcmeToolsSlow +warning +quantile z0_external_call_duration_ms above 2000 +10m +2m/);
  });

  it("says where a rule is wrong", async () => {
    const run = await z0(["rules", "check", file("bad.json", { rules: [{ ...rules[0], by: ["x"] }] })]);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /rules\[0\]\.by: expected is labels of z0_facts_written_total, and x is none/);
  });

  it("tells what fires, and what was expected to", async () => {
    const test = file("told.json", {
      rules: [rules[0]],
      series: [counts("north", "0 20")],
      expect: [{ at: "1m", rule: "Sum", firing: [] }],
    });
    const run = await z0(["rules", "test", test]);
    assert.equal(run.code, 1);
    assert.match(run.stdout, /1m: 1 firing, 0 pending\n  Sum {"tenant_id":"north"}/);
    assert.match(run.stdout, /FAILED Sum at 1m: expected \[\], but \[{"tenant_id":"north"}\] fires/);
  });
});
