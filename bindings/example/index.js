// The router's routes. A call is one trace: from the request over the tools to the facts of its money.

import { createClient, spanName } from "../client/index.js";
import { forget } from "./budgets.js";
import { ACCOUNT, BUYERS, NUMBERS, TOP_UP_CENTS } from "./market.js";
import { route } from "./router.js";
import { behave, manners } from "./stand_ins.js";

/** @import { Env } from "./router.js" */

export { OpenAi, Twilio } from "./stand_ins.js";

const HANDLE_CALL = spanName("z0.worker.router.handle_call");
const TOP_UP = spanName("z0.worker.router.top_up");

const HELP = {
  "POST /calls": 'a call of a number, {"number": "ast_riverside_15550100"}',
  "POST /deposits": `a buyer tops up, {"buyer": "${BUYERS[0].id}", "amount": ${TOP_UP_CENTS}}`,
  "PUT /stand-ins": 'how they behave, {"twilio": {"latency_ms": 900, "failure_rate": 0.5}}',
  "GET /": "this, and how they behave now",
};

/** @type {ExportedHandler<Env>} */
export default {
  async fetch(request, env, ctx) {
    const asked = `${request.method} ${new URL(request.url).pathname}`;
    switch (asked) {
      case "GET /":
        return Response.json({ routes: HELP, buyers: BUYERS, numbers: Object.keys(NUMBERS), stand_ins: manners });
      case "PUT /stand-ins": {
        const wrong = behave(await bodyOf(request));
        return Response.json(wrong === null ? manners : { error: wrong }, { status: wrong === null ? 200 : 400 });
      }
      case "POST /calls":
        return call(request, env, ctx);
      case "POST /deposits":
        return deposit(request, env, ctx);
      default:
        return Response.json({ error: `${asked} is no route`, routes: HELP }, { status: 404 });
    }
  },
};

/**
 * @param {Request} request
 * @param {Env} env
 * @param {ExecutionContext} ctx
 * @param {string} asset
 */
function clientOf(request, env, ctx, asset) {
  return createClient({
    ...{ z0: env.Z0, token: env.Z0_TOKEN, service: "call_router", tenant: env.TENANT },
    ...{ account: ACCOUNT, asset, ctx, request },
  });
}

/**
 * @param {Request} request
 * @param {Env} env
 * @param {ExecutionContext} ctx
 */
async function call(request, env, ctx) {
  const { number } = await bodyOf(request);
  if (!Object.hasOwn(NUMBERS, number)) return Response.json({ error: "nobody has this number" }, { status: 404 });
  return clientOf(request, env, ctx, number).span(HANDLE_CALL, async (z0) => {
    z0.setAttribute("number", number);
    const result = await route(z0, { env, ctx, asset: number });
    return Response.json({ trace_id: z0.traceId, ...result });
  });
}

/**
 * @param {Request} request
 * @param {Env} env
 * @param {ExecutionContext} ctx
 */
async function deposit(request, env, ctx) {
  const { buyer, amount = TOP_UP_CENTS } = await bodyOf(request);
  const isBuyer = BUYERS.some(({ id }) => id === buyer);
  if (!isBuyer || !Number.isSafeInteger(amount) || amount <= 0) {
    return Response.json({ error: "a buyer, and an amount in cents" }, { status: 400 });
  }
  const client = clientOf(request, env, ctx, Object.keys(NUMBERS)[0]);
  return client.span(TOP_UP, async (z0) => {
    // Here the answer matters: who pays wants to know that it was booked.
    const [receipt] = await z0.recordFacts({ type: "deposit", entity_id: buyer, amount }).receipts();
    forget(buyer);
    const booked = receipt.status === "recorded";
    return Response.json({ trace_id: z0.traceId, receipt }, { status: booked ? 201 : 503 });
  });
}

/** @param {Request} request @returns {Promise<any>} */
async function bodyOf(request) {
  return (await request.json().catch(() => null)) ?? {};
}
