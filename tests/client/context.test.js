// A trace on its way through: the core's own table of cases, and what a request or a fetch carries.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import { headersOf, newId, readContext } from "../../bindings/client/context.js";
import { World } from "./lib/world.js";

/** @typedef {{ name: string, traceparent: string, tracestate: string, continued: boolean, flags?: string, tracestate_out: string }} Case */
/** @type {Case[]} */
const cases = JSON.parse(readFileSync(new URL("../vectors/traces.json", import.meta.url), "utf8"));

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const OWN = "00f067aa0ba902b7";
const fixed = (/** @type {number} */ bytes) => "c".repeat(bytes * 2);

test("The table of the core has its cases", () => assert.ok(cases.length > 10));

for (const { name, traceparent, tracestate, continued, flags, tracestate_out } of cases) {
  test(`A trace comes in as the core reads it: ${name}`, () => {
    const context = readContext(traceparent, tracestate, fixed);
    assert.equal(context.traceId === fixed(16), !continued);
    const out = headersOf(context, OWN);
    assert.equal(out.tracestate, tracestate_out === "" ? `z0=${OWN}` : `z0=${OWN},${tracestate_out}`);
    assert.match(out.traceparent, new RegExp(`^00-${context.traceId}-${OWN}-${flags ?? "03"}$`));
  });
}

test("An id is never all zero", () => {
  assert.equal(newId(8, (bytes) => "0".repeat(bytes * 2)), "0000000000000001");
});

test("A request's trace goes on, and its span is the parent of ours", async () => {
  const world = new World();
  const headers = new Headers({ traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: "foo=1" });
  const z0 = world.client({ request: { headers } });
  assert.equal(z0.headers().traceparent, `00-${TRACE}-${PARENT}-01`);
  let seen;
  z0.span("z0.worker.shop.sell", (inner) => {
    seen = inner.headers();
    inner.span("z0.worker.shop.pack", () => 1);
  });
  await world.pass(1_000);
  const [pack, sell] = world.spans();
  assert.equal(sell.traceId, TRACE);
  assert.equal(sell.parentSpanId, PARENT);
  assert.equal(sell.kind, 2);
  assert.equal(pack.parentSpanId, sell.spanId);
  assert.equal(pack.kind, 1);
  assert.deepEqual(seen, {
    traceparent: `00-${TRACE}-${sell.spanId}-01`,
    tracestate: `z0=${sell.spanId},foo=1`,
  });
});

test("A message carries a trace on without a request", async () => {
  const world = new World();
  const z0 = world.client({ request: { traceparent: `00-${TRACE}-${PARENT}-01` } });
  assert.equal(z0.traceId, TRACE);
  assert.notEqual(world.client({ request: { traceparent: "nonsense" } }).traceId, TRACE);
});

test("A fetch carries the trace to whom it asks, beside the caller's own headers", async () => {
  const server = createServer((request, response) => response.end(JSON.stringify(request.headers)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  try {
    const z0 = new World().client();
    const url = `http://127.0.0.1:${port}/`;
    const answers = await z0.span("z0.worker.shop.ask", async ({ fetch, spanId }) => {
      const asked = [
        await fetch(url, { headers: { "x-own": "1" } }),
        await fetch(new Request(url, { method: "POST", body: "b", headers: { "x-own": "1" } })),
      ];
      return Promise.all(asked.map(async (answer) => ({ spanId, .../** @type {any} */ (await answer.json()) })));
    });
    for (const answer of answers) {
      assert.equal(answer["x-own"], "1");
      assert.equal(answer.traceparent, `00-${z0.traceId}-${answer.spanId}-03`);
      assert.equal(answer.tracestate, `z0=${answer.spanId}`);
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
