// Facts for the benchmarks: made here from a seed, shaped like a day of calls (an invocation and
// its cost, often an outcome, sometimes a charge and a payout), about 260 bytes of JSON each. Their
// ids, times and traces have one width each, so that a sender can make a body new by writing their
// digits in place.

/** @typedef {Record<string, unknown> & {id: string, type: string, entity_id: string}} Fact */
/**
 * @typedef {{text: string, bytes: Uint8Array, idOffsets: Uint32Array, timeOffsets: Uint32Array,
 *   traceOffsets: Uint32Array, facts: Fact[], nowMs: number}} Body
 */

/** A small seeded generator (xorshift32): the same facts in every run. @param {number} seed */
export function random(seed) {
  let x = seed | 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 4294967296;
  };
}

const CITIES = ["São Paulo", "Kraków", "Zürich", "Lyon", "Austin", "Osaka"];
const ID_DIGITS = 16;
const TIME_DIGITS = 13;
const TRACE_DIGITS = 32;
// A batch holds what happened since the one before.
const BATCH_MS = 1_000;

/** @param {() => number} next @param {number} digits */
function hex(next, digits) {
  let s = "";
  while (s.length < digits) s += ((next() * 4294967296) >>> 0).toString(16).padStart(8, "0");
  return s.slice(0, digits);
}

/** @param {() => number} next */
const factId = (next) => `fact_${hex(next, ID_DIGITS)}`;

/**
 * What an asset's ledger takes: invocations and outcomes.
 * @param {() => number} next @param {string} entity @param {number} at @returns {Fact}
 */
function assetFact(next, entity, at) {
  if (next() < 0.7) {
    return {
      id: factId(next),
      type: "invocation",
      subtype: "inbound_call",
      timestamp: at,
      entity_id: entity,
      asset_id: entity,
      tool_id: next() < 0.5 ? "tool_openai_gpt" : "tool_twilio_voice",
      trace_id: hex(next, 32),
      data: {
        duration_seconds: 5 + Math.floor(next() * 600),
        caller: `+1555${String(Math.floor(next() * 1e7)).padStart(7, "0")}`,
        city: CITIES[Math.floor(next() * CITIES.length)],
      },
    };
  }
  const failed = next() < 0.3;
  const score = Math.floor(next() * 1000) / 1000;
  return {
    id: factId(next),
    type: "outcome",
    subtype: failed ? "qualification_fail" : "call_qualified",
    timestamp: at,
    entity_id: entity,
    asset_id: entity,
    source_id: factId(next),
    data: failed ? { score, error: { code: "qualification_fail" } } : { score },
    ...(failed ? { trace_id: hex(next, 32) } : {}),
  };
}

/**
 * What an account's ledger takes: costs, charges and payouts.
 * @param {() => number} next @param {string} entity @param {number} at @returns {Fact}
 */
function accountFact(next, entity, at) {
  const p = next();
  const id = factId(next);
  const source_id = factId(next);
  if (p < 0.6) {
    return {
      id,
      type: "cost",
      timestamp: at,
      entity_id: entity,
      source_id,
      tool_id: "tool_openai_gpt",
      amount: Math.floor(next() * 60),
      currency: "USD",
      data: { unit: "second", quantity: Math.floor(next() * 600) },
    };
  }
  const amount = 500 + Math.floor(next() * 5000);
  if (p < 0.8) {
    return {
      id,
      type: "charge",
      timestamp: at,
      entity_id: entity,
      asset_id: "ast_acme_15550100001",
      source_id,
      amount,
      currency: "USD",
      data: { pricing: "per_call" },
    };
  }
  return {
    id,
    type: "payout",
    timestamp: at,
    entity_id: entity,
    source_id,
    amount,
    currency: "USD",
    data: { share: 0.6 },
  };
}

/**
 * The k-th ledger's name: assets and accounts by turns. @param {string} tenant @param {number} k
 */
export function entityName(tenant, k) {
  return k % 2 ? `acct_${tenant}_buyer${k}` : `ast_${tenant}_155500${String(k).padStart(5, "0")}`;
}

/**
 * @param {{count: number, entities: string[], seed: number, nowMs: number}} options
 * @returns {Fact[]}
 */
export function makeFacts({ count, entities, seed, nowMs }) {
  const next = random(seed);
  const facts = [];
  for (let i = 0; i < count; i++) {
    const entity = /** @type {string} */ (entities[i % entities.length]);
    const at = nowMs - Math.floor(next() * BATCH_MS);
    facts.push((entity.startsWith("ast_") ? assetFact : accountFact)(next, entity, at));
  }
  return facts;
}

/**
 * A request body with the offsets at which its ids' digits stand.
 * @param {{count: number, entities: string[], seed: number, nowMs: number}} options
 * @returns {Body}
 */
export function makeBody(options) {
  const facts = makeFacts(options);
  const text = JSON.stringify(facts);
  const bytes = new TextEncoder().encode(text);
  return {
    text,
    bytes,
    facts,
    idOffsets: findIds(
      bytes,
      facts.map((f) => f.id),
    ),
    timeOffsets: offsetsBehind(text, bytes, '"timestamp":'),
    traceOffsets: offsetsBehind(text, bytes, '"trace_id":"'),
    nowMs: options.nowMs,
  };
}

/** Where the values of a member begin. @param {string} text @param {Uint8Array} bytes @param {string} name */
function offsetsBehind(text, bytes, name) {
  const latin = new TextDecoder("latin1").decode(bytes);
  const offsets = new Uint32Array(text.split(name).length - 1);
  let at = 0;
  for (let i = 0; i < offsets.length; i++) offsets[i] = at = latin.indexOf(name, at) + name.length;
  return offsets;
}

/**
 * Where the digits of each id stand in `bytes`: the first place of each, in order.
 * @param {Uint8Array} bytes @param {string[]} ids @returns {Uint32Array}
 */
export function findIds(bytes, ids) {
  const latin = new TextDecoder("latin1").decode(bytes);
  const offsets = new Uint32Array(ids.length);
  ids.forEach((id, i) => {
    const at = latin.indexOf(id);
    if (at < 0) throw new Error(`${id} does not stand in the bytes`);
    offsets[i] = at + id.length - ID_DIGITS;
  });
  return offsets;
}

const DIGITS = new TextEncoder().encode("0123456789abcdef");

/**
 * Moves the times of a body to `nowMs` and gives its traces other names. `moved` says what it was
 * moved to before. Returns what it is at now.
 * @param {Uint8Array} bytes
 * @param {{times: Uint32Array, traces: Uint32Array}} offsets
 * @param {number} moved
 * @param {number} nowMs
 */
export function renewMoment(bytes, { times, traces }, moved, nowMs) {
  for (const at of times) {
    let time = nowMs - moved;
    for (let i = 0, value = 0; i < TIME_DIGITS; i++) {
      value = value * 10 + /** @type {number} */ (bytes[at + i]) - 48;
      if (i === TIME_DIGITS - 1) time += value;
    }
    for (let i = TIME_DIGITS; i-- > 0; time = Math.floor(time / 10)) bytes[at + i] = 48 + (time % 10);
  }
  for (const at of traces) {
    for (let i = 0; i < TRACE_DIGITS; i++)
      bytes[at + i] = /** @type {number} */ (DIGITS[Math.floor(Math.random() * 16)]);
  }
  return nowMs;
}

/**
 * Makes all ids of a body new: digits of (stream, counter). Returns the next counter.
 * @param {Uint8Array} bytes
 * @param {Uint32Array} offsets
 * @param {number} stream
 * @param {number} counter
 */
export function renewIds(bytes, offsets, stream, counter) {
  for (let i = 0; i < offsets.length; i++) {
    // A multiplier spreads the counter, since real ids do not ascend.
    let high = (stream * 0x9e3779b1 + Math.floor(counter / 0x100000000)) >>> 0;
    let low = counter >>> 0;
    let at = /** @type {number} */ (offsets[i]) + ID_DIGITS;
    const mixed = Math.imul(low, 0x85ebca6b) >>> 0;
    for (let k = 0; k < 8; k++) {
      bytes[--at] = /** @type {number} */ (DIGITS[high & 15]);
      high >>>= 4;
    }
    low = mixed;
    for (let k = 0; k < 8; k++) {
      bytes[--at] = /** @type {number} */ (DIGITS[low & 15]);
      low >>>= 4;
    }
    counter++;
  }
  return counter;
}
