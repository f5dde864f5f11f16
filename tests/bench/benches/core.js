// The core alone, per fact: the edge's step (decode, check, encode, ask, answer) beside plain
// JavaScript and beside zod with OpenTelemetry, in Node and inside workerd; and the ledger's append
// step.
import { Child } from "../lib/children.js";
import { entityName, makeBody } from "../lib/facts.js";
import { cpuMs } from "../lib/proc.js";
import { calibrate, figure, interleave, progress } from "../lib/rounds.js";
import { gate, round, times } from "../lib/report.js";
import { SECRET, mintToken } from "../lib/token.js";
import { coreLoop, start } from "../lib/workers.js";

const LEDGERS = 4;
const SAMPLE_MS = 400;
const NAMES = /** @type {const} */ ({
  z0_edge: "z0 edge",
  plain: "plain JS",
  plain_token: "plain JS + token",
  zod_otel: "zod + OpenTelemetry",
  z0_append: "z0 ledger append",
});

/**
 * @typedef {(what: string, key: string, work: object, n: number) => Promise<number>} Spend CPU ms of n loops
 */

/** @param {number} batch @param {number} ledgers */
function makeWork(batch, ledgers) {
  const nowMs = Date.now();
  const entities = Array.from({ length: Math.min(ledgers, batch) }, (_, k) =>
    entityName("acme", k),
  );
  const body = makeBody({ count: batch, entities, seed: 7, nowMs });
  return {
    text: body.text,
    ids: body.facts.map((f) => f.id),
    token: mintToken("tenant_acme"),
    secret: SECRET,
    nowMs,
  };
}

/**
 * @param {string} where
 * @param {Record<string, Spend>} spenders
 * @param {import("../run.js").Options} options
 */
async function measure(where, spenders, { quick }) {
  const rows = [];
  const sampleMs = quick ? SAMPLE_MS / 4 : SAMPLE_MS;
  for (const batch of [1, 100, 1000]) {
    progress(`core in ${where}, batches of ${batch}`);
    /** @type {Record<string, () => Promise<{us: number}>>} */
    const contenders = {};
    for (const [what, spend] of Object.entries(spenders)) {
      const work = makeWork(batch, what === "z0_append" ? 1 : LEDGERS);
      const run = (/** @type {number} */ n) => spend(what, String(batch), work, n);
      const n = await calibrate(run, sampleMs);
      contenders[what] = async () => ({
        us: (Math.max(0, (await run(n)) - (await run(0))) * 1000) / (n * batch),
      });
    }
    const figures = await interleave(contenders, quick ? 3 : 7);
    const us = (/** @type {string} */ what) => figures[what]?.us ?? figure([NaN]);
    const edge = us("z0_edge");
    const toPlain = times(us("plain"), edge);
    const toToken = times(us("plain_token"), edge);
    const toZod = times(us("zod_otel"), edge);
    rows.push({
      name: `${where}, batches of ${batch}`,
      unit: "µs CPU a fact",
      cells: Object.fromEntries(Object.entries(NAMES).map(([what, name]) => [name, us(what)])),
      gates:
        batch === 1
          ? [gate(`≤ plain JS + token (${round(toToken)} ×)`, toToken >= 1)]
          : batch === 100
          ? [
              ...(where === "workerd"
                ? [gate(`≤ 1.5 µs (${round(edge.median)})`, edge.median <= 1.5)]
                : []),
              gate(`≥ 5 × plain JS (${round(toPlain)} ×)`, toPlain >= 5),
              gate(`≥ 8 × zod + OpenTelemetry (${round(toZod)} ×)`, toZod >= 8),
            ]
          : [],
    });
  }
  return rows;
}

/** @param {import("../run.js").Options} options */
async function inNode(options) {
  /** @type {Child[]} */
  const children = [];
  /** @type {Record<string, Spend>} */
  const spenders = {};
  for (const what of Object.keys(NAMES)) {
    const child = new Child("loop_child.js", [options.wasm]);
    children.push(child);
    spenders[what] = async (name, key, work, n) =>
      (await child.ask({ what: name, key, work, n })).cpuUs / 1000;
  }
  const rows = await measure("node", spenders, options);
  children.forEach((child) => child.stop());
  return rows;
}

/** @param {import("../run.js").Options} options */
async function inWorkerd(options) {
  const spec = await coreLoop(options.wasm);
  const running = [];
  /** @type {Record<string, Spend>} */
  const spenders = {};
  for (const what of Object.keys(NAMES)) {
    const worker = await start(spec);
    running.push(worker);
    spenders[what] = async (name, key, work, n) => {
      const before = cpuMs(worker.pid);
      const response = await fetch(`${worker.url}/?what=${name}&key=${key}&n=${n}`, {
        method: "POST",
        body: JSON.stringify(work),
      });
      const text = await response.text();
      if (!response.ok)
        throw new Error(`${name} in workerd: HTTP ${response.status} ${text.slice(0, 500)}`);
      return cpuMs(worker.pid) - before;
    };
  }
  const rows = await measure("workerd", spenders, options);
  for (const worker of running) await worker.dispose();
  return rows;
}

/**
 * @param {import("../run.js").Options} options
 * @returns {Promise<import("../lib/report.js").Section[]>}
 */
export async function core(options) {
  const rows = [...(await inNode(options)), ...(await inWorkerd(options))];
  return [
    {
      title: "The core, per fact",
      rows,
      notes: [
        `CPU time of the process, an empty loop taken off. The edge's step takes a whole ` +
          `HTTP request, bearer token included (of the peers one checks a token), over ${LEDGERS} ` +
          `ledgers, and answers it: two calls of the core, with the ledgers' replies canned. ` +
          `The append step takes one ledger's share, all of the batch on one ledger, new ids ` +
          `each time.`,
      ],
    },
  ];
}
