// Spans, on their two ways out: around each need one of the platform's own traces, and all that an
// invocation has to say in its log lines, which the Tail Worker reads.

import { tracing } from "cloudflare:workers";
import { logSpans } from "./log.js";

/** @import { NeedSpan } from "./types.js" */

// The platform cuts what an invocation logs at 256 KB in all, and this is far from it: what fits no line
// begins the next one.
const LINE_LENGTH_MAX = 60_000;
const MESSAGE_LENGTH_MAX = 200;

/**
 * Answers a need, inside of a span of the platform's traces; its own span goes into `spans`.
 * @template T
 * @param {string[]} spans JSON
 * @param {NeedSpan} span what the core says of it
 * @param {(failed: (message: string) => void) => Promise<T>} answer calls `failed` where there is none
 * @returns {Promise<T>}
 */
export function inSpan(spans, { name, members }, answer) {
  return tracing.enterSpan(name, async (active) => {
    const start = Date.now();
    let end = "";
    const result = await answer((message) => {
      active.setStatus({ code: "error", message });
      end = `,"status":"error","message":${JSON.stringify(message.slice(0, MESSAGE_LENGTH_MAX))}`;
    });
    // Times are microseconds, of which the clock shows thousands.
    if (members !== "")
      spans.push(`{${members},"start_us":${start}000,"end_us":${Date.now()}000${end}}`);
    return result;
  });
}

/**
 * The log lines of an invocation: as few as fit.
 * @param {string[]} spans JSON
 */
export function writeSpans(spans) {
  let from = 0;
  let length = 0;
  for (let i = 0; i < spans.length; i++) {
    if (i > from && length + spans[i].length > LINE_LENGTH_MAX) {
      logSpans(spans.slice(from, i));
      from = i;
      length = 0;
    }
    length += spans[i].length + 1;
  }
  if (from < spans.length) logSpans(spans.slice(from));
}
