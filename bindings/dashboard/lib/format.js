// Values to words: counts, rates, durations, money, times. Pure functions; each takes null for a
// value that z0 did not send, and shows a dash.

export const DASH = "–";

// Nothing that z0 counts gets here; such a number is shown as what it is, without its 300 zeros.
const NONSENSE = 1e15;

const grouped = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const hundredths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const compact = new Intl.NumberFormat(undefined, {
  notation: "compact",
  maximumSignificantDigits: 4,
});
const scientific = new Intl.NumberFormat(undefined, {
  notation: "scientific",
  maximumFractionDigits: 2,
});
const short = new Intl.NumberFormat(undefined, {
  notation: "compact",
  maximumSignificantDigits: 3,
});

/**
 * A whole number, grouped; from a billion on shortened, because a tile holds no more digits.
 * @param {number | null} n
 */
export function count(n) {
  if (n === null) return DASH;
  if (n >= NONSENSE) return scientific.format(n);
  return n < 1e9 ? grouped.format(n) : compact.format(n);
}

/**
 * All digits, for a title.
 * @param {number | null} n
 */
export function countInFull(n) {
  return n === null ? "" : grouped.format(n);
}

/**
 * A count for an axis.
 * @param {number} n
 */
export function countShort(n) {
  if (n >= NONSENSE) return scientific.format(n);
  return n < 10_000 ? grouped.format(n) : short.format(n);
}

/**
 * A mean of counts: one decimal while it is small.
 * @param {number | null} n
 */
export function rate(n) {
  if (n === null) return DASH;
  return n < 100 ? tenths.format(n) : count(Math.round(n));
}

/**
 * @param {number | null} ratio 0 to 1
 */
export function percent(ratio) {
  if (ratio === null) return DASH;
  const value = ratio * 100;
  if (value > 0 && value < 0.01) return "< 0.01 %";
  return `${hundredths.format(value)} %`;
}

/**
 * A part of a whole, to a tenth: for lists where the parts are compared.
 * @param {number} ratio 0 to 1
 */
export function share(ratio) {
  return ratio > 0 && ratio < 0.001 ? "< 0.1 %" : `${tenths.format(ratio * 100)} %`;
}

/**
 * @param {number | null} ms
 */
export function duration(ms) {
  if (ms === null) return DASH;
  if (ms >= NONSENSE) return `${scientific.format(ms)} ms`;
  if (ms < 1_000) return `${grouped.format(ms)} ms`;
  if (ms < 60_000)
    return `${(Math.floor(ms / 100) / 10).toLocaleString(undefined, { minimumFractionDigits: 1 })} s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 172_800)
    return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${count(Math.floor(seconds / 86_400))} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}

/** @type {Map<string, {digits: number, format: Intl.NumberFormat} | null>} */
const currencies = new Map();

/**
 * Minor digits of ISO 4217 where they are not two, as the ledger counts them. Intl's own differ:
 * they say what is shown in shops, which for HUF or IDR is no minor unit.
 * @type {Record<number, string>}
 */
export const MINOR_DIGITS = {
  0:
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XAG XAU XBA XBB XBC XBD XDR" +
    " XOF XPD XPF XPT XSU XTS XUA",
  3: "BHD IQD JOD KWD LYD OMR TND",
  4: "CLF UYW",
};
const minorDigits = new Map(
  Object.entries(MINOR_DIGITS).flatMap(([digits, codes]) =>
    codes.split(" ").map((code) => /** @type {[string, number]} */ ([code, Number(digits)])),
  ),
);

/**
 * The formatter of a currency, null when the name is none. A fact of an older z0 may have any three
 * letters, so the map is bounded.
 * @param {string} currency
 */
function currencyFormat(currency) {
  const known = currencies.get(currency);
  if (known !== undefined) return known;
  /** @type {{digits: number, format: Intl.NumberFormat} | null} */
  let made = null;
  try {
    const digits = minorDigits.get(currency) ?? 2;
    const format = new Intl.NumberFormat(undefined, {
      style: "currency",
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    made = { digits, format };
  } catch {
    // RangeError: not three letters.
  }
  if (currencies.size > 200) currencies.clear();
  currencies.set(currency, made);
  return made;
}

/**
 * Minor units in their currency. The decimal point is set in the digits, not by a division: amounts
 * reach 2^53 - 1 and a double would round the cents away.
 * @param {number | null} amount
 * @param {string | null} currency USD when null, as in the ledger
 */
export function money(amount, currency) {
  if (amount === null) return "";
  if (!Number.isSafeInteger(amount)) return `${amount} ${currency ?? ""}`.trim();
  const known = currencyFormat(currency ?? "USD");
  if (known === null) return `${grouped.format(amount)} ${currency}`;
  const digits = String(Math.abs(amount)).padStart(known.digits + 1, "0");
  const point = digits.length - known.digits;
  const decimal = known.digits === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  const signed = amount < 0 ? `-${decimal}` : decimal;
  return known.format.format(/** @type {any} */ (signed)); // exact decimal strings: not yet in the types
}

const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const dayFormat = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/** @param {number | null} ms @returns {ms is number} what a Date can hold */
function isTime(ms) {
  return ms !== null && Math.abs(ms) <= 8.64e15;
}

/**
 * Local time of day; another day than `todayMs` is named.
 * @param {number | null} ms
 * @param {number} [todayMs]
 */
export function clock(ms, todayMs) {
  if (!isTime(ms)) return DASH;
  const time = clockFormat.format(ms);
  if (todayMs === undefined || !isTime(todayMs)) return time;
  const day = dayFormat.format(ms);
  const sameDay = Math.abs(ms - todayMs) < 86_400_000 && day === dayFormat.format(todayMs);
  return sameDay ? time : `${day}, ${time}`;
}

/**
 * The same instant in UTC, for a title.
 * @param {number | null} ms
 */
export function utc(ms) {
  return isTime(ms) ? `${new Date(ms).toISOString().replace("T", " ").replace("Z", "")} UTC` : "";
}

/**
 * @param {number | null} ms
 */
export function isoTime(ms) {
  return isTime(ms) ? new Date(ms).toISOString() : "";
}
