// A routing decision, in one: its span, the fact of what was decided and why, and its metrics.

import { code, ledger, spanName } from "./names.js";
import { whenDone } from "./settle.js";
import { Kind } from "./spans.js";

/** @import { Scope } from "./scope.js" */
/** @import { Decision, Scope as Declared } from "./index.d.ts" */

/**
 * @template {Decision | Promise<Decision>} D
 * @param {Scope} outer
 * @param {string} name
 * @param {(scope: Declared) => D} fn
 * @param {{ asset?: string }} options
 * @returns {D}
 */
export function decide(outer, name, fn, options) {
  spanName(name);
  const asset = ledger(options.asset ?? outer.run.asset, "the asset that a decision is made for");
  const scope = outer.open(name, Kind.INTERNAL);
  scope.about(asset);
  const start = outer.run.host.now();
  return scope.during(() => {
    let made;
    try {
      made = fn(scope);
    } catch (error) {
      count(scope, "failed", "error", start);
      throw error;
    }
    return whenDone(
      made,
      (decision) => record(scope, asset, decision, start),
      () => count(scope, "failed", "error", start),
    );
  });
}

/**
 * @param {Scope} scope
 * @param {string} asset
 * @param {Decision} decision
 * @param {number} start
 */
function record(scope, asset, decision, start) {
  const result = code(decision?.result);
  const reason = code(decision?.reason);
  scope.setAttribute("z0.routing.result", result);
  scope.setAttribute("z0.routing.reason", reason);
  const duration = count(scope, result, reason, start);
  scope.tellFact({
    type: "routing_decision",
    subtype: result,
    entity_id: asset,
    asset_id: asset,
    data: {
      ...decision?.data,
      reason,
      span_id: scope.spanId,
      ...(duration > 0 ? { duration_ms: Math.ceil(duration) } : {}),
    },
  });
}

/**
 * @param {Scope} scope
 * @param {string} result
 * @param {string} reason
 * @param {number} start
 */
function count(scope, result, reason, start) {
  const labels = { result, reason };
  scope.count("z0_routing_decisions_total", labels);
  scope.observe("z0_routing_decision_duration_ms", labels, start);
  return scope.run.host.now() - start;
}
