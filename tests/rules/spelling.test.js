// Spelling and size, with a ratchet: what breaks a rule today is listed with its length, and may only
// shrink.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 60;

/** @type {{ files: Record<string, number>, functions: Record<string, number> }} */
const listed = JSON.parse(readFileSync(join(root, "tests/rules/lengths.json"), "utf8"));

const files = execFileSync("git", ["-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
  encoding: "utf8",
})
  .split("\0")
  .filter((name) => name !== "" && existsSync(join(root, name)));
const read = (/** @type {string} */ name) => readFileSync(join(root, name), "utf8");
const sources = files.filter((name) => /\.(cpp|hpp|h|js|css)$/.test(name) || /^scripts\/[a-z0-9]+$/.test(name));
const cpp = files.filter((name) => /\.(cpp|hpp|h)$/.test(name));

/**
 * The functions of a source that clang-format laid out: from the line that ends with an opening brace
 * to the brace below its beginning. Each with its name and its lines.
 * @param {string} text
 */
function functionsOf(text) {
  const lines = text.split("\n");
  const found = [];
  for (let i = 0; i < lines.length; i++) {
    if (!/[^=]\{$/.test(lines[i]) || /^\s*(\/\/|#)/.test(lines[i])) continue;
    // A head of several lines begins where the indentation of the body's end is found again.
    let begin = i;
    const end = lines.findIndex((line, n) => n > i && /^\s*\}/.test(line) && indent(line) <= indent(lines[i]));
    if (end < 0) continue;
    while (begin > 0 && indent(lines[begin]) > indent(lines[end])) begin--;
    const head = lines.slice(begin, i + 1).join(" ").trim();
    const title = /^TEST_CASE\("([^"]*)"/.exec(head)?.[1];
    const name = /([A-Za-z_][\w:~]*)\s*\(/.exec(head)?.[1];
    const isOther = /^(namespace|struct|class|union|enum|extern|if|for|while|switch|else|do|case|return)\b/.test(head);
    if (isOther || (title ?? name) === undefined) continue;
    found.push({ name: title ?? String(name), lines: end - begin + 1 });
  }
  return found;
}

const indent = (/** @type {string} */ line) => line.length - line.trimStart().length;

/**
 * What is longer than its limit, and than the length that is listed for it.
 * @param {{ name: string, lines: number }[]} all
 * @param {number} max
 * @param {Record<string, number>} known
 */
const tooLong = (all, max, known) =>
  all
    .filter(({ name, lines }) => lines > Math.max(max, known[name] ?? 0))
    .map(({ name, lines }) => `${name}: ${lines} lines, at most ${Math.max(max, known[name] ?? 0)}`);

const fileLengths = sources.map((name) => ({ name, lines: read(name).split("\n").length - 1 }));
const functions = cpp.flatMap((name) => functionsOf(read(name)));

test("No file has more than 400 lines, but for those that are listed, which do not grow", () => {
  assert.deepEqual(tooLong(fileLengths, FILE_LINES_MAX, listed.files), []);
});

test("No function has more than 60 lines, but for those that are listed, which do not grow", () => {
  assert.ok(functions.length > 1000);
  assert.deepEqual(tooLong(functions, FUNCTION_LINES_MAX, listed.functions), []);
});

test("The list of what is too long holds nothing that is short by now", () => {
  const longest = (/** @type {{ name: string, lines: number }[]} */ all, /** @type {string} */ name) =>
    Math.max(0, ...all.filter((one) => one.name === name).map(({ lines }) => lines));
  const done = [
    ...Object.keys(listed.files).filter((name) => existsSync(join(root, name)) && longest(fileLengths, name) <= FILE_LINES_MAX),
    ...Object.keys(listed.functions).filter((name) => longest(functions, name) <= FUNCTION_LINES_MAX),
  ];
  assert.deepEqual(done, []);
});

test("Lengths are counted as a reader would count them", () => {
  const body = "  f();\n".repeat(3);
  const text = `namespace {\nint one(int a,\n        int b) {\n${body}}\n\nTEST_CASE("Two is two", "[two]") {\n${body}}\n}\n`;
  assert.deepEqual(functionsOf(text), [
    { name: "one", lines: 6 },
    { name: "Two is two", lines: 5 },
  ]);
  assert.deepEqual(tooLong([{ name: "a", lines: 61 }, { name: "b", lines: 70 }], 60, { b: 70 }), ["a: 61 lines, at most 60"]);
});

// A page shows signs that are not ASCII, a terminal draws with them, and a test feeds them in.
const maySpeakUnicode = /^(tests\/|bindings\/dashboard\/|bindings\/cli\/(base\/)?(terminal|text)\.|scripts\/lib\.sh$)/;

test("Sources are ASCII, but for what draws on a page or a terminal", () => {
  const hits = sources.filter((name) => !maySpeakUnicode.test(name) && /[^\x00-\x7f]/.test(read(name)));
  assert.deepEqual(hits, []);
});

test("Constants are spelled like variables, without a k", () => {
  const hits = cpp.filter((name) => /\bk[A-Z][A-Za-z0-9]+\b/.test(read(name)));
  assert.deepEqual(hits, []);
});

test("The names of tests are sentences that begin with a capital", () => {
  // A name in the code keeps its own spelling, and `it` goes on with the words of its `describe`.
  const lower = /^(?:TEST_CASE|[ ]*(?:test|pageTest))\(\s*["`]([a-z]+\b(?![_(.:/0-9])[^"`]*)/gm;
  const hits = files
    .filter((name) => /\.(cpp|test\.js)$/.test(name))
    .flatMap((name) => [...read(name).matchAll(lower)].map(([, title]) => `${name}: ${title}`));
  assert.deepEqual(hits, []);
});
