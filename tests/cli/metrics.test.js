// z0 metrics: the list, the page, and what a z0 answers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";

import { FakeZ0, skip, z0 } from "./fake.js";

const answer = {
  metric: "z0_facts_written_total",
  kind: "counter",
  unit: "facts",
  from: 1_774_915_200_000,
  groups: [
    {
      labels: { tenant_id: "north" },
      value: 12_345,
      exact: false,
      why: "up to 3 events that were told of did not arrive",
      trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
      steps: [
        { at: 1_774_915_200_000, value: 1 },
        { at: 1_774_915_260_000, value: 8 },
      ],
    },
    { labels: { tenant_id: "south" }, value: 7, exact: true, why: "each event was counted, once" },
  ],
  folded: [{ tenant_id: "north", label: "asset_id", events: 50 }],
};

describe("z0 metrics", { skip }, () => {
  /** @type {FakeZ0} */
  let server;
  beforeEach(async () => {
    server = await new FakeZ0().start();
    server.before = () => ({ status: 200, body: answer });
  });
  afterEach(() => server.stop());

  it("lists the metrics, and writes the page about them, without a server", async () => {
    const list = await z0(["metrics"]);
    assert.equal(list.code, 0);
    assert.match(list.stdout, /z0_external_call_duration_ms +histogram +ms +tool_id, operation, error_code/);
    const page = await z0(["metrics", "--page"]);
    assert.equal(page.stdout, readFileSync(join(import.meta.dirname, "..", "..", "src", "metrics", "README.md"), "utf8"));
  });

  it("asks what it was asked, and says what the numbers are worth", async () => {
    const run = await z0([
      ..."metrics z0_facts_written_total --by tenant_id --window 15m --step 1m".split(" "),
      ...["--url", server.url, "--token", "t"],
    ]);
    assert.equal(run.code, 0, run.stderr);
    assert.equal(
      server.seen[0].url,
      "/v1/metrics/query?metric=z0_facts_written_total&by=tenant_id&window=15m&step=1m",
    );
    assert.match(run.stdout, /north +12,345 .*▂█.*4bf92f3577b34da6a3ce929d0e0e4736/);
    assert.match(run.stdout, /south +7 +exact/);
    assert.match(run.stdout, /estimated: up to 3 events that were told of did not arrive/);
    assert.match(run.stdout, /50 events of north count under \(other\): too many values of asset_id/);
  });
});
