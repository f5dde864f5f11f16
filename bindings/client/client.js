// createClient: what belongs to one request, over what belongs to the isolate.

import { newId, readContext } from "./context.js";
import { identifier, ledger } from "./names.js";
import { Outbox } from "./outbox.js";
import { Scope } from "./scope.js";
import { realHost } from "./transport.js";

/** @import { ClientOptions, TraceSource } from "./index.d.ts" */
/** @import { TraceContext } from "./context.js" */
/** @import { Host, Target } from "./transport.js" */

/**
 * @typedef {object} Run what the scopes of a request have in common
 * @property {Host} host
 * @property {Outbox} outbox
 * @property {TraceContext} trace
 * @property {string} hopId a span's id for who asks for headers where there is no span
 * @property {string} tenant
 * @property {string | undefined} account
 * @property {string | undefined} asset
 * @property {import("./index.d.ts").Context | null} ctx
 * @property {() => void} touch sees to it that what was added goes out
 */

const TIMEOUT_MS = 10_000;
// A token each, in a Worker that serves many tenants. The one that was not used for longest goes first.
const OUTBOXES_MAX = 32;
/** Of the isolate. @type {Map<string, Outbox>} */
const outboxes = new Map();
/** Each host has an isolate's worth of them, so that tests do not meet. @type {WeakMap<object, string>} */
const hosts = new WeakMap();
let hostCount = 0;

/** @type {typeof import("./index.d.ts").createClient} */
export function createClient(options) {
  const { service, tenant, account, asset, ctx = null, request = null, host = realHost } = options;
  identifier(service, "a service");
  identifier(tenant, "a tenant");
  if (account !== undefined) ledger(account, "an account");
  if (asset !== undefined) ledger(asset, "an asset");
  const outbox = outboxOf(options, host);
  const waitUntil = ctx === null ? goOn : (/** @type {Promise<unknown>} */ work) => ctx.waitUntil(work);
  return new Scope(
    {
      ...{ host, outbox, tenant, account, asset, ctx },
      trace: traceOf(request, host),
      hopId: newId(8, host.randomHex),
      touch: () => outbox.touch(waitUntil),
    },
    null,
  );
}

/** @param {Promise<unknown>} work */
function goOn(work) {
  work.catch((error) => console.error(error));
}

/**
 * @param {ClientOptions} options
 * @param {Host} host
 */
function outboxOf({ z0, token, service, timeoutMs = TIMEOUT_MS }, host) {
  const target = targetOf(z0, token);
  const key = [hostKey(host), target.url, target.token, service].join("\n");
  const found = outboxes.get(key);
  outboxes.delete(key);
  const outbox = found ?? new Outbox(host, target, service, timeoutMs);
  // The binding of this request: one from an earlier environment may be closed.
  outbox.target.fetch = target.fetch;
  if (outboxes.size >= OUTBOXES_MAX) forgetOne();
  outboxes.set(key, outbox);
  return outbox;
}

function forgetOne() {
  const [key, outbox] = [...outboxes].find(([, { empty }]) => empty) ?? [...outboxes][0];
  outbox.abandon(`more than ${OUTBOXES_MAX} tokens are in use`);
  outboxes.delete(key);
}

/** @param {Host} host */
function hostKey(host) {
  const key = hosts.get(host) ?? String(++hostCount);
  hosts.set(host, key);
  return key;
}

/**
 * @param {ClientOptions["z0"]} z0
 * @param {string} [token]
 * @returns {Target}
 */
function targetOf(z0, token = "") {
  if (z0 === undefined || z0 === null) return { fetch: null, url: "none", token };
  if ("fetch" in z0 && typeof z0.fetch === "function") {
    // The host of a service binding's request is never looked up.
    return { fetch: (input, init) => z0.fetch(input, init), url: "http://z0", token };
  }
  if (!("url" in z0) || typeof z0.url !== "string") {
    throw new TypeError("z0 is a service binding, or { url, token }");
  }
  const url = z0.url.replace(/\/+$/, "");
  return { fetch: (input, init) => fetch(input, init), url, token: z0.token ?? token };
}

/**
 * @param {TraceSource | null} source
 * @param {Host} host
 */
function traceOf(source, host) {
  if (source === null) return readContext(null, null, host.randomHex);
  if ("headers" in source) {
    const { headers } = source;
    return readContext(headers.get("traceparent"), headers.get("tracestate"), host.randomHex);
  }
  return readContext(source.traceparent ?? null, source.tracestate ?? null, host.randomHex);
}
