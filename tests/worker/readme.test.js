// The sample of the README, as it stands there: taken out of the page, run in workerd, and asked for its facts.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, startZ0, token } from "./lib/z0.js";

const ROOT = join(import.meta.dirname, "..", "..");
const read = (/** @type {string} */ path) => readFileSync(join(ROOT, path), "utf8");

/** The JavaScript below the first line that begins so. @param {string} page @param {string} heading */
function sampleOf(page, heading) {
  const below = read(page).split(`\n${heading}`)[1] ?? assert.fail(`${page} has no ${heading}`);
  return /```js\n(.*?)\n```/s.exec(below)?.[1] ?? assert.fail(`${page} has no sample below ${heading}`);
}

// In the place of the world outside: OpenAI as it answers, with the trace that it was sent.
const WORLD = `import sample from "./sample.js";
let traceparent = null;
globalThis.fetch = async (url, init) => {
  traceparent = new Headers(init.headers).get("traceparent");
  return Response.json({ id: "chatcmpl-1", choices: [{ message: { url, asked: init.body } }], usage: { total_tokens: 250 } });
};
export default {
  async fetch(request, env, ctx) {
    const reply = await sample.fetch(request, env, ctx);
    return Response.json({ ...(await reply.json()), traceparent });
  },
};`;

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  const client = readdirSync(join(ROOT, "bindings/client")).filter((name) => name.endsWith(".js"));
  const sources = {
    "world.js": WORLD,
    "sample.js": sampleOf("README.md", "## Instrument my Worker").replace('"@z0/client"', '"./client/index.js"'),
    ...Object.fromEntries(client.map((name) => [`client/${name}`, read(`bindings/client/${name}`)])),
  };
  const modules = Object.fromEntries(
    Object.entries(sources).map(([path, contents]) => [path, { type: "esm", contents }]),
  );
  const env = {
    Z0: { type: "worker", worker: "z0" },
    Z0_TOKEN: { type: "text", value: token("tenant_acme", "facts:write telemetry:write") },
    OPENAI_KEY: { type: "text", value: "k" },
  };
  const manifest = { mainModule: "world.js", modulesRoot: ROOT, modules };
  z0 = await startZ0({ beside: [{ config: { name: "helpdesk", compatibilityDate: "2026-11-01", manifest, env } }] });
});
after(() => z0?.dispose());

test("The sample of the README runs: its facts are in z0, and OpenAI was asked in their trace", async () => {
  const worker = await z0.mf.getWorker("helpdesk");
  const reply = await worker.fetch("http://helpdesk/", { method: "POST", body: "why?" });
  const { asked, traceparent } = /** @type {any} */ (await reply.json());
  assert.equal(asked, "why?");
  const facts = await eventually("all of its facts", async () => {
    const found = (await z0.fetch(`/v1/facts?trace_id=${traceparent.split("-")[1]}`)).body.facts;
    return found.length >= 4 && found;
  });
  const shown = facts.map((/** @type {any} */ { type, entity_id, amount }) => [type, entity_id, amount]);
  assert.deepEqual(
    shown.sort(),
    [
      ["charge", "acct_acme", 25],
      ["cost", "acct_acme", 3],
      ["invocation", "ast_helpdesk", undefined],
      ["outcome", "ast_helpdesk", undefined],
    ],
  );
  const { body } = await z0.fetch("/v1/closure?tenant=tenant_acme");
  assert.deepEqual(body.orphans, []);
});

test("The client's own page shows the same sample", () => {
  assert.equal(sampleOf("bindings/client/README.md", "Facts, spans and metrics"), sampleOf("README.md", "## Instrument my Worker"));
});
