// Peer (a): plain JavaScript. JSON.parse, the rules by hand, JSON.stringify of the rows for each
// ledger, of the receipts, and of the counters that a metrics pipeline would be handed. Bytes in
// and bytes out, as for the core: that is what a Worker is given and what it hands on.
import { factProblem, normalize } from "./rules.js";

const TENANT = "tenant_acme";
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * @param {any[]} facts @param {number} nowMs
 * @returns {{rows: Map<string, string[]>, results: any[], counts: Record<string, number>}}
 */
export function checkFacts(facts, nowMs) {
  /** @type {Map<string, string[]>} */
  const rows = new Map();
  const results = [];
  /** @type {Record<string, number>} */
  const counts = {};
  for (const fact of facts) {
    const problem = factProblem(fact, TENANT);
    const row = problem ? null : normalize(fact, TENANT, nowMs);
    if (!row) {
      results.push({
        status: problem ?? "data_too_large",
        id: fact?.id,
        entity_id: fact?.entity_id,
      });
      continue;
    }
    const list = rows.get(row.entity_id);
    if (list) list.push(JSON.stringify(row));
    else rows.set(row.entity_id, [JSON.stringify(row)]);
    counts[row.type] = (counts[row.type] ?? 0) + 1;
    results.push({
      status: "recorded",
      id: row.id,
      entity_id: row.entity_id,
      seq: results.length + 1,
      recorded_at: nowMs,
    });
  }
  return { rows, results, counts };
}

/**
 * One request: the body in; the rows of each ledger, the answer and the counters out.
 * @param {Uint8Array} body @param {number} nowMs
 */
export function handlePlain(body, nowMs) {
  const facts = JSON.parse(decoder.decode(body));
  if (!Array.isArray(facts) || facts.length > 1000) throw new Error("not a batch");
  const { rows, results, counts } = checkFacts(facts, nowMs);
  let stored = 0;
  for (const list of rows.values()) stored += encoder.encode(`[${list.join(",")}]`).length;
  const answer = JSON.stringify({
    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    recorded: results.length,
    duplicate: 0,
    refused: 0,
    results,
  });
  return stored + encoder.encode(answer).length + JSON.stringify(counts).length;
}
