// The answer of GET /v1/alerts as the page uses it, checked once.

import { isRecord, list, measure, number, text } from "../lib/read.js";

/**
 * @typedef {object} Alert one that fires
 * @property {string} id
 * @property {string} rule
 * @property {'critical' | 'warning'} severity
 * @property {[string, string][]} about the tenant and labels, by name
 * @property {string} summary
 * @property {string} value in words, against its threshold
 * @property {string} why of an anomaly or of business that stays away
 * @property {string} money what it costs, as notifications say it; empty where it costs nothing
 * @property {string} reckoning of the money: how, or why it is not known
 * @property {number | null} firedAt ms
 * @property {string} held why nobody is told of it, or who looks after it; empty where neither is
 * @property {string} runbook the name of its page; empty where there is none
 */

/**
 * @typedef {object} Alerts
 * @property {Alert[]} firing the worst first, then the oldest; at most SHOWN_MAX
 * @property {number} more that fire and are not among them
 * @property {number} pending that wait for their `for`
 * @property {number | null} evaluatedAt ms
 */

// More have one cause, and nobody reads them.
const SHOWN_MAX = 20;
const SENTENCE_MAX = 600;

/**
 * @param {unknown} body parsed JSON
 * @returns {Alerts | null} null when it is no object at all
 */
export function readAlerts(body) {
  if (!isRecord(body)) return null;
  const all = list(body.alerts).filter(isRecord);
  const firing = all.filter(({ state }) => state === "firing").map(readAlert);
  firing.sort((a, b) => rank(a) - rank(b) || (a.firedAt ?? 0) - (b.firedAt ?? 0));
  return {
    firing: firing.slice(0, SHOWN_MAX),
    more: Math.max(0, firing.length - SHOWN_MAX) + (measure(body.left_out) ?? 0),
    pending: all.filter(({ state }) => state === "pending").length,
    evaluatedAt: number(body.evaluated_at),
  };
}

/** Those that somebody knows of stand last. @param {Alert} alert */
const rank = ({ severity, held }) => (held === "" ? 0 : 2) + (severity === "critical" ? 0 : 1);

/**
 * @param {Record<string, unknown>} from
 * @returns {Alert}
 */
function readAlert(from) {
  const tenant = text(from.tenant_id);
  const labels = isRecord(from.labels) ? Object.entries(from.labels) : [];
  const money = isRecord(from.money) ? from.money : {};
  const runbook = text(from.runbook) ?? "";
  return {
    id: text(from.id) ?? "",
    rule: text(from.rule) ?? "",
    severity: from.severity === "warning" ? "warning" : "critical",
    about: [
      ...(tenant === null ? [] : [/** @type {[string, string]} */ (["tenant_id", tenant])]),
      ...labels.map(([name, value]) => /** @type {[string, string]} */ ([name, text(value) ?? ""])),
    ],
    summary: text(from.summary, SENTENCE_MAX) ?? "",
    value: text(from.in_words, SENTENCE_MAX) ?? "",
    why: text(from.why, SENTENCE_MAX) ?? "",
    money: text(money.in_words, SENTENCE_MAX) ?? "",
    reckoning: text(money.reckoning, SENTENCE_MAX) ?? "",
    firedAt: number(from.fired_at),
    held: heldWords(from),
    runbook: /^[a-z0-9_]+$/.test(runbook) ? runbook : "",
  };
}

/** @param {Record<string, unknown>} from */
function heldWords({ silence_id, inhibited_by, acknowledged }) {
  if (text(silence_id) !== null) return "silenced";
  const cause = text(inhibited_by);
  if (cause !== null) return `follows from ${cause}`;
  if (!isRecord(acknowledged)) return "";
  return `acknowledged by ${text(acknowledged.by) ?? "somebody"}`;
}
