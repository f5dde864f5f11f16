// An operator's token of z0, which opens the local SQL API too: what it sees is of all tenants.

const encoder = new TextEncoder();

/** @param {string} part @returns {Uint8Array<ArrayBuffer>} */
function bytesOf(part) {
  const base64 = part.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** @param {string} part @returns {Record<string, unknown>} */
function objectOf(part) {
  const value = JSON.parse(new TextDecoder().decode(bytesOf(part)));
  return value !== null && typeof value === "object" ? value : {};
}

/**
 * @param {string} signed
 * @param {string} signature
 * @param {string} secret
 */
async function isSignedWith(signed, signature, secret) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, [
    "verify",
  ]);
  return crypto.subtle.verify("HMAC", key, bytesOf(signature), encoder.encode(signed));
}

/**
 * @param {string} token
 * @param {string | undefined} secrets one, or several with commas, as z0 takes them
 * @param {number} now seconds since 1970
 */
export async function isOperators(token, secrets, now) {
  const parts = token.split(".");
  if (parts.length !== 3 || token.length > 4096) return false;
  try {
    const [header, claims] = [objectOf(parts[0]), objectOf(parts[1])];
    const scopes = String(claims.scope ?? "").split(" ");
    const isGood = header.alg === "HS256" && claims.tenant === "*" && scopes.includes("ops");
    if (!isGood || typeof claims.exp !== "number" || claims.exp <= now) return false;
    for (const secret of (secrets ?? "").split(",").map((one) => one.trim())) {
      if (secret !== "" && (await isSignedWith(`${parts[0]}.${parts[1]}`, parts[2], secret)))
        return true;
    }
    return false;
  } catch {
    // What is not base64 or not JSON was not signed by anybody.
    return false;
  }
}
