// What is wrong with a runbook, or with a rule that should have one: each fault as a sentence.

import { lexer } from "marked";

import { BLANKS, OWNERS, conditionOf, slugOf } from "../../scripts/runbooks.js";
import { readLine, wordsOf } from "./commands.js";

/** @import { Token, Tokens } from "marked" */
/** @import { Rule } from "../../scripts/runbooks.js" */
/** @import { Vocabulary } from "./vocabulary.js" */

export const SECTIONS = [
  "Alerts",
  "What it means",
  "What it costs",
  "First look",
  "Causes",
  "The mend",
  "When it is over",
  "Who owns it",
];
// Whoever was paged sees a command without scrolling.
const FIRST_COMMAND_LINE_MAX = 10;
const HOSTS = new Set(["www.cloudflarestatus.com", "developers.cloudflare.com", "dash.cloudflare.com"]);
const COMMAND = /^(\.\/scripts\/|curl |npx wrangler )/;
const ANSWERED = /^http_[1-5]\d\d$/;

/** Every token, also those inside of others. @param {Token[]} tokens @returns {Token[]} */
function all(tokens) {
  return tokens.flatMap((token) => {
    const one = /** @type {any} */ (token);
    const cells = [...(one.header ?? []), ...(one.rows ?? []).flat()].flatMap((cell) => cell.tokens ?? []);
    return [token, ...all([...(one.tokens ?? []), ...(one.items ?? []), ...cells])];
  });
}

/** @param {Token[]} tokens @param {number} depth */
const headings = (tokens, depth) =>
  tokens.flatMap((token) => (token.type === "heading" && token.depth === depth ? [String(token.text)] : []));

/** The tokens below a heading of the second level. @param {Token[]} tokens @param {string} title */
function section(tokens, title) {
  const from = tokens.findIndex((token) => token.type === "heading" && token.depth === 2 && token.text === title);
  if (from < 0) return [];
  const to = tokens.findIndex((token, i) => i > from && token.type === "heading" && token.depth <= 2);
  return tokens.slice(from + 1, to < 0 ? tokens.length : to).filter((token) => token.type !== "space");
}

/** What stands for {entity_id} and $Z0_URL while a line is looked at. @param {string} text */
const filledIn = (text) => text.replace(/\{\w+\}/g, "x").replace(/\$Z0_URL/g, "");

/** @param {Vocabulary} known @param {string} name @param {string} [by] @param {{ quantile?: boolean, step?: boolean }} [asked] */
function metricFaults(known, name, by, asked = {}) {
  const metric = known.metrics.get(name);
  if (metric === undefined) return [`there is no metric ${name}`];
  const faults = (by ?? "")
    .split(",")
    .filter((label) => label !== "" && label !== "tenant_id" && !metric.labels.includes(label))
    .map((label) => `${name} has no label ${label}`);
  if (asked.quantile && metric.kind !== "histogram") faults.push(`${name} is no histogram`);
  if (asked.step && metric.kind === "gauge") faults.push(`${name} is a gauge: it has no curve`);
  return faults;
}

/** @param {Vocabulary} known @param {string} method @param {string} address */
function routeFaults(known, method, address) {
  const url = new URL(filledIn(address), "http://z0");
  const route = known.routes.find((one) => {
    const form = new RegExp(`^${one.path.replace(/\{\}/g, "[^/]+")}$`);
    return one.method === method && form.test(url.pathname);
  });
  if (route === undefined) return [`there is no route ${method} ${url.pathname}`];
  const faults = [...url.searchParams.keys()]
    .filter((name) => !route.parameters.includes(name))
    .map((name) => `${method} ${route.path} takes no ${name}`);
  const metric = url.searchParams.get("metric");
  if (metric === null) return faults;
  const by = url.searchParams.get("by") ?? undefined;
  return [...faults, ...metricFaults(known, metric, by, { quantile: url.searchParams.has("quantile"), step: url.searchParams.has("step") })];
}

/** @param {Vocabulary} known @param {string} line */
function commandFaults(known, line) {
  const words = wordsOf(line);
  if (words[0] === "npx") {
    const name = words.slice(2).filter((word) => /^[a-z0-9-]+$/.test(word) && !word.startsWith("-"));
    const longest = name.map((_, i) => name.slice(0, name.length - i).join(" ")).find((path) => known.wrangler.has(path));
    // `d1` alone is a name for what stands below it.
    const leaf = longest !== undefined && ![...known.wrangler].some((path) => path.startsWith(`${longest} `));
    return leaf ? [] : [`wrangler has no command ${name.join(" ")}`];
  }
  if (words[0] === "curl") {
    const address = words.find((word) => word.startsWith("$Z0_URL/"));
    const method = words[words.indexOf("-X") + 1];
    if (address === undefined) return [`a curl asks $Z0_URL: ${line}`];
    return routeFaults(known, words.includes("-X") ? method : "GET", address);
  }
  const script = words[0].slice("./scripts/".length);
  if (!known.scripts.has(script)) return [`there is no ${words[0]}`];
  if (script !== "z0") return [];
  const { path, wrong, positionals, given } = readLine(known.commands, words.slice(1));
  if (wrong.length > 0 || path !== "metrics" || positionals.length === 0) return wrong;
  return metricFaults(known, positionals[0], given.get("--by"), { quantile: given.has("--quantile"), step: given.has("--step") });
}

/** @param {Vocabulary} known @param {Set<string>} alerts @param {string} code @returns {string[]} */
function wordFaults(known, alerts, code) {
  if (COMMAND.test(code)) return commandFaults(known, code);
  if (/^z0 \w/.test(code)) return commandFaults(known, `./scripts/${code}`);
  const route = /^(GET|POST|PUT) (\/\S*)$/.exec(code);
  if (route !== null) return routeFaults(known, route[1], route[2]);
  if (/^z0_\w+$/.test(code)) return metricFaults(known, code);
  if (/^--[a-z-]+$/.test(code)) {
    const has = [...known.commands.values()].some(({ flags, options }) => flags.has(code) || options.has(code));
    return has ? [] : [`no command has ${code}`];
  }
  const pair = /^(\w+)=(\S+)$/.exec(code);
  if (pair !== null) {
    const strange = pair[1] === "error_code" && !known.errorCodes.has(pair[2]) && !ANSWERED.test(pair[2]);
    return strange ? [`no error_code is ${pair[2]}`] : pair.slice(1).flatMap((word) => wordFaults(known, alerts, word));
  }
  const blank = /^\{(\w+)\}$/.exec(code);
  if (blank !== null) return []; // looked at with all the others
  const word = code.replace(/^\$/, "");
  if (known.words.has(word) || alerts.has(word) || known.pages.has(word) || ANSWERED.test(word)) return [];
  if (/^\w[\w-]*[./][\w./-]+$/.test(word) && known.hasFile(word)) return [];
  return [`${code} is nothing that z0 has`];
}

/** @param {Vocabulary} known @param {Map<string, string>} pages @param {string} href */
function linkFaults(known, pages, href) {
  if (/^https:/.test(href)) {
    return HOSTS.has(new URL(href).host) ? [] : [`a link leads to ${new URL(href).host}, which is none of the hosts that are known`];
  }
  const [path, anchor] = href.split("#");
  const name = /^([a-z0-9_]+)\.md$/.exec(path)?.[1];
  if (name === undefined) return known.pages.has(path) ? [] : [`there is no page ${href}`];
  const target = pages.get(name);
  if (target === undefined) return [`there is no page ${path}`];
  const anchors = all(lexer(target)).flatMap((token) => (token.type === "heading" ? [slugOf(token.text)] : []));
  return anchor === undefined || anchors.includes(anchor) ? [] : [`${path} has no part ${anchor}`];
}

/** What a page names. @param {Vocabulary} known @param {Map<string, string>} pages @param {Set<string>} alerts @param {string} text */
function nameFaults(known, pages, alerts, text) {
  const faults = all(lexer(text)).flatMap((token) => {
    if (token.type === "html") return [`raw HTML is not shown: ${token.text.trim()}`];
    if (token.type === "link") return linkFaults(known, pages, token.href);
    if (token.type === "codespan") return wordFaults(known, alerts, token.text);
    if (token.type !== "code") return [];
    const lines = String(token.text).replace(/\\\n\s*/g, "").split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
    return lines.flatMap((line) => (COMMAND.test(line) ? commandFaults(known, line) : [`not a command: ${line}`]));
  });
  const metrics = [...text.matchAll(/\bz0_[a-z0-9_]+/g)].filter(([name]) => !known.metrics.has(name));
  const blanks = [...text.matchAll(/\{(\w*)\}/g)].filter(([, name]) => !BLANKS.includes(name));
  return [
    ...faults,
    ...metrics.map(([name]) => `there is no metric ${name}`),
    ...blanks.map(([all]) => `nobody fills in ${all}`),
  ];
}

/** @param {string} text */
function firstCommandFaults(text) {
  const at = text.split("\n").findIndex((line) => COMMAND.test(line));
  return at >= 0 && at < FIRST_COMMAND_LINE_MAX ? [] : [`no command in the first ${FIRST_COMMAND_LINE_MAX} lines`];
}

/** @param {Token[]} tokens @param {Rule[]} served */
function alertFaults(tokens, served) {
  const table = /** @type {Tokens.Table | undefined} */ (section(tokens, "Alerts").find((token) => token.type === "table"));
  const rows = (table?.rows ?? []).map((row) => row.map((cell) => cell.text).join(" | "));
  const wanted = served.map((rule) => `\`${rule.name}\` | ${rule.severity} | ${conditionOf(rule)}`);
  return [
    ...wanted.filter((row) => !rows.includes(row)).map((row) => `its alerts lack the row: ${row}`),
    ...rows.filter((row) => !wanted.includes(row)).map((row) => `no rule fires like this: ${row}`),
  ];
}

/** @param {Token[]} tokens @param {string} text @param {Rule[]} served */
function formFaults(tokens, text, served) {
  const faults = firstCommandFaults(text);
  if (headings(tokens, 1).length !== 1) faults.push("a page has one title");
  const sections = headings(tokens, 2);
  if (sections.join() !== SECTIONS.join()) {
    const missing = SECTIONS.filter((title) => !sections.includes(title));
    faults.push(missing.length > 0 ? `it lacks: ${missing.join(", ")}` : `its parts are not: ${SECTIONS.join(", ")}`);
  }
  for (const title of sections) if (section(tokens, title).length === 0) faults.push(`${title} says nothing`);
  if (!section(tokens, "First look").some((token) => token.type === "code")) faults.push("First look has no command");
  const causes = headings(section(tokens, "Causes"), 3);
  const mends = headings(section(tokens, "The mend"), 3);
  if (causes.length === 0) faults.push("it names no cause");
  if (causes.join() !== mends.join()) faults.push("each cause has its mend, in the same order and words");
  const owners = new Set(served.map((rule) => rule.owner));
  // At its beginning and at its end: whoever reads on is to hand it on.
  for (const title of ["Alerts", "Who owns it"]) {
    const named = all(section(tokens, title)).flatMap((token) => (token.type === "link" ? [token.href] : []));
    for (const owner of owners) if (!named.includes(`${OWNERS}.md#${owner}`)) faults.push(`${title} does not name its owner, ${owner}`);
  }
  return [...faults, ...alertFaults(tokens, served)];
}

/**
 * @param {Rule} rule
 * @param {Map<string, string>} pages
 * @param {Vocabulary} known
 * @param {string[]} tests their texts
 */
function ruleFaults(rule, pages, known, tests) {
  const faults = [];
  const owners = headings(lexer(pages.get(OWNERS) ?? ""), 2).map(slugOf);
  if (!pages.has(rule.runbook) || rule.runbook === OWNERS) faults.push(`it has no runbook: ${rule.runbook}.md`);
  if (!owners.includes(rule.owner)) faults.push(`nobody is called ${rule.owner} in ${OWNERS}.md`);
  if (!/^[A-Z0-9].*\.$/.test(rule.summary ?? "")) faults.push("its summary is no sentence");
  if (!tests.some((text) => text.includes(`"${rule.name}"`))) faults.push("no test names it");
  const codes = [...JSON.stringify(rule.signal).matchAll(/"error_code":"(\w+)"/g)].map(([, code]) => code);
  for (const code of new Set(codes)) if (!known.errorCodes.has(code)) faults.push(`no error_code is ${code}`);
  return faults;
}

/**
 * All that is wrong, "name: what".
 * @param {{ pages: Map<string, string>, rules: Rule[], known: Vocabulary, tests: string[] }} all
 */
export function faultsOf({ pages, rules, known, tests }) {
  const alerts = new Set(rules.map((rule) => rule.name));
  const faults = rules.flatMap((rule) => ruleFaults(rule, pages, known, tests).map((what) => `${rule.name}: ${what}`));
  for (const [name, text] of pages) {
    const tokens = lexer(text);
    const served = rules.filter((rule) => rule.runbook === name);
    const found = nameFaults(known, pages, alerts, text);
    if (name !== OWNERS) found.push(...formFaults(tokens, text, served));
    if (name !== OWNERS && served.length === 0) found.push("no rule leads to it");
    faults.push(...[...new Set(found)].map((what) => `${name}.md: ${what}`));
  }
  return faults;
}
