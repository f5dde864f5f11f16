// The loops that the core benchmark times, the same in Node and in workerd: one request's work, n
// times over, synchronously. Timing is the caller's: inside workerd no clock advances without I/O.
import { handlePlain } from "../peers/plain.js";
import { checkToken } from "../peers/token.js";
import { handleZodOtel } from "../peers/zod_otel.js";
import {
  EFFECT,
  FRAME,
  NO_ROWS,
  TARGET,
  answerCall,
  loadCore,
  readNeedCall,
  readReply,
  readResume,
} from "./abi.js";
import { findIds, renewIds } from "./facts.js";

/** @typedef {{text: string, ids: string[], token: string, secret: string, nowMs: number}} Work */

const encoder = new TextEncoder();
// What the directory says of a ledger that no config concerns: the status "ok" (base/status.hpp), of one
// tenant, nothing.
const NO_POLICIES = Uint8Array.of(49, 1, 0);
// In the flags of an append: the edge registers new ledgers. Without it a ledger asks by itself.
const REGISTERS = 4;
// A ledger in these loops starts anew after so many facts, since nothing stores its rows.
const LEDGER_FACTS_MAX = 50_000;

/** @type {Record<string, (work: Work, wasm: WebAssembly.Module) => (n: number) => unknown>} */
export const LOOPS = {
  empty: () => (n) => {
    let x = 0;
    for (let i = 0; i < n; i++) x = (x + i) | 0;
    return x;
  },
  plain: (work) => bytesLoop(work, handlePlain),
  plain_token: (work) =>
    bytesLoop(work, (body, nowMs) => {
      checkToken(`Bearer ${work.token}`, work.secret, nowMs);
      return handlePlain(body, nowMs);
    }),
  zod_otel: (work) => bytesLoop(work, handleZodOtel),
  z0_edge: edgeLoop,
  z0_append: appendLoop,
};

/** @param {Work} work @param {(body: Uint8Array, nowMs: number) => number} handle */
function bytesLoop(work, handle) {
  const body = encoder.encode(work.text);
  return (/** @type {number} */ n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += handle(body, work.nowMs);
    return sum;
  };
}

/** @param {Work} work */
function requestParts(work) {
  return [
    "POST",
    "/v1/facts",
    work.text,
    work.secret,
    "authorization",
    `Bearer ${work.token}`,
    "content-type",
    "application/json",
  ].map((part) => encoder.encode(part));
}

/**
 * What the edge asks of ledgers for this request. @param {import("./abi.js").Core} core
 * @param {Uint8Array[]} parts @param {number} nowMs
 */
function ask(core, parts, nowMs) {
  const calls = [];
  let resume;
  for (const effect of core.step({ kind: FRAME.request, target: TARGET.edge }, parts, { nowMs })) {
    if (effect.kind === EFFECT.needCall) calls.push(readNeedCall(core.read(effect)));
    else if (effect.kind === EFFECT.needResume) resume = readResume(core.read(effect));
    else if (effect.kind === EFFECT.reply)
      throw new Error(
        `the edge asked nobody: ${new TextDecoder().decode(readReply(core.read(effect)).body)}`,
      );
  }
  if (!resume) throw new Error("the edge neither asks nor replies");
  return { calls, resume };
}

/**
 * @param {import("./abi.js").Core} core @param {import("./abi.js").Effect[]} effects
 */
function replyOf(core, effects) {
  const reply = effects.find((e) => e.kind === EFFECT.reply);
  return reply && readReply(core.read(reply));
}

/**
 * One append on a ledger; needs of a ledger without rows are answered until it replies.
 * @param {import("./abi.js").Core} core @param {ReturnType<typeof readNeedCall>} call
 * @param {Uint8Array} request @param {number} nowMs @param {number} incarnation
 */
function append(core, call, request, nowMs, incarnation) {
  request[0] = /** @type {number} */ (request[0]) & ~REGISTERS;
  /** @type {import("./abi.js").Head} */
  let head = { kind: FRAME.call, target: call.target, method: call.method };
  let parts = [encoder.encode(call.object), request];
  /** @type {Uint8Array[]} */
  let answers = [];
  for (let turn = 0; turn < 8; turn++) {
    const effects = core.step(head, parts, { nowMs, incarnation, answers });
    const reply = replyOf(core, effects);
    if (reply) return reply;
    answers = [];
    for (const effect of effects) {
      if (effect.kind === EFFECT.needResume) {
        head = { kind: FRAME.resume, target: call.target };
        parts = [readResume(core.read(effect)).continuation];
      } else if (effect.kind === EFFECT.needCall) {
        answers.push(answerCall(NO_POLICIES, readNeedCall(core.read(effect)).request));
      } else {
        answers.push(NO_ROWS);
      }
    }
  }
  throw new Error("the ledger keeps asking");
}

/** @param {Work} work @param {WebAssembly.Module} wasm */
function edgeLoop(work, wasm) {
  const core = loadCore(wasm);
  const parts = requestParts(work);
  const canned = ask(core, parts, work.nowMs).calls.map(
    (call, i) => append(core, call, call.request, work.nowMs, i + 1).body,
  );
  return (/** @type {number} */ n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const { calls, resume } = ask(core, parts, work.nowMs);
      const answers = calls.map((call, k) =>
        answerCall(/** @type {Uint8Array} */ (canned[k]), call.request),
      );
      const effects = core.step({ kind: FRAME.resume, target: TARGET.edge }, [resume.continuation], {
        nowMs: work.nowMs,
        answers,
      });
      const reply = /** @type {{status: number, body: Uint8Array}} */ (replyOf(core, effects));
      if (reply.status > 201)
        throw new Error(`HTTP ${reply.status}: ${new TextDecoder().decode(reply.body)}`);
      sum += reply.body.length;
    }
    return sum;
  };
}

/** @param {Work} work @param {WebAssembly.Module} wasm */
function appendLoop(work, wasm) {
  const core = loadCore(wasm);
  const call = /** @type {ReturnType<typeof readNeedCall>} */ (
    ask(core, requestParts(work), work.nowMs).calls[0]
  );
  const request = call.request.slice();
  const offsets = findIds(request, work.ids);
  let counter = 0;
  let incarnation = 1;
  let held = 0;
  return (/** @type {number} */ n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      counter = renewIds(request, offsets, 1, counter);
      held += work.ids.length;
      if (held > LEDGER_FACTS_MAX) {
        incarnation++;
        held = work.ids.length;
      }
      const reply = append(core, call, request, work.nowMs, incarnation);
      if (reply.status > 201) throw new Error(`HTTP ${reply.status}`);
      sum += reply.body.length;
    }
    return sum;
  };
}
