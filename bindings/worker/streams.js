// What this isolate tells the monitor's shards: flushes of merged points. The isolate has a random id, and
// numbers its flushes by shard; each says how many events were told before it. So the shard counts one
// that comes late or twice once, and knows how much is missing. include/z0/monitor/streams.hpp has the
// other side.

import { Writer } from "./bytes.js";
import { encodePoint, encodeReports } from "./effects.js";
import { logError } from "./log.js";

/** @import { Host, Point } from "./types.js" */

// After so long without a word a stream ends, and a new one begins: the shard forgets those that are
// silent for twice as long.
const SILENCE_MS = 1_800_000;
// Flushes that a shard did not take are told again with the next one, within this.
const KEPT_BYTES_MAX = 1 << 20;
export const SHARDS_MAX = 32;

/**
 * @typedef {object} Stream
 * @property {Uint8Array} id 8 bytes
 * @property {number} beganMs
 * @property {number} toldMs
 * @property {number} number of the last flush
 * @property {number} events told or given up so far
 */

/** @type {Map<number, Stream>} by shard */
const streams = new Map();
/** Flushes that were not taken, oldest first, by shard: also of streams that have ended. @type {Map<number, Uint8Array[]>} */
const kept = new Map();

/**
 * @param {Host} host
 * @param {Point[]} points
 * @param {Map<string, number>} lost events by tenant, which no point of these tells of
 */
export async function tellShards({ env }, points, lost) {
  const shards = shardsOf(env.Z0_SETTINGS);
  /** @type {Map<number, {points: Point[], lost: number}>} */
  const told = new Map();
  const of = (/** @type {string} */ tenant) => {
    const shard = shardOf(tenant, shards);
    const share = told.get(shard) ?? { points: [], lost: 0 };
    told.set(shard, share);
    return share;
  };
  for (const point of points) of(point.index).points.push(point);
  for (const [tenant, events] of lost) of(tenant).lost += events;
  await Promise.all(
    [...told].map(async ([shard, share]) => {
      const stream = streamOf(shard);
      stream.events += share.lost;
      await tell(env, shard, flushOf(stream, share.points));
    }),
  );
}

/**
 * What was not taken stays for the next time.
 * @param {Host["env"]} env
 * @param {number} shard
 * @param {Uint8Array} flush
 */
async function tell(env, shard, flush) {
  const name = `metrics_${shard}`;
  const flushes = [...(kept.get(shard) ?? []), flush];
  kept.delete(shard);
  try {
    if (await env.MONITOR.getByName(name).tell(name, encodeReports(flushes))) return;
  } catch (error) {
    logError("z0.tell_failed", error);
  }
  flushes.push(...(kept.get(shard) ?? []));
  let bytes = flushes.reduce((sum, { length }) => sum + length, 0);
  while (bytes > KEPT_BYTES_MAX) {
    bytes -= /** @type {Uint8Array} */ (flushes.shift()).length;
  }
  kept.set(shard, flushes);
}

/** @param {number} shard */
function streamOf(shard) {
  const now = Date.now();
  const known = streams.get(shard);
  if (known !== undefined && now < known.toldMs + SILENCE_MS) {
    known.toldMs = now;
    return known;
  }
  const id = crypto.getRandomValues(new Uint8Array(8));
  /** @type {Stream} */
  const stream = { id, beganMs: now, toldMs: now, number: 0, events: 0 };
  streams.set(shard, stream);
  return stream;
}

/**
 * @param {Stream} stream
 * @param {Point[]} points
 */
function flushOf(stream, points) {
  const events = points.reduce((sum, { howMuch }) => sum + howMuch, 0);
  const w = new Writer().bytesOf(stream.id).i64(stream.beganMs).i64(++stream.number);
  w.i64(stream.events).i64(events).u32(points.length);
  for (const point of points) w.blob(encodePoint(point));
  stream.events += events;
  return w.done();
}

/** @type {{text: string | undefined, shards: number}} */
let read = { text: undefined, shards: 1 };

/**
 * The setting `monitor_shards`, as the core reads it.
 * @param {string | undefined} text
 */
function shardsOf(text) {
  if (text === undefined) return 1;
  if (read.text === text) return read.shards;
  let shards = 1;
  try {
    const { monitor_shards } = JSON.parse(text);
    const fits = Number.isInteger(monitor_shards) && monitor_shards >= 1;
    if (fits && monitor_shards <= SHARDS_MAX) shards = monitor_shards;
  } catch {
    // Settings that cannot be read say nothing, to the core either.
  }
  read = { text, shards };
  return shards;
}

/**
 * FNV-1a of the tenant.
 * @param {string} tenant
 * @param {number} shards
 */
function shardOf(tenant, shards) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(tenant)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash % shards;
}
