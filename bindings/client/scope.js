// A scope: what may be done within a span, or within a request outside of one. A scope is handed to the
// function that runs in it, so that no state has to be found again behind an await.

import { headersOf, newId } from "./context.js";
import { decide } from "./decision.js";
import { entryOf } from "./facts.js";
import { errorCode, label, spanName } from "./names.js";
import { DRIVE_MS_MAX } from "./outbox.js";
import { whenDone } from "./settle.js";
import { Kind, placeOf, Span } from "./spans.js";
import { callTool } from "./tool_call.js";

/** @import { AttributeValue, Decision, Fact, Receipt, Scope as Declared, Tool, ToolScope } from "./index.d.ts" */
/** @import { Run } from "./client.js" */
/** @import { Entry } from "./facts.js" */

const RECEIPTS_MS = 10_000;
const LOOK_MS = 25;
const FACTS_MAX = 1_000;

/** What was counted where it was thrown, so that no span around it counts it again. @type {WeakSet<object>} */
const counted = new WeakSet();

/** @implements {Declared} */
export class Scope {
  /** Made anew by every scope, so that it can be handed on without it. @type {typeof fetch} */
  fetch = (input, init) => {
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    for (const [name, value] of Object.entries(this.headers())) headers.set(name, value);
    return fetch(input, { ...init, headers });
  };

  /**
   * @param {Run} run
   * @param {Span | null} span
   */
  constructor(run, span) {
    this.run = run;
    this.current = span;
  }

  get traceId() {
    return this.run.trace.traceId;
  }

  get spanId() {
    return this.current?.spanId ?? "";
  }

  get dropped() {
    return { ...this.run.outbox.losses.all };
  }

  headers() {
    const { trace, hopId } = this.run;
    return headersOf(trace, this.spanId || trace.parentId || hopId);
  }

  /**
   * @param {string} key
   * @param {AttributeValue} value
   */
  setAttribute(key, value) {
    this.current?.setAttribute(key, value);
  }

  /**
   * @param {string} code
   * @param {string} [message]
   */
  fail(code, message = "") {
    this.current?.fail(code, message);
  }

  /** @param {{ traceId: string, spanId: string }} other */
  link(other) {
    this.current?.addLink(other);
  }

  /**
   * @template T
   * @param {string} name
   * @param {(scope: Declared) => T} fn
   * @param {{ attributes?: Record<string, AttributeValue> }} [options]
   * @returns {T}
   */
  span(name, fn, { attributes = {} } = {}) {
    spanName(name);
    const { current, run } = this;
    const kind = current === null && run.trace.parentId !== "" ? Kind.SERVER : Kind.INTERNAL;
    const scope = this.open(name, kind);
    for (const [key, value] of Object.entries(attributes)) scope.setAttribute(key, value);
    return scope.during(() => fn(scope));
  }

  /**
   * @template T
   * @param {Tool | string} tool
   * @param {string} operation
   * @param {(call: ToolScope) => T} fn
   * @param {import("./index.d.ts").ToolOptions<Awaited<T>>} [options]
   * @returns {T}
   */
  externalTool(tool, operation, fn, options = {}) {
    return callTool(this, tool, operation, fn, options);
  }

  /**
   * @template {Decision | Promise<Decision>} D
   * @param {string} name
   * @param {(scope: Declared) => D} fn
   * @param {{ asset?: string }} [options]
   * @returns {D}
   */
  routingDecision(name, fn, options = {}) {
    return decide(this, name, fn, options);
  }

  /**
   * @template T
   * @param {string} cacheType
   * @param {() => T | undefined | null | Promise<T | undefined | null>} look
   * @param {() => T | Promise<T>} load
   * @returns {Promise<T>}
   */
  async cacheRead(cacheType, look, load) {
    const start = this.run.host.now();
    const labels = { cache_type: label(cacheType) };
    const found = await look();
    const isHit = found !== undefined && found !== null;
    const value = isHit ? found : await load();
    this.count(isHit ? "z0_cache_hits_total" : "z0_cache_misses_total", labels);
    this.observe("z0_cache_read_duration_ms", labels, start);
    return value;
  }

  /**
   * @template T
   * @param {string} configType
   * @param {() => T} read
   * @returns {T}
   */
  configRead(configType, read) {
    const start = this.run.host.now();
    const labels = { config_type: label(configType) };
    const done = () => {
      this.count("z0_config_reads_total", labels);
      this.observe("z0_config_read_duration_ms", labels, start);
    };
    return whenDone(read(), done);
  }

  /** @param {Fact | readonly Fact[]} facts */
  recordFacts(facts) {
    const list = /** @type {readonly Fact[]} */ (Array.isArray(facts) ? facts : [facts]);
    if (list.length > FACTS_MAX) throw new RangeError(`At most ${FACTS_MAX} facts at once`);
    const { run, current, traceId } = this;
    const at = run.host.now();
    const spanId = current?.spanId ?? run.trace.parentId;
    const entries = list.map((fact) => {
      const id = `fact_${run.host.randomHex(16)}`;
      return entryOf(fact, { tenant: run.tenant, at, traceId, spanId, span: current, id });
    });
    for (const entry of entries) run.outbox.facts.add(entry);
    run.touch();
    return {
      ids: entries.map(({ id }) => id),
      receipts: ({ withinMs = RECEIPTS_MS } = {}) => receiptsWithin(run, entries, withinMs),
    };
  }

  async flush({ withinMs = DRIVE_MS_MAX } = {}) {
    const { host, outbox } = this.run;
    await outbox.drive(host.now() + withinMs);
  }

  // -- for the files beside this one ----------------------------------------------------------------

  /**
   * A scope in a new span below this one.
   * @param {string} name
   * @param {number} kind
   */
  open(name, kind) {
    const { run, current } = this;
    const { traceId, parentId } = run.trace;
    const spanId = newId(8, run.host.randomHex);
    const start = run.host.now();
    const parent = current?.spanId ?? parentId;
    return new Scope(run, new Span({ traceId, spanId, parentId: parent, name, kind, tenant: run.tenant, start }));
  }

  /**
   * A fact of the client's own making, whose data came from the caller: what cannot be written is counted as
   * lost, since the work that it tells of is done.
   * @param {Fact} fact
   */
  tellFact(fact) {
    try {
      this.recordFacts(fact);
    } catch (error) {
      this.fail("fact_unwritten", String(error));
      this.run.outbox.losses.add("facts", this.run.tenant, 1, String(error));
    }
  }

  /** The entity that the span is about. @param {string} entityId */
  about(entityId) {
    if (this.current !== null) this.current.entityId = entityId;
  }

  /**
   * Runs the function of this scope's span, in a span of the platform's of the same name where it has one.
   * @template T
   * @param {() => T} work
   * @returns {T}
   */
  during(work) {
    const span = /** @type {Span} */ (this.current);
    const { tracing } = this.run.ctx ?? {};
    const run = () => {
      let result;
      try {
        result = work();
      } catch (error) {
        this.close(error);
        throw error;
      }
      return whenDone(result, () => this.close(), (error) => this.close(error));
    };
    if (typeof tracing?.enterSpan !== "function") return run();
    return tracing.enterSpan(span.name, (own) => {
      own?.setAttribute?.("z0.trace_id", span.traceId);
      own?.setAttribute?.("z0.span_id", span.spanId);
      return run();
    });
  }

  /** @param {unknown} [error] that ended it */
  close(error) {
    const span = /** @type {Span} */ (this.current);
    span.end = this.run.host.now();
    if (error !== undefined) {
      span.fail(errorCode(error), error instanceof Error ? error.message : String(error));
    }
    if (span.errorCode !== "") this.#countError(span, error);
    this.run.outbox.spans.add(span);
    this.run.touch();
  }

  /**
   * @param {Span} span
   * @param {unknown} error
   */
  #countError(span, error) {
    if (typeof error === "object" && error !== null) {
      if (counted.has(error)) return;
      counted.add(error);
    }
    this.count("z0_errors_total", { ...placeOf(span.name), error_code: span.errorCode });
  }

  /**
   * @param {string} name
   * @param {Record<string, unknown>} labels
   */
  count(name, labels) {
    this.#point(name, labels, 1);
  }

  /**
   * The time since then. A clock that stood says nothing, and 0 ms would be a lie.
   * @param {string} name
   * @param {Record<string, unknown>} labels
   * @param {number} start
   */
  observe(name, labels, start) {
    const duration = this.run.host.now() - start;
    if (duration > 0) this.#point(name, labels, duration);
  }

  /**
   * @param {string} name
   * @param {Record<string, unknown>} labels
   * @param {number} value
   */
  #point(name, labels, value) {
    const { run, traceId, spanId } = this;
    run.outbox.points.add(name, run.tenant, labels, value, { traceId, spanId, at: run.host.now() });
    run.touch();
  }
}

/**
 * Looks again and again, since the answer may come to another request, whose promises are not this one's.
 * @param {Run} run
 * @param {Entry[]} entries
 * @param {number} withinMs
 * @returns {Promise<Receipt[]>}
 */
async function receiptsWithin({ host }, entries, withinMs) {
  const end = host.now() + withinMs;
  while (entries.some(({ receipt }) => receipt === null) && host.now() < end) await host.sleep(LOOK_MS);
  return entries.map(({ id, receipt }) => receipt ?? { id, status: "pending" });
}
