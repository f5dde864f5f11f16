// End to end through local workerd: POST of facts over HTTP, z0 beside a Worker that inserts a row
// a fact and beside one that stores the body unread; then the Durable Objects alone.
import { Child } from "../lib/children.js";
import { call, entityLists, startBody, startNaive, startRows, startZ0 } from "../lib/contenders.js";
import { entityName, makeBody } from "../lib/facts.js";
import { cpuMs, pin, residentMb } from "../lib/proc.js";
import { interleave, progress } from "../lib/rounds.js";
import { gate, round, times } from "../lib/report.js";
import { newLedgers } from "./new_ledgers.js";

/** @typedef {import("../lib/contenders.js").Contender} Contender */
/** @typedef {import("../lib/report.js").Row} Row */

const CONNECTIONS = 16;
let stream = 1;

// What was taken in is worked off: nothing happens for as long as a queue may wait for company.
const QUIET_MS = 1_500;
const QUIET_MS_MAX = 30_000;
const IDLE_SHARE = 0.05;

/** @param {number} pid */
async function quiet(pid) {
  const until = performance.now() + QUIET_MS_MAX;
  let since = performance.now();
  for (let at = since, cpu = cpuMs(pid); since + QUIET_MS > at && at < until; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const [now, used] = [performance.now(), cpuMs(pid)];
    if (used - cpu > IDLE_SHARE * (now - at)) since = now;
    [at, cpu] = [now, used];
  }
}

/**
 * @param {Child} client
 * @param {Contender} contender
 * @param {number} batch
 * @param {string[][]} entities
 * @param {number} seconds
 */
async function burst(client, contender, batch, entities, seconds) {
  const before = cpuMs(contender.pid);
  const got = await client.ask({
    port: contender.port,
    path: "/v1/facts",
    headers: contender.headers,
    seconds,
    connections: CONNECTIONS,
    batch,
    entities,
    stream: stream++,
  });
  if (contender.consumes) await quiet(contender.pid);
  const used = cpuMs(contender.pid) - before;
  const bad = Object.keys(got.statuses).filter((s) => s !== "200" && s !== "201");
  if (bad.length) throw new Error(`HTTP ${JSON.stringify(got.statuses)}: ${got.sample}`);
  return {
    requests_s: got.requests / got.seconds,
    facts_s: (got.requests * batch) / got.seconds,
    us_fact: (used * 1000) / (got.requests * batch),
    p50_ms: got.p50_ms,
    resident_mb: residentMb(contender.pid),
  };
}

/** @param {Record<string, Contender>} contenders */
async function stopAll(contenders) {
  for (const contender of Object.values(contenders)) await contender.dispose();
}

/**
 * @param {import("../run.js").Options} options
 * @param {boolean} spread
 * @returns {Promise<Record<string, Contender>>}
 */
async function startAll({ wasm }, spread) {
  return {
    z0: await startZ0(wasm),
    "z0, everything on": await startZ0(wasm, { consumer: true }),
    "row a fact": await startRows(),
    "naive Worker, everything on": await startNaive(),
    ...(spread
      ? {}
      : { "body unread": await startBody(false), "body unread + queue": await startBody(true) }),
  };
}

/** @param {import("../run.js").Options} options @returns {Promise<Row[]>} */
async function endToEnd(options) {
  const seconds = options.quick ? 1.5 : 4;
  const rounds = options.quick ? 2 : 5;
  /** @type {Row[]} */
  const rows = [];
  for (const [batch, ledgers] of /** @type {[number, number][]} */ ([
    [1, 1],
    [100, 1],
    [100, 4],
    [1000, 1],
  ])) {
    const what = `batches of ${batch}${ledgers > 1 ? ` over ${ledgers} ledgers` : ""}`;
    progress(`end to end, ${what}`);
    // New processes for each size: queues without a consumer live in memory and grow.
    const contenders = await startAll(options, ledgers > 1);
    const client = new Child("client.js");
    pin(client.pid, 1);
    const entities = entityLists(ledgers);
    for (const contender of Object.values(contenders)) {
      pin(contender.pid, 0);
      await burst(client, contender, batch, entities, seconds / 3);
    }
    const figures = await interleave(
      Object.fromEntries(
        Object.entries(contenders).map(([name, c]) => [
          name,
          () => burst(client, c, batch, entities, seconds),
        ]),
      ),
      rounds,
    );
    client.stop();
    await stopAll(contenders);
    const cells = (/** @type {string} */ key) =>
      Object.fromEntries(
        Object.entries(figures).map(([name, f]) => [name, /** @type {any} */ (f)[key]]),
      );
    const share = times(figures["z0"]?.requests_s, figures["body unread"]?.requests_s);
    const alike = times(figures["z0"]?.requests_s, figures["body unread + queue"]?.requests_s);
    const on = figures["z0, everything on"]?.us_fact.median ?? NaN;
    rows.push(
      {
        name: what,
        unit: "requests/s",
        cells: cells("requests_s"),
        gates:
          batch === 100 && ledgers === 1
            ? [
                gate(
                  `≥ 0.7 × body unread (${round(share)} ×; with its queue ${round(alike)} ×)`,
                  share >= 0.7,
                ),
              ]
            : [],
      },
      { name: what, unit: "facts/s", cells: cells("facts_s") },
      {
        name: what,
        unit: "µs CPU a fact, whole process",
        cells: cells("us_fact"),
        gates: batch === 100 && ledgers === 1 ? [gate(`everything on ≤ 25 µs (${round(on)})`, on <= 25)] : [],
      },
      { name: what, unit: "ms, p50", cells: cells("p50_ms") },
    );
  }
  return rows;
}

/**
 * Runs one loop inside a Worker.
 * @param {Contender} contender
 * @param {"loop" | "noop"} what
 * @param {number} n
 */
async function spend(contender, what, n) {
  const before = cpuMs(contender.pid);
  const begun = performance.now();
  await call(contender, `/bench/${what}?n=${n}&stream=${stream++}`);
  return { cpu: cpuMs(contender.pid) - before, wall: performance.now() - begun };
}

/** @param {import("../run.js").Options} options @returns {Promise<Row[]>} */
async function objectsAlone(options) {
  const rounds = options.quick ? 3 : 7;
  /** @type {Row[]} */
  const rows = [];
  for (const batch of [1, 100, 1000]) {
    progress(`the objects alone, batches of ${batch}`);
    /** @type {Record<string, Contender>} */
    const contenders = { z0: await startZ0(options.wasm), "row a fact": await startRows() };
    const body = makeBody({
      count: batch,
      entities: [entityName("acme", 0)],
      seed: 7,
      nowMs: Date.now(),
    });
    const n = Math.max(10, Math.round((options.quick ? 5_000 : 20_000) / Math.max(batch, 10)));
    for (const contender of Object.values(contenders)) {
      pin(contender.pid, 0);
      await call(contender, "/bench/prepare", body.text);
      await spend(contender, "loop", n);
      await spend(contender, "noop", n);
    }
    const figures = await interleave(
      Object.fromEntries(
        Object.entries(contenders).map(([name, contender]) => [
          name,
          async () => {
            const idle = await spend(contender, "noop", n);
            const busy = await spend(contender, "loop", n);
            return {
              us: ((busy.cpu - idle.cpu) * 1000) / (n * batch),
              hop: (idle.cpu * 1000) / n,
              wall: ((busy.wall - idle.wall) * 1000) / (n * batch),
            };
          },
        ]),
      ),
      rounds,
    );
    await stopAll(contenders);
    const cells = (/** @type {string} */ key) =>
      Object.fromEntries(
        Object.entries(figures).map(([name, f]) => [name, /** @type {any} */ (f)[key]]),
      );
    const ratio = times(figures["row a fact"]?.us, figures["z0"]?.us);
    rows.push(
      {
        name: `batches of ${batch}`,
        unit: "µs CPU a fact",
        cells: cells("us"),
        gates: batch === 100 ? [gate(`≥ 10 × less (${round(ratio)} ×)`, ratio >= 10)] : [],
      },
      {
        name: `batches of ${batch}`,
        unit: "µs a fact, one call after the other",
        cells: cells("wall"),
      },
      {
        name: `batches of ${batch}`,
        unit: "µs CPU a call of an object that does nothing (taken off)",
        cells: cells("hop"),
      },
    );
  }
  return rows;
}

/**
 * @param {import("../run.js").Options} options
 * @returns {Promise<import("../lib/report.js").Section[]>}
 */
export async function worker(options) {
  const alone = await objectsAlone(options);
  const begun = await newLedgers(options);
  const rows = await endToEnd(options);
  return [
    {
      title: "Durable Objects alone",
      rows: alone,
      notes: [
        "CPU time of workerd while a Worker drives one object with ready-made appends, one " +
          "after the other, the same loop against an object that does nothing taken off. It " +
          "includes SQLite, the commit and its fsync.",
      ],
    },
    {
      title: "The first fact of a ledger",
      rows: begun,
      notes: [
        "One request with a fact for each of 100 ledgers, which do not exist yet; then the same " +
          "again with other facts. An object with tables of its own costs the peer most of what " +
          "it costs z0: that is the platform's.",
      ],
    },
    {
      title: "End to end",
      rows,
      notes: [
        `POST /v1/facts over HTTP on workerd's direct socket, ${CONNECTIONS} connections ` +
          `over 8 ledgers (or 8 groups of 4), the client on the other core. "z0" sends to the ` +
          `queue and reports to the monitor with the queue's consumer detached; "everything ` +
          `on" consumes into D1 in the same process. The local queue is a Worker in that ` +
          `process too, and a send costs it about as much CPU as a call of an object. CPU of those ` +
          `with everything on is counted until all that was taken in is worked off.`,
      ],
    },
  ];
}
