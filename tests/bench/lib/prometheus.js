// A real Prometheus over counters of ours: a past that is written into its storage, a present that it
// scrapes, and rules that it evaluates.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { cpuMs } from "./proc.js";

/** @typedef {{ name: string, labels: string, perSecond: number }} Counter `labels` as they are exposed, without braces */

const STEP_S = 10;

/** @param {import("node:http").Server | import("node:net").Server} server */
async function portOf(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return /** @type {import("node:net").AddressInfo} */ (server.address()).port;
}

export class Prometheus {
  /**
   * @param {Counter[]} counters those of one name stand together
   * @param {string} rules a file of rules
   */
  constructor(counters, rules) {
    this.counters = counters;
    this.rules = rules;
    this.directory = mkdtempSync(join(tmpdir(), "z0-bench-prometheus-"));
    this.address = "";
    this.begin = Math.floor(Date.now() / 1_000);
    this.server = createServer((_, response) => {
      response.setHeader("content-type", "text/plain; version=0.0.4");
      response.end(this.page(Date.now() / 1_000));
    });
    /** @type {import("node:child_process").ChildProcess | null} */
    this.child = null;
  }

  /** @param {number} seconds @param {Counter} counter */
  value(seconds, { perSecond }) {
    return 1_000 + Math.floor((seconds - this.begin + 86_400) * perSecond);
  }

  /** @param {number} seconds */
  page(seconds) {
    return this.counters.map((one) => `${one.name}{${one.labels}} ${this.value(seconds, one)}\n`).join("");
  }

  /** What it would have scraped. @param {number} seconds @param {string} instance */
  async writePast(seconds, instance) {
    const file = join(this.directory, "past.om");
    const out = createWriteStream(file);
    const where = `instance="${instance}",job="z0"`;
    let name = "";
    for (const one of this.counters) {
      if (one.name !== name) out.write(`# TYPE ${one.name.slice(0, -"_total".length)} counter\n`);
      ({ name } = one);
      let lines = "";
      for (let t = this.begin - seconds; t < this.begin; t += STEP_S) {
        lines += `${name}{${one.labels},${where}} ${this.value(t, one)} ${t}\n`;
      }
      if (!out.write(lines)) await once(out, "drain");
    }
    out.end("# EOF\n");
    await once(out, "finish");
    execFileSync("promtool", ["tsdb", "create-blocks-from", "openmetrics", file, join(this.directory, "data")], { stdio: "ignore" });
    rmSync(file);
  }

  /** @param {number} pastSeconds */
  async start(pastSeconds) {
    const target = `127.0.0.1:${await portOf(this.server)}`;
    await this.writePast(pastSeconds, target);
    const free = createServer();
    this.address = `127.0.0.1:${await portOf(free)}`;
    free.close();
    await once(free, "close");
    writeFileSync(join(this.directory, "rules.yml"), this.rules);
    // JSON is YAML.
    const config = {
      global: { scrape_interval: `${STEP_S}s`, evaluation_interval: `${STEP_S}s` },
      rule_files: ["rules.yml"],
      scrape_configs: [{ job_name: "z0", static_configs: [{ targets: [target] }] }],
    };
    writeFileSync(join(this.directory, "config.yml"), JSON.stringify(config));
    const paths = [`--config.file=${join(this.directory, "config.yml")}`, `--storage.tsdb.path=${join(this.directory, "data")}`];
    this.child = spawn("prometheus", [...paths, `--web.listen-address=${this.address}`], { stdio: "ignore" });
  }

  /** The group of rules, as the API has it, or null while there is none. @returns {Promise<any>} */
  async group() {
    try {
      const reply = await fetch(`http://${this.address}/api/v1/rules`);
      const { data } = /** @type {any} */ (await reply.json());
      return data.groups[0] ?? null;
    } catch {
      return null;
    }
  }

  /**
   * Ms of CPU from one evaluation to the next, with the scrape that lies between them. The first ones, over
   * storage that is cold, are passed over.
   * @param {number} count
   */
  async evaluations(count) {
    const pid = /** @type {number} */ (this.child?.pid);
    /** @type {number[]} */
    const spent = [];
    const passedOver = 3;
    let last = "";
    for (const deadline = Date.now() + (count + passedOver + 12) * 1_000 * STEP_S; spent.length < count + passedOver; ) {
      if (Date.now() > deadline) throw new Error("Prometheus does not evaluate its rules");
      const group = await this.group();
      if (group !== null && group.lastEvaluation !== last && group.evaluationTime > 0) {
        last = group.lastEvaluation;
        spent.push(cpuMs(pid));
      }
      await pause(200);
    }
    return spent.slice(passedOver).map((ms, i) => ms - /** @type {number} */ (spent[passedOver + i - 1]));
  }

  /** Alerts that wait or fire. */
  async alertCount() {
    const group = await this.group();
    return group.rules.reduce((/** @type {number} */ sum, /** @type {any} */ rule) => sum + rule.alerts.length, 0);
  }

  async stop() {
    if (this.child !== null && this.child.exitCode === null) {
      this.child.kill();
      await once(this.child, "exit");
    }
    this.server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
