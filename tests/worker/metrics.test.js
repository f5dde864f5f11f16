// What isolates tell the monitor's shards, and what the shards answer.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { charge, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

const directory = mkdtempSync(join(tmpdir(), "z0-metrics-"));
const options = {
  faults: true,
  directory,
  vars: { Z0_SETTINGS: JSON.stringify({ monitor_shards: 3 }) },
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

/**
 * @param {string} parameters
 * @param {string} [bearer]
 */
async function query(parameters, bearer = token()) {
  const { status, body } = await z0.fetch(`/v1/metrics/query?${parameters}`, { token: bearer });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/**
 * Facts of a tenant, as the tenant is told.
 * @param {string} tenant
 * @returns {Promise<number>}
 */
async function written(tenant) {
  const { groups } = await query("metric=z0_facts_written_total", token(tenant));
  return groups[0]?.value ?? 0;
}

/**
 * @param {string} tenant
 * @param {number} count of requests at once
 */
async function record(tenant, count) {
  const entity_id = unique("acct_");
  await Promise.all(
    Array.from({ length: count }, () => z0.post(charge(entity_id), { token: token(tenant) })),
  );
}

test("Facts of many tenants, spread over shards, are counted once each", async () => {
  const tenants = Array.from({ length: 12 }, (_, i) => `tenant_${i}`);
  await Promise.all(tenants.map((tenant, i) => record(tenant, i + 1)));
  await eventually("all of them", async () => {
    const { groups } = await query("metric=z0_facts_written_total&by=tenant_id");
    const told = Object.fromEntries(
      groups.map((/** @type {any} */ group) => [group.labels.tenant_id, group.value]),
    );
    return tenants.every((tenant, i) => told[tenant] === i + 1);
  });
  const { missing, monitor } = await query("metric=z0_facts_written_total");
  assert.equal(missing, 0);
  assert.equal(monitor.unanswered, 0);
});

test("A tenant is told of itself alone", async () => {
  await record("alone", 2);
  await eventually("its two", async () => (await written("alone")) === 2);
  const { groups } = await query(
    "metric=z0_facts_written_total&by=tenant_id,fact_type",
    token("alone"),
  );
  assert.deepEqual(
    groups.map((/** @type {any} */ group) => group.labels),
    [{ tenant_id: "alone", fact_type: "charge" }],
  );
  const other = await z0.fetch("/v1/metrics/query?metric=z0_facts_written_total&tenant=tenant_1", {
    token: token("alone"),
  });
  assert.equal(other.status, 404);
  assert.equal((await z0.fetch("/metrics", { token: token("alone") })).status, 403);
  assert.equal((await z0.fetch("/metrics", { token: null })).status, 401);
});

test("A flush whose reply was lost is told again, and counts once", async () => {
  await z0.fault({ tells: "lost_reply" });
  await record("twice", 3);
  await eventually("the first telling", async () => (await written("twice")) === 3);
  await z0.fault({});
  await record("twice", 1);
  await eventually("the second one", async () => (await written("twice")) >= 4);
  assert.equal(await written("twice"), 4);
  assert.equal((await query("metric=z0_facts_written_total")).missing, 0);
});

test("What a shard that was away did not take is told when it is back", async () => {
  await z0.fault({ tells: "lose" });
  await record("away", 3);
  await eventually("the attempt", () => z0.logged("z0.tell_failed").length > 0);
  assert.equal(await written("away"), 0);
  await z0.fault({});
  await record("away", 1);
  await eventually("all of it", async () => (await written("away")) === 4);
});

test("A shard that starts again has what it saved", async () => {
  // It goes on judging rules, so that it has an alarm for as long as its windows hold something.
  for (const shard of [0, 1, 2]) await z0.ring(`metrics_${shard}`);
  await z0.dispose();
  z0 = await startZ0({ ...options, migrate: false });
  assert.equal(await written("twice"), 4);
  assert.equal(await written("away"), 4);
  const { body } = await z0.fetch("/metrics");
  assert.match(body, /^z0_facts_written_total\{tenant_id="away",fact_type="charge"[^}]*\} 4$/m);
});
