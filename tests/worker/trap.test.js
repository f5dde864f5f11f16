// A core that traps, or does not fit: what callers and operators see of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { brokenCore, idleStep, stepThenTrap, trappingStep } from "./lib/cores.js";
import { charge, deposit, unique } from "./lib/facts.js";
import { Writer } from "../../bindings/worker/bytes.js";
import { ABI_VERSION, Effect, Phase } from "../../bindings/worker/types.js";
import { SECRET, eventually, startZ0, token } from "./lib/z0.js";

const north = token("north");
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

test("A trap is a 500 without internals, and one log line with the frame but no secret", async (t) => {
  const z0 = await startZ0({
    wasm: brokenCore(trappingStep),
    vars: { Z0_TOKEN_SECRET: `${SECRET},older secret` },
  });
  t.after(() => z0.dispose());
  const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
  const { status, body } = await z0.post(charge("acct_1", { id: "chg_shown" }), {
    token: north,
    headers,
  });
  assert.equal(status, 500);
  assert.deepEqual(Object.keys(body), ["status", "http", "message", "action", "trace_id"]);
  assert.equal(body.status, "internal_error");
  assert.equal(body.trace_id, TRACE);
  assert.ok(!/wasm|trap|unreachable/i.test(JSON.stringify(body)));

  const [line] = await eventually("the log line", () => {
    const found = z0.logged("z0.trap");
    return found.length > 0 && found;
  });
  assert.equal(line.level, "error");
  assert.equal(line.kind, 1);
  assert.equal(line.invariant, undefined, "this core has no words");
  const frame = Buffer.from(line.frame, "base64");
  assert.equal(frame.length, line.frame_bytes);
  assert.deepEqual([...frame.subarray(0, 4)], [1, 3, 0, 0]);
  assert.ok(frame.includes("chg_shown"));
  const claims = north.slice(0, north.lastIndexOf(".") + 1);
  assert.ok(frame.includes(claims), "who called stays visible");
  for (const text of [SECRET, "older secret", north]) assert.ok(!frame.includes(text), text);
  assert.ok(frame.includes(`${"x".repeat(SECRET.length)},`), "the layout stays as it was");
});

test("A secret that a step asked for is not in the log line of its trap", async (t) => {
  const need = new Writer().text("PAGER_KEY").done().slice();
  const resume = new Writer().text("on").u16(9).text("").done().slice();
  const effects = new Writer().u32(2);
  effects.u8(Effect.NEED_SECRET).u8(Phase.NEED).u16(0).blob(need);
  effects.u8(Effect.NEED_RESUME).u8(Phase.NEED).u16(0).blob(resume);
  const key = "the key of a pager";
  const z0 = await startZ0({
    wasm: brokenCore(stepThenTrap, ABI_VERSION, [...effects.done()]),
    vars: { PAGER_KEY: key },
  });
  t.after(() => z0.dispose());
  assert.equal((await z0.fetch("/healthz")).status, 500);
  const line = await eventually("the log line", () => z0.logged("z0.trap")[0]);
  assert.equal(line.kind, 7, "the secret had come");
  const frame = Buffer.from(line.frame, "base64");
  assert.ok(frame.includes("on"));
  assert.ok(!frame.includes(key));
});

test("A long frame is logged up to a limit", async (t) => {
  const z0 = await startZ0({ wasm: brokenCore(trappingStep) });
  t.after(() => z0.dispose());
  await z0.post(charge("acct_1", { data: { long: "z".repeat(200_000) } }), { token: north });
  const [line] = await eventually("the log line", () => {
    const found = z0.logged("z0.trap");
    return found.length > 0 && found;
  });
  assert.equal(Buffer.from(line.frame, "base64").length, 64 * 1024);
  assert.ok(line.frame_bytes > 200_000);
});

test("A core of another ABI is refused", async (t) => {
  const z0 = await startZ0({ wasm: brokenCore(idleStep, ABI_VERSION + 1) });
  t.after(() => z0.dispose());
  assert.equal((await z0.fetch("/healthz")).status, 500);
  const [line] = await eventually("the log line", () => {
    const found = z0.logged("z0.request_failed");
    return found.length > 0 && found;
  });
  assert.match(line.error, new RegExp(`ABI ${ABI_VERSION + 1},`));
});

test("After a trap in a ledger the next request finds the same state", async (t) => {
  const z0 = await startZ0({ vars: { Z0_DEBUG: "1" } });
  t.after(() => z0.dispose());
  const entity_id = unique("acct_");
  const fact = charge(entity_id);
  const { body: receipt } = await z0.post(fact, { token: north });
  await z0.post([deposit(entity_id), deposit(entity_id)], { token: north });
  const before = (await z0.fetch(`/v1/entities/${entity_id}`, { token: north })).body;

  const trap = await z0.fetch(`/debug/trap?object=account_${entity_id}`, { method: "POST" });
  assert.equal(trap.status, 500);
  const line = await eventually("the log line", () => z0.logged("z0.trap")[0]);
  assert.deepEqual([line.kind, line.target, line.method], [4, 0, 255]);
  assert.equal(line.invariant, "a debug call asked for it");

  const again = await z0.post(fact, { token: north });
  const { tree, ...original } = again.body;
  assert.equal(tree.size, 3);
  const { tree: first, ...recorded } = receipt;
  assert.equal(first.size, 1);
  assert.deepEqual(original, { ...recorded, status: "duplicate" });
  assert.deepEqual((await z0.fetch(`/v1/entities/${entity_id}`, { token: north })).body, before);
  const next = await z0.post(deposit(entity_id), { token: north });
  assert.equal(next.body.seq, 4);
});
