// z0 alerts, ack and silence: what they ask, and what they say.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { FakeZ0, skip, z0 } from "./fake.js";

const silence = {
  id: "sil_1f0c4d2a9b7e6a53",
  state: "active",
  rule: "Replication*",
  tenant_id: "north",
  labels: { tool_id: "search" },
  author: "ann",
  reason: "D1 moves",
  created_at: 1_774_915_200_000,
  starts_at: 1_774_915_200_000,
  expires_at: 1_774_922_400_000,
};
const alert = {
  id: "1f0c4d2a9b7e6a53",
  state: "firing",
  rule: "ReplicationLag",
  severity: "critical",
  labels: {},
  value: 61_000,
  comparison: "above",
  threshold: 60_000,
  summary: "D1 is behind.",
  fired_at: 1_774_915_200_000,
};

describe("z0 alerts, ack and silence", { skip }, () => {
  /** @type {FakeZ0} */
  let server;
  /** @type {unknown} */
  let answer;
  beforeEach(async () => {
    server = await new FakeZ0().start();
    server.before = () => ({ status: 200, body: answer });
  });
  afterEach(() => server.stop());
  /** @param {string[]} args */
  const run = (...args) => z0([...args, "--url", server.url, "--token", "t"]);
  const body = () => JSON.parse(server.seen[0].lines.join("\n"));

  it("says who looks after an alert, or why nobody is told", async () => {
    answer = {
      alerts: [
        { ...alert, acknowledged: { by: "ann" }, escalated: 1 },
        { ...alert, silence_id: "sil_1" },
        { ...alert, inhibited_by: "2f0c4d2a9b7e6a53" },
        { ...alert, flapping: true, labels: { tool_id: "search" } },
      ],
      evaluated_at: 1_774_915_200_000,
    };
    const { code, stdout, stderr } = await run("alerts");
    assert.equal(code, 0, stderr);
    for (const words of [
      "ann, escalated 1 time",
      "silenced: sil_1",
      "follows from 2f0c4d2a9b7e6a53",
      "flapping",
      "tool_id=search",
    ])
      assert.ok(stdout.includes(words), `${words} in ${stdout}`);
  });

  it("says for how long somebody looks after an alert", async () => {
    answer = { ...alert, acknowledged: { by: "ann" } };
    const { code, stderr } = await run("ack", alert.id, "--by", "ann", "--reason", "r", "--for", "2h");
    assert.equal(code, 0, stderr);
    assert.equal(server.seen[0].url, `/v1/alerts/${alert.id}/acknowledge`);
    assert.deepEqual(body(), { author: "ann", reason: "r", for: "2h" });
  });

  it("asks who says so where nobody is named, and sends any text as an id", async () => {
    const env = { USER: "" };
    for (const args of [["ack", alert.id, "--reason", "r"], ["silence", "add", "--rule", "R", "--reason", "r"]]) {
      const { code, stderr } = await z0([...args, "--url", server.url, "--token", "t"], { env });
      assert.equal(code, 2, stderr);
      assert.match(stderr, /nobody is named who says so, and \$USER is empty: give --by/);
    }
    answer = alert;
    assert.equal((await run("ack", "a/b c", "--by", "ann", "--reason", "r")).code, 0);
    assert.equal(server.seen.at(-1)?.url, "/v1/alerts/a%2Fb%20c/acknowledge");
  });

  it("lists silences", async () => {
    answer = { silences: [silence] };
    const { code, stdout, stderr } = await run("silence", "--tenant", "north");
    assert.equal(code, 0, stderr);
    assert.equal(server.seen[0].url, "/v1/silences?tenant=north");
    assert.match(stdout, /active +Replication\* tenant_id=north tool_id=search .*ann +D1 moves +sil_1f/);
    answer = { silences: [] };
    assert.match((await run("silence")).stdout, /nothing is silenced/);
  });

  it("makes a silence of what it was told", async () => {
    answer = silence;
    const { code, stdout, stderr } = await run(
      ...["silence", "add", "--rule", "Replication*", "--tenant", "north", "--label", "tool_id=search"],
      ...["--label", "region=eu=1", "--for", "2h", "--by", "ann", "--reason", "D1 moves"],
    );
    assert.equal(code, 0, stderr);
    assert.equal(server.seen[0].method, "POST");
    assert.deepEqual(body(), {
      rule: "Replication*",
      tenant_id: "north",
      labels: { tool_id: "search", region: "eu=1" },
      for: "2h",
      author: "ann",
      reason: "D1 moves",
    });
    assert.match(stdout, /is silenced until .*: sil_1f0c4d2a9b7e6a53/);
  });

  it("takes times for a beginning and an end, and refuses a label that is none", async () => {
    answer = silence;
    const times = ["--from", "2026-03-31T10:00:00Z", "--until", "2026-03-31T12:00:00Z"];
    const made = await run("silence", "add", "--rule", "A", "--by", "a", "--reason", "r", ...times);
    assert.equal(made.code, 0, made.stderr);
    assert.deepEqual(body(), {
      rule: "A",
      starts_at: 1_774_951_200_000,
      expires_at: 1_774_958_400_000,
      author: "a",
      reason: "r",
    });
    assert.equal((await run("silence", "add", "--label", "x", "--reason", "r")).code, 2);
  });

  it("ends a silence", async () => {
    answer = silence;
    const { code, stdout, stderr } = await run("silence", "remove", silence.id);
    assert.equal(code, 0, stderr);
    assert.equal(`${server.seen[0].method} ${server.seen[0].url}`, `DELETE /v1/silences/${silence.id}`);
    assert.match(stdout, /Replication\* tenant_id=north tool_id=search is heard of again/);
  });
});
