// The SQL API, as https://api.cloudflare.com answers it: the query is the body, an error is a line
// of text.

import { contentType, render } from "./format.js";
import { parser } from "./parser.js";
import { Refused } from "./sql/refused.js";
import { QUERY_LENGTH_MAX, translateQuery } from "./sql/translate.js";
import { isOperators } from "./token.js";

/** @import { Answer, Points } from "./points.js" */
/** @import { Plan } from "./sql/translate.js" */

/**
 * @typedef {object} Env
 * @property {DurableObjectNamespace<Points>} POINTS
 * @property {string} [POINTS_MAX] how many points are kept
 * @property {string} [Z0_TOKEN_SECRET] of z0, so that its operator's token is good here
 */

const PATH = /^\/client\/v4\/accounts\/[^/]+\/analytics_engine\/sql$/;
// A character of UTF-8 has up to four bytes.
const BODY_BYTES_MAX = 4 * QUERY_LENGTH_MAX;

/**
 * Errors of the gateway before the API, which are JSON.
 * @param {number} status
 * @param {number} code
 * @param {string} message
 */
const gatewayError = (status, code, message) =>
  Response.json(
    { success: false, errors: [{ code, message }], messages: [], result: null },
    { status },
  );

/**
 * @param {Request} request
 * @param {Env} env
 */
export async function answer(request, env) {
  const { pathname } = new URL(request.url);
  if (!PATH.test(pathname)) {
    return gatewayError(
      404,
      7003,
      `Could not route to ${pathname}, perhaps your object identifier is invalid?`,
    );
  }
  if (request.method !== "POST")
    return gatewayError(405, 10405, "Method not allowed for this authentication scheme");
  const token = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (token === undefined) {
    return gatewayError(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers");
  }
  const now = Math.floor(Date.now() / 1000);
  if (!(await isOperators(token, env.Z0_TOKEN_SECRET, now)))
    return gatewayError(403, 10000, "Authentication error");
  try {
    return await run(await queryOf(request), env, now);
  } catch (error) {
    if (error instanceof Refused)
      return new Response(`Input was invalid: ${error.message}`, { status: 422 });
    throw error;
  }
}

/** @param {Request} request */
async function queryOf(request) {
  const body = await request.arrayBuffer();
  const isLong = body.byteLength > BODY_BYTES_MAX;
  return isLong ? "x".repeat(QUERY_LENGTH_MAX + 1) : new TextDecoder().decode(body);
}

/**
 * @param {string} query
 * @param {Env} env
 * @param {number} now
 */
async function run(query, env, now) {
  const plan = translateQuery(query, await parser(), now);
  const points = env.POINTS.getByName("points");
  if (plan.show !== undefined) return said(plan, await shownRows(plan.show, points));
  /** @type {Answer} */
  const result = await points.ask(plan);
  if ("refused" in result) throw new Refused(result.refused);
  return said(plan, result.rows);
}

/**
 * @param {NonNullable<Plan["show"]>} show
 * @param {DurableObjectStub<Points>} points
 */
async function shownRows(show, points) {
  if (show === "TABLES") return (await points.tables()).map((table) => [table]);
  if (show === "TIMEZONE") return [["Etc/UTC"]];
  return Intl.supportedValuesOf("timeZone").map((zone) => [zone]);
}

/** @param {Plan} plan @param {unknown[][]} rows */
function said(plan, rows) {
  return new Response(render(plan, rows), {
    headers: { "content-type": contentType(plan.format) },
  });
}
