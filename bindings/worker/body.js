// Reads a request's body without trusting it to be small.

// limits::body_bytes_max and one byte: enough for the core to see that there was more.
export const BODY_BYTES_READ = 4 * 1024 * 1024 + 1;

const EMPTY = new Uint8Array(0);

/**
 * At most BODY_BYTES_READ bytes; the rest is not received.
 * @param {Request} request
 * @returns {Promise<Uint8Array>}
 */
export async function readBody(request) {
  if (request.body === null) return EMPTY;
  // A stated length is kept by the HTTP parser, so such a body can be taken in one go.
  const stated = Number(request.headers.get("content-length") ?? NaN);
  if (stated < BODY_BYTES_READ) return new Uint8Array(await request.arrayBuffer());
  const reader = request.body.getReader();
  const chunks = [];
  let size = 0;
  while (size < BODY_BYTES_READ) {
    const { value, done } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.length;
  }
  await reader.cancel();
  const body = new Uint8Array(Math.min(size, BODY_BYTES_READ));
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, body.length - at);
    body.set(part, at);
    at += part.length;
  }
  return body;
}
