// The store of traces, in Node over SQLite: spans in, as the Tail Worker brings them, and a trace and a
// search out of a million that were kept; and how many rows a span costs.
import { FRAME } from "../lib/abi.js";
import { SqliteHost } from "../lib/sqlite_host.js";
import { figure, progress } from "../lib/rounds.js";
import { exact, gate } from "../lib/report.js";

const ALARM = 6;
const TAIL = 8;
const TRACES = 5;
const METHOD_GET = 2;
const SPANS_EACH = 10;
const TRACES_A_DELIVERY = 20;
const START_MS = 1_774_915_200_000;
const encoder = new TextEncoder();

/** @param {number} n @param {number} digits */
const hex = (n, digits) => n.toString(16).padStart(digits, "0");

/** Trace ids are spread as random ones are. @param {number} n */
const traceId = (n) => hex((n * 2_654_435_761) % 2 ** 32, 8) + hex(n + 1, 24);

/** The invocations of one delivery: a line for each trace. @param {number} first number of its first trace @param {number} nowMs */
function delivery(first, nowMs) {
  const invocations = [];
  for (let t = first; t < first + TRACES_A_DELIVERY; t++) {
    const spans = [];
    for (let s = 0; s < SPANS_EACH; s++) {
      spans.push({
        name: s === 0 ? "z0.worker.facts.record" : "z0.do.ledger.append_fact",
        trace_id: traceId(t),
        span_id: hex(t * 16 + s + 1, 16),
        ...(s === 0 ? { kind: "server", money: "moved" } : { kind: "client", parent_id: hex(t * 16 + 1, 16) }),
        start_us: nowMs * 1000,
        end_us: nowMs * 1000 + 7000,
        tenant_id: `tenant_${t % 50}`,
        attributes: s === 0 ? { "http.request.method": "POST", "http.route": "/v1/facts", "z0.facts": 1 } : { "z0.object": `account_acct_${t}` },
      });
    }
    const line = JSON.stringify({ z0: "spans", service: "z0", spans });
    invocations.push({ script: "z0", event: "fetch", outcome: "ok", at: nowMs, wall_ms: 7, cpu_ms: 1, lines: [line] });
  }
  return encoder.encode(JSON.stringify(invocations));
}

/**
 * @param {import("../run.js").Options} options
 * @returns {Promise<import("../lib/report.js").Section[]>}
 */
export async function traces({ wasm, quick }) {
  const total = quick ? 100_000 : 1_000_000;
  const host = new SqliteHost(wasm, START_MS);
  const perDelivery = SPANS_EACH * TRACES_A_DELIVERY;
  const deliveries = total / perDelivery;
  let spentMs = 0;
  for (let i = 0; i < deliveries; i++) {
    const body = delivery(i * TRACES_A_DELIVERY, host.nowMs);
    const begun = performance.now();
    host.run({ kind: TAIL, target: 6 }, [body]);
    host.nowMs += 250;
    // The alarm goes off five seconds after a trace came.
    if (i % 20 === 19) host.run({ kind: ALARM, target: TRACES }, [encoder.encode("traces_0")]);
    spentMs += performance.now() - begun;
    if ((i + 1) % 1_000 === 0) progress(`${((i + 1) * perDelivery).toLocaleString("en-US")} spans`);
  }
  host.nowMs += 10_000;
  host.run({ kind: ALARM, target: TRACES }, [encoder.encode("traces_0")]);

  const lookUps = [];
  for (let i = 0; i < 50; i++) {
    const id = Buffer.from(traceId(Math.floor((i / 50) * (total / SPANS_EACH))), "hex");
    const request = Buffer.concat([Buffer.of(16), id, Buffer.of(0)]);
    const begun = performance.now();
    const reply = host.run({ kind: FRAME.call, target: TRACES, method: METHOD_GET }, [encoder.encode("traces_0"), request]);
    lookUps.push(performance.now() - begun);
    if (reply.length < 500) throw new Error(`trace ${i} was not found`);
  }
  const kept = /** @type {{n: number, bytes: number}} */ (
    host.db.prepare("SELECT count(*) AS n, sum(length(ids) + length(summaries) + length(body)) AS bytes FROM segments").get()
  );
  const rowsASpan = host.rows / total;
  const lookUp = figure(lookUps);
  return [
    {
      title: `TraceStore: ${total.toLocaleString("en-US")} spans, ${SPANS_EACH} a trace, all kept`,
      notes: [`${kept.n} segments, ${Math.round(kept.bytes / total)} bytes a span.`],
      rows: [
        { name: "spans in: the Tail Worker's line to a row", unit: "spans/s", cells: { z0: exact((total / spentMs) * 1000) } },
        { name: "the same", unit: "µs a span", cells: { z0: exact((spentMs * 1000) / total) } },
        { name: "look-up of a trace", unit: "ms", cells: { z0: lookUp }, gates: [gate("below 1 s", lookUp.median < 1000)] },
        { name: "billed rows", unit: "rows a span", cells: { z0: exact(rowsASpan) }, gates: [gate("at most 0.05", rowsASpan <= 0.05)] },
      ],
    },
  ];
}
