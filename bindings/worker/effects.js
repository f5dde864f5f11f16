// The codec of effects and answers, as include/z0.h lays them out.

import { Writer } from "./bytes.js";
import { Effect, Outcome } from "./types.js";

/** @import { AnyEffect, NeedCall, NeedSpan, Point, Statement, Value } from "./types.js" */
/** @import { Reader } from "./bytes.js" */

/**
 * @param {Reader} reader
 * @returns {AnyEffect[]}
 */
export function decodeEffects(reader) {
  return times(reader.u32(), () => {
    const kind = reader.u8();
    const phase = reader.u8();
    reader.u16();
    const end = reader.u32() + reader.at;
    const effect = decodeEffect(reader, kind, phase);
    if (reader.at !== end) throw new RangeError(`effect ${kind} has another size than it says`);
    return effect;
  });
}

/**
 * @param {Reader} r
 * @param {number} kind
 * @param {number} phase
 * @returns {AnyEffect}
 */
function decodeEffect(r, kind, phase) {
  switch (kind) {
    case Effect.NEED_ROWS:
    case Effect.WRITE:
      return { kind, phase, ...decodeStatement(r) };
    case Effect.NEED_QUERY:
      return {
        kind,
        phase,
        statements: times(r.u16(), () => decodeStatement(r)),
        database: r.text(),
        span: decodeSpan(r),
      };
    case Effect.NEED_CALL:
      return {
        kind,
        phase,
        target: r.u8(),
        method: r.u8(),
        name: r.text(),
        timeoutMs: r.u32(),
        request: r.blob(),
        span: decodeSpan(r),
      };
    case Effect.NEED_RESUME:
      return {
        kind,
        phase,
        continuation: r.blob(),
        stepsMax: r.u16(),
        where: r.text(),
      };
    case Effect.NEED_FETCH:
      return {
        kind,
        phase,
        method: r.text(),
        url: r.text(),
        headers: decodeHeaders(r),
        timeoutMs: r.u32(),
        body: r.blob(),
        answerBytesMax: r.u32(),
        span: decodeSpan(r),
      };
    case Effect.NEED_SIGN:
      return { kind, phase, text: r.blob() };
    case Effect.NEED_SECRET:
      return { kind, phase, name: r.text() };
    case Effect.NEED_ZONE:
      return { kind, phase, zone: r.text(), atMs: r.i64() };
    case Effect.ALARM:
      return { kind, phase, atMs: r.i64() };
    case Effect.REPLY:
      return {
        kind,
        phase,
        status: r.u16(),
        headers: decodeHeaders(r),
        body: r.blob(),
      };
    case Effect.SEND:
      return { kind, phase, body: r.blob() };
    case Effect.TELL:
      return { kind, phase, report: r.blob() };
    case Effect.POINT:
      return {
        kind,
        phase,
        measures: r.u8(),
        index: r.text(),
        blobs: times(r.u16(), () => r.text()),
        howMuch: r.f64(),
        value: r.f64(),
        trace: r.text(),
      };
    case Effect.LOG:
      return { kind, phase, level: r.u8(), text: r.text() };
    case Effect.SPAN:
      return { kind, phase, text: r.text() };
    default:
      throw new RangeError(`effect of unknown kind ${kind}`);
  }
}

/**
 * @param {Reader} r
 * @returns {[string, string][]}
 */
function decodeHeaders(r) {
  return times(r.u16(), () => [r.text(), r.text()]);
}

/**
 * @param {Reader} r
 * @returns {NeedSpan}
 */
function decodeSpan(r) {
  return { name: r.text(), members: r.text() };
}

/**
 * @param {Reader} r
 * @returns {Statement}
 */
function decodeStatement(r) {
  return { sql: r.text(), values: times(r.u16(), () => decodeValue(r)) };
}

/**
 * @param {Reader} r
 * @returns {Value}
 */
function decodeValue(r) {
  const tag = r.u8();
  switch (tag) {
    case 0:
      return null;
    case 1:
      return r.i64();
    case 2:
      return r.text();
    case 3:
      return r.blob();
    case 4:
      return r.f64();
    default:
      throw new RangeError(`value of unknown kind ${tag}`);
  }
}

/**
 * The answer to a statement that ran.
 * @param {number} changes
 * @param {number} columns
 * @param {Value[][]} rows
 */
export function encodeRows(changes, columns, rows) {
  const w = new Writer().u8(0).u32(changes).u16(columns).u32(rows.length);
  for (const row of rows) for (const value of row) encodeValue(w, value);
  return w.done();
}

/**
 * The answer to a statement that failed.
 * @param {string} message
 */
export function encodeFailure(message) {
  return new Writer().u8(1).text(message).done();
}

/**
 * The answer to Z0_NEED_SIGN.
 * @param {{signature: Uint8Array, publicKey: Uint8Array}[]} signatures
 */
export function encodeSignatures(signatures) {
  const w = new Writer().u8(0).u16(signatures.length);
  for (const { signature, publicKey } of signatures) w.blob(signature).blob(publicKey);
  return w.done();
}

/**
 * The answer to Z0_NEED_SECRET.
 * @param {string} value
 */
export function encodeSecret(value) {
  return new Writer().u8(0).text(value).done();
}

/**
 * The answer to Z0_NEED_ZONE.
 * @param {{offsetMin: number, untilMs: number}} zone
 */
export function encodeZone({ offsetMin, untilMs }) {
  return new Writer().u8(0).i64(offsetMin).i64(untilMs).done();
}

/**
 * The answer to Z0_NEED_QUERY: one answer a statement.
 * @param {Uint8Array[]} answers
 */
export function encodeQuery(answers) {
  const w = new Writer().u16(answers.length);
  for (const answer of answers) w.blob(answer);
  return w.done();
}

/**
 * The answer to Z0_NEED_QUERY when the batch failed as a whole.
 * @param {string} message
 */
export function encodeQueryFailure(message) {
  return new Writer().u16(0).text(message).done();
}

/**
 * The answer to Z0_NEED_FETCH: a status, the seconds that the other side asks to be left alone for, and
 * the body.
 * @param {number} status
 * @param {number} retryAfterS
 * @param {Uint8Array} body
 */
export function encodeFetched(status, retryAfterS, body) {
  return new Writer(64 + body.length).u8(Outcome.OK).u16(status).u32(retryAfterS).blob(body).done();
}

/**
 * The answer to Z0_NEED_FETCH where there is none.
 * @param {number} outcome
 * @param {string} message
 */
export function encodeNotFetched(outcome, message) {
  return new Writer().u8(outcome).text(message).done();
}

/**
 * The answer to Z0_NEED_CALL: a reply or, for any other outcome, a message; then the request again.
 * @param {NeedCall} need
 * @param {number} outcome
 * @param {Uint8Array | string} result
 */
export function encodeCall(need, outcome, result) {
  const w = new Writer(64 + result.length + need.request.length).u8(outcome);
  if (typeof result === "string") w.text(result);
  else w.blob(result);
  return w.blob(need.request).done();
}

/**
 * The second part of a Z0_FRAME_TELL: reports one after the other, each with its length.
 * @param {Uint8Array[]} reports
 */
export function encodeReports(reports) {
  const w = new Writer();
  for (const report of reports) w.blob(report);
  return w.done().slice();
}

/**
 * A point again as Z0_POINT has it.
 * @param {Point} point
 */
export function encodePoint({ measures, index, blobs, howMuch, value, trace }) {
  const w = new Writer().u8(measures).text(index).u16(blobs.length);
  for (const blob of blobs) w.text(blob);
  return w.f64(howMuch).f64(value).text(trace).done();
}

/**
 * JavaScript has one kind of number: whole ones within 2^53 are integers, all else is a float.
 * @param {Writer} w
 * @param {Value} value
 */
function encodeValue(w, value) {
  if (value === null) w.u8(0);
  else if (typeof value === "string") w.u8(2).text(value);
  else if (typeof value !== "number") w.u8(3).blob(bytesOf(value));
  else if (Number.isSafeInteger(value)) w.u8(1).i64(value);
  else w.u8(4).f64(value);
}

/** @param {Uint8Array | ArrayBuffer | number[]} blob */
function bytesOf(blob) {
  return blob instanceof Uint8Array ? blob : new Uint8Array(blob);
}

/**
 * @template T
 * @param {number} count
 * @param {() => T} make
 * @returns {T[]}
 */
function times(count, make) {
  const made = [];
  for (let i = 0; i < count; i++) made.push(make());
  return made;
}
