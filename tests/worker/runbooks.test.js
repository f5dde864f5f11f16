// How the platform serves the runbooks: by the part [assets] of wrangler.toml, in the real runtime.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

const require = createRequire(createRequire(import.meta.url).resolve("wrangler"));
/** @type {typeof import("miniflare")} */
const { Miniflare, Log, LogLevel } = require("miniflare");

const ROOT = join(import.meta.dirname, "..", "..");
const part = readFileSync(join(ROOT, "wrangler.toml"), "utf8").split("[assets]")[1].split("\n[")[0];
const directory = /^directory = "(.*)"$/m.exec(part)?.[1] ?? assert.fail("no directory");
const first = JSON.parse(/^run_worker_first = (\[.*\])$/m.exec(part)?.[1] ?? "[]");

/** @type {InstanceType<typeof Miniflare>} */
let mf;
before(async () => {
  const worker = 'export default { fetch: () => new Response("the Worker", { status: 404 }) };';
  mf = new Miniflare({
    ...{ host: "127.0.0.1", port: 0, cf: false, enableDevRegistry: false, log: new Log(LogLevel.NONE) },
    workers: [
      {
        config: {
          name: "z0",
          compatibilityDate: "2026-11-01",
          manifest: {
            mainModule: "worker.js",
            modulesRoot: ROOT,
            modules: { "worker.js": { type: "esm", contents: worker } },
          },
          assets: { directory: join(ROOT, directory), hasUserWorker: true, runWorkerFirst: first },
        },
      },
    ],
  });
  await mf.ready;
});
after(() => mf?.dispose());

/** @param {string} path */
const get = async (path) => {
  const answer = await mf.dispatchFetch(`http://z0${path}`, { redirect: "manual" });
  return { status: answer.status, type: answer.headers.get("content-type"), to: answer.headers.get("location"), policy: answer.headers.get("content-security-policy"), text: await answer.text() };
};

test("A runbook is served under its name, the index under the directory's", async () => {
  const page = await get("/runbooks/replication_lag?tenant_id=tenant_acme");
  assert.equal(page.status, 200);
  assert.match(page.type ?? "", /^text\/html/);
  assert.match(page.text, /<h1[^>]*>Facts arrive late in D1/);
  assert.match(page.policy ?? "", /default-src 'self'/);
  const index = await get("/runbooks/");
  assert.equal(index.status, 200);
  assert.match(index.text, /<h1>Runbooks/);
  assert.equal((await get("/runbooks")).to, "/runbooks/");
  assert.match((await get("/runbooks/replication_lag.md")).type ?? "", /^text\/markdown/);
});

test("What is no page is the Worker's to answer, and so is every route", async () => {
  for (const path of ["/runbooks/nobody", "/v1/live", "/healthz", "/metrics"]) {
    assert.equal((await get(path)).text, "the Worker", path);
  }
});
