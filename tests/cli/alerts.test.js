// z0 alerts: what it says of alerts, and of people who are not told of them.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { FakeZ0, skip, z0 } from "./fake.js";

const channel = {
  channel: "cfg_a/pager",
  to: "pagerduty",
  state: "good",
  waiting: 0,
  delivered: 7,
  given_up: 0,
  lost: 0,
};
const answer = {
  alerts: [
    {
      id: "0123456789abcdef",
      state: "firing",
      rule: "FactWriteFailures",
      severity: "critical",
      labels: {},
      value: 0.5,
      comparison: "above",
      threshold: 0.01,
      active_at: 1_774_915_200_000,
      fired_at: 1_774_915_200_000,
      summary: "Money is not recorded.",
    },
  ],
  channels: [channel],
  evaluated_at: 1_774_915_200_000,
  left_out: 0,
  silent_shards: 0,
};

describe("z0 alerts", { skip }, () => {
  /** @type {FakeZ0} */
  let server;
  beforeEach(async () => {
    server = await new FakeZ0().start();
  });
  afterEach(() => server.stop());

  /** @param {object} body @param {string[]} options */
  const run = async (body, ...options) => {
    server.before = () => ({ status: 200, body });
    const to = ["--url", server.url, "--token", "t"];
    const { code, stdout, stderr } = await z0(["alerts", ...options, ...to]);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  it("brings all that the route answers as JSON, of which --firing leaves out alerts alone", async () => {
    const whole = { ...answer, dead_man: { heard_at: null }, silent_shards: 2 };
    whole.alerts = [...answer.alerts, { ...answer.alerts[0], state: "pending" }];
    assert.deepEqual(JSON.parse(await run(whole, "--json")), whole);
    assert.deepEqual(JSON.parse(await run(whole, "--json", "--firing")), { ...whole, alerts: answer.alerts });
  });

  it("says what fires, and nothing of channels that are well", async () => {
    const said = await run(answer);
    assert.match(said, /FactWriteFailures: Money is not recorded\./);
    assert.doesNotMatch(said, /channel/);
  });

  it("says a value as notifications do, and a sentence that several alerts have once", async () => {
    const one = { ...answer.alerts[0], in_words: "50 %, fires above 1 %" };
    const of = (/** @type {string} */ tenant, more = {}) => ({ ...one, tenant_id: tenant, ...more });
    const said = await run({ ...answer, alerts: [of("north"), of("south"), of("west", { why: "4 of 8 failed." })] });
    assert.match(said, /FactWriteFailures +north +50 %, fires above 1 % /);
    assert.equal(said.match(/FactWriteFailures: Money is not recorded\.\n/g)?.length, 1);
    assert.match(said, /FactWriteFailures of west: Money is not recorded\. 4 of 8 failed\./);
  });

  it("says what an alert costs, or that it is not known yet and why", async () => {
    const costs = (/** @type {object} */ money) => run({ ...answer, alerts: [{ ...answer.alerts[0], money }] });
    const known = { currency: "USD", lost: 1200, in_words: "USD 12.00 lost so far", reckoning: "Three charges." };
    assert.match(await costs(known), /\n {2}USD 12\.00 lost so far\. Three charges\.\n/);
    const unknown = { in_words: "what it costs is not known yet", reckoning: "No whole hour with a charge has been seen." };
    assert.match(await costs(unknown), /\n {2}what it costs is not known yet\. No whole hour with a charge has been seen\.\n/);
  });

  it("says which channel is not told, why, and what waits there", async () => {
    const failing = { ...channel, state: "failing", why: "it failed", waiting: 3 };
    const gone = { ...channel, channel: "cfg_a/hook", state: "off", why: "it is gone for good", lost: 2 };
    const said = await run({ ...answer, channels: [failing, gone], dead_man: { why: "no answer came" } });
    assert.match(said, /channel cfg_a\/pager is failing: it failed, 3 waiting, 0 given_up, 0 lost/);
    assert.match(said, /channel cfg_a\/hook is off: it is gone for good, 0 waiting, 0 given_up, 2 lost/);
    assert.match(said, /did not hear that alerts are judged: no answer came/);
  });
});
