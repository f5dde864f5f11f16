// From a failed append to people, through workerd and real HTTP: four channels whose receiver fails three
// times in ten, a real Alertmanager, a sign of life, and the facts that remain.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";

import { Webhook } from "standardwebhooks";

import { charge, unique } from "./lib/facts.js";
import { Receiver, chanceOf } from "./lib/receiver.js";
import { eventually, startZ0, token } from "./lib/z0.js";

const HOOK_KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PAGER_KEY = "0123456789abcdefABCDEF0123456789";
const directory = mkdtempSync(join(tmpdir(), "z0-notify-"));
const receiver = new Receiver();

/** @type {import("./lib/z0.js").Z0} */
let z0;
let receiverUrl = "";
let alertmanagerUrl = "";
/** @type {import("node:child_process").ChildProcess | undefined} */
let alertmanager;

/** @returns {Promise<string>} its address */
async function startAlertmanager() {
  const file = join(directory, "alertmanager.yml");
  writeFileSync(file, JSON.stringify({ route: { receiver: "none" }, receivers: [{ name: "none" }] }));
  const child = spawn(
    "prometheus-alertmanager",
    [`--config.file=${file}`, `--storage.path=${directory}`, "--web.listen-address=127.0.0.1:0", "--cluster.listen-address="],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  alertmanager = child;
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (log += text));
  return eventually("Alertmanager listens", () => {
    const found = /address=(127\.0\.0\.1:\d+)/.exec(log);
    return found ? `http://${found[1]}` : undefined;
  });
}

before(async () => {
  receiverUrl = await receiver.listen();
  alertmanagerUrl = await startAlertmanager();
  z0 = await startZ0({
    faults: true,
    vars: {
      PAGER_KEY,
      HOOK_KEY,
      SLACK_URL: `${receiverUrl}/slack`,
      Z0_SETTINGS: JSON.stringify({
        public_url: "https://z0.example",
        deadman: { url: `${receiverUrl}/deadman`, interval_s: 10 },
      }),
    },
  });
});
afterEach(async () => {
  receiver.way = () => "take";
  await z0.fault({});
});
after(async () => {
  await z0?.dispose();
  if (alertmanager?.kill()) await once(alertmanager, "exit");
  receiver.close();
  rmSync(directory, { recursive: true, force: true });
});

/** @param {string} id @param {object} config */
async function publish(id, config) {
  const { status, body } = await z0.fetch(`/v1/configs/${id}`, {
    method: "PUT",
    body: JSON.stringify({ scope: "platform", ...config }),
  });
  assert.equal(status, 201, JSON.stringify(body));
}

/** Appends of a tenant that fail. @param {string} tenant @param {number} count */
async function fail(tenant, count) {
  const entity_id = unique("acct_");
  await z0.fault({ calls: { [`account_${entity_id}`]: "throw" } });
  for (let i = 0; i < count; i++) await z0.post(charge(entity_id), { token: token(tenant) });
  await z0.fault({});
}

/** @param {string} path @param {string} rule */
const about = (path, rule) => receiver.tookAt(path).filter((got) => got.text.includes(rule));

test("Appends that fail page within 15 s, on each of five channels", async (t) => {
  await publish("cfg_channels", {
    type: "alert_channels",
    settings: {
      channels: [
        { name: "pager", type: "pagerduty", url: `${receiverUrl}/pager`, secret: "PAGER_KEY" },
        { name: "slack", type: "slack", secret: "SLACK_URL" },
        { name: "hook", type: "webhook", url: `${receiverUrl}/hook`, secret: "HOOK_KEY" },
        { name: "like_alertmanager", type: "alertmanager", url: receiverUrl },
        { name: "alertmanager", type: "alertmanager", url: alertmanagerUrl },
      ],
    },
  });
  const beganMs = Date.now();
  await fail("north", 5);
  const page = await eventually("the page is there", () => about("/pager", "FactWriteFailures")[0], 30_000);
  const seconds = (page.atMs - beganMs) / 1_000;
  t.diagnostic(`${seconds.toFixed(1)} s from the first failed append to the page`);
  assert.ok(seconds < 15, `${seconds} s`);
  assert.equal(page.body.routing_key, PAGER_KEY);
  assert.equal(page.body.event_action, "trigger");
  assert.ok(
    page.body.links.some((/** @type {any} */ link) => link.href.startsWith("https://z0.example/runbooks/fact_write_failures")),
  );
  for (const path of ["/slack", "/hook", "/api/v2/alerts"]) {
    await eventually(`${path} has it`, () => about(path, "FactWriteFailures")[0]);
  }
  const [hook] = about("/hook", "FactWriteFailures");
  const verified = /** @type {any} */ (new Webhook(HOOK_KEY).verify(hook.text, /** @type {any} */ (hook.headers)));
  assert.equal(verified.type, "alert.firing");
});

test("A real Alertmanager shows the alert with its labels", async () => {
  const shown = await eventually("Alertmanager has it", async () => {
    const list = await (await fetch(`${alertmanagerUrl}/api/v2/alerts`)).json();
    return list.find((/** @type {any} */ one) => one.labels.alertname === "TenantWriteFailures");
  });
  assert.equal(shown.labels.tenant_id, "north");
  assert.equal(shown.labels.severity, "critical");
  assert.equal(shown.status.state, "active");
});

test("Receivers that fail, hang or are busy three times in ten have every page, and know which they have", async () => {
  const chance = chanceOf(7);
  receiver.way = (path) => {
    if (path === "/deadman") return "take";
    const one = chance();
    if (one >= 0.3) return "take";
    if (one >= 0.2) return "fail";
    if (one >= 0.13) return "busy";
    return one >= 0.05 ? "take_and_fail" : "hang";
  };
  const names = Array.from({ length: 8 }, (_, i) => `Busy${i}`);
  await publish("cfg_rules", {
    type: "alert_rules",
    settings: {
      rules: names.map((name) => ({
        name,
        signal: { sum: "z0_facts_written_total" },
        above: 0,
        window: "5m",
        severity: "critical",
        runbook: "busy",
        owner: "platform",
        summary: "Something happens.",
      })),
    },
  });
  const entity_id = unique("acct_");
  const paths = ["/pager", "/slack", "/hook", "/api/v2/alerts"];
  await z0.post(charge(entity_id), { token: token("east") });
  const missing = () => paths.flatMap((path) => names.filter((name) => about(path, name).length === 0).map((name) => path + name));
  await eventually("all have all", () => missing().length === 0, 180_000);
  // The same notification has the same id, however often it came; another word has another.
  /** @type {Map<string, Set<string>>} */
  const ids = new Map();
  for (const { headers, body } of receiver.tookAt("/hook")) {
    const key = `${body.data.dedup_key} ${body.timestamp}`;
    ids.set(key, (ids.get(key) ?? new Set()).add(String(headers["webhook-id"])));
  }
  for (const [key, said] of ids) assert.equal(said.size, 1, key);
  const keys = (/** @type {string} */ name) => new Set(about("/pager", name).map((got) => got.body.dedup_key));
  for (const name of names) assert.equal(keys(name).size, 1, name);
});

test("GET /v1/alerts shows each channel, and what waits for it", async () => {
  const channels = await eventually("nothing waits", async () => {
    const { body } = await z0.fetch("/v1/alerts");
    return body.channels.every((/** @type {any} */ one) => one.waiting === 0) && body.channels;
  }, 120_000);
  assert.deepEqual(
    channels.map((/** @type {any} */ one) => [one.channel, one.to, one.lost]),
    [
      ["cfg_channels/pager", "pagerduty", 0],
      ["cfg_channels/slack", "slack", 0],
      ["cfg_channels/hook", "webhook", 0],
      ["cfg_channels/like_alertmanager", "alertmanager", 0],
      ["cfg_channels/alertmanager", "alertmanager", 0],
    ],
  );
  assert.ok(channels.every((/** @type {any} */ one) => one.delivered > 0));
  const { body } = await z0.fetch("/v1/alerts", { token: token("north") });
  assert.equal(body.channels, undefined);
});

test("A sign of life goes out as long as alerts are judged", async () => {
  const before = receiver.tookAt("/deadman").length;
  assert.ok(before > 0);
  await eventually("another one", () => receiver.tookAt("/deadman").length > before, 30_000);
  const { body } = await z0.fetch("/v1/alerts");
  assert.ok(body.dead_man.heard_at > Date.now() - 60_000);
});

test("What happened to alerts are facts of acct_z0", async () => {
  const facts = await eventually("they are there", async () => {
    const { status, body } = await z0.fetch("/v1/facts/acct_z0?limit=1000");
    if (status !== 200) return undefined;
    const kinds = new Set(body.facts.map((/** @type {any} */ fact) => `${fact.type}.${fact.subtype}`));
    return kinds.has("alert.fired") && kinds.has("notification.delivered") && body.facts;
  }, 60_000);
  const fired = facts.find((/** @type {any} */ fact) => fact.data.rule === "TenantWriteFailures");
  assert.equal(fired.tenant_id, "platform");
  assert.equal(fired.data.alert_tenant_id, "north");
});

test("No secret is in what the Worker logs", () => {
  for (const { message } of z0.lines) {
    for (const secret of [PAGER_KEY, HOOK_KEY, `${receiverUrl}/slack`]) assert.ok(!message.includes(secret), message);
  }
});
