// Traffic for the example, until it is ended: callers who come as they like, buyers who top up, and now and
// then a bad minute of a stand-in.
//
//   node bindings/example/drive.js URL [CALLS_PER_SECOND]

import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { BUYERS, NUMBERS } from "./market.js";

const CALLS_PER_SECOND = 1;
// More at once would only wait for one another.
const AT_ONCE_MAX = 20;
const TOP_UP_EVERY_MS = 20_000;
const WEATHER_EVERY_MS = 90_000;
const WEATHER_MS = 15_000;
const PATIENCE_MS = 120_000;

const FAIR = { twilio: { latency_ms: 120, failure_rate: 0.03 }, openai: { latency_ms: 250, failure_rate: 0.02 } };
const FOUL = [
  { twilio: { latency_ms: 900, failure_rate: 0.4 } },
  { openai: { latency_ms: 2_000, failure_rate: 0.1 } },
];

/** @typedef {{ calls: number, routed: number, cents: number, failed: number }} Tally */

export class Driver {
  /**
   * @param {string} url of the example
   * @param {number} [perSecond]
   */
  constructor(url, perSecond = CALLS_PER_SECOND) {
    this.url = url;
    this.perSecond = perSecond;
    /** @type {Tally} */
    this.tally = { calls: 0, routed: 0, cents: 0, failed: 0 };
    this.atOnce = 0;
    this.ended = false;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<any>} null when there is no good answer
   */
  async ask(method, path, body) {
    try {
      const init = { method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(30_000) };
      const reply = await fetch(new URL(path, this.url), init);
      return reply.ok ? await reply.json() : null;
    } catch {
      return null;
    }
  }

  /** False when nobody answers for two minutes. */
  async isThere() {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(500)) {
      if ((await this.ask("GET", "/")) !== null) return true;
    }
    return false;
  }

  /** Not everybody each time, so that now and then a buyer has nothing left. */
  async topUp(everybody = false) {
    const payers = everybody ? BUYERS : BUYERS.filter(() => Math.random() < 0.6);
    for (const { id } of payers) await this.ask("POST", "/deposits", { buyer: id });
  }

  async call() {
    const numbers = Object.keys(NUMBERS);
    const number = numbers[Math.floor(Math.random() * numbers.length)];
    this.atOnce++;
    const answer = await this.ask("POST", "/calls", { number });
    this.atOnce--;
    this.tally.calls++;
    if (answer === null) this.tally.failed++;
    if (!answer?.routed) return;
    this.tally.routed++;
    this.tally.cents += answer.cents;
  }

  /** Until it is ended. */
  async run() {
    let topUpAt = Date.now() + TOP_UP_EVERY_MS;
    let weatherAt = Date.now() + WEATHER_EVERY_MS;
    let isFoul = false;
    while (!this.ended) {
      if (this.atOnce < AT_ONCE_MAX) void this.call();
      if (Date.now() >= topUpAt) {
        topUpAt = Date.now() + TOP_UP_EVERY_MS;
        void this.topUp();
      }
      if (Date.now() >= weatherAt) {
        isFoul = !isFoul;
        weatherAt = Date.now() + (isFoul ? WEATHER_MS : WEATHER_EVERY_MS);
        void this.ask("PUT", "/stand-ins", isFoul ? FOUL[Math.floor(Math.random() * FOUL.length)] : FAIR);
      }
      // Callers come independently of one another, so the pauses between them are exponential.
      await pause(Math.min(5_000, (-Math.log(1 - Math.random()) * 1_000) / this.perSecond));
    }
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [url, perSecond] = process.argv.slice(2);
  if (url === undefined || !(Number(perSecond ?? 1) > 0)) {
    console.error("node bindings/example/drive.js URL [CALLS_PER_SECOND]");
    process.exit(2);
  }
  const driver = new Driver(url, Number(perSecond ?? CALLS_PER_SECOND));
  process.on("exit", () => console.log(JSON.stringify(driver.tally)));
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
  if (!(await driver.isThere())) {
    console.error(`Nobody answers at ${url}`);
    process.exit(1);
  }
  await driver.topUp(true);
  await driver.run();
}
