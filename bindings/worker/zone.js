// What the clocks of a time zone show, by the platform's own copy of the IANA database.

const DAY_MS = 86_400_000;

/** "GMT", "GMT+5:30", "GMT-03:00". */
const OFFSET = /^GMT(?:([+-])(\d{1,2}):(\d{2})(?::\d{2})?)?$/;

/**
 * Minutes to be added to UTC.
 * @param {Intl.DateTimeFormat} format
 * @param {number} atMs
 */
function offsetAt(format, atMs) {
  const name = format.formatToParts(atMs).find((part) => part.type === "timeZoneName")?.value ?? "";
  const found = OFFSET.exec(name);
  if (found === null) throw new Error(`an offset is written ${name}`);
  const minutes = Number(found[2] ?? 0) * 60 + Number(found[3] ?? 0);
  return found[1] === "-" ? -minutes : minutes;
}

/**
 * The offset now, and until when it is known to hold: its next change, or a day from now.
 * @param {string} zone
 * @param {number} nowMs
 * @returns {{offsetMin: number, untilMs: number} | undefined} nothing where there is no such zone
 */
export function zoneAt(zone, nowMs) {
  /** @type {Intl.DateTimeFormat} */
  let format;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  } catch {
    return undefined;
  }
  const offsetMin = offsetAt(format, nowMs);
  let before = nowMs;
  let untilMs = nowMs + DAY_MS;
  if (offsetAt(format, untilMs) === offsetMin) return { offsetMin, untilMs };
  while (untilMs - before > 1) {
    const between = Math.floor((before + untilMs) / 2);
    if (offsetAt(format, between) === offsetMin) before = between;
    else untilMs = between;
  }
  return { offsetMin, untilMs };
}
