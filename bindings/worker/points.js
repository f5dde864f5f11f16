// Measurements, merged over the isolate for a moment: equal ones add up, so that a busy isolate writes far
// fewer data points than it takes requests. What equal means stands at Z0_POINT in include/z0.h.

import { soon } from "./collect.js";
import { tellShards } from "./streams.js";
import { logError } from "./log.js";
import { Effect, Phase, PointKind, Target } from "./types.js";

/** @import { Host, Point } from "./types.js" */

const MERGE_MS = 1_000;
// Analytics Engine takes 250 data points of one invocation; further ones wait for the next.
const WRITTEN_AT_ONCE_MAX = 200;
// Blobs of a data point, of which the last one is the trace.
const BLOBS = 20;
// Of one moment, while nobody takes them: some MB. Further ones are given up.
const POINTS_MAX = 10_000;

/** No frame's host: what is counted comes from none. */
const NOBODY = { target: Target.EDGE, incarnation: new Uint32Array(2) };

/** @type {Map<string, Point>} */
let points = new Map();
/** Events that there was no room for, by tenant: the monitor is told how many they were. @type {Map<string, number>} */
let given = new Map();
const writeSoon = soon(writeCollected, MERGE_MS);

/**
 * @param {Host} host
 * @param {Point} point
 */
export function collect(host, point) {
  const key = keyOf(point);
  const same = points.get(key);
  if (same !== undefined) merge(same, point);
  else if (points.size < POINTS_MAX) points.set(key, point);
  else given.set(point.index, (given.get(point.index) ?? 0) + point.howMuch);
  writeSoon(host);
}

/**
 * What failed before the core could say so, as a trap or an object that is gone: one of z0_errors_total.
 * @param {Pick<Host, "env" | "ctx">} host
 * @param {string} layer
 * @param {string} component
 * @param {string} [trace]
 */
export function countError({ env, ctx }, layer, component, trace = "") {
  const blobs = ["z0_errors_total", layer, component, "internal_error"];
  collect(
    { ...NOBODY, env, ctx },
    {
      kind: Effect.POINT,
      phase: Phase.TELL,
      measures: PointKind.COUNTER,
      index: "",
      blobs,
      howMuch: 1,
      value: 0,
      trace,
    },
  );
}

/** @param {Point} point */
function keyOf({ measures, index, blobs, value }) {
  const labels = [index, ...blobs].join("\0");
  return measures === PointKind.HISTOGRAM ? `${labels}\0${value}` : labels;
}

/**
 * @param {Point} same
 * @param {Point} point that came later
 */
function merge(same, { measures, howMuch, value, trace }) {
  if (measures !== PointKind.GAUGE) same.howMuch += howMuch;
  same.value = value;
  if (trace !== "") same.trace = trace;
}

/** @param {Host} host */
async function writeCollected(host) {
  const merged = [...points.values()];
  points = new Map();
  const now = merged.slice(0, WRITTEN_AT_ONCE_MAX);
  for (const point of now) write(host, point);
  for (const point of merged.slice(WRITTEN_AT_ONCE_MAX)) collect(host, point);
  const lost = given;
  given = new Map();
  await tellShards(host, now, lost);
}

/**
 * Analytics Engine's own binding returns nothing, and throws when a point breaks one of its limits; an
 * RPC stand-in returns a promise. Neither concerns the caller, whose facts are recorded.
 * @param {Host} host
 * @param {Point} point
 */
function write({ ctx, env }, { index, blobs, howMuch, value, trace }) {
  const none = Array.from({ length: BLOBS - 1 - blobs.length }, () => "");
  const point = {
    indexes: [index],
    blobs: [...blobs, ...none, trace],
    doubles: [howMuch, value],
  };
  try {
    const written = env.METRICS?.writeDataPoint(point);
    if (written) ctx.waitUntil(written.catch((error) => logError("z0.point_failed", error)));
  } catch (error) {
    logError("z0.point_failed", error);
  }
}
