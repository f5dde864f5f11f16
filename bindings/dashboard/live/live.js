// The live view: one answer of z0 in, the whole page up to date.

import { LineChart } from "../lib/chart.js";
import { announce, byId, element, setText } from "../lib/dom.js";
import { FactsTable } from "./facts.js";
import { clock, count, countInFull, duration, percent, rate, share } from "../lib/format.js";
import { setTip } from "../lib/tip.js";
import { bandOf, bandWords, meterPosition, ruleOf, signals } from "./health.js";

/** @typedef {import('./model.js').Live} Live */
/** @typedef {import('./model.js').Totals} Totals */
/** @typedef {import('./health.js').Signal} Signal */
/** @typedef {import('./health.js').Bands} Bands */
/** @typedef {import('./health.js').Band | 'unknown'} ShownBand */

const SECONDS = 120;

/** @type {(keyof Totals)[]} */
const OUTCOMES = ["recorded", "duplicate", "conflict", "refused", "failed"];

const WINDOW_MS = 600_000;

/**
 * The totals cover ten minutes, or less when the monitor has not counted for as long.
 * @param {Live} live
 */
const windowWords = ({ now, since }) =>
  now - since >= WINDOW_MS ? "Last 10 minutes" : `Since ${clock(since)}`;

export class LiveView {
  #chart;
  #facts = new FactsTable();
  #bars = new Bars(byId("bars", HTMLOListElement));
  #meters;
  #now = Date.now();
  /** @type {ShownBand | null} null until the first answer, which is no change */
  #band = null;

  constructor() {
    this.#chart = new LineChart(byId("rate-chart", HTMLDivElement), {
      seconds: SECONDS,
      describe: (value, ago) =>
        `${clock(this.#now - ago * 1_000)} · ${count(value)} ${value === 1 ? "fact" : "facts"}/s`,
    });
    const host = byId("meters", HTMLDivElement);
    this.#meters = {
      lag: new Meter(host, signals.lag, duration),
      depth: new Meter(host, signals.depth, count),
      failureRate: new Meter(host, signals.failureRate, percent),
    };
  }

  /** @param {Live} live */
  render(live) {
    this.#now = live.now;
    this.#renderEmpty(live);
    setText(byId("totals-title", HTMLHeadingElement), windowWords(live));
    this.#renderTotals(live.totals);
    this.#renderRate(live.factsPerSecond);
    this.#renderReplication(live);
    this.#bars.update(live.byType);
    byId("bars-none", HTMLParagraphElement).hidden = live.byType.length > 0;
    const types = live.byType.length;
    setText(
      byId("types-count", HTMLParagraphElement),
      types === 0 ? "" : `${types} ${types === 1 ? "type" : "types"}`,
    );
    this.#facts.update(live.latest, live.now);
    byId("facts-none", HTMLParagraphElement).hidden = live.latest.length > 0;
    setText(
      byId("facts-count", HTMLParagraphElement),
      live.latest.length === 0 ? "" : `newest ${live.latest.length}`,
    );
  }

  /** Forgets what was shown, for the next person who signs in. */
  clear() {
    this.#band = null;
    this.#facts.clear();
    this.#bars.update([]);
    document.title = "z0 live";
  }

  /** @param {Live} live */
  #renderEmpty(live) {
    const untouched = live.latest.length === 0 && OUTCOMES.every((name) => !live.totals[name]);
    byId("empty", HTMLElement).hidden = !untouched;
    byId("live", HTMLElement).classList.toggle("untouched", untouched);
    byId("skip", HTMLAnchorElement).hidden = untouched;
  }

  /** @param {Totals} totals */
  #renderTotals(totals) {
    const all = OUTCOMES.reduce((sum, name) => sum + (totals[name] ?? 0), 0);
    for (const name of OUTCOMES) {
      const tile = byId(`tile-${name}`, HTMLDivElement);
      const [value, part] = tile.querySelectorAll("dd");
      const n = totals[name];
      if (value === undefined || part === undefined) continue;
      setText(value, count(n));
      value.title = countInFull(n);
      setText(part, n === null || all === 0 ? "" : `${percent(n / all)} of all`);
      tile.classList.toggle("some", n !== null && n > 0);
    }
  }

  /** @param {number[]} values */
  #renderRate(values) {
    const now = values[values.length - 1] ?? null;
    const mean = values.length === 0 ? null : values.reduce((sum, v) => sum + v, 0) / values.length;
    const peak = values.length === 0 ? null : Math.max(...values);
    setText(byId("rate-now", HTMLSpanElement), count(now));
    setText(byId("rate-mean", HTMLElement), rate(mean));
    setText(byId("rate-peak", HTMLElement), count(peak));
    this.#chart.update(
      values,
      `Facts per second over the last ${values.length} seconds: ` +
        `now ${count(now)}, mean ${rate(mean)}, peak ${count(peak)}. Arrow keys read single seconds.`,
    );
  }

  /** @param {Live} live */
  #renderReplication({ replication: r }) {
    this.#meters.lag.update(r.lagMs, r.bands.lag);
    this.#meters.depth.update(r.depth, r.bands.depth);
    this.#meters.failureRate.update(r.failureRate, r.bands.failureRate);
    setText(byId("lag-p99", HTMLElement), duration(r.lagP99Ms));
    setText(byId("oldest-age", HTMLElement), duration(r.oldestAgeMs));
    setText(byId("failures", HTMLElement), count(r.failures));
    setText(byId("retries", HTMLElement), count(r.retries));
    const dead = byId("dead-letters", HTMLElement);
    setText(dead, count(r.deadLetters));
    dead.classList.toggle("bad", (r.deadLetters ?? 0) > 0);
    const { band } = r;
    this.#renderBand(band);
    if (this.#band !== null && this.#band !== band) {
      announce(
        `Replication is ${band}: lag ${duration(r.lagMs)}, depth ${count(r.depth)}, ` +
          `failure rate ${percent(r.failureRate)}.`,
      );
    }
    this.#band = band;
  }

  /** @param {ShownBand} band */
  #renderBand(band) {
    for (const name of ["health", "band"]) {
      byId(name, HTMLSpanElement).dataset.band = band;
      setText(byId(`${name}-word`, HTMLSpanElement), bandWords[band]);
    }
    const worth = band === "degraded" || band === "critical";
    document.title = worth ? `${bandWords[band]} · z0 live` : "z0 live";
  }
}

/** One signal of replication: value, band in word and colour, and a marker on a scale of three zones. */
class Meter {
  #signal;
  #format;
  #term;
  #root;
  #value = element("span", { class: "meter-value" }, "–");
  #word = element("span");
  #marker = element("span", { class: "marker" });

  /**
   * @param {HTMLElement} host
   * @param {Signal} signal
   * @param {(value: number | null) => string} format
   */
  constructor(host, signal, format) {
    this.#signal = signal;
    this.#format = format;
    const tip = { "data-tip": signal.meaning };
    this.#term = element("button", { type: "button", class: "term", ...tip }, signal.name);
    const scale = element(
      "span",
      { class: "scale", "aria-hidden": "true" },
      element("span", { class: "zone healthy" }),
      element("span", { class: "zone degraded" }),
      element("span", { class: "zone critical" }),
      this.#marker,
    );
    this.#root = element(
      "div",
      { class: "meter", "data-band": "unknown" },
      element("span", { class: "meter-name" }, this.#term),
      element("span", { class: "meter-word" }, element("span", { class: "dot" }), this.#word),
      this.#value,
      scale,
    );
    host.append(this.#root);
  }

  /**
   * @param {number | null} value
   * @param {Bands | null} bands
   */
  update(value, bands) {
    const band = bandOf(bands, value);
    this.#root.dataset.band = band;
    setTip(this.#term, `${this.#signal.meaning} ${ruleOf(bands, this.#format)}`.trim());
    setText(this.#value, this.#format(value));
    setText(this.#word, bandWords[band]);
    this.#marker.hidden = band === "unknown";
    // A little inside both ends, so that the marker never hangs over them.
    if (value !== null && bands !== null)
      this.#marker.style.left = `${(0.7 + meterPosition(bands, value) * 98.6).toFixed(1)}%`;
  }
}

/** Counts by type as horizontal bars, most first; a type keeps its element while it is listed. */
class Bars {
  #list;
  /** @type {Map<string, HTMLLIElement>} */
  #rows = new Map();

  /** @param {HTMLOListElement} list */
  constructor(list) {
    this.#list = list;
  }

  /** @param {{type: string, count: number}[]} types sorted */
  update(types) {
    const most = types[0]?.count ?? 1;
    const all = types.reduce((sum, t) => sum + t.count, 0);
    const listed = new Set(types.map((t) => t.type));
    for (const [type, row] of this.#rows) {
      if (listed.has(type)) continue;
      row.remove();
      this.#rows.delete(type);
    }
    types.forEach(({ type, count: n }, i) => {
      const row = this.#rows.get(type) ?? this.#make(type);
      const [, value, part, track] = row.children;
      if (value === undefined || part === undefined || track === undefined) return;
      setText(value, count(n));
      value.setAttribute("title", countInFull(n));
      setText(part, share(n / all));
      const bar = track.firstElementChild;
      if (bar instanceof HTMLElement) bar.style.width = `${((n / most) * 100).toFixed(2)}%`;
      if (this.#list.children[i] !== row)
        this.#list.insertBefore(row, this.#list.children[i] ?? null);
    });
  }

  /** @param {string} type */
  #make(type) {
    const row = element(
      "li",
      {},
      element("span", { class: "bar-name cut", title: type }, type),
      element("span", { class: "bar-value" }),
      element("span", { class: "bar-share" }),
      element(
        "span",
        { class: "track", "aria-hidden": "true" },
        element("span", { class: "fill" }),
      ),
    );
    this.#rows.set(type, row);
    return row;
  }
}
