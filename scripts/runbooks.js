// Makes the pages of bindings/dashboard/runbooks of their Markdown, and the index of them. The pages are
// committed, as what they serve must need no build; tests/rules/runbooks.test.js fails when one lags.
//
//   node scripts/runbooks.js

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Marked, lexer } from "marked";

/** @import { Token, Tokens } from "marked" */

/**
 * @typedef {object} Rule of src/alerts/default_rules.cpp, as far as a page speaks of it
 * @property {string} name
 * @property {"warning" | "critical"} severity
 * @property {string} runbook
 * @property {string} owner
 * @property {string} summary
 * @property {Record<string, any>} signal
 * @property {string} [window]
 * @property {string} [for]
 * @property {number} [min_events]
 * @property {string[]} [by]
 */

/** What a link or a reader may fill in, and what it may be: its value stands in a command for a shell. */
export const BLANKS = ["tenant_id", "entity_id", "tool_id", "cache_type", "fact_type", "trace_id", "config_id"];
/** Pages beside those of alerts. */
export const OWNERS = "owners";

const root = fileURLToPath(new URL("..", import.meta.url));
const directory = join(root, "bindings/dashboard/runbooks");

/** The rules that ship. @param {string} source src/alerts/default_rules.cpp @returns {Rule[]} */
export function rulesIn(source) {
  const json = /R"\((\{"rules".*?)\)"/s.exec(source)?.[1];
  if (json === undefined) throw new Error("src/alerts/default_rules.cpp holds no rules");
  return JSON.parse(json).rules;
}

/** As GitHub makes anchors, so that links between the files lead somewhere there, too. @param {string} text of a heading */
export const slugOf = (text) => text.toLowerCase().replace(/[^a-z0-9_ -]/g, "").replace(/ /g, "-");

const percent = (/** @type {number} */ share) => `${Number((share * 100).toPrecision(6))} %`;
const grouped = (/** @type {number} */ number) => number.toLocaleString("en-US");

/** @param {string} metric @param {number} value */
const measured = (metric, value) =>
  metric.endsWith("_ms") ? `${grouped(value / 1_000)} s` : grouped(value);

/** The score of an hour that a rule about revenue fires above where it says none. @returns {string} */
function anomalyAlertScore() {
  const source = readFileSync(join(root, "include/z0/alerts/baseline.hpp"), "utf8");
  const score = /\banomaly_alert_score = ([0-9.]+);/.exec(source)?.[1];
  if (score === undefined) throw new Error("include/z0/alerts/baseline.hpp has no anomaly_alert_score");
  return score;
}

const DUE = "where the tenant's own hours say that";
/** Questions about facts, in words. @type {Record<string, (window: string, score?: number) => string>} */
const BUSINESS = {
  zero_invocations: (window) =>
    `no invocation for longer than ${window}, ${DUE} they are due and chance does not`,
  no_charges: (window) =>
    `no charge for longer than ${window} while tools are invoked, ${DUE} charges are due and chance does not`,
  revenue_low: (window) =>
    `less than half of the usual revenue in ${window}, and clearly less than such hours ever were`,
  revenue_unusual: (window, score) => `above a score of ${score ?? anomalyAlertScore()}, of the revenue of each ${window}`,
  budget_ends: (window) => `at the pace of ${window} a budget is used up before its period ends`,
};

/** When a rule fires, in words: each page has to say it like this. @param {Rule} rule */
export function conditionOf(rule) {
  const [kind, signal] = Object.entries(rule.signal)[0];
  const sign = ["above", "at_least", "below", "at_most"].find((name) => name in rule) ?? "";
  const threshold = /** @type {any} */ (rule)[sign];
  const bound = (/** @type {string} */ value) => `${sign.replace("_", " ")} ${value}`;
  /** @type {Record<string, () => string>} */
  const words = {
    ratio: () => `${bound(percent(threshold))} in ${rule.window}`,
    burn: () =>
      `${bound(`${threshold} times`)} the pace of ${percent(1 - signal.objective)}, in ${rule.window} and in ${signal.long_window}`,
    quantile: () =>
      `${signal.q === 1 ? "the longest" : percent(signal.q)} ${bound(measured(signal.of, threshold))} in ${rule.window}`,
    sum: () => `${bound(grouped(threshold))} in ${rule.window}`,
    value: () => bound(measured(String(signal), threshold)),
    anomaly: () => `${bound(`a score of ${threshold}`)}, of ${signal.aspect === "quantile" ? `the ${percent(signal.q)} quantile` : signal.to === undefined ? "the count" : "the share"} of each ${rule.window}`,
    business: () => BUSINESS[String(signal)](rule.window ?? "", threshold),
  };
  if (!(kind in words)) throw new Error(`scripts/runbooks.js has no words for the signal ${kind}`);
  const parts = [words[kind]()];
  if (rule.for !== undefined) parts.push(`for ${rule.for}`);
  if (rule.min_events !== undefined) parts.push(`from ${grouped(rule.min_events)} events on, or beyond chance`);
  if (rule.by !== undefined) parts.push(`each ${rule.by.join(", ")}`);
  return parts.join("; ");
}

/** @param {string} text */
const escaped = (text) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

/** Code, with what is to be filled in marked. @param {string} code */
const codeHtml = (code) =>
  escaped(code).replace(new RegExp(`\\{(${BLANKS.join("|")})\\}`, "g"), (all, name) =>
    `<span class="blank" data-blank="${name}">${all}</span>`);

/** A command's line, with options that a narrow screen leaves whole. @param {string} line */
const commandHtml = (line) =>
  codeHtml(line).replace(/(?<=^| )--?[a-z][a-z-]*/gi, (option) => `<span class="option">${option}</span>`);

/** A link between the files is one between the pages. @param {string} href */
const hrefOf = (href) => href.replace(/^([a-z0-9_]+)\.md(?=#|$)/, "/runbooks/$1");

// The colours of a health band are those of what an alert says of it.
const BANDS = { warning: "degraded", critical: "critical" };
const badge = (/** @type {string} */ severity) =>
  `<span class="badge" data-band="${/** @type {any} */ (BANDS)[severity]}"><span class="dot"></span>${severity}</span>`;

const marked = new Marked({
  renderer: {
    heading({ tokens, depth, text }) {
      return `<h${depth} id="${slugOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
    },
    // A line a command: one that is too long goes on below itself, so that nothing of it is out of sight.
    code({ text }) {
      const lines = text.split("\n").map((line) => `<span class="line">${commandHtml(line)}</span>`);
      return `<div class="command"><pre tabindex="0"><code>${lines.join("\n")}</code></pre></div>\n`;
    },
    codespan: ({ text }) => `<code>${codeHtml(text).replace(/(?<=^[A-Z]\w*[a-z])(?=[A-Z])/g, "<wbr>")}</code>`,
    link({ href, tokens }) {
      return `<a href="${escaped(hrefOf(href))}">${this.parser.parseInline(tokens)}</a>`;
    },
    table(token) {
      const inside = (/** @type {Tokens.TableCell} */ cell) =>
        cell.text in BANDS ? badge(cell.text) : this.parser.parseInline(cell.tokens);
      const row = (/** @type {Tokens.TableCell[]} */ cells, /** @type {string} */ tag) =>
        `<tr>${cells.map((cell) => `<${tag}>${inside(cell)}</${tag}>`).join("")}</tr>\n`;
      const rows = token.rows.map((cells) => row(cells, "td")).join("");
      return `<div class="wide"><table>\n<thead>\n${row(token.header, "th")}</thead>\n<tbody>\n${rows}</tbody>\n</table></div>\n`;
    },
    html: ({ text }) => escaped(text),
  },
});

/** @param {string} title @param {string} name the page's @param {string} body */
const framed = (title, name, body) => `<!doctype html>
<!-- Made of the Markdown beside it by scripts/build runbooks. -->
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>z0 runbook: ${escaped(title)}</title>
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="dark light">
  <link rel="icon" href="/favicon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/style.css">
  <link rel="stylesheet" href="/runbook.css">
  <script type="module" src="/runbook.js"></script>
</head>
<body>
  <header class="bar">
    <a class="skip" href="#page">Skip to the page</a>
    <p class="brand">
      <a href="/" class="home" aria-label="z0, the live page">
        <svg class="logo" viewBox="0 0 32 32" fill="none" aria-hidden="true">
          <rect x="4" y="4" width="24" height="24" rx="12" stroke="currentColor" stroke-width="3.5"/>
          <path d="M10.5 21.5 21.5 10.5" stroke="currentColor" stroke-width="3.5" stroke-linecap="round"/>
        </svg>
        <span>z0</span>
      </a>
      <a class="shelf" href="/runbooks/"${name === "index" ? ' aria-current="page"' : ""}>runbooks</a>
    </p>
    <span class="grow"></span>
    <a class="quiet" href="/">Live page</a>
  </header>
  <p class="unseen" id="announce" role="status" aria-live="polite"></p>
${body}</body>
</html>
`;

/** The first paragraph, without the words that lead to the command below it. @param {Token[]} tokens */
function firstWords(tokens) {
  const text = String(/** @type {any} */ (tokens.find((token) => token.type === "paragraph"))?.text ?? "");
  return marked.parser(lexer(text.replace(/ [^.]*:$/, ""))).trim();
}

/** @param {Token[]} tokens */
const titleOf = (tokens) =>
  String(/** @type {any} */ (tokens.find((token) => token.type === "heading" && token.depth === 1))?.text ?? "");

/** One page. @param {string} name @param {string} markdown */
export function pageOf(name, markdown) {
  const tokens = lexer(markdown);
  const sections = /** @type {Tokens.Heading[]} */ (tokens.filter((token) => token.type === "heading" && token.depth === 2));
  const contents = sections
    .map(({ text }) => `      <li><a href="#${slugOf(text)}">${escaped(text)}</a></li>\n`)
    .join("");
  return framed(titleOf(tokens), name, `
  <main class="runbook" id="page">
    <nav class="contents" aria-label="On this page">
      <ol>
${contents}      </ol>
    </nav>
    <article>
${marked.parser(tokens)}    </article>
  </main>
`);
}

/** The list of all. @param {Map<string, string>} pages @param {Rule[]} rules */
export function indexOf(pages, rules) {
  // In the order of the rules: what costs most stands first.
  const rows = [...new Set(rules.map((rule) => rule.runbook))]
    .filter((name) => pages.has(name))
    .map((name) => {
      const tokens = lexer(pages.get(name) ?? "");
      const served = rules.filter((rule) => rule.runbook === name);
      const alerts = served
        .map((rule) => `<li><code>${rule.name}</code> ${badge(rule.severity)}</li>`)
        .join("");
      const owner = served[0]?.owner ?? "";
      return `      <li class="panel">
        <h2><a href="/runbooks/${name}">${escaped(titleOf(tokens))}</a></h2>
        ${firstWords(tokens)}
        <ul class="alerts">${alerts}</ul>
        <p class="owned">Owner: <a href="/runbooks/${OWNERS}#${owner}">${owner}</a></p>
      </li>
`;
    });
  return framed("all of them", "index", `
  <main class="runbook" id="page">
    <article class="index">
      <h1>Runbooks</h1>
      <p>One page an alert: what it means, what it costs, where to look first, how to mend it. <a href="/runbooks/${OWNERS}">Who owns what, and how a page is handed on</a>.</p>
      <ul class="all">
${rows.join("")}      </ul>
    </article>
  </main>
`);
}

/** The Markdown there is, by name. @returns {Map<string, string>} */
export function readPages() {
  const names = readdirSync(directory).filter((file) => file.endsWith(".md")).sort();
  return new Map(names.map((file) => [file.slice(0, -".md".length), readFileSync(join(directory, file), "utf8")]));
}

/** @returns {Rule[]} */
export const readRules = () => rulesIn(readFileSync(join(root, "src/alerts/default_rules.cpp"), "utf8"));

/** The files that are made, by name. @param {Map<string, string>} pages @param {Rule[]} rules */
export function filesOf(pages, rules) {
  const files = new Map([...pages].map(([name, markdown]) => [`${name}.html`, pageOf(name, markdown)]));
  return files.set("index.html", indexOf(pages, rules));
}

/** What is on disk. @returns {Map<string, string>} */
export function readMade() {
  const names = readdirSync(directory).filter((file) => file.endsWith(".html")).sort();
  return new Map(names.map((file) => [file, readFileSync(join(directory, file), "utf8")]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, html] of filesOf(readPages(), readRules())) writeFileSync(join(directory, file), html);
}
