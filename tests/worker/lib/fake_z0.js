// In the place of z0: keeps what it is sent, and answers as it was told by POST /test/mode.

/** @type {{ path: string, traceparent: string | null, body: any }[]} */
const got = [];
let mode = "takes";

/** @type {ExportedHandler} */
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/test/mode") {
      mode = await request.text();
      return new Response();
    }
    if (pathname === "/test/got") return Response.json(got.splice(0));
    if (mode === "hangs") return new Promise(() => setTimeout(() => {}, 60_000));
    if (mode === "throws") throw new Error("this z0 is broken");
    const headers = { "retry-after": "1" };
    if (mode === "429" || mode === "500") return new Response("{}", { status: Number(mode), headers });
    const body = /** @type {any} */ (await request.json());
    got.push({ path: pathname, traceparent: request.headers.get("traceparent"), body });
    if (pathname !== "/v1/facts") return Response.json({});
    const results = body.map((/** @type {{ id: string }} */ { id }) => ({ status: "recorded", id, seq: 1, recorded_at: 1 }));
    return Response.json({ results });
  },
};
