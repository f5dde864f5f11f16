// Carries out what the core decided: needs first, then one switch over the effect kinds, in the order
// in which they stand. No await lies between the last step and its commit unless the step needed
// something from outside the object.

import { step } from "./core.js";
import { setAlarm } from "./alarm.js";
import { callObject } from "./call.js";
import {
  encodeFailure,
  encodeQuery,
  encodeQueryFailure,
  encodeRows,
  encodeSecret,
  encodeZone,
} from "./effects.js";
import { messageOf } from "./log.js";
import { fetchOutside } from "./fetch.js";
import { zoneAt } from "./zone.js";
import { send, tell } from "./collect.js";
import { collect } from "./points.js";
import { sign } from "./sign.js";
import { inSpan, writeSpans } from "./spans.js";
import { CALLS_AT_ONCE_MAX, Effect, FLAG_DEBUG, Frame, Phase, Target } from "./types.js";

/** @import { AnyEffect, Env, FrameInput, Host, NeedQuery, NeedRows, Reply, Value } from "./types.js" */

// Of one wave of calls, before those behind it begin.
const WAVE_MS_MAX = 1_000;
// Between two waves: a request that came meanwhile is taken in, read and answered in this time. Each of
// these needs a runtime with nothing else to do.
const IDLE_MS = 10;

/**
 * Of a step that owes nobody an answer, as an alarm does.
 * @type {Reply}
 */
const NO_REPLY = { status: 204, headers: [], body: new Uint8Array(0) };

/**
 * Runs a frame that is an invocation of its own.
 * @param {Host} host
 * @param {number} kind
 * @param {(string | Uint8Array)[]} parts
 * @param {number} [method] of a call
 * @returns {Promise<Reply>}
 */
export async function run(host, kind, parts, method = 0) {
  /** @type {string[]} */
  const spans = [];
  try {
    return await runPart(host, kind, parts, spans, method);
  } finally {
    writeSpans(spans);
  }
}

/**
 * Runs one frame to its end.
 * @param {Host} host
 * @param {number} kind
 * @param {(string | Uint8Array)[]} parts
 * @param {string[]} spans of the invocation, which gets those of this frame
 * @param {number} [method] of a call
 * @returns {Promise<Reply>}
 */
export async function runPart(host, kind, parts, spans, method = 0) {
  const flags = host.env.Z0_DEBUG === "1" ? FLAG_DEBUG : 0;
  /** @type {Omit<FrameInput, "now" | "incarnation">} */
  let input = { kind, target: host.target, method, flags, parts, answers: [] };
  for (let steps = 1; ; steps++) {
    const effects = step({
      ...input,
      now: Date.now(),
      incarnation: host.incarnation,
      settings: host.env.Z0_SETTINGS,
    });
    if (effects[0]?.phase !== Phase.NEED) return perform(host, effects, spans);
    /** @type {AnyEffect[]} */
    const needs = [];
    for (const effect of effects) {
      if (effect.kind !== Effect.NEED_RESUME) {
        needs.push(effect);
        continue;
      }
      if (steps >= effect.stepsMax) {
        throw new Error(`${effect.where} after ${steps} steps: nothing new comes of it`);
      }
      input = { ...input, kind: Frame.RESUME, method: 0, parts: [effect.continuation] };
    }
    input.secret = needs.some((need) => need.kind === Effect.NEED_SECRET);
    // Rows are answered at once: waiting for them would let another event in before the commit.
    input.answers = needs.every((need) => need.kind === Effect.NEED_ROWS)
      ? needs.map((need) => rows(storageOf(host), /** @type {NeedRows} */ (need)))
      : await answerAll(host, needs, spans);
  }
}

/**
 * In waves. A runtime that is never idle takes in nothing new, so each wave has to end, and a moment to
 * pass, before the next one begins; an answer that does not come is not waited for by those behind it.
 * @param {Host} host
 * @param {AnyEffect[]} needs
 * @param {string[]} spans
 */
async function answerAll(host, needs, spans) {
  const answers = [];
  for (let i = 0; i < needs.length; i += CALLS_AT_ONCE_MAX) {
    // Of one size: a wave that is slow may wait for a disk or a network, where a smaller one gains nothing.
    const wave = needs.slice(i, i + CALLS_AT_ONCE_MAX).map(async (need) => answer(host, need, spans));
    answers.push(...wave);
    if (i + CALLS_AT_ONCE_MAX >= needs.length) break;
    await settled(wave);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  }
  return Promise.all(answers);
}

/** @param {Promise<unknown>[]} wave */
async function settled(wave) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, WAVE_MS_MAX);
  });
  await Promise.race([Promise.all(wave), late]);
  clearTimeout(timer);
}

/**
 * @param {Host} host
 * @param {AnyEffect} need
 * @param {string[]} spans
 * @returns {Uint8Array | Promise<Uint8Array>}
 */
function answer(host, need, spans) {
  switch (need.kind) {
    case Effect.NEED_ROWS:
      return rows(storageOf(host), need);
    case Effect.NEED_QUERY:
      return inSpan(spans, need.span, (failed) => query(host.env, need, failed));
    case Effect.NEED_CALL:
      return inSpan(spans, need.span, (failed) => callObject(host.env, need, failed));
    case Effect.NEED_SIGN:
      return sign(host.env, need.text);
    case Effect.NEED_FETCH:
      return inSpan(spans, need.span, (failed) => fetchOutside(need, failed));
    case Effect.NEED_SECRET:
      return secret(host.env, need.name);
    case Effect.NEED_ZONE: {
      const zone = zoneAt(need.zone, need.atMs);
      return zone === undefined ? encodeFailure("there is no such zone") : encodeZone(zone);
    }
    default:
      throw new Error(`effect ${need.kind} stands among needs`);
  }
}

/**
 * @param {Host} host
 * @param {AnyEffect[]} effects
 * @param {string[]} spans
 * @returns {Reply}
 */
function perform(host, effects, spans) {
  const commits = effects.filter((effect) => effect.phase === Phase.COMMIT);
  if (commits.length > 0) commit(host, commits);
  let reply = NO_REPLY;
  for (const effect of effects) {
    switch (effect.kind) {
      case Effect.WRITE:
      case Effect.ALARM:
        break;
      case Effect.REPLY:
        reply = effect;
        break;
      case Effect.SEND:
        send(host, effect.body);
        break;
      case Effect.TELL:
        tell(host, effect.report);
        break;
      case Effect.POINT:
        collect(host, effect);
        break;
      case Effect.LOG:
        if (effect.level === 0) console.log(effect.text);
        else console.error(effect.text);
        break;
      case Effect.SPAN:
        spans.push(effect.text);
        break;
      default:
        throw new Error(`effect ${effect.kind} stands after the needs`);
    }
  }
  return reply;
}

const NO_LIFE = new Uint32Array(2);

/**
 * The host of a frame that no object is asked: the edge, or the queue's consumer.
 * @param {number} target
 * @param {Env} env
 * @param {Host["ctx"]} ctx
 * @returns {Host}
 */
export function hostOf(target, env, ctx) {
  return { ctx, env, target, incarnation: NO_LIFE };
}

/**
 * The consumer's work with a message, without the queue; false when it could not be done.
 * @param {Host} host
 * @param {Uint8Array} message
 */
export async function consume({ env, ctx }, message) {
  return (await run(hostOf(Target.QUEUE, env, ctx), Frame.MESSAGE, [message])).status === 200;
}

/**
 * All of it or nothing. After a failure the core holds a state that was never written, so the host
 * begins a new life: its rows are the truth, and the core will ask for them.
 * @param {Host} host
 * @param {AnyEffect[]} commits
 */
function commit(host, commits) {
  const storage = storageOf(host);
  try {
    storage.transactionSync(() => {
      for (const effect of commits) {
        if (effect.kind === Effect.WRITE) storage.sql.exec(effect.sql, ...bindable(effect.values));
        // The alarm is a row of the same database: the promise says nothing that the commit does not.
        else if (effect.kind === Effect.ALARM && effect.atMs === 0) void storage.deleteAlarm();
        else if (effect.kind === Effect.ALARM) void setAlarm(storage, effect.atMs);
      }
    });
  } catch (error) {
    host.incarnation = newIncarnation();
    throw error;
  }
}

/** A random life: two u32, so that stale state of an earlier one is never met. */
export function newIncarnation() {
  return crypto.getRandomValues(new Uint32Array(2));
}

/** @param {Host} host */
function storageOf(host) {
  if (host.storage === undefined) throw new Error("the edge has no storage");
  return host.storage;
}

/**
 * @param {DurableObjectStorage} storage
 * @param {NeedRows} need
 */
function rows(storage, need) {
  try {
    const cursor = storage.sql.exec(need.sql, ...bindable(need.values));
    const found = [...cursor.raw()];
    return encodeRows(cursor.rowsWritten, cursor.columnNames.length, found);
  } catch (error) {
    return encodeFailure(messageOf(error));
  }
}

/**
 * @param {Env} env
 * @param {NeedQuery} need
 * @param {(message: string) => void} failed
 */
async function query(env, need, failed) {
  try {
    const database = databaseOf(env, need.database);
    const statements = need.statements.map((s) => database.prepare(s.sql).bind(...s.values));
    const results = await database.batch(statements);
    return encodeQuery(
      results.map(({ results: found, meta }) => {
        // D1 gives objects whose members stand in the order of the columns.
        const table = found.map((row) => Object.values(/** @type {Record<string, Value>} */ (row)));
        return encodeRows(meta.changes, table[0]?.length ?? 0, table);
      }),
    );
  } catch (error) {
    failed(messageOf(error));
    return encodeQueryFailure(messageOf(error));
  }
}

/**
 * @param {Env} env
 * @param {string} binding
 */
function databaseOf(env, binding) {
  const found = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (env))[binding];
  if (found === undefined) throw new Error(`Z0_SETTINGS names ${binding}, which is not bound`);
  return /** @type {D1Database} */ (found);
}

/**
 * What a config may name. What z0 itself is bound to, and what is no text, is none of it.
 * @param {Env} env
 * @param {string} name
 */
function secret(env, name) {
  const value = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (env))[name];
  if (typeof value !== "string" || name.startsWith("Z0_")) return encodeFailure("there is no such secret");
  return encodeSecret(value);
}

/**
 * The platform's types ask for ArrayBuffer; it takes views, too.
 * @param {Value[]} values
 */
function bindable(values) {
  return /** @type {SqlStorageValue[]} */ (values);
}
