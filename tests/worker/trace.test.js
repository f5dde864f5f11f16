// A trace on its way through the runtime: headers that came in, headers that somebody outside gets.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { after, before, test } from "node:test";
import { fetchOutside } from "../../bindings/worker/fetch.js";
import { Outcome } from "../../bindings/worker/types.js";
import { startZ0 } from "./lib/z0.js";

/** @import { IncomingHttpHeaders, OutgoingHttpHeaders, Server } from "node:http" */
/** @import { AddressInfo } from "node:net" */

const TRACE = "12345678901234567890123456789012";
const TRACEPARENT = `00-${TRACE}-1234567890123456-01`;

/** @type {import("./lib/z0.js").Z0} */
let z0;
/** @type {Server} */
let outside;
/** What came to somebody outside, by its path. @type {Map<string, {headers: IncomingHttpHeaders, body: string}>} */
const arrived = new Map();

before(async () => {
  outside = createServer(async (req, res) => {
    let body = "";
    for await (const chunk of req) body += chunk;
    arrived.set(req.url ?? "", { headers: req.headers, body });
    if (req.url === "/moved") return res.writeHead(302, { location: "/elsewhere" }).end();
    if (req.url === "/never") return;
    res.writeHead(202).end("a reply that nobody reads");
  });
  outside.listen(0, "127.0.0.1");
  await once(outside, "listening");
  z0 = await startZ0({ vars: { Z0_DEBUG: "1" } });
});
after(async () => {
  outside?.closeAllConnections();
  outside?.close();
  await z0?.dispose();
});

/** @param {string} path */
const address = (path) =>
  `http://127.0.0.1:${/** @type {AddressInfo} */ (outside.address()).port}${path}`;

/**
 * Node's own client, since a header may have to come twice.
 * @param {OutgoingHttpHeaders} headers
 * @param {unknown} body
 * @returns {Promise<{status: number | undefined, json: any}>}
 */
async function ask(headers, body) {
  const sent = request(new URL("/conformance/trace-context", z0.url).href, { method: "POST", headers });
  sent.end(JSON.stringify(body));
  const [response] = await once(sent, "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, json: JSON.parse(text) };
}

/** What z0 sent on after a request with these headers. @param {OutgoingHttpHeaders} headers */
async function carriedOn(headers) {
  const { status } = await ask(headers, [{ url: address("/one"), arguments: [{ any: "thing" }] }]);
  assert.equal(status, 200);
  const { headers: out, body } = arrived.get("/one") ?? assert.fail("nothing was sent");
  assert.equal(body, '[{"any":"thing"}]');
  const [, trace, span] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-0[0-3]$/.exec(String(out.traceparent)) ??
    assert.fail(`traceparent ${out.traceparent}`);
  return { trace, span, state: String(out.tracestate) };
}

for (const { what, headers, kept, state } of [
  { what: "none", headers: {}, kept: false, state: "" },
  { what: "a valid one", headers: { traceparent: TRACEPARENT }, kept: true, state: "" },
  { what: "one in capitals", headers: { TRACEPARENT }, kept: true, state: "" },
  { what: "one with blanks around", headers: { traceparent: ` ${TRACEPARENT}\t` }, kept: true, state: "" },
  { what: "two", headers: { traceparent: [TRACEPARENT, TRACEPARENT] }, kept: false, state: "" },
  { what: "a later version", headers: { traceparent: `cc${TRACEPARENT.slice(2)}-more` }, kept: true, state: "" },
  { what: "a state alone", headers: { tracestate: "foo=1" }, kept: false, state: "" },
  {
    what: "a state",
    headers: { traceparent: TRACEPARENT, tracestate: "foo=1 ,bar=2" },
    kept: true,
    state: ",foo=1,bar=2",
  },
  {
    what: "three states",
    headers: { traceparent: TRACEPARENT, tracestate: ["foo=1,bar=2", "", "baz=3"] },
    kept: true,
    state: ",foo=1,bar=2,baz=3",
  },
  {
    what: "two states with one key",
    headers: { traceparent: TRACEPARENT, tracestate: ["foo=1", "foo=2"] },
    kept: true,
    state: "",
  },
]) {
  test(`What goes on of a trace context: ${what}`, async () => {
    const out = await carriedOn(headers);
    assert.equal(out.trace === TRACE, kept);
    assert.notEqual(out.span, "1234567890123456");
    assert.equal(out.state, `z0=${out.span}${state}`);
  });
}

test("Each request to the outside has a span of its own", async () => {
  const paths = ["/a", "/b", "/c"];
  const list = paths.map((path) => ({ url: address(path), arguments: [] }));
  const { json } = await ask({ traceparent: TRACEPARENT }, list);
  assert.deepEqual(json, [{ http: 202 }, { http: 202 }, { http: 202 }]);
  const parents = paths.map((path) => arrived.get(path)?.headers.traceparent);
  assert.equal(new Set(parents).size, 3);
  for (const parent of parents) assert.equal(parent?.slice(3, 35), TRACE);
});

test("A redirect is an answer, and nobody there is told", async () => {
  const { json } = await ask({}, [
    { url: address("/moved"), arguments: [] },
    { url: "http://127.0.0.1:1/", arguments: [] },
  ]);
  assert.deepEqual(json[0], { http: 302 });
  assert.equal(typeof json[1].error, "string");
  assert.equal(arrived.has("/elsewhere"), false);
});

test("Somebody outside who never answers is not waited for", async () => {
  const need = { kind: 6, phase: 0, method: "POST", url: address("/never"), headers: [], timeoutMs: 1, body: new Uint8Array(0) };
  const [outcome] = await fetchOutside(/** @type {any} */ (need), () => {});
  assert.equal(outcome, Outcome.TIMEOUT);
});
