// A world of its own for each test: a clock that moves when it is told to, ids that are counted, and a z0
// that answers as it is told to. Nothing here waits for real time.

import { setImmediate } from "node:timers/promises";
import { createClient } from "../../../bindings/client/index.js";

/** @typedef {{ path: string, headers: Record<string, string>, body: any, at: number }} Got */
/** @typedef {(got: Got) => Response | Promise<Response>} Answerer */
/** @typedef {import("../../../bindings/client/index.d.ts").ClientOptions} ClientOptions */

export const START_MS = 1_774_915_200_000;

export class World {
  constructor() {
    this.time = START_MS;
    this.made = 0;
    /** @type {{ at: number, wake: () => void }[]} */
    this.sleepers = [];
    /** @type {Got[]} */
    this.got = [];
    /** What z0 does with a request. @type {Answerer} */
    this.answer = accept;
    this.host = {
      now: () => this.time,
      sleep: (/** @type {number} */ ms, /** @type {AbortSignal} */ end) => this.#sleep(ms, end),
      randomHex: (/** @type {number} */ bytes) => (++this.made).toString(16).padStart(bytes * 2, "0"),
    };
    /** The binding. */
    this.z0 = {
      fetch: async (/** @type {string} */ url, /** @type {RequestInit} */ init) => {
        const headers = /** @type {Record<string, string>} */ (init.headers);
        const body = JSON.parse(String(init.body));
        const got = { path: new URL(url).pathname, headers, body, at: this.time };
        this.got.push(got);
        return this.answer(got);
      },
    };
  }

  /** @param {Partial<ClientOptions>} [more] */
  client(more = {}) {
    return createClient({
      ...{ z0: this.z0, token: "t", service: "shop", tenant: "north", host: this.host },
      ...{ account: "acct_north", asset: "ast_north" },
      ...more,
    });
  }

  /** @param {number} ms @param {AbortSignal} [end] @returns {Promise<void>} */
  #sleep(ms, end) {
    return new Promise((resolve) => {
      const sleeper = { at: this.time + ms, wake: () => resolve() };
      this.sleepers.push(sleeper);
      end?.addEventListener("abort", () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        resolve();
      });
    });
  }

  /** Lets so much time pass, and everything happen that is due in it. @param {number} ms */
  async pass(ms) {
    const end = this.time + ms;
    for (;;) {
      // What runs without waiting for the clock runs first.
      for (let i = 0; i < 5; i++) await setImmediate();
      const next = this.sleepers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.sleepers = this.sleepers.filter((sleeper) => sleeper !== next);
      this.time = Math.max(this.time, next.at);
      next.wake();
    }
    this.time = end;
  }

  /** @param {string} path */
  bodies(path) {
    return this.got.filter((got) => got.path === path).map(({ body }) => body);
  }

  /** Facts that z0 was sent. @returns {Record<string, any>[]} */
  facts() {
    return this.bodies("/v1/facts").flat();
  }

  /** Spans that z0 was sent, without those of the client's own. @returns {any[]} */
  spans() {
    return this.allSpans().filter(({ name }) => !name.startsWith("z0.worker.client."));
  }

  /** @returns {any[]} */
  allSpans() {
    return this.bodies("/v1/traces").flatMap(({ resourceSpans }) => resourceSpans[0].scopeSpans[0].spans);
  }

  /**
   * The points of a metric that z0 was sent: labels in their order, then how much.
   * @param {string} name
   * @returns {(string | number)[][]}
   */
  points(name) {
    return this.bodies("/v1/metrics")
      .flatMap(({ resourceMetrics }) => resourceMetrics[0].scopeMetrics[0].metrics)
      .filter((metric) => metric.name === name)
      .flatMap(({ sum, histogram }) => (sum ?? histogram).dataPoints)
      .map(({ attributes, asInt, count }) => [
        ...attributes.map((/** @type {any} */ { value }) => value.stringValue),
        Number(asInt ?? count),
      ]);
  }
}

/** As z0 answers what it takes. @type {Answerer} */
export function accept({ path, body }) {
  if (path !== "/v1/facts") return Response.json({});
  const results = body.map((/** @type {{id: string, entity_id: string}} */ { id, entity_id }, /** @type {number} */ i) => ({
    ...{ status: "recorded", id, entity_id, seq: i + 1, recorded_at: START_MS },
  }));
  return Response.json({ recorded: results.length, duplicate: 0, refused: 0, results, trees: [] });
}

/** @param {any} span */
export function attributesOf({ attributes }) {
  return Object.fromEntries(
    attributes.map((/** @type {any} */ { key, value }) => [key, Object.values(value)[0]]),
  );
}

/** @param {Partial<import("../../../bindings/client/index.d.ts").Fact>} [more] */
export function charge(more = {}) {
  return { type: "charge", entity_id: "acct_north", source_id: "out_1", amount: 1250, ...more };
}
