// A process that runs one loop of loops.js, or of another file, on request and says what CPU time it took, so that one
// contender's garbage is not collected in another's time.
import { readFileSync } from "node:fs";
import { compileCore } from "./abi.js";

const [wasmFile, loops = "./loops.js"] = process.argv.slice(2);
const { LOOPS } = await import(loops);
const wasm = wasmFile ? compileCore(readFileSync(wasmFile)) : /** @type {any} */ (null);
/** @type {Map<string, (n: number) => unknown>} */
const ready = new Map();

process.on("message", (/** @type {any} */ { what, key, work, n }) => {
  try {
    let loop = ready.get(key);
    if (!loop) ready.set(key, (loop = LOOPS[what](work, wasm)));
    const start = process.cpuUsage();
    const at = performance.now();
    loop?.(n);
    const used = process.cpuUsage(start);
    process.send?.({ cpuUs: used.user + used.system, wallUs: (performance.now() - at) * 1000 });
  } catch (error) {
    process.send?.({ error: String(error) });
  }
});
