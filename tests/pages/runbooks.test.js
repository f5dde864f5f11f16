// The runbooks as somebody reads them who was paged: from the link of an alert, on a phone, in both
// colour schemes, with the keyboard.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, test } from "node:test";

import { newPage, openBrowser } from "./lib/browser.js";
import { startServer } from "./lib/server.js";

const directory = new URL("../../bindings/dashboard/runbooks/", import.meta.url);

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let browser;
/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
before(async () => {
  server = await startServer({});
  browser = await openBrowser();
});
after(async () => {
  await browser.close();
  await server.close();
});

/**
 * @param {string} path below /runbooks/
 * @param {(page: import('playwright-core').Page) => Promise<void>} run
 */
async function onRunbook(path, run) {
  const { page, problems } = await newPage(browser.context);
  try {
    await page.goto(`${server.url}runbooks/${path}`);
    await run(page);
    assert.deepEqual(problems, []);
  } finally {
    await page.close();
  }
}

test("The index leads to every page, and every link of every page leads somewhere", () =>
  onRunbook("", async (page) => {
    const names = (await readdir(directory)).filter((file) => file.endsWith(".md")).map((file) => file.slice(0, -3));
    const hrefs = () => page.locator("a").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
    const listed = await hrefs();
    for (const name of names) assert.ok(listed.includes(`/runbooks/${name}`), name);
    for (const name of names) {
      await page.goto(`${server.url}runbooks/${name}`);
      for (const href of await hrefs()) {
        if (href.startsWith("https:")) continue;
        const [path, anchor] = href.split("#");
        const answer = await page.request.get(new URL(path || `runbooks/${name}`, server.url).href);
        assert.equal(answer.status(), 200, `${name}: ${href}`);
        if (anchor) assert.match(await answer.text(), new RegExp(`id="${anchor}"`), `${name}: ${href}`);
      }
    }
  }));

test("The link of an alert fills its names into the commands", () =>
  onRunbook("fact_write_failures?tenant_id=tenant_acme", async (page) => {
    const text = await page.locator("article").innerText();
    assert.match(text, /--window 15m --tenant tenant_acme/);
    assert.doesNotMatch(text, /\{tenant_id\}/);
    assert.match(text, /z0 trace \{trace_id\}/);
    assert.equal(await page.getByLabel("tenant_id").inputValue(), "tenant_acme");
  }));

test("What a reader fills in stands in every command, and leaves them when it is deleted", () =>
  onRunbook("config_version_gaps", async (page) => {
    await page.getByLabel("config_id").fill("cfg_acme_budget");
    const article = page.locator("article");
    assert.match(await article.innerText(), /z0 config history cfg_acme_budget/);
    assert.doesNotMatch(await article.innerText(), /\{config_id\}/);
    await page.getByLabel("config_id").fill("");
    assert.match(await article.innerText(), /z0 config history \{config_id\}/);
  }));

test("What could be a command of its own is never filled in, whoever wrote the link", async () => {
  const strange = ["a;reboot", "$(reboot)", "`reboot`", "a b", "'a", "--all", "<img src=x onerror=alert(1)>", "a".repeat(129), "a|b", "a&b"];
  for (const value of strange) {
    await onRunbook(`replication_lag?tenant_id=${encodeURIComponent(value)}`, async (page) => {
      const commands = await page.locator("pre").allInnerTexts();
      assert.ok(commands.some((text) => text.includes("--tenant {tenant_id}")), value);
      assert.ok(!commands.join("\n").includes(value), value);
      assert.match(await page.getByRole("alert").innerText(), /tenant_id/);
      assert.equal(await page.locator("img").count(), 0);
    });
  }
});

test("A command is copied as it stands, filled in, a line a command", () =>
  onRunbook("reconciliation_mismatches?entity_id=acct_acme", async (page) => {
    const command = page.locator(".command", { hasText: "--as-of seq:100" });
    await command.getByRole("button", { name: "Copy" }).click();
    await command.getByRole("button", { name: "Copied" }).waitFor();
    assert.equal(
      await page.evaluate(() => navigator.clipboard.readText()),
      "./scripts/z0 state acct_acme --cache BudgetState\n./scripts/z0 state acct_acme --as-of seq:100 --json",
    );
    assert.equal(await page.locator("#announce").textContent(), "Copied.");
  }));

test("The first command is in sight on a phone, and no width scrolls sideways", () =>
  onRunbook("", async (page) => {
    for (const file of await readdir(directory)) {
      if (!file.endsWith(".html")) continue;
      for (const width of [320, 360, 390, 768, 1440]) {
        await page.setViewportSize({ width, height: 844 });
        await page.goto(`${server.url}runbooks/${file.replace(/(index)?\.html$/, "")}`);
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `${file} at ${width}`);
        const sideways = await page.locator("pre").evaluateAll((all) => all.filter((pre) => pre.scrollWidth > pre.clientWidth).length);
        assert.equal(sideways, 0, `${file} at ${width}`);
        if (width !== 390 || file === "index.html") continue;
        const box = await page.locator("pre").first().boundingBox();
        assert.ok(box !== null && box.y + box.height < 844, file);
      }
    }
  }));

/** Words of alerts' names, and options of commands, that stand on two lines. */
function brokenWords() {
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const broken = [];
  while (words.nextNode()) {
    const at = words.currentNode;
    if (!at.parentElement?.matches("td > code, .option")) continue;
    const range = document.createRange();
    range.selectNodeContents(at);
    if (new Set([...range.getClientRects()].map(({ top }) => top)).size > 1) broken.push(at.textContent);
  }
  return broken;
}

test("On a phone no word of an alert's name is broken, and no option of a command", () =>
  onRunbook("", async (page) => {
    for (const width of [320, 360]) {
      await page.setViewportSize({ width, height: 800 });
      for (const path of ["unusual", "fact_write_failures", "reconciliation_mismatches"]) {
        await page.goto(`${server.url}runbooks/${path}`);
        assert.ok((await page.locator("td > code").count()) > 0 && (await page.locator(".option").count()) > 0);
        assert.deepEqual(await page.evaluate(brokenWords), [], `${path} at ${width}`);
      }
    }
  }));

/** The contrast of each text with what it stands on (WCAG 2.2, 1.4.3), the lowest first. */
function contrasts() {
  const channels = (/** @type {string} */ color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (/** @type {number[]} */ rgb) =>
    rgb
      .map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (/** @type {Element | null} */ at) => {
    /** @type {number[][]} */
    const layers = [];
    for (let one = at; one !== null; one = one.parentElement) layers.push(channels(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((under, [r = 0, g = 0, b = 0, a = 1]) => [r, g, b].map((c, i) => c * a + under[i] * (1 - a)), [255, 255, 255]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const at = walker.currentNode.parentElement;
    if (at === null || walker.currentNode.textContent?.trim() === "" || !at.checkVisibility()) continue;
    const [a, b] = [luminance(channels(getComputedStyle(at).color).slice(0, 3)), luminance(ground(at))];
    found.push({ text: walker.currentNode.textContent ?? "", ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) });
  }
  return found.sort((a, b) => a.ratio - b.ratio);
}

test("Every text reaches a contrast of 4.5 to 1 in both colour schemes", () =>
  onRunbook("", async (page) => {
    for (const colorScheme of /** @type {const} */ (["dark", "light"])) {
      await page.emulateMedia({ colorScheme });
      for (const path of ["", "replication_lag?tenant_id=a;b&entity_id=acct_a", "owners"]) {
        await page.goto(`${server.url}runbooks/${path}`);
        const all = await page.evaluate(contrasts);
        assert.ok(all.length > 20);
        assert.ok(all[0].ratio >= 4.5, `${colorScheme} ${path}: ${JSON.stringify(all[0])}`);
      }
    }
  }));

test("The keyboard reaches the contents, the fields and the commands, each with a ring", () =>
  onRunbook("replication_lag", async (page) => {
    const names = [];
    for (let i = 0; i < 18; i += 1) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(() => {
        const at = document.activeElement;
        const name = at instanceof HTMLInputElement ? at.name : at?.textContent?.trim().split("\n")[0];
        return { name: name ?? "", ring: at !== null && getComputedStyle(at).outlineStyle !== "none" };
      });
      assert.ok(stop.ring, stop.name);
      names.push(stop.name);
    }
    assert.equal(names[0], "Skip to the page");
    for (const name of ["First look", "./scripts/z0 live --once", "Copy", "tenant_id", "entity_id"]) assert.ok(names.includes(name), `${name}: ${names}`);
  }));

test("Without JavaScript a page has all its text", async () => {
  const plain = await openBrowser({ javaScriptEnabled: false });
  try {
    const page = await plain.context.newPage();
    await page.goto(`${server.url}runbooks/replication_lag`);
    assert.match(await page.locator("article").innerText(), /z0 rebuild --tenant \{tenant_id\} --from-start/);
    assert.equal(await page.getByRole("button").count(), 0);
  } finally {
    await plain.close();
  }
});
