// The laws in WebAssembly: every frame that the native core was given in a seeded run gets the same
// effects here, byte for byte. The tapes are left in build/tape by build/dev/z0_tests; tests/laws/tape.hpp
// says how they are written.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { Core } from "./lib/core.js";

const directory = new URL("../../build/tape/", import.meta.url);
const magic = "z0tape1\n";
const digestBytes = 32;

/** Where a tape begins or goes on with a core that remembers nothing. */
const FRESH = "fresh";

/**
 * The steps of a tape, in order.
 * @param {Buffer} bytes
 * @returns {Generator<typeof FRESH | { frame: Buffer, digest: Buffer }>}
 */
function* stepsOf(bytes) {
  assert.equal(bytes.toString("latin1", 0, magic.length), magic);
  for (let at = magic.length; at < bytes.length; ) {
    const size = bytes.readUInt32LE(at);
    at += 4;
    if (size === 0) {
      yield FRESH;
      continue;
    }
    const end = at + size + digestBytes;
    yield { frame: bytes.subarray(at, at + size), digest: bytes.subarray(at + size, end) };
    at = end;
  }
}

const names = existsSync(directory)
  ? readdirSync(directory).filter((name) => name.endsWith(".z0tape"))
  : [];

test("The native laws have left their tapes (build/dev/z0_tests writes them)", () => {
  assert.ok(names.length > 0);
});

for (const name of names) {
  test(`Seed ${name.replace(".z0tape", "")} has the same effects in WebAssembly`, () => {
    let core = new Core();
    let step = 0;
    for (const each of stepsOf(readFileSync(new URL(name, directory)))) {
      step += 1;
      if (each === FRESH) {
        core = new Core();
        continue;
      }
      const digest = createHash("sha256").update(core.step(each.frame)).digest();
      if (!digest.equals(each.digest)) {
        const what = `a frame of kind ${each.frame[0]} and ${each.frame.length} bytes`;
        assert.fail(`step ${step}, ${what}; were z0.wasm and z0_tests built from the same sources?`);
      }
    }
  });
}
