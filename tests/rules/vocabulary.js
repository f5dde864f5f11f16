// What z0 has that a runbook may name, read out of the sources: metrics with their labels, routes with
// their parameters, commands, scripts, pages, files, and the words that z0 itself uses.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { readCommands } from "./commands.js";

/** @import { Commands } from "./commands.js" */

/**
 * @typedef {object} Vocabulary
 * @property {Map<string, { kind: string, labels: string[] }>} metrics
 * @property {{ method: string, path: string, parameters: string[] }[]} routes
 * @property {Commands} commands
 * @property {Set<string>} scripts
 * @property {Set<string>} pages paths that the dashboard answers, without those of runbooks
 * @property {Set<string>} words statuses, error codes, labels, events, columns, bindings ...
 * @property {Set<string>} errorCodes what the label error_code can be
 * @property {Set<string>} wrangler its commands, "queues info"
 * @property {(path: string) => boolean} hasFile
 */

/** @param {string} text registry.cpp */
export function metricsOf(text) {
  const labels = new Map(
    [...text.matchAll(/constexpr std::string_view (\w+)\[\] = \{([^}]*)\};/g)].map(
      ([, name, list]) => [name, [...list.matchAll(/"(\w+)"/g)].map(([, label]) => label)],
    ),
  );
  const rows = text.matchAll(/\{"(z0_\w+)", (\w+), "\w+", (\w+|\{\}),/g);
  return new Map([...rows].map(([, name, kind, by]) => [name, { kind: kind.replace("_kind", ""), labels: labels.get(by) ?? [] }]));
}

/** @param {string} text routes.cpp */
export function routesOf(text) {
  const rows = [...text.matchAll(/^ {4}\{"(GET|POST|PUT)", "([^"]+)"(.*?)(?=^ {4}\{"|^\};)/gms)];
  return rows.map(([, method, path, rest]) => ({
    method,
    path,
    parameters: (/",([\w,]+),"/.exec(rest)?.[1] ?? "").split(",").filter(Boolean),
  }));
}

/** @param {string} root @param {string} directory @param {RegExp} names */
const textsIn = (root, directory, names) =>
  readdirSync(join(root, directory), { recursive: true, encoding: "utf8" })
    .filter((file) => names.test(file))
    .map((file) => [`${directory}/${file}`, readFileSync(join(root, directory, file), "utf8")]);

/** @param {string} text */
const quoted = (text) => [...text.matchAll(/"([^"\\\n]{1,60})"/g)].map(([, word]) => word);

/** @param {string} root @returns {Vocabulary} */
export function readVocabulary(root) {
  const read = (/** @type {string} */ file) => readFileSync(join(root, file), "utf8");
  // Rules name what they watch themselves: they are no witness of it.
  const core = textsIn(root, "src", /\.[ch]pp$/).filter(([file]) => !file.startsWith("src/alerts/"));
  const shim = ["worker", "tail", "client", "cli"].flatMap((part) => textsIn(root, `bindings/${part}`, /\.(js|cpp|hpp)$/));
  const statuses = [...read("src/base/status.cpp").matchAll(/Z0_ROW\(\s*(\w+), \d+, (\w+)/g)];
  const counted = [...core, ...shim].flatMap(([, text]) =>
    [...text.matchAll(/[cC]ount_?[eE]rror\((?:[^;]*?)\);/g)].flatMap(([call]) => quoted(call)),
  );
  const metrics = metricsOf(read("src/metrics/registry.cpp"));
  const words = new Set([
    ...[...core, ...shim].flatMap(([, text]) => quoted(text)),
    ...quoted(read("wrangler.toml")),
    ...statuses.map(([, name]) => name),
    ...textsIn(root, "bindings/d1/migrations", /\.sql$/).flatMap(([, text]) => text.match(/\b[a-z_]+\b/g) ?? []),
    ...shim.flatMap(([, text]) => text.match(/\bZ0_[A-Z_]+\b/g) ?? []),
    ...[...metrics.values()].flatMap(({ labels }) => labels),
    "tenant_id",
  ]);
  const cli = read("node_modules/wrangler/wrangler-dist/cli.js");
  const dashboard = readdirSync(join(root, "bindings/dashboard")).filter((file) => file.endsWith(".html"));
  return {
    metrics,
    routes: routesOf(read("src/edge/routes.cpp")),
    commands: readCommands(root),
    scripts: new Set(readdirSync(join(root, "scripts")).filter((name) => !name.includes("."))),
    pages: new Set(dashboard.map((file) => `/${file.replace(/(index)?\.html$/, "")}`)),
    words,
    errorCodes: new Set([
      ...statuses.filter(([, , category]) => category === "transient" || category === "budget").map(([, name]) => name),
      ...counted,
    ]),
    wrangler: new Set([...cli.matchAll(/command: "wrangler ([a-z0-9 -]+)"/g)].map(([, name]) => name)),
    hasFile: (path) => existsSync(join(root, path)),
  };
}
