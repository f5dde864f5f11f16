// From a failed append to an alert, in workerd: isolates tell shards, shards judge and tell the object of
// alerts, which outlives the process.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { charge, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

const directory = mkdtempSync(join(tmpdir(), "z0-alerts-"));
const options = {
  faults: true,
  directory,
  vars: { Z0_SETTINGS: JSON.stringify({ monitor_shards: 2 }) },
};

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0(options);
});
afterEach(() => z0.fault({}));
after(async () => {
  await z0?.dispose();
  rmSync(directory, { recursive: true, force: true });
});

/** @param {string} [bearer] @returns {Promise<any[]>} */
async function alerts(bearer = token()) {
  const { status, body } = await z0.fetch("/v1/alerts", { token: bearer });
  assert.equal(status, 200, JSON.stringify(body));
  return body.alerts;
}

/** @param {string} rule @param {string} [tenant] */
async function firing(rule, tenant) {
  return (await alerts()).find(
    (one) => one.rule === rule && one.state === "firing" && one.tenant_id === tenant,
  );
}

/** Appends of a tenant that fail. @param {string} tenant @param {number} count */
async function fail(tenant, count) {
  const entity_id = unique("acct_");
  await z0.fault({ calls: { [`account_${entity_id}`]: "throw" } });
  for (let i = 0; i < count; i++) {
    const { status } = await z0.post(charge(entity_id), { token: token(tenant) });
    assert.equal(status, 503);
  }
}

test("Appends that fail are alerts of their tenant and of all, within 15 s", async () => {
  const began = Date.now();
  await fail("north", 5);
  const of_all = await eventually("all of them are an alert", () => firing("FactWriteFailures"), 30_000);
  const of_north = await eventually(
    "north's are an alert",
    () => firing("TenantWriteFailures", "north"),
    30_000,
  );
  assert.equal(of_all.value, 1);
  assert.equal(of_north.severity, "critical");
  assert.ok(of_north.fired_at - began < 15_000, `${of_north.fired_at - began} ms`);
  assert.deepEqual(
    (await alerts(token("north"))).map((one) => one.rule),
    ["TenantWriteFailures"],
  );
  assert.deepEqual(await alerts(token("south")), []);
});

test("A rule that a tenant publishes fires for it", async () => {
  const { status } = await z0.fetch(`/v1/configs/${unique("cfg_")}`, {
    method: "PUT",
    token: token("east"),
    body: JSON.stringify({
      type: "alert_rules",
      scope: "tenant",
      settings: {
        rules: [
          {
            name: "Busy",
            signal: { sum: "z0_facts_written_total" },
            above: 2,
            window: "5m",
            severity: "warning",
            runbook: "busy",
            owner: "east",
            summary: "More than two facts.",
          },
        ],
      },
    }),
  });
  assert.equal(status, 201);
  const entity_id = unique("acct_");
  for (let i = 0; i < 3; i++) await z0.post(charge(entity_id), { token: token("east") });
  const alert = await eventually("Busy fires", () => firing("Busy", "east"), 40_000);
  assert.equal(alert.value, 3);
  assert.equal(alert.rules_of, "east");
});

test("What fires, and who looks after it, outlives a restart", async () => {
  await fail("west", 5);
  const alert = await eventually(
    "west's are an alert",
    () => firing("TenantWriteFailures", "west"),
    30_000,
  );
  const { status } = await z0.fetch(`/v1/alerts/${alert.id}/acknowledge`, {
    method: "POST",
    body: JSON.stringify({ author: "ann", reason: "looking" }),
  });
  assert.equal(status, 200);
  // Shards save what they judged some seconds later.
  await z0.fault({ laterMs: 20_000 });
  for (const shard of ["metrics_0", "metrics_1"]) await z0.ring(shard);
  await z0.dispose();
  z0 = await startZ0({ ...options, migrate: false });
  const again = await eventually(
    "it fires still",
    () => firing("TenantWriteFailures", "west"),
    90_000,
  );
  assert.equal(again.fired_at, alert.fired_at);
  assert.equal(again.acknowledged.by, "ann");
});
