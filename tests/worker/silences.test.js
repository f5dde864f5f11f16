// Silences in workerd: made, shown on alerts, apart by tenant, kept over a restart, ended.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { charge, unique } from "./lib/facts.js";
import { Receiver } from "./lib/receiver.js";
import { eventually, startZ0, token } from "./lib/z0.js";

const directory = mkdtempSync(join(tmpdir(), "z0-silences-"));
const receiver = new Receiver();
const options = {
  faults: true,
  directory,
  vars: {
    Z0_SETTINGS: JSON.stringify({ monitor_shards: 1 }),
    HOOK_KEY: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  },
};

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0(options);
});
afterEach(() => z0.fault({}));
after(async () => {
  await z0?.dispose();
  receiver.close();
  rmSync(directory, { recursive: true, force: true });
});

/** @param {string} rule @param {string} [tenant] @param {string} [bearer] */
async function firing(rule, tenant, bearer = token()) {
  const { status, body } = await z0.fetch("/v1/alerts", { token: bearer });
  assert.equal(status, 200, JSON.stringify(body));
  return body.alerts.find(
    (/** @type {any} */ one) =>
      one.rule === rule && one.state === "firing" && one.tenant_id === tenant,
  );
}

/** @param {object} silence @param {string} [bearer] */
const post = (silence, bearer = token()) =>
  z0.fetch("/v1/silences", { method: "POST", token: bearer, body: JSON.stringify(silence) });

/** @param {string} [bearer] @returns {Promise<any[]>} */
async function silences(bearer = token()) {
  const { status, body } = await z0.fetch("/v1/silences", { token: bearer });
  assert.equal(status, 200, JSON.stringify(body));
  return body.silences;
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

test("An alert shows its silence, which ends when it is ended, and outlives a restart", async () => {
  const { status, body: made } = await post({
    rule: "TenantWrite*",
    author: "ann",
    reason: "the ledger moves",
    for: "2h",
  });
  assert.equal(status, 201, JSON.stringify(made));
  await fail("north", 5);
  const alert = await eventually(
    "north's are an alert",
    () => firing("TenantWriteFailures", "north"),
    40_000,
  );
  assert.equal(alert.silence_id, made.id);
  assert.equal((await firing("FactWriteFailures"))?.silence_id, undefined);

  await z0.dispose();
  z0 = await startZ0({ ...options, migrate: false });
  assert.deepEqual(await silences(), [made]);

  const { status: ended, body: over } = await z0.fetch(`/v1/silences/${made.id}`, {
    method: "DELETE",
  });
  assert.equal(ended, 200, JSON.stringify(over));
  assert.equal(over.state, "expired");
  const again = await z0.fetch(`/v1/silences/${unique("sil_")}`, { method: "DELETE" });
  assert.equal(again.status, 404);
});

test("A tenant's silence is its own, and hides nothing from the platform", async () => {
  await fail("south", 5);
  await eventually("south's are an alert", () => firing("TenantWriteFailures", "south"), 40_000);
  const about_north = { rule: "*", tenant_id: "north", author: "sam", reason: "r", for: "1h" };
  assert.equal((await post(about_north, token("south"))).status, 404);
  const { status, body: made } = await post(
    { rule: "*", author: "sam", reason: "we know", for: "1h" },
    token("south"),
  );
  assert.equal(status, 201, JSON.stringify(made));
  assert.equal(made.tenant_id, "south");
  const theirs = await firing("TenantWriteFailures", "south", token("south"));
  assert.equal(theirs.silence_id, made.id);
  assert.equal((await firing("TenantWriteFailures", "south")).silence_id, undefined);
  assert.deepEqual(
    (await silences(token("south"))).map((one) => one.id),
    [made.id],
  );
  assert.deepEqual(await silences(token("north")), []);
  const theft = await z0.fetch(`/v1/silences/${made.id}`, {
    method: "DELETE",
    token: token("north"),
  });
  assert.equal(theft.status, 404);
});

/** Platform's channels: a webhook with business hours. @param {string} time_zone */
async function channels(time_zone) {
  const url = await receiverUrl();
  const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
  return z0.fetch("/v1/configs/cfg_channels", {
    method: "PUT",
    body: JSON.stringify({
      type: "alert_channels",
      scope: "platform",
      settings: {
        // Other tests' failures are of the same group: what joins it is told at once.
        policy: { group_interval: "1s" },
        channels: [
          {
            name: "hook",
            type: "webhook",
            url: `${url}/hook`,
            secret: "HOOK_KEY",
            business_hours: { time_zone, from: "00:00", to: "24:00", days },
          },
        ],
      },
    }),
  });
}
/** @type {Promise<string> | undefined} */
let listening;
const receiverUrl = () => (listening ??= receiver.listen());

test("The platform knows which time zones there are", async () => {
  const { status, body } = await channels("Europe/Atlantis");
  assert.equal(status, 422, JSON.stringify(body));
  assert.equal(body.field, "settings.channels[0].business_hours.time_zone");
  assert.equal((await channels("Asia/Kathmandu")).status, 201);
});

test("What is silenced reaches no channel, and does once it is not", async () => {
  assert.ok([200, 201].includes((await channels("Asia/Kathmandu")).status));
  const { body: made } = await post({
    rule: "*",
    tenant_id: "quiet",
    author: "ann",
    reason: "we know",
    for: "1h",
  });
  await fail("quiet", 5);
  await eventually("quiet's are an alert", () => firing("TenantWriteFailures", "quiet"), 40_000);
  const heard = () =>
    receiver.took.some(({ body }) =>
      body.data.alerts.some((/** @type {any} */ one) => one.tenant_id === "quiet"),
    );
  // Whatever is not silenced is told meanwhile.
  await eventually("the failures of all are told", () => receiver.took.length > 0, 40_000);
  assert.equal(heard(), false);
  assert.equal((await z0.fetch(`/v1/silences/${made.id}`, { method: "DELETE" })).status, 200);
  await eventually("quiet's are told", heard, 40_000);
});
