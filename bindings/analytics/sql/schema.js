// The table that a query sees: one for each dataset, with these columns.

import { Fragment, sql } from "./fragment.js";
import { value } from "./types.js";

/** @import { Value } from "./types.js" */

export const BLOBS_MAX = 20;
export const DOUBLES_MAX = 20;

/** The names of columns stand here as text of SQL, in templates. @type {[string, string, Fragment][]} */
const NAMED = [
  ["dataset", "String", sql`dataset`],
  ["timestamp", "DateTime", sql`timestamp`],
  ["_sample_interval", "UInt32", sql`_sample_interval`],
  ["index1", "String", sql`index1`],
];

const BLOBS = [
  ...[
    sql`blob1`,
    sql`blob2`,
    sql`blob3`,
    sql`blob4`,
    sql`blob5`,
    sql`blob6`,
    sql`blob7`,
    sql`blob8`,
    sql`blob9`,
  ],
  ...[
    sql`blob10`,
    sql`blob11`,
    sql`blob12`,
    sql`blob13`,
    sql`blob14`,
    sql`blob15`,
    sql`blob16`,
    sql`blob17`,
  ],
  ...[sql`blob18`, sql`blob19`, sql`blob20`],
];
const DOUBLES = [
  ...[
    sql`double1`,
    sql`double2`,
    sql`double3`,
    sql`double4`,
    sql`double5`,
    sql`double6`,
    sql`double7`,
  ],
  ...[
    sql`double8`,
    sql`double9`,
    sql`double10`,
    sql`double11`,
    sql`double12`,
    sql`double13`,
    sql`double14`,
  ],
  ...[sql`double15`, sql`double16`, sql`double17`, sql`double18`, sql`double19`, sql`double20`],
];

/** @type {Map<string, Value>} */
export const COLUMNS = new Map([
  ...NAMED.map(([name, type, it]) => /** @type {const} */ ([name, value(type, atomic(it))])),
  ...BLOBS.map((it) => /** @type {const} */ ([it.text, value("String", atomic(it))])),
  ...DOUBLES.map((it) => /** @type {const} */ ([it.text, value("Float64", atomic(it))])),
]);

/** @param {Fragment} it */
function atomic(it) {
  it.atomic = true;
  return it;
}
