// What an isolate tells the monitor's shards, by a shard that takes flushes or does not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { tellShards } from "../../bindings/worker/streams.js";
import { Effect, Phase, PointKind } from "../../bindings/worker/types.js";

/** @import { Host, Point } from "../../bindings/worker/types.js" */

const HOUR_MS = 3_600_000;

/**
 * One flush: events before it, and of it.
 * @typedef {{ stream: bigint, number: bigint, before: bigint, events: bigint }} Flush
 */

/** A shard, and the flushes of each call. */
function shardThat() {
  /** @type {{ takes: boolean, calls: Flush[][] }} */
  const shard = { takes: true, calls: [] };
  /** @param {string} _name @param {Uint8Array} reports */
  const tell = async (_name, reports) => {
    const view = new DataView(reports.buffer, reports.byteOffset, reports.byteLength);
    /** @type {Flush[]} */
    const flushes = [];
    for (let at = 0; at < reports.length; at += 4 + view.getUint32(at, true)) {
      const word = (/** @type {number} */ i) => view.getBigUint64(at + 4 + 8 * i, true);
      flushes.push({ stream: word(0), number: word(2), before: word(3), events: word(4) });
    }
    shard.calls.push(flushes);
    return shard.takes;
  };
  const host = /** @type {Host} */ (/** @type {unknown} */ ({ env: { MONITOR: { getByName: () => ({ tell }) } } }));
  return { shard, host };
}

/** @param {number} howMuch @returns {Point[]} */
const points = (howMuch) => [
  { kind: Effect.POINT, phase: Phase.TELL, measures: PointKind.COUNTER, index: "north", blobs: ["z0_facts_written_total", "charge", "", ""], howMuch, value: 0, trace: "" },
];

test("A flush that was not taken is told again with the next one, also when its stream has ended", async (t) => {
  const { shard, host } = shardThat();
  t.mock.timers.enable({ apis: ["Date"], now: HOUR_MS });
  shard.takes = false;
  await tellShards(host, points(3), new Map());
  await tellShards(host, points(4), new Map([["north", 2]]));
  t.mock.timers.tick(HOUR_MS);
  shard.takes = true;
  await tellShards(host, points(5), new Map());
  await tellShards(host, points(6), new Map());
  const ended = shard.calls[2] ?? [];
  const numbers = ended.map(({ number, before, events }) => [number, before, events]);
  assert.deepEqual(numbers, [[1n, 0n, 3n], [2n, 5n, 4n], [1n, 0n, 5n]]);
  assert.equal(ended[0]?.stream, ended[1]?.stream);
  assert.notEqual(ended[0]?.stream, ended[2]?.stream);
  assert.deepEqual(shard.calls[3], [{ stream: ended[2]?.stream, number: 2n, before: 5n, events: 6n }]);
});
