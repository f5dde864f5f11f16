// The table of queries, asked of the stand-in in workerd, beside what ClickHouse answered to them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startAnalytics } from "./lib/analytics.js";

/** @typedef {{ name: string, type: string }[]} Meta */
/** @typedef {{ meta: Meta, data: Record<string, any>[], rows: number }} Answer */
/** @typedef {{ sql: string, clickhouse?: string, why?: string, sets?: string[] }} Query */

/** @param {string} name */
const read = (name) => JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8"));
/** @type {Query[]} */
const queries = read("queries.json");
/** @type {Record<string, Answer | string>} */
const answers = read("answers.json").answers;

/** @type {import("./lib/analytics.js").Analytics} */
let analytics;
before(async () => {
  analytics = await startAnalytics();
  const points =
    /** @type {{ index: string, timestamp: number, blobs: string[], doubles: number[] }[]} */ (
      read("points.json")
    );
  await analytics.write(
    points.map(({ index, timestamp, blobs, doubles }) => ({
      indexes: [index],
      timestamp,
      blobs,
      doubles,
    })),
  );
});
after(() => analytics?.dispose());

// The two engines add up in different orders.
const CLOSE = 1e-12;

/** @param {unknown} a @param {unknown} b */
function isSame(a, b) {
  if (typeof a !== "number" || typeof b !== "number")
    return JSON.stringify(a) === JSON.stringify(b);
  return Math.abs(a - b) <= CLOSE * Math.max(Math.abs(a), Math.abs(b));
}

/** @param {unknown} value @param {boolean} isSet */
const inOrder = (value, isSet) => (isSet && Array.isArray(value) ? value.toSorted() : value);

/** @param {Answer} got @param {Answer} wanted @param {string[]} sets */
function compare(got, wanted, sets) {
  assert.deepEqual(
    got.meta.map(({ type }) => type),
    wanted.meta.map(({ type }) => type),
  );
  assert.equal(got.rows, wanted.rows, `${got.rows} rows: ${JSON.stringify(got.data)}`);
  got.data.forEach((row, i) => {
    got.meta.forEach(({ name }, column) => {
      const isSet = sets.includes(name);
      const [a, b] = [
        inOrder(row[name], isSet),
        inOrder(wanted.data[i][wanted.meta[column].name], isSet),
      ];
      assert.ok(
        isSame(a, b),
        `row ${i}, ${name}: ${JSON.stringify(a)} instead of ${JSON.stringify(b)}`,
      );
    });
  });
}

describe("The stand-in answers as ClickHouse did", () => {
  for (const { sql, clickhouse, why, sets = [] } of queries) {
    test(sql, async () => {
      const got = await analytics.ask(sql);
      assert.equal(got.status, 200, got.text);
      const wanted = answers[sql];
      assert.ok(wanted !== undefined, "not recorded yet: see record.js");
      if (typeof wanted === "string") {
        const rows = (/** @type {string} */ text) => text.trimEnd().split("\n");
        const isJson = sql.endsWith("JSONEachRow");
        const parsed = (/** @type {string} */ text) =>
          isJson ? rows(text).map((row) => JSON.parse(row)) : rows(text);
        assert.deepEqual(parsed(got.text), parsed(wanted));
        return;
      }
      if (clickhouse === undefined)
        assert.deepEqual(got.json.meta.map(nameOf), wanted.meta.map(nameOf));
      else assert.ok(why, "a query that differs says why");
      compare(got.json, wanted, sets);
    });
  }
});

/** @param {{ name: string }} column */
const nameOf = ({ name }) => name;

test("Each recorded answer belongs to a query of the table", () => {
  assert.deepEqual(
    Object.keys(answers).filter((sql) => !queries.some((query) => query.sql === sql)),
    [],
  );
  assert.ok(queries.length >= 80);
});
