// The first fact of a ledger: a Durable Object is made, and its tables, beside the same for a Worker
// that inserts a row a fact. What an object costs by itself is the platform's, and in both figures.
import { startRows, startZ0 } from "../lib/contenders.js";
import { entityName, makeBody } from "../lib/facts.js";
import { cpuMs } from "../lib/proc.js";
import { interleave, progress } from "../lib/rounds.js";
import { gate, round } from "../lib/report.js";

/** @typedef {import("../lib/contenders.js").Contender} Contender */

const LEDGERS = 100;
// Few: ten seconds after its first fact a ledger has other work, which would be counted here.
const ROUNDS = 3;
let next = 0;

/** @param {Contender} contender @param {string[]} entities */
async function post(contender, entities) {
  const { text } = makeBody({ count: entities.length, entities, seed: ++next, nowMs: Date.now() });
  const before = cpuMs(contender.pid);
  const response = await fetch(`${contender.url}/v1/facts`, {
    method: "POST",
    headers: { ...contender.headers, "content-type": "application/json" },
    body: text,
  });
  const { recorded } = /** @type {{ recorded: number }} */ (await response.json());
  if (recorded !== entities.length) throw new Error(`HTTP ${response.status}: ${recorded} recorded`);
  return (cpuMs(contender.pid) - before) / entities.length;
}

/** @param {import("../run.js").Options} options @returns {Promise<import("../lib/report.js").Row[]>} */
export async function newLedgers({ wasm }) {
  progress(`new ledgers, ${LEDGERS} a request`);
  /** @type {Record<string, Contender>} */
  const contenders = { z0: await startZ0(wasm), "row a fact": await startRows() };
  const figures = await interleave(
    Object.fromEntries(
      Object.entries(contenders).map(([name, contender]) => [
        name,
        async () => {
          const first = ++next * LEDGERS;
          const entities = Array.from({ length: LEDGERS }, (_, k) => entityName("acme", first + k));
          return { begun: await post(contender, entities), known: await post(contender, entities) };
        },
      ]),
    ),
    ROUNDS,
  );
  for (const contender of Object.values(contenders)) await contender.dispose();
  const cells = (/** @type {"begun" | "known"} */ key) =>
    Object.fromEntries(Object.entries(figures).map(([name, f]) => [name, /** @type {any} */ (f)[key]]));
  const begun = /** @type {any} */ (figures["z0"]).begun.median;
  return [
    {
      name: `${LEDGERS} new ones a request`,
      unit: "ms CPU a ledger",
      cells: cells("begun"),
      gates: [gate(`≤ 5 ms (${round(begun)})`, begun <= 5)],
    },
    { name: "the same ones again", unit: "ms CPU a ledger", cells: cells("known") },
  ];
}
