// Rules of the repository that a reviewer should not have to remember.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
const files = execFileSync("git", ["-C", root, ...listing], { encoding: "utf8" })
  .split("\0")
  .filter((name) => name !== "" && existsSync(join(root, name)));

/** @param {string} name */
const read = (name) => readFileSync(join(root, name), "utf8");

/** Lines of text files that match, as "file:line: text". @param {RegExp} pattern */
function linesThatMatch(pattern) {
  return files
    .filter((name) => !name.endsWith("package-lock.json") && !/\.(png|ico|wasm|bin)$/.test(name))
    .flatMap((name) =>
      read(name)
        .split("\n")
        .map((line, i) => (pattern.test(line) ? `${name}:${i + 1}: ${line.trim()}` : ""))
        .filter((hit) => hit !== ""),
    );
}

/** Words that may not stand in any file are put together here, so that this file may hold them. @param {string[]} halves */
const either = (...halves) => halves.map((half) => half.replace("+", "")).join("|");

test("Nothing is left for later in the sources", () => {
  assert.deepEqual(linesThatMatch(new RegExp(`\\b(${either("TO+DO", "FIX+ME", "XX+X", "HA+CK")})\\b`)), []);
});

test("No file names a place on one machine or a package host", () => {
  const places = either("/wo+rk/", "/fa+rm/", "/ro+ot/", "/ho+me/[a-z]", "/Us+ers/");
  const hosts = either("registry\\.npm+js\\.org", "deb\\.deb+ian\\.org");
  assert.deepEqual(linesThatMatch(new RegExp(`(^|[^\\w.])(${places})|${hosts}`)), []);
});

test("Lock files hold no download addresses", () => {
  for (const name of files.filter((file) => file.endsWith("package-lock.json"))) {
    assert.doesNotMatch(read(name), /"resolved":/, name);
  }
});

test("Only the agreed names stand at the top level", () => {
  const agreed = new Set(
    "CMakeLists.txt CMakePresets.json wrangler.toml package.json package-lock.json tsconfig.json README.md LICENSE CHANGELOG.md include src bindings tests scripts".split(" "),
  );
  const top = new Set(files.map((name) => name.split("/")[0]));
  assert.deepEqual([...top].filter((name) => !name.startsWith(".") && !agreed.has(name)), []);
});

test("The core includes nothing of the bindings and reads no clock and no randomness", () => {
  const forbidden = /#include [<"](bindings\/|\.\.\/bindings|chrono|random|ctime|thread|fstream|iostream)/;
  const hits = files
    .filter((name) => /^(src|include)\//.test(name) && /\.(cpp|hpp|h)$/.test(name))
    .filter((name) => forbidden.test(read(name)));
  assert.deepEqual(hits, []);
});

test("JSON is written by its one writer: nobody else in the core escapes a quote", () => {
  const hits = linesThatMatch(/\\"/).filter((hit) => /^(src|include)\//.test(hit) && !/^(src|include\/z0)\/json\//.test(hit));
  assert.deepEqual(hits, []);
});

test("Text files end with one newline and hold no tabs or trailing blanks", () => {
  const hits = files
    .filter((name) => /\.(cpp|hpp|h|js|css|html|sql|toml|json|md|sh|txt|cmake)$/.test(name))
    .filter((name) => !/^tests\/(vectors|golden|fuzz)\//.test(name))
    .filter((name) => /[ \t]$|\t|\n\n$/m.test(read(name).replace(/\n$/, "")) || !read(name).endsWith("\n"));
  assert.deepEqual(hits, []);
});

const scripts = readdirSync(join(root, "scripts")).filter((name) => {
  const { mode } = statSync(join(root, "scripts", name));
  return (mode & 0o111) !== 0 && !name.includes(".");
});

for (const name of scripts) {
  test(`scripts/${name} explains itself with --help`, () => {
    const run = spawnSync(join(root, "scripts", name), ["--help"], { encoding: "utf8", timeout: 60_000 });
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stdout, new RegExp(`\\b${name}\\b`));
  });
}
