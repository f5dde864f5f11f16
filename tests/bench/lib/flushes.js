// What an isolate tells a shard of the monitor, as bindings/worker/streams.js writes it.
import { Writer, encodePoint, encodeReports } from "./shim_in_node.js";

/** @typedef {{measures: number, index: string, blobs: string[], howMuch: number, value: number, trace: string}} Point */

const COUNTER = 0;
const HISTOGRAM = 1;
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

/** @param {string} tenant @param {string} asset @returns {Point} */
export const factsWritten = (tenant, asset) => ({
  measures: COUNTER,
  index: tenant,
  blobs: ["z0_facts_written_total", "invocation", "inbound_call", asset],
  howMuch: 3,
  value: 0,
  trace: TRACE,
});

/** @param {string} tenant @param {string} type @param {number} ms @returns {Point} */
export const writeDuration = (tenant, type, ms) => ({
  measures: HISTOGRAM,
  index: tenant,
  blobs: ["z0_facts_write_duration_ms", type],
  howMuch: 3,
  value: ms,
  trace: TRACE,
});

/** One isolate's flushes, one after the other. */
export class Isolate {
  /** @param {number} id @param {number} nowMs */
  constructor(id, nowMs) {
    this.id = new Uint8Array(new BigUint64Array([BigInt(id) + 1n]).buffer);
    this.beganMs = nowMs;
    this.number = 0;
    this.events = 0;
  }

  /** A report of one flush. @param {Point[]} points @returns {Uint8Array} */
  report(points) {
    const events = points.reduce((sum, { howMuch }) => sum + howMuch, 0);
    const w = new Writer().bytesOf(this.id).i64(this.beganMs).i64(++this.number);
    w.i64(this.events).i64(events).u32(points.length);
    for (const point of points) w.blob(encodePoint(point));
    this.events += events;
    return encodeReports([w.done()]);
  }
}
