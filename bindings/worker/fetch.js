// HTTP requests to somebody outside. However one ends, the core gets an answer.

import { encodeFetch } from "./effects.js";
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
    return encodeFetch(Outcome.OK, response.status);
  } catch (error) {
    failed(messageOf(error));
    return encodeFetch(signal.aborted ? Outcome.TIMEOUT : Outcome.FAILED, messageOf(error));
  }
}
