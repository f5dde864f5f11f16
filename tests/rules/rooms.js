// The layers of the rooms, as src/README.md lists them, and what an include does against them. The page
// and the rule are one: a row there is what is allowed here.

/** @typedef {Map<string, { layer: string, uses: Set<string> | "everything" }>} Table */

// Siblings: none includes another, and their private headers are theirs alone.
const CLOSED_LAYER = "L6";
const ALL = "core";

/**
 * The rows of a fenced block that begins like this: "L0 base:", "   tree: base json", one a room. What
 * stands two blanks behind the list is a remark.
 * @param {string} page
 * @param {RegExp} firstRow
 * @returns {Table}
 */
export function readTable(page, firstRow) {
  const block = page
    .split(/^```.*$/m)
    .filter((_, i) => i % 2 === 1)
    .find((text) => firstRow.test(text.trimStart()));
  /** @type {Table} */
  const table = new Map();
  let layer = "";
  for (const row of (block ?? "").split("\n").filter((line) => line.trim() !== "")) {
    const parts = /^\s*(L\d+)?\s*([a-z_]+):[ ]*(.*)$/.exec(row);
    if (parts === null) throw new Error(`not a row of the table of rooms: ${row}`);
    layer = parts[1] ?? layer;
    const words = parts[3].split(/ {2,}/)[0].split(" ").filter(Boolean);
    table.set(parts[2], { layer, uses: words[0] === "everything" ? "everything" : new Set(words) });
  }
  return table;
}

/** A table is one only when each room uses rooms that stand above it. @param {Table} table */
export function wrongRows(table) {
  const above = new Set();
  const wrong = [];
  for (const [room, { layer, uses }] of table) {
    for (const other of uses === "everything" ? [] : uses) {
      if (!above.has(other)) wrong.push(`${room}: ${other} does not stand above it`);
      else if (layer !== "" && layer === CLOSED_LAYER && table.get(other)?.layer === layer) {
        wrong.push(`${room}: ${other} is its sibling`);
      }
    }
    above.add(room);
  }
  return wrong;
}

/**
 * What is wrong with the includes of one file, each as "room: include: why".
 * @param {Table} table
 * @param {string} room of the file
 * @param {string} text
 * @param {string} [publicPrefix] in front of the room, for headers that others see
 */
export function wrongIncludes(table, room, text, publicPrefix = "z0/") {
  const row = table.get(room);
  if (row === undefined) return [`${room}: not a room of the table`];
  const wrong = [];
  for (const [, path] of text.matchAll(/^\s*#\s*include\s*"([^"]+)"/gm)) {
    const isPublic = publicPrefix !== "" && path.startsWith(publicPrefix);
    const parts = (isPublic ? path.slice(publicPrefix.length) : path).split("/");
    // A file beside the one that includes it, or the C header.
    if (parts.length < 2) continue;
    const [other] = parts;
    const target = table.get(other);
    if (target === undefined) wrong.push(`${room}: ${path}: not a room of the table`);
    else if (other === room) continue;
    else if (row.uses !== "everything" && !row.uses.has(other)) {
      wrong.push(`${room}: ${path}: the table does not allow it`);
    } else if (!isPublic && target.layer === CLOSED_LAYER && room !== ALL) {
      wrong.push(`${room}: ${path}: a private header`);
    }
  }
  return wrong;
}
