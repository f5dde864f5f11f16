// The panel of alerts of the live page, against scripted answers of GET /v1/alerts.
import assert from "node:assert/strict";
import { test } from "node:test";

import { readAlerts } from "../../bindings/dashboard/live/alerts_model.js";
import { alert, alertsOf as answer, busy, warning } from "./lib/answers.js";
import { enter, pageTests, says } from "./lib/browser.js";

const pageTest = pageTests();

pageTest("What fires stands on top, with its cost and what to do", busy(), async (page, server) => {
  server.script.alerts = answer(warning, alert(), alert({ id: "a3", state: "pending" }));
  await enter(page, server.url);
  await says(page, "#alert-list li:first-child", /Critical\s+TenantWriteFailures\s+northwind/);
  await says(page, "#alert-list li:first-child", /11\.2 %, fires above 1 %/);
  await says(page, "#alert-list li:first-child", /1,234\.00 USD lost so far, 500\.00 USD an hour at risk\s+What was usual at this hour\./);
  await says(page, "#alert-list li:last-child", /Warning\s+ExternalToolErrors\s+openai/);
  await says(page, "#alerts-judged", /^2 firing · 1 pending · judged 08:19:00$/);
  assert.equal(await page.locator("#alert-list li").count(), 2);
  assert.equal(await page.locator("#alerts").getAttribute("data-state"), "critical");
  const links = page.locator(".alert-runbook");
  assert.equal(await links.first().getAttribute("href"), "/runbooks/fact_write_failures?tenant_id=northwind");
  assert.equal(await links.last().getAttribute("href"), "/runbooks/external_tool_errors?tool_id=openai");
  await links.first().click();
  await page.waitForURL(/runbooks\/fact_write_failures/);
  assert.equal(await page.locator('input[name="tenant_id"]').inputValue(), "northwind");
});

pageTest("An alert comes and goes while the page stands", busy(), async (page, server) => {
  await page.clock.install();
  await enter(page, server.url);
  await says(page, "#alerts-none", /^Nothing fires\.$/);
  server.script.alerts = answer(alert());
  await page.clock.runFor(6_000);
  await says(page, "#alert-list", /TenantWriteFailures/);
  await says(page, "#announce", /^An alert fires: TenantWriteFailures\.$/);
  // Its row stays the one that has the focus.
  await page.locator(".alert-runbook").focus();
  server.script.alerts = answer(alert({ id: "a0", rule: "Older", fired_at: alert().fired_at - 1 }), alert({ in_words: "12 %" }));
  await page.clock.runFor(6_000);
  await says(page, "#alert-list li:last-child", /12 %/);
  await says(page, "#alert-list li:first-child", /Older/);
  server.script.alerts = answer();
  await page.clock.runFor(6_000);
  await says(page, "#alerts-none", /^Nothing fires\.$/);
  assert.equal(await page.locator("#alert-list li").count(), 0);
});

pageTest("What is held stands last and says why", busy(), async (page, server) => {
  server.script.alerts = answer(
    alert({ id: "a4", acknowledged: { by: "mara", reason: "on it" } }),
    alert({ id: "a5", silence_id: "s1" }),
    alert({ id: "a6", inhibited_by: "ReplicationFailures" }),
    { ...warning, money: { in_words: "what it costs is not known yet", reckoning: "No hour was seen." } },
  );
  await enter(page, server.url);
  await says(page, "#alert-list li:first-child", /ExternalToolErrors[^]*what it costs is not known yet\s+No hour was seen\./i);
  await says(page, "#alert-list", /acknowledged by mara[^]*silenced[^]*follows from ReplicationFailures/);
  assert.equal(await page.locator("#alerts").getAttribute("data-state"), "warning");
});

pageTest("A token without the scope, and a z0 that does not answer, are no quiet", busy(), async (page, server) => {
  server.script.alerts = 403;
  await enter(page, server.url);
  await says(page, "#alerts-none", /lacks the scope facts:read/);
  await says(page, "#rate-now", /^\d+$/);
  server.script.alerts = 503;
  await page.reload();
  await says(page, "#alerts-none", /^Not known: z0 answered 503\.$/);
});

pageTest("Markup in an alert stays text, and a name of any length fits", busy(), async (page, server) => {
  const markup = '<img src=x onerror="window.stolen=1">';
  server.script.alerts = answer(
    alert({ rule: markup, tenant_id: "t".repeat(128), summary: markup, in_words: markup, why: markup, runbook: "../x", labels: { [markup]: markup } }),
    { state: "firing" },
    null,
  );
  await enter(page, server.url);
  await says(page, "#alert-list", /<img src=x/);
  assert.equal(await page.locator("main img").count(), 0);
  assert.equal(await page.locator(".alert-runbook:visible").count(), 0);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 1440);
});

test("Of many alerts the worst are shown, and all are counted", () => {
  const many = Array.from({ length: 40 }, (_, i) => alert({ id: `a${i}`, severity: i < 30 ? "warning" : "critical", fired_at: i }));
  const read = readAlerts({ alerts: many, left_out: 5 });
  assert.equal(read?.firing.length, 20);
  assert.deepEqual(read?.firing.slice(9, 11).map(({ id }) => id), ["a39", "a0"]);
  assert.equal(read?.more, 25);
  for (const body of [null, 1, "text", []]) assert.equal(readAlerts(body), null);
});
