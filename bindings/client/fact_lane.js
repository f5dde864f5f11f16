// Facts, until z0 has said of each what became of it. They wait in memory, whole batches at a time, and
// stay there until there is an answer: a request that ends while it sends takes none of them with it, and
// one that is sent twice is recorded once.

import { newId } from "./context.js";
import { isTaken, receiptsOf } from "./facts.js";
import { countWithin, Lane } from "./lane.js";
import { Kind } from "./spans.js";

/** @import { Receipt } from "./index.d.ts" */
/** @import { Entry } from "./facts.js" */
/** @import { Span } from "./spans.js" */
/** @import { Answer } from "./transport.js" */

const WAITING_MAX = 4_000;
const CHARACTERS_MAX = 4 << 20;
// z0 takes 64 KiB of data; what is far beyond need not travel.
const FACT_CHARACTERS_MAX = 128 << 10;
// Of a request: z0 takes 1,000 facts and 4 MiB.
const BATCH_MAX = 500;
const BATCH_CHARACTERS = 1 << 20;
const AGE_MS_MAX = 900_000;

const SEND_SPAN = "z0.worker.client.send_facts";
const LATE_SPAN = "z0.worker.client.settle_fact";

export class FactLane extends Lane {
  /** @type {Entry[]} */
  #waiting = [];
  #characters = 0;
  // Fewer while z0 fails on what it is sent: should one fact be the reason, the others get past it.
  #batchMax = BATCH_MAX;

  get empty() {
    return this.#waiting.length === 0;
  }

  /** @param {Entry} entry */
  add(entry) {
    const characters = this.#characters + entry.characters;
    if (entry.characters > FACT_CHARACTERS_MAX) return this.#lose(entry, "it is too large");
    if (this.#waiting.length >= WAITING_MAX || characters > CHARACTERS_MAX) {
      return this.#lose(entry, "no room is left");
    }
    this.#waiting.push(entry);
    this.#characters = characters;
  }

  /** @param {string} why */
  abandon(why) {
    this.#loseAll(this.#waiting, why);
  }

  async send() {
    const oldest = this.now - AGE_MS_MAX;
    this.#loseAll(this.#waiting.filter(({ at }) => at < oldest), "z0 did not take it in 15 minutes");
    const batch = this.#waiting.slice(0, countWithin(this.#waiting, this.#batchMax, BATCH_CHARACTERS));
    if (batch.length === 0) return;
    const span = this.#spanOf(batch);
    const body = `[${batch.map(({ json }) => json).join(",")}]`;
    const answer = await this.post("/v1/facts", body, {
      traceparent: `00-${span.traceId}-${span.spanId}-03`,
    });
    const receipts = receiptsOf(answer, batch);
    this.#remove(batch.filter((_, i) => receipts[i] !== "again"));
    if (receipts.includes("again")) this.backOff(answer);
    else this.goOn();
    this.#judge(answer, batch);
    for (const [i, entry] of batch.entries()) this.#settle(entry, receipts[i], span);
    this.#end(span, answer, receipts);
  }

  /**
   * After an answer that says that z0 itself failed, the batch goes behind the others, and smaller ones follow.
   * @param {Answer} answer
   * @param {Entry[]} batch
   */
  #judge({ what, status }, batch) {
    if (what === "taken") this.#batchMax = BATCH_MAX;
    if (what !== "lost" || status === 0) return;
    this.#batchMax = Math.max(1, batch.length >> 1);
    const failed = new Set(batch);
    this.#waiting = [...this.#waiting.filter((entry) => !failed.has(entry)), ...batch];
  }

  /** @param {Entry[]} entries */
  #remove(entries) {
    if (entries.length === 0) return;
    const gone = new Set(entries);
    this.#waiting = this.#waiting.filter((entry) => !gone.has(entry));
    this.#characters = this.#waiting.reduce((sum, { characters }) => sum + characters, 0);
  }

  /**
   * @param {Entry[]} entries
   * @param {string} why
   */
  #loseAll(entries, why) {
    this.#remove(entries);
    for (const entry of entries) this.#lose(entry, why);
  }

  /**
   * @param {Entry} entry
   * @param {string} why
   */
  #lose(entry, why) {
    entry.receipt = { id: entry.id, status: "dropped", message: why };
    this.shared.losses.add("facts", entry.tenant, 1, why);
    this.#tellSpan(entry, entry.receipt);
  }

  /**
   * @param {Entry} entry
   * @param {Receipt | "again"} receipt
   * @param {Span} span under which it was sent
   */
  #settle(entry, receipt, span) {
    if (receipt === "again" || entry.receipt !== null) return;
    entry.receipt = receipt;
    const taken = isTaken(receipt);
    const message = receipt.message ?? "";
    if (!taken) {
      span.fail(receipt.status, message);
      // What a budget refused was not lost: z0 keeps it as a failed fact.
      if (receipt.http !== 402)
        this.shared.losses.add("facts", entry.tenant, 1, `${receipt.status}: ${message}`);
    }
    if (entry.money && span.traceId === entry.traceId) {
      span.setMoney(taken);
      span.factId = entry.id;
    }
    this.#tellSpan(entry, receipt);
  }

  /**
   * Tells the span that recorded it what became of the money. One that was sent already gets a child that
   * says so: a trace that moved money, or failed to, is one that z0 keeps.
   * @param {Entry} entry
   * @param {Receipt} receipt
   */
  #tellSpan({ money, span, id, traceId, spanId, tenant, at }, receipt) {
    if (!money) return;
    const moved = isTaken(receipt);
    if (span !== null && !span.sent) {
      span.setMoney(moved);
      if (span.factId === "" || !moved) span.factId = id;
      return;
    }
    const late = this.ownSpan(LATE_SPAN, { traceId, spanId }, tenant, at);
    late.setMoney(moved);
    late.factId = id;
    if (!moved) late.fail(receipt.status, receipt.message ?? "");
    this.shared.addSpan(late);
  }

  /**
   * Facts of one trace are sent in it; those of several in one of its own, with a link to each.
   * @param {Entry[]} batch
   */
  #spanOf(batch) {
    const [first] = batch;
    const isOne = batch.every(({ traceId }) => traceId === first.traceId);
    const parent = isOne ? first : { traceId: newId(16, this.shared.host.randomHex), spanId: "" };
    const span = this.ownSpan(SEND_SPAN, parent, first.tenant, this.now);
    span.kind = Kind.CLIENT;
    if (isOne) return span;
    const linked = new Map(batch.map((entry) => [entry.traceId + entry.spanId, entry]));
    for (const entry of linked.values()) if (entry.spanId !== "") span.addLink(entry);
    return span;
  }

  /**
   * @param {Span} span
   * @param {Answer} answer
   * @param {(Receipt | "again")[]} receipts
   */
  #end(span, answer, receipts) {
    span.end = this.now;
    span.setAttribute("z0.facts", receipts.length);
    if (answer.status > 0) span.setAttribute("http.response.status_code", answer.status);
    const again = receipts.filter((receipt) => receipt === "again").length;
    if (again > 0) span.setAttribute("z0.facts_sent_again", again);
    if (answer.what !== "taken" && span.errorCode === "") {
      span.fail(answer.status > 0 ? `http_${answer.status}` : "unreachable", answer.why);
    }
    this.shared.addSpan(span);
  }
}
