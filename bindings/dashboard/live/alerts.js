// The panel of alerts: what fires, what it costs, and where it says what to do. A row, once made, stays
// the same element for as long as its alert fires, so that focus and selections survive the next answer.

import { announce, byId, element, setText } from "../lib/dom.js";
import { clock, duration, isoTime, utc } from "../lib/format.js";

/** @typedef {import('./alerts_model.js').Alert} Alert */
/** @typedef {import('./alerts_model.js').Alerts} Alerts */

const SEVERITIES = { critical: "Critical", warning: "Warning" };

export class AlertsPanel {
  #panel = byId("alerts", HTMLElement);
  #list = byId("alert-list", HTMLOListElement);
  #none = byId("alerts-none", HTMLParagraphElement);
  #judged = byId("alerts-judged", HTMLParagraphElement);
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #began = false;

  /** @param {Alerts} alerts */
  render({ firing, more, pending, evaluatedAt }) {
    const listed = new Set(firing.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (listed.has(id)) continue;
      row.root.remove();
      this.#rows.delete(id);
    }
    const news = firing.filter(({ id }) => !this.#rows.has(id));
    firing.forEach((alert, i) => this.#show(alert, i));
    if (this.#began && news.length > 0) announce(newsWords(news));
    this.#began = true;
    this.#panel.dataset.state = stateOf(firing);
    this.#say(firing.length > 0 ? "" : "Nothing fires.");
    const counts = [
      firing.length + more > 0 ? `${firing.length + more} firing` : "",
      pending > 0 ? `${pending} pending` : "",
      more > 0 ? `the first ${firing.length} here` : "",
      evaluatedAt === null ? "" : `judged ${clock(evaluatedAt)}`,
    ];
    setText(this.#judged, counts.filter((words) => words !== "").join(" · "));
  }

  /** Why it is not known what fires; what was shown is not known to hold. @param {string} reason */
  showUnknown(reason) {
    this.clear();
    this.#say(reason);
  }

  clear() {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#began = false;
    this.#panel.dataset.state = "unknown";
    setText(this.#judged, "");
    this.#say("Not asked yet.");
  }

  /** @param {string} words empty for none */
  #say(words) {
    this.#none.hidden = words === "";
    setText(this.#none, words);
  }

  /** @param {Alert} alert @param {number} place */
  #show(alert, place) {
    let row = this.#rows.get(alert.id);
    if (row === undefined) {
      row = new Row();
      this.#rows.set(alert.id, row);
    }
    row.update(alert);
    const there = this.#list.children[place];
    if (there !== row.root) this.#list.insertBefore(row.root, there ?? null);
  }
}

/** @param {Alert[]} firing */
function stateOf(firing) {
  const open = firing.filter(({ held }) => held === "");
  if (open.some(({ severity }) => severity === "critical")) return "critical";
  return open.length > 0 ? "warning" : "quiet";
}

/** @param {Alert[]} news */
const newsWords = (news) =>
  `${news.length === 1 ? "An alert fires" : `${news.length} alerts fire`}: ${news.map(({ rule }) => rule).join(", ")}.`;

/** The page of what to do, with what is known filled in. @param {Alert} alert */
function runbookOf({ runbook, about }) {
  const given = new URLSearchParams(about);
  return `/runbooks/${runbook}${given.size > 0 ? `?${given}` : ""}`;
}

class Row {
  #word = element("span");
  #rule = element("span", { class: "alert-rule" });
  #about = element("span", { class: "alert-about mono" });
  #since = element("time", { class: "alert-since" });
  #summary = element("p", { class: "alert-summary" });
  #value = element("p", { class: "alert-value" });
  #cost = element("span", { class: "alert-cost" });
  #reckoning = element("span", { class: "alert-reckoning" });
  #money = element("p", { class: "alert-money" }, this.#cost, " ", this.#reckoning);
  #held = element("span", { class: "alert-held" });
  #runbook = element("a", { class: "alert-runbook" }, "What to do");
  root = element(
    "li",
    { class: "alert" },
    element(
      "p",
      { class: "alert-head" },
      element("span", { class: "alert-severity" }, element("span", { class: "dot" }), this.#word),
      this.#rule,
      this.#about,
      this.#held,
      this.#since,
    ),
    this.#summary,
    this.#value,
    this.#money,
    this.#runbook,
  );

  /** @param {Alert} alert */
  update(alert) {
    this.root.dataset.severity = alert.severity;
    this.root.classList.toggle("known", alert.held !== "");
    setText(this.#word, SEVERITIES[alert.severity]);
    setText(this.#rule, alert.rule);
    setText(this.#about, alert.about.map(([, value]) => value).join(" · "));
    this.#about.title = alert.about.map(([name, value]) => `${name} ${value}`).join("\n");
    setText(this.#held, alert.held);
    this.#since.dateTime = isoTime(alert.firedAt);
    this.#since.title = utc(alert.firedAt);
    setText(this.#since, alert.firedAt === null ? "" : `for ${duration(Math.max(0, Date.now() - alert.firedAt))}`);
    setText(this.#summary, alert.summary);
    setText(this.#value, [alert.value, alert.why].filter((words) => words !== "").join(" · "));
    setText(this.#cost, alert.money);
    setText(this.#reckoning, alert.reckoning);
    this.#money.hidden = alert.money === "";
    this.#runbook.hidden = alert.runbook === "";
    this.#runbook.href = runbookOf(alert);
    for (const part of [this.#summary, this.#value, this.#held]) part.hidden = part.textContent === "";
  }
}
