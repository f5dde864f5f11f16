// z0 anomaly: a score for each row of a CSV, whatever its times look like.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import { skip, temporaryFile, z0 } from "./fake.js";

const steps = 400;
const spikeAt = 300;
const begin = Date.UTC(2026, 2, 1);

/** A wave with a spike, a row every five minutes. @param {(ms: number) => string | number} time @param {string} [header] */
function series(time, header = "timestamp,value") {
  const rows = Array.from({ length: steps }, (_, i) => {
    const value = i === spikeAt ? 500 : 50 + (i % 12) + (i % 7) / 10;
    return `${time(begin + i * 300_000)},${value}`;
  });
  return [...(header ? [header] : []), ...rows, ""].join("\n");
}

const iso = (/** @type {number} */ ms) => new Date(ms).toISOString();
const plain = (/** @type {number} */ ms) => iso(ms).slice(0, 19).replace("T", " ");

/** @param {string} input @param {...string} args */
async function scored(input, ...args) {
  const run = await z0(["anomaly", "-", ...args], { input });
  assert.equal(run.code, 0, run.stderr);
  const [header, ...rows] = run.stdout.trimEnd().split("\r\n").map((line) => line.split(","));
  return { header, rows, scores: rows.map((row) => Number(row[2])) };
}

describe("z0 anomaly", { skip }, () => {
  it("prints every row with a score, the spike's the highest", async () => {
    const { header, rows, scores } = await scored(series(plain));
    assert.deepEqual(header, ["timestamp", "value", "anomaly_score"]);
    assert.equal(rows.length, steps);
    assert.deepEqual(rows[0], ["2026-03-01 00:00:00", "50", "0"]);
    assert.ok(scores.every((score) => score >= 0 && score <= 1));
    assert.ok(scores.slice(0, 50).every((score) => score === 0));
    assert.equal(scores.indexOf(Math.max(...scores)), spikeAt);
    assert.ok(scores[spikeAt] > 0.8, String(scores[spikeAt]));
  });

  it("takes times as NAB, ISO 8601 and the epoch have them, with a header or without", async () => {
    const { scores } = await scored(series(plain));
    for (const [name, input] of /** @type {[string, string][]} */ ([
      ["fractions", series((ms) => `${plain(ms)}.000000`)],
      ["ISO 8601", series(iso)],
      ["an offset", series((ms) => `${iso(ms + 3_600_000).slice(0, 19)}+01:00`)],
      ["no seconds", series((ms) => plain(ms).slice(0, 16))],
      ["seconds", series((ms) => ms / 1000, "")],
      ["milliseconds", series((ms) => ms, "")],
      ["other names", series(plain, "when,how much")],
      ["CR LF", series(plain).replaceAll("\n", "\r\n")],
    ])) {
      assert.deepEqual((await scored(input)).scores, scores, name);
    }
  });

  it("finds its columns by name, and reads files, packed as well", async () => {
    const { scores } = await scored(series(plain));
    const swapped = series(plain)
      .trimEnd()
      .split("\n")
      .map((line) => line.split(",").reverse().join(',"a, b",'))
      .join("\n");
    assert.deepEqual((await scored(swapped)).scores, scores);
    const file = temporaryFile("series.csv.gz", gzipSync(series(plain)));
    try {
      const run = await z0(["anomaly", file.path]);
      assert.equal(run.code, 0, run.stderr);
      assert.equal(run.stdout.split("\r\n").length, steps + 2);
    } finally {
      file.remove();
    }
  });

  it("says the reason in words, if asked", async () => {
    const { header, rows } = await scored(series(plain), "--explain");
    assert.deepEqual(header, ["timestamp", "value", "anomaly_score", "reason"]);
    assert.equal(rows[10][3], "");
    assert.match(rows[spikeAt].slice(3).join(","), /deviations over the usual .*: 500 for /);
  });

  it("gives a value that is missing or no number a row of its own, and learns nothing of it", async () => {
    const whole = await scored(series(plain));
    const lines = series(plain).split("\n");
    lines.splice(100, 0, "2026-03-01 08:12:00,", "2026-03-01 08:12:00,NaN");
    const { rows, scores } = await scored(lines.join("\n"));
    assert.deepEqual(rows[99], ["2026-03-01 08:12:00", "", "0"]);
    assert.deepEqual(rows[100], ["2026-03-01 08:12:00", "NaN", "0"]);
    assert.deepEqual([...scores.slice(0, 99), ...scores.slice(101)], whole.scores);
  });

  it("says which line it cannot read, and why", async () => {
    for (const [input, words] of /** @type {[string, RegExp][]} */ ([
      ["timestamp,value\n2026-03-01 00:00:00,12\nyesterday,13\n", /line 3: "yesterday" is no time: 2026-03-31/],
      ["2026-03-01 00:00:00,12\n2026-03-01 00:05:00,many\n", /line 2: "many" is no number/],
      ["timestamp,value\n2026-03-01 00:00:00\n", /line 2: a timestamp and a value/],
      ["timestamp,value\n2026-02-30 00:00:00,1\n", /line 2: "2026-02-30 00:00:00" is no time/],
    ])) {
      const run = await z0(["anomaly", "-"], { input });
      assert.equal(run.code, 1, run.stdout);
      assert.match(run.stderr, words);
    }
    const missing = await z0(["anomaly", "/nowhere.csv"]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /\/nowhere\.csv/);
    assert.notEqual((await z0(["anomaly", "-"], { input: "" })).code, 0);
  });
});
