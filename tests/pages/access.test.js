// Whether everybody can use the page: narrow screens, keyboards, screen readers, both colour schemes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { alert, alertsOf, busy, hostile, quiet, warning } from "./lib/answers.js";
import { enter, newPage, openBrowser } from "./lib/browser.js";
import { startServer } from "./lib/server.js";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let browser;
/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
before(async () => {
  server = await startServer(busy());
  const held = alert({ id: "a3", acknowledged: { by: "mara" }, tenant_id: "t".repeat(128) });
  server.script.alerts = alertsOf(alert(), warning, held);
  browser = await openBrowser();
});
after(async () => {
  await browser.close();
  await server.close();
});

/**
 * @param {unknown} body
 * @param {(page: import('playwright-core').Page) => Promise<void>} run
 */
async function onPage(body, run) {
  server.script.body = body;
  const { page, problems } = await newPage(browser.context);
  try {
    await run(page);
    assert.deepEqual(problems, []);
  } finally {
    await page.close();
  }
}

/** What the page was told is on the screen two frames later. @param {import('playwright-core').Page} page */
function drawn(page) {
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(undefined)));
      }),
  );
}

test("No width scrolls sideways", () =>
  onPage(busy(), async (page) => {
    for (const body of [
      busy({ band: "critical", lag_ms: 86_400_000, depth: 2_310_000 }),
      hostile(),
      quiet(),
    ]) {
      server.script.body = body;
      for (const width of [320, 360, 720, 1024, 1440]) {
        await page.setViewportSize({ width, height: 800 });
        const answered = page.waitForResponse((response) => response.url().endsWith("/v1/live"));
        await enter(page, server.url);
        await answered;
        await page.locator("#live").waitFor();
        await drawn(page);
        assert.ok(
          (await page.evaluate(() => document.documentElement.scrollWidth)) <= width,
          `${width}`,
        );
      }
    }
    await page.evaluate(() => sessionStorage.clear());
    await page.setViewportSize({ width: 360, height: 640 });
    await page.goto("about:blank");
    await page.goto(server.url);
    await page.locator("#sign-in").waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  }));

test("The whole page is reached by keyboard, and each stop shows a ring", () =>
  onPage(busy(), async (page) => {
    await page.goto(server.url);
    await page.locator("#sign-in").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "token");
    await page.keyboard.type("eyJ.good.token");
    await page.keyboard.press("Enter");
    await page.locator("#facts-rows tr").first().waitFor();
    const stops = [];
    for (let i = 0; i < 30; i += 1) {
      await page.keyboard.press("Tab");
      stops.push(
        await page.evaluate(() => {
          const at = document.activeElement;
          const style = at === null ? null : getComputedStyle(at);
          return {
            name: at?.id || at?.textContent || "",
            ring: style !== null && style.outlineStyle !== "none",
          };
        }),
      );
    }
    const names = stops.map((stop) => stop.name);
    assert.equal(names[0], "skip");
    for (const name of ["pause", "sign-out", "Recorded", "rate-chart", "Lag", "Dead letters"]) {
      assert.ok(names.includes(name), `${name} is not among ${names}`);
    }
    assert.deepEqual(
      stops.filter((stop) => !stop.ring),
      [],
    );
  }));

test("An explanation opens on focus, closes on Escape, and describes its button", () =>
  onPage(busy(), async (page) => {
    await enter(page, server.url);
    const term = page.getByRole("button", { name: "Conflicts" });
    await term.focus();
    const tip = page.locator(".tip");
    assert.match(await tip.innerText(), /409/);
    await page.keyboard.press("Escape");
    assert.equal(await tip.isVisible(), false);
    const id = await term.getAttribute("aria-describedby");
    assert.match((await page.locator(`#${id}`).textContent()) ?? "", /409/);
  }));

test("The skip link leads to the facts", () =>
  onPage(busy(), async (page) => {
    await enter(page, server.url);
    await page.locator("#facts-rows tr").first().waitFor();
    await page.locator("#skip").focus();
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "facts");
    await page.keyboard.press("Tab");
    assert.match(
      (await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))) ?? "",
      /^Copy trace id/,
    );
  }));

test("Landmarks, headings and the table have names and roles, on a phone too", () =>
  onPage(busy(), async (page) => {
    await page.setViewportSize({ width: 360, height: 800 });
    await enter(page, server.url);
    await page.locator("#facts-rows tr").first().waitFor();
    for (const name of [
      "Last 10 minutes",
      "Facts per second",
      "Replication to D1",
      "By type",
      "Latest facts",
    ]) {
      assert.equal(await page.getByRole("region", { name }).count(), 1, name);
      assert.equal(await page.getByRole("heading", { name }).count(), 1, name);
    }
    assert.equal(await page.getByRole("main").count(), 1);
    assert.equal(await page.getByRole("banner").count(), 1);
    assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
    const table = page.getByRole("table", { name: "Latest facts" });
    assert.equal(await table.getByRole("columnheader").count(), 7);
    assert.equal(await table.getByRole("row").count(), 51);
    assert.equal(await page.locator("#announce").getAttribute("aria-live"), "polite");
    assert.match(
      (await page.locator("#rate-chart").getAttribute("aria-label")) ?? "",
      /now \d+, mean [\d.]+, peak \d+/,
    );
  }));

test("With reduced motion nothing moves", () =>
  onPage(busy(), async (page) => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await enter(page, server.url);
    await page.locator("#facts-rows tr").first().waitFor();
    const moving = await page.evaluate(() => document.getAnimations().length);
    assert.equal(moving, 0);
  }));

// WCAG 2.2, 1.4.3: text against what lies behind it. Soft fills are blended over the surface first.
for (const scheme of /** @type {const} */ (["dark", "light"])) {
  test(`Every text of the ${scheme} scheme has a contrast of 4.5 or more`, () =>
    onPage(busy({ band: "degraded", lag_ms: 2_000, dead_letters: 1 }), async (page) => {
      await page.emulateMedia({ colorScheme: scheme });
      await enter(page, server.url);
      await page.locator("#facts-rows .failed").first().waitFor();
      assert.deepEqual(await page.evaluate(weakTexts), []);
    }));
}

/**
 * Runs in the page: the texts whose contrast is below 4.5.
 * @returns {string[]}
 */
function weakTexts() {
  /** @param {string} css @returns {[number, number, number, number]} */
  const parse = (css) => {
    const [r = 0, g = 0, b = 0, a = 1] = css.match(/[\d.]+/g)?.map(Number) ?? [];
    return [r, g, b, a];
  };
  /** @param {number} c */
  const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  /** @param {number[]} rgb */
  const luminance = ([r = 0, g = 0, b = 0]) =>
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  /** @param {Element} element what lies behind it */
  const behind = (element) => {
    const layers = [];
    for (let at = /** @type {Element | null} */ (element); at !== null; at = at.parentElement) {
      layers.push(parse(getComputedStyle(at).backgroundColor));
    }
    return layers
      .reverse()
      .reduce(
        (below, [r, g, b, a]) => [r, g, b].map((c, i) => c * a + (below[i] ?? 0) * (1 - a)),
        [255, 255, 255],
      );
  };
  const weak = new Set();
  for (const element of document.querySelectorAll("main *, header *, svg text")) {
    const own = [...element.childNodes].some(
      (n) => n.nodeType === Node.TEXT_NODE && n.textContent?.trim(),
    );
    if (!own || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const colour = parse(element instanceof SVGElement ? style.fill : style.color);
    const [light = 0, dark = 0] = [luminance(colour), luminance(behind(element))].sort(
      (a, b) => b - a,
    );
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5)
      weak.add(`${element.tagName}.${element.getAttribute("class")} ${contrast.toFixed(2)}`);
  }
  return [...weak];
}
