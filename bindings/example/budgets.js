// What each buyer has left, as far as this isolate knows. z0 has the truth; a decision has no time to wait
// for it, so it takes what was known last. What was promised here since is held back for as long as it may
// take until z0 has the charge: better to offer a call to somebody else than to sell what nobody can pay.

/** @import { Scope } from "../client/index.d.ts" */

/** @typedef {{ remaining: number, readAt: number }} Known */
/** @typedef {{ buyer: string, cents: number, until: number }} Hold */

const FRESH_MS = 2_000;
// Beyond it nobody would trust the number.
const KNOWN_MS = 60_000;
// A call is connected and charged in it, and the charge is in its ledger.
const HOLD_MS = 10_000;

/** @type {Map<string, Known>} */
const known = new Map();
/** Buyers that are being read. @type {Set<string>} */
const reading = new Set();
/** @type {Hold[]} */
let holds = [];

/**
 * Cents, or null when nobody knows. Only what is not known at all is waited for, and not for long.
 * @param {Scope} z0
 * @param {Fetcher} binding of z0
 * @param {string} token
 * @param {string} buyer
 * @param {{ ctx: ExecutionContext, waitMs: number }} how
 * @returns {Promise<number | null>}
 */
export async function remainingOf(z0, binding, token, buyer, { ctx, waitMs }) {
  const read = () => readOnce(z0, binding, token, buyer);
  const budget = await z0.cacheRead(
    "buyer_budget",
    () => {
      const found = known.get(buyer);
      if (found === undefined || Date.now() - found.readAt > KNOWN_MS) return undefined;
      if (Date.now() - found.readAt > FRESH_MS) ctx.waitUntil(read());
      return found;
    },
    async () => {
      const reads = read();
      ctx.waitUntil(reads);
      await Promise.race([reads, scheduler.wait(waitMs)]);
      return known.get(buyer);
    },
  );
  if (budget === undefined) return null;
  const now = Date.now();
  holds = holds.filter(({ until }) => until > now);
  return holds.reduce((rest, hold) => (hold.buyer === buyer ? rest - hold.cents : rest), budget.remaining);
}

/**
 * @param {string} buyer
 * @param {number} cents
 * @returns {Hold}
 */
export function hold(buyer, cents) {
  const made = { buyer, cents, until: Date.now() + HOLD_MS };
  holds.push(made);
  return made;
}

/** A call that was not connected costs its buyer nothing. @param {Hold} made */
export function release(made) {
  holds = holds.filter((other) => other !== made);
}

/** What is known may be wrong by now. @param {string} buyer */
export function forget(buyer) {
  known.delete(buyer);
}

/**
 * @param {Scope} z0
 * @param {Fetcher} binding
 * @param {string} token
 * @param {string} buyer
 */
async function readOnce(z0, binding, token, buyer) {
  if (reading.has(buyer)) return;
  reading.add(buyer);
  try {
    const headers = { ...z0.headers(), authorization: `Bearer ${token}` };
    const reply = await binding.fetch(`http://z0/v1/entities/${buyer}/state?cache=BudgetState`, { headers });
    // A ledger without a fact has no budget.
    if (reply.status === 404) return void known.set(buyer, { remaining: 0, readAt: Date.now() });
    if (!reply.ok) throw new Error(`z0 answered ${reply.status}`);
    const { state } = /** @type {any} */ (await reply.json());
    if (state !== null) known.set(buyer, { remaining: state.remaining, readAt: Date.now() });
  } catch (error) {
    console.error(JSON.stringify({ level: "error", event: "budget_unread", buyer, message: String(error) }));
  } finally {
    reading.delete(buyer);
  }
}
