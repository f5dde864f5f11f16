// The largest request there is, for as many ledgers as it has facts: it ends, what it recorded is proven
// in D1, and meanwhile z0 answers everybody else.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, startZ0 } from "./lib/z0.js";

const LEDGERS = 1_000;
// The times are those of two cores that do nothing else; where others have their share, it is so much longer.
const slower = () => Math.max(1, loadavg()[0] / availableParallelism());
const ANSWER_MS_MAX = 60_000;
// Two cores that do nothing else answer within one second while the request runs. What is refused here is a
// z0 that is deaf, on machines that build and test beside it.
const HEALTH_MS_MAX = 10_000;
const HEALTH_LATER_MS_MAX = 10_000;
const START_MS_MAX = 120_000;
// As in limits.hpp.
const CONFIRM_AFTER_MS = 10_000;
const PROVEN_MS_MAX = 90_000;

const directory = mkdtempSync(join(tmpdir(), "z0-many-"));
/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0({ directory });
});
after(async () => {
  await z0?.dispose();
  rmSync(directory, { recursive: true, force: true });
});

/** @param {string} name */
function factsOfAll(name) {
  return Array.from({ length: LEDGERS }, (_, i) => ({
    id: name,
    type: "deposit",
    tenant_id: "tenant_many",
    entity_id: `acct_many_${i}`,
    amount: 1,
  }));
}

/**
 * Asks for /healthz again and again while `work` runs, and says how long the slowest took.
 * @param {Promise<unknown>} work
 */
async function slowestHealth(work) {
  let going = true;
  void work.finally(() => (going = false)).catch(() => {});
  let slowest = 0;
  do {
    const begun = performance.now();
    assert.equal((await z0.fetch("/healthz", { token: null })).status, 200);
    slowest = Math.max(slowest, performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (going);
  return slowest;
}

/**
 * @param {string} name
 * @param {number} seq that each ledger gives to its fact
 */
async function postToAll(name, seq) {
  const begun = performance.now();
  const request = z0.post(factsOfAll(name));
  const slowest = await slowestHealth(request);
  const { status, body } = await request;
  assert.equal(status, 200, JSON.stringify(body).slice(0, 500));
  assert.equal(body.recorded, LEDGERS);
  assert.ok(body.results.every((/** @type {any} */ r) => r.seq === seq));
  assert.ok(performance.now() - begun < ANSWER_MS_MAX * slower(), "the request took too long");
  assert.ok(slowest < HEALTH_MS_MAX * slower(), `/healthz took ${slowest} ms during the request`);
}

/** @param {number} seq that D1 has of every ledger */
async function provenInD1(seq) {
  const proven = eventually(
    `every ledger at ${seq} in D1`,
    async () => {
      const [{ n }] = await z0.d1(
        "SELECT count(*) AS n FROM ledger_heads WHERE contiguous_seq = ?",
        seq,
      );
      return n === LEDGERS;
    },
    PROVEN_MS_MAX * slower(),
  );
  const slowest = await slowestHealth(proven);
  await proven;
  assert.ok(slowest < HEALTH_LATER_MS_MAX * slower(), `/healthz took ${slowest} ms during replication`);
}

/**
 * Until every ledger knows that D1 has its facts, which its alarm finds out.
 * @param {number} seq
 * @param {number} [healthMsMax]
 */
async function confirmedByAlarms(seq, healthMsMax = HEALTH_LATER_MS_MAX) {
  let next = 0;
  const confirmed = eventually(
    `the alarms of all ledgers at ${seq}`,
    async () => {
      for (; next < LEDGERS; next++) {
        const { body } = await z0.fetch(`/v1/entities/acct_many_${next}`);
        if (body.replicated_seq !== seq) return false;
      }
      return true;
    },
    PROVEN_MS_MAX * slower(),
  );
  const slowest = await slowestHealth(confirmed);
  await confirmed;
  assert.ok(slowest < healthMsMax * slower(), `/healthz took ${slowest} ms during the alarms`);
}

test("A request for 1,000 new ledgers ends, and so do the alarms after it", async () => {
  await postToAll("first", 1);
  await provenInD1(1);
  await confirmedByAlarms(1);
});

test("A request for 1,000 ledgers that exist ends, and so do the alarms after it", async () => {
  await postToAll("second", 2);
  await provenInD1(2);
  await confirmedByAlarms(2);
});

test("A z0 with 1,000 alarms due starts, and they are made up for", async () => {
  await postToAll("third", 3);
  const due = Date.now() + CONFIRM_AFTER_MS;
  await z0.dispose();
  await new Promise((resolve) => setTimeout(resolve, due - Date.now()));
  z0 = await startZ0({ directory, migrate: false });
  // The runtime opens all thousand objects before it takes in anything else.
  await confirmedByAlarms(3, START_MS_MAX);
  await provenInD1(3);
});
