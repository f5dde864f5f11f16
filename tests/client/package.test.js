// What is packed is what works: the tarball, installed into an empty project, imports and has its types.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const root = join(import.meta.dirname, "..", "..");
const directory = mkdtempSync(join(tmpdir(), "z0-client-"));
after(() => rmSync(directory, { recursive: true, force: true }));

/** @param {string} program @param {string[]} args */
const run = (program, args, cwd = directory) =>
  execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

// What a newcomer writes: types are checked as strictly as TypeScript can.
const PROGRAM = `import { createClient, spanName, tool, type Receipt } from "@z0/client";

const SELL = spanName("z0.worker.shop.sell");
const OPENAI = tool("openai", { operations: ["completion"] });

export default {
  async fetch(request: Request, env: { Z0: Fetcher; Z0_TOKEN: string }, ctx: ExecutionContext) {
    const client = createClient({
      ...{ z0: env.Z0, token: env.Z0_TOKEN, service: "shop", tenant: "acme" },
      ...{ account: "acct_acme", asset: "ast_shop", ctx, request },
    });
    return client.span(SELL, async (z0) => {
      const answer: Response = await z0.externalTool(OPENAI, "completion", ({ fetch }) => fetch("https://x.example"), {
        cost: (reply) => (reply.ok ? 3 : 0),
      });
      const decision = await z0.routingDecision("z0.worker.shop.route", async () => ({ result: "a", reason: "b", buyer: 1 }));
      const budget: number = await z0.cacheRead("budget", () => undefined, async () => 5);
      const receipts: Receipt[] = await z0.recordFacts({ type: "charge", entity_id: "acct_1", amount: budget }).receipts();
      return new Response(String(decision.buyer + answer.status + receipts.length));
    });
  },
};
`;

test("The package installs from its tarball, imports, and its types hold", () => {
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", directory, join(root, "bindings/client")]));
  const names = packed.files.map((/** @type {{ path: string }} */ { path }) => path);
  for (const name of ["index.js", "index.d.ts", "README.md", "package.json"]) assert.ok(names.includes(name), name);
  writeFileSync(join(directory, "package.json"), JSON.stringify({ name: "shop", private: true, type: "module" }));
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(directory, packed.filename)]);
  assert.equal(
    run("node", ["-e", 'import("@z0/client").then((z0) => console.log(Object.keys(z0).sort().join()))']).trim(),
    "createClient,spanName,tool",
  );
  mkdirSync(join(directory, "src"));
  writeFileSync(join(directory, "src", "index.ts"), PROGRAM);
  const types = join(root, "node_modules", "@cloudflare", "workers-types");
  const options = { strict: true, noEmit: true, target: "es2024", lib: ["es2024"], module: "nodenext", skipLibCheck: false, types: [types] };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["src"] }));
  run(join(root, "node_modules", ".bin", "tsc"), ["-p", "."]);
});

test("The version that spans name is the package's, and it depends on nothing", () => {
  const own = JSON.parse(readFileSync(join(root, "bindings/client/package.json"), "utf8"));
  assert.match(readFileSync(join(root, "bindings/client/telemetry.js"), "utf8"), new RegExp(`VERSION = "${own.version}"`));
  assert.equal(own.dependencies, undefined);
});

test("The example is bundled as a deploy would bundle it, with its two other entrypoints", () => {
  const out = join(directory, "example");
  const config = join(root, "bindings", "example", "wrangler.toml");
  const quiet = { WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", WRANGLER_LOG_PATH: join(directory, "log") };
  execFileSync(join(root, "node_modules", ".bin", "wrangler"), ["deploy", "--dry-run", "-c", config, "--outdir", out], {
    cwd: directory,
    env: { ...process.env, ...quiet },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const bundle = readFileSync(join(out, "index.js"), "utf8");
  for (const name of ["OpenAi", "Twilio", "default"]) assert.match(bundle, new RegExp(`export \\{[^}]*\\b${name}\\b`));
});
