// Functions of date and time.

import { cannotUse, expectTypes, raise } from "./context.js";
import { clamped, clockOf, literalTime, literalZone, momentOf, startOf } from "./clock.js";
import { formatDateTime } from "./format_time.js";
import { integer, sql } from "./fragment.js";
import { value, isNumber, isTime, dateTimeIn, kind, zoneOf } from "./types.js";

/** @import { Context, Definition } from "./context.js" */
/** @import { Fragment } from "./fragment.js" */

const DAY = 86_400;

/**
 * A part of what the clock shows.
 * @param {string} type
 * @param {(clock: Fragment) => Fragment} part
 * @param {boolean} ofDays whether a Date has it
 * @returns {Definition}
 */
const part = (type, part, ofDays = true) => [
  1,
  1,
  (context, [time], tree) => {
    expectTypes(tree, [time], ofDays ? isTime : (it) => kind(it) === "DateTime");
    return value(type, part(clockOf(context, time)));
  },
];

/**
 * The beginning of the day, hour, ... on the clock, as a DateTime.
 * @param {"Second" | "Minute" | "Hour" | "Day"} unit
 * @param {string} count
 * @returns {Definition}
 */
const start = (unit, count = "1") => [
  1,
  1,
  (context, [time], tree) => {
    expectTypes(tree, [time], isTime);
    const interval = value(`Interval${unit}`, sql`NULL`, { literal: count });
    return startOf(context, time, interval, zoneOf(time.type));
  },
];

/**
 * The first day of the month or year, as a Date.
 * @param {"Month" | "Year"} unit
 * @returns {Definition}
 */
const firstDay = (unit) => [
  1,
  1,
  (context, [time], tree) => {
    expectTypes(tree, [time], isTime);
    const interval = value(`Interval${unit}`, sql`NULL`, { literal: "1" });
    return startOf(context, time, interval, zoneOf(time.type));
  },
];

/** Monday, as Analytics Engine documents it; ClickHouse's week begins on Sunday. @type {Definition} */
const toStartOfWeek = [
  1,
  1,
  (context, [time], tree) => {
    expectTypes(tree, [time], isTime);
    const day = sql`(${clockOf(context, time)} / ${integer(DAY)})`;
    // 1970 began on a Thursday.
    return value(
      "Date",
      context.let(day, (it) => sql`(max(0, ${it} - (${it} + 3) % 7) * ${integer(DAY)})`),
    );
  },
];

/** @type {Definition} */
const toStartOfInterval = [
  2,
  3,
  (context, [time, interval, zone], tree) => {
    expectTypes(tree, [time, interval], isTime, (type) => type.startsWith("Interval"));
    return startOf(context, time, interval, zone ? literalZone(zone) : zoneOf(time.type));
  },
];

/** @type {Definition} */
const toDateTime = [
  1,
  2,
  (context, [it, zoneArgument], tree) => {
    const zone = zoneArgument ? literalZone(zoneArgument) : zoneOf(it.type);
    const type = dateTimeIn(zone);
    if (isTime(it.type))
      return value(type, it.type === "Date" ? momentOf(context, it.sql, zone) : it.sql);
    if (isNumber(it.type)) return value(type, clamped(sql`CAST(${it.sql} AS INTEGER)`));
    if (it.type !== "String") return cannotUse(tree, 0, it.type);
    if (typeof it.literal === "string") return value(type, literalTime(it.literal, zone));
    return value(type, readTime(context, it.sql, zone));
  },
];

/**
 * @param {Context} context
 * @param {Fragment} text 'YYYY-MM-DD hh:mm:ss', or the seconds since 1970 in digits
 * @param {string} zone
 */
function readTime(context, text, zone) {
  const unreadable = raise(sql`'cannot read a string as YYYY-MM-DD hh:mm:ss'`);
  const shape = sql`'[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]*'`;
  const read = (/** @type {Fragment} */ it) =>
    sql`iif(length(${it}) IN (10, 19) AND ${it} GLOB ${shape},
      coalesce(unixepoch(${it}), ${unreadable}), ${unreadable})`;
  return context.let(
    text,
    (it) =>
      sql`CASE WHEN length(${it}) BETWEEN 9 AND 10 AND ${it} NOT GLOB '*[^0-9]*' THEN CAST(${it} AS INTEGER)
        ELSE ${momentOf(context, read(it), zone)} END`,
  );
}

/** @type {Definition} */
const toUnixTimestamp = [
  1,
  1,
  (_, [it], tree) => {
    if (typeof it.literal === "string") return value("UInt32", literalTime(it.literal, "Etc/UTC"));
    expectTypes(tree, [it], isTime);
    return value("UInt32", it.sql);
  },
];

/** @type {Definition} */
const now = [0, 0, (context) => value("DateTime", integer(context.now))];

/** @type {Definition} */
const today = [0, 0, (context) => value("Date", integer(context.now - (context.now % DAY)))];

/** @param {string} unit @returns {Definition} */
const interval = (unit) => [
  1,
  1,
  (_, [count]) => value(`Interval${unit}`, sql`NULL`, { literal: count.literal }),
];

/** @type {Record<string, Definition>} */
export const TIMES = {
  ...Object.fromEntries(
    ["Year", "Month", "Day", "Hour", "Minute", "Second"].map((unit) => [
      `toInterval${unit}`,
      interval(unit),
    ]),
  ),
  now,
  today,
  toDateTime,
  toUnixTimestamp,
  formatDateTime,
  toStartOfInterval,
  toStartOfWeek,
  toStartOfYear: firstDay("Year"),
  toStartOfMonth: firstDay("Month"),
  toStartOfDay: start("Day"),
  toStartOfHour: start("Hour"),
  toStartOfFifteenMinutes: start("Minute", "15"),
  toStartOfTenMinutes: start("Minute", "10"),
  toStartOfFiveMinutes: start("Minute", "5"),
  toStartOfMinute: start("Minute"),
  toYear: part("UInt16", (it) => sql`CAST(strftime('%Y', ${it}, 'unixepoch') AS INTEGER)`),
  toMonth: part("UInt8", (it) => sql`CAST(strftime('%m', ${it}, 'unixepoch') AS INTEGER)`),
  toDayOfMonth: part("UInt8", (it) => sql`CAST(strftime('%d', ${it}, 'unixepoch') AS INTEGER)`),
  toDayOfWeek: part("UInt8", (it) => sql`((${it} / ${integer(DAY)} + 3) % 7 + 1)`),
  toHour: part("UInt8", (it) => sql`(${it} % ${integer(DAY)} / 3600)`, false),
  toMinute: part("UInt8", (it) => sql`(${it} % 3600 / 60)`, false),
  toSecond: part("UInt8", (it) => sql`(${it} % 60)`, false),
  toYYYYMM: part("UInt32", (it) => sql`CAST(strftime('%Y%m', ${it}, 'unixepoch') AS INTEGER)`),
};
