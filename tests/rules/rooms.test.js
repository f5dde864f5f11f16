// Includes go down the layers only: the tables stand in src/README.md.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { readTable, wrongIncludes, wrongRows } from "./rooms.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "src/README.md"), "utf8");
const core = readTable(page, /^L0\s/);
const tool = readTable(page, /^base:/);

// Before the page has a table there is nothing to hold the sources against.
const skip = core.size === 0 && tool.size === 0 ? "src/README.md has no table of rooms" : false;

/** Sources below a directory, by room; what lies in no room is of the room "". @param {string} directory */
function sourcesOf(directory) {
  return readdirSync(join(root, directory), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(cpp|hpp)$/.test(name))
    .map((name) => ({
      name: `${directory}/${name}`,
      room: name.includes("/") ? name.slice(0, name.indexOf("/")) : "",
      text: readFileSync(join(root, directory, name), "utf8"),
    }));
}

/** @param {ReturnType<typeof sourcesOf>} sources @param {(room: string, text: string) => string[]} judge */
const wrongIn = (sources, judge) =>
  sources.flatMap(({ name, room, text }) => judge(room, text).map((words) => `${name}: ${words}`));

test("The tables of rooms go down the layers", { skip }, () => {
  assert.notEqual(core.size, 0);
  assert.notEqual(tool.size, 0);
  assert.deepEqual([...wrongRows(core), ...wrongRows(tool)], []);
});

test("Every source of the core stands in a room and includes what its row allows", { skip }, () => {
  const sources = [...sourcesOf("src"), ...sourcesOf("include/z0")];
  // The header that includes all others is for users; no room includes it.
  const inRooms = sources.filter(({ name }) => name !== "include/z0/z0.hpp");
  assert.deepEqual(wrongIn(inRooms, (room, text) => wrongIncludes(core, room, text)), []);
});

test("Every source of the tool stands in a room and includes what its row allows", { skip }, () => {
  // The tool sees the core's public headers, and the world, from every room.
  const ours = (/** @type {string} */ text) => text.replace(/^#include "(z0|bindings)\/.*$/gm, "");
  const judge = (/** @type {string} */ room, /** @type {string} */ text) =>
    wrongIncludes(tool, room || "main", ours(text), "");
  assert.deepEqual(wrongIn(sourcesOf("bindings/cli"), judge), []);
});

const small = readTable("text\n```\nL0 base:\nL1 json:    base   a remark\nL6 ledger:  base json\n   queue:   base\nL7 edge:    base ledger\nL9 core:    everything\n```\n", /^L0\s/);

test("The rule refuses an include upwards, of a sibling, of an unknown room and of a private header", () => {
  const refused = (/** @type {string} */ room, /** @type {string} */ path) =>
    wrongIncludes(small, room, `#include "${path}"\n`).length === 1;
  assert.ok(refused("json", "z0/ledger/ledger.hpp"));
  assert.ok(refused("base", "json/scan.hpp"));
  assert.ok(refused("ledger", "z0/queue/consumer.hpp"));
  assert.ok(refused("ledger", "cellar/wine.hpp"));
  assert.ok(refused("edge", "ledger/step.hpp"));
  assert.deepEqual(wrongIncludes(small, "cellar", ""), ["cellar: not a room of the table"]);
});

test("The rule lets pass what a row allows, a file of the own room, and the core", () => {
  const text = '#include <vector>\n#include "z0.h"\n#include "z0/base/bytes.hpp"\n#include "json/scan.hpp"\n';
  assert.deepEqual(wrongIncludes(small, "ledger", text + '#include "ledger/step.hpp"\n'), []);
  assert.deepEqual(wrongIncludes(small, "edge", '#include "z0/ledger/ledger.hpp"\n'), []);
  assert.deepEqual(wrongIncludes(small, "core", '#include "ledger/step.hpp"\n#include "z0/edge/routes.hpp"\n'), []);
});

test("A table that goes up, or lets siblings meet, is refused", () => {
  const table = (/** @type {string} */ rows) => readTable("```\nL0 base:\n" + rows + "```\n", /^L0\s/);
  assert.equal(wrongRows(table("L1 json: wire\nL2 wire: base\n")).length, 1);
  assert.equal(wrongRows(table("L6 ledger: base\n   queue: base ledger\n")).length, 1);
  assert.deepEqual(wrongRows(small), []);
});

test("What is measured or logged has a row in the tables of the metrics", () => {
  const others = sourcesOf("src").filter(
    ({ name, text }) =>
      !name.startsWith("src/metrics/") && /\beffects_?\.(point|log)\(/.test(text),
  );
  assert.deepEqual(others.map(({ name }) => name), []);
});

test("A broken invariant is said in words", () => {
  const mute = [...sourcesOf("src"), ...sourcesOf("include/z0")].filter(
    ({ name, text }) =>
      !["src/base/trap.cpp", "include/z0/json/write.hpp"].includes(name) &&
      text.includes("__builtin_trap"),
  );
  assert.deepEqual(mute.map(({ name }) => name), []);
});
