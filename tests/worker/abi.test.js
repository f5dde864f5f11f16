// The shim's numbers are those of include/z0.h.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { BODY_BYTES_READ } from "../../bindings/worker/body.js";
import { SHARDS_MAX } from "../../bindings/worker/streams.js";
import * as types from "../../bindings/worker/types.js";

/** @param {string} path */
const include = (path) =>
  readFileSync(join(import.meta.dirname, "..", "..", "include", path), "utf8");
const header = include("z0.h").replace(/\/\*[^]*?\*\//g, "");

/** @param {string} name */
function enumeration(name) {
  const body = new RegExp(`enum ${name} ?\\{([^}]*)\\}`).exec(header)?.[1] ?? "";
  return Object.fromEntries(
    [...body.matchAll(/Z0_(\w+)\s*=\s*(\d+)/g)].map(([, key, n]) => [key, Number(n)]),
  );
}

test("Frame kinds are those of the header", () => {
  const kinds = Object.entries(enumeration("z0_frame_kind"));
  const stripped = Object.fromEntries(kinds.map(([key, n]) => [key.replace("FRAME_", ""), n]));
  assert.deepEqual({ ...types.Frame }, stripped);
});

test("Effect kinds, targets and outcomes are those of the header", () => {
  assert.deepEqual({ ...types.Effect }, enumeration("z0_effect_kind"));
  assert.deepEqual({ ...types.Outcome }, enumeration("z0_outcome"));
  const points = Object.entries(enumeration("z0_point_kind"));
  assert.deepEqual(
    { ...types.PointKind },
    Object.fromEntries(points.map(([key, n]) => [key.replace("POINT_", ""), n])),
  );
  const targets = Object.entries(enumeration("z0_target"));
  assert.deepEqual(
    { ...types.Target },
    Object.fromEntries(targets.map(([key, n]) => [key.replace("TARGET_", ""), n])),
  );
});

test("The frame's sizes are those of the header", () => {
  const sizes = enumeration("");
  assert.equal(types.ABI_VERSION, sizes.ABI_VERSION);
  assert.equal(types.HEADER_BYTES, sizes.FRAME_HEADER_BYTES);
  assert.equal(types.ENTROPY_BYTES, sizes.ENTROPY_BYTES);
  assert.equal(types.CALLS_AT_ONCE_MAX, sizes.CALLS_AT_ONCE_MAX);
  assert.equal(types.METHOD_TRAP, sizes.METHOD_TRAP);
  assert.equal(types.ALARMS_AT_ONCE_MAX, sizes.ALARMS_AT_ONCE_MAX);
});

test("There are as many shards of the monitor at most as the core asks", () => {
  const most = /monitor_shards_max = (\d+);/.exec(include("z0/base/limits.hpp"))?.[1];
  assert.equal(SHARDS_MAX, Number(most));
});

test("One byte more than the largest body is read", () => {
  const mebibytes = /body_bytes_max = (\d+)u << 20/.exec(include("z0/base/limits.hpp"))?.[1];
  assert.equal(BODY_BYTES_READ, Number(mebibytes) * 2 ** 20 + 1);
});
