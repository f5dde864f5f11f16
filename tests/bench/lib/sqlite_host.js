// What objects live on, in Node over SQLite: for benchmarks that drive one without a Worker.
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { FRAME, EFFECT, answerCall, compileCore, loadCore, readNeedCall, readReply, readResume } from "./abi.js";

/** @typedef {import("./abi.js").Head} Head */
/** @typedef {import("./abi.js").Reader} Reader */

const OF_OBJECTS = [FRAME.call, FRAME.tell, FRAME.alarm];
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Rows, an alarm, and the core; calls are answered by the same core. */
export class SqliteHost {
  /** @param {string} wasm @param {number} nowMs */
  constructor(wasm, nowMs) {
    this.core = loadCore(compileCore(readFileSync(wasm)));
    this.db = new DatabaseSync(":memory:");
    this.rows = 0;
    this.nowMs = nowMs;
    /** Objects by their incarnations; nobody has the first one. */
    this.lives = [""];
    /** ms in the core's steps, by object. @type {Record<string, number>} */
    this.spentMs = {};
  }

  /** @param {Head} head @param {Uint8Array[]} parts @returns {Uint8Array} the reply's body */
  run(head, parts) {
    const object = OF_OBJECTS.includes(head.kind) ? decoder.decode(parts[0]) : "";
    const incarnation = this.lifeOf(object);
    /** @type {Uint8Array[]} */
    let answers = [];
    for (;;) {
      const begun = performance.now();
      const effects = this.core.step(head, parts, { nowMs: this.nowMs, incarnation, answers });
      this.spentMs[object] = (this.spentMs[object] ?? 0) + performance.now() - begun;
      /** @type {Uint8Array | undefined} */
      let next;
      let reply = new Uint8Array(0);
      /** @type {ReturnType<typeof readNeedCall>[]} */
      const calls = [];
      answers = [];
      for (const effect of effects) {
        const reader = this.core.read(effect);
        if (effect.kind === EFFECT.needRows) answers.push(this.query(reader));
        else if (effect.kind === EFFECT.needResume) next = readResume(reader).continuation;
        else if (effect.kind === EFFECT.needCall) calls.push(readNeedCall(reader));
        else if (effect.kind === EFFECT.write) this.write(reader);
        else if (effect.kind === EFFECT.alarm) this.rows++;
        else if (effect.kind === EFFECT.reply) reply = readReply(reader).body;
      }
      // Their steps take the place of these effects in the core's memory.
      for (const call of calls) answers.push(this.call(call));
      if (next === undefined && answers.length === 0) return reply;
      // Rows alone may be asked for by the same frame again.
      if (next === undefined) continue;
      head = { kind: FRAME.resume, target: head.target };
      parts = [next];
    }
  }

  /** @param {string} object */
  lifeOf(object) {
    const known = this.lives.indexOf(object);
    return known >= 0 ? known : this.lives.push(object) - 1;
  }

  /** @param {ReturnType<typeof readNeedCall>} need */
  call({ target, method, object, request }) {
    const reply = this.run({ kind: FRAME.call, target, method }, [encoder.encode(object), request]);
    return answerCall(reply, request);
  }

  /** @param {Reader} reader */
  statement(reader) {
    const sql = reader.text();
    /** @type {(null | number | string | Uint8Array)[]} */
    const values = [];
    for (let n = reader.u16(); n > 0; n--) {
      const kind = reader.u8();
      if (kind === 0) values.push(null);
      else if (kind === 1) values.push(reader.u32() + reader.u32() * 2 ** 32);
      else if (kind === 2) values.push(reader.text());
      else values.push(reader.bytes());
    }
    return { statement: this.db.prepare(sql), values };
  }

  /** @param {Reader} reader */
  write(reader) {
    const { statement, values } = this.statement(reader);
    this.rows += Number(statement.run(...values).changes);
  }

  /** @param {Reader} reader */
  query(reader) {
    try {
      const { statement, values } = this.statement(reader);
      const columns = statement.columns().length;
      const rows = statement.all(...values).map((row) => Object.values(/** @type {object} */ (row)));
      return encodeRows(columns, rows);
    } catch (error) {
      return encodeFailure(String(error));
    }
  }
}

/** An answer of rows, as include/z0.h has it. @param {number} columns @param {unknown[][]} rows */
function encodeRows(columns, rows) {
  const parts = [];
  const head = Buffer.alloc(11);
  head.writeUInt16LE(columns, 5);
  head.writeUInt32LE(rows.length, 7);
  parts.push(head);
  for (const value of rows.flat()) {
    if (value === null) parts.push(Buffer.of(0));
    else if (typeof value === "number") {
      const cell = Buffer.alloc(9, 1);
      cell.writeBigInt64LE(BigInt(value), 1);
      parts.push(cell);
    } else {
      const text = typeof value === "string";
      const bytes = text ? Buffer.from(value) : Buffer.from(/** @type {Uint8Array} */ (value));
      const cell = Buffer.alloc(5, text ? 2 : 3);
      cell.writeUInt32LE(bytes.length, 1);
      parts.push(cell, bytes);
    }
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** The answer to a statement that failed. @param {string} message */
function encodeFailure(message) {
  const text = Buffer.from(message);
  const head = Buffer.alloc(5, 1);
  head.writeUInt32LE(text.length, 1);
  return new Uint8Array(Buffer.concat([head, text]));
}
