// An alarm that wants to go off again at once does, for as often as it wants.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventually, startZ0 } from "./lib/z0.js";

const ROOT = join(import.meta.dirname, "..", "..");
const ALARM = "bindings/worker/alarm.js";
const TURNS = 100;

// Most alarms are late by a millisecond; some are on time, and set themselves for the moment they run in.
const OBJECT = `import { DurableObject } from "cloudflare:workers";
import { setAlarm } from "./${ALARM}";
export class Again extends DurableObject {
  count = 0;
  turns() { return this.count; }
  begin() { return setAlarm(this.ctx.storage, Date.now()); }
  async alarm() {
    if (++this.count < ${TURNS}) await setAlarm(this.ctx.storage, Date.now());
  }
}
export default {
  async fetch(request, env) {
    const object = env.AGAIN.getByName("one");
    if (request.method === "POST") await object.begin();
    return Response.json(await object.turns());
  },
};`;

test("An alarm that sets itself for now goes off again", async (t) => {
  const modules = {
    "again.js": { type: "esm", contents: OBJECT },
    [ALARM]: { type: "esm", contents: readFileSync(join(ROOT, ALARM), "utf8") },
  };
  const again = {
    config: {
      name: "again",
      compatibilityDate: "2026-11-01",
      manifest: { mainModule: "again.js", modulesRoot: ROOT, modules },
      exports: { Again: { type: "durable-object", storage: "sqlite" } },
      env: { AGAIN: { type: "durable-object", worker: "again", exportName: "Again" } },
    },
  };
  const z0 = await startZ0({ beside: [again] });
  t.after(() => z0.dispose());
  const worker = await z0.mf.getWorker("again");
  /** @param {string} method */
  const turns = async (method) => (await worker.fetch("http://again/", { method })).json();
  await turns("POST");
  await eventually("the last turn", async () => (await turns("GET")) === TURNS);
});
