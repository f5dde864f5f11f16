// Does the simulator find bugs? Plants those of mutations.json in a copy of one source each, compiles
// that source alone, links it with the rest of z0_sim, and runs seeds until a law breaks.
//
//   node tests/sim/mutations.js [WORD]     only those whose file or reason holds WORD
//
// A bug that hides well says by which seed it was found last; where that one finds it no more, all are run.
//
// A line that no longer stands exactly once in its file fails the test, so the list cannot rot.
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {{ file: string, find: string, replace: string, why: string, seed?: number, units?: string[] }} Mutation */

const root = fileURLToPath(new URL("../..", import.meta.url));
const build = join(root, "build/release");
const planted = join(build, "planted");
const SEEDS_MAX = 8000;
// A planted bug that makes the simulator run on for ever is missed, not waited for.
const TIMEOUT_MS = 300_000;
const JOBS = Math.min(4, availableParallelism());

/** @param {string} command */
const words = (command) => command.match(/"(?:\\.|[^"])*"|\S+/g)?.map((w) => w.replace(/^"|"$/g, "").replaceAll('\\"', '"')) ?? [];

/** @type {{ command: string, file: string }[]} */
const commands = JSON.parse(readFileSync(join(build, "compile_commands.json"), "utf8"));

/** How the simulator's build compiles a source. @param {string} unit */
function compileCommand(unit) {
  const entry = commands.find(
    ({ file, command }) => file === join(root, unit) && command.includes("Z0_SMALL_LIMITS"),
  );
  if (entry === undefined) throw new Error(`z0_sim does not compile ${unit}`);
  return words(entry.command);
}

const linkCommand = (() => {
  const all = execFileSync("ninja", ["-C", build, "-t", "commands", "z0_sim"], { encoding: "utf8" });
  const link = all.trim().split("\n").at(-1) ?? "";
  return words(link.replace(/^: && /, "").replace(/ && :$/, ""));
})();

/** @param {string[]} argv @returns {Promise<{ code: number, out: string }>} */
function run(argv) {
  return new Promise((resolve) => {
    execFile(argv[0], argv.slice(1), { cwd: build, maxBuffer: 1 << 26, timeout: TIMEOUT_MS }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ code, out: out + err });
    });
  });
}

/** What follows an option becomes something else. @param {string[]} argv @param {string} option @param {string} value */
const withOption = (argv, option, value) => argv.map((w, i) => (argv[i - 1] === option ? value : w));

/** @param {Mutation} mutation @param {number} number @returns {Promise<string>} why it failed, or empty */
async function tryOne({ file, find, replace, why, seed, units = [file] }, number) {
  const source = readFileSync(join(root, file), "utf8");
  const found = source.split(find).length - 1;
  if (found !== 1) return `its line stands ${found} times in ${file}: ${find}`;
  const directory = join(planted, String(number));
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const objects = [];
  for (const unit of units) {
    const copy = join(directory, basename(unit));
    writeFileSync(copy, readFileSync(join(root, unit)));
    // A quoted header is looked for beside the copy first: there the altered one has the path of its room.
    const mutant = unit === file ? copy : join(directory, file.replace(/^(src|include)\//, ""));
    mkdirSync(dirname(mutant), { recursive: true });
    writeFileSync(mutant, source.replace(find, () => replace));
    const object = `${copy}.o`;
    const compiled = await run(withOption(withOption(compileCommand(unit), "-o", object), "-c", copy));
    if (compiled.code !== 0) return `it does not compile:\n${compiled.out}`;
    objects.push(object);
  }
  const program = join(directory, "z0_sim");
  const link = withOption(linkCommand, "-o", program);
  // Before the library, whose own object is then not asked for.
  const library = link.findIndex((word) => word.endsWith("libz0_sim_core.a"));
  const linked = await run([...link.slice(0, library), ...objects, ...link.slice(library)]);
  if (linked.code !== 0) return `it does not link:\n${linked.out}`;
  const lawBroken = async (/** @type {string[]} */ ...seeds) =>
    /^seed (\d+) breaks a law: (.*)$/m.exec((await run([program, ...seeds, "--no-shrink"])).out);
  const known = seed === undefined ? null : await lawBroken("--from", String(seed), "--seeds", "1");
  const law = known ?? (await lawBroken("--seeds", String(SEEDS_MAX)));
  rmSync(directory, { recursive: true, force: true });
  if (law === null) return `missed in ${SEEDS_MAX} seeds`;
  console.log(`caught: ${why}\n        by seed ${law[1]}: ${law[2]}`);
  return "";
}

const word = process.argv[2] ?? "";
/** @type {Mutation[]} */
const all = JSON.parse(readFileSync(join(root, "tests/sim/mutations.json"), "utf8"));
const chosen = all.filter(({ file, why }) => file.includes(word) || why.includes(word));
let next = 0;
let failed = 0;
await Promise.all(
  Array.from({ length: JOBS }, async () => {
    while (next < chosen.length) {
      const number = next++;
      const problem = await tryOne(chosen[number], number);
      if (problem === "") continue;
      failed++;
      console.log(`FAILED: ${chosen[number].why}\n        ${problem}`);
    }
  }),
);
console.log(`${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && chosen.length > 0 ? 0 : 1;
