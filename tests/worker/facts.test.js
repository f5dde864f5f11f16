// Recording facts and reading them back, over HTTP.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { charge, deposit, invocation, outcome, traceId, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0();
});
after(() => z0?.dispose());

const north = token("north");
const south = token("south");

test("One fact gets its receipt and 201", async () => {
  const entity_id = unique("acct_");
  const began = Date.now();
  const { status, body } = await z0.post(deposit(entity_id, { id: "dep_first" }), { token: north });
  assert.equal(status, 201, JSON.stringify(body));
  assert.deepEqual(
    { ...body, recorded_at: 0, tree: { ...body.tree, root: "" } },
    {
      status: "recorded",
      id: "dep_first",
      entity_id,
      seq: 1,
      recorded_at: 0,
      tree: { size: 1, root: "" },
    },
  );
  assert.match(body.tree.root, /^[0-9a-f]{64}$/);
  assert.ok(body.recorded_at >= began && body.recorded_at <= Date.now());
});

test("The same fact again gets its first receipt and 200, and nothing is written", async () => {
  const entity_id = unique("acct_");
  const fact = charge(entity_id, { data: { b: 1, a: [1, 2] } });
  const first = await z0.post(fact, { token: north });
  const again = await z0.post({ ...fact, data: { a: [1, 2], b: 1 } }, { token: north });
  assert.equal(again.status, 200);
  assert.deepEqual(again.body, { ...first.body, status: "duplicate" });
  const head = await z0.fetch(`/v1/entities/${entity_id}`, { token: north });
  assert.equal(head.body.seq, 1);
});

test("The same id with other content is a conflict that names the first field that differs", async () => {
  const entity_id = unique("acct_");
  const fact = charge(entity_id);
  await z0.post(fact, { token: north });
  const { status, body } = await z0.post(
    { ...fact, amount: 1251, data: { x: 1 } },
    { token: north },
  );
  assert.equal(status, 409);
  assert.equal(body.status, "conflict");
  assert.equal(body.http, 409);
  assert.equal(body.field, "amount");
  assert.equal(body.id, fact.id);
  assert.equal(body.entity_id, entity_id);
  assert.match(body.trace_id, /^[0-9a-f]{32}$/);
  assert.ok(body.message && body.action);
});

test("A list is answered item by item, in order, across ledgers", async () => {
  const [a, b] = [unique("acct_"), unique("ast_")];
  const facts = [
    invocation(b),
    charge(a),
    outcome(b),
    { type: "charge", entity_id: a, amount: -1 },
    deposit(a),
  ];
  const { status, body } = await z0.post(facts, { token: north });
  assert.equal(status, 207, JSON.stringify(body));
  assert.equal(body.recorded, 4);
  assert.equal(body.refused, 1);
  assert.equal(body.duplicate, 0);
  assert.deepEqual(
    body.results.map((/** @type {any} */ r) => [r.status, r.entity_id, r.seq]),
    [
      ["recorded", b, 1],
      ["recorded", a, 1],
      ["recorded", b, 2],
      [body.results[3].status, a, undefined],
      ["recorded", a, 2],
    ],
  );
  assert.equal(body.results[3].http, 422);
  assert.equal(body.results[3].field, "amount");
});

test("A list of which all is accepted is 200, also when it is all duplicates", async () => {
  const entity_id = unique("acct_");
  const facts = [charge(entity_id), deposit(entity_id)];
  assert.equal((await z0.post(facts, { token: north })).status, 200);
  const again = await z0.post(facts, { token: north });
  assert.equal(again.status, 200);
  assert.equal(again.body.duplicate, 2);
});

test("A list of which nothing is accepted has the code of its first item", async () => {
  const entity_id = unique("acct_");
  const { status, body } = await z0.post([charge(entity_id, { amount: -1 }), { type: "charge" }], {
    token: north,
  });
  assert.equal(status, body.results[0].http);
  assert.equal(body.recorded, 0);
  assert.equal(body.refused, 2);
});

test("NDJSON is a list", async () => {
  const entity_id = unique("ast_");
  const lines = [invocation(entity_id), outcome(entity_id)]
    .map((fact) => JSON.stringify(fact))
    .join("\n");
  const { status, body } = await z0.fetch("/v1/facts", {
    method: "POST",
    body: `${lines}\n`,
    headers: { "content-type": "application/x-ndjson" },
    token: north,
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.recorded, 2);
});

test("Within one list the second of an id is a duplicate of the first", async () => {
  const entity_id = unique("acct_");
  const fact = charge(entity_id);
  const { body } = await z0.post([fact, fact, { ...fact, amount: 1 }], { token: north });
  assert.deepEqual(
    body.results.map((/** @type {any} */ r) => r.status),
    ["recorded", "duplicate", "conflict"],
  );
});

test("A fact without an id is given one, and a timestamp", async () => {
  const entity_id = unique("acct_");
  const { id, ...fact } = charge(entity_id);
  const { status, body } = await z0.post(fact, { token: north });
  assert.equal(status, 201, `${id} ${JSON.stringify(body)}`);
  assert.match(body.id, /^fact_[0-9A-HJKMNP-TV-Z]{26}$/);
  const { body: read } = await z0.fetch(`/v1/facts/${entity_id}`, { token: north });
  assert.equal(read.facts[0].id, body.id);
  assert.ok(Math.abs(read.facts[0].timestamp - body.recorded_at) < 5_000);
});

test("An atomic list is all or nothing in its ledger", async () => {
  const entity_id = unique("acct_");
  const fact = charge(entity_id);
  await z0.post(fact, { token: north });
  const bad = [deposit(entity_id), { ...fact, amount: 2 }];
  const refused = await z0.fetch("/v1/facts?atomic=true", {
    method: "POST",
    body: JSON.stringify(bad),
    headers: { "content-type": "application/json" },
    token: north,
  });
  assert.deepEqual(
    refused.body.results.map((/** @type {any} */ r) => r.status),
    ["batch_refused", "conflict"],
  );
  const head = await z0.fetch(`/v1/entities/${entity_id}`, { token: north });
  assert.equal(head.body.seq, 1);
});

test("Concurrent writers of one ledger get dense, distinct sequence numbers", async () => {
  const entity_id = unique("acct_");
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      z0.post([charge(entity_id), deposit(entity_id)], { token: north }),
    ),
  );
  const seqs = answers.flatMap(({ body }) => body.results.map((/** @type {any} */ r) => r.seq));
  assert.deepEqual(
    seqs.sort((x, y) => x - y),
    Array.from({ length: 40 }, (_, i) => i + 1),
  );
});

test("A fact reads back as it was given, with what the ledger added", async () => {
  const entity_id = unique("ast_");
  const fact = invocation(entity_id, {
    subtype: "call",
    timestamp: 1_700_000_000_000,
    asset_id: entity_id,
    campaign_id: "cmp_1",
    user_id: "usr_1",
    config_id: "cfg_1",
    config_version: 3,
    data: { naïve: "☃", n: 1.5, nested: { list: [null, true] } },
  });
  const { body: receipt } = await z0.post(fact, { token: north });
  const { status, body } = await z0.fetch(`/v1/facts/${entity_id}`, { token: north });
  assert.equal(status, 200);
  assert.equal(body.entity_id, entity_id);
  assert.equal(body.next_seq, null);
  assert.deepEqual(body.facts, [
    {
      ...fact,
      tenant_id: "north",
      seq: 1,
      recorded_at: receipt.recorded_at,
      status: "recorded",
      data: { .../** @type {object} */ (fact.data), trace_id: traceId(7) },
    },
  ]);
});

test("A ledger is read in pages, from a seq, by type", async () => {
  const entity_id = unique("ast_");
  const facts = Array.from({ length: 25 }, (_, i) =>
    i % 5 === 0 ? outcome(entity_id) : invocation(entity_id),
  );
  await z0.post(facts, { token: north });
  const seen = [];
  for (let from = 1; from !== null;) {
    const { body } = await z0.fetch(`/v1/facts/${entity_id}?from_seq=${from}&limit=10`, {
      token: north,
    });
    seen.push(...body.facts.map((/** @type {any} */ f) => f.seq));
    from = body.next_seq;
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 25 }, (_, i) => i + 1),
  );
  const { body } = await z0.fetch(`/v1/facts/${entity_id}?types=outcome&from_seq=2`, {
    token: north,
  });
  assert.deepEqual(
    body.facts.map((/** @type {any} */ f) => f.seq),
    [6, 11, 16, 21],
  );
});

test("An entity tells its counts", async () => {
  const entity_id = unique("acct_");
  await z0.post(
    [charge(entity_id), charge(entity_id), deposit(entity_id), { type: "badge_won", entity_id }],
    {
      token: north,
    },
  );
  const { status, body } = await z0.fetch(`/v1/entities/${entity_id}`, { token: north });
  assert.equal(status, 200);
  assert.equal(body.type, "account");
  assert.equal(body.tenant_id, "north");
  assert.equal(body.seq, 4);
  assert.deepEqual(body.counts, { charge: 2, deposit: 1, badge_won: 1 });
});

test("A tenant sees, counts and touches nothing of another", async () => {
  const entity_id = unique("acct_");
  const fact = charge(entity_id);
  await z0.post(fact, { token: north });
  const answers = await Promise.all([
    z0.fetch(`/v1/facts/${entity_id}`, { token: south }),
    z0.fetch(`/v1/entities/${entity_id}`, { token: south }),
    z0.post(fact, { token: south }),
    z0.post({ ...charge(unique("acct_")), tenant_id: "north" }, { token: south }),
    z0.fetch("/v1/facts?tenant=north", { token: south }),
    z0.fetch("/v1/report?tenant=north", { token: south }),
    z0.fetch("/v1/live", { token: south }),
  ]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [404, 404, 403, 403, 404, 404, 403],
  );
  for (const { body } of answers)
    assert.ok(!JSON.stringify(body).includes("1250"), JSON.stringify(body));
  // An entity that is not there answers just as one that is not ours does.
  const nobody = await z0.fetch(`/v1/facts/${unique("acct_")}`, { token: south });
  assert.equal(nobody.body.message, answers[0].body.message);
});

test("An operator names the tenant of each fact", async () => {
  const entity_id = unique("acct_");
  const refused = await z0.post(charge(entity_id));
  assert.equal(refused.status, 422);
  assert.equal(refused.body.field, "tenant_id");
  const { status } = await z0.post({ ...charge(entity_id), tenant_id: "north" });
  assert.equal(status, 201);
  assert.equal((await z0.fetch(`/v1/facts/${entity_id}`, { token: north })).body.facts.length, 1);
});

test("GET /v1/facts finds in D1 by tenant, type, time and trace, in pages", async () => {
  const entity_id = unique("ast_");
  const west = token("west");
  const facts = Array.from({ length: 5 }, (_, i) =>
    invocation(entity_id, { timestamp: 1_700_000_000_000 + i, trace_id: traceId(100 + i) }),
  );
  await z0.post([...facts, outcome(entity_id)], { token: west });
  await eventually("six facts in D1", async () => {
    const { body } = await z0.fetch("/v1/facts?tenant=west", { token: west });
    return body.facts?.length === 6;
  });
  const typed = await z0.fetch("/v1/facts?type=invocation&status=recorded", { token: west });
  assert.equal(typed.body.facts.length, 5, JSON.stringify(typed.body));
  const window = await z0.fetch("/v1/facts?type=invocation&from=1700000000001&to=1700000000003", {
    token: west,
  });
  assert.ok([2, 3].includes(window.body.facts.length), JSON.stringify(window.body));
  const traced = await z0.fetch(`/v1/facts?trace_id=${traceId(102)}`, { token: west });
  assert.deepEqual(
    traced.body.facts.map((/** @type {any} */ f) => f.id),
    [facts[2].id],
  );
  const ids = [];
  for (let cursor = ""; cursor !== null;) {
    const { body } = await z0.fetch(
      `/v1/facts?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      {
        token: west,
      },
    );
    ids.push(...body.facts.map((/** @type {any} */ f) => f.id));
    cursor = body.cursor;
  }
  assert.equal(new Set(ids).size, 6, ids.join());
  assert.equal(ids.length, 6);
});

test("GET /v1/report adds up what the tenants earned and spent", async () => {
  const east = token("east");
  const [account, asset] = [unique("acct_"), unique("ast_")];
  const facts = [
    deposit(account, { amount: 10_000 }),
    invocation(asset, { asset_id: asset }),
    outcome(asset, { asset_id: asset }),
    charge(account, { amount: 700, asset_id: asset }),
    { type: "cost", id: unique("cost_"), entity_id: account, amount: 30, source_id: "inv_1" },
    { type: "payout", id: unique("pay_"), entity_id: account, amount: 400, source_id: "out_1" },
  ];
  assert.equal((await z0.post(facts, { token: east })).body.recorded, 6);
  const { body } = await eventually("the report has all six", async () => {
    const answer = await z0.fetch("/v1/report?tenant=east", { token: east });
    const types = Object.values(answer.body.recorded_by_type ?? {});
    return types.reduce((sum, n) => sum + n, 0) === 6 && answer;
  });
  assert.deepEqual(body.accounts[account], {
    credits: 0,
    deposited: 10_000,
    remaining: 9_300,
    spent: 700,
  });
  const {
    charges,
    cost_cents,
    costs,
    invocations,
    outcomes,
    payout_cents,
    payouts,
    revenue_cents,
  } = body.tenants.east;
  assert.deepEqual(
    { charges, cost_cents, costs, invocations, outcomes, payout_cents, payouts, revenue_cents },
    {
      charges: 1,
      cost_cents: 30,
      costs: 1,
      invocations: 1,
      outcomes: 1,
      payout_cents: 400,
      payouts: 1,
      revenue_cents: 700,
    },
  );
  assert.deepEqual(Object.keys(body.tenants), ["east"]);
});

test("GET /healthz needs no token", async () => {
  const { status, body } = await z0.fetch("/healthz", { token: null });
  assert.equal(status, 200);
  assert.equal(body.status, "ok");
  assert.equal(typeof body.version, "string");
});

test("A thousand facts over a hundred ledgers are one request", async () => {
  const entities = Array.from({ length: 100 }, () => unique("acct_"));
  const facts = Array.from({ length: 1_000 }, (_, i) => charge(entities[i % 100]));
  const { status, body } = await z0.post(facts, { token: token("many") });
  assert.equal(status, 200, JSON.stringify(body).slice(0, 500));
  assert.equal(body.recorded, 1_000);
  assert.equal(body.results[999].seq, 10);
});
