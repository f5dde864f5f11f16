// Names: a column of the source, or an alias of this SELECT, which may stand in any of its clauses
// and in other expressions of it.

import { refuse } from "./refused.js";
import { shownName } from "./tree.js";

/** @import { Select, Tree } from "./tree.js" */
/** @import { Value } from "./types.js" */

/** @typedef {{ name: string, tree: Tree }} Column of the result */

// Aliases of aliases double what they stand for with each step.
const NODES_MAX = 4_000;
// Of SQLite in a Durable Object there are 100.
const COLUMNS_MAX = 90;

export class Names {
  /**
   * @param {Select} query
   * @param {Map<string, Value>} source
   */
  constructor(query, source) {
    this.source = source;
    this.nodes = 0;
    /** @type {Map<string, Tree>} */
    this.aliases = new Map();
    for (const { tree, alias } of query.columns) {
      if (alias === null || tree === null) continue;
      if (this.aliases.has(alias)) refuse(`two expressions have the alias ${alias}`);
      this.aliases.set(alias, tree);
    }
    /** @type {Column[]} */
    this.columns = query.columns.flatMap(({ tree, alias }) => this.#columnsOf(tree, alias));
    if (this.columns.length > COLUMNS_MAX) refuse(`a result has at most ${COLUMNS_MAX} columns`);
  }

  /** @param {Tree | null} tree @param {string | null} alias @returns {Column[]} */
  #columnsOf(tree, alias) {
    if (tree !== null) {
      const active = alias === null ? [] : [alias];
      return [{ name: alias ?? shownName(tree), tree: this.expanded(tree, active) }];
    }
    if (this.source.size === 0) refuse("SELECT * needs a table");
    return [...this.source.keys()].map((name) => ({ name, tree: { name } }));
  }

  /**
   * The tree over columns of the source alone.
   * @param {Tree} tree
   * @param {string[]} [active] aliases that it is the meaning of; there their names are columns
   * @returns {Tree}
   */
  expanded(tree, active = []) {
    if (++this.nodes > NODES_MAX) refuse("the query is too complex");
    if ("name" in tree) {
      const meant = active.includes(tree.name) ? undefined : this.aliases.get(tree.name);
      return meant === undefined ? tree : this.expanded(meant, [...active, tree.name]);
    }
    if (!("call" in tree)) return tree;
    return { ...tree, args: tree.args.map((arg) => this.expanded(arg, active)) };
  }

  /** @param {string} name @returns {Value} */
  column(name) {
    return this.source.get(name) ?? unknownColumn(name);
  }

  /**
   * What ORDER BY means by a name: the result's columns alone, as in Analytics Engine.
   * @param {string} name
   */
  resultAt(name) {
    return this.columns.findIndex((column) => column.name === name);
  }
}

/** @param {string} name @returns {never} */
export const unknownColumn = (name) => refuse(`unable to find type of column: "${name}"`);
