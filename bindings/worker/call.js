// Calls of other objects. However a call ends, the core gets an answer: what is a failed append and
// what may be tried again is its decision.

import { encodeCall } from "./effects.js";
import { messageOf } from "./log.js";
import { Outcome, Target } from "./types.js";

/** @import { Env, NeedCall } from "./types.js" */

/** Our own clock ran out, as opposed to an error that the callee threw. */
class CallTimeout extends Error {}

/**
 * @param {Env} env
 * @param {NeedCall} need
 * @param {(message: string) => void} failed
 */
export async function callObject(env, need, failed) {
  const timeoutMs = Number(env.Z0_APPEND_TIMEOUT_MS) || need.timeoutMs;
  try {
    const stub = namespaceOf(env, need.target).getByName(need.name);
    const reply = await within(timeoutMs, stub.call(need.method, need.name, need.request));
    return encodeCall(need, Outcome.OK, reply);
  } catch (error) {
    failed(messageOf(error));
    return encodeCall(need, outcomeOf(error), messageOf(error));
  }
}

/**
 * @param {Env} env
 * @param {number} target
 */
function namespaceOf(env, target) {
  if (target === Target.DIRECTORY) return env.DIRECTORY;
  if (target === Target.TRACES) return env.TRACES;
  if (target === Target.ALERTS) return env.ALERTS;
  return target === Target.MONITOR ? env.MONITOR : env.LEDGER;
}

/**
 * @template T
 * @param {number} timeoutMs
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
async function within(timeoutMs, work) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new CallTimeout(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {unknown} error */
function outcomeOf(error) {
  if (error instanceof CallTimeout) return Outcome.TIMEOUT;
  // The platform marks an object that has more to do than it can.
  const { overloaded } = /** @type {{overloaded?: boolean}} */ (error);
  return overloaded ? Outcome.OVERLOADED : Outcome.FAILED;
}
