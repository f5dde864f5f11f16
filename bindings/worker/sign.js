// Signatures with the log's Ed25519 key: the platform's WebCrypto has the algorithm, so the core only
// says what is to be signed.

import { encodeSignature, encodeFailure } from "./effects.js";
import { messageOf } from "./log.js";

/** @import { Env } from "./types.js" */

const ED25519 = { name: "Ed25519" };

/** @type {{secret: string, pair: Promise<{key: CryptoKey, publicKey: Uint8Array}>} | undefined} */
let cached;

/**
 * @param {Env} env
 * @param {Uint8Array<ArrayBuffer>} text
 * @returns {Promise<Uint8Array>}
 */
export async function sign(env, text) {
  try {
    const secret = env.Z0_LOG_KEY;
    if (!secret) throw new Error("Z0_LOG_KEY is not set");
    if (cached?.secret !== secret) cached = { secret, pair: importKey(secret) };
    const { key, publicKey } = await cached.pair;
    return encodeSignature(new Uint8Array(await crypto.subtle.sign(ED25519, key, text)), publicKey);
  } catch (error) {
    cached = undefined;
    return encodeFailure(messageOf(error));
  }
}

/** @param {string} secret PKCS #8, base64 */
async function importKey(secret) {
  const bytes = Uint8Array.from(atob(secret), (c) => c.charCodeAt(0));
  const key = await crypto.subtle.importKey("pkcs8", bytes, ED25519, true, ["sign"]);
  // The public half is what the platform makes of the private one.
  const { x = "" } = /** @type {JsonWebKey} */ (await crypto.subtle.exportKey("jwk", key));
  const base64 = x.replace(/-/g, "+").replace(/_/g, "/");
  return { key, publicKey: Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)) };
}
