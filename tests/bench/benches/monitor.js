// The monitor: what flushes of isolates cost a shard, what its series weigh, and GET /metrics over the
// series of 1,000 tenants while flushes go on arriving.
import { FRAME, TARGET } from "../lib/abi.js";
import { call, headersOfOperator, startZ0 } from "../lib/contenders.js";
import { Isolate, factsWritten, writeDuration } from "../lib/flushes.js";
import { cpuMs, pin } from "../lib/proc.js";
import { exact, gate, round } from "../lib/report.js";
import { figure, progress } from "../lib/rounds.js";
import { SqliteHost } from "../lib/sqlite_host.js";
import { SECRET } from "../lib/token.js";

/** @typedef {import("../lib/contenders.js").Contender} Contender */
/** @typedef {import("../lib/flushes.js").Point} Point */
/** @typedef {import("../lib/report.js").Row} Row */

const encoder = new TextEncoder();
const SHARD = encoder.encode("metrics_0");
const ISOLATES = 50;
const SAVE_MS = 10_000;
const FLUSH_POINTS = 20;
const TENANTS = 1_000;
const SERIES = 100_000;
const SERIES_A_TENANT = 500;
const REPORT_POINTS = 1_000;
const EVERY_MS = 20;
// Isolates flush once a second: one that waits longer than that would be met by its next one.
const WAIT_MS_MAX = 1_000;

/**
 * The points of one flush, of a few tenants each time.
 * @param {number} n the flush @param {number} count @returns {Point[]}
 */
const pointsOf = (n, count) =>
  Array.from({ length: count }, (_, i) => {
    const tenant = `tenant_${(n * 7 + Math.floor(i / 5)) % 200}`;
    return i % 5 === 4
      ? writeDuration(tenant, "invocation", (n * 13 + i) % 250)
      : factsWritten(tenant, `ast_${(n + i) % 25}`);
  });

/**
 * Flushes into one shard in Node, with the rows of its saves, in SQLite in memory.
 * @param {SqliteHost} host @param {Isolate[]} isolates @param {number} points of a flush @param {number} count
 */
function tellInNode(host, isolates, points, count) {
  const reports = Array.from({ length: count }, (_, n) => {
    const isolate = /** @type {Isolate} */ (isolates[n % ISOLATES]);
    return isolate.report(pointsOf(n, points));
  });
  const begun = process.cpuUsage();
  for (const [n, report] of reports.entries()) {
    host.run({ kind: FRAME.tell, target: TARGET.monitor }, [SHARD, report]);
    // As many isolates tell once a second each.
    host.nowMs += 1_000 / ISOLATES;
    if (n % ((ISOLATES * SAVE_MS) / 1_000) === 0) host.run({ kind: FRAME.alarm, target: TARGET.monitor }, [SHARD]);
  }
  const used = process.cpuUsage(begun);
  return (used.user + used.system) / count;
}

/** @param {string} wasm @param {boolean} quick @returns {Row[]} */
function flushesInNode(wasm, quick) {
  const rows = [];
  for (const points of [FLUSH_POINTS, 200]) {
    progress(`monitor, flushes of ${points} points`);
    const nowMs = Date.now();
    const host = new SqliteHost(wasm, nowMs);
    const isolates = Array.from({ length: ISOLATES }, (_, id) => new Isolate(id, nowMs));
    const count = Math.round((quick ? 20_000 : 100_000) / points);
    tellInNode(host, isolates, points, count);
    const us = Array.from({ length: quick ? 3 : 7 }, () => tellInNode(host, isolates, points, count));
    const name = `flushes of ${points} points into one shard`;
    const perSecond = (/** @type {number} */ each) => figure(us.map((x) => (1e6 / x) * each));
    rows.push(
      { name, unit: "flushes a second of CPU", cells: { z0: perSecond(1) } },
      { name, unit: "points a second of CPU", cells: { z0: perSecond(points) } },
    );
  }
  return rows;
}

/** @param {Contender} z0 @param {Uint8Array} report @param {number} [n] */
async function tell(z0, report, n = 1) {
  const response = await fetch(`${z0.url}/bench/tell?n=${n}`, { method: "POST", body: new Uint8Array(report) });
  if (!response.ok) throw new Error(`/bench/tell: HTTP ${response.status}`);
  await response.arrayBuffer();
}

/** @param {string} wasm @param {boolean} quick @returns {Promise<Row[]>} */
async function flushesInWorkerd(wasm, quick) {
  progress("monitor, flushes in workerd");
  const z0 = await startZ0(wasm);
  pin(z0.pid, 0);
  const n = quick ? 500 : 2_000;
  const us = [];
  for (let turn = 0; turn < (quick ? 4 : 8); turn++) {
    const report = new Isolate(turn, Date.now()).report(pointsOf(turn, FLUSH_POINTS));
    const before = cpuMs(z0.pid);
    await tell(z0, report, n);
    // The first ones warm up.
    if (turn > 0) us.push(((cpuMs(z0.pid) - before) * 1000) / n);
  }
  await z0.dispose();
  const name = `flushes of ${FLUSH_POINTS} points into one shard, in workerd`;
  return [{ name, unit: "µs CPU a flush, with the call", cells: { z0: figure(us) } }];
}

/** @param {Contender} z0 @param {Point[]} points */
async function fill(z0, points) {
  const isolate = new Isolate(999, Date.now());
  for (let i = 0; i < points.length; i += REPORT_POINTS) {
    await tell(z0, isolate.report(points.slice(i, i + REPORT_POINTS)));
  }
}

/** @param {string} wasm @returns {Promise<Row[]>} */
async function weight(wasm) {
  progress(`monitor, ${SERIES.toLocaleString("en-US")} series`);
  const z0 = await startZ0(wasm);
  const points = Array.from({ length: SERIES }, (_, i) =>
    factsWritten(`tenant_${Math.floor(i / SERIES_A_TENANT)}`, `ast_of_some_length_${i % SERIES_A_TENANT}`),
  );
  await fill(z0, points);
  const operator = { ...z0, headers: headersOfOperator() };
  const answer = await call(operator, "/v1/metrics/query?metric=z0_facts_written_total&window=1h");
  const { series, memory_bytes } = answer.monitor;
  await z0.dispose();
  if (series < SERIES * 0.999) throw new Error(`${series} series of ${SERIES} are there`);
  const name = `${SERIES.toLocaleString("en-US")} series in one shard`;
  return [
    { name, unit: "MB", cells: { z0: exact(memory_bytes / 2 ** 20) }, gates: [gate("≤ 96 MB", memory_bytes <= 96 * 2 ** 20)] },
    { name, unit: "bytes a series, its slots too", cells: { z0: exact(memory_bytes / series) } },
  ];
}

/**
 * Flushes at a steady pace, until told to stop; how long each waited, in ms.
 * @param {Contender} z0 @param {Isolate} isolate @param {() => boolean} done
 */
async function flushSteadily(z0, isolate, done) {
  /** @type {number[]} */
  const waited = [];
  const running = [];
  for (let n = 0; !done(); n++) {
    const report = isolate.report(pointsOf(n, FLUSH_POINTS));
    const begun = performance.now();
    running.push(tell(z0, report).then(() => waited.push(performance.now() - begun)));
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await Promise.all(running);
  return waited.sort((a, b) => a - b);
}

/** @param {Contender} z0 */
async function scrape(z0) {
  const headers = { ...headersOfOperator(), accept: "application/openmetrics-text; version=1.0.0" };
  const begun = performance.now();
  const response = await fetch(`${z0.url}/metrics`, { headers });
  const text = await response.text();
  if (!response.ok || !text.endsWith("# EOF\n")) throw new Error(`/metrics: HTTP ${response.status}`);
  return { ms: performance.now() - begun, text };
}

/** The series of all tenants, eight each: of counters, and of histograms with four values. */
const allTenants = () =>
  Array.from({ length: TENANTS }, (_, t) => [
    ...Array.from({ length: 6 }, (_, i) => factsWritten(`tenant_${t}`, `ast_${t}_${i}`)),
    ...[3, 8, 21, 90].flatMap((ms) => [
      writeDuration(`tenant_${t}`, "invocation", ms),
      writeDuration(`tenant_${t}`, "outcome", ms),
    ]),
  ]).flat();

/**
 * Where the time of one scrape goes: steps of the core in Node, by who takes them.
 * @param {string} wasm @param {boolean} quick @returns {Row[]}
 */
function scrapeInNode(wasm, quick) {
  const nowMs = Date.now();
  const host = new SqliteHost(wasm, nowMs);
  const isolate = new Isolate(1, nowMs);
  const points = allTenants();
  for (let i = 0; i < points.length; i += REPORT_POINTS) {
    const report = isolate.report(points.slice(i, i + REPORT_POINTS));
    host.run({ kind: FRAME.tell, target: TARGET.monitor }, [SHARD, report]);
  }
  const { authorization } = headersOfOperator();
  const accept = "application/openmetrics-text; version=1.0.0";
  const request = ["GET", "/metrics", "", SECRET, "authorization", authorization, "accept", accept];
  /** @type {Record<string, number[]>} */
  const ms = { metrics_0: [], root: [], "": [] };
  for (let turn = 0; turn < (quick ? 6 : 21); turn++) {
    host.spentMs = {};
    const parts = request.map((part) => encoder.encode(part));
    if (host.run({ kind: FRAME.request, target: TARGET.edge }, parts).length < 2 ** 20) throw new Error("no metrics");
    // The first ones warm up.
    if (turn > 2) for (const [object, list] of Object.entries(ms)) list.push(host.spentMs[object] ?? 0);
  }
  const who = { metrics_0: "the shard is busy", root: "the root is busy", "": "the edge is busy" };
  return Object.entries(who).map(([object, what]) => ({
    name: `one scrape: ${what}`,
    unit: "ms, in Node",
    cells: { z0: figure(ms[object] ?? []) },
  }));
}

/** @param {string} wasm @param {boolean} quick @returns {Promise<Row[]>} */
async function scrapes(wasm, quick) {
  progress(`monitor, /metrics of ${TENANTS} tenants`);
  const z0 = await startZ0(wasm);
  pin(z0.pid, 0);
  await fill(z0, allTenants());
  const turns = quick ? 5 : 20;
  const isolate = new Isolate(7, Date.now());
  await scrape(z0);
  const until = performance.now() + turns * 100;
  const alone = await flushSteadily(z0, isolate, () => performance.now() > until);
  /** @type {number[]} */
  const ms = [];
  let scraping = true;
  let text = "";
  const flushing = flushSteadily(z0, isolate, () => !scraping);
  for (let i = 0; i < turns; i++) {
    const got = await scrape(z0);
    ms.push(got.ms);
    text = got.text;
  }
  scraping = false;
  const beside = await flushing;
  await z0.dispose();
  const named = new Set([...text.matchAll(/tenant_id="(tenant_\d+)"/g)].map((match) => match[1]));
  if (named.size < TENANTS) throw new Error(`/metrics names ${named.size} of ${TENANTS} tenants`);
  const lines = text.split("\n").length.toLocaleString("en-US");
  const worst = /** @type {number} */ (beside.at(-1));
  const name = `/metrics of ${TENANTS.toLocaleString("en-US")} tenants, 8 series each (${lines} lines)`;
  return [
    { name, unit: "ms, while flushes arrive", cells: { z0: figure(ms) } },
    { name, unit: "MB of text", cells: { z0: exact(text.length / 2 ** 20) } },
    { name: "a flush, nobody scrapes", unit: "ms", cells: { z0: figure(alone) } },
    {
      name: "a flush, one scrape after the other",
      unit: "ms",
      cells: { z0: figure(beside) },
      gates: [gate(`none waits more than ${WAIT_MS_MAX} ms (${round(worst)})`, worst <= WAIT_MS_MAX)],
    },
  ];
}

/**
 * @param {import("../run.js").Options} options
 * @returns {Promise<import("../lib/report.js").Section[]>}
 */
export async function monitor({ wasm, quick }) {
  return [
    {
      title: "The monitor",
      rows: [
        ...flushesInNode(wasm, quick),
        ...(await flushesInWorkerd(wasm, quick)),
        ...(await weight(wasm)),
        ...(await scrapes(wasm, quick)),
        ...scrapeInNode(wasm, quick),
      ],
      notes: [
        `A flush is what an isolate tells once a second. In Node: the shard's step alone, from ${ISOLATES} ` +
          `isolates, with a save every 10 s into SQLite in memory. In workerd: one after the other, with the ` +
          `call of the object. Series and memory as the shard itself states them. While /metrics is asked for ` +
          `again and again, a flush comes every ${EVERY_MS} ms; here Worker and objects share one thread, so ` +
          `a flush waits for the edge's rendering as well, which a deployment does elsewhere.`,
      ],
    },
  ];
}
