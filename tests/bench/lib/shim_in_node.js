// The Worker's shim in Node: what it imports of the platform becomes the least that it calls.
import { registerHooks } from "node:module";

const PLATFORM = `
export class DurableObject {}
export const tracing = { enterSpan: (name, run) => run({ setStatus() {} }) };`;

const asModule = (/** @type {string} */ text) => ({
  url: `data:text/javascript,${encodeURIComponent(text)}`,
  shortCircuit: true,
});

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "cloudflare:workers") return asModule(PLATFORM);
    // The benchmarks bring a core of their own.
    if (specifier.endsWith(".wasm")) return asModule("export default undefined;");
    return next(specifier, context);
  },
});

const at = (/** @type {string} */ name) => new URL(`../../../bindings/worker/${name}`, import.meta.url).href;
export const { Reader, Writer } = await import(at("bytes.js"));
export const { decodeEffects, encodePoint, encodeReports } = await import(at("effects.js"));
export const { collect } = await import(at("points.js"));
export const { writeSpans } = await import(at("spans.js"));
