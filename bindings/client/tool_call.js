// A call of what others offer, in one: its span, the fact that it was made, the fact of what it cost, and
// its metrics.

import { callName, errorCode, identifier, ledger, tool as makeTool } from "./names.js";
import { whenDone } from "./settle.js";
import { Kind, short } from "./spans.js";

/** @import { Scope } from "./scope.js" */
/** @import { Cost, Tool, ToolOptions, ToolScope } from "./index.d.ts" */

/**
 * @typedef {object} Call
 * @property {Tool} tool
 * @property {string} operation
 * @property {string} id of the invocation
 * @property {string} account
 * @property {string} asset
 * @property {number} start
 */

/**
 * @template T
 * @param {Scope} outer
 * @param {Tool | string} named
 * @param {string} operation
 * @param {(call: ToolScope) => T} fn
 * @param {ToolOptions<Awaited<T>>} options
 * @returns {T}
 */
export function callTool(outer, named, operation, fn, options) {
  const { run } = outer;
  const tool = typeof named === "string" ? makeTool(named) : named;
  const name = callName(tool, operation);
  const { id = `fact_${run.host.randomHex(16)}`, cost = 0 } = options;
  /** @type {Call} */
  const call = {
    ...{ tool, operation, id: identifier(id, "a fact's id"), start: run.host.now() },
    account: ledger(options.account ?? run.account, "the account that pays for a call"),
    asset: ledger(options.asset ?? run.asset, "the asset that a call is made for"),
  };
  if (typeof cost !== "function") checked(cost);
  const scope = Object.assign(outer.open(name, Kind.CLIENT), { invocationId: id });
  scope.current?.setAttribute("z0.tool_id", tool.id);
  scope.about(call.asset);
  return scope.during(() => {
    let result;
    try {
      result = fn(scope);
    } catch (error) {
      record(scope, call, options, { error });
      throw error;
    }
    return whenDone(
      result,
      (value) => record(scope, call, options, { result: value }),
      (error) => record(scope, call, options, { error }),
    );
  });
}

/**
 * @param {Scope} scope
 * @param {Call} call
 * @param {ToolOptions<any>} options
 * @param {{ result?: any, error?: unknown }} ended
 */
function record(scope, { tool, operation, id, account, asset, start }, options, ended) {
  const failure = failureOf(scope, ended);
  const labels = { tool_id: tool.id, operation, error_code: failure?.code ?? "" };
  scope.count("z0_external_calls_total", labels);
  if (failure !== null) scope.count("z0_external_errors_total", labels);
  scope.observe("z0_external_call_duration_ms", labels, start);

  const common = { tool_id: tool.id, asset_id: asset };
  const duration = scope.run.host.now() - start;
  const data = {
    ...options.data,
    operation,
    span_id: scope.spanId,
    ...(duration > 0 ? { duration_ms: Math.ceil(duration) } : {}),
    ...(failure === null ? {} : { error: failure }),
  };
  scope.tellFact({ id, type: "invocation", timestamp: Math.floor(start), entity_id: asset, ...common, data });
  const cost = costOf(scope, options.cost ?? 0, failure === null, ended.result);
  if (cost !== null) scope.tellFact({ type: "cost", entity_id: account, source_id: id, ...common, ...cost });
}

/**
 * An answer that says no is a failed call, though nothing was thrown.
 * @param {Scope} scope
 * @param {{ result?: any, error?: unknown }} ended
 */
function failureOf(scope, { result, error }) {
  if (error !== undefined) {
    return { code: errorCode(error), message: short(error instanceof Error ? error.message : error) };
  }
  const status = result instanceof Response ? result.status : 0;
  if (status > 0) scope.setAttribute("http.response.status_code", status);
  if (status >= 400) {
    const code = status === 429 ? "rate_limited" : `http_${status}`;
    scope.fail(code, `answered ${status}`);
    return { code, message: `answered ${status}` };
  }
  // What its function marked as failed without throwing.
  const span = scope.current;
  return span === null || span.errorCode === "" ? null : { code: span.errorCode, message: span.message };
}

/**
 * A cost that cannot be told is an error, and no fact: 0 would say that the call was free.
 * @param {Scope} scope
 * @param {NonNullable<ToolOptions<any>["cost"]>} cost
 * @param {boolean} succeeded
 * @param {any} result
 * @returns {Cost | null}
 */
function costOf(scope, cost, succeeded, result) {
  if (!succeeded) return { amount: 0 };
  try {
    return checked(typeof cost === "function" ? cost(result) : cost);
  } catch (error) {
    scope.fail("cost_unknown", error instanceof Error ? error.message : String(error));
    return null;
  }
}

/**
 * @param {number | Cost} cost
 * @returns {Cost}
 */
function checked(cost) {
  const whole = typeof cost === "number" ? { amount: cost } : cost;
  if (Number.isSafeInteger(whole?.amount) && whole.amount >= 0) return whole;
  throw new TypeError("A cost is a whole number of cents, at least 0, or { amount, currency, data }");
}
