// The metrics that the client measures are z0's: the rows of the registry, read from its source.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { METRICS } from "../../bindings/client/metrics.js";

const source = readFileSync(new URL("../../src/metrics/registry.cpp", import.meta.url), "utf8");
const lists = Object.fromEntries(
  [...source.matchAll(/string_view (\w+)\[\] = \{([^}]*)\};/g)].map(([, name, words]) => [
    name,
    [...words.matchAll(/"(\w+)"/g)].map(([, word]) => word),
  ]),
);
const rows = new Map(
  [...source.matchAll(/\{"(z0_\w+)",\s*(\w+),\s*"[^"]*",\s*(\w+|\{\}),/g)].map(([, name, kind, labels]) => [
    name,
    { kind, labels: lists[labels] ?? [] },
  ]),
);

test("The registry is read", () => assert.ok(rows.size >= 20, `${rows.size} rows`));

for (const [name, metric] of Object.entries(METRICS)) {
  test(`The registry has ${name} with the client's kind and labels`, () => {
    assert.deepEqual(rows.get(name), metric);
  });
}
