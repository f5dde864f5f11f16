// A Worker around loops.js: POST the work, ?what= which loop, ?n= how often. The caller holds the
// clock.
// @ts-ignore: bundled for workerd, where a .wasm import is a WebAssembly.Module.
import wasm from "z0.wasm";
import { LOOPS } from "../lib/loops.js";

/** @type {Map<string, (n: number) => unknown>} */
const ready = new Map();

export default {
  /** @param {Request} request */
  async fetch(request) {
    const url = new URL(request.url);
    const what = url.searchParams.get("what") ?? "";
    const key = `${what}/${url.searchParams.get("key")}`;
    let loop = ready.get(key);
    if (!loop) {
      const work = await request.json();
      const make = LOOPS[what];
      if (!make) return new Response("no such loop", { status: 404 });
      ready.set(key, (loop = make(/** @type {any} */ (work), wasm)));
    }
    loop(Number(url.searchParams.get("n")));
    return new Response("done");
  },
};
