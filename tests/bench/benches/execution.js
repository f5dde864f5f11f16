// What following an execution adds to an append, end to end in workerd: spans, points, log lines, the
// monitor's shards, the Tail Worker with its stores of traces; beside the same z0 without them.
import { Child } from "../lib/children.js";
import { entityLists, startZ0 } from "../lib/contenders.js";
import { cpuMs, pin } from "../lib/proc.js";
import { gate, round } from "../lib/report.js";
import { figure, progress } from "../lib/rounds.js";

/** @typedef {import("../lib/contenders.js").Contender} Contender */
/** @typedef {import("../lib/report.js").Row} Row */

const CONNECTIONS = 16;
const GATES = { 1: 15, 100: 10 };
const OFF = "off";
const NO_TAIL = "on, no Tail Worker";
const ALL = "all of it";
const IDLE = "off, an idle Tail Worker";
// Until traces are judged, and the monitor's shard is saved.
const SETTLE_MS = 12_000;
let stream = 1;

/** @param {string} wasm @returns {Promise<Record<string, Contender>>} */
async function startAll(wasm) {
  const consumer = "drops";
  return {
    [OFF]: await startZ0(wasm, { consumer, silent: true }),
    [NO_TAIL]: await startZ0(wasm, { consumer }),
    [ALL]: await startZ0(wasm, { consumer, tail: true }),
    [IDLE]: await startZ0(wasm, { consumer, silent: true, tail: "idle" }),
  };
}

/** @param {Child} client @param {Contender} contender @param {number} batch @param {number} seconds */
async function burst(client, contender, batch, seconds) {
  const { port, headers } = contender;
  const job = { port, headers, seconds, batch, path: "/v1/facts", connections: CONNECTIONS };
  const got = await client.ask({ ...job, entities: entityLists(1), stream: stream++ });
  const bad = Object.keys(got.statuses).filter((s) => s !== "200" && s !== "201");
  if (bad.length) throw new Error(`HTTP ${JSON.stringify(got.statuses)}: ${got.sample}`);
  return /** @type {number} */ (got.requests);
}

/**
 * Bursts by turns. What a burst leaves to be done later is done while the others have theirs, so a round
 * of a contender ends where its next one begins.
 * @param {Child} client @param {Record<string, Contender>} contenders @param {number} batch
 * @param {number} seconds @param {number} rounds
 * @returns {Promise<Record<string, number[]>>} µs of CPU a request, by contender and round
 */
async function measure(client, contenders, batch, seconds, rounds) {
  const names = Object.keys(contenders);
  /** @type {Record<string, number[]>} */
  const us = Object.fromEntries(names.map((name) => [name, []]));
  /** @type {Record<string, {cpu: number, requests: number}>} */
  const begun = {};
  for (let turn = 0; turn <= rounds; turn++) {
    if (turn === rounds) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    for (const [name, contender] of Object.entries(contenders)) {
      const cpu = cpuMs(contender.pid);
      const before = begun[name];
      if (before) us[name]?.push(((cpu - before.cpu) * 1000) / before.requests);
      if (turn < rounds) begun[name] = { cpu, requests: await burst(client, contender, batch, seconds) };
    }
  }
  return us;
}

/** @param {number} batch @param {import("../run.js").Options} options @returns {Promise<Row[]>} */
async function rows(batch, { wasm, quick }) {
  progress(`execution, batches of ${batch}`);
  const contenders = await startAll(wasm);
  const client = new Child("client.js");
  pin(client.pid, 1);
  const seconds = quick ? 1 : 2;
  for (const contender of Object.values(contenders)) {
    pin(contender.pid, 0);
    await burst(client, contender, batch, seconds);
  }
  const us = await measure(client, contenders, batch, seconds, quick ? 3 : 9);
  client.stop();
  for (const contender of Object.values(contenders)) await contender.dispose();
  const of = (/** @type {string} */ contender) => /** @type {number[]} */ (us[contender]);
  const more = (/** @type {string} */ contender, than = OFF) =>
    figure(of(contender).map((x, i) => (x / /** @type {number} */ (of(than)[i]) - 1) * 100));
  const name = `batches of ${batch}`;
  const limit = GATES[/** @type {1 | 100} */ (batch)];
  const [all, own] = [more(ALL).median, more(ALL, IDLE).median];
  const cells = (/** @type {string[]} */ names, /** @type {(name: string) => import("../lib/rounds.js").Figure} */ cell) =>
    Object.fromEntries(names.map((contender) => [contender, cell(contender)]));
  return [
    { name, unit: "µs CPU a request", cells: cells(Object.keys(us), (contender) => figure(of(contender))) },
    {
      name,
      unit: "% more than off, round by round",
      cells: cells([NO_TAIL, ALL, IDLE], more),
      gates: [gate(`all of it ≤ ${limit} % more (${round(all)})`, all <= limit)],
    },
    {
      name,
      unit: "% more than with an idle Tail Worker",
      cells: cells([ALL], (contender) => more(contender, IDLE)),
      gates: [gate(`z0's own part ≤ ${limit} % (${round(own)})`, own <= limit)],
    },
  ];
}

/**
 * @param {import("../run.js").Options} options
 * @returns {Promise<import("../lib/report.js").Section[]>}
 */
export async function execution(options) {
  return [
    {
      title: "What following an execution adds to an append",
      rows: [...(await rows(1, options)), ...(await rows(100, options))],
      notes: [
        `POST /v1/facts as under "End to end", whose queue drops its messages. "Off": the same Worker whose ` +
          `modules for spans and points do nothing, so no log line, no point, no flush to a shard; no binding ` +
          `METRICS, no Tail Worker. The core still writes its spans and points, which "A span and a point" has. ` +
          `"All of it": spans in log lines and in the platform's traces, points, the shard of the monitor, the ` +
          `Tail Worker and its store of traces, in one process. A Tail Worker that does nothing shows what the ` +
          `platform spends on bringing it an event for each invocation; deployed, it does so elsewhere.`,
      ],
    },
  ];
}
