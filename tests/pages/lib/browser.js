// Chromium for the page tests: one process for a file of tests, a fresh page for each test, and the
// rule that a page says nothing in its console.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { GOOD_TOKEN, startServer } from "./server.js";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
export async function openBrowser(options = {}) {
  const profile = await mkdtemp(join(tmpdir(), "z0-pages-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
    viewport: { width: 1440, height: 900 },
    colorScheme: "dark",
    locale: "en-US",
    timezoneId: "Europe/Berlin",
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  return {
    context,
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

// What the browser itself prints for an answer that a test asked for (401, 503, a cut line).
const EXPECTED = /Failed to load resource/;

/**
 * A page that collects everything that should not be: exceptions, console errors and warnings,
 * violations of the Content-Security-Policy.
 * @param {import('playwright-core').BrowserContext} context
 */
export async function newPage(context) {
  const page = await context.newPage();
  /** @type {string[]} */
  const problems = [];
  page.on("pageerror", (error) => problems.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    const bad = message.type() === "error" || message.type() === "warning";
    if (bad && !EXPECTED.test(message.text())) problems.push(`console: ${message.text()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`violates ${event.violatedDirective}: ${event.blockedURI}`);
    });
  });
  return { page, problems };
}

/**
 * Opens the page as somebody who followed a link with a token.
 * @param {import('playwright-core').Page} page
 * @param {string} url
 * @param {string} [token]
 */
export async function enter(page, url, token = GOOD_TOKEN) {
  await page.goto(`${url}#token=${token}`);
}

/** @typedef {Awaited<ReturnType<typeof startServer>>} Server */

/**
 * What makes the tests of a file: each has its own server and page, and fails when the page complained
 * about anything.
 */
export function pageTests() {
  /** @type {Awaited<ReturnType<typeof openBrowser>>} */
  let browser;
  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser.close());
  /**
   * @param {string} name
   * @param {unknown} body the first answer
   * @param {(page: import('playwright-core').Page, server: Server) => Promise<void>} run
   */
  return (name, body, run) => {
    // What is waited for and never comes ends the test, not the day.
    test(name, { timeout: 120_000 }, async () => {
      const server = await startServer(body);
      const { page, problems } = await newPage(browser.context);
      try {
        await run(page, server);
        assert.deepEqual(problems, []);
      } finally {
        await page.close();
        await server.close();
      }
    });
  };
}

/**
 * Waits until an element says this.
 * @param {import('playwright-core').Page} page
 * @param {string} selector
 * @param {RegExp} words
 */
export async function says(page, selector, words) {
  const wanted = { selector, source: words.source, flags: words.flags };
  try {
    await page.waitForFunction(({ selector, source, flags }) => {
      const found = document.querySelector(selector);
      if (!(found instanceof HTMLElement) || !found.checkVisibility()) return false;
      return new RegExp(source, flags).test(found.innerText);
    }, wanted);
  } catch {
    assert.match(await page.locator(selector).first().innerText(), words);
  }
}
