// Moments: seconds since 1970 in UTC. A Date is the moment at which its day begins in UTC.

import { integer, sql } from "./fragment.js";
import { refuse } from "./refused.js";
import * as types from "./types.js";
import { changes, isZone, utcOf } from "./zones.js";

/** @import { Context } from "./context.js" */
/** @import { Fragment } from "./fragment.js" */
/** @import { Value } from "./types.js" */

// ClickHouse's DateTime is 32 bits of seconds.
const SECONDS_MAX = 2 ** 32 - 1;
const STEPS = { Second: 1, Minute: 60, Hour: 3600, Day: 86_400 };
const MONTHS = { Month: 1, Year: 12 };

/**
 * @param {string} text
 * @param {string} zone
 * @returns {number} seconds since 1970
 */
export function secondsOf(text, zone) {
  if (/^\d{9,10}$/.test(text)) return Math.min(Number(text), SECONDS_MAX);
  const parts = /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d))?$/.exec(text);
  if (parts === null) return refuse(`cannot read '${text.slice(0, 40)}' as 'YYYY-MM-DD hh:mm:ss'`);
  const [year, month, day, hour = 0, minute = 0, second = 0] = parts
    .slice(1)
    .map((part) => Number(part ?? 0));
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  // A month of 13 would become one of the next year.
  if (
    new Date(local).toISOString().slice(0, 10) !== text.slice(0, 10) ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  ) {
    refuse(`there is no time '${text}'`);
  }
  const seconds = types.isUtc(zone) ? local / 1000 : utcOf(zone, local / 1000);
  return Math.min(Math.max(seconds, 0), SECONDS_MAX);
}

/** A DateTime is not before 1970. @param {Fragment} seconds */
export const clamped = (seconds) => sql`max(0, min(${seconds}, ${integer(SECONDS_MAX)}))`;

/**
 * @param {string} text
 * @param {string} zone
 */
export const literalTime = (text, zone) => integer(secondsOf(text, zone));

/** @param {Value} it @returns {string} */
export function literalZone(it) {
  if (typeof it.literal !== "string") return refuse("a time zone is a string literal");
  if (!isZone(it.literal)) refuse(`unknown time zone: '${it.literal.slice(0, 40)}'`);
  return it.literal;
}

/**
 * What a clock in the zone shows, in seconds.
 * @param {Context} context
 * @param {Fragment} seconds
 * @param {string} zone
 */
export function localOf(context, seconds, zone) {
  if (types.isUtc(zone)) return seconds;
  return context.let(seconds, (it) => sql`(${it} + ${offsetOf(it, changes(zone))})`);
}

/**
 * The moment at which a clock in the zone shows this.
 * @param {Context} context
 * @param {Fragment} local
 * @param {string} zone
 */
export function momentOf(context, local, zone) {
  if (types.isUtc(zone)) return local;
  const shown = changes(zone).map(
    ([from, offset]) => /** @type {[number, number]} */ ([from + offset, offset]),
  );
  return context.let(local, (it) => sql`(${it} - ${offsetOf(it, shown)})`);
}

/**
 * The offset of the last change that is not later, by halves: a table would be searched for each row.
 * @param {Fragment} it
 * @param {[from: number, offset: number][]} known
 * @returns {Fragment}
 */
function offsetOf(it, known) {
  if (known.length === 1) return integer(known[0][1]);
  const middle = known.length >> 1;
  const [before, after] = [offsetOf(it, known.slice(0, middle)), offsetOf(it, known.slice(middle))];
  return sql`iif(${it} < ${integer(known[middle][0])}, ${before}, ${after})`;
}

/**
 * Days and longer are those of the zone's clock: one of them may have 23 hours.
 * @param {Context} context
 * @param {Value} time
 * @param {Value} interval
 * @param {boolean} back
 * @returns {Value}
 */
export function plusInterval(context, time, interval, back) {
  const unit = interval.type.slice("Interval".length);
  const count = Number(interval.literal) * (back ? -1 : 1);
  const zone = types.zoneOf(time.type);
  if (unit === "Month" || unit === "Year") {
    const months = integer(count * MONTHS[unit]);
    const local = localOf(context, time.sql, zone);
    // The last day of a shorter month stands for the days that it has not.
    const moved = sql`unixepoch(${local}, 'unixepoch', ${months} || ' months', 'floor')`;
    return types.value(time.type, momentOf(context, moved, zone));
  }
  const seconds = integer(count * STEPS[/** @type {keyof typeof STEPS} */ (unit)]);
  if (unit === "Day") {
    return types.value(
      time.type,
      momentOf(context, sql`(${localOf(context, time.sql, zone)} + ${seconds})`, zone),
    );
  }
  // A Date and a part of a day are a DateTime.
  return types.value(
    time.type === "Date" ? "DateTime" : time.type,
    sql`(${time.sql} + ${seconds})`,
  );
}

/**
 * @param {Context} context
 * @param {Value} time
 * @param {Value} interval
 * @param {string} zone
 * @returns {Value}
 */
export function startOf(context, time, interval, zone) {
  const unit = interval.type.slice("Interval".length);
  const count = Number(interval.literal);
  if (count < 1) refuse("an INTERVAL of a toStartOfInterval() is at least 1");
  // Asked for only where it is used: SQLite wants each bound value to stand somewhere.
  const local = () => localOf(context, time.sql, zone);
  if (unit === "Month" || unit === "Year") {
    return types.value("Date", startOfMonths(context, local(), count * MONTHS[unit], unit));
  }
  if (time.type === "Date" && unit !== "Day") refuse(`a Date has no ${unit.toLowerCase()}`);
  const seconds = STEPS[/** @type {keyof typeof STEPS} */ (unit)] * count;
  // Minutes and seconds are those of UTC, hours and days those of the zone's clock.
  const isClock = unit === "Hour" || unit === "Day";
  const from = isClock ? local() : time.sql;
  // Hours are counted anew from each midnight.
  const past = (/** @type {Fragment} */ it) =>
    unit === "Hour" ? sql`(${it} % ${integer(STEPS.Day)})` : it;
  const start = context.let(from, (it) => sql`(${it} - ${past(it)} % ${integer(seconds)})`);
  return types.value(types.dateTimeIn(zone), isClock ? momentOf(context, start, zone) : start);
}

/**
 * @param {Context} context
 * @param {Fragment} local
 * @param {number} months
 * @param {"Month" | "Year"} unit
 */
function startOfMonths(context, local, months, unit) {
  const year = sql`CAST(strftime('%Y', ${local}, 'unixepoch') AS INTEGER)`;
  // Years are counted from 0, months from 1900.
  const epoch = integer(unit === "Year" ? 0 : 1900 * 12);
  const month = sql`(${year} * 12 + CAST(strftime('%m', ${local}, 'unixepoch') AS INTEGER) - 1 - ${epoch})`;
  return context.let(
    sql`(${month} / ${integer(months)} * ${integer(months)} + ${epoch})`,
    (it) => sql`max(0, unixepoch(printf('%04d-%02d-01', ${it} / 12, ${it} % 12 + 1)))`,
  );
}

/**
 * @param {Context} context
 * @param {Value} time a moment or a day
 * @param {string} [zone] another one than its own
 */
export const clockOf = (context, time, zone = types.zoneOf(time.type)) =>
  time.type === "Date" ? time.sql : localOf(context, time.sql, zone);
