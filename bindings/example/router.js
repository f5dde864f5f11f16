// One call: what the caller wants, who may have it, the connection, and what it earned and cost.

import { spanName, tool } from "../client/index.js";
import { hold, release, remainingOf } from "./budgets.js";
import { BUYERS, NUMBERS } from "./market.js";

/** @import { Scope } from "../client/index.d.ts" */
/** @import { Hold } from "./budgets.js" */
/** @import { Buyer } from "./market.js" */

/** @typedef {{ Z0: Fetcher, Z0_TOKEN: string, TENANT: string, TWILIO: Fetcher, OPENAI: Fetcher }} Env */
/** @typedef {{ env: Env, ctx: ExecutionContext, asset: string }} Call */

const ROUTE = spanName("z0.worker.router.evaluate_eligibility");
const OPENAI = tool("openai", { operations: ["completion"] });
const TWILIO = tool("twilio", { id: "tool_twilio_voice", operations: ["create_call"] });

// A decision is promised in 50 ms. Who waits for budgets that long has not made one yet.
const BUDGET_WAIT_MS = 25;
const TOKENS_PER_CENT = 100;
const TOOL_MS_MAX = 5_000;

/**
 * @param {Scope} z0
 * @param {Call} call
 */
export async function route(z0, call) {
  const heard = await understand(z0, call);
  if (heard === null) return { routed: false, reason: "not_understood" };
  const decision = await z0.routingDecision(ROUTE, (inner) => decide(inner, call, heard.intent), { asset: call.asset });
  const { buyer, held } = decision;
  if (buyer === null || held === null) {
    fail(z0, call, heard.invocationId, "routing_no_buyer", decision.reason);
    return { routed: false, reason: decision.reason };
  }
  const connected = await connect(z0, call, buyer);
  if (connected === null) {
    release(held);
    return { routed: false, reason: "not_connected" };
  }
  settle(z0, call, buyer, connected.invocationId);
  return { routed: true, buyer: buyer.id, cents: buyer.bid };
}

/**
 * What the caller wants, told by a model; null when that failed.
 * @param {Scope} z0
 * @param {Call} call
 */
async function understand(z0, { env, asset }) {
  let invocationId = "";
  const reply = await z0
    .externalTool(
      OPENAI,
      "completion",
      async (tool) => {
        invocationId = tool.invocationId;
        return ask(tool, env.OPENAI, "https://api.openai.example/v1/chat/completions");
      },
      { asset, cost: ({ usage }) => ({ amount: Math.ceil(usage.total_tokens / TOKENS_PER_CENT), data: usage }) },
    )
    .catch(() => null);
  return reply === null ? null : { invocationId, intent: String(reply.intent) };
}

/**
 * The highest bid whose budget bears it.
 * @param {Scope} z0
 * @param {Call} call
 * @param {string} intent
 */
async function decide(z0, { env, ctx }, intent) {
  const interested = BUYERS.filter(({ intents }) => intents.includes(intent));
  const how = { ctx, waitMs: BUDGET_WAIT_MS };
  const budgets = await Promise.all(interested.map(({ id }) => remainingOf(z0, env.Z0, env.Z0_TOKEN, id, how)));
  const index = interested.findIndex(({ bid }, i) => (budgets[i] ?? 0) >= bid);
  const buyer = interested[index] ?? null;
  /** @type {Hold | null} at once: the next decision may come before this call is connected */
  const held = buyer === null ? null : hold(buyer.id, buyer.bid);
  const reason = index === 0 ? "highest_bid" : index > 0 ? "next_bid" : reasonOfNone(budgets);
  const candidates = Object.fromEntries(interested.map(({ id }, i) => [id, budgets[i]]));
  return {
    ...{ buyer, held, result: buyer === null ? "no_buyer" : "routed", reason },
    data: { intent, candidates, ...(buyer === null ? {} : { buyer: buyer.id, bid: buyer.bid }) },
  };
}

/** @param {(number | null)[]} budgets */
function reasonOfNone(budgets) {
  return budgets.length > 0 && budgets.every((budget) => budget === null) ? "budgets_unknown" : "budget_exhausted";
}

/**
 * @param {Scope} z0
 * @param {Call} call
 * @param {Buyer} buyer
 */
async function connect(z0, call, buyer) {
  let invocationId = "";
  try {
    await z0.externalTool(
      TWILIO,
      "create_call",
      async (tool) => {
        invocationId = tool.invocationId;
        tool.setAttribute("buyer", buyer.id);
        return ask(tool, call.env.TWILIO, "https://api.twilio.example/2010-04-01/Calls.json");
      },
      { asset: call.asset, cost: ({ price_cents }) => price_cents },
    );
    return { invocationId };
  } catch (error) {
    fail(z0, call, invocationId, "call_failed", String(error));
    return null;
  }
}

/**
 * The outcome, what the buyer owes for it, and what of that is the publisher's.
 * @param {Scope} z0
 * @param {Call} call
 * @param {Buyer} buyer
 * @param {string} invocationId
 */
function settle(z0, { asset }, { id, bid }, invocationId) {
  const { publisher, share } = NUMBERS[asset];
  const outcome = `out_${invocationId}`;
  z0.recordFacts([
    { id: outcome, type: "outcome", subtype: "call_qualified", entity_id: asset, asset_id: asset, source_id: invocationId },
    { id: `chg_${invocationId}`, type: "charge", entity_id: id, asset_id: asset, source_id: outcome, amount: bid },
    { id: `pay_${invocationId}`, type: "payout", entity_id: publisher, asset_id: asset, source_id: outcome, amount: Math.floor(bid * share), data: { share } },
  ]);
}

/**
 * A call that earned nothing has an outcome, too, which says why.
 * @param {Scope} z0
 * @param {Call} call
 * @param {string} invocationId
 * @param {string} code
 * @param {string} message
 */
function fail(z0, { asset }, invocationId, code, message) {
  z0.setAttribute("outcome", code);
  const data = { error: { code, message } };
  z0.recordFacts({ type: "outcome", subtype: code, entity_id: asset, asset_id: asset, source_id: invocationId, data });
}

/**
 * Asks in the trace of the call's span; an answer that says no is an error with its number.
 * @param {Scope} tool
 * @param {Fetcher} service
 * @param {string} url
 * @returns {Promise<any>}
 */
async function ask(tool, service, url) {
  const reply = await service.fetch(url, { method: "POST", headers: tool.headers(), signal: AbortSignal.timeout(TOOL_MS_MAX) });
  tool.setAttribute("http.response.status_code", reply.status);
  if (reply.ok) return reply.json();
  throw Object.assign(new Error(`answered ${reply.status}`), { code: `http_${reply.status}` });
}
