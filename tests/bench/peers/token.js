// What a Worker of plain JavaScript does about its callers: a JSON Web Token signed with HS256, its
// signature in constant time, then its claims. The signature is the runtime's own code.
import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * The tenant that a bearer token speaks for; throws for a token that is not good now.
 * @param {string} authorization @param {string} secret @param {number} nowMs
 */
export function checkToken(authorization, secret, nowMs) {
  if (!authorization.startsWith("Bearer ")) throw new Error("no bearer token");
  const [header, payload, signature, ...rest] = authorization.slice(7).split(".");
  if (!header || !payload || !signature || rest.length) throw new Error("not a token");
  const made = createHmac("sha256", secret).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, "base64url");
  if (given.length !== made.length || !timingSafeEqual(given, made))
    throw new Error("not signed by us");
  const { alg, crit } = JSON.parse(Buffer.from(header, "base64url").toString());
  if (alg !== "HS256" || crit !== undefined) throw new Error("not HS256");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  if (typeof claims.tenant !== "string" || !(claims.exp * 1000 > nowMs))
    throw new Error("not good now");
  if (claims.nbf !== undefined && !(claims.nbf * 1000 <= nowMs)) throw new Error("not good yet");
  if (!String(claims.scope).split(" ").includes("facts:write")) throw new Error("may not write");
  return claims.tenant;
}
