// The driver of the example, against one that only counts.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { BUYERS, NUMBERS } from "../../bindings/example/market.js";

const DRIVE = join(import.meta.dirname, "..", "..", "bindings", "example", "drive.js");

test("The driver fills every budget, then calls come until it is ended, and it says what they brought", async () => {
  /** @type {{ path: string, body: any }[]} */
  const asked = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    asked.push({ path: `${request.method} ${request.url}`, body: text && JSON.parse(text) });
    response.end(JSON.stringify({ routed: asked.length % 2 === 0, cents: 100 }));
    if (asked.filter(({ path }) => path === "POST /calls").length === 20) server.emit("enough");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const child = spawn(process.execPath, [DRIVE, `http://127.0.0.1:${port}`, "200"]);
  try {
    let said = "";
    child.stdout.on("data", (text) => void (said += text));
    await once(server, "enough", { signal: AbortSignal.timeout(30_000) });
    child.kill("SIGTERM");
    const [code] = await once(child, "close");
    assert.equal(code, 0);
    const calls = asked.filter(({ path }) => path === "POST /calls");
    assert.ok(calls.every(({ body }) => body.number in NUMBERS));
    const first = asked.findIndex(({ path }) => path === "POST /calls");
    const paid = asked.slice(0, first).filter(({ path }) => path === "POST /deposits");
    assert.deepEqual(paid.map(({ body }) => body.buyer), BUYERS.map(({ id }) => id));
    const tally = JSON.parse(said);
    assert.ok(tally.calls >= 15 && tally.failed === 0);
    assert.equal(tally.cents, tally.routed * 100);
  } finally {
    child.kill("SIGKILL");
    server.closeAllConnections();
    server.close();
  }
});

test("A driver that was not told whom to call says how it is used", () => {
  const { status, stderr } = spawnSync(process.execPath, [DRIVE], { encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(stderr, /drive\.js URL/);
});
