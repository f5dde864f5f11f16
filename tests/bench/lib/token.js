// A bearer token as z0 takes it: a JSON Web Token signed with HS256.
import { createHmac } from "node:crypto";

export const SECRET = "bench-secret-of-at-least-thirty-two-bytes";

/** @param {unknown} value */
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** @param {string} tenant @param {string} scope */
export function mintToken(tenant, scope = "facts:write facts:read telemetry:write ops config:write") {
  const now = Math.floor(Date.now() / 1000);
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ tenant, scope, iat: now, exp: now + 86_400 })}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}
