// scripts/dev with the real runtime: what it does when that breaks, and what it says when it cannot start.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { watch } from "../../scripts/lib.js";

const root = join(import.meta.dirname, "..", "..");

/** @param {import("node:http").RequestListener} answer */
async function listen(answer) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { port, url: `http://127.0.0.1:${port}`, close };
}

async function freePort() {
  const { port, close } = await listen(() => {});
  await close();
  return port;
}

/** Processes below this one, with their commands. @param {number} pid @returns {{ pid: number, name: string }[]} */
function descendants(pid) {
  const table = execFileSync("ps", ["-eo", "pid=,ppid=,comm="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  /** @param {number} parent @returns {{ pid: number, name: string }[]} */
  const below = (parent) =>
    table
      .filter(([, of]) => Number(of) === parent)
      .flatMap(([child, , name]) => [{ pid: Number(child), name }, ...below(Number(child))]);
  return below(pid);
}

/** Runs scripts/dev on a state of its own. @param {string[]} args */
function dev(...args) {
  const directory = mkdtempSync(join(tmpdir(), "z0-dev-"));
  const state = join(directory, "state");
  const child = spawn(join(root, "scripts", "dev"), ["--state", state, ...args], { cwd: directory });
  let said = "";
  /** @type {Set<() => void>} */
  const listeners = new Set();
  const hear = (/** @type {Buffer} */ text) => {
    said += text;
    for (const listener of listeners) listener();
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  const ended = new Promise((resolve) =>
    child.on("close", (code) => {
      resolve(code);
      for (const listener of listeners) listener();
    }),
  );
  return {
    pid: child.pid ?? 0,
    state,
    ended,
    said: () => said,
    /** Until it says this; fails with what it said when it ends first. @param {RegExp} words */
    says: (words) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (words.test(said)) resolve(undefined);
          else if (child.exitCode !== null) reject(new Error(`it ended, having said:\n${said}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
    async stop() {
      child.kill("SIGTERM");
      await ended;
      rmSync(directory, { recursive: true });
    },
  };
}

const bounded = { timeout: 300_000 };

test("A runtime that was killed is started again, and a wrangler that ends is named", bounded, async () => {
  const port = await freePort();
  const z0 = dev("--port", String(port));
  try {
    await z0.says(/z0 runs at/);
    const runtime = descendants(z0.pid).filter(({ name }) => name === "workerd");
    assert.notEqual(runtime.length, 0);
    for (const { pid } of runtime) process.kill(pid, "SIGKILL");
    await z0.says(/started again\nz0 answers again at/);
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
    const wrangler = descendants(z0.pid).find(({ pid }) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("wrangler\0dev"),
    );
    assert.ok(wrangler);
    const all = descendants(z0.pid);
    process.kill(wrangler.pid, "SIGKILL");
    assert.equal(await z0.ended, 1);
    assert.match(z0.said(), /wrangler ended by itself, with code \d+\. The whole log: build\/log\/dev-\d+\.log\n$/);
    assert.equal(existsSync(join(z0.state, "dev.pid")), false);
    assert.deepEqual(all.filter(({ pid }) => existsSync(`/proc/${pid}`)), []);
  } finally {
    await z0.stop();
  }
});

test("A start on a port in use says so and leaves the log of the one that runs alone", bounded, async () => {
  const other = await listen((_, response) => response.end());
  const log = join(root, "build", "log", `dev-${other.port}.log`);
  writeFileSync(log, "what the first one logged\n");
  const z0 = dev("--port", String(other.port));
  try {
    assert.equal(await z0.ended, 1);
    assert.match(z0.said(), new RegExp(`Port ${other.port} is in use\\. Stop what listens there`));
    assert.equal(readFileSync(log, "utf8"), "what the first one logged\n");
  } finally {
    await z0.stop();
    await other.close();
    rmSync(log);
  }
});

const soon = { pauseMs: 1, refusedMax: 3, silentMax: 2, silentMs: 20 };

test("Watching tells refused connections, silence and wrong answers apart", bounded, async () => {
  assert.equal(await watch(`http://127.0.0.1:${await freePort()}`, soon), "does not take connections any more");
  const silent = await listen(() => {});
  assert.equal(await watch(silent.url, soon), "takes connections but does not answer");
  await silent.close();
  const wrong = await listen((_, response) => response.writeHead(503).end());
  assert.equal(await watch(wrong.url, soon), "answers 503 and nothing else");
  await wrong.close();
});

test("Watching forgives a failure that an answer follows", bounded, async () => {
  let asked = 0;
  const statuses = [503, 503, 200, 503, 503, 200, 503, 503, 503];
  const server = await listen((_, response) => response.writeHead(statuses[asked++]).end());
  assert.equal(await watch(server.url, soon), "answers 503 and nothing else");
  assert.equal(asked, statuses.length);
  await server.close();
});
