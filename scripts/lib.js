// Small services of the scripts that a shell does badly: a token, a port, waiting for an answer.
//
//   node scripts/lib.js secret                 a random secret, 64 hex digits
//   node scripts/lib.js log-key                a new key to sign checkpoints with: Ed25519, PKCS #8 in base64
//   node scripts/lib.js token SECRET DAYS [TENANT]   an operator's token (include/z0/http/token.hpp), or one
//                                              that a tenant's own Workers write with
//   node scripts/lib.js local-settings         what Z0_SETTINGS is on the machine of whoever develops
//   node scripts/lib.js local-config           wrangler.local.toml: wrangler.toml, with the stand-in for
//                                              Analytics Engine in its place
//   node scripts/lib.js wait URL SECONDS PID   until URL answers 200; exit 1 when PID ends, or late
//   node scripts/lib.js watch URL              until URL answers no more; says how it failed
import { createHmac, generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** @param {object} value */
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/**
 * @param {string} secret
 * @param {number} days
 * @param {string} [tenant] whose Workers write with it; an operator's without one
 */
export function makeToken(secret, days, tenant) {
  const now = Math.floor(Date.now() / 1000);
  const own = "facts:write facts:read telemetry:write";
  const scope = tenant === undefined ? `${own} ops config:write` : own;
  const claims = { tenant: tenant ?? "*", scope, iat: now, exp: now + days * 86_400 };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** As the Worker takes it in Z0_LOG_KEYS; `z0 keys rotate` makes the later ones. */
export function logKey() {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
}

/** Every trace is kept, and not one in ten: whoever develops looks for each. */
export function localSettings() {
  return `'${JSON.stringify({ traces: { one_in: 1 } })}'`;
}

const STAND_IN = `[[services]]
binding = "METRICS"
service = "z0-analytics"
entrypoint = "Metrics"
props = { dataset = "z0" }
`;

/** @param {string} config wrangler.toml */
export function localConfig(config) {
  const engine = /\[\[analytics_engine_datasets\]\]\n(?:\w+ = .*\n)+/;
  if (!engine.test(config)) throw new Error("wrangler.toml binds no data set of Analytics Engine");
  return `# Made of wrangler.toml by scripts/dev.\n${config.replace(engine, STAND_IN)}`;
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/**
 * @param {string} url
 * @param {number} seconds
 * @param {number} pid
 */
async function answers(url, seconds, pid) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end && isRunning(pid); ) {
    const reply = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    if (reply?.ok) return true;
    await pause(50);
  }
  return false;
}

/**
 * Asks every two seconds and returns why nobody is there any more. One answer that is missing says
 * little: wrangler loads a changed file anew, a large request takes its time. So ten seconds of refused
 * connections are waited for, and 50 of connections that bring nothing.
 * @param {string} url
 * @param {{ pauseMs?: number, refusedMax?: number, silentMax?: number, silentMs?: number }} [limits]
 */
export async function watch(url, { pauseMs = 2000, refusedMax = 5, silentMax = 5, silentMs = 10_000 } = {}) {
  for (let refused = 0, silent = 0, wrong = 0; ; await pause(pauseMs)) {
    try {
      const reply = await fetch(url, { signal: AbortSignal.timeout(silentMs) });
      await reply.arrayBuffer();
      if (reply.ok) refused = silent = wrong = 0;
      else if (++wrong >= refusedMax) return `answers ${reply.status} and nothing else`;
    } catch (error) {
      if (error instanceof DOMException && error.name === "TimeoutError") {
        if (++silent >= silentMax) return "takes connections but does not answer";
      } else if (++refused >= refusedMax) {
        return "does not take connections any more";
      }
    }
  }
}

const [verb, ...words] = process.argv.slice(2);
if (verb === "secret") console.log(randomBytes(32).toString("hex"));
else if (verb === "log-key") console.log(logKey());
else if (verb === "token") console.log(makeToken(words[0], Number(words[1]), words[2]));
else if (verb === "local-settings") console.log(localSettings());
else if (verb === "local-config") {
  const top = join(import.meta.dirname, "..");
  writeFileSync(join(top, "wrangler.local.toml"), localConfig(readFileSync(join(top, "wrangler.toml"), "utf8")));
} else if (verb === "wait") {
  process.exitCode = (await answers(words[0], Number(words[1]), Number(words[2]))) ? 0 : 1;
} else if (verb === "watch") console.log(await watch(words[0]));
