// @ts-nocheck: the types of these packages are only there once the benchmarks installed them.
// Peer (b): what many Workers run today. A zod schema of the fact, an OpenTelemetry span for the
// request with attributes, a counter increment for each fact, exporters that drop everything.
import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { z } from "zod";
import { normalize } from "./rules.js";

const TENANT = "tenant_acme";
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const id = z.string().regex(/^[A-Za-z0-9_.:-]{1,128}$/);
const type = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/);
const trace = z.string().regex(/^(?!0{32})[0-9a-f]{32}$/);

const fields = z.strictObject({
  id: id.optional(),
  type,
  subtype: type.optional(),
  timestamp: z.int().min(0).max(253402300799999).optional(),
  tenant_id: z.literal(TENANT).optional(),
  entity_id: id.regex(/^(?:acct|ast|con|deal)_./),
  source_id: id.optional(),
  asset_id: id.optional(),
  campaign_id: id.optional(),
  tool_id: id.optional(),
  user_id: id.optional(),
  config_id: id.optional(),
  config_version: z.int().min(1).optional(),
  amount: z.int().optional(),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional(),
  trace_id: trace.optional(),
  data: z.record(z.string(), z.unknown()).optional(),
});

/** @type {Record<string, (fact: any) => boolean>} */
const RULES = {
  invocation: (f) => f.tool_id !== undefined && (f.trace_id ?? f.data?.trace_id) !== undefined,
  outcome: (f) => f.source_id !== undefined && f.subtype !== undefined,
  charge: (f) => f.source_id !== undefined && f.amount >= 0,
  cost: (f) => f.source_id !== undefined && f.amount >= 0,
  payout: (f) => f.source_id !== undefined && f.amount >= 0,
  deposit: (f) => f.amount > 0,
  credit_issued: (f) => f.amount > 0,
  lifecycle: (f) => ["created", "retiring", "retired", "config_updated"].includes(f.subtype),
  correction: (f) => f.source_id !== undefined && typeof f.data?.reason === "string",
  reconciliation: () => false,
  alert: () => false,
};

const schema = fields.superRefine((fact, context) => {
  const rule = RULES[fact.type];
  if (rule && !rule(fact)) context.addIssue({ code: "custom", message: "a rule of the type" });
  if ((fact.config_id === undefined) !== (fact.config_version === undefined)) {
    context.addIssue({ code: "custom", message: "config_id and config_version go together" });
  }
  if (
    fact.data?.["error"] !== undefined &&
    (fact.trace_id ?? fact.data["trace_id"]) === undefined
  ) {
    context.addIssue({ code: "custom", message: "an error needs its trace" });
  }
});
const batch = z.array(schema).min(1).max(1000);

class DroppingReader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}
const dropped = {
  export: (/** @type {any} */ _spans, /** @type {any} */ done) => done({ code: 0 }),
  shutdown: async () => {},
};
const tracer = new BasicTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(/** @type {any} */ (dropped))],
}).getTracer("bench");
const meter = new MeterProvider({ readers: [new DroppingReader()] }).getMeter("bench");
const written = meter.createCounter("z0_facts_written_total");
const duration = meter.createHistogram("z0_facts_write_duration_ms", { unit: "ms" });

/** @param {Uint8Array} body @param {number} nowMs */
export function handleZodOtel(body, nowMs) {
  const span = tracer.startSpan(
    "z0.worker.facts.append",
    {
      kind: SpanKind.SERVER,
      attributes: { "http.request.method": "POST", "url.path": "/v1/facts", "tenant.id": TENANT },
    },
    ROOT_CONTEXT,
  );
  const facts = batch.parse(JSON.parse(decoder.decode(body)));
  /** @type {Map<string, string[]>} */
  const rows = new Map();
  const results = [];
  for (const fact of facts) {
    const row = normalize(fact, TENANT, nowMs);
    if (!row) throw new Error("data is too large");
    const list = rows.get(row.entity_id);
    if (list) list.push(JSON.stringify(row));
    else rows.set(row.entity_id, [JSON.stringify(row)]);
    written.add(1, {
      tenant_id: TENANT,
      fact_type: row.type,
      subtype: row.subtype,
      asset_id: row.asset_id,
    });
    results.push({
      status: "recorded",
      id: row.id,
      entity_id: row.entity_id,
      seq: results.length + 1,
      recorded_at: nowMs,
    });
  }
  let stored = 0;
  for (const list of rows.values()) stored += encoder.encode(`[${list.join(",")}]`).length;
  const answer = JSON.stringify({
    trace_id: span.spanContext().traceId,
    recorded: results.length,
    duplicate: 0,
    refused: 0,
    results,
  });
  duration.record(1, { tenant_id: TENANT });
  span.setAttribute("facts.recorded", results.length);
  span.setStatus({ code: SpanStatusCode.OK });
  span.end();
  return stored + encoder.encode(answer).length;
}
