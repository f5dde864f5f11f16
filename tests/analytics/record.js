// Records what ClickHouse itself answers to the queries of queries.json, into answers.json. Its engine, chdb,
// has 540 MB, so it is not among the packages of this repository: it is installed beside it, for this once.
//
//   npm install --prefix DIRECTORY chdb@3.4.0
//   node tests/analytics/record.js DIRECTORY

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  console.error("usage: node tests/analytics/record.js DIRECTORY, where chdb is installed");
  process.exit(2);
}
const { Session } = createRequire(join(resolve(directory), "package.json"))("chdb");

/** @param {string} name */
const read = (name) => JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8"));

/** @param {string} text */
const quoted = (text) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

const numbered = (/** @type {string} */ word, /** @type {string} */ type) =>
  Array.from({ length: 20 }, (_, i) => `${word}${i + 1} ${type}`).join(", ");

const session = new Session();
// The columns of Analytics Engine.
session.query(`CREATE TABLE z0 (dataset String, timestamp DateTime, _sample_interval UInt32, index1 String,
  ${numbered("blob", "String")}, ${numbered("double", "Float64")}) ENGINE = Memory`);
for (const { timestamp, index, blobs, doubles, weight } of read("points.json")) {
  const all = (/** @type {any[]} */ list, /** @type {any} */ empty) =>
    Array.from({ length: 20 }, (_, i) => list[i] ?? empty);
  const values = ["z0", timestamp, weight, index, ...all(blobs, ""), ...all(doubles, 0)];
  session.query(
    `INSERT INTO z0 VALUES (${values.map((it) => (typeof it === "string" ? quoted(it) : String(it))).join()})`,
  );
}

/** @type {Record<string, unknown>} */
const answers = {};
for (const { sql, clickhouse = sql } of read("queries.json")) {
  const isText = / FORMAT (TabSeparated|JSONEachRow)$/.test(clickhouse);
  const query = isText ? clickhouse : `${clickhouse}\nFORMAT JSON`;
  try {
    // Integers of 64 bits as Analytics Engine writes them; one thread, so that first is what was
    // written first.
    const answer = session.query(
      `${query} SETTINGS output_format_json_quote_64bit_integers = 1, max_threads = 1`,
    );
    const { meta, data, rows } = isText
      ? { meta: null, data: answer, rows: null }
      : JSON.parse(answer);
    answers[sql] = isText ? answer : { meta, data, rows };
  } catch (error) {
    console.error(`${sql}\n  ${error instanceof Error ? error.message.slice(0, 200) : error}`);
    process.exitCode = 1;
  }
}
const version = JSON.parse(session.query("SELECT version() AS version FORMAT JSON")).data[0]
  .version;
session.cleanup();
const lines = Object.entries(answers).map(
  ([sql, answer]) => `    ${JSON.stringify(sql)}: ${JSON.stringify(answer)}`,
);
const text = `{\n  "clickhouse": ${JSON.stringify(version)},\n  "answers": {\n${lines.join(",\n")}\n  }\n}\n`;
writeFileSync(join(import.meta.dirname, "answers.json"), text);
