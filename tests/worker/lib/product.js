// A product Worker that uses the client, and a stand-in for z0 beside it that does what it is told.

import { createClient, spanName, tool } from "../../../bindings/client/index.js";

const SELL = spanName("z0.worker.shop.sell");
const PONDER = spanName("z0.worker.shop.ponder");
const OPENAI = tool("openai", { operations: ["completion"] });

/** @typedef {{ Z0?: Fetcher, Z0_URL?: string, TOKEN: string }} Env */

/** @type {ExportedHandler<Env>} */
export default {
  async fetch(request, env, ctx) {
    const { searchParams } = new URL(request.url);
    const suffix = searchParams.get("suffix") ?? "";
    const client = createClient({
      ...{ z0: env.Z0 ?? { url: env.Z0_URL ?? "" }, token: env.TOKEN, service: "shop", tenant: "north", ctx, request },
      ...{ account: `acct_shop${suffix}`, asset: `ast_shop${suffix}`, timeoutMs: 2_000 },
    });
    return client.span(SELL, async (z0) => {
      z0.span(PONDER, () => JSON.stringify({ without: "any I/O" }));
      await z0.externalTool(OPENAI, "completion", () => scheduler.wait(5), { cost: 3 });
      const { ids, receipts } = z0.recordFacts({
        type: "deposit",
        entity_id: `acct_shop${suffix}`,
        amount: 100,
      });
      const waited = searchParams.has("receipts") ? await receipts() : undefined;
      return Response.json({ traceId: z0.traceId, ids, receipts: waited, dropped: z0.dropped });
    });
  },
};
