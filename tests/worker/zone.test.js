// What the clocks of a zone show, and when that changes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { zoneAt } from "../../bindings/worker/zone.js";

const DAY_MS = 86_400_000;
const at = (/** @type {string} */ text) => Date.parse(text);

test("The offset of a zone holds for a day, or until its clocks change", () => {
  /** @type {[string, string, number, string | undefined][]} */
  const rows = [
    ["Europe/Berlin", "2025-12-01T00:00:00Z", 60, undefined],
    ["Europe/Berlin", "2025-07-01T00:00:00Z", 120, undefined],
    ["Europe/Berlin", "2026-03-28T12:00:00Z", 60, "2026-03-29T01:00:00Z"],
    ["Europe/Berlin", "2026-03-29T00:59:59.999Z", 60, "2026-03-29T01:00:00Z"],
    ["Europe/Berlin", "2026-03-29T01:00:00Z", 120, undefined],
    ["Europe/Berlin", "2026-10-25T00:30:00Z", 120, "2026-10-25T01:00:00Z"],
    ["America/New_York", "2026-11-01T00:00:00Z", -240, "2026-11-01T06:00:00Z"],
    ["America/St_Johns", "2026-01-10T00:00:00Z", -210, undefined],
    ["Asia/Kathmandu", "2026-01-10T00:00:00Z", 345, undefined],
    ["Australia/Lord_Howe", "2026-04-04T12:00:00Z", 660, "2026-04-04T15:00:00Z"],
    ["UTC", "2026-01-10T00:00:00Z", 0, undefined],
    ["Etc/GMT+12", "2026-01-10T00:00:00Z", -720, undefined],
  ];
  for (const [zone, now, offsetMin, until] of rows) {
    const untilMs = until === undefined ? at(now) + DAY_MS : at(until);
    assert.deepEqual(zoneAt(zone, at(now)), { offsetMin, untilMs }, `${zone} ${now}`);
  }
});

test("There is no zone of a name that the database does not have", () => {
  for (const zone of ["Europe/Atlantis", "", "Berlin", "../etc/passwd"])
    assert.equal(zoneAt(zone, 0), undefined, zone);
});
