// The parser of ClickHouse's dialect: a module of WebAssembly that is compiled before it runs, as
// Workers demand, and instantiated with the first query. It is 22 MB, and one of the reasons why
// this Worker stays on the machine of whoever develops.

import polyglot from "@polyglot-sql/sdk/manual";
import wasm from "@polyglot-sql/sdk/polyglot_sql.wasm";

/** @import { Parsed } from "./sql/translate.js" */

/** @type {Promise<void> | undefined} */
let ready;

/** @returns {Promise<(query: string) => Parsed>} */
export async function parser() {
  // Its types know addresses only; what it does with a module is to instantiate it.
  ready ??= polyglot
    .init({ wasmUrl: /** @type {any} */ (wasm) })
    .catch((/** @type {unknown} */ error) => {
      ready = undefined;
      throw error;
    });
  await ready;
  return (query) => polyglot.parse(query, "clickhouse");
}
