// Each rule that ships has a runbook, an owner, a summary and a test; a runbook has all its parts, and
// names nothing that does not exist. The same function looks at pages that are broken on purpose.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { filesOf, readMade, readPages, readRules } from "../../scripts/runbooks.js";
import { faultsOf } from "./runbooks.js";
import { readVocabulary } from "./vocabulary.js";

/** @import { Rule } from "../../scripts/runbooks.js" */

const root = join(import.meta.dirname, "..", "..");
const known = readVocabulary(root);
const rules = readRules();
const pages = readPages();
const tests = readdirSync(join(root, "tests/unit/alerts"))
  .filter((file) => file.endsWith("_test.cpp"))
  .map((file) => readFileSync(join(root, "tests/unit/alerts", file), "utf8"));

test("What a runbook may name is read out of the sources whole", () => {
  assert.ok(known.metrics.size >= 29 && known.words.has("manual_review") && known.scripts.has("z0"));
  assert.deepEqual(known.metrics.get("z0_reconciliation_mismatches_total"), {
    kind: "counter",
    labels: ["cache_type", "resolution"],
  });
  // The README lists every route; what is between its backquotes is method and path.
  const listed = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/`(GET|POST|PUT) (\/[^`?[]*)/g)];
  const found = new Set(known.routes.map(({ method, path }) => `${method} ${path}`));
  const missing = listed.map(([, method, path]) => `${method} ${path.replace(/\{\w+\}/g, "{}")}`).filter((route) => !found.has(route));
  assert.deepEqual(missing, []);
  assert.equal(found.size, known.routes.length);
  assert.ok(known.errorCodes.has("timeout") && known.errorCodes.has("d1_failed") && !known.errorCodes.has("conflict"));
});

test("Nothing is wrong with the runbooks and the rules that ship", () => {
  assert.deepEqual(faultsOf({ pages, rules, known, tests }), []);
});

test("The pages that are served are those of the Markdown", () => {
  const made = readMade();
  const meant = filesOf(pages, rules);
  assert.deepEqual([...made.keys()].sort(), [...meant.keys()].sort());
  const lagging = [...meant].filter(([file, html]) => made.get(file) !== html).map(([file]) => file);
  assert.deepEqual(lagging, [], "scripts/build runbooks makes them anew");
});

const page = pages.get("replication_lag") ?? "";
const command = "./scripts/z0 live --once";

/** A page with one more line of text, or with a command more. */
const saying = (/** @type {string} */ words) => page.replace("## What it means\n", `## What it means\n\n${words}\n`);
const running = (/** @type {string} */ line) => saying(`\`\`\`sh\n${line}\n\`\`\``);
const without = (/** @type {string} */ part) => {
  assert.ok(page.includes(part), part);
  return page.replace(part, "");
};

/** A page, and the fault that it has. @type {[string, string][]} */
const brokenPages = [
  // What it names.
  [saying("See `z0_replication_lag_seconds`."), "there is no metric z0_replication_lag_seconds"],
  [saying("See z0_replication_lag_seconds."), "there is no metric z0_replication_lag_seconds"],
  [running("./scripts/z0 metrics z0_facts_lost_total"), "there is no metric z0_facts_lost_total"],
  [running("./scripts/z0 metrics z0_facts_written_total --by colour"), "z0_facts_written_total has no label colour"],
  [running("./scripts/z0 metrics z0_facts_written_total --quantile 0.9"), "z0_facts_written_total is no histogram"],
  [running("./scripts/z0 metrics z0_replication_queue_depth --step 5m"), "z0_replication_queue_depth is a gauge: it has no curve"],
  [running("./scripts/z0 lag"), "z0 has no command lag"],
  [running("./scripts/z0 live --forever"), "z0 live has no --forever"],
  [running("./scripts/z0 dead-letters redrive --every"), "z0 dead-letters redrive has no --every"],
  [running("./scripts/z0 dead-letters burn"), "z0 dead-letters takes no burn"],
  [running("./scripts/repair"), "there is no ./scripts/repair"],
  [running("rm -rf build"), "not a command: rm -rf build"],
  [running("npx wrangler d1 heal z0"), "wrangler has no command d1 heal z0"],
  [running('curl "$Z0_URL/v1/lag"'), "there is no route GET /v1/lag"],
  [running('curl -X PUT "$Z0_URL/v1/facts"'), "there is no route PUT /v1/facts"],
  [running('curl "$Z0_URL/v1/metrics/query?metric=z0_lag"'), "there is no metric z0_lag"],
  [running('curl "$Z0_URL/v1/report?account=a"'), "GET /v1/report takes no account"],
  [running("curl https://example.com/"), "a curl asks $Z0_URL: curl https://example.com/"],
  [saying("Ask `POST /v1/ledgers/{entity_id}/heal`."), "there is no route POST /v1/ledgers/x/heal"],
  [saying("Ask `z0 heal`."), "z0 has no command heal"],
  [saying("With `--heal`."), "no command has --heal"],
  [saying("It says `disk_on_fire`."), "disk_on_fire is nothing that z0 has"],
  [saying("It says `error_code=budget_exceeded`."), "no error_code is budget_exceeded"],
  [saying("It is set by `Z0_LAG`."), "Z0_LAG is nothing that z0 has"],
  [saying("Look into `src/heal.cpp`."), "src/heal.cpp is nothing that z0 has"],
  [saying("`ReplicationLags` fires, too."), "ReplicationLags is nothing that z0 has"],
  [saying("For {account_id}."), "nobody fills in {account_id}"],
  [saying("See [that](lag.md)."), "there is no page lag.md"],
  [saying("See [that](cache_misses.md#lag)."), "cache_misses.md has no part lag"],
  [saying("See [that](/lag)."), "there is no page /lag"],
  [saying("See [that](https://example.com/)."), "a link leads to example.com, which is none of the hosts that are known"],
  [saying("<b>Now</b>"), "raw HTML is not shown: <b>"],
  // Its parts.
  [page.replace(/## What it costs\n.*?(?=## First look)/s, ""), "it lacks: What it costs"],
  [page.replace("## Causes", "## Reasons"), "it lacks: Causes"],
  [page.replace(/(## What it means\n.*?)(## What it costs\n.*?)(?=## First look)/s, "$2$1"), "its parts are not: Alerts, What it means, What it costs, First look, Causes, The mend, When it is over, Who owns it"],
  [page.replace(/(## When it is over\n).*?(?=## Who)/s, "$1\n"), "When it is over says nothing"],
  [page.replace(/## First look\n.*?(?=## Causes)/s, "## First look\n\nLook.\n\n"), "First look has no command"],
  [page.replace(/```sh\n.*?```\n/s, ""), "no command in the first 10 lines"],
  [`# Another\n\n${page}`, "a page has one title"],
  [page.replace(/(## Causes\n).*?(?=## The mend)/s, "$1\nNobody knows.\n\n"), "it names no cause"],
  [page.replace("### The queue stands still", "### The queue sleeps"), "each cause has its mend, in the same order and words"],
  [without("Owner: [platform](owners.md#platform).\n"), "Alerts does not name its owner, platform"],
  [without("[platform](owners.md#platform). Escalate"), "Who owns it does not name its owner, platform"],
  // Its alerts.
  [without("| `ReplicationLag` | critical | above 60 s |\n"), "its alerts lack the row: `ReplicationLag` | critical | above 60 s"],
  [page.replace("above 60 s |", "above 90 s |"), "no rule fires like this: `ReplicationLag` | critical | above 90 s"],
];

test("A page that is broken is told by its name and its fault", () => {
  for (const [text, fault] of brokenPages) {
    assert.notEqual(text, page, fault);
    const found = faultsOf({ pages: new Map(pages).set("replication_lag", text), rules, known, tests });
    assert.ok(found.includes(`replication_lag.md: ${fault}`), `${fault}: ${JSON.stringify(found)}`);
  }
});

/** A change of one rule, and the fault that it makes. @type {[Partial<Rule>, string][]} */
const brokenRules = [
  [{ runbook: "lag" }, "it has no runbook: lag.md"],
  [{ runbook: "owners" }, "it has no runbook: owners.md"],
  [{ owner: "somebody" }, "nobody is called somebody in owners.md"],
  [{ summary: "" }, "its summary is no sentence"],
  [{ name: "ReplicationLagOfSomebody" }, "no test names it"],
  [{ signal: { sum: { metric: "z0_errors_total", where: { error_code: "budget_exceeded" } } }, window: "5m" }, "no error_code is budget_exceeded"],
];

test("A rule without page, owner, summary or test is told by its name", () => {
  for (const [change, fault] of brokenRules) {
    const broken = rules.map((rule) => (rule.name === "ReplicationLag" ? { ...rule, ...change } : rule));
    const found = faultsOf({ pages, rules: broken, known, tests });
    assert.ok(found.includes(`${change.name ?? "ReplicationLag"}: ${fault}`), `${fault}: ${JSON.stringify(found)}`);
  }
});

test("A page that no rule leads to is an orphan", () => {
  const found = faultsOf({ pages: new Map(pages).set("nobody", page), rules, known, tests });
  assert.ok(found.includes("nobody.md: no rule leads to it"));
});

test("A page as it should be has no fault when a command, a word or a link more is one that exists", () => {
  const more = [
    running("./scripts/z0 facts acct_acme --type charge,cost --from-seq 1 --json | head"),
    running(`./scripts/z0 export --all \\\n  -o all.ndjson`),
    saying("`POST /v1/ledgers/{entity_id}/reconcile?from=start` answers `storage_error`, `http_503` or `manual_review`."),
    saying("`error_code=timeout`, `z0.trap`, `src/metrics/README.md`, `--settled`, `BudgetState`, `ReplicationLag`."),
    saying("[Live](/), [misses](cache_misses.md#causes), [status](https://www.cloudflarestatus.com/)."),
  ];
  for (const text of more) {
    assert.notEqual(text, page);
    assert.deepEqual(faultsOf({ pages: new Map(pages).set("replication_lag", text), rules, known, tests }), []);
  }
  assert.ok(page.includes(command));
});
