// src/metrics/README.md: Analytics Engine's stand-in answers each query of the page, by the slots of the page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startAnalytics } from "./lib/analytics.js";

const page = readFileSync(join(import.meta.dirname, "..", "..", "src", "metrics", "README.md"), "utf8");
const queries = (/```sql\n([\s\S]*?)```/.exec(page)?.[1] ?? "").split(";\n").filter(Boolean);
const metrics = [...page.matchAll(/^\| `(z0_\w+)`\*? \| (\w+) \|/gm)].map(([, name, kind]) => ({ name, kind }));

describe("The queries of the page of metrics", () => {
  /** @type {import("./lib/analytics.js").Analytics} */
  let analytics;
  before(async () => {
    analytics = await startAnalytics();
    const timestamp = Math.floor(Date.now() / 1000) - 60;
    await analytics.write(
      metrics.flatMap(({ name }) =>
        [2, 3].map((howMuch) => ({
          timestamp,
          indexes: ["north"],
          blobs: [name, "label"],
          doubles: [howMuch, 7],
        })),
      ),
    );
  });
  after(() => analytics?.dispose());

  test("There is one for each metric", () => {
    assert.ok(metrics.length >= 25);
    assert.equal(queries.length, metrics.length);
  });

  for (const [i, { name, kind }] of metrics.entries()) {
    test(`That of ${name} has its answer`, async () => {
      const { status, text, json } = await analytics.ask(queries[i]);
      assert.equal(status, 200, text);
      const values = Object.values(json.data[0]);
      assert.equal(Number(values.at(-1)), kind === "counter" ? 5 : 7);
      if (values.length === 2) assert.equal(values[0], "label");
    });
  }
});
