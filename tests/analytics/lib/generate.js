// Made-up queries: mostly of the right types, so that they get far, and some of them broken
// afterwards.

/** A word that stands in no template: where it shows up, a caller's text got into SQLite's. */
export const MARK = "zqmark";

/** @param {number} seed @returns {() => number} from 0 to 1; mulberry32 */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @typedef {"number" | "whole" | "text" | "time" | "truth"} Kind */

export class Generator {
  /** @param {() => number} random */
  constructor(random) {
    this.random = random;
  }

  /** @param {number} below */
  to(below) {
    return Math.floor(this.random() * below);
  }

  /** @template T @param {T[]} list @returns {T} */
  pick(list) {
    return list[this.to(list.length)];
  }

  text() {
    return this.pick([
      `'${MARK}'`,
      "''",
      "'a%b'",
      "'it''s'",
      `'${MARK}"; DROP TABLE points; --'`,
      "'\\\\%'",
      "'ä日'",
      "'12345'",
    ]);
  }

  /** @param {number} depth @returns {string} */
  number(depth) {
    if (depth <= 0) return this.pick(["double1", "double2", "1.5", "-0.25", "1e9", "double20"]);
    const [a, b, w] = [this.number(depth - 1), this.number(depth - 1), this.whole(depth - 1)];
    return this.pick([
      ...[
        `(${a} + ${b})`,
        `${a} - ${b}`,
        `${a} * ${w}`,
        `${a} / ${b}`,
        `(${a}) % (${b})`,
        `-(${a})`,
        `${w} / ${w}`,
      ],
      ...[
        `if(${this.truth(depth - 1)}, ${a}, ${b})`,
        `round(${a}, 1)`,
        `floor(${a})`,
        `ceil(${a}, -1)`,
      ],
      ...[`log(${a})`, `pow(${a}, 2)`, a, `round(${a})`, `LN(${b})`],
    ]);
  }

  /** @param {number} depth @returns {string} */
  whole(depth) {
    if (depth <= 0)
      return this.pick(["_sample_interval", "0", "1", "255", "-3", "70000", "toUInt8(double1)"]);
    const [a, b] = [this.whole(depth - 1), this.whole(depth - 1)];
    return this.pick([
      ...[
        `(${a} + ${b})`,
        `${a} - ${b}`,
        `${a} * ${b}`,
        `intDiv(${a}, ${b})`,
        `${a} % ${b}`,
        `-(${a})`,
      ],
      ...[
        `bitAnd(${a}, ${b})`,
        `bitXor(${a}, ${b})`,
        `bitNot(${a})`,
        `bitShiftLeft(${a}, 3)`,
        `bitRotateRight(${a}, 1)`,
      ],
      ...[
        `bitCount(${this.number(depth - 1)})`,
        `bitHammingDistance(${a}, ${b})`,
        `toUInt32(${this.number(depth - 1)})`,
      ],
      ...[
        `length(${this.string(depth - 1)})`,
        `position(${this.text()} IN ${this.string(depth - 1)})`,
      ],
      ...[
        `toHour(${this.time(depth - 1)})`,
        `toUnixTimestamp(${this.time(depth - 1)})`,
        `toYYYYMM(${this.time(depth - 1)})`,
      ],
      ...[
        `extract(DAY FROM ${this.time(depth - 1)})`,
        `round(${a}, -1)`,
        `if(${this.truth(depth - 1)}, 1, 2)`,
      ],
    ]);
  }

  /** @param {number} depth @returns {string} */
  string(depth) {
    if (depth <= 0)
      return this.pick(["blob1", "blob2", "index1", "blob20", "dataset", this.text()]);
    const it = this.string(depth - 1);
    return this.pick([
      ...[
        `lower(${it})`,
        `upperUTF8(${it})`,
        `toLower(${it})`,
        `substring(${it}, ${this.whole(0)})`,
        it,
      ],
      ...[
        `substring(${it}, 1, ${this.whole(depth - 1)})`,
        `hex(${it})`,
        `bin(${this.whole(depth - 1)})`,
      ],
      ...[`format('{}-{}', ${it}, ${this.number(depth - 1)})`, `hex(${this.number(depth - 1)})`],
      ...[
        `formatDateTime(${this.time(depth - 1)}, '%Y-%m-%d ${MARK} %T')`,
        `if(${this.truth(depth - 1)}, ${it}, ${this.text()})`,
      ],
    ]);
  }

  /** @param {number} depth @returns {string} */
  time(depth) {
    const zone = this.pick(["", ", 'America/New_York'", ", 'Asia/Kolkata'"]);
    const unit = this.pick(["SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"]);
    if (depth <= 0)
      return this.pick([
        "timestamp",
        "now()",
        `toDateTime('2096-02-29 01:02:03'${zone})`,
        "toDateTime(double1)",
      ]);
    const it = this.time(depth - 1);
    return this.pick([
      ...[
        `${it} - INTERVAL '${this.to(40)}' ${unit}`,
        `${it} + ${this.to(100)}`,
        `toStartOfHour(${it})`,
      ],
      ...[
        `toStartOfInterval(${it}, INTERVAL '${1 + this.to(20)}' ${unit}${zone})`,
        `toStartOfFiveMinutes(${it})`,
      ],
      ...[
        `toStartOfDay(${it})`,
        `toStartOfWeek(${it})`,
        `toStartOfMonth(${it})`,
        `toDateTime(${it}${zone})`,
      ],
    ]);
  }

  /** @param {number} depth @returns {string} */
  truth(depth) {
    const comparison = this.pick(["=", "<>", "!=", "<", "<=", ">", ">="]);
    if (depth <= 0)
      return this.pick(["double1 > 1", "blob1 = 'a'", "true", "empty(blob2)", "timestamp < now()"]);
    const [a, b] = [this.truth(depth - 1), this.truth(depth - 1)];
    const text = this.string(depth - 1);
    return this.pick([
      ...[
        `(${a} AND ${b})`,
        `(${a} OR ${b})`,
        `NOT (${a})`,
        `${this.number(depth - 1)} ${comparison} ${this.whole(depth - 1)}`,
      ],
      ...[
        `${text} ${comparison} ${this.string(depth - 1)}`,
        `${text} IN ('a', ${this.text()})`,
        `double1 NOT IN (1, 2.5)`,
      ],
      ...[
        `${this.number(depth - 1)} BETWEEN 1 AND ${this.number(0)}`,
        `${text} LIKE '${this.pick(["a%", "%b", "_x%", "%", "%a_c%"])}'`,
      ],
      ...[
        `${text} NOT ILIKE '%ÄÖ%'`,
        `startsWith(${text}, 'a')`,
        `endsWith(${text}, ${this.text()})`,
      ],
      ...[
        `${this.time(depth - 1)} > '2026-01-01 00:00:00'`,
        `bitTest(${this.whole(depth - 1)}, 1)`,
      ],
    ]);
  }

  /** @param {number} depth @returns {string} */
  any(depth) {
    return this.pick([
      () => this.number(depth),
      () => this.whole(depth),
      () => this.string(depth),
      () => this.time(depth),
      () => this.truth(depth),
    ])();
  }

  /** @param {number} depth @returns {string} */
  aggregate(depth) {
    const [number, weight] = [
      this.number(depth),
      this.pick(["_sample_interval", "toUInt32(double1)"]),
    ];
    return this.pick([
      ...[
        "count()",
        `count(DISTINCT ${this.any(depth)})`,
        `sum(${number})`,
        `SUM(DISTINCT ${this.whole(depth)})`,
        `avg(${number})`,
      ],
      ...[
        `min(${number})`,
        `max(${this.time(depth)})`,
        `countIf(${this.truth(depth)})`,
        `sumIf(${number}, ${this.truth(depth)})`,
      ],
      ...[
        `avgIf(${this.whole(depth)}, ${this.truth(depth)})`,
        `quantileExactWeighted(0.9)(${number}, ${weight})`,
      ],
      ...[
        `quantileWeighted(0.5, ${number}, ${weight})`,
        `topK(3)(${this.any(depth)})`,
        `topKWeighted(2)(${this.string(depth)}, ${weight})`,
      ],
      ...[
        `argMax(${this.any(depth)}, ${number})`,
        `argMin(${this.string(depth)}, ${this.time(depth)})`,
      ],
      ...[
        `first_value(${this.any(depth)})`,
        `last_value(${this.string(depth)})`,
        `sum(${number}) / count()`,
      ],
    ]);
  }

  /** @param {string} from */
  rows(from) {
    const depth = 1 + this.to(2);
    const columns = Array.from(
      { length: 1 + this.to(3) },
      (_, i) => `${this.any(depth)} AS ${MARK}${i}`,
    );
    const order = this.pick(["", ` ORDER BY ${MARK}0`, ` ORDER BY ${MARK}0 DESC`]);
    const limit = this.pick(["", " LIMIT 5", " LIMIT 3 OFFSET 1"]);
    return `SELECT ${columns.join(", ")} FROM ${from} WHERE ${this.truth(depth)}${order}${limit}`;
  }

  /** @param {string} from */
  groups(from) {
    const depth = this.to(2);
    const keys = Array.from({ length: this.to(3) }, (_, i) => `k${i}`);
    const columns = [
      ...keys.map((key) => `${this.any(depth)} AS ${key}`),
      ...Array.from(
        { length: 1 + this.to(3) },
        (_, i) => `${this.aggregate(depth)} AS ${MARK}${i}`,
      ),
    ];
    const group = keys.length > 0 ? ` GROUP BY ${keys.join(", ")}` : "";
    const having = this.pick(["", "", " HAVING count() > 0", ` HAVING sum(double1) > 1`]);
    const order = this.pick([
      "",
      ` ORDER BY ${MARK}0 DESC`,
      ...keys.map((key) => ` ORDER BY ${key}`),
    ]);
    return `SELECT ${columns.join(", ")} FROM ${from} WHERE ${this.truth(depth)}${group}${having}${order}`;
  }

  query() {
    const inner = "(SELECT * FROM z0 ORDER BY timestamp LIMIT 50)";
    const from = this.pick(["z0", "z0", "z0", inner]);
    const made = this.random() < 0.5 ? this.rows(from) : this.groups(from);
    return (
      made + this.pick(["", "", " FORMAT JSON", " FORMAT JSONEachRow", " FORMAT TabSeparated"])
    );
  }

  /** @param {string} query */
  broken(query) {
    const words = query.split(" ");
    const at = this.to(words.length);
    const other = this.pick([
      "(",
      ")",
      ",",
      "'",
      "NULL",
      "SELECT",
      ";",
      "UNION",
      MARK,
      "*",
      "CASE",
      "\u0000",
      '"',
      "`",
      "0x1",
      "OVER ()",
      "::",
    ]);
    const how = this.to(4);
    if (how === 0) words.splice(at, 1);
    else if (how === 1) words.splice(at, 0, other);
    else if (how === 2) words[at] = other;
    else return query.slice(0, this.to(query.length)) + other + query.slice(this.to(query.length));
    return words.join(" ");
  }
}
