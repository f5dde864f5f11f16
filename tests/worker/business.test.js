// From facts in a real D1 to an alert about business, in workerd: a tenant was busy for hours and has
// stopped, another one goes on, and D1 is away for a while.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { charge, invocation } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

const MINUTE = 60_000;

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0({ faults: true });
});
after(async () => {
  await z0?.dispose();
});

/**
 * An invocation and a charge a minute, as they were recorded then.
 * @param {string} tenant
 * @param {number} from
 * @param {number} until
 */
async function busy(tenant, from, until) {
  const facts = [];
  for (let at = from; at < until; at += MINUTE) {
    facts.push(invocation(`ast_of_${tenant}`, { timestamp: at }));
    facts.push(charge(`acct_of_${tenant}`, { timestamp: at, amount: 250 }));
  }
  for (let i = 0; i < facts.length; i += 500) {
    const { status } = await z0.post(facts.slice(i, i + 500), { token: token(tenant) });
    assert.ok(status < 300, `${status}`);
  }
  return facts.length;
}

/** @param {string} rule @param {string} tenant */
async function alertOf(rule, tenant) {
  const { body } = await z0.fetch("/v1/alerts");
  return body.alerts.find(
    (/** @type {any} */ one) => one.rule === rule && one.tenant_id === tenant,
  );
}

test("A tenant that has stopped is an alert with its money, once D1 answers", async () => {
  const now = Date.now();
  const from = now - 8 * 60 * MINUTE;
  const written = (await busy("north", from, now - 25 * MINUTE)) + (await busy("south", from, now));
  await eventually(
    "all of it is in D1",
    async () => {
      const [{ n }] = await z0.d1("SELECT count(*) AS n FROM ledger_facts");
      return n === written;
    },
    60_000,
  );

  // A shard of the monitor says that facts come. It would do so by itself, some seconds later.
  await eventually("the monitor has counted them", async () => {
    const { body } = await z0.fetch("/v1/metrics/query?metric=z0_facts_written_total&window=1h");
    return body.groups?.[0]?.value >= written;
  });
  await z0.ring("metrics_0");
  // Each ring is a look, a minute apart: what is over is learned at once, then what is now is judged.
  let laterMs = 0;
  const look = async () => {
    laterMs += 10_000;
    await z0.fault({ laterMs });
    await z0.ring("alerts");
  };
  await z0.fault({ database: true });
  for (let i = 0; i < 4; i++) await look();
  assert.equal(await alertOf("ZeroInvocations", "north"), undefined);
  const alert = await eventually(
    "north has stopped",
    async () => {
      await look();
      return alertOf("ZeroInvocations", "north");
    },
    90_000,
  );
  assert.equal(alert.state, "firing");
  assert.equal(alert.severity, "critical");
  assert.deepEqual(alert.audience, ["on_call", "engineering_lead", "tenant_success"]);
  assert.ok(alert.value >= 24 && alert.value < 45, `${alert.value} minutes`);
  assert.match(alert.why, /^No invocation for \d+ min, in which \d+ minutes usually bring one\. .* chance: .*1 in/);
  assert.equal(alert.money.currency, "USD");
  // The first of the eight hours was not a whole one.
  const hourly = alert.money.at_risk_per_hour;
  assert.ok(hourly > 50 * 250 && hourly <= 60 * 250, `${hourly} an hour`);
  // Of 24 minutes at least, by the same average.
  const minutes = alert.money.lost / 250;
  assert.ok(minutes >= 24 * (50 / 60) && minutes < 45, `${minutes} minutes lost`);
  // One that goes on, and the symptom of the first one.
  assert.equal(await alertOf("ZeroInvocations", "south"), undefined);
  assert.equal(await alertOf("NoCharges", "north"), undefined);
  // A tenant sees its own.
  const { body } = await z0.fetch("/v1/alerts", { token: token("north") });
  assert.deepEqual(
    body.alerts.map((/** @type {any} */ one) => one.rule),
    ["ZeroInvocations"],
  );
});
