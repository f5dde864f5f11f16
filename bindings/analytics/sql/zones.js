// Time zones: SQLite knows none, the runtime knows all. A zone is given to SQLite as a table of the
// moments at which its distance from UTC changed.

const DAY = 86_400;
// A change of clocks is undone after four weeks at the earliest (Morocco, around Ramadan).
const STEP = 14 * DAY;
const LAST = Date.UTC(2107, 0, 1) / 1000;
const KEPT_MAX = 16;

/** @type {Map<string, [from: number, offset: number][]>} */
const kept = new Map();
/** @type {Map<string, Intl.DateTimeFormat | null>} */
const formats = new Map();

/** @param {string} zone */
function formatOf(zone) {
  let format = formats.get(zone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat("en-US", {
        timeZone: zone,
        hourCycle: "h23",
        ...{ year: "numeric", month: "numeric", day: "numeric" },
        ...{ hour: "numeric", minute: "numeric", second: "numeric" },
      });
    } catch {
      format = null;
    }
    if (formats.size >= KEPT_MAX) formats.clear();
    formats.set(zone, format);
  }
  return format;
}

/** Names with a slash, as in the database of zones, and UTC. @param {string} zone */
export const isZone = (zone) =>
  /^(UTC|[A-Z]\w+(\/[\w+-]+)+)$/.test(zone) && formatOf(zone) !== null;

/**
 * Seconds to add to UTC.
 * @param {string} zone
 * @param {number} seconds since 1970
 */
export function offsetAt(zone, seconds) {
  const parts = formatOf(zone)?.formatToParts(seconds * 1000) ?? [];
  const of = (/** @type {string} */ type) =>
    Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(
    of("year"),
    of("month") - 1,
    of("day"),
    of("hour"),
    of("minute"),
    of("second"),
  );
  return local / 1000 - seconds;
}

/**
 * Each change from 1970 on: since when, and how far from UTC.
 * @param {string} zone
 */
export function changes(zone) {
  const known = kept.get(zone);
  if (known !== undefined) return known;
  /** @type {[number, number][]} */
  const found = [[0, offsetAt(zone, 0)]];
  for (let at = STEP; at < LAST; at += STEP) {
    const offset = offsetAt(zone, at);
    if (offset !== found[found.length - 1][1])
      found.push([firstWith(zone, offset, at - STEP, at), offset]);
  }
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(zone, found);
  return found;
}

/**
 * @param {string} zone
 * @param {number} offset that `after` has and `before` has not
 * @param {number} before
 * @param {number} after
 */
function firstWith(zone, offset, before, after) {
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(zone, middle) === offset) after = middle;
    else before = middle;
  }
  return after;
}

/**
 * The moment at which a clock in the zone shows this; the later one where it shows it twice.
 * @param {string} zone
 * @param {number} local seconds since 1970 on that clock
 */
export function utcOf(zone, local) {
  const guess = local - offsetAt(zone, local);
  return local - offsetAt(zone, guess);
}
