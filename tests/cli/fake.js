// A z0 of a few lines for the command-line tool's tests: it keeps ids, tells duplicates from conflicts,
// and does to a request whatever a test asks for.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * @typedef {{ method: string, url: string, authorization: string, contentType: string, lines: string[],
 *   at: number, socket: number }} Seen
 * @typedef {{ status: number, headers?: Record<string, string>, body: unknown } | "drop"} Answer
 * @typedef {{ code: number | null, signal: string | null, stdout: string, stderr: string }} Run
 */

const root = join(import.meta.dirname, "..", "..");

/** The tool: Z0_BINARY, or what the presets build. */
export const binary = [
  process.env.Z0_BINARY ?? "",
  ...["dev", "release"].map((preset) => join(root, "build", preset, "z0")),
].find((path) => path !== "" && existsSync(path));

/** The reason to skip the tests, or false. */
export const skip = binary ? false : "the tool is not built: ./scripts/build";

export class FakeZ0 {
  /** @type {Seen[]} */
  seen = [];
  /** @type {((seen: Seen, count: number) => Answer | undefined | Promise<Answer | undefined>)} */
  before = () => undefined;
  /** When an answer has left. @type {(count: number) => void} */
  after = () => {};
  /** Per item: an item to answer with instead. @type {(fact: any, line: string) => any} */
  item = () => undefined;
  /** @type {Map<string, { content: string, seq: number }>} */
  #facts = new Map();
  /** @type {Map<string, number>} */
  #heads = new Map();
  /** @type {WeakMap<object, number>} */
  #sockets = new WeakMap();
  #socketCount = 0;
  #server = createServer((request, response) => void this.#serve(request, response));

  async start() {
    this.#server.on("connection", (socket) => this.#sockets.set(socket, ++this.#socketCount));
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", () => resolve(undefined)));
    return this;
  }

  get url() {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("not started");
    return `http://127.0.0.1:${address.port}`;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get recorded() {
    return this.#facts.size;
  }

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   */
  async #serve(request, response) {
    let body = "";
    request.setEncoding("latin1");
    for await (const chunk of request) body += chunk;
    const seen = {
      method: request.method ?? "",
      url: request.url ?? "",
      authorization: request.headers.authorization ?? "",
      contentType: request.headers["content-type"] ?? "",
      lines: body.split("\n").filter((line) => line !== ""),
      at: performance.now(),
      socket: this.#sockets.get(request.socket) ?? 0,
    };
    this.seen.push(seen);
    const answer = (await this.before(seen, this.seen.length)) ?? this.#take(seen);
    if (answer === "drop") {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    const { length } = this.seen;
    const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
    response.end(text, () => this.after(length));
  }

  /** @param {Seen} seen @returns {Answer} */
  #take(seen) {
    const results = seen.lines.map((line) => this.#record(line));
    return { status: 207, body: { trace_id: "0".repeat(31) + "1", results } };
  }

  /** @param {string} line */
  #record(line) {
    let fact;
    try {
      fact = JSON.parse(line);
    } catch {
      return bad("not_json", 400, "", "This is no JSON.");
    }
    const other = this.item(fact, line);
    if (other) return other;
    if (typeof fact !== "object" || fact === null) return bad("not_an_object", 400, "", "No object.");
    if (!fact.entity_id) return bad("missing_member", 422, "entity_id", "A member is missing.");
    const key = `${fact.entity_id} ${fact.id}`;
    const before = this.#facts.get(key);
    if (before && before.content !== line) return bad("conflict", 409, "amount", "Other content.");
    if (before) return good("duplicate", fact, before.seq);
    const seq = (this.#heads.get(fact.entity_id) ?? 0) + 1;
    this.#heads.set(fact.entity_id, seq);
    this.#facts.set(key, { content: line, seq });
    return good("recorded", fact, seq);
  }
}

/** @param {string} status @param {any} fact @param {number} seq */
function good(status, fact, seq) {
  return { status, id: fact.id, entity_id: fact.entity_id, seq, recorded_at: 1 };
}

/** @param {string} status @param {number} http @param {string} field @param {string} message */
export function bad(status, http, field, message) {
  return { status, http, field, message, action: "Change it.", trace_id: "0".repeat(31) + "1" };
}

/** @param {string} name @param {string | Uint8Array} contents */
export function temporaryFile(name, contents) {
  const directory = mkdtempSync(join(tmpdir(), "z0-cli-"));
  const path = join(directory, name);
  writeFileSync(path, contents);
  return { path, directory, remove: () => rmSync(directory, { recursive: true }) };
}

/**
 * Runs the tool to its end.
 * @param {string[]} args
 * @param {{ input?: string | Uint8Array, env?: Record<string, string>, cwd?: string,
 *   started?: (child: import("node:child_process").ChildProcess) => void }} [options]
 * @returns {Promise<Run>}
 */
export function z0(args, { input, env = {}, cwd = tmpdir(), started } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(binary ?? "", args, {
      cwd,
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...env },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code, signal, stdout, stderr });
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
    started?.(child);
  });
}

/** @param {number} i @param {Record<string, unknown>} [more] */
export function charge(i, more = {}) {
  return {
    id: `fact_${i}`,
    type: "charge",
    timestamp: 1_774_915_200_000 + i,
    entity_id: `acct_${i % 7}`,
    source_id: "fact_0",
    amount: i,
    ...more,
  };
}

/** @param {unknown[]} facts */
export function envelopes(facts) {
  return facts.map((fact) => JSON.stringify({ tenant: "tenant_a", fact }) + "\n").join("");
}
