// The Durable Object that keeps the points, all datasets in one table: what Analytics Engine is
// locally.

import { DurableObject } from "cloudflare:workers";
import { raised } from "./sql/context.js";
import { RETENTION_SECONDS } from "./sql/translate.js";

/** @import { StoredPoint } from "./point.js" */
/** @import { Plan } from "./sql/translate.js" */

/** @typedef {(string | number | null)[]} Row a Durable Object gives no blob here */
/** @typedef {{ rows: Row[] } | { refused: string }} Answer */

// About 100 MB on the disk of whoever develops. Then the oldest points are dropped, 90 days or not.
const POINTS_MAX = 500_000;
// SQLite in a Durable Object binds this many values to a statement.
const VALUES_MAX = 100;
// What an answer may hold: the text of it is made in memory, and a call carries 32 MiB.
const ROWS_MAX = 100_000;
const ANSWER_BYTES_MAX = 16 << 20;
const PURGE_EVERY_SECONDS = 3600;

const numbered = (/** @type {string} */ word, /** @type {number} */ count) =>
  Array.from({ length: count }, (_, i) => `${word}${i + 1}`);

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS points (
    id INTEGER PRIMARY KEY,
    dataset TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    _sample_interval INTEGER NOT NULL DEFAULT 1,
    index1 TEXT NOT NULL,
    ${numbered("blob", 20).map((name) => `${name} TEXT NOT NULL DEFAULT ''`)},
    ${numbered("double", 20).map((name) => `${name} REAL NOT NULL DEFAULT 0`)}
  );
  CREATE INDEX IF NOT EXISTS points_by_time ON points (dataset, timestamp);
  CREATE TABLE IF NOT EXISTS datasets (name TEXT PRIMARY KEY) WITHOUT ROWID;
`;

/**
 * @param {number} blobs
 * @param {number} doubles
 * @param {number} rows
 */
function insertion(blobs, doubles, rows) {
  const columns = [
    "dataset",
    "timestamp",
    "index1",
    ...numbered("blob", blobs),
    ...numbered("double", doubles),
  ];
  const row = `(${columns.map(() => "?").join()})`;
  return `INSERT INTO points (${columns}) VALUES ${Array.from({ length: rows }, () => row).join()}`;
}

/**
 * Points with equally many blobs and doubles: they fit into one statement.
 * @param {StoredPoint[]} points
 */
function byShape(points) {
  /** @type {Map<string, StoredPoint[]>} */
  const shapes = new Map();
  for (const point of points) {
    const shape = `${point.blobs.length},${point.doubles.length}`;
    const others = shapes.get(shape);
    if (others === undefined) shapes.set(shape, [point]);
    else others.push(point);
  }
  return shapes.values();
}

export class Points extends DurableObject {
  /**
   * @param {DurableObjectState} ctx
   * @param {{ POINTS_MAX?: string }} env
   */
  constructor(ctx, env) {
    super(ctx, env);
    this.sql = ctx.storage.sql;
    this.sql.exec(SCHEMA);
    /** @type {Set<string>} */
    this.datasets = new Set(
      [...this.sql.exec("SELECT name FROM datasets").raw()].map(([name]) => String(name)),
    );
    this.purgedAt = 0;
    this.most = Number(env.POINTS_MAX ?? POINTS_MAX);
  }

  /** @param {StoredPoint[]} points */
  write(points) {
    for (const { dataset } of points) this.#know(dataset);
    for (const alike of byShape(points)) this.#insert(alike);
    this.#drop();
  }

  /** @param {string} dataset */
  #know(dataset) {
    if (this.datasets.has(dataset)) return;
    this.sql.exec("INSERT INTO datasets VALUES (?)", dataset);
    this.datasets.add(dataset);
  }

  /** @param {StoredPoint[]} points of one shape */
  #insert(points) {
    const [{ blobs, doubles }] = points;
    const most = Math.floor(VALUES_MAX / (3 + blobs.length + doubles.length));
    for (let i = 0; i < points.length; i += most) {
      const some = points.slice(i, i + most);
      const values = some.flatMap((it) => [
        it.dataset,
        it.timestamp,
        it.index,
        ...it.blobs,
        ...it.doubles,
      ]);
      this.sql.exec(insertion(blobs.length, doubles.length, some.length), ...values);
    }
  }

  /** What is too old, and what is too much. */
  #drop() {
    this.sql.exec("DELETE FROM points WHERE id <= (SELECT max(id) FROM points) - ?", this.most);
    const now = Math.floor(Date.now() / 1000);
    if (now - this.purgedAt < PURGE_EVERY_SECONDS) return;
    this.purgedAt = now;
    this.sql.exec("DELETE FROM points WHERE timestamp < ?", now - RETENTION_SECONDS);
  }

  tables() {
    return [...this.datasets].sort();
  }

  /**
   * @param {Plan} plan
   * @returns {Answer}
   */
  ask({ sql = "", values = [], tables = [], column = null }) {
    const unknown = tables.find((table) => !this.datasets.has(table));
    // Analytics Engine makes a table, and its columns, with the first point.
    if (unknown !== undefined) {
      return {
        refused:
          column === null
            ? `unknown table: "${unknown}"`
            : `unable to find type of column: "${column}"`,
      };
    }
    try {
      return this.#rows(sql, values);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message.startsWith("integer overflow")) return { refused: "integer overflow in sum()" };
      return {
        refused: raised(message) ?? `the query is too complex for this stand-in: ${message}`,
      };
    }
  }

  /** @param {string} sql @param {(string | number)[]} values @returns {Answer} */
  #rows(sql, values) {
    /** @type {Row[]} */
    const rows = [];
    let bytes = 0;
    for (const given of this.sql.exec(sql, ...values).raw()) {
      const row = /** @type {Row} */ (given);
      rows.push(row);
      for (const value of row) bytes += typeof value === "string" ? value.length : 8;
      if (rows.length > ROWS_MAX || bytes > ANSWER_BYTES_MAX) {
        return {
          refused: `the result has more than ${ROWS_MAX} rows or ${ANSWER_BYTES_MAX >> 20} MiB: add a LIMIT`,
        };
      }
    }
    return { rows };
  }
}
