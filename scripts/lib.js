// Small services of the scripts that a shell does badly: a token, a port, waiting for an answer.
//
//   node scripts/lib.js secret                 a random secret, 64 hex digits
//   node scripts/lib.js log-key                a new key to sign checkpoints with: Ed25519, PKCS #8 in base64
//   node scripts/lib.js token SECRET DAYS      an operator's token (include/z0/token.hpp)
//   node scripts/lib.js port-free PORT         exit 1 when something listens there
//   node scripts/lib.js wait URL SECONDS PID   until URL answers 200; exit 1 when PID ends, or late
import { createHmac, generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** @param {object} value */
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/**
 * @param {string} secret
 * @param {number} days
 */
export function operatorToken(secret, days) {
  const now = Math.floor(Date.now() / 1000);
  const scope = "facts:write facts:read telemetry:write ops config:write";
  const claims = { tenant: "*", scope, iat: now, exp: now + days * 86_400 };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** As the Worker takes it in Z0_LOG_KEYS; `z0 keys rotate` makes the later ones. */
export function logKey() {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
}

/** @param {number} port */
function portIsFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1" }, () => server.close(() => resolve(true)));
  });
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

const [verb, ...words] = process.argv.slice(2);
if (verb === "secret") console.log(randomBytes(32).toString("hex"));
else if (verb === "log-key") console.log(logKey());
else if (verb === "token") console.log(operatorToken(words[0], Number(words[1])));
else if (verb === "port-free") process.exitCode = (await portIsFree(Number(words[0]))) ? 0 : 1;
else if (verb === "wait") {
  process.exitCode = (await answers(words[0], Number(words[1]), Number(words[2]))) ? 0 : 1;
}
