// What the tool reads and writes: packed files, links, pipes, devices and full disks.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, lstatSync, openSync, closeSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import { FakeZ0, binary, charge, envelopes, skip, temporaryFile, z0 } from "./fake.js";

const vectors = join(import.meta.dirname, "..", "vectors");
const key = join(vectors, "export_keys.txt");
const sound = readFileSync(join(vectors, "export.ndjson"), "utf8");
const [header = "", ...lines] = sound.trimEnd().split("\n");

/** @type {FakeZ0} */
let server;

/** A z0 with the one ledger of the export. */
function serveLedger() {
  const { checkpoint, keys } = JSON.parse(header);
  const facts = lines.map((line) => {
    const { record } = JSON.parse(line);
    return `${line.slice(line.indexOf('"fact":') + 7, -2)},"record":"${record}"}`;
  });
  /** @type {Record<string, unknown>} */
  const answers = {
    "/v1/keys": { keys },
    "/v1/entities/acct_x": { entity_id: "acct_x", tenant_id: "tenant_x", seq: 3, root: "00" },
    "/v1/ledgers/acct_x/checkpoint": checkpoint,
    "/v1/ledgers/acct_x/proof?seq=1": { seq: 1 },
    "/v1/facts/acct_x?from_seq=1&limit=3&records=true": `{"facts":[${facts.join(",")}],"next_seq":null}`,
    "/v1/facts/acct_x?limit=100": { facts: [charge(1)], next_seq: null },
    "/v1/report": { tenants: {} },
  };
  server.before = (seen) => {
    const body = answers[seen.url];
    return body === undefined ? { status: 404, body: { status: "not_found", message: "No." } } : { status: 200, body };
  };
}

/** @param {...string} args */
const ask = (...args) => z0([...args, "--url", server.url, "--token", "t"]);

/** The tool with its output in a file that stands. @param {string} path @param {string[]} args */
function into(path, args) {
  const output = openSync(path, "w");
  return new Promise((resolve) => {
    const child = spawn(binary ?? "", [...args, "--url", server.url, "--token", "t"], { stdio: ["ignore", output, "pipe"] });
    let stderr = "";
    child.stderr?.on("data", (chunk) => (stderr += chunk));
    child.on("close", (code) => {
      closeSync(output);
      resolve({ code, stderr });
    });
  });
}

describe("z0 export -o", { skip }, () => {
  /** @type {ReturnType<typeof temporaryFile>} */
  let file;
  beforeEach(async () => {
    server = await new FakeZ0().start();
    serveLedger();
    file = temporaryFile("target", "old");
  });
  afterEach(() => {
    file.remove();
    return server.stop();
  });

  it("replaces a plain file, keeps its permissions and leaves nothing beside it", async () => {
    spawnSync("chmod", ["640", file.path]);
    const run = await ask("export", "acct_x", "-o", file.path);
    assert.equal(run.code, 0, run.stderr);
    assert.equal(readFileSync(file.path, "utf8"), sound);
    assert.equal(statSync(file.path).mode & 0o777, 0o640);
    assert.deepEqual(readdirSync(file.directory), ["target"]);
  });

  it("leaves the old file where the export fails", async () => {
    server.before = () => ({ status: 404, body: { status: "not_found", message: "No." } });
    assert.equal((await ask("export", "acct_x", "-o", file.path)).code, 1);
    assert.equal(readFileSync(file.path, "utf8"), "old");
    assert.deepEqual(readdirSync(file.directory), ["target"]);
  });

  it("keeps a symbolic link, also one that leads nowhere yet", async () => {
    for (const target of [file.path, join(file.directory, "new")]) {
      const link = `${target}.link`;
      symlinkSync(target, link);
      const run = await ask("export", "acct_x", "-o", link);
      assert.equal(run.code, 0, run.stderr);
      assert.ok(lstatSync(link).isSymbolicLink());
      assert.equal(readFileSync(target, "utf8"), sound);
    }
  });

  it("writes through a pipe", async () => {
    const pipe = join(file.directory, "pipe");
    spawnSync("mkfifo", [pipe]);
    const reader = spawn("cat", [pipe]);
    let read = "";
    reader.stdout.on("data", (chunk) => (read += chunk));
    const ended = new Promise((resolve) => reader.on("close", resolve));
    const run = await ask("export", "acct_x", "-o", pipe);
    assert.equal(run.code, 0, run.stderr);
    await ended;
    assert.equal(read, sound);
    assert.ok(lstatSync(pipe).isFIFO());
  });

  it("says that a device is full, and which one", { skip: !existsSync("/dev/full") }, async () => {
    const run = await ask("export", "acct_x", "-o", "/dev/full");
    assert.equal(run.code, 1);
    assert.match(run.stderr, /\/dev\/full cannot be written: No space left on device/);
    assert.ok(lstatSync("/dev/full").isCharacterDevice());
  });

  it("says that a directory is none to write to", async () => {
    const run = await ask("export", "acct_x", "-o", file.directory);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /cannot be written: Is a directory/);
  });
});

describe("A full disk", { skip: skip || (existsSync("/dev/full") ? false : "there is no /dev/full") }, () => {
  beforeEach(async () => {
    server = await new FakeZ0().start();
    serveLedger();
  });
  afterEach(() => server.stop());

  it("is no success for any command that prints", async () => {
    const recording = temporaryFile("day.ndjson", envelopes([charge(1)]));
    const commands = [
      ["keys"], ["keys", "--json"], ["checkpoint", "acct_x"], ["proof", "acct_x", "1"], ["facts", "acct_x", "--json"],
      ["facts", "acct_x"], ["report"], ["report", "--json"], ["entity", "acct_x"], ["export", "acct_x"],
      ["verify", join(vectors, "export.ndjson"), "--key", key], ["check", recording.path, "--all"],
      ["--help"], ["--version"], ["facts", "--help"],
      ["token", "--all", "--secret-file", temporaryFile("vars", "Z0_TOKEN_SECRET=s\n").path],
    ];
    for (const command of commands) {
      const run = await into("/dev/full", command);
      assert.equal(run.code, 1, command.join(" "));
      assert.match(run.stderr, /disk is full|No space left/, command.join(" "));
    }
    recording.remove();
  });

  it("is told from a disk with room", async () => {
    const file = temporaryFile("out", "");
    const run = await into(file.path, ["keys"]);
    assert.equal(run.code, 0, run.stderr);
    assert.match(readFileSync(file.path, "utf8"), /^z0\.local\+/);
    file.remove();
  });
});

describe("z0 verify", { skip }, () => {
  /** @param {string | Uint8Array} contents */
  async function verify(contents) {
    const file = temporaryFile("x.ndjson", contents);
    const run = await z0(["verify", file.path, "--key", key]);
    file.remove();
    return run;
  }

  it("takes blank lines, line ends and a byte order mark as they come", async () => {
    const forms = [
      sound, `${sound}\n`, `${sound}\r\n \t\n\n`, `\n${sound}`, sound.trimEnd(), sound.replaceAll("\n", "\r\n"),
      `\uFEFF${sound}`, sound.replaceAll("\n", "\n\n"),
    ];
    for (const form of forms) {
      const run = await verify(form);
      assert.equal(run.code, 0, JSON.stringify(form.slice(0, 20)) + run.stdout + run.stderr);
      assert.match(run.stdout, /sound: 1 ledgers, 3 facts/);
    }
  });

  it("reads gzip, in several members and from the standard input, too", async () => {
    assert.equal((await verify(gzipSync(sound))).code, 0);
    const parts = Buffer.concat([gzipSync(`${header}\n`), gzipSync(lines.map((line) => `${line}\n`).join(""))]);
    const run = await verify(parts);
    assert.equal(run.code, 0, run.stdout + run.stderr);
    assert.equal((await z0(["verify", "-", "--key", key], { input: gzipSync(sound) })).code, 0);
  });

  it("says that a packed file is cut off", async () => {
    const run = await verify(gzipSync(sound).subarray(0, -9));
    assert.notEqual(run.code, 0);
    assert.match(run.stderr, /x\.ndjson is cut off/);
  });

  it("names the tool that unpacks what it cannot read", async () => {
    const forms = { "\x28\xB5\x2F\xFD": /zstd -dc/, "\xFD7zXZ\0": /xz -dc/, "BZh9": /bzip2 -dc/, "PK\x03\x04": /unzip -p/, "\xFF\xFE{\0": /iconv/ };
    for (const [form, words] of Object.entries(forms)) {
      const run = await verify(Buffer.from(form, "latin1"));
      assert.equal(run.code, 2, form);
      assert.match(run.stderr, words);
    }
  });

  it("counts a ledger once, however often it is exported", async () => {
    const run = await verify(sound + sound + sound);
    assert.equal(run.code, 0, run.stdout);
    assert.match(run.stdout, /2 exports repeat a ledger of this file/);
    assert.match(run.stdout, /sound: 1 ledgers, 3 facts/);
    const wrong = await verify(sound + sound.replace('"amount":500', '"amount":600'));
    assert.equal(wrong.code, 1);
    assert.match(wrong.stdout, /line 6, acct_x, seq 1:/);
  });

  it("names file and line of what is no key, and takes no empty file for keys", async () => {
    const keys = temporaryFile("keys.txt", `${readFileSync(key, "utf8")}\r\n\nbogus\n`);
    const file = join(vectors, "export.ndjson");
    const run = await z0(["verify", file, "--key", keys.path]);
    assert.equal(run.code, 2);
    assert.match(run.stderr, /keys\.txt, line 4: this is no key.*: bogus/);
    writeFileSync(keys.path, "\n");
    const none = await z0(["verify", file, "--key", keys.path]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /holds no key/);
    keys.remove();
  });
});

describe("z0 replay of files of other kinds", { skip }, () => {
  beforeEach(async () => {
    server = await new FakeZ0().start();
  });
  afterEach(() => server.stop());

  /** @param {string | Uint8Array} contents */
  async function replay(contents) {
    const file = temporaryFile("day.ndjson", contents);
    const run = await ask("replay", file.path);
    file.remove();
    return run;
  }
  const day = envelopes([charge(1), charge(2)]);

  it("records what a byte order mark, carriage returns or gzip wrap", async () => {
    const forms = [`\uFEFF${day}`, `\uFEFF${day.replaceAll("\n", "\r\n")}`, gzipSync(day), gzipSync(`\uFEFF${day}`)];
    for (const [i, form] of forms.entries()) {
      const run = await replay(form);
      assert.equal(run.code, 0, run.stderr);
      assert.equal(server.recorded, 2, `form ${i}`);
      assert.equal(run.stderr, "");
    }
  });

  it("refuses an array before anything is sent, and says how to take it apart", async () => {
    for (const form of [`[${JSON.stringify(charge(1))}]`, `\n [\n${JSON.stringify(charge(1))}\n]\n`]) {
      const run = await replay(form);
      assert.equal(run.code, 2);
      assert.match(run.stderr, /day\.ndjson begins with a JSON array.*jq -c/);
    }
    assert.equal(server.seen.length, 0);
  });

  it("fails when no line was taken, and names the lines", async () => {
    const run = await replay("id,type,amount\n1,charge,500\n");
    assert.equal(run.code, 1);
    assert.match(run.stderr, /line 1: not_json.*\nline 2: not_json/);
    assert.match(run.stderr, /no line of .*day\.ndjson was taken/);
  });

  it("names the refused lines among others, the first twenty of them", async () => {
    const run = await replay(day + "bogus\n".repeat(30));
    assert.equal(run.code, 0);
    const named = [...run.stderr.matchAll(/^line (\d+): not_json: This is no JSON\./gm)].map((match) => Number(match[1]));
    assert.deepEqual(named, Array.from({ length: 20 }, (_, i) => i + 3));
    assert.match(run.stderr, /and 10 lines more: `z0 check .*day\.ndjson` shows them all/);
  });
});
