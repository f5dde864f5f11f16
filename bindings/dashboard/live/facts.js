// The table of the latest facts. A row, once made, stays the same element for as long as its fact is
// listed, so that focus and selections survive the next poll.

import { announce, byId, copyText, element, setText } from "../lib/dom.js";
import { clock, DASH, isoTime, money, utc } from "../lib/format.js";

/** @typedef {import('./model.js').LatestFact} LatestFact */

const COPIED_MS = 1_400;
// The animation's length in style.css, and a little.
const FRESH_MS = 2_200;

export class FactsTable {
  #body = byId("facts-rows", HTMLTableSectionElement);
  #held = byId("held", HTMLParagraphElement);
  /** @type {Map<string, HTMLTableRowElement>} */
  #rows = new Map();
  /** @type {{facts: LatestFact[], now: number} | null} what came while the rows were held */
  #waiting = null;
  #pointerInside = false;
  #began = false;

  constructor() {
    // A finger leaves no pointer behind: only a mouse holds the rows.
    this.#body.addEventListener("pointerenter", (event) => {
      this.#pointerInside = event.pointerType === "mouse";
    });
    this.#body.addEventListener("pointerleave", () => {
      this.#pointerInside = false;
      this.#release();
    });
    this.#body.addEventListener("focusout", () => setTimeout(() => this.#release(), 0));
  }

  /**
   * Shows these facts; while somebody reads (pointer or focus inside), waits until they leave, because
   * rows that move away under the pointer cannot be read.
   * @param {LatestFact[]} facts newest first
   * @param {number} now
   */
  update(facts, now) {
    if (this.#isRead && this.#rows.size > 0) {
      this.#waiting = { facts, now };
      this.#sayHeld(keysOf(facts).filter((key) => !this.#rows.has(key)).length);
      return;
    }
    this.#waiting = null;
    this.#held.hidden = true;
    this.#show(facts, now);
  }

  clear() {
    this.#rows.clear();
    this.#body.replaceChildren();
    this.#waiting = null;
    this.#pointerInside = false;
    this.#began = false;
    this.#held.hidden = true;
  }

  get #isRead() {
    return this.#pointerInside || this.#body.contains(document.activeElement);
  }

  #release() {
    if (this.#waiting === null || this.#isRead) return;
    this.update(this.#waiting.facts, this.#waiting.now);
  }

  /** @param {number} newer */
  #sayHeld(newer) {
    this.#held.hidden = newer === 0;
    setText(this.#held, `Held while you read: ${newer}${newer >= 50 ? " or more" : ""} newer`);
  }

  /**
   * @param {LatestFact[]} facts
   * @param {number} now
   */
  #show(facts, now) {
    const keys = keysOf(facts);
    const listed = new Set(keys);
    for (const [key, row] of this.#rows) {
      if (listed.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    facts.forEach((fact, i) => {
      const key = keys[i] ?? "";
      let row = this.#rows.get(key);
      if (row === undefined) {
        row = factRow(fact, now);
        if (this.#began) highlight(row);
        this.#rows.set(key, row);
      }
      const there = this.#body.children[i];
      if (there !== row) this.#body.insertBefore(row, there ?? null);
    });
    this.#began = true;
  }
}

/**
 * A fact's id is unique within its ledger only, and a failed attempt may share it with the success.
 * @param {LatestFact[]} facts
 * @returns {string[]} distinct
 */
function keysOf(facts) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return facts.map((fact) => {
    const key = JSON.stringify([fact.entityId, fact.id, fact.status, fact.recordedAt]);
    const times = seen.get(key) ?? 0;
    seen.set(key, times + 1);
    return times === 0 ? key : `${key}#${times}`;
  });
}

/** @param {HTMLTableRowElement} row */
function highlight(row) {
  row.classList.add("fresh");
  setTimeout(() => row.classList.remove("fresh"), FRESH_MS);
}

/**
 * @param {LatestFact} fact
 * @param {number} now
 */
function factRow(fact, now) {
  const time = element(
    "time",
    { datetime: isoTime(fact.recordedAt), title: utc(fact.recordedAt) },
    clock(fact.recordedAt, now),
  );
  const known = fact.status === "failed" || fact.status === "recorded" ? fact.status : "other";
  const status = element(
    "span",
    { class: `status ${known}` },
    element("span", { class: "dot" }),
    fact.status || DASH,
  );
  const type = element(
    "span",
    { class: "type", title: fact.id === "" ? "" : `fact ${fact.id}` },
    fact.type || DASH,
  );
  if (fact.subtype !== null)
    type.append(element("span", { class: "subtype" }, ` / ${fact.subtype}`));
  const amount = money(fact.amount, fact.currency);
  return element(
    "tr",
    { role: "row" },
    cell("time", time),
    cell("status-cell", status),
    cell("type-cell", type),
    cell("entity mono", idText(fact.entityId)),
    cell("tenant", idText(fact.tenantId)),
    cell(
      amount === "" ? "amount number none" : "amount number",
      element("span", { title: amount }, amount || DASH),
    ),
    cell("trace mono", traceButton(fact.traceId)),
  );
}

/**
 * @param {string} name
 * @param {Node} content
 */
function cell(name, content) {
  return element("td", { role: "cell", class: name }, content);
}

/** @param {string} id an id of any length: cut by style, whole in the title */
function idText(id) {
  return element("span", { class: "cut", title: id }, id || DASH);
}

/** @param {string | null} traceId */
function traceButton(traceId) {
  if (traceId === null) return element("span", { class: "none" }, DASH);
  const short = traceId.length > 12 ? `${traceId.slice(0, 8)}…` : traceId;
  const button = element(
    "button",
    {
      type: "button",
      class: "copy",
      title: `${traceId}\nClick to copy`,
      "aria-label": `Copy trace id ${traceId}`,
    },
    short,
  );
  button.addEventListener("click", async () => {
    const copied = await copyText(traceId);
    announce(copied ? "Trace id copied." : "The browser did not allow copying.");
    if (!copied) return;
    setText(button, "copied");
    setTimeout(() => setText(button, short), COPIED_MS);
  });
  return button;
}
