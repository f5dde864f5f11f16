// z0's buckets: what is sent in them merges there without an error.
import assert from "node:assert/strict";
import { test } from "node:test";
import { boundOf, bucketOf, explicit } from "../../bindings/client/histogram.js";
import { Metrics, nanoseconds } from "../../bindings/client/metrics.js";

test("Each value lies in its bucket, and no bucket is wider than a twentieth of what is in it", () => {
  const last = bucketOf(1e12);
  for (let bucket = 0; bucket <= last; bucket++) {
    const above = bucket > 0 ? boundOf(bucket - 1) + 1 : 0;
    const bound = boundOf(bucket);
    assert.deepEqual([bucketOf(above), bucketOf(bound)], [bucket, bucket], `${above} to ${bound}`);
    assert.ok(bound - above <= above / 20, `${above} to ${bound}`);
  }
  assert.equal(boundOf(last), 1e12);
  assert.deepEqual([50, 53, 250, 60_000, 60_001].map((value) => boundOf(bucketOf(value))), [50, 55, 250, 60_000, 62_500]);
  assert.equal(bucketOf(2 ** 50), last);
  assert.equal(bucketOf(0.2), bucketOf(1), "what took time took at least 1 ms");
});

test("Buckets in use are sent between their own bounds, with a count more than bounds", () => {
  const { explicitBounds, bucketCounts } = explicit(new Map([[bucketOf(5), 2], [bucketOf(6), 1], [bucketOf(1_000), 4]]));
  assert.deepEqual(explicitBounds, [4, 5, 6, 975, 1_000]);
  assert.deepEqual(bucketCounts, ["0", "2", "1", "0", "4", "0"]);
  assert.deepEqual(explicit(new Map([[0, 3]])), { explicitBounds: [0], bucketCounts: ["3", "0"] });
});

test("What was taken and not sent comes back without a difference", () => {
  const exemplar = { traceId: "a".repeat(32), spanId: "b".repeat(16), at: 5 };
  const add = (/** @type {Metrics} */ to, /** @type {number} */ ms) =>
    to.add("z0_config_read_duration_ms", "north", { config_type: "routing" }, ms, exemplar);
  const [whole, split] = [new Metrics(), new Metrics()];
  for (const ms of [1, 7, 7, 900]) add(whole, ms);
  for (const ms of [1, 7]) add(split, ms);
  const taken = split.take();
  for (const ms of [7, 900]) add(split, ms);
  assert.equal(split.merge(taken), 0);
  assert.deepEqual(split.otlp(9), whole.otlp(9));
  assert.equal(split.times, 4);
});

test("A metric that z0 does not know cannot be measured", () => {
  const exemplar = { traceId: "", spanId: "", at: 1 };
  assert.throws(() => new Metrics().add("z0_anything_total", "north", {}, 1, exemplar), TypeError);
});

test("Nanoseconds are written without losing any", () => {
  assert.equal(nanoseconds(1_774_915_200_000), "1774915200000000000");
  assert.equal(nanoseconds(1_774_915_200_000.5), "1774915200000500000");
});
