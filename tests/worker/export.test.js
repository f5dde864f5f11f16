// Export, verify, import and export again, over the real Worker: what one z0 recorded, another one has
// to the byte.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { eventually, startZ0, token } from "./lib/z0.js";
import { skip, z0 } from "../cli/fake.js";

function logKey() {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
}

/** @param {number} i @param {string} entity */
function fact(i, entity) {
  return {
    id: `fact_${entity}_${i}`,
    type: i % 3 === 0 ? "charge" : "deposit",
    timestamp: 1_774_915_200_000 + i,
    tenant_id: "tenant_acme",
    entity_id: entity,
    ...(i % 3 === 0 ? { source_id: `out_${i}` } : {}),
    amount: 1 + i,
    data: { note: `"ü" ${i}`, price: 1.5, nested: [{ deep: "}{][" }] },
  };
}

describe("a ledger that leaves one z0 for another", { skip }, () => {
  /** @type {import("./lib/z0.js").Z0} */
  let source;
  /** @type {import("./lib/z0.js").Z0} */
  let target;
  const directory = mkdtempSync(join(tmpdir(), "z0-roundtrip-"));
  const keys = [logKey(), logKey()];
  const file = join(directory, "all.ndjson");

  /** @param {import("./lib/z0.js").Z0} of @param {string[]} args */
  const ask = (of, ...args) =>
    z0([...args, "--url", of.url.origin, "--token", token()], { cwd: directory });

  before(async () => {
    const vars = { Z0_LOG_KEYS: keys.join(",") };
    [source, target] = await Promise.all([startZ0({ vars }), startZ0({ vars })]);
    for (const entity of ["acct_acme", "acct_other", "ast_phone"]) {
      const facts = Array.from({ length: 400 }, (_, i) => fact(i + 1, entity));
      assert.equal((await source.post(facts)).status, 200);
    }
    // More than a page and more than a chunk.
    for (let from = 401; from < 2400; from += 400) {
      const facts = Array.from({ length: 400 }, (_, i) => fact(i + from, "acct_acme"));
      assert.equal((await source.post(facts)).status, 200);
    }
  });
  after(async () => {
    await Promise.all([source?.dispose(), target?.dispose()]);
    rmSync(directory, { recursive: true });
  });

  it("is exported, and verified with a key from elsewhere", async () => {
    const exported = await ask(source, "export", "--all", "-o", file);
    assert.equal(exported.code, 0, exported.stderr);
    assert.match(exported.stderr, /exported 3,200 facts of 3 ledgers/);
    const published = await ask(source, "keys");
    assert.equal(published.stdout.trim().split("\n").length, 2);
    writeFileSync(join(directory, "keys.txt"), published.stdout);
    const verified = await z0(["verify", "all.ndjson", "--key", "keys.txt"], { cwd: directory });
    assert.equal(verified.code, 0, verified.stdout);
    assert.match(verified.stdout, /sound: 3 ledgers, 3,200 facts\n$/);
    assert.equal(verified.stderr, "");
    // An older key is as good, for whoever trusts that one only.
    const old = published.stdout.trim().split("\n")[1] ?? "";
    assert.equal((await z0(["verify", file, "--key", old])).code, 0);
  });

  it("is imported with its roots, and a second time passed over", async () => {
    const imported = await ask(target, "import", file, "--json");
    assert.equal(imported.code, 0, imported.stderr);
    assert.deepEqual(JSON.parse(imported.stdout), { already_there: 0, imported: 3200, ledgers: 3 });
    const again = await ask(target, "import", file, "--json");
    assert.deepEqual(JSON.parse(again.stdout), { already_there: 3200, imported: 0, ledgers: 3 });
  });

  it("is exported there byte for byte the same", async () => {
    const again = join(directory, "again.ndjson");
    const second = await ask(target, "export", "--all", "-o", again);
    assert.equal(second.code, 0, second.stderr);
    assert.ok(readFileSync(again).equals(readFileSync(file)));
  });

  it("proves a fact and a history", async () => {
    const older = await ask(target, "checkpoint", "acct_acme");
    writeFileSync(join(directory, "older.txt"), older.stdout);
    const proof = await ask(target, "proof", "acct_acme", "17", "--size", "2400");
    writeFileSync(join(directory, "proof.json"), proof.stdout);
    const key = ["--key", "keys.txt"];
    const shown = await z0(["verify", "fact", "proof.json", "older.txt", ...key], { cwd: directory });
    assert.equal(shown.code, 0, shown.stderr);
    assert.equal(JSON.parse(shown.stdout).id, "fact_acct_acme_17");

    assert.equal((await target.post(fact(2401, "acct_acme"))).status, 201);
    const newer = await ask(target, "checkpoint", "acct_acme");
    writeFileSync(join(directory, "newer.txt"), newer.stdout);
    const history = await ask(target, "proof", "acct_acme", "--since", "2400");
    writeFileSync(join(directory, "history.json"), history.stdout);
    const names = ["older.txt", "newer.txt", "history.json"];
    const sound = await z0(["verify", "history", ...names, ...key], { cwd: directory });
    assert.match(sound.stdout, /^sound: the first 2,400 of 2,401 facts/, sound.stderr);
    const turned = ["newer.txt", "older.txt", "history.json"];
    assert.equal((await z0(["verify", "history", ...turned, ...key], { cwd: directory })).code, 1);
  });

  it("takes no import once it went another way", async () => {
    // Further on than the file is fine: it begins with the file's facts.
    assert.equal((await ask(target, "import", file)).code, 0);
    assert.equal((await source.post(fact(9001, "acct_other"))).status, 201);
    assert.equal((await target.post(fact(9002, "acct_other"))).status, 201);
    const longer = join(directory, "longer.ndjson");
    assert.equal((await ask(source, "export", "acct_other", "-o", longer)).code, 0);
    const refused = await ask(target, "import", longer);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /acct_other: after fact 401 the file's root is/);
  });

  it("shows its cached states, and that they are as the facts say", async () => {
    const reconciled = await ask(target, "reconcile", "--all", "--full", "--json", "--fail-on-mismatch");
    assert.equal(reconciled.code, 0, reconciled.stdout);
    const summary = JSON.parse(reconciled.stdout);
    assert.equal(summary.ledgers, 3);
    assert.ok(summary.facts_scanned >= 3202);
    assert.deepEqual(summary.mismatches, []);
    const state = await ask(target, "state", "acct_acme", "--as-of", "seq:2", "--json");
    assert.equal(JSON.parse(state.stdout).seq, 2, state.stderr);
  });

  it("is brought to a database that was lost, and compared with it fact by fact", async () => {
    const count = "SELECT count(*) AS facts FROM ledger_facts";
    await eventually("all in D1", async () => (await target.d1(count))[0]?.facts === 3202, 30_000);
    for (const table of ["ledger_facts", "ledger_heads", "ledger_runs"]) {
      await target.d1(`DELETE FROM ${table}`);
    }
    assert.match((await ask(target, "replication")).stdout, /^tenant_acme +3 +0 +3 +0 /m);
    const rebuilt = await ask(target, "rebuild");
    assert.equal(rebuilt.code, 0, rebuilt.stdout + rebuilt.stderr);
    assert.match(rebuilt.stdout, /3 ledgers, 3,202 facts in .*: proven/);
    await target.d1("UPDATE ledger_facts SET amount = amount + 1 WHERE entity_id = ? AND seq = 7", "acct_acme");
    await target.d1("DELETE FROM ledger_facts WHERE entity_id = ? AND seq = 9", "ast_phone");
    const found = await ask(target, "replication", "--verify");
    assert.match(found.stdout, /ast_phone +9 +missing/);
    assert.match(found.stdout, /acct_acme +7 +differs in \["amount"\]/);
    assert.match(found.stdout, /3,202 facts compared: 1 missing, 1 differing, 2 repaired/);
    const again = await ask(target, "replication", "--verify");
    assert.match(again.stdout, /3,202 facts compared: 0 missing, 0 differing, 0 repaired/);
  });
});
