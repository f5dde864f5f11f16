// The Tail Worker as it is deployed.
// @ts-ignore: resolved inside workerd, where this file stands beside z0's own.
export { default, TraceStore } from "./bindings/tail/index.js";
