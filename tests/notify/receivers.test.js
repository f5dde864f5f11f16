// What receivers say of the requests in tests/golden/notify: the types of Slack's own package, the
// library of Standard Webhooks, and a real Alertmanager. What Alertmanager would say of the same alert
// to PagerDuty and Slack is captured, and each of its fields is ours, too, or the reason stands here.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, mock } from "node:test";

import { Webhook } from "standardwebhooks";

const root = join(import.meta.dirname, "..", "..");
const golden = join(root, "tests", "golden", "notify");

/** @param {string} name @returns {any} */
const request = (name) => JSON.parse(readFileSync(join(golden, `${name}.json`), "utf8"));

/** Waits until it gives something, at most for 20 s. @template T @param {() => T | undefined | false | Promise<T | undefined | false>} ask @returns {Promise<T>} */
async function until(ask) {
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return assert.fail(`nothing came of ${ask}`);
}

describe("Slack's own types", () => {
  mkdirSync(join(root, "build"), { recursive: true });
  // Beside node_modules, where the package is found.
  const directory = mkdtempSync(join(root, "build", "slack-types-"));
  after(() => rmSync(directory, { recursive: true }));

  /** @param {string} name @param {unknown} message */
  function write(name, message) {
    const text = `import type { KnownBlock } from "@slack/types";
export const message: { text: string; blocks: KnownBlock[] } = ${JSON.stringify(message)};\n`;
    writeFileSync(join(directory, `${name}.ts`), text);
  }

  it("take the messages, and none that is spoiled", () => {
    const names = readdirSync(golden)
      .filter((name) => name.startsWith("slack_"))
      .map((name) => name.replace(".json", ""));
    assert.ok(names.length >= 4);
    for (const name of names) write(name, request(name).body);
    /** @type {Record<string, (message: any) => void>} */
    const spoil = {
      unknown_block: (message) => (message.blocks[0].type = "heading"),
      header_in_mrkdwn: (message) => (message.blocks[0].text.type = "mrkdwn"),
      button_without_text: (message) => delete message.blocks[3].elements[0].text,
      fields_of_words: (message) => (message.blocks[2].fields = ["*Tenant*"]),
      text_missing: (message) => delete message.text,
    };
    for (const [name, change] of Object.entries(spoil)) {
      const { body } = request("slack_firing");
      change(body);
      write(name, body);
    }
    const options = ["--ignoreConfig", "--noEmit", "--strict", "--module", "nodenext", "--types", ""];
    const files = readdirSync(directory).map((name) => join(directory, name));
    const run = spawnSync(join(root, "node_modules", ".bin", "tsc"), [...options, ...files], {
      encoding: "utf8",
      cwd: root,
    });
    const wrong = new Set([...run.stdout.matchAll(/([\w-]+)\.ts\W/g)].map(([, name]) => name));
    assert.deepEqual([...wrong].sort(), Object.keys(spoil).sort(), run.stdout + run.stderr);
  });
});

describe("Standard Webhooks' own library", () => {
  const { headers, body_text: body } = request("webhook_group");
  const keys = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"];
  const sentMs = Number(headers["webhook-timestamp"]) * 1000;
  before(() => mock.timers.enable({ apis: ["Date"], now: sentMs }));
  after(() => mock.timers.reset());

  it("verifies a webhook with either key while they are changed", () => {
    for (const key of keys) {
      const read = /** @type {any} */ (new Webhook(key).verify(body, headers));
      assert.equal(read.type, "alert.firing");
      assert.equal(read.data.alerts.length, 3);
    }
  });

  it("refuses what was changed, another key, and what is old", () => {
    assert.throws(() => new Webhook(keys[0]).verify(body.replace("firing", "gone"), headers));
    assert.throws(() => new Webhook(`whsec_${btoa("k".repeat(24))}`).verify(body, headers));
    mock.timers.setTime(sentMs + 301_000);
    assert.throws(() => new Webhook(keys[0]).verify(body, headers), /too old/);
  });
});

/**
 * The paths of a value's leaves, "attachments[].title", each once.
 * @param {unknown} value @param {string} path @returns {string[]}
 */
function leaves(value, path = "") {
  if (typeof value !== "object" || value === null) return [path];
  const parts = Object.entries(value).flatMap(([name, part]) =>
    leaves(part, Array.isArray(value) ? `${path}[]` : path === "" ? name : `${path}.${name}`),
  );
  return [...new Set(parts)];
}

/** All texts of a message of blocks, in order. @param {any} value @returns {string[]} */
function texts(value) {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) =>
    name === "text" && typeof part === "string" ? [part] : texts(part),
  );
}

/** "Labels:\n - a = b\n": what Alertmanager's templates say of alerts. @param {string} text @returns {[string, string][]} */
const pairs = (text) => [...text.matchAll(/^ - (\w+) = (.*)$/gm)].map(([, name, value]) => [name, value]);

/**
 * A reason for which z0 does not send a field, or the comparison of theirs with ours.
 * @typedef {Record<string, string | ((theirs: any, ours: any) => void)>} Comparison
 */

/** What an alert of theirs says stands in what ours says. @param {string} theirs @param {any[]} ours */
function saysAsMuch(theirs, ours) {
  const all = JSON.stringify(ours);
  for (const [name, value] of pairs(theirs)) {
    assert.ok(all.includes(JSON.stringify(value).slice(1, -1)), `${name} = ${value} is not said`);
  }
}

/** @param {string} status */
const detailsOf = (status) => (/** @type {any} */ theirs, /** @type {any} */ ours) => {
  const alerts = ours.payload.custom_details.alerts.filter((/** @type {any} */ one) => one.status === status);
  assert.equal(alerts.length > 0, theirs.payload.custom_details[status] !== "");
  saysAsMuch(theirs.payload.custom_details[status], alerts);
};

/** The same on both sides. @param {...string} path */
const same = (...path) => (/** @type {any} */ theirs, /** @type {any} */ ours) => {
  const of = (/** @type {any} */ value) => path.reduce((part, name) => part[name], value);
  // Alertmanager's details are texts, ours are numbers where they are.
  assert.equal(String(of(theirs)), String(of(ours)));
};

/** @type {Comparison} */
const pagerduty = {
  routing_key: same("routing_key"),
  // A hash of its group's labels there, the group's own name here: both stay for the group's life,
  // which the tests below see.
  dedup_key: (_, ours) => assert.equal(typeof ours.dedup_key, "string"),
  event_action: same("event_action"),
  client: (_, ours) => assert.equal(ours.client, "z0"),
  client_url: (_, ours) => assert.match(ours.client_url, /^https:\/\/z0\.example\//),
  "links[].href": (theirs, ours) => {
    const hrefs = ours.links.map((/** @type {any} */ link) => link.href);
    for (const link of theirs.links) assert.ok(hrefs.includes(link.href), link.href);
  },
  "links[].text": (_, ours) => assert.equal(ours.links.every((/** @type {any} */ { text }) => text), true),
  // Theirs is "[FIRING:1]", the rule and the labels; ours has the money, and the sentence of the rule.
  "payload.summary": (theirs, ours) => {
    const [, state, rule] = /^(\[\w+(?::\d+)?\]) (\w+) /.exec(theirs.payload.summary) ?? assert.fail();
    assert.ok(ours.payload.summary.startsWith(`${state} USD 1,234.50 lost so far`));
    assert.match(ours.payload.summary, new RegExp(`: ${rule} of acct_north[^:]*: `));
  },
  // Who says it there; what it is about here, as PagerDuty documents it.
  "payload.source": (_, ours) => assert.equal(ours.payload.source, "acct_north"),
  "payload.severity": same("payload", "severity"),
  "payload.class": same("payload", "class"),
  "payload.component": same("payload", "component"),
  "payload.group": same("payload", "group"),
  // A text there, a list of objects here, which PagerDuty shows as a table and its rules can read.
  "payload.custom_details.firing": detailsOf("firing"),
  "payload.custom_details.resolved": detailsOf("resolved"),
  "payload.custom_details.num_firing": same("payload", "custom_details", "num_firing"),
  "payload.custom_details.num_resolved": same("payload", "custom_details", "num_resolved"),
};

/** @type {Comparison} */
const slack = {
  channel: "a webhook of a Slack app belongs to one channel, and Slack passes over another name",
  username: "a webhook of a Slack app writes under the app's name, and Slack passes over another one",
  "attachments[].title": (theirs, ours) => {
    const [, state, rule, labels] =
      /^\[(\w+)(?::\d+)?\] (\w+) (.*)$/.exec(theirs.attachments[0].title) ?? assert.fail();
    assert.ok(ours.blocks[0].text.text.includes(`${state.toLowerCase()}: ${rule} of acct_north`));
    const all = texts(ours).join("\n");
    for (const value of labels.replace(/[()]/g, "").split(" ")) {
      const [said] = value === "1" ? ["level 1"] : [value];
      assert.ok(all.includes(said), `${said} is not said`);
    }
  },
  // The title leads to Alertmanager there; a header is no link, so a button leads to the dashboard.
  "attachments[].title_link": (_, ours) =>
    assert.ok(ours.blocks[3].elements.some((/** @type {any} */ button) => button.text.text === "Dashboard")),
  // Theirs is not escaped: a < of a tenant's could call somebody.
  "attachments[].text": (theirs, ours) => {
    const escaped = theirs.attachments[0].text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    assert.ok(texts(ours).some((text) => text.endsWith(`\n${escaped}`)));
  },
  "attachments[].fallback": (_, ours) => assert.match(ours.text, /^\[\w+(:1)?\] USD 1,234\.50 lost so far/),
  "attachments[].fields[].title": (theirs, ours) => {
    const titles = ours.blocks[2].fields.map((/** @type {any} */ { text }) => text.split("*")[1]);
    for (const { title } of theirs.attachments[0].fields) assert.ok(titles.includes(title), title);
  },
  "attachments[].fields[].value": (theirs, ours) => {
    const all = texts(ours.blocks[2]).join("\n");
    for (const { value } of theirs.attachments[0].fields) assert.ok(all.includes(value), value);
  },
  "attachments[].fields[].short": "two fields of a section always share a line",
  "attachments[].actions[].type": (_, ours) =>
    assert.ok(ours.blocks[3].elements.every((/** @type {any} */ { type }) => type === "button")),
  "attachments[].actions[].text": (theirs, ours) =>
    assert.deepEqual(
      ours.blocks[3].elements.map((/** @type {any} */ button) => button.text.text).slice(2),
      theirs.attachments[0].actions.map((/** @type {any} */ action) => action.text),
    ),
  "attachments[].actions[].url": (theirs, ours) =>
    assert.deepEqual(
      ours.blocks[3].elements.map((/** @type {any} */ button) => button.url).slice(2),
      theirs.attachments[0].actions.map((/** @type {any} */ action) => action.url),
    ),
  // Red, or green when it is over: the sign in front of the header.
  "attachments[].color": (theirs, ours) => {
    const sign = { danger: "\u{1F534}", good: "\u2705" }[/** @type {"good"} */ (theirs.attachments[0].color)];
    assert.ok(sign && ours.blocks[0].text.text.startsWith(sign));
  },
  "attachments[].callback_id": "of Slack's messages before blocks; empty there, too",
  "attachments[].footer": "empty there, too; a context block at the end says when and of which group",
  "attachments[].mrkdwn_in[]": "each text of a block says itself whether it is mrkdwn",
};

/** @param {Comparison} comparison @param {any} theirs @param {any} ours */
function compare(comparison, theirs, ours) {
  const unknown = leaves(theirs).filter((path) => !(path in comparison));
  assert.deepEqual(unknown, [], "fields of Alertmanager that z0 says nothing of");
  for (const path of leaves(theirs)) {
    const judge = comparison[path];
    if (typeof judge === "function") judge(theirs, ours);
  }
}

const installed = spawnSync("prometheus-alertmanager", ["--version"]).status === 0;

describe("Alertmanager", { skip: installed ? false : "prometheus-alertmanager is not installed" }, () => {
  /** @type {{ url: string, body: any }[]} */
  const seen = [];
  const directory = mkdtempSync(join(tmpdir(), "z0-alertmanager-"));
  const receiver = createServer(async (incoming, response) => {
    let body = "";
    for await (const chunk of incoming) body += chunk;
    seen.push({ url: incoming.url ?? "", body: JSON.parse(body) });
    response.statusCode = incoming.url === "/slack" ? 200 : 202;
    response.end(incoming.url === "/slack" ? "ok" : "{}");
  });
  /** @type {import("node:child_process").ChildProcess | undefined} */
  let alertmanager;
  let url = "";

  before(async () => {
    await new Promise((resolve) => receiver.listen(0, "127.0.0.1", () => resolve(undefined)));
    const { port } = /** @type {import("node:net").AddressInfo} */ (receiver.address());
    const label = (/** @type {string} */ name) => `{{ .CommonLabels.${name} }}`;
    const annotation = (/** @type {string} */ name) => `{{ .CommonAnnotations.${name} }}`;
    const config = {
      route: {
        receiver: "both", group_by: ["alertname", "tenant_id"],
        group_wait: "0s", group_interval: "1s", repeat_interval: "1h",
      },
      receivers: [
        {
          name: "both",
          pagerduty_configs: [
            {
              routing_key: "0123456789abcdefABCDEF0123456789",
              url: `http://127.0.0.1:${port}/pagerduty`,
              severity: label("severity"), class: label("alertname"),
              component: label("owner"), group: label("tenant_id"),
              links: [{ href: annotation("runbook_url"), text: "runbook" }],
            },
          ],
          slack_configs: [
            {
              api_url: `http://127.0.0.1:${port}/slack`, channel: "#alerts", send_resolved: true,
              text: annotation("summary"),
              fields: [{ title: "Tenant", value: label("tenant_id") }, { title: "Owner", value: label("owner") }],
              actions: [
                { type: "button", text: "Trace", url: annotation("trace_url") },
                { type: "button", text: "Runbook", url: annotation("runbook_url") },
              ],
            },
          ],
        },
      ],
    };
    // JSON is YAML.
    const file = join(directory, "alertmanager.yml");
    writeFileSync(file, JSON.stringify(config));
    const child = spawn("prometheus-alertmanager", [
      `--config.file=${file}`, `--storage.path=${directory}`, "--web.listen-address=127.0.0.1:0",
      "--cluster.listen-address=",
    ], { stdio: ["ignore", "ignore", "pipe"] });
    alertmanager = child;
    let log = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (log += text));
    url = await until(() => {
      const found = /address=(127\.0\.0\.1:\d+)/.exec(log);
      return found ? `http://${found[1]}` : undefined;
    });
    await until(async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok);
  });

  after(async () => {
    // It writes into the directory until it ends.
    if (alertmanager?.kill()) await once(alertmanager, "exit");
    receiver.closeAllConnections();
    receiver.close();
    rmSync(directory, { recursive: true });
  });

  /** Sends what is written down, to this Alertmanager. @param {string} name */
  async function post(name) {
    const { method, url: meant, headers, body } = request(name);
    const answer = await fetch(url + new URL(meant).pathname, { method, headers, body: JSON.stringify(body) });
    assert.equal(answer.status, 200, await answer.text());
    return body;
  }

  /** @param {string} to @param {(body: any) => boolean} which */
  const captured = (to, which) => until(() => seen.find((one) => one.url === to && which(one.body))?.body);

  it("takes an alert, shows it as it was said, and is told as much by z0 as it would tell itself", async () => {
    const [alert] = await post("alertmanager_firing");
    const [shown] = await until(async () => {
      const list = await (await fetch(`${url}/api/v2/alerts`)).json();
      return list.length > 0 && list;
    });
    assert.deepEqual(shown.labels, alert.labels);
    assert.deepEqual(shown.annotations, alert.annotations);
    assert.equal(shown.startsAt, alert.startsAt);
    assert.equal(shown.generatorURL, alert.generatorURL);
    assert.equal(shown.status.state, "active");

    const trigger = await captured("/pagerduty", (body) => body.event_action === "trigger");
    compare(pagerduty, trigger, request("pagerduty_firing").body);
    compare(slack, await captured("/slack", (body) => body.attachments[0].color === "danger"), request("slack_firing").body);

    // It is over: the same alert goes from the list, and both tell PagerDuty by the same keys.
    await post("alertmanager_resolved");
    const resolve = await captured("/pagerduty", (body) => body.event_action === "resolve");
    compare(pagerduty, resolve, request("pagerduty_resolved").body);
    assert.equal(trigger.dedup_key, resolve.dedup_key);
    assert.equal(request("pagerduty_firing").body.dedup_key, request("pagerduty_resolved").body.dedup_key);
    compare(slack, await captured("/slack", (body) => body.attachments[0].color === "good"), request("slack_resolved").body);
    assert.deepEqual(await (await fetch(`${url}/api/v2/alerts`)).json(), []);
  });

  it("takes a group of alerts of which one is over", async () => {
    await post("alertmanager_group");
    const rules = await until(async () => {
      const list = await (await fetch(`${url}/api/v2/alerts`)).json();
      return list.length === 2 && list.map((/** @type {any} */ one) => one.labels.alertname).sort();
    });
    assert.deepEqual(rules, ["FactWriteFailures", "NoCharges"]);
  });

  it("refuses a label that z0 leaves out, so leaving it out is needed", async () => {
    const { body } = request("alertmanager_firing");
    body[0].labels["error-code"] = "timeout";
    const answer = await fetch(`${url}/api/v2/alerts`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    assert.equal(answer.status, 400);
  });
});
