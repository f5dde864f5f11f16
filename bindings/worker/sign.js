// Signs checkpoints with Ed25519. WebCrypto has the algorithm, so the core only says which bytes to
// sign. Every key signs: an auditor who knows only an older key can still verify after a rotation.

import { encodeFailure, encodeSignatures } from "./effects.js";
import { messageOf } from "./log.js";

/** @import { Env } from "./types.js" */

const ED25519 = { name: "Ed25519" };

/** @typedef {{key: CryptoKey, publicKey: Uint8Array}} Signer */

/** @type {{secrets: string, signers: Promise<Signer[]>} | undefined} */
let cached;

/**
 * @param {Env} env
 * @param {Uint8Array<ArrayBuffer>} text
 * @returns {Promise<Uint8Array>}
 */
export async function sign(env, text) {
  try {
    const secrets = env.Z0_LOG_KEYS;
    if (!secrets) throw new Error("Z0_LOG_KEYS is not set");
    if (cached?.secrets !== secrets) {
      cached = { secrets, signers: Promise.all(secrets.split(",").map(importKey)) };
    }
    const signed = (await cached.signers).map(async ({ key, publicKey }) => ({
      signature: new Uint8Array(await crypto.subtle.sign(ED25519, key, text)),
      publicKey,
    }));
    return encodeSignatures(await Promise.all(signed));
  } catch (error) {
    cached = undefined;
    return encodeFailure(messageOf(error));
  }
}

/**
 * @param {string} secret PKCS #8, base64
 * @returns {Promise<Signer>}
 */
async function importKey(secret) {
  const key = await crypto.subtle.importKey("pkcs8", bytesOf(secret), ED25519, true, ["sign"]);
  // The public half is what the platform makes of the private one.
  const jwk = /** @type {JsonWebKey} */ (await crypto.subtle.exportKey("jwk", key));
  const publicKey = bytesOf((jwk.x ?? "").replace(/-/g, "+").replace(/_/g, "/"));
  return { key, publicKey };
}

/** @param {string} base64 */
function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}
