// W3C Trace Context, level 2: the caller's headers in, ours out. The same rules as the core's
// (include/z0/trace/context.hpp and tracestate.hpp); tests/vectors/traces.json holds both to them.

/**
 * @typedef {object} TraceContext
 * @property {string} traceId 32 lower-case hex
 * @property {string} parentId of the caller's span; empty where the trace begins here
 * @property {number} flags bit 0 sampled, bit 1 random
 * @property {string} tracestate what others wrote into it
 */

const SAMPLED = 1;
const RANDOM = 2;
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/s;

const MEMBERS_MAX = 32;
// What a carrier has to take at least, less our own member: "z0=", a span's id and a comma.
const BYTES_MAX = 512 - 20;
const LONG_MEMBER_BYTES = 128;
const PLAIN_KEY = /^[a-z0-9][a-z0-9_*/-]{0,255}$/;
// As level 1 has it: the validation harness of the W3C wants longer ones dropped.
const TENANT_KEY = /^[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}$/;
const VALUE = /^[ -+\--<>-~]{1,256}$/;

/**
 * Takes what the caller sent when its traceparent is valid, else begins a trace.
 * @param {string | null} traceparent
 * @param {string | null} tracestate
 * @param {(bytes: number) => string} randomHex
 * @returns {TraceContext}
 */
export function readContext(traceparent, tracestate, randomHex) {
  const found = TRACEPARENT.exec((traceparent ?? "").trim());
  if (found === null || (found[1] === "00" && found[5] !== undefined)) {
    return { traceId: newId(16, randomHex), parentId: "", flags: SAMPLED | RANDOM, tracestate: "" };
  }
  const flags = parseInt(found[4], 16) & (SAMPLED | RANDOM);
  return { traceId: found[2], parentId: found[3], flags, tracestate: othersTracestate(tracestate ?? "") };
}

/**
 * Headers for the next hop: the span, and ours in front of what others wrote.
 * @param {TraceContext} context
 * @param {string} spanId
 */
export function headersOf({ traceId, flags, tracestate }, spanId) {
  return {
    traceparent: `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, "0")}`,
    tracestate: tracestate === "" ? `z0=${spanId}` : `z0=${spanId},${tracestate}`,
  };
}

/**
 * All zero means "no id", so it becomes 1.
 * @param {number} bytes
 * @param {(bytes: number) => string} randomHex
 */
export function newId(bytes, randomHex) {
  const hex = randomHex(bytes);
  return /^0+$/.test(hex) ? `${hex.slice(1)}1` : hex;
}

/**
 * What others wrote, without blanks, empty members or an earlier one of ours, with room left for ours.
 * Empty when a member breaks the grammar, a key comes twice or there are too many.
 * @param {string} header
 */
export function othersTracestate(header) {
  const members = header
    .split(",")
    .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((text) => text !== "");
  const keys = new Set();
  for (const member of members) {
    const equals = member.indexOf("=");
    const key = member.slice(0, Math.max(equals, 0));
    const fits = (PLAIN_KEY.test(key) || TENANT_KEY.test(key)) && VALUE.test(member.slice(equals + 1));
    if (!fits || keys.has(key)) return "";
    keys.add(key);
  }
  return members.length > MEMBERS_MAX ? "" : withRoom(members).join(",");
}

/** @param {string[]} members */
function withRoom(members) {
  const others = members.filter((member) => !member.startsWith("z0="));
  if (others.length === MEMBERS_MAX) others.pop();
  const bytes = () => others.join(",").length;
  for (let i = others.length; i > 0 && bytes() > BYTES_MAX; i--) {
    if (others[i - 1].length > LONG_MEMBER_BYTES) others.splice(i - 1, 1);
  }
  while (bytes() > BYTES_MAX) others.pop();
  return others;
}
