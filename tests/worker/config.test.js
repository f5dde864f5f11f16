// Configs and the directory, in the real runtime: versions over HTTP, policies by alarm, D1's table.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { charge, deposit, unique } from "./lib/facts.js";
import { eventually, startZ0, token } from "./lib/z0.js";

/** @type {import("./lib/z0.js").Z0} */
let z0;
before(async () => {
  z0 = await startZ0();
});
after(() => z0?.dispose());

const north = token("north");
const south = token("south");

/**
 * @param {string} id
 * @param {object} config
 * @param {string} [bearer]
 */
function put(id, config, bearer = north) {
  return z0.fetch(`/v1/configs/${id}`, {
    method: "PUT",
    body: JSON.stringify(config),
    token: bearer,
  });
}

/**
 * @param {string} entity
 * @param {object} settings
 */
function entityBudget(entity, settings) {
  return { type: "budget", scope: "entity", applies_to: entity, settings };
}

/**
 * The config versions that a ledger holds.
 * @param {string} entity
 */
async function versionsIn(entity) {
  const { body } = await z0.fetch(`/v1/facts/${entity}?types=lifecycle`);
  return (body.facts ?? []).map((/** @type {{id: string}} */ fact) => fact.id);
}

test("A version is recorded, read back and kept when a newer one comes", async () => {
  const id = unique("cfg_");
  const entity = unique("acct_");
  const made = await put(id, entityBudget(entity, { limit: 500 }));
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal(made.body.version, 1);
  const same = await put(id, entityBudget(entity, { limit: 500 }));
  assert.equal(same.status, 200);
  assert.equal(same.body.version, 1);
  const changed = await put(id, entityBudget(entity, { limit: 600 }));
  assert.equal(changed.status, 201);
  assert.equal(changed.body.version, 2);

  const current = await z0.fetch(`/v1/configs/${id}`, { token: north });
  assert.deepEqual(current.body, {
    config_id: id,
    version: 2,
    effective_at: changed.body.effective_at,
    superseded_at: null,
    type: "budget",
    category: "policy",
    scope: "entity",
    applies_to: entity,
    settings: { limit: 600 },
  });
  const history = await z0.fetch(`/v1/configs/${id}/versions`, { token: north });
  assert.deepEqual(
    history.body.versions.map((/** @type {{version: number}} */ v) => v.version),
    [1, 2],
  );
  assert.deepEqual(history.body.gaps, []);
  assert.equal((await z0.fetch(`/v1/configs/${id}`, { token: south })).status, 404);
  assert.deepEqual(await versionsIn(entity), [`${id}:1`, `${id}:2`]);
});

test("Of many changes that race for a version one wins, the others are told", async () => {
  const id = unique("cfg_");
  const entity = unique("acct_");
  const answers = await Promise.all(
    [1, 2, 3, 4, 5, 6].map((limit) =>
      put(id, { ...entityBudget(entity, { limit }), expected_version: 0 }),
    ),
  );
  const statuses = answers.map(({ status }) => status).sort();
  assert.deepEqual(statuses, [201, 409, 409, 409, 409, 409]);
  for (const { status, body } of answers)
    if (status === 409) assert.equal(body.status, "version_conflict");
  assert.deepEqual(await versionsIn(id), [`${id}:1`]);
});

test("All ledgers are listed, page by page", async () => {
  const tenant = unique("tenant_");
  const entities = Array.from({ length: 12 }, () => unique("acct_")).sort();
  await z0.post(
    entities.map((entity) => deposit(entity)),
    { token: token(tenant) },
  );
  const listed = [];
  let cursor = "";
  do {
    const { status, body } = await z0.fetch(
      `/v1/ledgers?tenant=${tenant}&limit=5${cursor && `&cursor=${cursor}`}`,
    );
    assert.equal(status, 200, JSON.stringify(body));
    listed.push(...body.ledgers.map((/** @type {{entity_id: string}} */ l) => l.entity_id));
    cursor = body.cursor ?? "";
  } while (cursor);
  assert.deepEqual(listed, entities);
});

test("A tenant's policy reaches the ledgers that it has and the ones that come", async () => {
  const tenant = unique("tenant_");
  const bearer = token(tenant);
  const id = unique("cfg_");
  const old = Array.from({ length: 5 }, () => unique("acct_"));
  await z0.post(
    old.map((entity) => deposit(entity)),
    { token: bearer },
  );
  const settings = { limit: 1_000, enforce: true };
  const made = await put(id, { type: "budget", scope: "tenant", settings }, bearer);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  for (const entity of old) {
    await eventually(`${entity} has the policy`, async () =>
      (await versionsIn(entity)).includes(`${id}:1`),
    );
  }
  const fresh = unique("acct_");
  const refused = await z0.post(charge(fresh, { amount: 1_001 }), { token: bearer });
  assert.equal(refused.status, 402, JSON.stringify(refused.body));
  assert.equal((await z0.post(charge(fresh, { amount: 1_000 }), { token: bearer })).status, 201);
  assert.deepEqual(await versionsIn(fresh), [`${id}:1`]);
  const more = await z0.post(charge(fresh, { amount: 1 }), { token: bearer });
  assert.equal(more.body.status, "budget_exhausted");
});

test("A narrower scope may not relax a limit", async () => {
  const tenant = unique("tenant_");
  const bearer = token(tenant);
  const wide = unique("cfg_");
  const settings = { limit: 100, enforce: true };
  assert.equal(
    (await put(wide, { type: "budget", scope: "tenant", settings }, bearer)).status,
    201,
  );
  const { status, body } = await put(
    unique("cfg_"),
    entityBudget(unique("acct_"), { limit: 101 }),
    bearer,
  );
  assert.equal(status, 422);
  assert.equal(body.status, "relaxes_limit");
  assert.equal(body.field, wide);
});

test("D1 has the versions as a table, and says what is missing", async () => {
  const tenant = unique("tenant_");
  const bearer = token(tenant);
  const id = unique("cfg_");
  const entity = unique("acct_");
  for (const limit of [1, 2, 3]) await put(id, entityBudget(entity, { limit }), bearer);
  await z0.post(
    { ...deposit(entity), config_id: id, config_version: 9 },
    { token: bearer },
  );
  const rows = await eventually("four facts in D1", async () => {
    const found = await z0.d1("SELECT * FROM configs WHERE id = ? ORDER BY version", id);
    const named = await z0.d1("SELECT 1 FROM facts WHERE config_id = ? AND config_version = 9", id);
    return found.length === 3 && named.length === 1 ? found : null;
  });
  assert.deepEqual(
    rows.map(({ version, type, applies_to, settings }) => [version, type, applies_to, settings]),
    [1, 2, 3].map((limit) => [limit, "budget", entity, JSON.stringify({ limit })]),
  );
  assert.deepEqual(
    rows.map(({ superseded_at }) => superseded_at),
    [rows[1].effective_at, rows[2].effective_at, null],
  );
  await z0.d1("DELETE FROM ledger_facts WHERE entity_id = ? AND config_version = 2", id);
  const { body } = await z0.fetch("/v1/configs/gaps", { token: bearer });
  assert.deepEqual(body.missing, [
    { tenant_id: tenant, config_id: id, version: 3, previous_version: 1 },
  ]);
  assert.equal(body.unknown.length, 1);
  assert.equal(body.unknown[0].entity_id, entity);
  assert.equal(body.unknown[0].config_version, 9);
});
