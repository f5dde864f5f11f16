// The live page in a real browser, against scripted answers of GET /v1/live.
import assert from "node:assert/strict";

import { busy, fact, hostile, quiet } from "./lib/answers.js";
import { enter, pageTests, says } from "./lib/browser.js";
import { Count } from "./lib/count.js";
import { GOOD_TOKEN, TENANT_TOKEN } from "./lib/server.js";

const pageTest = pageTests();

/**
 * How often the page has asked so far, as the browser counts.
 * @param {import('playwright-core').Page} page
 */
function countAsks(page) {
  const asks = new Count();
  page.on("request", (request) => {
    if (request.url().endsWith("/v1/live")) asks.add();
  });
  return asks;
}

pageTest("A token in the address signs in and leaves the address", busy(), async (page, server) => {
  await enter(page, server.url);
  await says(page, "#rate-now", /^\d+$/);
  assert.equal(page.url(), server.url);
  assert.equal(await page.evaluate(() => sessionStorage.getItem("z0.token")), GOOD_TOKEN);
  assert.ok(server.seen.paths.every((path) => !path.includes("token")));
  await page.reload();
  await says(page, "#tile-recorded .value", /^38,412$/);
});

pageTest("A typed token signs in, and signing out forgets it", busy(), async (page, server) => {
  await page.clock.install();
  const asked = countAsks(page);
  await page.goto(server.url);
  await page.getByLabel("Access token").fill(`Bearer ${GOOD_TOKEN}`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await says(page, "#health-word", /Healthy/);
  await page.getByRole("button", { name: "Sign out" }).click();
  await says(page, "#sign-in h1", /Sign in/);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  const before = asked.value;
  await page.clock.runFor(10_000);
  assert.equal(asked.value, before);
  await page.reload();
  await says(page, "#sign-in h1", /Sign in/);
});

pageTest("A wrong token and a tenant's token are told apart", busy(), async (page, server) => {
  await enter(page, server.url, "eyJ.wrong.token");
  await says(page, "#sign-in-problem", /wrong or has expired/);
  await page.getByLabel("Access token").fill(TENANT_TOKEN);
  await page.keyboard.press("Enter");
  await says(page, "#sign-in-problem", /lacks the ops scope for all tenants/);
  await page.getByLabel("Access token").fill("not a token");
  await page.keyboard.press("Enter");
  await says(page, "#sign-in-problem", /does not look like a token/);
  assert.equal(await page.getByLabel("Access token").inputValue(), "");
  assert.equal(await page.locator("#live").isVisible(), false);
});

pageTest("Signing in while z0 is away waits for it", busy(), async (page, server) => {
  server.script.link = "hang up";
  await page.goto(server.url);
  await page.getByLabel("Access token").fill(GOOD_TOKEN);
  await page.keyboard.press("Enter");
  await says(page, "#sign-in-problem", /z0 does not answer/);
  assert.equal(await page.locator("#live").isVisible(), false);
  server.script.link = "answer";
  await says(page, "#health-word", /Healthy/);
  assert.equal(await page.locator("#sign-in").isVisible(), false);
});

pageTest("A link with another token in an open tab is followed", busy(), async (page, server) => {
  await enter(page, server.url);
  await says(page, "#rate-now", /^\d+$/);
  await enter(page, server.url, TENANT_TOKEN);
  await says(page, "#sign-in-problem", /lacks the ops scope/);
  await enter(page, server.url);
  await says(page, "#health-word", /Healthy/);
  assert.equal(page.url(), server.url);
});

pageTest(
  "A token that expires while the page is open leads back to the form",
  busy(),
  async (page, server) => {
    await enter(page, server.url);
    await says(page, "#rate-now", /^\d+$/);
    server.script.status = 401;
    await says(page, "#sign-in-problem", /expired/);
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  },
);

pageTest(
  "Numbers, bars and rows follow each answer, new rows first and marked",
  busy(),
  async (page, server) => {
    await enter(page, server.url);
    await says(page, "#bars li:first-child", /invocation\s+17,204\s+44\.8 %/);
    const first = await page.locator("#facts-rows tr").first().elementHandle();
    assert.equal(await page.locator("#facts-rows tr").count(), 50);
    assert.equal(await page.locator("#facts-rows tr.fresh").count(), 0);
    const next = busy();
    next.recorded += 5;
    next.facts_per_second = [...next.facts_per_second.slice(1), 321];
    next.by_type.outcome = 20_000;
    next.latest = [
      fact(61, { type: "charge", amount: 999, currency: "USD", status: "recorded" }),
      fact(60),
      ...next.latest,
    ].slice(0, 50);
    server.script.body = next;
    await says(page, "#rate-now", /^321$/);
    await says(page, "#tile-recorded .value", /^38,417$/);
    await says(page, "#bars li:first-child", /outcome\s+20,000/);
    await says(page, "#facts-rows tr:first-child", /charge[^]*\$9\.99/);
    assert.equal(await page.locator("#facts-rows tr").count(), 50);
    assert.equal(await page.locator("#facts-rows tr.fresh").count(), 2);
    assert.equal(
      await first?.evaluate((row) => [...(row.parentElement?.children ?? [])].indexOf(row)),
      2,
    );
  },
);

pageTest("The table waits while somebody reads it", busy(), async (page, server) => {
  await enter(page, server.url);
  await says(page, "#facts-rows tr:first-child", /invocation/);
  await page.locator("#facts-rows tr").nth(2).hover();
  server.script.body = { ...busy(), latest: [fact(62, { type: "correction" }), ...busy().latest] };
  await says(page, "#held", /Held while you read: 1 newer/);
  assert.doesNotMatch(await page.locator("#facts-rows tr").first().innerText(), /correction/);
  await page.mouse.move(5, 5);
  await says(page, "#facts-rows tr:first-child", /correction/);
  assert.equal(await page.locator("#held").isVisible(), false);
});

pageTest("A trace id is copied whole by a click", busy(), async (page, server) => {
  await enter(page, server.url);
  const button = page.locator("#facts-rows .copy").first();
  await button.waitFor();
  const whole = (await button.getAttribute("aria-label"))?.replace("Copy trace id ", "");
  assert.match(whole ?? "", /^[0-9a-f]{32}$/);
  await button.click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), whole);
  await says(page, "#facts-rows .copy", /copied/);
});

pageTest(
  "A change of band is shown by word and colour and said aloud once",
  busy(),
  async (page, server) => {
    await enter(page, server.url);
    await says(page, "#band", /Healthy/);
    assert.equal(await page.locator("#announce").innerText(), "");
    const colour = () => page.locator("#band").evaluate((badge) => getComputedStyle(badge).color);
    const calm = await colour();
    server.script.body = busy({ band: "degraded", lag_ms: 8_400, depth: 2_310 });
    await says(page, "#band", /Degraded/);
    await says(
      page,
      "#announce",
      /Replication is degraded: lag 8\.4 s, depth 2,310, failure rate 0 %/,
    );
    await says(page, "#meters .meter:nth-child(1)", /Lag\s+Degraded\s+8\.4 s/);
    assert.notEqual(await colour(), calm);
    assert.match(await page.title(), /^Degraded/);
    server.script.body = busy({ band: "critical", lag_ms: 61_000, depth: 2_310, dead_letters: 2 });
    await says(page, "#health", /Critical/);
    await says(page, "#announce", /critical/);
    server.script.body = busy();
    await says(page, "#announce", /Replication is healthy/);
    assert.equal(await page.title(), "z0 live");
  },
);

pageTest(
  "A lost connection says so, keeps the numbers, and heals by itself",
  busy(),
  async (page, server) => {
    await page.clock.install();
    await enter(page, server.url);
    await says(page, "#link", /Live/);
    server.script.link = "hang up";
    await says(page, "#link", /Disconnected, retrying.*no answer · numbers from \d\d:\d\d:\d\d/s);
    assert.equal(await page.locator("#tile-recorded .value").innerText(), "38,412");
    assert.match(await page.locator("#announce").innerText(), /Disconnected, retrying/);
    const filter = () => page.locator("#band").evaluate((badge) => getComputedStyle(badge).filter);
    assert.equal(await filter(), "grayscale(1)");
    const failed = page.waitForEvent("requestfailed");
    await page.clock.runFor(2_500);
    await failed;
    const asked = server.seen.requests.value;
    server.script.link = "answer";
    server.script.body = { ...busy(), recorded: 40_000 };
    await page.getByRole("button", { name: "Retry now" }).click();
    await says(page, "#link", /Live/);
    await says(page, "#tile-recorded .value", /^40,000$/);
    assert.ok(server.seen.requests.value > asked);
    assert.equal(server.seen.inFlightMax, 1);
  },
);

pageTest(
  "An overloaded z0 is asked again no sooner than it wished",
  busy(),
  async (page, server) => {
    await enter(page, server.url);
    await says(page, "#link", /Live/);
    server.script.status = 503;
    server.script.headers = { "retry-after": "20" };
    await says(page, "#link", /in (20|19|18) s: z0 answered 503/);
    server.script.status = 200;
    server.script.body = "no JSON";
    await page.getByRole("button", { name: "Retry now" }).click();
    await says(page, "#link", /not JSON/);
  },
);

pageTest("Requests never overlap, however slow the answers are", busy(), async (page, server) => {
  await page.clock.install();
  const asked = countAsks(page);
  let answer = () => {};
  server.script.held = new Promise((resolve) => (answer = resolve));
  await enter(page, server.url);
  await asked.reaches(1);
  await page.evaluate(() => {
    for (let i = 0; i < 5; i += 1) window.dispatchEvent(new Event("online"));
  });
  await page.clock.runFor(5_000);
  assert.equal(asked.value, 1);
  answer();
  await says(page, "#link", /Live/);
  await page.clock.runFor(1_500);
  await server.seen.requests.reaches(2);
  assert.equal(server.seen.inFlightMax, 1);
});

pageTest("A hidden tab asks nothing and a paused page neither", busy(), async (page, server) => {
  await page.clock.install();
  const asked = countAsks(page);
  await enter(page, server.url);
  await says(page, "#link", /Live/);
  const setHidden = (/** @type {boolean} */ hidden) =>
    page.evaluate((h) => {
      Object.defineProperty(document, "visibilityState", {
        configurable: true,
        value: h ? "hidden" : "visible",
      });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  const asksNothing = async () => {
    const before = asked.value;
    await page.clock.runFor(5_000);
    assert.equal(asked.value, before);
  };
  const asksAgain = async () => {
    const before = asked.value;
    await page.clock.runFor(1_500);
    await asked.reaches(before + 1);
  };
  await setHidden(true);
  await asksNothing();
  await setHidden(false);
  await asksAgain();
  await page.getByRole("button", { name: "Pause" }).click();
  await says(page, "#link", /Paused/);
  await asksNothing();
  await page.getByRole("button", { name: "Resume" }).click();
  await says(page, "#link", /Live/);
  await asksAgain();
});

pageTest(
  "The empty page says what to do, and goes when the first fact comes",
  quiet(),
  async (page, server) => {
    await enter(page, server.url);
    await says(
      page,
      "#empty",
      /No facts yet[^]*curl http:\/\/127\.0\.0\.1:\d+\/v1\/facts[^]*\.\/scripts\/z0 demo/,
    );
    await page.locator('[data-copy="empty-curl"]').click();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    assert.deepEqual(JSON.parse(command.match(/-d '(.*)'/)?.[1] ?? "").type, "deposit");
    server.script.body = { ...quiet(), recorded: 1, by_type: { deposit: 1 }, latest: [fact(5)] };
    await says(page, "#facts-rows tr", /deposit/);
    assert.equal(await page.locator("#empty").isVisible(), false);
  },
);

pageTest(
  "Markup stays text, missing values are dashes, ids of any length fit",
  hostile(),
  async (page, server) => {
    await enter(page, server.url);
    await says(page, "#facts-rows tr:first-child", /<img src=x/);
    assert.equal(await page.locator("main img, main script, tbody b").count(), 0);
    assert.equal(await page.evaluate(() => "stolen" in window), false);
    assert.equal(await page.locator("#tile-duplicate .value").innerText(), "–");
    assert.equal(await page.locator("#tile-failed .value").innerText(), "1E300");
    await says(page, "#band", /Unknown/);
    assert.equal(await page.locator("#facts-rows tr").count(), 6);
    await says(page, "#facts-rows tr:nth-child(2)", /acct_e/);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 1440);
  },
);

pageTest("Times are local, with UTC in the title", busy(), async (page, server) => {
  await enter(page, server.url);
  const time = page.locator("#facts-rows time").first();
  await time.waitFor();
  assert.match(await time.innerText(), /^08:29:46$/);
  assert.match((await time.getAttribute("title")) ?? "", /^2026-11-24 07:29:46\.\d{3} UTC$/);
});

pageTest(
  "The curve gives its values to the pointer and to the arrow keys",
  busy(),
  async (page, server) => {
    await enter(page, server.url);
    await says(page, "#rate-now", /^\d+$/);
    const chart = page.locator("#rate-chart");
    const box = await chart.boundingBox();
    await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + 60);
    await says(page, ".readout", /^\d\d:\d\d:\d\d · \d+ facts\/s$/);
    await page.mouse.move(5, 5);
    assert.equal(await page.locator(".readout").isVisible(), false);
    await chart.focus();
    await page.keyboard.press("End");
    const now = await page.locator("#rate-now").innerText();
    await says(page, ".readout", new RegExp(`08:30:00 · ${now} facts/s`));
    await page.keyboard.press("ArrowLeft");
    await says(page, ".readout", /08:29:59/);
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".readout").isVisible(), false);
  },
);

pageTest(
  "A monitor that has not counted for ten minutes says since when",
  (({ now, ...rest }) => ({ ...rest, now, since: now - 60_000 }))(busy()),
  async (page, server) => {
    await enter(page, server.url);
    await says(page, "#totals-title", /^Since \d\d:\d\d:\d\d/);
  },
);
