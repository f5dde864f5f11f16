// Kept traces go on to an OTLP receiver, over real HTTP: one that is busy at first gets them later, once.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { deposit, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

/** @type {{status: number, body: any, key: string | undefined}[]} */
const got = [];
let busy = 2;
const receiver = createServer(async (request, response) => {
  let text = "";
  for await (const part of request) text += part;
  const status = busy-- > 0 ? 503 : 200;
  got.push({ status, body: JSON.parse(text), key: String(request.headers["x-api-key"]) });
  response.writeHead(status, status === 503 ? { "retry-after": "1" } : { "content-type": "application/json" });
  response.end(status === 200 ? "{}" : "");
});

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (receiver.address());
  const otlp = { traces_url: `http://127.0.0.1:${port}/v1/traces`, headers: { "x-api-key": "k" } };
  z0 = await startZ0({ traces: true, vars: { Z0_SETTINGS: JSON.stringify({ otlp }) } });
});
after(async () => {
  await z0?.dispose();
  receiver.closeAllConnections();
  receiver.close();
});

/** @param {any} body @returns {any[]} */
const spansOf = (body) =>
  body.resourceSpans.flatMap((/** @type {any} */ { scopeSpans }) => scopeSpans.flatMap((/** @type {any} */ { spans }) => spans));

test("A receiver that is busy gets the trace of a charge later, with its secret header, once", async () => {
  const id = "4bf92f3577b34da6a3ce929d0e0e4736";
  const headers = { traceparent: `00-${id}-00f067aa0ba902b7-01` };
  const { status } = await z0.post(deposit(unique("acct_")), { headers, token: token("north") });
  assert.equal(status, 201);
  await eventually("the batch was taken", () => got.some((one) => one.status === 200), 60_000);
  assert.deepEqual(got.slice(0, 3).map((one) => one.status), [503, 503, 200]);
  const taken = got.filter((one) => one.status === 200).flatMap(({ body }) => spansOf(body));
  const own = taken.filter(({ traceId }) => traceId === id);
  assert.ok(own.some(({ name }) => name === "z0.worker.facts.record"));
  assert.equal(new Set(own.map(({ spanId }) => spanId)).size, own.length);
  assert.ok(got.every(({ key }) => key === "k"));
  const counted = await eventually("the export was counted", async () => {
    const { body } = await z0.fetch("/v1/traces");
    return body.export.spans >= own.length && body.export;
  });
  assert.equal(counted.lost, 0);
});
