// One of the three ways to z0 (facts, spans, points): who sends, when again, and after what.
//
// A Worker may do I/O only for the request that runs, so drivers share plain values and never a promise;
// and a request may end in the middle of a send, so whoever sends does it under a lease that runs out.

import { newId } from "./context.js";
import { Kind, Span } from "./spans.js";
import { post } from "./transport.js";

/** @import { Losses } from "./losses.js" */
/** @import { Answer, Host, Target } from "./transport.js" */

/**
 * @typedef {object} Shared what the lanes of an outbox have in common
 * @property {Host} host
 * @property {Target} target
 * @property {string} service
 * @property {number} timeoutMs of a request
 * @property {Losses} losses
 * @property {(span: Span) => void} addSpan
 */

export const LEASE_SLACK_MS = 2_000;
const BACKOFF_MS = 500;
const BACKOFF_MS_MAX = 30_000;

export class Lane {
  #busyUntil = 0;
  #notBefore = 0;
  #failures = 0;

  /** @param {Shared} shared */
  constructor(shared) {
    this.shared = shared;
  }

  get freeAt() {
    return Math.max(this.#busyUntil, this.#notBefore);
  }

  get now() {
    return this.shared.host.now();
  }

  /**
   * @param {string} path
   * @param {string} body
   * @param {Record<string, string>} [headers]
   */
  async post(path, body, headers) {
    const { host, target, timeoutMs } = this.shared;
    const lease = host.now() + timeoutMs + LEASE_SLACK_MS;
    this.#busyUntil = lease;
    const answer = await post(host, target, path, body, timeoutMs, headers);
    // Another driver's by now, when this one slept through its lease.
    if (this.#busyUntil === lease) this.#busyUntil = 0;
    if (answer.what === "taken") this.shared.losses.reachable = true;
    return answer;
  }

  /** After an answer that leaves nothing to be tried again. */
  goOn() {
    this.#failures = 0;
    this.#notBefore = 0;
  }

  /** @param {Answer} answer */
  backOff({ waitMs }) {
    const { host } = this.shared;
    const own = Math.min(BACKOFF_MS * 2 ** this.#failures, BACKOFF_MS_MAX);
    // Isolates that failed together do not come back together.
    const spread = 0.5 + parseInt(host.randomHex(2), 16) / 0x20000;
    this.#failures++;
    this.#notBefore = host.now() + Math.max(waitMs, own * spread);
  }

  /**
   * A span of the client's own.
   * @param {string} name
   * @param {{ traceId: string, spanId: string }} parent
   * @param {string} tenant
   * @param {number} start
   */
  ownSpan(name, { traceId, spanId: parentId }, tenant, start) {
    const spanId = newId(8, this.shared.host.randomHex);
    const span = new Span({ traceId, spanId, parentId, name, tenant, start, kind: Kind.INTERNAL });
    span.end = this.now;
    return span;
  }
}

/**
 * How many from the front fit a request; one always does.
 * @param {{ characters: number }[]} items
 * @param {number} countMax
 * @param {number} charactersMax
 */
export function countWithin(items, countMax, charactersMax) {
  let characters = 0;
  let count = 0;
  for (const item of items) {
    characters += item.characters;
    if (count === countMax || (count > 0 && characters > charactersMax)) break;
    count++;
  }
  return count;
}
