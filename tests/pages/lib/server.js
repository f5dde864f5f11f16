// The dashboard's files as the platform serves them (with _headers), and a /v1/live that a test scripts.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import { Count } from "./count.js";

const ROOT = fileURLToPath(new URL("../../../bindings/dashboard/", import.meta.url));

/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};

export const GOOD_TOKEN = "eyJ.good.token";
export const TENANT_TOKEN = "eyJ.tenant.token";

/**
 * The lines below `/*` of a _headers file. The dashboard has no other rule, and a test says so.
 * @param {string} text
 * @returns {[string, string][]}
 */
export function readHeaders(text) {
  return text
    .split("\n")
    .filter((line) => /^\s+\S+:/.test(line))
    .map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    });
}

/**
 * @typedef {object} Script what the next answers are; a test changes it as it goes
 * @property {unknown} body of GET /v1/live
 * @property {unknown} alerts of GET /v1/alerts
 * @property {number} status 200, or what z0 answers whatever the token is
 * @property {Record<string, string>} headers further headers of the answer
 * @property {'answer' | 'hang up'} link
 * @property {Promise<void> | undefined} held answers wait for this
 */

/**
 * Starts the server on a free port.
 * @param {unknown} body the first answer
 */
export async function startServer(body) {
  const headers = readHeaders(await readFile(join(ROOT, "_headers"), "utf8"));
  /** @type {Script} */
  const script = { body, alerts: { alerts: [] }, status: 200, headers: {}, link: "answer", held: undefined };
  const seen = { requests: new Count(), inFlight: 0, inFlightMax: 0, paths: /** @type {string[]} */ ([]) };

  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://host").pathname;
    seen.paths.push(request.url ?? "");
    for (const [name, value] of headers) response.setHeader(name, value);
    if (path === "/v1/live") return answerLive(request, response, script, seen);
    if (path === "/v1/alerts") {
      // A body that is a number is the status of a refusal.
      response.statusCode = typeof script.alerts === "number" ? script.alerts : 200;
      response.setHeader("content-type", "application/json");
      return response.end(JSON.stringify(script.alerts));
    }
    try {
      const asked = path.endsWith("/") ? `${path}index.html` : extname(path) === "" ? `${path}.html` : path;
      const file = normalize(join(ROOT, asked));
      if (!file.startsWith(ROOT)) throw new Error("outside");
      const bytes = await readFile(file);
      response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
      response.end(bytes);
    } catch {
      response.statusCode = 404;
      response.end("not found");
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    script,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve(undefined));
      }),
  };
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {Script} script
 * @param {{requests: Count, inFlight: number, inFlightMax: number}} seen
 */
async function answerLive(request, response, script, seen) {
  seen.requests.add();
  seen.inFlight += 1;
  seen.inFlightMax = Math.max(seen.inFlightMax, seen.inFlight);
  await script.held;
  seen.inFlight -= 1;
  if (script.link === "hang up") {
    request.socket.destroy();
    return;
  }
  const token = request.headers.authorization;
  const status =
    script.status !== 200
      ? script.status
      : token === `Bearer ${GOOD_TOKEN}`
        ? 200
        : token === `Bearer ${TENANT_TOKEN}`
          ? 403
          : 401;
  response.statusCode = status;
  for (const [name, value] of Object.entries(script.headers)) response.setHeader(name, value);
  response.setHeader("content-type", "application/json");
  const refusal = {
    status: "unauthorized",
    http: status,
    message: "refused",
    action: "sign in",
    trace_id: "0".repeat(32),
  };
  const body = status === 200 ? script.body : refusal;
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}
