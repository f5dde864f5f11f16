import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, it } from "node:test";

import { FakeZ0, bad, charge, envelopes, skip, temporaryFile, z0 } from "./fake.js";

/** @type {FakeZ0} */
let server;

/**
 * Replays these bytes against the fake server.
 * @param {string | Uint8Array} recording
 * @param {string[]} [args]
 * @param {(child: import("node:child_process").ChildProcess) => void} [started]
 */
async function replay(recording, args = [], started) {
  const file = temporaryFile("day.ndjson", recording);
  try {
    const all = ["replay", file.path, "--json", "--pause", "20", ...args];
    const run = await z0(["--url", server.url, "--token", "t0ken", ...all], { started });
    const summary = run.stdout === "" ? undefined : JSON.parse(run.stdout);
    return { ...run, summary };
  } finally {
    file.remove();
  }
}

/** Whether SIGINT was sent to a process and has not reached its handler. @param {number | undefined} pid */
function interruptIsPending(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return (Number(/^ShdPnd:\s*[0-9a-f]*([0-9a-f])$/m.exec(status)?.[1] ?? 0) & 2) !== 0;
}

/** @param {number} count @param {Record<string, unknown>} [more] */
const charges = (count, more) => Array.from({ length: count }, (_, i) => charge(i, more));

describe("z0 replay", { skip }, () => {
  beforeEach(async () => {
    server = await new FakeZ0().start();
  });
  afterEach(() => server.stop());

  it("sends batches in order over one connection, with the operator's token", async () => {
    const { code, summary } = await replay(envelopes(charges(1201)));
    assert.equal(code, 0);
    assert.deepEqual(server.seen.map((seen) => seen.lines.length), [500, 500, 201]);
    assert.deepEqual(new Set(server.seen.map((seen) => seen.socket)), new Set([1]));
    assert.equal(server.seen[0]?.authorization, "Bearer t0ken");
    assert.equal(server.seen[0]?.contentType, "application/x-ndjson");
    assert.equal(server.seen[0]?.url, "/v1/facts");
    const ids = server.seen.flatMap((seen) => seen.lines.map((line) => JSON.parse(line).id));
    assert.deepEqual(ids, charges(1201).map((fact) => fact.id));
    assert.deepEqual(summary.lines, {
      total: 1201, recorded: 1201, duplicate: 0, conflict: 0, refused: 0,
    });
    assert.equal(summary.failed, 0);
  });

  it("writes the tenant in front, and an id where there is none, and leaves the fact's bytes alone", async () => {
    const odd = '{ "id":"a" ,"amount":1.50e0,"data":{"tenant_id":"x","\\u0041":"é \\" }"},"entity_id":"acct_1"}';
    await replay(
      `{"tenant":"t\\u0061","fact":${odd}}\n` +
        '  {"fact":{} , "tenant":"t"}\r\n' +
        '{"tenant":"t","fact":{"id":"b","tenant_id":"t"}}\n' +
        '\n{"id":"plain","entity_id":"acct_1"}\n' +
        "{ not json\n" +
        '{"tenant":"t","fact":[1, 2]}',
    );
    // What z0 would make anew for each try stands in front, too.
    const lines = server.seen[0]?.lines.map((line) => line.replace(/"id":"fact_\w{26}",/, "MADE,"));
    assert.deepEqual(lines, [
      `{"tenant_id":"t\\u0061",${Buffer.from(odd.slice(1)).toString("latin1")}`,
      '{MADE,"tenant_id":"t"}',
      '{"id":"b","tenant_id":"t"}',
      '{"id":"plain","entity_id":"acct_1"}',
      "{ not json",
      "[1, 2]",
    ]);
  });

  it("refuses a fact that names another tenant than its envelope", async () => {
    const { summary } = await replay('{"tenant":"a","fact":{"id":"b","tenant_id":"c"}}\n');
    assert.equal(server.seen.length, 0);
    assert.deepEqual(summary.refused_by_status, { tenant_mismatch: 1 });
  });

  it("counts duplicates, conflicts and refusals by the server's answers", async () => {
    const first = charge(1);
    const { code, summary } = await replay(
      envelopes([first, first, { ...first, amount: 2 }, { id: "x" }, { id: "y" }]) + "nonsense\n",
    );
    assert.equal(code, 0);
    assert.deepEqual(summary.lines, { total: 6, recorded: 1, duplicate: 1, conflict: 1, refused: 3 });
    assert.deepEqual(summary.refused_by_status, { missing_member: 2, not_json: 1 });
  });

  it("keeps a request below 4 MiB", async () => {
    const data = { text: "x".repeat(60_000) };
    const { summary } = await replay(envelopes(charges(150, { data })));
    assert.equal(summary.lines.recorded, 150);
    assert.ok(server.seen.length >= 3);
    for (const seen of server.seen) {
      assert.ok(seen.lines.reduce((sum, line) => sum + line.length + 1, 0) < 4 << 20);
    }
  });

  it("tries again only the items that were put off", async () => {
    const tries = new Map();
    server.item = (fact) => {
      const count = (tries.get(fact.id) ?? 0) + 1;
      tries.set(fact.id, count);
      const late = Number(fact.id.slice(5)) % 10 === 3 && count < 3;
      return late ? bad("overloaded", 503, "", "Too much.") : undefined;
    };
    const { code, summary } = await replay(envelopes(charges(50)));
    assert.equal(code, 0);
    assert.equal(summary.lines.recorded, 50);
    assert.deepEqual(server.seen.map((seen) => seen.lines.length), [50, 5, 5]);
  });

  it("waits as long as Retry-After asks", async () => {
    server.before = (_, count) =>
      count === 1
        ? { status: 429, headers: { "retry-after": "1" }, body: bad("overloaded", 429, "", "Wait.") }
        : undefined;
    const { summary } = await replay(envelopes(charges(3)));
    assert.equal(summary.lines.recorded, 3);
    assert.ok((server.seen[1]?.at ?? 0) - (server.seen[0]?.at ?? 0) >= 990);
  });

  // How long it waits between them is the business of tests/unit/cli/send_test.cpp.
  it("gives up after --retries", async () => {
    server.item = (fact) => (fact.id === "fact_1" ? bad("timeout", 504, "", "Late.") : undefined);
    const { code, summary } = await replay(envelopes(charges(4)), ["--retries", "4"]);
    assert.equal(code, 1);
    assert.equal(summary.failed, 1);
    assert.equal(summary.lines.recorded, 3);
    assert.equal(summary.lines.total, 4);
    assert.deepEqual(server.seen.map((seen) => seen.lines.length), [4, 1, 1, 1, 1]);
  });

  it("survives a connection that breaks, since ids make it safe", async () => {
    server.before = (_, count) => (count === 2 ? "drop" : undefined);
    const { code, summary } = await replay(envelopes(charges(900)));
    assert.equal(code, 0);
    assert.equal(summary.lines.recorded, 900);
  });

  it("gives each fact without an id one that all its tries have", async () => {
    // The first try is broken off, the second one put off: either may have been recorded.
    server.before = (seen, count) =>
      count === 1
        ? "drop"
        : count === 2
          ? {
              status: 207,
              body: {
                results: seen.lines.map(() => ({ status: "storage_error", http: 503 })),
              },
            }
          : undefined;
    const facts = [charge(1, { id: undefined }), charge(2), charge(1, { id: undefined })];
    const { code, summary } = await replay(envelopes(facts));
    assert.equal(code, 0);
    assert.equal(summary.lines.recorded, 3);
    const tries = server.seen.map(({ lines }) => lines.map((line) => JSON.parse(line).id));
    assert.equal(tries.length, 3);
    assert.deepEqual(tries[1], tries[0]);
    assert.deepEqual(tries[2], tries[0]);
    assert.equal(tries[0][1], "fact_2");
    assert.match(tries[0][0], /^fact_[0-9A-HJKMNP-TV-Z]{26}$/);
    assert.equal(new Set(tries[0]).size, 3);
  });

  it("stops when nothing answers any more", async () => {
    server.before = (_, count) => (count >= 2 ? "drop" : undefined);
    const { code, stderr, summary } = await replay(envelopes(charges(30)), [
      "--batch", "10", "--retries", "2",
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /stopped answering/);
    assert.deepEqual([summary.lines.total, summary.lines.recorded, summary.failed], [20, 10, 10]);
    assert.equal(summary.interrupted, true);
  });

  it("finds the one line that spoils a whole request", async () => {
    server.before = (seen) =>
      seen.lines.some((line) => line.includes("\xff"))
        ? { status: 400, body: bad("not_utf8", 400, "", "This is no UTF-8.") }
        : undefined;
    const lines = charges(20).map((fact) => Buffer.from(JSON.stringify(fact) + "\n"));
    lines.splice(13, 0, Buffer.from([0x22, 0xff, 0x22, 0x0a]));
    const { code, summary } = await replay(Buffer.concat(lines));
    assert.equal(code, 0);
    assert.equal(summary.lines.recorded, 20);
    assert.deepEqual(summary.refused_by_status, { not_utf8: 1 });
    const order = server.seen
      .filter((seen) => !seen.lines.some((line) => line.includes("\xff")))
      .flatMap((seen) => seen.lines.map((line) => JSON.parse(line).id));
    assert.deepEqual(order, charges(20).map((fact) => fact.id));
  });

  it("says at once that a token is not accepted", async () => {
    server.before = () => ({ status: 401, body: bad("unauthorized", 401, "", "No.") });
    const { code, stderr } = await replay(envelopes(charges(3)));
    assert.equal(code, 1);
    assert.match(stderr, /does not accept the token: make one with `z0 token --all`/);
    assert.equal(server.seen.length, 1);
  });

  it("keeps the order of each entity with several requests side by side", { timeout: 60_000 }, async () => {
    let now = 0;
    let most = 0;
    let comeSecond = () => {};
    const second = new Promise((resolve) => (comeSecond = () => resolve(undefined)));
    server.before = async (_, count) => {
      most = Math.max(most, ++now);
      if (count === 2) comeSecond();
      if (count === 1) await second;
      // Answers leave in another order than requests came.
      for (let turns = (count * 7) % 5; turns > 0; turns--) await new Promise(setImmediate);
      now--;
      return undefined;
    };
    const { code, summary } = await replay(envelopes(charges(2000)), [
      "--concurrency", "4", "--batch", "50",
    ]);
    assert.equal(code, 0);
    assert.equal(summary.lines.recorded, 2000);
    assert.ok(most > 1, "nothing ran side by side");
    /** @type {Map<string, number>} */
    const last = new Map();
    for (const line of server.seen.flatMap((seen) => seen.lines)) {
      const { entity_id, amount } = JSON.parse(line);
      assert.ok(amount > (last.get(entity_id) ?? -1), `${entity_id} went backwards`);
      last.set(entity_id, amount);
    }
  });

  it("sums up after Ctrl-C what was sent until then", async () => {
    /** @type {import("node:child_process").ChildProcess | undefined} */
    let child;
    server.before = async (_, count) => {
      if (count === 3) {
        child?.kill("SIGINT");
        while (interruptIsPending(child?.pid)) await new Promise(setImmediate);
      }
      return undefined;
    };
    const { code, signal, stderr, summary } = await replay(
      envelopes(charges(1000)), ["--batch", "10"], (started) => (child = started),
    );
    assert.equal(signal, null);
    assert.equal(code, 1);
    assert.match(stderr, /interrupted/);
    assert.equal(summary.interrupted, true);
    assert.deepEqual([summary.lines.total, summary.lines.recorded, summary.failed], [30, 30, 0]);
    assert.equal(server.recorded, 30);
  });

  it("leaves a long wait on Ctrl-C", async () => {
    server.before = () => ({
      status: 503, headers: { "retry-after": "60" }, body: bad("overloaded", 503, "", "Wait."),
    });
    const { code, summary } = await replay(envelopes(charges(5)), [], (child) => {
      server.after = () => void child.kill("SIGINT");
    });
    assert.equal(code, 1);
    // After the minute there would have been a second one.
    assert.equal(server.seen.length, 1);
    assert.equal(summary.failed, 5);
  });

  it("reads the standard input, and writes neither colours nor a bar into a pipe", async () => {
    const run = await z0(["replay", "-", "--url", server.url, "--token", "t"], {
      input: envelopes(charges(10)),
      env: { TERM: "xterm" },
    });
    assert.equal(run.code, 0);
    assert.equal(run.stderr, "");
    assert.match(run.stdout, /recorded +10\n/);
    assert.ok(!run.stdout.includes("\x1b"));
  });
});
