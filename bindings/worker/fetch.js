// HTTP requests to somebody outside. However one ends, the core gets an answer.

import { encodeFetched, encodeNotFetched } from "./effects.js";
import { messageOf } from "./log.js";
import { Outcome } from "./types.js";

/** @import { NeedFetch } from "./types.js" */

const NOTHING = new Uint8Array(0);

/**
 * @param {NeedFetch} need
 * @param {(message: string) => void} failed
 */
export async function fetchOutside(need, failed) {
  const signal = AbortSignal.timeout(need.timeoutMs);
  try {
    const { method, headers, body } = need;
    const response = await fetch(need.url, { method, headers, body, redirect: "manual", signal });
    const answer = await bodyOf(response, need.answerBytesMax);
    return encodeFetched(response.status, secondsIn(response.headers.get("retry-after")), answer);
  } catch (error) {
    // An address may be a secret, as that of a Slack channel is.
    const message = messageOf(error).replaceAll(need.url, "the address");
    failed(message);
    return encodeNotFetched(signal.aborted ? Outcome.TIMEOUT : Outcome.FAILED, message);
  }
}

/**
 * The whole body, or nothing where it is longer than that or ends before its time.
 * @param {Response} response
 * @param {number} bytesMax
 */
async function bodyOf(response, bytesMax) {
  const whole = new Uint8Array(bytesMax);
  let size = 0;
  const reader = response.body?.getReader();
  try {
    while (reader !== undefined && bytesMax > 0) {
      const { done, value } = await reader.read();
      if (done) return whole.subarray(0, size);
      if (size + value.length > bytesMax) break;
      whole.set(value, size);
      size += value.length;
    }
  } catch {
    // The status says what became of the request.
    return NOTHING;
  }
  // What nobody reads would hold the connection.
  await reader?.cancel();
  return NOTHING;
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
