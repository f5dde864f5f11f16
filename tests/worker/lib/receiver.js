// A receiver of notifications outside: a real HTTP server that fails as it is told, and shows what it took.

import { createServer } from "node:http";

/**
 * What becomes of a request: taken; refused; taken, and the answer says otherwise; or nothing comes back.
 * @typedef {"take" | "fail" | "busy" | "take_and_fail" | "hang"} Way
 * @typedef {{path: string, headers: import("node:http").IncomingHttpHeaders, body: any, text: string, atMs: number}} Got
 */

export class Receiver {
  /** @type {Got[]} what it took */
  took = [];
  /** @type {Record<string, number>} */
  asked = {};
  /** @type {(path: string) => Way} */
  way = () => "take";

  constructor() {
    this.server = createServer(async (request, response) => {
      const atMs = Date.now();
      let text = "";
      for await (const chunk of request.setEncoding("utf8")) text += chunk;
      const path = request.url ?? "";
      this.asked[path] = (this.asked[path] ?? 0) + 1;
      const way = this.way(path);
      if (way === "hang") return;
      if (way.startsWith("take")) {
        this.took.push({ path, headers: request.headers, body: JSON.parse(text), text, atMs });
      }
      const status = { take: 202, fail: 500, busy: 429, take_and_fail: 503 }[way];
      response.writeHead(status, way === "busy" ? { "retry-after": "1" } : {}).end();
    });
  }

  /** @returns {Promise<string>} its address */
  async listen() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", () => resolve(undefined)));
    const { port } = /** @type {import("node:net").AddressInfo} */ (this.server.address());
    return `http://127.0.0.1:${port}`;
  }

  /** @param {string} path */
  tookAt(path) {
    return this.took.filter((got) => got.path === path);
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** Chance that comes again: mulberry32. @param {number} seed */
export function chanceOf(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
