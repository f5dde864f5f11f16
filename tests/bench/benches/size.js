// What the core weighs: bytes raw and compressed, what it imports and exports, how long it takes to
// compile and to instantiate.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { compileCore, loadCore } from "../lib/abi.js";
import { figure } from "../lib/rounds.js";
import { exact, gate, round } from "../lib/report.js";

const GZIP_BYTES_MAX = 400 * 1024;
const INSTANTIATE_MS_MAX = 3;

/**
 * @param {import("../run.js").Options} options
 * @returns {Promise<import("../lib/report.js").Section[]>}
 */
export async function size({ wasm, quick }) {
  const bytes = readFileSync(wasm);
  const zipped = gzipSync(bytes, { level: 9 }).length;
  const module = compileCore(bytes);
  const compile = [];
  const instantiate = [];
  for (let i = 0; i < (quick ? 5 : 15); i++) {
    const begun = performance.now();
    const fresh = compileCore(bytes);
    const compiled = performance.now();
    loadCore(fresh);
    compile.push(compiled - begun);
    instantiate.push(performance.now() - compiled);
  }
  const time = figure(instantiate);
  const names = (/** @type {{module?: string, name: string}[]} */ list) =>
    list.map((x) => `\`${x.module ? `${x.module}.` : ""}${x.name}\``).join(", ") || "none";
  return [
    {
      title: "The core's weight",
      rows: [
        { name: "z0.wasm", unit: "bytes", cells: { z0: exact(bytes.length) } },
        {
          name: "z0.wasm, gzip -9",
          unit: "bytes",
          cells: { z0: exact(zipped) },
          gates: [gate(`≤ 400 KB (${round(zipped / 1024)})`, zipped <= GZIP_BYTES_MAX)],
        },
        { name: "compile, in node", unit: "ms", cells: { z0: figure(compile) } },
        {
          name: "instantiate, in node",
          unit: "ms",
          cells: { z0: time },
          gates: [gate("≤ 3 ms", time.median <= INSTANTIATE_MS_MAX)],
        },
      ],
      notes: [
        `Imports: ${names(WebAssembly.Module.imports(module))}. Exports: ` +
          `${names(WebAssembly.Module.exports(module))}.`,
      ],
    },
  ];
}
