// Runs unit tests as compiled to WebAssembly: node tests/wasm/core_tests.js [Catch2 argument ...]
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bytes = await readFile(new URL("../../build/wasm/z0_core_tests.wasm", import.meta.url));
const wasi = new WASI({
  version: "preview1",
  args: ["z0_core_tests", ...process.argv.slice(2)],
  preopens: { "/": root },
});
const imports = {
  .../** @type {Record<string, any>} */ (wasi.getImportObject()),
  env: { emscripten_notify_memory_growth() {} },
};
const { instance } = await WebAssembly.instantiate(bytes, imports);
process.exitCode = wasi.start(instance);
