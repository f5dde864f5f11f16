// How the price of an append grows with the ledger: batches of 100 and of 1 at 1,000, 100,000 and
// 1,000,000 facts in one ledger, warm and after the object was evicted.
import { call, headersOfOperator, startRows, startZ0 } from "../lib/contenders.js";
import { entityName, makeBody } from "../lib/facts.js";
import { cpuMs, residentMb } from "../lib/proc.js";
import { figure, progress } from "../lib/rounds.js";
import { exact, gate, round, times } from "../lib/report.js";

/** @typedef {import("../lib/contenders.js").Contender} Contender */
/** @typedef {import("../lib/report.js").Figure} Figure */

const FILL_BATCH = 1_000;
const FILL_CALLS = 20;
const ENTITY = entityName("acme", 0);
let stream = 1;

/** @param {number} count */
const bodyOf = (count) =>
  makeBody({ count, entities: [ENTITY], seed: 7 + stream++, nowMs: Date.now() }).text;

/** @param {Contender} c @param {number} from @param {number} to */
async function fill(c, from, to) {
  // What `prepare` itself appends is one batch of these.
  for (let have = from; have < to;) {
    await call(c, "/bench/prepare", bodyOf(FILL_BATCH));
    have += FILL_BATCH;
    const n = Math.min(FILL_CALLS, Math.floor((to - have) / FILL_BATCH));
    if (n > 0) await call(c, `/bench/loop?n=${n}&stream=${stream++}`);
    have += n * FILL_BATCH;
    if (have % 100_000 < FILL_BATCH * (FILL_CALLS + 1))
      progress(`${have.toLocaleString("en-US")} facts`);
  }
}

/**
 * Appends one after the other, an idle hop taken off.
 * @param {Contender} c
 * @param {number} batch
 * @param {number} n
 * @param {number} rounds
 */
async function warm(c, batch, n, rounds) {
  await call(c, "/bench/prepare", bodyOf(batch));
  await call(c, `/bench/loop?n=${n}&stream=${stream++}`);
  await call(c, `/bench/noop?n=${n}`);
  const cpu = [];
  const wall = [];
  for (let i = 0; i < rounds; i++) {
    const spent = [];
    for (const what of ["noop", "loop"]) {
      const before = cpuMs(c.pid);
      const begun = performance.now();
      await call(c, `/bench/${what}?n=${n}&stream=${stream++}`);
      spent.push({ wall: performance.now() - begun, cpu: cpuMs(c.pid) - before });
    }
    const [idle, busy] = /** @type {[typeof spent[0], typeof spent[0]]} */ (spent);
    cpu.push(((busy.cpu - idle.cpu) * 1000) / n);
    wall.push(((busy.wall - idle.wall) * 1000) / n);
  }
  return { cpu: figure(cpu), wall: figure(wall) };
}

/**
 * The first append of an object that was evicted.
 * @param {Contender} c
 * @param {string} className
 * @param {string} object
 * @param {number} rounds
 */
async function cold(c, className, object, rounds) {
  const wall = [];
  const cpu = [];
  await call(c, "/bench/prepare", bodyOf(100));
  for (let i = 0; i < rounds; i++) {
    await c.mf.unsafeEvictDurableObject(c.name, className, { name: object });
    const before = cpuMs(c.pid);
    const begun = performance.now();
    await call(c, `/bench/loop?n=1&stream=${stream++}`);
    wall.push((performance.now() - begun) * 1000);
    cpu.push((cpuMs(c.pid) - before) * 1000);
  }
  return { cpu: figure(cpu), wall: figure(wall) };
}

/**
 * What an auditor or an operator asks of one ledger, each `n` times over HTTP, and the work of one
 * step of reconciliation after 100 new facts.
 * @param {Contender} z0
 * @param {number} size
 * @returns {Promise<import("../lib/report.js").Row[]>}
 */
async function audit(z0, size) {
  const at = `at ${size.toLocaleString("en-US")} facts`;
  const operator = { ...z0, headers: headersOfOperator() };
  const head = await call(z0, `/v1/entities/${ENTITY}`);
  const seq = () => 1 + Math.floor(Math.random() * head.seq);
  /** @type {[string, () => string][]} */
  const reads = [
    ["proof of one fact", () => `/v1/ledgers/${ENTITY}/proof?seq=${seq()}`],
    ["proof that a tree holds an earlier one", () => `/v1/ledgers/${ENTITY}/consistency?from=${seq()}`],
    ["state as of a seq", () => `/v1/entities/${ENTITY}/state?cache=CapState&as_of=seq:${seq()}`],
    ["state as of a time", () => `/v1/entities/${ENTITY}/state?cache=CapState&as_of=${head.recorded_at - seq()}`],
    ["state now", () => `/v1/entities/${ENTITY}/state?cache=CapState`],
  ];
  /** @type {import("../lib/report.js").Row[]} */
  const rows = [];
  for (const [name, path] of reads) {
    const wall = [];
    for (let i = 0; i < 30; i++) {
      const begun = performance.now();
      await call(z0, path());
      wall.push((performance.now() - begun) * 1000);
    }
    rows.push({ name: `${at}, ${name}`, unit: "µs a request", cells: { z0: figure(wall) } });
  }
  const proof = await call(z0, `/v1/ledgers/${ENTITY}/proof?seq=${Math.ceil(head.seq / 2)}`);
  rows.push({
    name: `${at}, proof of one fact`,
    unit: "bytes of hashes",
    cells: { z0: exact(proof.proof.length * 32) },
  });
  /** @param {string} query */
  const reconcile = (query) =>
    call(operator, `/v1/ledgers/${ENTITY}/reconcile${query}`, "");
  let whole = 0;
  const begun = performance.now();
  for (let step = await reconcile("?from=start"); !step.done; step = await reconcile("")) whole++;
  rows.push({
    name: `${at}, reconciliation of all of it, hashes too (${whole + 1} steps)`,
    unit: "facts/s",
    cells: { z0: exact(Math.round(head.seq / ((performance.now() - begun) / 1000))) },
  });
  const cpu = [];
  for (let i = 0; i < 7; i++) {
    await call(z0, "/v1/facts", bodyOf(100));
    const before = cpuMs(z0.pid);
    await reconcile("");
    cpu.push((cpuMs(z0.pid) - before) * 1000);
  }
  rows.push({
    name: `${at}, reconciliation after 100 new facts`,
    unit: "µs CPU, with the request",
    cells: { z0: figure(cpu) },
  });
  return rows;
}

/**
 * The reporting copy of a whole ledger made anew.
 * @param {Contender} z0
 * @returns {Promise<import("../lib/report.js").Row[]>}
 */
async function rebuild(z0) {
  const operator = { ...z0, headers: headersOfOperator() };
  const begun = performance.now();
  let answer = await call(operator, `/v1/ledgers/${ENTITY}/replicate?from=start`, "");
  for (let calls = 1; !answer.done && answer.replicated_seq < 100_000; calls++)
    answer = await call(operator, `/v1/ledgers/${ENTITY}/replicate`, "");
  const rate = answer.replicated_seq / ((performance.now() - begun) / 1000);
  return [
    {
      name: `rebuilding D1, the first ${answer.replicated_seq.toLocaleString("en-US")} facts`,
      unit: "facts/s, one ledger",
      cells: { z0: exact(Math.round(rate)) },
    },
  ];
}

/**
 * @param {import("../run.js").Options} options
 * @returns {Promise<import("../lib/report.js").Section[]>}
 */
export async function growth({ wasm, quick }) {
  const sizes = quick ? [1_000, 30_000] : [1_000, 100_000, 1_000_000];
  const rounds = quick ? 3 : 7;
  const z0 = await startZ0(wasm);
  const peer = await startRows();
  /** @type {import("../lib/report.js").Row[]} */
  const rows = [];
  /** @type {Record<string, Figure[]>} */
  const first = {};
  let have = 0;
  for (const size of sizes) {
    progress(`growing to ${size.toLocaleString("en-US")} facts`);
    await fill(z0, have, size);
    // The peer's index grows a hundred times slower to fill: it is left out at the largest size.
    const beside = size <= 100_000;
    if (beside) await fill(peer, have, size);
    have = size;
    const at = `at ${size.toLocaleString("en-US")} facts`;
    for (const batch of [100, 1]) {
      const n = batch === 1 ? 200 : 50;
      const mine = await warm(z0, batch, n, rounds);
      const theirs = beside ? await warm(peer, batch, Math.max(20, n / 5), 3) : null;
      const key = `warm ${batch}`;
      (first[key] ??= []).push(mine.cpu);
      const ratio = times(mine.cpu, first[key][0]);
      const last = size === sizes[sizes.length - 1];
      rows.push(
        {
          name: `${at}, append of ${batch}, warm`,
          unit: "µs CPU an append",
          cells: { z0: mine.cpu, ...(theirs ? { "row a fact": theirs.cpu } : {}) },
          gates:
            last && batch === 100
              ? [gate(`≤ 1.2 × the time at 1,000 (${round(ratio)} ×)`, ratio <= 1.2)]
              : [],
        },
        {
          name: `${at}, append of ${batch}, warm`,
          unit: "µs an append",
          cells: { z0: mine.wall, ...(theirs ? { "row a fact": theirs.wall } : {}) },
        },
      );
    }
    // A cold start reads most of what a ledger keeps in memory; where that fails it is a result,
    // too.
    const mine = await cold({ ...z0, name: "z0" }, "Ledger", `asset_${ENTITY}`, rounds).catch(
      (error) => {
        progress(`cold at ${size}: ${error}`);
        return null;
      },
    );
    const theirs = beside ? await cold({ ...peer, name: "rows" }, "Rows", ENTITY, rounds) : null;
    rows.push(
      {
        name: `${at}, append of 100, cold`,
        unit: "µs CPU, with the request",
        cells: {
          ...(mine ? { z0: mine.cpu } : {}),
          ...(theirs ? { "row a fact": theirs.cpu } : {}),
        },
        gates: mine ? [] : [gate("starts at all", false)],
      },
      {
        name: `${at}, append of 100, cold`,
        unit: "µs, with the request",
        cells: {
          ...(mine ? { z0: mine.wall } : {}),
          ...(theirs ? { "row a fact": theirs.wall } : {}),
        },
      },
      { name: at, unit: "MB resident, all of workerd", cells: { z0: exact(residentMb(z0.pid)) } },
      ...(await audit(z0, size)),
    );
  }
  rows.push(...(await rebuild(z0)));
  await z0.dispose();
  await peer.dispose();
  return [
    {
      title: "Growth of one ledger",
      rows,
      notes: [
        "Warm: one append after the other from a Worker, an object that does nothing taken " +
          "off. Cold: the object was evicted, so its state is rebuilt from rows; the whole " +
          "request is in the figure. The queue's consumer is detached.",
      ],
    },
  ];
}
