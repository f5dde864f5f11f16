// Routes that a benchmark adds to a Worker, so that a Durable Object can be driven from inside with
// ready-made calls: what is then measured is the object and the hop, and a loop against an object
// that does nothing measures the hop.

/**
 * @typedef {object} Driver
 * @property {(request: Request) => Promise<unknown>} prepare makes the call of this request
 * @property {(n: number, stream: number) => Promise<unknown>} loop makes it n times with new ids
 * @property {(n: number) => Promise<unknown>} noop the same against an object that does nothing
 */

/**
 * Answers /bench/...; null for all else. @param {Request} request @param {Driver} driver
 * @returns {Promise<Response | null>}
 */
export async function benchRoutes(request, driver) {
  const url = new URL(request.url);
  if (!url.pathname.startsWith("/bench/")) return null;
  const n = Number(url.searchParams.get("n") ?? 1);
  const stream = Number(url.searchParams.get("stream") ?? 1);
  switch (url.pathname) {
    case "/bench/prepare":
      return Response.json(await driver.prepare(request));
    case "/bench/loop":
      return Response.json(await driver.loop(n, stream));
    case "/bench/noop":
      return Response.json(await driver.noop(n));
    default:
      return new Response("no such route", { status: 404 });
  }
}
