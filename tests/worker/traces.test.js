// One trace from a request over its ledger, the queue and D1, through the platform's trace events and the
// Tail Worker into the store of traces; and domain 8's table, row by row.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { charge, deposit, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0({
    traces: true,
    points: true,
    faults: true,
    vars: { Z0_SETTINGS: JSON.stringify({ traces: { one_in: 1 } }) },
  });
});
after(() => z0?.dispose());

const north = token("north");
const south = token("south");
const PARENT = "00f067aa0ba902b7";

/** A trace of its own, and the header that carries it. */
function newTrace() {
  const id = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  return { id, headers: { traceparent: `00-${id}-${PARENT}-01` } };
}

/**
 * The trace, once all of these spans are in it.
 * @param {string} id
 * @param {string[]} names
 * @param {string} [bearer]
 */
function traceWith(id, names, bearer) {
  return eventually(`${names} of trace ${id}`, async () => {
    const { status, body } = await z0.fetch(`/v1/traces/${id}`, { token: bearer });
    if (status !== 200) return undefined;
    const there = body.spans.map((/** @type {{name: string}} */ span) => span.name);
    return names.every((name) => there.includes(name)) ? body : undefined;
  });
}

/**
 * Waits until a metric was measured with these labels.
 * @param {string} name
 * @param {string[]} [labels]
 */
function measured(name, labels = []) {
  return eventually(`${name} ${labels}`, async () =>
    (await z0.points()).some(
      ({ blobs }) => blobs[0] === name && labels.every((label) => blobs.includes(label)),
    ),
  );
}

test("A charge is one trace, from the caller over Worker, ledger and queue to D1 and its money", async () => {
  const account = unique("acct_");
  const { id, headers } = newTrace();
  const fact = { ...deposit(account, { amount: 700 }), trace_id: id };
  assert.equal((await z0.post(fact, { headers, token: north })).status, 201);
  const body = await traceWith(id, [
    "z0.worker.facts.record",
    "z0.do.ledger.append_fact",
    "z0.queue.facts.consume",
    "z0.d1.projection.write_facts",
  ]);
  const [root] = body.spans;
  assert.equal(root.name, "z0.worker.facts.record");
  assert.equal(root.parent_id, PARENT);
  assert.equal(root.service, "z0");
  assert.equal(root.tenant_id, "north");
  assert.equal(root.entity_id, account);
  assert.equal(root.money, "moved");
  assert.deepEqual(body.missing.parents, [PARENT]);
  const { money, facts } = await eventually("the money of the trace", async () => {
    const answer = (await z0.fetch(`/v1/traces/${id}`)).body;
    return answer.facts.length > 0 ? answer : undefined;
  });
  assert.equal(money.moved[0].amount, 700);
  assert.equal(facts[0].entity_id, account);
});

test("A tenant reads its own traces alone", async () => {
  const { id, headers } = newTrace();
  await z0.post(deposit(unique("acct_")), { headers, token: north });
  await traceWith(id, ["z0.worker.facts.record"], north);
  assert.equal((await z0.fetch(`/v1/traces/${id}`, { token: south })).status, 404);
  assert.equal((await z0.fetch(`/v1/traces/${id}`, { token: null })).status, 401);
  assert.equal((await z0.fetch("/v1/traces?tenant=north", { token: south })).status, 404);
});

/** @typedef {ReturnType<typeof newTrace>} Trace */

/** @param {object} settings */
function budget(settings) {
  return { type: "budget", scope: "entity", applies_to: unique("acct_"), settings };
}

// Domain 8's table, but for its writes that fail, below. Events of product Workers are in client.test.js.
const known = { config: unique("cfg_"), account: unique("acct_") };
const TABLE = [
  {
    event: "fact write",
    run: (/** @type {Trace} */ { headers }) =>
      z0.post(deposit(known.account), { headers, token: north }),
    spans: ["z0.worker.facts.record", "z0.do.ledger.append_fact"],
    metric: ["z0_facts_written_total", "deposit"],
  },
  {
    event: "config update",
    run: (/** @type {Trace} */ { headers }) =>
      z0.fetch(`/v1/configs/${known.config}`, {
        method: "PUT",
        headers,
        token: north,
        body: JSON.stringify(budget({ limit: 1_000 })),
      }),
    spans: ["z0.worker.configs.publish", "z0.do.ledger.append_fact"],
    metric: ["z0_config_updates_total", "budget"],
  },
  {
    event: "config read",
    run: (/** @type {Trace} */ { headers }) =>
      z0.fetch(`/v1/configs/${known.config}`, { headers, token: north }),
    spans: ["z0.worker.configs.read", "z0.do.ledger.read_facts"],
    metric: ["z0_config_reads_total", "budget"],
  },
  {
    event: "cached state read",
    run: (/** @type {Trace} */ { headers }) =>
      z0.fetch(`/v1/entities/${known.account}/state?cache=BudgetState`, { headers, token: north }),
    spans: ["z0.worker.entities.read_state", "z0.do.cache.read_state"],
    metric: ["z0_cache_hits_total", "BudgetState"],
  },
  {
    event: "reconciliation",
    run: (/** @type {Trace} */ { headers }) =>
      z0.fetch(`/v1/ledgers/${known.account}/reconcile`, { method: "POST", headers, token: north }),
    spans: ["z0.worker.ledgers.reconcile", "z0.do.ledger.reconcile"],
    metric: ["z0_reconciliation_runs_total"],
  },
  {
    event: "error",
    run: async (/** @type {Trace} */ { headers }) => {
      const account = unique("acct_");
      await z0.fault({ calls: { [`account_${account}`]: "throw" } });
      const { status } = await z0.post(deposit(account), { headers, token: north });
      await z0.fault({});
      assert.equal(status, 503);
    },
    spans: ["z0.worker.facts.record", "z0.do.ledger.append_fact"],
    metric: ["z0_errors_total", "storage_error"],
  },
];

for (const { event, run, spans, metric } of TABLE) {
  test(`The event "${event}" has its spans, and its metric`, async () => {
    const trace = newTrace();
    await run(trace);
    await traceWith(trace.id, spans);
    await measured(metric[0], metric.slice(1));
  });
}

test("A write that failed is an attempt, a span with its code, and a metric", async () => {
  const account = unique("acct_");
  const budget = { type: "budget", scope: "entity", applies_to: account, settings: { limit: 500, enforce: true } };
  const put = await z0.fetch(`/v1/configs/${unique("cfg_")}`, {
    method: "PUT",
    body: JSON.stringify(budget),
    token: north,
  });
  assert.equal(put.status, 201);
  const { id, headers } = newTrace();
  const fact = { ...charge(account, { amount: 10_000 }), trace_id: id };
  assert.equal((await z0.post(fact, { headers, token: north })).status, 402);
  const { spans } = await traceWith(id, ["z0.worker.facts.record", "z0.do.ledger.append_fact"]);
  assert.equal(spans[0].status, "error");
  assert.equal(spans[0].error_code, "budget_exhausted");
  assert.equal(spans[0].money, "failed");
  await measured("z0_facts_write_failures_total", ["charge", "budget_exhausted"]);
  const { money, facts } = await eventually("the attempt of the trace", async () => {
    const answer = (await z0.fetch(`/v1/traces/${id}`)).body;
    return answer.facts.length > 0 ? answer : undefined;
  });
  assert.equal(facts[0].error_code, "budget_exhausted");
  assert.equal(money.failed[0].amount, 10_000);
  await eventually("the trace among those whose money failed", async () => {
    const { traces } = (await z0.fetch("/v1/traces?money=failed&tenant=north")).body;
    return traces.some((/** @type {{trace_id: string}} */ trace) => trace.trace_id === id);
  });
});
