// The SQL API over HTTP: who may ask, what is refused and in which words, and that nothing is ever
// written.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { query, QueryError } from "../../bindings/analytics/query.js";
import { token } from "../worker/lib/z0.js";
import { startAnalytics } from "./lib/analytics.js";

/** @type {import("./lib/analytics.js").Analytics} */
let analytics;
const now = Math.floor(Date.now() / 1000);
before(async () => {
  analytics = await startAnalytics();
  await analytics.write([
    { timestamp: now - 7200, indexes: ["north"], blobs: ["a", "x"], doubles: [1, 0.5] },
    { timestamp: now - 60, indexes: ["north"], blobs: ["b"], doubles: [2] },
    { timestamp: now - 60, dataset: "other-set", blobs: ["c"] },
    { timestamp: now - 89 * 86_400, blobs: ["old"] },
    { timestamp: now - 91 * 86_400, blobs: ["too old"] },
  ]);
});
after(() => analytics?.dispose());

describe("Who may ask", () => {
  test("Without a token the gateway says which headers are missing", async () => {
    const { status, json } = await analytics.ask("SELECT 1", { token: null });
    assert.equal(status, 400);
    assert.equal(json.errors[0].code, 9106);
  });

  const wrong = {
    "a token that is none": "nonsense",
    "a token of another secret": token("*", "ops", { secret: "another" }),
    "a token that has expired": token("*", "ops", { exp: now - 1 }),
    "a tenant's token": token("north", "ops facts:read"),
    "a token without the scope": token("*", "facts:read"),
  };
  for (const [what, bearer] of Object.entries(wrong)) {
    test(`It is an authentication error for ${what}`, async () => {
      const { status, json } = await analytics.ask("SELECT 1", { token: bearer });
      assert.equal(status, 403);
      assert.deepEqual(json.errors, [{ code: 10000, message: "Authentication error" }]);
    });
  }

  test("Another path is not found, and another method is not allowed", async () => {
    assert.equal(
      (await analytics.ask("SELECT 1", { path: "/client/v4/accounts/a/sql" })).status,
      404,
    );
    assert.equal((await analytics.ask("", { method: "GET" })).status, 405);
  });
});

describe("What is answered", () => {
  test("JSON has names, types, rows and their number", async () => {
    const { status, type, json } = await analytics.ask(
      "SELECT blob1, double1, count() AS n FROM z0 WHERE double1 > 0 GROUP BY blob1, double1 ORDER BY blob1",
    );
    assert.equal(status, 200);
    assert.equal(type, "application/json");
    assert.deepEqual(json, {
      meta: [
        { name: "blob1", type: "String" },
        { name: "double1", type: "Float64" },
        { name: "n", type: "UInt64" },
      ],
      data: [
        { blob1: "a", double1: 1, n: "1" },
        { blob1: "b", double1: 2, n: "1" },
      ],
      rows: 2,
    });
  });

  test("The other formats are lines", async () => {
    const sql = "SELECT blob1, double1 FROM z0 WHERE double1 > 0 ORDER BY blob1";
    assert.equal(
      (await analytics.ask(`${sql} FORMAT JSONEachRow`)).text,
      '{"blob1":"a","double1":1}\n{"blob1":"b","double1":2}\n',
    );
    assert.equal((await analytics.ask(`${sql} FORMAT TabSeparated`)).text, "a\t1\nb\t2\n");
  });

  test("SHOW names the datasets, the zones and the zone", async () => {
    const tables = await analytics.ask("SHOW TABLES");
    assert.deepEqual(tables.json.data, [{ dataset: "other-set" }, { dataset: "z0" }]);
    assert.equal((await analytics.ask("show tables format TabSeparated")).text, "other-set\nz0\n");
    const zones = (await analytics.ask("SHOW TIMEZONES FORMAT TabSeparated")).text.split("\n");
    assert.ok(zones.includes("America/New_York"));
    assert.equal((await analytics.ask("SHOW TIMEZONE FORMAT TabSeparated")).text, "Etc/UTC\n");
  });

  test("A dataset is a table of its own, its name quoted where it has to be", async () => {
    const { json } = await analytics.ask('SELECT dataset, blob1 FROM "other-set"');
    assert.deepEqual(json.data, [{ dataset: "other-set", blob1: "c" }]);
  });

  test("now() is the time of the query, and what is older than 90 days is gone", async () => {
    const recent = await analytics.ask(
      "SELECT blob1 AS b FROM z0 WHERE timestamp > NOW() - INTERVAL '1' HOUR",
    );
    assert.deepEqual(recent.json.data, [{ b: "b" }]);
    const all = await analytics.ask("SELECT blob1 AS b FROM z0 ORDER BY b");
    assert.deepEqual(
      all.json.data.map((/** @type {{ b: string }} */ row) => row.b),
      ["a", "b", "old"],
    );
    const { json } = await analytics.ask(
      "SELECT toUnixTimestamp(now()) AS t, today() = toStartOfDay(now()) AS d, now() AS text",
    );
    assert.ok(Math.abs(json.data[0].t - Date.now() / 1000) < 60);
    assert.equal(json.data[0].d, 1);
    assert.match(json.data[0].text, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  });

  test("The query module gives the rows, and the words of a refusal", async () => {
    const env = {
      CLOUDFLARE_ACCOUNT_ID: "local",
      CLOUDFLARE_API_TOKEN: token(),
      ANALYTICS_URL: String(analytics.url),
    };
    assert.deepEqual((await query("SELECT count() AS n FROM z0", env)).data, [{ n: "3" }]);
    await assert.rejects(query("SELECT uniq(blob1) FROM z0", env), (error) => {
      assert.ok(error instanceof QueryError);
      assert.equal(error.status, 422);
      assert.equal(error.words, "Input was invalid: unknown function call: UNIQ");
      return true;
    });
  });

  test("The query module asks Cloudflare where no other address is given", async () => {
    /** @type {[string, RequestInit | undefined][]} */
    const sent = [];
    /** @type {any} */
    const send = async (/** @type {URL} */ url, /** @type {RequestInit} */ init) => {
      sent.push([String(url), init]);
      return Response.json({ meta: [], data: [], rows: 0 });
    };
    await query(
      "SELECT 1",
      { CLOUDFLARE_ACCOUNT_ID: "0123", CLOUDFLARE_API_TOKEN: "secret" },
      send,
    );
    assert.equal(
      sent[0][0],
      "https://api.cloudflare.com/client/v4/accounts/0123/analytics_engine/sql",
    );
    assert.equal(new Headers(sent[0][1]?.headers).get("authorization"), "Bearer secret");
    assert.equal(sent[0][1]?.body, "SELECT 1");
  });
});

// What Analytics Engine itself says, where that is known; else our words, which name the construct.
/** @type {[string, string][]} */
const REFUSED = [
  ["SELECT count(*) FROM z0", "COUNT() function must have 0 arguments: 1"],
  ["SELECT GREATEST(1, 2) FROM z0", "unknown function call: GREATEST"],
  ["SELECT quantile(0.5)(double1) FROM z0", "unknown function call: QUANTILE"],
  ["SELECT multiIf(true, 1, 2) FROM z0", "unknown function call: MULTIIF"],
  ["SELECT toString(double1) FROM z0", "unknown function call: TOSTRING"],
  ["SELECT plus(1, 2)", "unknown function call: PLUS"],
  ["SELECT toIntervalDay(1)", "unknown function call: TOINTERVALDAY"],
  ["SELECT load_extension('x')", "unknown function call: LOAD_EXTENSION"],
  ["SELECT abs(double1) FROM z0", "unknown function call: ABS"],
  [
    "SELECT CASE WHEN double1 = 1 THEN 1 ELSE 0 END FROM z0",
    "unsupported expression type: CASE WHEN",
  ],
  [
    "SELECT if(blob1 = 'a', double1, 0) FROM z0",
    'the 2nd and 3rd arguments to IF() function must have the same type but instead had Double and Integer: if(equals("blob1", \'a\'), "double1", 0)',
  ],
  [
    "SELECT count(DISTINCT if(blob1 = 'a', blob2, NULL)) FROM z0",
    'the 2nd and 3rd arguments to IF() function must have the same type but instead had String and Null: if(equals("blob1", \'a\'), "blob2", NULL)',
  ],
  ["SELECT max(blob1) FROM z0", 'cannot use the String type as argument 1 in max("blob1")'],
  [
    "SELECT quantileExactWeighted(0.5)(double1, double2) FROM z0",
    'cannot use the Double type as argument 2 in quantileExactWeighted(0.5)("double1", "double2")',
  ],
  ["SELECT nothing FROM z0", 'unable to find type of column: "nothing"'],
  ["SELECT blob1 AS b FROM z0 ORDER BY blob1", 'unable to find type of column: "blob1"'],
  ["SELECT blob1 FROM z0 ORDER BY timestamp", 'unable to find type of column: "timestamp"'],
  [
    "SELECT count() AS n FROM z0 GROUP BY blob1 ORDER BY sum(double1)",
    'unable to find type of column: "double1"',
  ],
  ["SELECT blob1 FROM unknown_set", 'unable to find type of column: "blob1"'],
  ["SELECT count() FROM unknown_set", 'unknown table: "unknown_set"'],
  [`SELECT '${"x".repeat(10_000)}'`, "SQL was excessively long, exceeded maximum length: 10000"],
  ["SELECT a FROM z0 JOIN z1 ON 1 = 1", "unsupported JOIN in SELECT"],
  ["SELECT blob1 FROM z0, z1", "a query reads one table: JOIN is not supported"],
  ["SELECT blob1 FROM z0 UNION ALL SELECT blob1 FROM z0", "unsupported statement: UNION"],
  ["WITH x AS (SELECT 1) SELECT * FROM x", "unsupported WITH in SELECT"],
  ["SELECT DISTINCT blob1 FROM z0", "unsupported DISTINCT in SELECT"],
  ["SELECT sum(double1) OVER () FROM z0", "unsupported expression type: OVER"],
  ["SELECT blob1::String FROM z0", "unsupported expression type: CAST"],
  ["SELECT blob1 || 'x' FROM z0", "unsupported expression type: ||"],
  ["SELECT (SELECT 1)", "unsupported expression type: SUBQUERY"],
  ["SELECT blob1 IN (SELECT 'a') FROM z0", "unsupported SUBQUERY in IN"],
  ["SELECT blob1 IS NULL FROM z0", "unsupported expression type: IS NULL"],
  ["SELECT [1, 2]", "unsupported expression type: ARRAY"],
  ["SELECT NULL", "unsupported expression type: NULL"],
  ["SELECT INTERVAL '1' WEEK + now()", "unsupported unit of an INTERVAL: WEEK"],
  [
    "SELECT 1 FORMAT Pretty",
    "unsupported format: Pretty. There are JSON, JSONEachRow, TabSeparated",
  ],
  ["SELECT blob1 FROM z0 LIMIT 1 BY blob1", "unsupported LIMIT BY in SELECT"],
  ["SELECT blob1 FROM z0 SETTINGS max_threads = 1", "unsupported SETTINGS in SELECT"],
  ["SELECT blob1 FROM z0 FINAL", "unsupported FINAL in TABLE"],
  ["SELECT blob1 FROM z0 GROUP BY 1", "GROUP BY takes names and expressions, not positions"],
  [
    "SELECT blob1, count() FROM z0 GROUP BY blob2",
    'the column "blob1" is neither in GROUP BY nor in an aggregate function',
  ],
  ["SELECT blob1 FROM z0 WHERE count() > 1", "the aggregate function count() cannot stand here"],
  ["SELECT sum(count()) FROM z0", "an aggregate function inside of sum()"],
  ["SELECT blob1 + 1 FROM z0", 'cannot use the String type as argument 1 in plus("blob1", 1)'],
  [
    "SELECT blob1 = 1 FROM z0",
    'cannot compare the String type with the Integer type in equals("blob1", 1)',
  ],
  ["SELECT 5 % 0", "Division by zero"],
  ["SELECT intDiv(1, 0)", "Division by zero"],
  ["SELECT toUInt32(blob1) FROM z0", "cannot read a string as a number"],
  ["SELECT toDateTime('2026-13-01 00:00:00')", "there is no time '2026-13-01 00:00:00'"],
  ["SELECT toDateTime('2026-01-01 00:00:00', 'Mars/Olympus')", "unknown time zone: 'Mars/Olympus'"],
  ["SELECT blob1 LIKE 'a\\%b' FROM z0", "write \\\\% and \\\\_ with two backslashes in a string"],
  ["SELECT blob1 LIKE blob2 FROM z0", "the pattern of like is a string literal"],
  [
    "SELECT blob1 FROM z0 WHERE double1 = 1 OF ALL",
    "unable to parse the query: its end is not understood",
  ],
  ["SELECT 1 FORMAT JSON OF ALL", "unable to parse the query: its end is not understood"],
  ["SELECT 1 1", "unable to parse the query: its end is not understood"],
  ["SELECT 1; SELECT 2", "only one statement is answered at a time"],
  ["", "the query is empty"],
  ["DESCRIBE z0", "unsupported statement: DESCRIBE z0"],
  ["SHOW DATABASES", "unsupported statement: SHOW DATABASES"],
];

// None of them may so much as reach SQLite.
const WRITES = [
  "INSERT INTO z0 VALUES (1)",
  "INSERT INTO z0 SELECT * FROM z0",
  "DELETE FROM z0",
  "UPDATE z0 SET double1 = 1",
  "DROP TABLE z0",
  "ALTER TABLE z0 DELETE WHERE 1",
  "TRUNCATE TABLE z0",
  "CREATE TABLE x (a UInt8) ENGINE = Memory",
  "OPTIMIZE TABLE z0",
  "PRAGMA writable_schema = 1",
  "ATTACH DATABASE 'x' AS y",
  "VACUUM",
  "SELECT 1; DELETE FROM points",
  "SELECT blob1 FROM z0 INTO OUTFILE 'x'",
];

describe("What is refused", () => {
  for (const [sql, words] of REFUSED) {
    test(`${sql.slice(0, 90)} is refused in these words`, async () => {
      const { status, type, text } = await analytics.ask(sql);
      assert.equal(status, 422, text);
      assert.match(type, /^text\/plain/);
      assert.equal(text, `Input was invalid: ${words}`);
    });
  }

  for (const sql of WRITES) {
    test(`${sql} is no query`, async () => {
      assert.equal((await analytics.ask(sql)).status, 422);
      assert.deepEqual((await analytics.ask("SELECT count() AS n FROM z0")).json.data, [
        { n: "3" },
      ]);
    });
  }
});
