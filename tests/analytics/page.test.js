// The page about the stand-in: what it tells a reader to ask is answered.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startAnalytics } from "./lib/analytics.js";

const page = readFileSync(
  join(import.meta.dirname, "..", "..", "bindings", "analytics", "README.md"),
  "utf8",
);
const fenced = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql]) => sql);
const said = [...page.matchAll(/-d "([^"]+)"/g)].map(([, sql]) => sql);

describe("The page's queries", () => {
  /** @type {import("./lib/analytics.js").Analytics} */
  let analytics;
  before(async () => {
    analytics = await startAnalytics();
    const timestamp = Math.floor(Date.now() / 1000) - 60;
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const rest = Array(17).fill("");
    await analytics.write([
      { timestamp, indexes: ["north"], blobs: ["z0_facts_written_total", "charge"], doubles: [3] },
      {
        timestamp,
        indexes: [""],
        blobs: ["z0_replication_lag_distribution_ms", "", ...rest, trace],
        doubles: [1, 250],
      },
      {
        timestamp,
        indexes: [""],
        blobs: ["z0_replication_lag_distribution_ms", "", ...rest, "other"],
        doubles: [99, 10],
      },
    ]);
  });
  after(() => analytics?.dispose());

  test("There are some", () => assert.ok(fenced.length >= 4 && said.length === 1));

  for (const sql of [...fenced, ...said]) {
    test(`${sql.replaceAll(/\s+/g, " ").slice(0, 80)} has an answer`, async () => {
      const { status, text, json } = await analytics.ask(sql);
      assert.equal(status, 200, text);
      assert.equal(json.rows, 1);
    });
  }

  test("Quantiles weigh a bucket by how often it was observed, and the exemplar is the slowest one's", async () => {
    const quantiles = await analytics.ask(fenced.find((sql) => sql.includes("quantile")) ?? "");
    assert.deepEqual(quantiles.json.data, [{ p50: 10, p99: 10 }]);
    const exemplar = await analytics.ask(fenced.find((sql) => sql.includes("argMax")) ?? "");
    assert.deepEqual(exemplar.json.data, [
      { trace_id: "0af7651916cd43dd8448eb211c80319c", slowest: 250 },
    ]);
  });
});

test("A bundle of it is made by wrangler, with the parser's module beside it", () => {
  const root = join(import.meta.dirname, "..", "..");
  const out = mkdtempSync(join(tmpdir(), "z0-analytics-"));
  try {
    const args = ["deploy", "--dry-run", "-c", "bindings/analytics/wrangler.toml", "--outdir", out];
    const env = {
      ...process.env,
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_LOG_PATH: join(out, "log"),
    };
    const wrangler = join(root, "node_modules", ".bin", "wrangler");
    execFileSync(wrangler, args, { cwd: root, env, stdio: "pipe" });
    const files = readdirSync(out);
    assert.ok(files.includes("index.js"), files.join());
    assert.equal(
      files.filter((file) => file.endsWith("polyglot_sql.wasm")).length,
      1,
      files.join(),
    );
  } finally {
    rmSync(out, { recursive: true });
  }
});
