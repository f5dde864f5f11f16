// What is billed: rows written in the Durable Objects and in D1, calls, messages, from the
// platform's own counters, and the price of a million facts by part, z0 beside the naive Worker.
import { call, startNaive, startZ0 } from "../lib/contenders.js";
import { entityName, makeBody } from "../lib/facts.js";
import { cpuMs } from "../lib/proc.js";
import { progress } from "../lib/rounds.js";
import { exact, gate, round } from "../lib/report.js";

/** @typedef {import("../lib/contenders.js").Contender} Contender */
/** @typedef {import("../lib/report.js").Row} Row */

// Dollars a million, above what a plan includes, as published (addresses in README.md).
const PRICES = {
  worker_request: 0.3,
  worker_cpu_ms: 0.02,
  do_request: 0.15,
  do_row_written: 1.0,
  do_row_read: 0.001,
  queue_operation: 0.4,
  d1_row_written: 1.0,
  d1_row_read: 0.001,
  // Of the platform's own logs and traces: a line, an invocation, a span.
  observability_event: 0.6,
  // Announced, not charged yet.
  data_point: 0.25,
};
// Duration of an object, per GB-second: 128 MB for as long as it works on a request.
const DOLLARS_GB_SECOND = 12.5e-6;
const OBJECT_GB = 0.128;

const FACTS_ALONE = "facts alone";
const TOTAL = "total";
/** @type {Record<string, number>} */
const LIMITS = { [FACTS_ALONE]: 1.5, [TOTAL]: 1.7 };

/** @param {Contender} contender @param {string} name */
async function factsInD1(contender, name) {
  const database = await contender.mf.getD1Database("DB", name);
  const { results } = await database.prepare("SELECT count(*) AS n FROM facts").all();
  return Number(results[0].n);
}

/** What was counted since the last time, in the Worker and in the Tail Worker. @param {Contender} contender */
async function takeCounters(contender) {
  /** @type {Record<string, number>} */
  const counted = await call(contender, "/bench/counters");
  if (contender.tailUrl === undefined) return counted;
  const ofTail = /** @type {Record<string, number>} */ (await (await fetch(contender.tailUrl)).json());
  return Object.fromEntries(Object.entries(counted).map(([name, n]) => [name, n + (ofTail[name] ?? 0)]));
}

/**
 * Sends `count` facts, waits until D1 has them all and the ledgers have confirmed it, and returns
 * what was counted.
 * @param {Contender} contender
 * @param {string} database
 * @param {number} count
 * @param {number} batch
 * @param {number} ledgers
 */
async function record(contender, database, count, batch, ledgers) {
  const before = await factsInD1(contender, database);
  await takeCounters(contender);
  const cpu = cpuMs(contender.pid);
  const begun = performance.now();
  const requests = Math.ceil(count / batch);
  for (let i = 0; i < requests; i++) {
    const entities = Array.from({ length: ledgers }, (_, k) =>
      entityName("acme", ledgers === 1 ? i % 2 : k),
    );
    const body = makeBody({
      count: batch,
      entities,
      seed: i * 7919 + batch * 31 + ledgers,
      nowMs: Date.now(),
    });
    const answer = await call(contender, "/v1/facts", body.text);
    if (answer.recorded !== batch)
      throw new Error(
        `recorded ${answer.recorded} of ${batch}: ${JSON.stringify(answer).slice(0, 500)}`,
      );
  }
  const postSeconds = (performance.now() - begun) / 1000;
  const until = Date.now() + 60_000;
  while ((await factsInD1(contender, database)) < before + requests * batch) {
    if (Date.now() > until) throw new Error("the facts do not come to D1");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  // The ledgers ask D1 some seconds later whether all has arrived, traces are judged, metrics are saved; that
  // is part of the price.
  if (database === "z0") await new Promise((resolve) => setTimeout(resolve, 13_000));
  const counted = await takeCounters(contender);
  return /** @type {Record<string, number>} */ ({
    ...counted,
    facts: requests * batch,
    requests,
    cpu_ms: cpuMs(contender.pid) - cpu,
    seconds: postSeconds,
  });
}

/**
 * @param {Record<string, number>} c
 * @returns {Record<string, number>} dollars a million facts, by part
 */
function price(c) {
  const n = (/** @type {string} */ key) => (c[key] ?? 0) / /** @type {number} */ (c["facts"]);
  // An alarm that is set is billed as a row written, one that goes off as a request.
  const rows = (/** @type {string} */ kind) => n(`${kind}_rows_written`) + n(`${kind}_alarms_set`);
  const objects = (/** @type {string} */ kind) =>
    n(`${kind}_requests`) * PRICES.do_request +
    rows(kind) * PRICES.do_row_written +
    n(`${kind}_rows_read`) * PRICES.do_row_read +
    n(`${kind}_ms`) * 1_000 * OBJECT_GB * DOLLARS_GB_SECOND;
  const parts = {
    "Worker requests": (n("requests") + n("consumed_batches")) * PRICES.worker_request,
    "Worker CPU": n("cpu_ms") * PRICES.worker_cpu_ms,
    "object requests": n("do_requests") * PRICES.do_request,
    "object rows written": rows("do") * PRICES.do_row_written,
    "object rows read": n("do_rows_read") * PRICES.do_row_read,
    "object duration": n("seconds") * 1e6 * OBJECT_GB * DOLLARS_GB_SECOND,
    queue: n("queue_operations") * PRICES.queue_operation,
    "D1 rows written": n("d1_rows_written") * PRICES.d1_row_written,
    "D1 rows read": n("d1_rows_read") * PRICES.d1_row_read,
  };
  const layers = {
    "tracing, the stores' objects": objects("traces"),
    "tracing, the platform's logs and traces":
      (n("log_events") + n("platform_spans")) * PRICES.observability_event,
    "metrics, the monitor's shards": objects("metrics"),
  };
  const sum = (/** @type {Record<string, number>} */ all) => Object.values(all).reduce((a, b) => a + b, 0);
  return {
    ...parts,
    [FACTS_ALONE]: sum(parts),
    ...layers,
    [TOTAL]: sum(parts) + sum(layers),
    "data points, announced and not in the total": n("points") * PRICES.data_point,
  };
}

/**
 * @param {import("../run.js").Options} options
 * @returns {Promise<import("../lib/report.js").Section[]>}
 */
export async function storage({ wasm, quick }) {
  /** @type {Row[]} */
  const counts = [];
  /** @type {Row[]} */
  const dollars = [];
  for (const [batch, ledgers] of /** @type {[number, number][]} */ ([
    [1, 1],
    [100, 1],
    [100, 4],
    [1000, 1],
  ])) {
    const what = `batches of ${batch}${ledgers > 1 ? ` over ${ledgers} ledgers` : ""}`;
    progress(`rows and prices, ${what}`);
    const z0 = await startZ0(wasm, { consumer: true, meter: true, tail: true });
    const naive = await startNaive({ meter: true });
    const facts = Math.max(batch === 1 ? (quick ? 100 : 400) : quick ? 2_000 : 10_000, batch);
    const counted = {
      z0: await record(z0, "z0", facts, batch, ledgers),
      naive: await record(naive, "naive", facts, batch, ledgers),
    };
    await z0.dispose();
    await naive.dispose();
    const per = (/** @type {string} */ key) => ({
      z0: exact((counted.z0[key] ?? 0) / (counted.z0["facts"] ?? 0)),
      "naive Worker": exact((counted.naive[key] ?? 0) / (counted.naive["facts"] ?? 0)),
    });
    counts.push(
      { name: what, unit: "object rows written a fact", cells: per("do_rows_written") },
      { name: what, unit: "alarms set a fact", cells: per("do_alarms_set") },
      { name: what, unit: "object rows read a fact", cells: per("do_rows_read") },
      { name: what, unit: "D1 rows written a fact", cells: per("d1_rows_written") },
      { name: what, unit: "D1 rows read a fact", cells: per("d1_rows_read") },
      { name: what, unit: "object requests a fact", cells: per("do_requests") },
      { name: what, unit: "messages a fact", cells: per("messages") },
      { name: what, unit: "message bytes a fact", cells: per("message_bytes") },
      { name: what, unit: "data points a fact", cells: per("points") },
      { name: what, unit: "rows written for traces a fact", cells: per("traces_rows_written") },
      { name: what, unit: "rows written for metrics a fact", cells: per("metrics_rows_written") },
      { name: what, unit: "requests of stores of traces a fact", cells: per("traces_requests") },
      { name: what, unit: "requests of the monitor's shards a fact", cells: per("metrics_requests") },
      { name: what, unit: "events of the platform's logs a fact", cells: per("log_events") },
      { name: what, unit: "spans of the platform's traces a fact", cells: per("platform_spans") },
    );
    const prices = { z0: price(counted.z0), naive: price(counted.naive) };
    for (const [part, dollarsOfZ0] of Object.entries(prices.z0)) {
      const limit = batch === 100 && ledgers === 1 ? LIMITS[part] : undefined;
      dollars.push({
        name: `${what}: ${part}`,
        unit: "$ a million facts",
        cells: { z0: exact(dollarsOfZ0), "naive Worker": exact(prices.naive[part] ?? 0) },
        gates: limit === undefined ? [] : [gate(`≤ $${limit} ($${round(dollarsOfZ0)})`, dollarsOfZ0 <= limit)],
      });
    }
  }
  return [
    {
      title: "Rows, calls and messages",
      rows: counts,
      notes: [
        "Counted where they happen: `rowsWritten` and `rowsRead` of the objects' cursors, " +
          "`meta` of D1's results, until every fact was in D1 and the ledgers had confirmed it.",
      ],
    },
    {
      title: "Dollars a million facts",
      rows: dollars,
      notes: [
        "At published prices beyond what a plan includes; CPU is that of the whole local " +
          "process, which includes SQLite, the queue and the Tail Worker, and so an upper bound. A call of an " +
          "object for traces or metrics counts as 1 ms at least. The Tail Worker is billed for CPU alone. What " +
          "the platform's own logs and traces hold is counted by a streaming Tail Worker beside it: an invocation " +
          "is an event of either, all of them kept.",
      ],
    },
  ];
}
