// A curve over the last seconds, drawn by hand in SVG: axes, area, line, and a value under the pointer
// or under the arrow keys.

import { element, setAttributes, setText, svg } from "./dom.js";
import { countShort } from "./format.js";

const MARGIN = { top: 12, right: 14, bottom: 26, left: 44 };
const Y_TICKS = 4;

/**
 * The ticks of an axis that begins at 0: at most `ticks` steps of 1, 2 or 5 times a power of ten,
 * whole numbers only, because facts are.
 * @param {number} max
 * @param {number} ticks
 * @returns {number[]}
 */
export function niceTicks(max, ticks) {
  const rough = Math.max(1, max / ticks);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999) ?? 10 * power;
  const steps = Math.max(1, Math.ceil(max / step));
  return Array.from({ length: steps + 1 }, (_, i) => i * step);
}

/**
 * A path through the points as a monotone cubic (Fritsch and Carlson, 1980): round, yet never above
 * or below the values it joins, so the curve shows no peak that was not there.
 * @param {number[]} xs evenly spaced
 * @param {number[]} ys
 * @returns {string}
 */
export function curve(xs, ys) {
  const n = xs.length;
  if (n === 0) return "";
  const at = (/** @type {number} */ v) => v.toFixed(1);
  if (n === 1) return `M${at(xs[0] ?? 0)},${at(ys[0] ?? 0)}`;
  const x = (/** @type {number} */ i) => xs[i] ?? 0;
  const y = (/** @type {number} */ i) => ys[i] ?? 0;
  const slope = (/** @type {number} */ i) => (y(i + 1) - y(i)) / (x(i + 1) - x(i));
  const tangent = (/** @type {number} */ i) => {
    if (i === 0) return slope(0);
    if (i === n - 1) return slope(n - 2);
    const before = slope(i - 1);
    const after = slope(i);
    return before * after <= 0 ? 0 : (2 * before * after) / (before + after);
  };
  let path = `M${at(x(0))},${at(y(0))}`;
  for (let i = 0; i + 1 < n; i += 1) {
    const third = (x(i + 1) - x(i)) / 3;
    path +=
      `C${at(x(i) + third)},${at(y(i) + third * tangent(i))} ` +
      `${at(x(i + 1) - third)},${at(y(i + 1) - third * tangent(i + 1))} ${at(x(i + 1))},${at(y(i + 1))}`;
  }
  return path;
}

export class LineChart {
  #host;
  #seconds;
  #describe;
  /** @type {number[]} */
  #values = [];
  /** @type {number | null} */
  #selected = null;
  #width = 600;
  #height = 200;
  #picture = svg("svg", { class: "plot", "aria-hidden": "true" });
  #grid = svg("g", { class: "grid" });
  #area = svg("path", { class: "area", fill: "url(#plot-fade)" });
  #line = svg("path", { class: "line" });
  #last = svg("circle", { class: "last", r: 3.5 });
  #cross = svg("g", { class: "cross" });
  #crossLine = svg("line");
  #crossDot = svg("circle", { r: 4 });
  #readout = element("p", { class: "readout", "aria-live": "off", hidden: "" });

  /**
   * @param {HTMLElement} host
   * @param {{seconds: number, describe: (value: number, secondsAgo: number) => string}} options
   *   describe gives the words for one point
   */
  constructor(host, { seconds, describe }) {
    this.#host = host;
    this.#seconds = seconds;
    this.#describe = describe;
    this.#cross.append(this.#crossLine, this.#crossDot);
    this.#cross.setAttribute("visibility", "hidden");
    this.#picture.append(fade(), this.#grid, this.#area, this.#line, this.#last, this.#cross);
    host.append(this.#picture, this.#readout);
    setAttributes(host, { role: "img", tabindex: 0 });
    this.#listen();
    new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      this.#width = Math.max(240, Math.round(entry.contentRect.width));
      this.#height = Math.max(120, Math.round(entry.contentRect.height));
      this.#draw();
    }).observe(host);
  }

  /**
   * @param {number[]} values one a second, oldest first, the last is now
   * @param {string} summary the curve in words
   */
  update(values, summary) {
    this.#values = values;
    this.#host.setAttribute("aria-label", summary);
    this.#draw();
  }

  #listen() {
    this.#host.addEventListener("pointermove", (event) => {
      const inside = event.clientX - this.#host.getBoundingClientRect().left - MARGIN.left;
      const step = this.#plotWidth / (this.#seconds - 1);
      this.#readout.setAttribute("aria-live", "off");
      this.#select(this.#seconds - 1 - Math.round(inside / step));
    });
    this.#host.addEventListener("pointerleave", () => this.#select(null));
    this.#host.addEventListener("blur", () => this.#select(null));
    this.#host.addEventListener("keydown", (event) => {
      const from = this.#selected ?? -1;
      const oldest = this.#values.length - 1;
      /** @type {Record<string, number | null>} */
      const moves = {
        ArrowLeft: from + 1,
        ArrowRight: Math.max(0, from - 1),
        Home: oldest,
        End: 0,
        Escape: null,
      };
      const move = moves[event.key];
      if (move === undefined) return;
      event.preventDefault();
      this.#readout.setAttribute("aria-live", "polite");
      this.#select(move);
    });
  }

  get #plotWidth() {
    return this.#width - MARGIN.left - MARGIN.right;
  }

  /** @param {number | null} secondsAgo */
  #select(secondsAgo) {
    const oldest = this.#values.length - 1;
    this.#selected =
      secondsAgo === null || oldest < 0 ? null : Math.min(oldest, Math.max(0, secondsAgo));
    this.#drawSelection();
  }

  #draw() {
    const bottom = this.#height - MARGIN.bottom;
    setAttributes(this.#picture, {
      viewBox: `0 0 ${this.#width} ${this.#height}`,
      width: this.#width,
      height: this.#height,
    });
    this.#drawAxes(bottom);
    const xs = this.#values.map((_, i) => this.#x(this.#values.length - 1 - i));
    const ys = this.#values.map((v) => this.#y(v));
    const path = curve(xs, ys);
    setAttributes(this.#line, { d: path });
    const area = xs.length < 2 ? "" : `${path}L${xs[xs.length - 1]},${bottom}L${xs[0]},${bottom}Z`;
    setAttributes(this.#area, { d: area });
    setAttributes(this.#last, { cx: this.#x(0), cy: ys[ys.length - 1] ?? bottom });
    this.#drawSelection();
  }

  /** @param {number} bottom */
  #drawAxes(bottom) {
    const right = this.#width - MARGIN.right;
    const parts = [];
    for (const tick of this.#ticks) {
      const y = this.#y(tick);
      parts.push(
        svg("line", { x1: MARGIN.left, x2: right, y1: y, y2: y, class: tick === 0 ? "base" : "" }),
      );
      parts.push(label(countShort(tick), MARGIN.left - 8, y + 4, "end"));
    }
    const every = this.#plotWidth < 420 ? 60 : 30;
    for (let ago = this.#seconds; ago >= 0; ago -= every) {
      const x = this.#x(Math.min(ago, this.#seconds - 1));
      parts.push(svg("line", { x1: x, x2: x, y1: bottom, y2: bottom + 4, class: "base" }));
      const anchor = ago === 0 ? "end" : ago === this.#seconds ? "start" : "middle";
      parts.push(label(ago === 0 ? "now" : `${ago} s ago`, x, this.#height - 6, anchor));
    }
    this.#grid.replaceChildren(...parts);
  }

  #drawSelection() {
    const ago = this.#selected;
    const value = ago === null ? undefined : this.#values[this.#values.length - 1 - ago];
    this.#cross.setAttribute("visibility", value === undefined ? "hidden" : "visible");
    this.#readout.hidden = value === undefined;
    if (ago === null || value === undefined) return;
    const x = this.#x(ago);
    setAttributes(this.#crossLine, {
      x1: x,
      x2: x,
      y1: MARGIN.top,
      y2: this.#height - MARGIN.bottom,
    });
    setAttributes(this.#crossDot, { cx: x, cy: this.#y(value) });
    setText(this.#readout, this.#describe(value, ago));
    const half = this.#readout.offsetWidth / 2;
    this.#readout.style.left = `${Math.min(this.#width - half, Math.max(half, x))}px`;
  }

  get #ticks() {
    return niceTicks(Math.max(1, ...this.#values), Y_TICKS);
  }

  /** @param {number} secondsAgo */
  #x(secondsAgo) {
    return MARGIN.left + this.#plotWidth * (1 - secondsAgo / (this.#seconds - 1));
  }

  /** @param {number} value */
  #y(value) {
    const ticks = this.#ticks;
    const top = ticks[ticks.length - 1] ?? 1;
    return MARGIN.top + (this.#height - MARGIN.top - MARGIN.bottom) * (1 - value / top);
  }
}

/**
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {string} anchor
 */
function label(text, x, y, anchor) {
  const made = svg("text", { x, y, "text-anchor": anchor });
  made.textContent = text;
  return made;
}

/** The area's fade towards the axis. */
function fade() {
  const gradient = svg("linearGradient", { id: "plot-fade", x1: 0, y1: 0, x2: 0, y2: 1 });
  gradient.append(
    svg("stop", { offset: "0", class: "fade-top" }),
    svg("stop", { offset: "1", class: "fade-bottom" }),
  );
  const definitions = svg("defs");
  definitions.append(gradient);
  return definitions;
}
