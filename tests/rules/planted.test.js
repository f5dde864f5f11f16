// The bugs that tests/sim plants lie in lines that stand in the sources: a list that rots plants nothing.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..", "..");

/** @type {{ file: string, find: string, replace: string, why: string }[]} */
const planted = JSON.parse(readFileSync(join(root, "tests/sim/mutations.json"), "utf8"));

test("The line of each planted bug stands once in its file, and the bug changes it", () => {
  const lost = planted.filter(({ file, find, replace }) => {
    const parts = readFileSync(join(root, file), "utf8").split(find);
    return parts.length !== 2 || find === replace;
  });
  assert.deepEqual(lost.map(({ file, why }) => `${file}: ${why}`), []);
});

test("Each planted bug says what it breaks, in words of its own", () => {
  assert.equal(new Set(planted.map(({ why }) => why)).size, planted.length);
});
