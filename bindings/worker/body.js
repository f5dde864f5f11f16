// Reads a request's body without trusting it to be small, compressed or not.

import { gunzipSync } from "node:zlib";

// limits::body_bytes_max and one byte: enough for the core to see that there was more.
export const BODY_BYTES_READ = 4 * 1024 * 1024 + 1;

const EMPTY = new Uint8Array(0);

/**
 * At most BODY_BYTES_READ bytes; the rest is not received. A body in gzip is decompressed, and then
 * `encoding` is null; what cannot be decompressed comes as it was sent, and the core says what is
 * wrong with it.
 * @param {Request} request
 * @returns {Promise<{body: Uint8Array, encoding: string | null}>}
 */
export async function readBody(request) {
  const encoding = request.headers.get("content-encoding");
  const body = await receive(request);
  const decompressed = isGzip(encoding) && body.length < BODY_BYTES_READ ? gunzip(body) : null;
  return decompressed ? { body: decompressed, encoding: null } : { body, encoding };
}

/** @param {string | null} encoding a name in any case, and the one that is as old as the web */
function isGzip(encoding) {
  return encoding !== null && /^(x-)?gzip$/i.test(encoding.trim());
}

/**
 * Null for what is no gzip. zlib stops at the limit by itself; a DecompressionStream inflates all of
 * what was written to it before anybody can stop reading, and 1 MB that becomes a gigabyte took it
 * twelve seconds and 640 MB.
 * @param {Uint8Array} body
 * @returns {Uint8Array | null}
 */
function gunzip(body) {
  try {
    return gunzipSync(body, { maxOutputLength: BODY_BYTES_READ });
  } catch (error) {
    // Too large once decompressed; what is in it will not be read.
    return error instanceof RangeError ? new Uint8Array(BODY_BYTES_READ) : null;
  }
}

/** @param {Request} request */
async function receive(request) {
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
