// The client where it lives: a product Worker in workerd, bound to z0, or to one that is in trouble.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, startZ0, token } from "./lib/z0.js";

const ROOT = join(import.meta.dirname, "..", "..");
const CLIENT = readdirSync(join(ROOT, "bindings/client")).filter((name) => name.endsWith(".js"));
const RUNS = 21;

/**
 * @param {string} name
 * @param {string} main
 * @param {string[]} paths
 * @param {Record<string, object>} [env]
 */
function workerOf(name, main, paths = [], env = {}) {
  const modules = Object.fromEntries(
    [main, ...paths].map((path) => [path, { type: "esm", contents: readFileSync(join(ROOT, path), "utf8") }]),
  );
  const manifest = { mainModule: main, modulesRoot: ROOT, modules };
  return { config: { name, compatibilityDate: "2026-11-01", manifest, env } };
}

/** @param {string} name @param {object} z0 what it is bound to @param {string} binding @param {object} [more] */
function productOf(name, z0, binding = "Z0", more = {}) {
  const env = { [binding]: z0, TOKEN: { type: "text", value: token("north") } };
  const made = workerOf(name, "tests/worker/lib/product.js", CLIENT.map((file) => `bindings/client/${file}`), env);
  return { config: { ...made.config, ...more } };
}

// The platform's traces of the product Worker: the names of the spans that were opened in it.
const TAIL = `const names = [];
export default {
  tailStream() { return { spanOpen({ event }) { names.push(event.name); } }; },
  fetch() { return Response.json(names); },
}`;

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  const tail = { type: "esm", contents: TAIL };
  z0 = await startZ0({
    traces: true,
    vars: { Z0_SETTINGS: JSON.stringify({ traces: { one_in: 1 } }) },
    beside: [
      productOf("product", { type: "worker", worker: "z0" }),
      // Nothing listens on this port.
      productOf("lonely", { type: "text", value: "http://127.0.0.1:1" }, "Z0_URL"),
      productOf("troubled", { type: "worker", worker: "fake" }, "Z0", { experimental: { streamingTailConsumers: [{ worker: "watcher" }] } }),
      workerOf("fake", "tests/worker/lib/fake_z0.js"),
      { config: { name: "watcher", compatibilityDate: "2026-11-01", manifest: { mainModule: "tail.js", modulesRoot: ROOT, modules: { "tail.js": tail } } } },
    ],
  });
});
after(() => z0?.dispose());

/** @param {string} worker @param {string} path @param {object} [init] @returns {Promise<any>} */
async function ask(worker, path, init) {
  const response = await (await z0.mf.getWorker(worker)).fetch(`http://${worker}${path}`, init);
  const text = await response.text();
  return text === "" ? null : JSON.parse(text);
}

/** @param {string} mode */
const fakeZ0 = (mode) => ask("fake", "/test/mode", { method: "POST", body: mode });

/** What came to the fake z0 at a path, until there is enough of it. @param {(got: any[]) => boolean} enough */
async function arrived(enough) {
  /** @type {any[]} */
  const got = [];
  await eventually("what was told", async () => {
    got.push(...(await ask("fake", "/test/got")));
    return enough(got);
  }, 40_000);
  return got;
}

/** @param {any[]} got */
const spansOf = (got) =>
  got.filter(({ path }) => path === "/v1/traces").flatMap(({ body }) => body.resourceSpans[0].scopeSpans[0].spans);

/** @param {any} span @param {string} key */
const attribute = (span, key) => span.attributes.find((/** @type {any} */ one) => one.key === key)?.value.stringValue;

test("Facts of a product Worker are in their ledgers, with the trace that its reply names", async () => {
  const { traceId, ids } = await ask("product", "/?suffix=1");
  const account = await eventually("the account's facts", async () => {
    const { body } = await z0.fetch("/v1/facts/acct_shop1");
    return body.facts?.length === 2 && body.facts;
  });
  const asset = (await z0.fetch("/v1/facts/ast_shop1")).body.facts;
  assert.deepEqual(account.map((/** @type {any} */ { type, amount }) => [type, amount]), [["cost", 3], ["deposit", 100]]);
  assert.equal(account[1].id, ids[0]);
  assert.equal(account[0].source_id, asset[0].id);
  for (const { trace_id, tenant_id } of [...account, ...asset]) {
    assert.equal(trace_id, traceId);
    assert.equal(tenant_id, "north");
  }
});

test("A call of a tool is one trace with the facts that z0 recorded, and a metric", async () => {
  const { traceId, dropped } = await ask("product", "/?suffix=3");
  const trace = await eventually("the product's spans and z0's in one trace", async () => {
    const { body } = await z0.fetch(`/v1/traces/${traceId}`);
    const names = (body.spans ?? []).map((/** @type {any} */ { name }) => name);
    const expected = ["z0.worker.shop.sell", "z0.external.openai.completion", "z0.worker.facts.record", "z0.d1.projection.write_facts"];
    return expected.every((name) => names.includes(name)) && body.facts.length > 0 && body;
  });
  const root = trace.spans[0];
  assert.equal(root.name, "z0.worker.shop.sell");
  assert.equal(root.service, "shop");
  assert.equal(root.tenant_id, "north");
  const ponder = trace.spans.find((/** @type {any} */ { name }) => name === "z0.worker.shop.ponder");
  if (ponder.clock === "stood") assert.equal(ponder.duration_us, null);
  await eventually("the call among the metrics", async () => {
    const { body } = await z0.fetch("/v1/metrics/query?metric=z0_external_calls_total&by=tool_id,operation&tenant=north");
    return body.groups?.some((/** @type {any} */ { labels, value }) => labels.operation === "completion" && value > 0);
  });
  assert.deepEqual(dropped, { facts: 0, spans: 0, points: 0 });
});

test("Who waits for a receipt gets the ledger's", async () => {
  const { receipts, ids } = await ask("product", "/?suffix=2&receipts=1");
  assert.deepEqual(receipts.map((/** @type {any} */ { id, status }) => [id, status]), [[ids[0], "recorded"]]);
});

test("A span with I/O has its duration, below the span of the request that came", async () => {
  await fakeZ0("takes");
  const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const { traceId } = await ask("troubled", "/", { headers: { traceparent } });
  assert.equal(traceId, "a".repeat(32));
  const got = await arrived((all) => spansOf(all).some(({ name }) => name === "z0.worker.shop.sell"));
  const spans = spansOf(got).filter((span) => span.traceId === traceId);
  const named = (/** @type {string} */ name) => spans.find((span) => span.name === name);
  assert.equal(attribute(named("z0.worker.shop.sell"), "z0.clock"), undefined);
  assert.equal(named("z0.worker.shop.sell").parentSpanId, "b".repeat(16));
  const { startTimeUnixNano, endTimeUnixNano } = named("z0.external.openai.completion");
  assert.ok(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano) >= 4_000_000n);
  // Facts were sent in the trace that they belong to.
  assert.ok(got.some(({ path, traceparent: sent }) => path === "/v1/facts" && sent.includes(traceId)));
});

test("No span is shown to have taken no time: it took some, or says that the clock stood", async () => {
  for (let i = 0; i < RUNS; i++) await ask("troubled", "/");
  const spans = spansOf(await arrived((all) => spansOf(all).filter(({ name }) => name === "z0.worker.shop.ponder").length >= RUNS));
  const stood = spans.filter((span) => attribute(span, "z0.clock") === "stood");
  assert.ok(stood.length > 0);
  for (const span of spans) assert.equal(span.startTimeUnixNano === span.endTimeUnixNano, stood.includes(span), span.name);
});

test("The platform's own traces show the names of the spans", async () => {
  const expected = ["z0.worker.shop.sell", "z0.worker.shop.ponder", "z0.external.openai.completion"];
  await ask("troubled", "/");
  await eventually("the names", async () => {
    const names = await ask("watcher", "/");
    return expected.every((name) => names.includes(name));
  });
});

/** The median of what a reply took, in ms. */
async function medianReply(worker = "troubled") {
  const took = [];
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    const { traceId } = await ask(worker, "/");
    assert.equal(traceId.length, 32);
    took.push(performance.now() - start);
  }
  return took.sort((a, b) => a - b)[Math.floor(RUNS / 2)];
}

for (const mode of ["hangs", "throws", "500", "429"]) {
  test(`A z0 that ${/^\d/.test(mode) ? "answers " : ""}${mode} does not slow its caller, and gets the facts when it is well`, async () => {
    await fakeZ0("takes");
    await medianReply();
    const well = await medianReply();
    await fakeZ0(mode);
    const troubled = await medianReply();
    // A reply that waited for z0 once would be late by its timeout of 2 s, or by a pause of 250 ms at least.
    assert.ok(troubled < well + 50, `${troubled.toFixed(1)} ms, and ${well.toFixed(1)} ms beside a z0 that is well`);
    await ask("fake", "/test/got");
    await fakeZ0("takes");
    const { ids } = await ask("troubled", "/");
    const got = await arrived((all) => all.some(({ path, body }) => path === "/v1/facts" && body.some((/** @type {any} */ { id }) => id === ids[0])));
    const facts = got.filter(({ path }) => path === "/v1/facts").flatMap(({ body }) => body);
    assert.ok(facts.length >= RUNS * 3, `${facts.length} facts of ${RUNS} requests and one`);
    assert.deepEqual((await ask("troubled", "/")).dropped.facts, 0);
  });
}

test("A z0 that is not there does not slow its caller", async () => {
  await fakeZ0("takes");
  await medianReply("lonely");
  const [well, alone] = [await medianReply(), await medianReply("lonely")];
  assert.ok(alone < well + 50, `${alone.toFixed(1)} ms, and ${well.toFixed(1)} ms beside a z0 that is well`);
});
