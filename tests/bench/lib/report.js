// Results as data, and as Markdown: one table a section, a gate's verdict beside its row.
import { readFileSync, writeFileSync } from "node:fs";

/** @typedef {import("./rounds.js").Figure} Figure */
/** @typedef {{text: string, ok: boolean}} Gate */
/** @typedef {{name: string, unit: string, cells: Record<string, Figure>, gates?: Gate[]}} Row */
/** @typedef {{title: string, notes?: string[], rows: Row[]}} Section */

/** @param {number} x */
export function round(x) {
  const size = Math.abs(x);
  if (size >= 100) return x.toLocaleString("en-US", { maximumFractionDigits: 0 });
  return String(Number(x.toPrecision(3)));
}

/** @param {Figure | undefined} f */
function cell(f) {
  if (!f) return "";
  return f.min === f.max ? round(f.median) : `${round(f.median)} (${round(f.min)}–${round(f.max)})`;
}

/** A single value as a figure. @param {number} value @returns {Figure} */
export const exact = (value) => ({ median: value, min: value, max: value, samples: [value] });

/** @param {string} text @param {boolean} ok @returns {Gate} */
export const gate = (text, ok) => ({ text, ok });

/** How many times more. @param {Figure | undefined} more @param {Figure | undefined} less */
export const times = (more, less) => (more && less ? more.median / less.median : NaN);

/** @param {Section} section */
function sectionMarkdown({ title, notes = [], rows }) {
  /** @type {string[]} */
  const columns = [];
  for (const row of rows)
    for (const name of Object.keys(row.cells)) if (!columns.includes(name)) columns.push(name);
  const gated = rows.some((row) => row.gates?.length);
  const lines = [`### ${title}`, ""];
  const head = ["what", "unit", ...columns, ...(gated ? ["gate"] : [])];
  lines.push(
    `| ${head.join(" | ")} |`,
    `|${head.map((_, i) => (i > 1 && i < 2 + columns.length ? " ---: " : " --- ")).join("|")}|`,
  );
  for (const row of rows) {
    const gates = (row.gates ?? [])
      .map((g) => `${g.ok ? "met" : "**missed**"}: ${g.text}`)
      .join("; ");
    const cells = columns.map((name) => cell(row.cells[name]));
    lines.push(`| ${[row.name, row.unit, ...cells, ...(gated ? [gates] : [])].join(" | ")} |`);
  }
  if (notes.length) lines.push("", ...notes);
  return lines.join("\n");
}

/** @param {Record<string, string>} machine @param {Section[]} sections */
export function markdown(machine, sections) {
  const { date, cpu, node, workerd, emscripten, load, quick } = machine;
  const facts = [date, cpu, `node ${node}`, `workerd ${workerd}`, `emscripten ${emscripten}`];
  const at = `${[...facts, `load average before the run ${load}`].join(", ")}${quick}.`;
  return [at, ...sections.map(sectionMarkdown)].join("\n\n");
}

const BEGIN = "<!-- results: begin -->";
const END = "<!-- results: end -->";

/** Puts the results between the markers of a file. @param {string} file @param {string} text */
export function writeBetweenMarkers(file, text) {
  const old = readFileSync(file, "utf8");
  const from = old.indexOf(BEGIN);
  const to = old.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${file} has no markers for results`);
  writeFileSync(file, `${old.slice(0, from + BEGIN.length)}\n\n${text}\n\n${old.slice(to)}`);
}
