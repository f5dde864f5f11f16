// Points on their way into the stand-in: what a point may hold, how many are kept, and those of z0
// itself.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkedPoint } from "../../bindings/analytics/point.js";
import { query } from "../../bindings/analytics/query.js";
import { charge, unique } from "../worker/lib/facts.js";
import { eventually, startZ0, token } from "../worker/lib/z0.js";
import { analyticsWorker, startAnalytics } from "./lib/analytics.js";

describe("What a point may hold", () => {
  /** @type {[string, any, RegExp][]} */
  const refused = [
    ["two indexes", { indexes: ["a", "b"] }, /Maximum of 1 indexes supported\.$/],
    [
      "an index of 97 bytes",
      { indexes: ["é".repeat(48) + "a"] },
      /Size of indexes\[0\] exceeds 96 bytes/,
    ],
    ["21 blobs", { blobs: Array(21).fill("") }, /Maximum of 20 blobs supported\.$/],
    ["21 doubles", { doubles: Array(21).fill(0) }, /Maximum of 20 doubles supported\.$/],
    [
      "blobs of more than 16 KB",
      { blobs: ["x".repeat(16_384), "y"] },
      /Cumulative size of blobs exceeds 16384 bytes/,
    ],
    ["16 KB that UTF-8 makes longer", { blobs: ["é".repeat(8_193)] }, /Cumulative size of blobs/],
    ["a blob that is a number", { blobs: [1] }, /blobs takes strings/],
    ["a double that is a string", { doubles: ["1"] }, /doubles takes finite numbers/],
    ["NaN", { doubles: [Number.NaN] }, /doubles takes finite numbers/],
    ["indexes that are no list", { indexes: "a" }, /indexes is not an array/],
  ];
  for (const [what, point, words] of refused) {
    test(`A point with ${what} is refused`, () => assert.throws(() => checkedPoint(point), words));
  }

  test("The limits themselves are within them", () => {
    const point = {
      indexes: ["é".repeat(48)],
      blobs: [...Array(19).fill(""), "x".repeat(16_384)],
      doubles: Array(20).fill(1.5),
    };
    assert.deepEqual(checkedPoint(point), {
      index: point.indexes[0],
      blobs: point.blobs,
      doubles: point.doubles,
    });
  });

  test("What is missing or null is empty, and a buffer is its text", () => {
    assert.deepEqual(checkedPoint(), { index: "", blobs: [], doubles: [] });
    const buffer = new TextEncoder().encode("grün").buffer;
    assert.deepEqual(checkedPoint({ indexes: [null], blobs: [null, buffer, "x"] }), {
      index: "",
      blobs: ["", "grün", "x"],
      doubles: [],
    });
  });
});

test("The oldest points make room for new ones", async () => {
  const analytics = await startAnalytics({ POINTS_MAX: "100" });
  try {
    const timestamp = Math.floor(Date.now() / 1000);
    // Of different shapes, so that they go into several statements.
    const points = Array.from({ length: 250 }, (_, i) => ({
      timestamp,
      blobs: Array(i % 21).fill("b"),
      doubles: [i],
    }));
    for (let i = 0; i < points.length; i += 50) await analytics.write(points.slice(i, i + 50));
    const { json } = await analytics.ask(
      "SELECT count() AS n, min(double1) AS first, max(double1) AS last FROM z0",
    );
    assert.deepEqual(json.data, [{ n: "100", first: 150, last: 249 }]);
  } finally {
    await analytics.dispose();
  }
});

test("Points of z0 arrive, and SQL counts them as z0 recorded them", async () => {
  const metrics = {
    type: "worker",
    worker: "z0-analytics",
    exportName: "Metrics",
    props: { dataset: "z0" },
  };
  const z0 = await startZ0({ metrics, beside: [analyticsWorker()] });
  try {
    const facts = Array.from({ length: 7 }, () => charge(unique("acct_")));
    assert.equal((await z0.post(facts, { token: token("north") })).status, 200);
    const ask = async (/** @type {string} */ body) => {
      const path = "/client/v4/accounts/local/analytics_engine/sql";
      const { status, body: answer } = await z0.fetch(path, { method: "POST", body });
      return status === 200 ? answer.data : [];
    };
    const sql = `SELECT index1 AS tenant, blob2 AS fact_type, SUM(_sample_interval * double1) AS n FROM z0
      WHERE blob1 = 'z0_facts_written_total' GROUP BY tenant, fact_type`;
    const rows = await eventually("seven facts", async () => {
      const found = await ask(sql);
      return found[0]?.n === 7 && found;
    });
    assert.deepEqual(rows, [{ tenant: "north", fact_type: "charge", n: 7 }]);
    assert.deepEqual(await ask("SHOW TABLES"), [{ dataset: "z0" }]);
    const env = {
      CLOUDFLARE_ACCOUNT_ID: "local",
      CLOUDFLARE_API_TOKEN: token(),
      ANALYTICS_URL: String(z0.url),
    };
    assert.deepEqual((await query(sql, env)).data, rows);
  } finally {
    await z0.dispose();
  }
});

test("Where Analytics Engine itself is the binding, its path is none of z0", async () => {
  const z0 = await startZ0();
  try {
    const { status } = await z0.fetch("/client/v4/accounts/local/analytics_engine/sql", {
      method: "POST",
      body: "SELECT 1",
    });
    assert.equal(status, 404);
  } finally {
    await z0.dispose();
  }
});
