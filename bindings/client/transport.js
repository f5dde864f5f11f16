// One request to z0, with a bound in time, and what its answer says about trying again.

/**
 * @typedef {object} Target
 * @property {((input: string, init: RequestInit) => Promise<Response>) | null} fetch null where no z0 is bound
 * @property {string} url in front of a path
 * @property {string} token
 */
/**
 * @typedef {object} Host what the client has of the world; tests pass their own
 * @property {() => number} now ms since 1970
 * @property {(ms: number, end?: AbortSignal) => Promise<void>} sleep returns earlier when the signal comes
 * @property {(bytes: number) => string} randomHex
 */
/**
 * @typedef {object} Answer
 * @property {"taken" | "again" | "lost" | "refused"} what again: it was not taken and may be later; lost:
 *   nobody knows whether it was taken
 * @property {number} status 0 without an answer
 * @property {number} waitMs that z0 asks for; 0 when it does not
 * @property {any} body parsed, null when it is no JSON
 * @property {string} why
 */

const RETRIED = [429, 502, 503, 504];
const RETRY_AFTER_MS_MAX = 300_000;
// z0's answer to a thousand facts is some 300 KB.
const ANSWER_CHARACTERS_MAX = 4 << 20;

/**
 * Never rejects.
 * @param {Host} host
 * @param {Target} target
 * @param {string} path
 * @param {string} body
 * @param {number} timeoutMs
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Answer>}
 */
export async function post(host, target, path, body, timeoutMs, headers = {}) {
  if (target.fetch === null) return answer("again", { why: "no z0 is bound" });
  const abort = new AbortController();
  const answered = new AbortController();
  /** @type {Promise<Answer>} */
  const late = host.sleep(timeoutMs, answered.signal).then(() => {
    abort.abort();
    return answer("lost", { why: `no answer within ${timeoutMs} ms` });
  });
  const asked = ask(host, target.fetch, target.url + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(target.token === "" ? {} : { authorization: `Bearer ${target.token}` }),
      ...headers,
    },
    body,
    signal: abort.signal,
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    answered.abort();
  }
}

/**
 * @param {Host} host
 * @param {NonNullable<Target["fetch"]>} fetch
 * @param {string} url
 * @param {RequestInit} init
 * @returns {Promise<Answer>}
 */
async function ask(host, fetch, url, init) {
  try {
    const response = await fetch(url, init);
    const text = await response.text();
    const { status } = response;
    const read = { status, body: parsed(text), waitMs: pauseOf(host, response.headers.get("retry-after")) };
    if (response.ok) return answer("taken", read);
    const why = read.body?.message ?? `z0 answered ${status}`;
    if (RETRIED.includes(status)) return answer("again", { ...read, why });
    // It may have done its work before it failed.
    return answer(status >= 500 ? "lost" : "refused", { ...read, why });
  } catch (error) {
    return answer("again", { why: error instanceof Error ? error.message : String(error) });
  }
}

/**
 * @param {Answer["what"]} what
 * @param {Partial<Answer>} rest
 * @returns {Answer}
 */
function answer(what, rest) {
  return { what, status: 0, waitMs: 0, body: null, why: "", ...rest };
}

/** @param {string} text */
function parsed(text) {
  if (text === "" || text.length > ANSWER_CHARACTERS_MAX) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Retry-After: seconds, or a date.
 * @param {Host} host
 * @param {string | null} header
 */
function pauseOf(host, header) {
  if (header === null || header.trim() === "") return 0;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - host.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX) : 0;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** @type {Host} */
export const realHost = {
  now() {
    // A Worker's clock has whole ms, and stands between I/O; elsewhere there is a finer one.
    const { navigator } = /** @type {{ navigator?: { userAgent?: string } }} */ (globalThis);
    const isWorker = navigator?.userAgent === "Cloudflare-Workers";
    return isWorker ? Date.now() : performance.timeOrigin + performance.now();
  },
  sleep(ms, end) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      end?.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  },
  randomHex(bytes) {
    let hex = "";
    for (const byte of crypto.getRandomValues(new Uint8Array(bytes))) hex += HEX[byte];
    return hex;
  },
};
