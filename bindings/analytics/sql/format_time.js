// formatDateTime: ClickHouse's letters, said with those of SQLite's strftime where it has them.

import { expectTypes } from "./context.js";
import { clockOf, literalZone } from "./clock.js";
import { joined, sql, string } from "./fragment.js";
import { refuse } from "./refused.js";
import { isTime, isUtc, value, zoneOf } from "./types.js";

/** @import { Definition } from "./context.js" */
/** @import { Fragment } from "./fragment.js" */

/** @typedef {(clock: Fragment) => Fragment} Letter */

/** @param {Fragment} pattern @returns {Letter} */
const strftime = (pattern) => (it) => sql`strftime(${pattern}, ${it}, 'unixepoch')`;

const MONTHS = sql`('January  February March    April    May      June     '
  || 'July     August   SeptemberOctober  November December ')`;
const DAYS = sql`'Sunday   Monday   Tuesday  WednesdayThursday Friday   Saturday '`;

/** @type {Letter} */
const month = (it) =>
  sql`rtrim(substr(${MONTHS}, CAST(strftime('%m', ${it}, 'unixepoch') AS INTEGER) * 9 - 8, 9))`;
/** @type {Letter} */
const day = (it) =>
  sql`rtrim(substr(${DAYS}, CAST(strftime('%w', ${it}, 'unixepoch') AS INTEGER) * 9 + 1, 9))`;
/** @type {Letter} */
const hour12 = (it) => sql`printf('%02d', (${it} / 3600 + 11) % 12 + 1)`;
/** @type {Letter} */
const noon = (it) => sql`iif(${it} % 86400 < 43200, 'AM', 'PM')`;

/** @type {Map<string, Letter>} */
const LETTERS = new Map(
  Object.entries({
    a: (it) => sql`substr(${day(it)}, 1, 3)`,
    b: (it) => sql`substr(${month(it)}, 1, 3)`,
    c: strftime(sql`'%m'`),
    C: (it) => sql`substr(strftime('%Y', ${it}, 'unixepoch'), 1, 2)`,
    d: strftime(sql`'%d'`),
    D: (it) =>
      sql`strftime('%m/%d/', ${it}, 'unixepoch') || substr(strftime('%Y', ${it}, 'unixepoch'), 3)`,
    e: (it) => sql`CAST(strftime('%d', ${it}, 'unixepoch') AS INTEGER)`,
    f: () => sql`'000000'`,
    F: strftime(sql`'%Y-%m-%d'`),
    g: (it) => sql`substr(strftime('%G', ${it}, 'unixepoch'), 3)`,
    G: strftime(sql`'%G'`),
    h: hour12,
    H: strftime(sql`'%H'`),
    i: strftime(sql`'%M'`),
    I: hour12,
    j: strftime(sql`'%j'`),
    k: strftime(sql`'%H'`),
    l: hour12,
    m: strftime(sql`'%m'`),
    M: month,
    n: () => sql`char(10)`,
    p: noon,
    Q: (it) => sql`((CAST(strftime('%m', ${it}, 'unixepoch') AS INTEGER) + 2) / 3)`,
    r: (it) => sql`${hour12(it)} || strftime(':%M ', ${it}, 'unixepoch') || ${noon(it)}`,
    R: strftime(sql`'%H:%M'`),
    s: strftime(sql`'%S'`),
    S: strftime(sql`'%S'`),
    t: () => sql`char(9)`,
    T: strftime(sql`'%H:%M:%S'`),
    u: strftime(sql`'%u'`),
    V: strftime(sql`'%V'`),
    w: strftime(sql`'%w'`),
    W: day,
    y: (it) => sql`substr(strftime('%Y', ${it}, 'unixepoch'), 3)`,
    Y: strftime(sql`'%Y'`),
    "%": () => sql`'%'`,
  }),
);

/** @param {string} format @returns {{ letter?: string, text?: string }[]} */
function piecesOf(format) {
  return [...format.matchAll(/%([\s\S]?)|[^%]+/g)].map(([text, letter]) =>
    letter === undefined ? { text } : { letter },
  );
}

/** @type {Definition} */
export const formatDateTime = [
  2,
  3,
  (context, [time, format, zone], tree) => {
    expectTypes(tree, [time], isTime);
    if (typeof format.literal !== "string")
      return refuse("the format of formatDateTime() is a string literal");
    const place = zone ? literalZone(zone) : zoneOf(time.type);
    const clock = clockOf(context, time, place);
    const pieces = piecesOf(format.literal);
    const text = context.let(clock, (it) => {
      const parts = pieces.map(({ letter, text = "" }) => {
        if (letter === undefined) return string(text);
        if (letter === "z" && isUtc(place)) return sql`'+0000'`;
        const say = LETTERS.get(letter);
        return say === undefined
          ? refuse(`unsupported letter in formatDateTime(): %${letter}`)
          : say(it);
      });
      return sql`('' || ${joined(parts.length > 0 ? parts : [sql`''`], sql` || `)})`;
    });
    return value("String", text);
  },
];
