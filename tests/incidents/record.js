// Records incidents of the example product, in real time: a real z0 in workerd, the example beside it, and
// somebody who calls. What the Worker measures, as it would go to Analytics Engine, becomes a history; what
// was done to it becomes an incident. Both are for `z0 backtest`; src/alerts/README.md has the formats.
//
//   node tests/incidents/record.js [NAME ...]         ten minutes each; all of them by default
//
// It writes NAME.history.ndjson and NAME.incident.ndjson beside itself. The core has to be built.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { BUYERS, NUMBERS } from "../../bindings/example/market.js";
import { TENANT, askExample, exampleOptions } from "../worker/lib/example.js";
import { startZ0 } from "../worker/lib/z0.js";

/** @import { Z0 } from "../worker/lib/z0.js" */

const ROOT = join(import.meta.dirname, "..", "..");
const CALM_MS = 150_000;
const INCIDENT_MS = 330_000;
const STEP_MS = 15_000;
const CALL_EVERY_MS = 800;
const TOP_UP_EVERY_MS = 15_000;
// Rules tell nothing else apart.
const LABELS = ["fact_type", "error_code", "tool_id", "cache_type", "resolution"];
// What they spend meanwhile, or somewhat more: who is away soon has nothing left.
const TOP_UP_CENTS = 24_000;

/**
 * @typedef {object} Incident
 * @property {string[]} rules that should tell of it
 * @property {boolean} ofTenant whether it is the tenant's, or the platform's
 * @property {boolean} costs whether money is not earned meanwhile
 * @property {(street: Street) => Promise<unknown> | void} begin
 * @property {(street: Street) => Promise<unknown> | void} end
 */

/** @param {number} failure_rate */
const twilio = (failure_rate) => ({ twilio: { latency_ms: 20, failure_rate }, openai: { latency_ms: 20, failure_rate: 0.01 } });

/** @type {Record<string, Incident>} */
const INCIDENTS = {
  tool_fails: {
    ...{ rules: ["ExternalToolErrors"], ofTenant: true, costs: true },
    begin: (street) => street.ask("PUT", "/stand-ins", twilio(0.6)),
    end: (street) => street.ask("PUT", "/stand-ins", twilio(0.01)),
  },
  buyers_away: {
    ...{ rules: ["NoCharges", "NoChargesForAWhile"], ofTenant: true, costs: true },
    begin: (street) => void (street.buyersPay = false),
    end: (street) => void (street.buyersPay = true),
  },
  d1_away: {
    ...{ rules: ["ReplicationLag", "ReplicationFailures"], ofTenant: false, costs: false },
    begin: (street) => street.z0.fault({ database: true }),
    end: (street) => street.z0.fault({}),
  },
};

/** Who calls, and who pays. */
class Street {
  /** @param {Z0} z0 */
  constructor(z0) {
    this.z0 = z0;
    this.buyersPay = true;
    this.ended = false;
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  ask(method, path, body) {
    return askExample(this.z0, method, path, body);
  }

  async topUp() {
    for (const { id } of BUYERS) await this.ask("POST", "/deposits", { buyer: id, amount: TOP_UP_CENTS });
  }

  async run() {
    const numbers = Object.keys(NUMBERS);
    let topUpAt = 0;
    for (let n = 0; !this.ended; ++n) {
      if (this.buyersPay && Date.now() >= topUpAt) {
        topUpAt = Date.now() + TOP_UP_EVERY_MS;
        await this.topUp();
      }
      void this.ask("POST", "/calls", { number: numbers[n % numbers.length] }).catch(() => null);
      // Callers come independently of one another, so the pauses between them are exponential.
      await pause(Math.min(5_000, -Math.log(1 - Math.random()) * CALL_EVERY_MS));
    }
  }
}

/** The labels of each metric that a shipped rule reads, from the page that is made of their table. */
function labelsOfMetrics() {
  const rules = readFileSync(join(ROOT, "src/alerts/default_rules.cpp"), "utf8");
  const page = readFileSync(join(ROOT, "src/metrics/README.md"), "utf8");
  const rows = page.matchAll(/^\| `(z0_\w+)`\*? \| (\w+) \| \w+ \| ([\w, ]*?) ?\|/gm);
  /** @type {Map<string, { kind: string, labels: string[] }>} */
  const metrics = new Map();
  for (const [, name, kind, labels] of rows) {
    if (rules.includes(`"${name}"`)) metrics.set(name, { kind, labels: labels.split(", ").filter((label) => label !== "") });
  }
  return metrics;
}

/** Points as they come, as a history: a line a series and step. */
class Recorder {
  constructor() {
    this.metrics = labelsOfMetrics();
    this.taken = 0;
    /** @type {string[]} */
    this.lines = [];
  }

  /** What came in the step that ends now stands at its middle. @param {Z0} z0 */
  async take(z0) {
    const t = Date.now() - STEP_MS / 2;
    const points = await z0.points();
    /** @type {Map<string, any>} */
    const samples = new Map();
    for (const { indexes, blobs, doubles } of points.slice(this.taken)) {
      const metric = this.metrics.get(blobs[0]);
      if (metric === undefined) continue;
      const named = metric.labels.map((name, i) => [name, blobs[i + 1]]);
      const labels = Object.fromEntries(named.filter(([name, value]) => value !== "" && LABELS.includes(name)));
      const name = { metric: blobs[0], ...(indexes[0] === "" ? {} : { tenant_id: indexes[0] }), labels };
      const observed = metric.kind === "histogram" ? { value: doubles[1] } : {};
      const key = JSON.stringify({ ...name, ...observed });
      const sample = samples.get(key) ?? { t, ...name, ...observed };
      if (metric.kind === "gauge") sample.value = doubles[1];
      else sample.rise = (sample.rise ?? 0) + doubles[0];
      samples.set(key, sample);
    }
    this.taken = points.length;
    for (const sample of samples.values()) this.lines.push(JSON.stringify(sample));
  }
}

/**
 * Cents a ms that were charged.
 * @param {Z0} z0
 * @param {number} from
 * @param {number} to
 */
async function paceOf(z0, from, to) {
  const [{ cents }] = await z0.d1("SELECT coalesce(sum(amount), 0) AS cents FROM facts WHERE type = 'charge' AND timestamp BETWEEN ? AND ?", from, to);
  return cents / (to - from);
}

/**
 * @param {string} name
 * @param {Incident} incident
 */
async function record(name, incident) {
  const z0 = await startZ0({ faults: true, points: true, beside: [exampleOptions()] });
  try {
    const street = new Street(z0);
    await street.ask("PUT", "/stand-ins", twilio(0.01));
    await street.topUp();
    const recorder = new Recorder();
    const calling = street.run();
    const begin = Date.now();
    const phase = async (/** @type {number} */ end) => {
      while (Date.now() < end) {
        await pause(STEP_MS - ((Date.now() - begin) % STEP_MS));
        await recorder.take(z0);
      }
    };
    await phase(begin + CALM_MS);
    const from = Date.now();
    await incident.begin(street);
    await phase(from + INCIDENT_MS);
    const to = Date.now();
    await incident.end(street);
    await phase(to + CALM_MS);
    street.ended = true;
    await calling;
    // The first seconds bring what starting took.
    const usual = await paceOf(z0, begin + STEP_MS, from);
    const lost = Math.max(0, Math.round((usual - (await paceOf(z0, from, to))) * (to - from)));
    const told = {
      ...{ name, from, to },
      ...(incident.ofTenant ? { tenant_id: TENANT } : {}),
      rules: incident.rules,
      ...(incident.costs ? { lost: { amount: lost, currency: "USD" } } : {}),
    };
    writeFileSync(join(import.meta.dirname, `${name}.history.ndjson`), `${recorder.lines.join("\n")}\n`);
    writeFileSync(join(import.meta.dirname, `${name}.incident.ndjson`), `${JSON.stringify(told)}\n`);
    console.log(`${name}: ${recorder.lines.length} lines, ${lost} cents lost`);
  } finally {
    await z0.dispose();
  }
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(INCIDENTS);
for (const name of names) {
  if (!Object.hasOwn(INCIDENTS, name)) {
    console.error(`${name} is none of ${Object.keys(INCIDENTS).join(", ")}`);
    process.exit(2);
  }
  await record(name, INCIDENTS[name]);
}
