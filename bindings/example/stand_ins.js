// Twilio and OpenAI, played: as slow and as faulty as they are told to be while they run. What they were
// told lies in the memory of the isolate, so it is forgotten when the Worker starts again.

import { WorkerEntrypoint } from "cloudflare:workers";
import { INTENTS } from "./market.js";

/** @typedef {{ latency_ms: number, failure_rate: number }} Manner */

/** @type {Record<string, Manner>} */
export const manners = {
  twilio: { latency_ms: 120, failure_rate: 0.03 },
  openai: { latency_ms: 250, failure_rate: 0.02 },
};

const LATENCY_MS_MAX = 60_000;

/**
 * Takes what a request asks for; says what is wrong with it, or null.
 * @param {any} asked as {"twilio": {"latency_ms": 900, "failure_rate": 0.5}}
 */
export function behave(asked) {
  if (typeof asked !== "object" || asked === null) return "an object is asked for";
  for (const [name, manner] of Object.entries(asked)) {
    if (!(name in manners)) return `${name} is not played here, only ${Object.keys(manners).join(", ")}`;
    const { latency_ms = manners[name].latency_ms, failure_rate = manners[name].failure_rate } = manner ?? {};
    if (!(latency_ms >= 0 && latency_ms <= LATENCY_MS_MAX)) return `latency_ms is from 0 to ${LATENCY_MS_MAX}`;
    if (!(failure_rate >= 0 && failure_rate <= 1)) return "failure_rate is from 0 to 1";
    manners[name] = { latency_ms, failure_rate };
  }
  return null;
}

/**
 * Half of the latency is always there, the rest differs from call to call.
 * @param {Manner} manner
 */
async function play({ latency_ms, failure_rate }) {
  await scheduler.wait(latency_ms * (0.5 + Math.random()));
  return Math.random() >= failure_rate;
}

export class Twilio extends WorkerEntrypoint {
  /** @override */
  async fetch() {
    if (!(await play(manners.twilio))) return Response.json({ message: "no line" }, { status: 503 });
    return Response.json({ sid: `CA${crypto.randomUUID()}`, price_cents: 2, connected: true }, { status: 201 });
  }
}

export class OpenAi extends WorkerEntrypoint {
  /** @override */
  async fetch() {
    if (!(await play(manners.openai))) return Response.json({ message: "try later" }, { status: 429 });
    const intent = INTENTS[Math.floor(Math.random() * INTENTS.length)];
    return Response.json({ intent, usage: { total_tokens: 80 + Math.floor(Math.random() * 200) } });
  }
}
