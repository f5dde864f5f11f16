// The auditor's and the operator's commands against a server of a few lines.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";

import { FakeZ0, skip, temporaryFile, z0 } from "./fake.js";

/** @type {FakeZ0} */
let server;

/** @param {...string} args */
const ask = (...args) => z0([...args, "--url", server.url, "--token", "t"]);

/** Answers by method and path with the query, or asks. @param {Record<string, any>} answers */
function serve(answers) {
  server.before = (seen, count) => {
    const found = answers[`${seen.method} ${seen.url}`];
    const body = typeof found === "function" ? found(seen, count) : found;
    return body === undefined
      ? { status: 404, body: { status: "not_found", message: "There is nothing.", action: "Look." } }
      : { status: 200, body };
  };
}

const ledgers = {
  "GET /v1/ledgers?limit=1000": {
    ledgers: [{ entity_id: "acct_a", tenant_id: "t" }],
    cursor: "c1",
  },
  "GET /v1/ledgers?limit=1000&cursor=c1": {
    ledgers: [{ entity_id: "acct_b", tenant_id: "t" }],
    cursor: null,
  },
  "GET /v1/entities/acct_a": { entity_id: "acct_a", tenant_id: "t", seq: 3, root: "00" },
  "GET /v1/entities/acct_b": { entity_id: "acct_b", tenant_id: "t", seq: 3, root: "00" },
};

describe("the auditor's and the operator's commands", { skip }, () => {
  beforeEach(async () => {
    server = await new FakeZ0().start();
  });
  afterEach(() => server.stop());

  it("explain themselves", async () => {
    for (const command of [
      "export", "verify", "import", "proof", "checkpoint", "keys", "reconcile", "replication",
      "rebuild", "dead-letters", "closure", "state", "config",
    ]) {
      const run = await z0([command, "--help"]);
      assert.equal(run.code, 0, command);
      assert.match(run.stdout, /Examples?:\n/, command);
    }
    const wrong = [
      ["export"], ["export", "acct_a", "--all"], ["verify"], ["verify", "/nowhere"],
      ["verify", "/nowhere", "--key", "no-key"], ["import", "-"], ["proof", "acct_a"],
      ["proof", "acct_a", "1", "--since", "1"], ["proof", "acct_a", "x"], ["reconcile"],
      ["dead-letters", "redrive"], ["dead-letters", "redrive", "1", "--all"], ["config"],
      ["config", "set", "cfg_1", "--type", "budget", "--scope", "tenant", "--settings", "7"],
      ["state", "acct_a", "--cache", "Bogus"], ["keys", "rotate", "--vars", "/nowhere"],
    ];
    for (const args of wrong) assert.equal((await ask(...args)).code, 2, args.join(" "));
  });

  it("export nothing when the server's facts are not its checkpoint's", async () => {
    const record = Buffer.from([1, 2, 3]).toString("base64");
    const root = Buffer.alloc(32).toString("base64");
    const signature = Buffer.alloc(68).toString("base64");
    serve({
      ...ledgers,
      "GET /v1/keys": { origin: "z0.test", keys: [] },
      "GET /v1/ledgers/acct_a/checkpoint": `z0.test/acct_a\n1\n${root}\n\n— z0.test ${signature}\n`,
      "GET /v1/facts/acct_a?from_seq=1&limit=1&records=true": `{"facts":[{"seq":1,"record":"${record}"}],"next_seq":null}`,
    });
    const file = temporaryFile("x", "");
    const output = join(file.directory, "out.ndjson");
    const run = await ask("export", "acct_a", "-o", output);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /acct_a.*no key/);
    assert.throws(() => readFileSync(output));
    file.remove();
  });

  it("verify says line, fact and reason of a fault, and 1", async () => {
    const file = temporaryFile("x.ndjson", '{"z0_export":1,"entity_id":"acct_a"}\n{"seq":1}\n');
    const run = await z0(["verify", file.path]);
    assert.equal(run.code, 1);
    assert.match(run.stdout, /line 1, acct_a|line 1:/);
    assert.match(run.stdout, /not to be believed: 1 of 1 ledgers/);
    assert.match(run.stderr, /warning: without --key/);
    const [titles, row = "", ...rest] = (await z0(["verify", file.path, "--csv"])).stdout.split("\r\n");
    assert.equal(titles, "entity_id,tenant_id,size,root,signed_by,verdict,line,seq,reason");
    assert.match(row, /^[^,]*,,0,,,fault,1,,[^,]+$/);
    assert.deepEqual(rest, [""]);
    const refused = await ask("import", file.path);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /nothing was imported/);
    assert.equal(server.seen.length, 0);
    file.remove();
  });

  it("reconcile goes on until a ledger is done, from the start only once", async () => {
    let steps = 0;
    const mismatch = { cache_type: "BudgetState", resolution: "cache_updated", first_divergent_seq: 2 };
    serve({
      ...ledgers,
      "POST /v1/ledgers/acct_a/reconcile?from=start": { done: false, facts_scanned: 2, comparisons: 1, mismatches: [] },
      "POST /v1/ledgers/acct_a/reconcile": () =>
        ++steps === 1
          ? { done: false, facts_scanned: 3, comparisons: 1, mismatches: [mismatch] }
          : { done: true, facts_scanned: 4, comparisons: 1, mismatches: [] },
      "POST /v1/ledgers/acct_b/reconcile?from=start": { done: true, facts_scanned: 1, comparisons: 1, mismatches: [] },
    });
    const run = await ask("reconcile", "--all", "--full", "--json");
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(JSON.parse(run.stdout), {
      ledgers: 2, facts_scanned: 10, comparisons: 4, failures: 0,
      mismatches: [{ ...mismatch, entity_id: "acct_a", tenant_id: "t" }],
    });
    steps = 0;
    const strict = await ask("reconcile", "acct_a", "--fail-on-mismatch");
    assert.equal(strict.code, 1);
    assert.match(strict.stdout, /acct_a +t +BudgetState +2 +cache_updated/);
  });

  it("one ledger's failure stops no other, an empty ledger is none, and busy is asked again", async () => {
    let busy = 0;
    const done = { done: true, facts_scanned: 1, comparisons: 1, mismatches: [] };
    serve({ ...ledgers, "POST /v1/ledgers/acct_b/reconcile": done });
    const first = await ask("reconcile", "--all", "--json");
    assert.equal(first.code, 1);
    assert.match(first.stderr, /acct_a: There is nothing/);
    assert.equal(JSON.parse(first.stdout).ledgers, 1);

    const { "GET /v1/entities/acct_a": _, ...without } = ledgers;
    serve({ ...without, "POST /v1/ledgers/acct_b/reconcile": done });
    const answer = server.before;
    server.before = (seen, count) =>
      seen.url.endsWith("acct_b/reconcile") && ++busy === 1
        ? { status: 503, body: { message: "Busy." } }
        : answer(seen, count);
    const second = await ask("reconcile", "--all", "--json");
    assert.equal(second.code, 0, second.stderr);
    assert.equal(busy, 2);
  });

  it("rebuild ends with the proof, or without it", async () => {
    let steps = 0;
    const step = (/** @type {number} */ at, root = "aa") => ({
      entity_id: "acct_a", seq: 3, root: "aa", replicated_seq: at, replicated_root: root, done: at === 3,
    });
    const replicate = () => step(++steps === 1 ? 2 : 3);
    serve({
      ...ledgers,
      "POST /v1/ledgers/acct_a/replicate?from=start": step(1),
      "POST /v1/ledgers/acct_a/replicate": replicate,
      "POST /v1/ledgers/acct_b/replicate?from=start": step(3),
    });
    const run = await ask("rebuild", "--from-start", "--json");
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(JSON.parse(run.stdout), { proven: true, ledgers: 2, facts: 6, unequal: [], failures: 0 });
    serve({ ...ledgers, "POST /v1/ledgers/acct_a/replicate": step(3, "bb") });
    const broken = await ask("rebuild", "acct_a");
    assert.equal(broken.code, 1);
    assert.match(broken.stdout, /acct_a +3 +aa +3 +bb/);
    assert.match(broken.stdout, /not proven/);
  });

  it("replication shows each tenant, and what a comparison found", async () => {
    const ledger = (/** @type {string} */ status, /** @type {number} */ at) => ({
      entity_id: "acct_a", tenant_id: "t", seq: 3, root: "aa", replicated_seq: at, replicated_root: "aa", status,
    });
    // The database has never heard of acct_b.
    serve({ ...ledgers, "GET /v1/replication": { ledgers: [ledger("behind", 2)], cursor: null, totals: { behind: 1 } } });
    const behind = await ask("replication");
    assert.equal(behind.code, 0);
    assert.match(behind.stdout, /^t +2 +0 +2 +0 +6 +4$/m);
    serve({
      "GET /v1/ledgers?limit=1000": { ledgers: [], cursor: null },
      "GET /v1/replication": { ledgers: [ledger("proven", 3)], cursor: null, totals: {} },
      "POST /v1/ledgers/acct_a/verify?from_seq=1": { checked: 2, next_seq: 3, missing: [2], differing: [], repaired: 1 },
      "POST /v1/ledgers/acct_a/verify?from_seq=3": {
        checked: 1, next_seq: null, missing: [], differing: [{ seq: 3, fields: ["amount"] }], repaired: 0,
      },
    });
    const verified = await ask("replication", "--verify");
    assert.equal(verified.code, 1, "one was not repaired");
    assert.match(verified.stdout, /acct_a +2 +missing\n/);
    assert.match(verified.stdout, /acct_a +3 +differs in \["amount"\]/);
    assert.match(verified.stdout, /3 facts compared: 1 missing, 1 differing, 1 repaired/);
  });

  it("replication asks ledgers that the database has not heard of several at a time", async () => {
    const names = Array.from({ length: 24 }, (_, i) => `acct_${String(i).padStart(2, "0")}`);
    let asked = 0;
    let most = 0;
    /** @type {(() => void)[]} */
    const held = [];
    serve({
      "GET /v1/replication": { ledgers: [], cursor: null, totals: {} },
      "GET /v1/ledgers?limit=1000": { ledgers: names.map((entity_id) => ({ entity_id, tenant_id: "t" })), cursor: null },
    });
    const answer = server.before;
    server.before = async (seen, count) => {
      if (!seen.url.startsWith("/v1/entities/")) return answer(seen, count);
      const entity_id = seen.url.slice(13);
      most = Math.max(most, ++asked);
      // Eight are held until all eight are here: one at a time would never end.
      await new Promise((resolve) => {
        held.push(() => resolve(undefined));
        if (held.length === 8) for (const release of held.splice(0)) release();
      });
      asked -= 1;
      return { status: 200, body: { entity_id, tenant_id: "t", seq: 2, root: "aa" } };
    };
    const run = await ask("replication", "--csv");
    assert.equal(run.code, 0, run.stderr);
    assert.equal(most, 8);
    const rows = names.map((name) => `${name},t,2,0,aa,,behind\r\n`);
    assert.equal(run.stdout, `entity_id,tenant_id,seq,replicated_seq,root,replicated_root,status\r\n${rows.join("")}`);
  });

  it("replication asks for ranges of ledgers side by side, and prints them in order whoever answers first", async () => {
    const names = Array.from({ length: 310 }, (_, i) => `acct_${String(i).padStart(3, "0")}`);
    // One of them only the database knows.
    const all = [...names, "acct_100b"].sort();
    const ledger = (/** @type {string} */ entity_id) => ({
      entity_id, tenant_id: "t", seq: 2, root: "aa", replicated_seq: 1, replicated_root: "bb", status: "behind",
    });
    const page = (/** @type {URL} */ url) => {
      const { after = "", until = "~", cursor = "" } = Object.fromEntries(url.searchParams);
      const rows = all.filter((name) => name > after && name > cursor && name <= until);
      return { ledgers: rows.slice(0, 40).map(ledger), cursor: rows.length > 40 ? rows[39] : null };
    };
    /** @type {(() => void)[]} */
    const held = [];
    // All four ranges wait until they are here; then the last is answered, and each answer lets the one before it go.
    server.after = () => held.pop()?.();
    server.before = async (seen) => {
      const url = new URL(seen.url, server.url);
      if (url.pathname === "/v1/ledgers")
        return { status: 200, body: { ledgers: names.map((entity_id) => ({ entity_id, tenant_id: "t" })), cursor: null } };
      assert.equal(url.pathname, "/v1/replication");
      if (!url.searchParams.has("cursor")) {
        await new Promise((resolve) => {
          const together = held.push(() => resolve(undefined)) === 4;
          if (together) held.pop()?.();
        });
      }
      return { status: 200, body: page(url) };
    };
    const csv = await ask("replication", "--csv");
    assert.equal(csv.code, 0, csv.stderr);
    assert.deepEqual(csv.stdout.trim().split("\r\n").slice(1), all.map((name) => `${name},t,2,1,aa,bb,behind`));
    const totals = JSON.parse((await ask("replication", "--json")).stdout).totals;
    assert.deepEqual(totals, { ledgers: 311, proven: 0, behind: 311, broken: 0, seq: 622, replicated_seq: 311 });
  });

  it("lists are CSV for other programs: raw values under the members' names", async () => {
    const letter = { id: "d1", received_at: 1_774_915_200_000, bytes: 1000, readable: true, facts: 2, attempts: 3, entities: ["acct_a", "acct_b"] };
    const fact = { id: "f,1", type: "charge", entity_id: "acct_a", tenant_id: "t", seq: 1, amount: 123_456, currency: "USD", data: { note: 'a "b"' } };
    const orphan = { tenant_id: "t", type: "charge", missing: "outcome", entity_id: "acct_a", seq: 9, id: "c1", source_id: "o1", amount: 1234, currency: "USD", age_ms: 90_000 };
    const version = { version: 1, effective_at: 5, type: "budget", category: "policy", scope: "tenant", settings: { limit: 7 } };
    const mismatch = { cache_type: "BudgetState", resolution: "cache_updated", first_divergent_seq: 2 };
    serve({
      ...ledgers,
      "GET /v1/facts/acct_a?limit=100": { facts: [fact], next_seq: null },
      "GET /v1/report": { tenants: { t: { charges: 2, revenue_cents: 1234 } }, recorded_by_type: { charge: 2 } },
      "GET /v1/closure": { orphans: [orphan], cursor: null, counts: {} },
      "GET /v1/dead-letters": { dead_letters: [letter], cursor: null },
      "GET /v1/configs/cfg_1/versions": { versions: [version], gaps: [], next_version: null },
      "POST /v1/ledgers/acct_a/reconcile": { done: true, facts_scanned: 1, comparisons: 1, mismatches: [mismatch] },
    });
    /** @type {[string, string[]][]} */
    const lists = [
      ["facts acct_a", [
        "id,type,subtype,timestamp,recorded_at,tenant_id,entity_id,seq,source_id,amount,currency,status,trace_id,data",
        '"f,1",charge,,,,t,acct_a,1,,123456,USD,,,"{""note"":""a \\""b\\""""}"']],
      ["ledgers", ["entity_id,tenant_id", "acct_a,t", "acct_b,t"]],
      ["report", ["list,of,name,value", "recorded_by_type,,charge,2", "tenants,t,charges,2", "tenants,t,revenue_cents,1234"]],
      ["closure", [
        "tenant_id,type,missing,entity_id,seq,id,source_id,amount,currency,age_ms", "t,charge,outcome,acct_a,9,c1,o1,1234,USD,90000"]],
      ["dead-letters", [
        "id,received_at,bytes,readable,facts,attempts,entities", 'd1,1774915200000,1000,true,2,3,"[""acct_a"",""acct_b""]"']],
      ["config history cfg_1", [
        "version,effective_at,superseded_at,type,category,scope,applies_to,settings", '1,5,,budget,policy,tenant,,"{""limit"":7}"']],
      ["reconcile acct_a", [
        "entity_id,tenant_id,cache_type,first_divergent_seq,resolution,delta", "acct_a,t,BudgetState,2,cache_updated,"]],
    ];
    for (const [command, rows] of lists) {
      const run = await ask(...command.split(" "), "--csv");
      assert.equal(run.code, 0, command + run.stderr);
      assert.deepEqual(run.stdout.split("\r\n"), [...rows, ""], command);
    }
    assert.equal((await ask("facts", "acct_a", "--csv", "--json")).code, 2);
  });

  it("dead-letters are listed over pages and sent again until none is left", async () => {
    let left = 3;
    const letter = { id: "d1", received_at: 1_774_915_200_000, bytes: 10, readable: true, facts: 2, attempts: 3, entities: ["acct_a"] };
    serve({
      "GET /v1/dead-letters": { dead_letters: [letter], cursor: "n" },
      "GET /v1/dead-letters?cursor=n": { dead_letters: [{ ...letter, id: "d2" }], cursor: null },
      "POST /v1/dead-letters/d1/redrive": { id: "d1", redriven: true },
      "POST /v1/dead-letters/redrive": () => ({ redriven: Math.min(2, left), left: (left = Math.max(0, left - 2)) }),
    });
    assert.match((await ask("dead-letters")).stdout, /d1 .* yes +2 +3 +acct_a\n.*d2/);
    assert.match((await ask("dead-letters", "redrive", "d1")).stdout, /sent again: 1; left: 0/);
    assert.match((await ask("dead-letters", "redrive", "--all")).stdout, /sent again: 3; left: 0/);
  });

  it("closure lists what has no cause, with its age", async () => {
    const orphan = {
      tenant_id: "t", type: "charge", missing: "outcome", entity_id: "acct_a", seq: 9, id: "c1",
      source_id: "o1", amount: 1234, currency: "USD", age_ms: 90_000,
    };
    serve({ "GET /v1/closure?tenant=t": { orphans: [orphan], cursor: null, counts: { charge: 1 } } });
    const run = await ask("closure", "--tenant", "t");
    assert.match(run.stdout, /t +charge +outcome +acct_a +9 +c1 +o1 +12\.34 USD +1 min 30 s/);
    assert.equal(run.code, 0);
    assert.equal((await ask("closure", "--tenant", "t", "--fail-on-orphan")).code, 1);
  });

  it("config sends what was asked for, and shows versions and gaps", async () => {
    const version = { version: 1, type: "budget", scope: "tenant", effective_at: 1_774_915_200_000, settings: { limit: 5 } };
    serve({
      "PUT /v1/configs/cfg_b": (/** @type {any} */ seen) => ({ ...version, ...JSON.parse(seen.lines[0]) }),
      "GET /v1/configs/cfg_b?as_of=1774915200000": { config_id: "cfg_b", ...version },
      "GET /v1/configs/cfg_b/versions": { versions: [version], gaps: [2], next_version: 3 },
      "GET /v1/configs/cfg_b/versions?from_version=3": { versions: [{ ...version, version: 3 }], gaps: [], next_version: null },
      "GET /v1/configs/gaps": { missing: [{ tenant_id: "t", config_id: "cfg_b", version: 3, previous_version: 1 }], unknown: [] },
    });
    const set = await ask("config", "set", "cfg_b", "--type", "budget", "--scope", "tenant", "--tenant", "t", "--settings", '{"limit":5}');
    assert.equal(set.code, 0, set.stderr);
    assert.deepEqual(JSON.parse(server.seen[0]?.lines[0] ?? ""), {
      type: "budget", scope: "tenant", tenant_id: "t", settings: { limit: 5 },
    });
    assert.match((await ask("config", "get", "cfg_b", "--as-of", "2026-03-31")).stdout, /cfg_b version 1: budget, tenant, since 2026-03-31/);
    const history = await ask("config", "history", "cfg_b");
    assert.match(history.stdout, /^ +1 .*\{"limit":5\}\n +3 /m);
    assert.match(history.stdout, /missing versions: \[2\]/);
    const gaps = await ask("config", "gaps");
    assert.equal(gaps.code, 1);
    assert.match(gaps.stdout, /cfg_b +3 +the version before it is 1/);
  });

  it("config gaps are CSV of both kinds, each empty where only the other has a value", async () => {
    const unknown = { tenant_id: "t", config_id: "cfg_c", config_version: 9, entity_id: "acct_a", facts: 4, first_seq: 2 };
    serve({
      "GET /v1/configs/gaps": { missing: [{ tenant_id: "t", config_id: "cfg_b", version: 3, previous_version: 1 }], unknown: [unknown] },
    });
    const gaps = await ask("config", "gaps", "--csv");
    assert.equal(gaps.code, 1, gaps.stderr);
    assert.deepEqual(gaps.stdout.split("\r\n"), [
      "gap,tenant_id,config_id,version,previous_version,entity_id,facts,first_seq",
      "missing,t,cfg_b,3,1,,,", "unknown,t,cfg_c,9,,acct_a,4,2", "",
    ]);
    assert.equal((await ask("config", "gaps", "--csv", "--json")).code, 2);
  });

  it("keys rotate puts a new key before the old ones and leaves the rest of the file", async () => {
    const file = temporaryFile("vars", "A=1\nZ0_LOG_KEYS=old\nB=2");
    const run = await z0(["keys", "rotate", "--vars", file.path]);
    assert.equal(run.code, 0, run.stderr);
    const text = readFileSync(file.path, "utf8");
    assert.match(text, /^A=1\nB=2\nZ0_LOG_KEYS=MC4C[A-Za-z0-9+/=]+,old\n$/);
    file.remove();
  });
});
