// A real Prometheus scrapes z0, and its linter reads what it scrapes.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { charge, deposit, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

const directory = mkdtempSync(join(tmpdir(), "z0-prometheus-"));
const trace = "4bf92f3577b34da6a3ce929d0e0e4736";

/** @type {import("./lib/z0.js").Z0} */
let z0;
/** @type {import("node:child_process").ChildProcess | undefined} */
let prometheus;
let address = "";

before(async () => {
  z0 = await startZ0();
  address = `127.0.0.1:${await freePort()}`;
  const config = {
    global: { scrape_interval: "1s" },
    scrape_configs: [
      {
        job_name: "z0",
        authorization: { type: "Bearer", credentials: token() },
        static_configs: [{ targets: [new URL(z0.url).host] }],
      },
    ],
  };
  // JSON is YAML.
  writeFileSync(join(directory, "config.yml"), JSON.stringify(config));
  prometheus = spawn("prometheus", [
    `--config.file=${join(directory, "config.yml")}`,
    `--storage.tsdb.path=${join(directory, "data")}`,
    `--web.listen-address=${address}`,
    "--enable-feature=exemplar-storage",
  ]);
});
after(async () => {
  if (prometheus && prometheus.exitCode === null) {
    prometheus.kill();
    await once(prometheus, "exit");
  }
  await z0?.dispose();
  rmSync(directory, { recursive: true, force: true });
});

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}

/**
 * What Prometheus answers, or nothing while it is not there.
 * @param {string} path
 * @param {Record<string, string>} parameters
 * @returns {Promise<any>}
 */
async function ask(path, parameters) {
  try {
    const response = await fetch(`http://${address}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    return (await response.json()).data;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} query
 * @returns {Promise<number | undefined>}
 */
async function value(query) {
  const data = await ask("query", { query });
  return data?.result?.[0] && Number(data.result[0].value[1]);
}

async function recordThree() {
  const entity_id = unique("acct_");
  await z0.fetch("/v1/facts", {
    method: "POST",
    token: token("north"),
    headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    body: JSON.stringify([charge(entity_id), charge(entity_id), deposit(entity_id)]),
  });
}

test("Prometheus answers a query over what it scraped, by the labels of z0", async () => {
  await recordThree();
  const sum = 'sum(z0_facts_written_total{tenant_id="north",fact_type="charge"})';
  await eventually("two charges", async () => (await value(sum)) === 2, 60_000);
  assert.equal(await value("sum(z0_facts_written_total)"), 3);
  assert.equal(await value("sum(z0_facts_write_duration_seconds_count)"), 3);
  const quantile = "histogram_quantile(0.5, sum by (le) (z0_facts_write_duration_seconds_bucket))";
  const median = await value(quantile);
  assert.ok(median !== undefined && median >= 0 && median < 10, `a median of ${median} s`);
  const types = await ask("metadata", { metric: "z0_facts_written" });
  assert.equal(types.z0_facts_written[0].type, "counter");
  assert.match(types.z0_facts_written[0].help, /ledger recorded/);
});

test("Prometheus has the traces, as exemplars of counters and of buckets", async () => {
  for (const query of ["z0_facts_written_total", "z0_facts_write_duration_seconds_bucket"]) {
    const found = await eventually(`exemplars of ${query}`, async () => {
      const now = Date.now() / 1_000;
      const range = { query, start: String(now - 600), end: String(now + 60) };
      const data = await ask("query_exemplars", range);
      return data?.length > 0 && data;
    });
    assert.equal(found[0].exemplars[0].labels.trace_id, trace);
  }
});

test("Prometheus's linter finds nothing to say", async () => {
  await recordThree();
  const { body, headers } = await z0.fetch("/metrics");
  assert.match(headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: body });
  assert.equal(`${stdout}${stderr}`, "");
  assert.equal(status, 0);
});
