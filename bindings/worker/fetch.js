// HTTP requests to somebody outside. However one ends, the core gets an answer.

import { encodeFetched, encodeNotFetched } from "./effects.js";
import { messageOf } from "./log.js";
import { Outcome } from "./types.js";

/** @import { NeedFetch } from "./types.js" */

/**
 * @param {NeedFetch} need
 * @param {(message: string) => void} failed
 */
export async function fetchOutside(need, failed) {
  const signal = AbortSignal.timeout(need.timeoutMs);
  try {
    const { method, headers, body } = need;
    const response = await fetch(need.url, { method, headers, body, redirect: "manual", signal });
    // What nobody reads would hold the connection.
    await response.body?.cancel();
    return encodeFetched(response.status, secondsIn(response.headers.get("retry-after")));
  } catch (error) {
    failed(messageOf(error));
    return encodeNotFetched(signal.aborted ? Outcome.TIMEOUT : Outcome.FAILED, messageOf(error));
  }
}

/**
 * A number of seconds, or a date (RFC 9110, 10.2.3).
 * @param {string | null} retryAfter
 */
function secondsIn(retryAfter) {
  if (retryAfter === null) return 0;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), 0), 86_400) : 0;
}
