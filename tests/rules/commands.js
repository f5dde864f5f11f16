// The commands and flags of the command-line tool, read out of its sources: rules run where it is not
// built. tests/cli/commands.test.js holds them against what the tool itself says.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * @typedef {{ flags: Set<string>, options: Set<string>, positionals: number, commands: Set<string> }} Command
 *   `flags` stand alone, `options` are followed by a value
 * @typedef {Map<string, Command>} Commands by path: "", "metrics", "dead-letters redrive"
 */

const FUNCTION = /^(?:\w[\w:<>&* ]*[ &*])?(\w+)\(([^{};]*?)\)\s*\{\n(.*?)^\}/gms;
const STEP = new RegExp(
  [
    /(?:(?<made>\w+)\s*=\s*)?(?<parent>\w+)\s*(?:\.|->)\s*add_subcommand\(\s*"(?<command>[^"]+)"/,
    /(?<of>\w+)\s*(?:\.|->)\s*add_(?<kind>option|flag)\(\s*"(?<names>[^"]+)"/,
    /(?<called>\w+)\((?=\s*(?<first>\w+)\b)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);

/** @param {string} directory bindings/cli @returns {string[]} */
const textsIn = (directory) =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.[ch]pp$/.test(file))
    .map((file) => readFileSync(join(directory, file), "utf8"));

/** @param {string[]} texts @returns {Commands} */
export function commandsOf(texts) {
  /** @type {Map<string, { parameter: string, body: string, file: string }[]>} */
  const functions = new Map();
  for (const file of texts) {
    for (const [, name, parameters, body] of file.matchAll(FUNCTION)) {
      const parameter = /\bApp\s*[*&]\s*(\w+)/.exec(parameters)?.[1];
      if (parameter === undefined) continue;
      functions.set(name, [...(functions.get(name) ?? []), { parameter, body, file }]);
    }
  }
  /** @type {Commands} */
  const commands = new Map();
  const at = (/** @type {string} */ path) => {
    const there = commands.get(path) ?? { flags: new Set(["--help"]), options: new Set(), positionals: 0, commands: new Set() };
    commands.set(path, there);
    return there;
  };
  /** @param {string} body @param {Map<string, string>} known variables, and the paths of their commands @param {string} file */
  const walk = (body, known, file) => {
    for (const { groups } of body.matchAll(STEP)) {
      const { made, parent, command, of, kind, names, called, first } = groups ?? {};
      if (command !== undefined && known.has(parent)) {
        const path = `${known.get(parent)} ${command}`.trim();
        at(known.get(parent) ?? "").commands.add(command);
        at(path);
        if (made !== undefined) known.set(made, path);
      } else if (names !== undefined && known.has(of)) {
        const there = at(known.get(of) ?? "");
        for (const name of names.split(",")) {
          if (!name.startsWith("-")) there.positionals += 1;
          else there[kind === "flag" ? "flags" : "options"].add(name);
        }
      } else if (called !== undefined && known.has(first)) {
        // A helper of the same file before one of another.
        const all = functions.get(called) ?? [];
        const next = all.find((one) => one.file === file) ?? all[0];
        if (next !== undefined) walk(next.body, new Map([[next.parameter, known.get(first) ?? ""]]), next.file);
      }
    }
  };
  const main = texts.find((text) => text.includes("\nint run(int argc"));
  const [, body] = /\nint run\([^)]*\) \{\n(.*?)^\}/ms.exec(main ?? "") ?? [];
  if (main === undefined || body === undefined) throw new Error("bindings/cli/main.cpp has no run()");
  walk(body, new Map([["app", ""]]), main);
  return commands;
}

/** @param {string} root of the repository */
export const readCommands = (root) => commandsOf(textsIn(join(root, "bindings/cli")));

/** The words of a line as a shell splits it, up to the first pipe or redirection. @param {string} line */
export function wordsOf(line) {
  const words = [];
  for (const [, quoted, single, bare] of line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)) {
    const word = quoted ?? single ?? bare;
    if (bare !== undefined && /^[|<>;&]/.test(bare)) break;
    words.push(word);
  }
  return words;
}

/**
 * A command line of z0, taken apart; `wrong` says what the tool does not know.
 * @param {Commands} commands
 * @param {string[]} words behind ./scripts/z0
 */
export function readLine(commands, words) {
  let path = "";
  /** @type {string[]} */
  const wrong = [];
  /** @type {string[]} */
  const positionals = [];
  /** @type {Map<string, string>} */
  const given = new Map();
  const lookUp = (/** @type {"flags" | "options"} */ kind, /** @type {string} */ name) =>
    path.split(" ").some((_, i, parts) => commands.get(parts.slice(0, i + 1).join(" "))?.[kind].has(name)) ||
    commands.get("")?.[kind].has(name);
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i];
    if (word.startsWith("-")) {
      const [name, value] = word.split(/=(.*)/s);
      if (lookUp("options", name)) given.set(name, value ?? words[(i += 1)] ?? "");
      else if (lookUp("flags", name)) given.set(name, "");
      else wrong.push(`z0 ${path} has no ${name}`);
    } else if (positionals.length === 0 && commands.get(path)?.commands.has(word)) {
      path = `${path} ${word}`.trim();
    } else if (path === "") {
      return { path, wrong: [`z0 has no command ${word}`], positionals, given };
    } else {
      positionals.push(word);
    }
  }
  if (positionals.length > 0 && commands.get(path)?.positionals === 0) wrong.push(`z0 ${path} takes no ${positionals[0]}`);
  return { path, wrong, positionals, given };
}
