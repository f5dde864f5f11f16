// The dashboard's pure parts: words for values, bands, what is read from an answer, the curve.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { pauseAfter } from "../../bindings/dashboard/lib/api.js";
import { curve, niceTicks } from "../../bindings/dashboard/lib/chart.js";
import * as format from "../../bindings/dashboard/lib/format.js";
import { bandOf, meterPosition, ruleOf } from "../../bindings/dashboard/live/health.js";
import { readLive } from "../../bindings/dashboard/live/model.js";
import { cleanToken } from "../../bindings/dashboard/lib/session.js";
import { busy, hostile } from "./lib/answers.js";
import { readHeaders } from "./lib/server.js";

test("Money is exact to the last minor unit, in the currency's own digits", () => {
  /** @type {[number, string | null, RegExp][]} */
  const rows = [
    [4_250, "USD", /42\.50/],
    [4_250, null, /42\.50/],
    [7, "USD", /0\.07/],
    [-7, "USD", /-.*0\.07/],
    [1_250_000, "JPY", /1,250,000$/],
    [500, "JPY", /500$/],
    [1_234, "KWD", /1\.234$/],
    [1_234, "HUF", /12\.34$/],
    [12_345, "CLF", /1\.2345$/],
    [Number.MAX_SAFE_INTEGER, "USD", /90,071,992,547,409\.91/],
    [5, "<b>", /^5 <b>$/],
    [1.5, "USD", /^1\.5 USD$/],
  ];
  for (const [amount, currency, words] of rows) assert.match(format.money(amount, currency), words);
  assert.equal(format.money(null, "USD"), "");
});

test("The pages have the minor digits of the core's table", async () => {
  const core = new URL("../../src/facts/currency.cpp", import.meta.url);
  const text = await readFile(core, "utf8");
  const others = [...text.matchAll(/\b([A-Z]{3})([013-9])\b/g)];
  assert.ok(others.length > 30, `${others.length} currencies found`);
  /** @type {Record<string, string[]>} */
  const expected = {};
  for (const [, code, digits] of others) (expected[digits] ??= []).push(code);
  const ours = Object.entries(format.MINOR_DIGITS).map(([digits, codes]) => [
    digits,
    codes.split(" "),
  ]);
  assert.deepEqual(Object.fromEntries(ours), expected);
});

test("Durations use the unit that a reader would", () => {
  /** @type {[number | null, string][]} */
  const rows = [
    [null, "–"],
    [0, "0 ms"],
    [999, "999 ms"],
    [1_000, "1.0 s"],
    [59_999, "59.9 s"],
    [60_000, "1 min 0 s"],
    [84_000, "1 min 24 s"],
    [3_600_000, "1 h 0 min"],
    [172_800_000, "2 d 0 h"],
    [1e300, "1E300 ms"],
  ];
  for (const [ms, words] of rows) assert.equal(format.duration(ms), words);
});

test("Counts, shares and rates stay short", () => {
  assert.equal(format.count(38_412), "38,412");
  assert.equal(format.count(1_234_567_890), "1.235B");
  assert.equal(format.count(1e300), "1E300");
  assert.equal(format.count(null), "–");
  assert.equal(format.percent(0), "0 %");
  assert.equal(format.percent(0.00005), "< 0.01 %");
  assert.equal(format.percent(0.0021), "0.21 %");
  assert.equal(format.share(0.0002), "< 0.1 %");
  assert.equal(format.rate(12.34), "12.3");
});

test("Times beyond a calendar are a dash, not an exception", () => {
  assert.equal(format.clock(9e18), "–");
  assert.equal(format.utc(9e18), "");
  assert.equal(format.utc(0), "1970-01-01 00:00:00.000 UTC");
});

/** @returns {Record<string, import("../../bindings/dashboard/live/health.js").Bands>} */
function knownBands() {
  const live = readLive(busy());
  assert.ok(live !== null);
  const { lag, depth, failureRate } = live.replication.bands;
  assert.ok(lag !== null && depth !== null && failureRate !== null);
  return { lag, depth, failureRate };
}

test("Every value of a signal has one band, by the bounds that the answer brings", () => {
  const known = knownBands();
  /** @type {[string, number, string][]} */
  const rows = [
    ["lag", 0, "healthy"],
    ["lag", 999, "healthy"],
    ["lag", 1_000, "degraded"],
    ["lag", 60_000, "degraded"],
    ["lag", 60_001, "critical"],
    ["depth", 999, "healthy"],
    ["depth", 1_000, "degraded"],
    ["depth", 100_000, "degraded"],
    ["depth", 100_001, "critical"],
    ["failureRate", 0, "healthy"],
    ["failureRate", 0.0001, "degraded"],
    ["failureRate", 0.01, "degraded"],
    ["failureRate", 0.0101, "critical"],
  ];
  for (const [name, value, band] of rows)
    assert.equal(bandOf(known[name] ?? null, value), band, `${name} ${value}`);
  assert.equal(bandOf(known.lag ?? null, null), "unknown");
  assert.equal(bandOf(null, 5), "unknown");
  // Bounds that are none leave a signal without a band.
  assert.deepEqual(readLive(hostile())?.replication.bands, {
    lag: null,
    depth: null,
    failureRate: null,
  });
});

test("The bands of a signal are told in words, with the bounds as the page writes values", () => {
  const { lag = null, failureRate = null } = knownBands();
  assert.equal(
    ruleOf(lag, format.duration),
    `Healthy up to ${format.duration(999)}, degraded up to ${format.duration(60_000)}, critical above.`,
  );
  assert.match(ruleOf(failureRate, format.percent), /^Healthy at 0, degraded up to 1(\.0)? %, /);
  assert.equal(ruleOf(null, format.count), "");
});

test("A meter's marker stands in the zone of its band and never leaves the meter", () => {
  const zones = { healthy: [0, 1 / 3], degraded: [1 / 3, 2 / 3], critical: [2 / 3, 1] };
  for (const [name, known] of Object.entries(knownBands())) {
    let last = 0;
    for (const value of [
      0, 1e-9, 1e-4, 0.01, 0.5, 1, 40, 999, 1_000, 60_000, 100_000, 1e7, 1e300,
    ]) {
      const position = meterPosition(known, value);
      const band = bandOf(known, value);
      assert.ok(band !== "unknown");
      const [from = 0, to = 0] = zones[band];
      assert.ok(
        position >= from - 1e-9 && position <= to + 1e-9,
        `${name} ${value}: ${position} is not ${band}`,
      );
      assert.ok(position >= last, `${name} ${value} stands left of a smaller value`);
      last = position;
    }
  }
});

test("An answer is read whole, and what makes no sense becomes a dash", () => {
  const live = readLive(busy());
  assert.equal(live?.factsPerSecond.length, 120);
  assert.equal(live?.byType[0]?.type, "invocation");
  assert.equal(live?.latest.length, 50);
  const strange = readLive(JSON.parse(JSON.stringify(hostile())));
  assert.deepEqual(strange?.factsPerSecond, [1, 0, 0, 0, 1e21, 3]);
  assert.deepEqual(strange?.totals, {
    recorded: Number.MAX_SAFE_INTEGER,
    duplicate: null,
    conflict: null,
    refused: null,
    failed: 1e300,
  });
  assert.equal(strange?.replication.band, "unknown");
  assert.equal(strange?.latest.length, 6);
  for (const body of [null, 1, "text", []]) assert.equal(readLive(body), null);
  assert.deepEqual(readLive({})?.latest, []);
});

test("The curve passes through its points and adds no peak", () => {
  const ys = [0, 0, 90, 10, 10, 55, 54, 0];
  const numbers =
    curve(
      ys.map((_, i) => i * 10),
      ys,
    )
      .match(/,-?[\d.]+/g)
      ?.map((part) => Number(part.slice(1))) ?? [];
  assert.equal(numbers.length, 1 + (ys.length - 1) * 3);
  assert.ok(Math.max(...numbers) <= 90 && Math.min(...numbers) >= 0);
  ys.forEach((y, i) => assert.equal(numbers[i * 3], y));
  assert.equal(curve([], []), "");
});

test("An axis begins at 0, covers the maximum and has whole, round steps", () => {
  for (const max of [1, 2, 3, 7, 10, 11, 99, 176, 1_001, 54_321, 1e21]) {
    const ticks = niceTicks(max, 4);
    assert.equal(ticks[0], 0);
    assert.ok((ticks.at(-1) ?? 0) >= max && ticks.length <= 6, `${max}: ${ticks}`);
    assert.ok(ticks.every(Number.isInteger), `${max}: ${ticks}`);
  }
});

test("A pasted token is cleaned, and what cannot stand in a header is refused", () => {
  assert.equal(cleanToken("  Bearer eyJ.a-b_c.d\n"), "eyJ.a-b_c.d");
  assert.equal(cleanToken('"eyJ.a.b"'), "eyJ.a.b");
  for (const bad of ["", "   ", "two words", "naïve", "a\nb", "a".repeat(4_097)])
    assert.equal(cleanToken(bad), null);
});

test("Pauses between attempts grow to half a minute and no further", () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 60].map((failures) => pauseAfter(failures, 0)),
    [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000],
  );
});

test("The headers allow this origin only, no inline code and no markup from strings", async () => {
  const text = await readFile(
    new URL("../../bindings/dashboard/_headers", import.meta.url),
    "utf8",
  );
  assert.deepEqual(
    text.split("\n").filter((line) => line.startsWith("/")),
    ["/*"],
  );
  const headers = new Map(readHeaders(text));
  const policy = headers.get("Content-Security-Policy") ?? "";
  for (const part of [
    "default-src 'self'",
    "frame-ancestors 'none'",
    "form-action 'none'",
    "trusted-types 'none'",
  ]) {
    assert.ok(policy.includes(part), part);
  }
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.equal(headers.get("X-Content-Type-Options"), "nosniff");
  assert.equal(headers.get("Referrer-Policy"), "no-referrer");
});
