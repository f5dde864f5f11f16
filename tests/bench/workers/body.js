// Peer (b): the least a Worker can do and still have the data. The body goes unread into one row of
// a Durable Object. With a queue bound it also sends the body on, as z0 does with its facts.
import { DurableObject } from "cloudflare:workers";

const SEND_BYTES_MAX = 120_000;

export class Bodies extends DurableObject {
  /** @param {any} ctx @param {any} env */
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS bodies (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    );
  }

  /** @param {ArrayBuffer} body */
  put(body) {
    this.ctx.storage.sql.exec("INSERT INTO bodies (body) VALUES (?)", body);
    return body.byteLength;
  }
}

export default {
  /** @param {Request} request @param {any} env @param {any} ctx */
  async fetch(request, env, ctx) {
    const body = await request.arrayBuffer();
    const object = request.headers.get("x-object") ?? "root";
    const stored = await env.BODIES.getByName(object).put(body);
    if (env.FACTS_QUEUE) {
      for (let at = 0; at < body.byteLength; at += SEND_BYTES_MAX) {
        ctx.waitUntil(
          env.FACTS_QUEUE.send(
            new Uint8Array(body, at, Math.min(SEND_BYTES_MAX, body.byteLength - at)),
            { contentType: "bytes" },
          ),
        );
      }
    }
    return Response.json({ stored });
  },
};
