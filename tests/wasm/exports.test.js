// The module that is shipped: what it exports, what it asks of its host, how large it is.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

/** @param {string} path */
const file = (path) => readFileSync(new URL(`../../${path}`, import.meta.url));

const bytes = file("bindings/worker/z0.wasm");
const module = new WebAssembly.Module(bytes);
const promised = file("bindings/wasm/exports.txt").toString().trim().split("\n");

// What the tool chain adds by itself; nobody of ours calls more than _initialize.
const runtime = /^(memory|__indirect_function_table|_initialize|__errno_location|_?_?(emscripten_)?stack.*)$/i;

test("The module exports what exports.txt lists and nothing else of ours", () => {
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  assert.deepEqual(names.filter((name) => !runtime.test(name)).sort(), [...promised].sort());
});

test("z0.h declares each export", () => {
  const header = file("include/z0.h").toString();
  for (const name of promised) assert.match(header, new RegExp(`\\b${name}\\(`));
});

test("The module asks its host for an exit and a note of growth at most", () => {
  const asked = WebAssembly.Module.imports(module).map((each) => `${each.module}.${each.name}`);
  const allowed = ["wasi_snapshot_preview1.proc_exit", "env.emscripten_notify_memory_growth"];
  assert.deepEqual(asked.filter((name) => !allowed.includes(name)), []);
});

// The platform takes 3 MB. This is here so that growth is seen when it happens.
test("The module stays below 520 KB gzipped", () => {
  assert.ok(gzipSync(bytes, { level: 9 }).length < 520_000);
});

function instantiate() {
  const nothing = { proc_exit() {} };
  const imports = { wasi_snapshot_preview1: nothing, env: { emscripten_notify_memory_growth() {} } };
  const { exports } = new WebAssembly.Instance(module, imports);
  /** @type {any} */ (exports)._initialize?.();
  return /** @type {any} */ (exports);
}

test("A fresh instance knows the version of z0.h and takes about 1 MB", () => {
  const core = instantiate();
  const version = /Z0_ABI_VERSION = (\d+)/.exec(file("include/z0.h").toString())?.[1];
  assert.equal(core.z0_abi_version(), Number(version));
  assert.ok(core.memory.buffer.byteLength <= 2 << 20);
});

test("A frame above the maximum traps", () => {
  const core = instantiate();
  assert.equal(core.z0_trapped_on(), 0);
  assert.throws(() => core.z0_frame(64 << 20), WebAssembly.RuntimeError);
  const words = Buffer.from(core.memory.buffer, core.z0_trapped_on()).toString("latin1");
  assert.equal(words.slice(0, words.indexOf("\0")), "a frame has at most frame_bytes_max");
});

test("A step on more bytes than were given room for traps", () => {
  assert.throws(() => instantiate().z0_step(8 << 20), WebAssembly.RuntimeError);
});
