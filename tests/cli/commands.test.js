// The rules of runbooks read commands and flags out of the tool's sources. Here the tool itself says
// which there are.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

import { readCommands } from "../rules/commands.js";
import { binary, skip } from "./fake.js";

const commands = readCommands(join(import.meta.dirname, "..", ".."));

/** @param {string} path @returns {string} */
const helpOf = (path) => execFileSync(String(binary), [...path.split(" ").filter(Boolean), "--help"], { encoding: "utf8" });

/** The names in the part of a help text that begins like this. @param {string} help @param {string} part @param {RegExp} name */
const namesIn = (help, part, name) => {
  const block = new RegExp(`^${part}:\\n((?: .*\\n)+)`, "m").exec(help)?.[1] ?? "";
  return [...block.matchAll(name)].flatMap(([, names]) => names.split(",")).sort();
};

test("Commands and flags that are read out of the sources are those that the tool has", { skip }, () => {
  for (const [path, { flags, options, commands: below }] of commands) {
    const help = helpOf(path);
    const own = [...flags, ...options].sort();
    const said = namesIn(help, "Options", /^ {2}(-[-\w,]+)/gm).filter((name) => name !== "-h" && name !== "--version" || path !== "" && name !== "-h");
    assert.deepEqual(said, own, path);
    assert.deepEqual(namesIn(help, "Subcommands", /^ {2}([\w-]+)/gm), [...below].sort(), path);
  }
});
