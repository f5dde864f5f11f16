// The only file that talks to z0: one request, what it can answer, and the loop that asks again and again.

/**
 * @template T
 * @typedef {{kind: 'told', told: T}
 *   | {kind: 'denied', reason: 'token' | 'scope'}
 *   | {kind: 'unreachable', reason: string, retryAfterMs: number}} Answer
 */

/**
 * @template T
 * @typedef {object} Question
 * @property {string} path
 * @property {(body: unknown) => T | null} read null for what is not understood
 * @property {number} everyMs
 */

/**
 * @typedef {{kind: 'connecting'}
 *   | {kind: 'live'}
 *   | {kind: 'paused'}
 *   | {kind: 'retrying', reason: string, atMs: number}} LinkState
 */

const FIRST_PAUSE_MS = 1_000;
const TIMEOUT_MS = 10_000;
const PAUSE_MS_MAX = 30_000;

/**
 * Asks once. Never throws: every failure is an answer.
 * @template T
 * @param {Question<T>} question
 * @param {string} token
 * @param {AbortSignal} signal
 * @returns {Promise<Answer<T>>}
 */
async function ask({ path, read }, token, signal) {
  /** @type {unknown} */
  let body;
  try {
    const response = await fetch(path, {
      headers: { authorization: `Bearer ${token}`, accept: "application/json" },
      cache: "no-store",
      credentials: "omit",
      signal,
    });
    if (response.status === 401) return { kind: "denied", reason: "token" };
    if (response.status === 403) return { kind: "denied", reason: "scope" };
    if (!response.ok) {
      const retryAfterS = Number(response.headers.get("retry-after"));
      const retryAfterMs = retryAfterS > 0 ? Math.min(retryAfterS * 1_000, PAUSE_MS_MAX) : 0;
      return { kind: "unreachable", reason: `z0 answered ${response.status}`, retryAfterMs };
    }
    body = await response.json();
  } catch (error) {
    const reason = error instanceof SyntaxError ? "the answer was not JSON" : "no answer";
    return { kind: "unreachable", reason, retryAfterMs: 0 };
  }
  const told = read(body);
  return told === null
    ? { kind: "unreachable", reason: "the answer was not understood", retryAfterMs: 0 }
    : { kind: "told", told };
}

/**
 * The pause after so many failures in a row: 1, 2, 4 ... 30 s, and up to a quarter more, so that many
 * open pages do not come back in step.
 * @param {number} failures
 * @param {number} [random]
 */
export function pauseAfter(failures, random = Math.random()) {
  const pause = Math.min(PAUSE_MS_MAX, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10));
  return pause * (1 + random / 4);
}

/**
 * Asks again and again, one request at a time: the next is planned when the last has ended. Rests while
 * the tab is hidden or the reader paused it.
 * @template T
 */
export class Poller {
  #question;
  #token;
  #onTold;
  #onState;
  #onDenied;
  /** @type {AbortController | null} */
  #inFlight = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #failures = 0;
  #paused = false;
  #stopped = false;

  /**
   * @param {Question<T>} question
   * @param {string} token
   * @param {{onTold: (told: T) => void, onState: (state: LinkState) => void,
   *   onDenied: (reason: 'token' | 'scope') => void}} handlers
   */
  constructor(question, token, { onTold, onState, onDenied }) {
    this.#question = question;
    this.#token = token;
    this.#onTold = onTold;
    this.#onState = onState;
    this.#onDenied = onDenied;
  }

  start() {
    document.addEventListener("visibilitychange", this.wake);
    window.addEventListener("online", this.wake);
    this.#onState({ kind: "connecting" });
    this.#plan(0);
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#inFlight?.abort();
    document.removeEventListener("visibilitychange", this.wake);
    window.removeEventListener("online", this.wake);
  }

  /** @param {boolean} paused */
  setPaused(paused) {
    this.#paused = paused;
    if (paused) {
      clearTimeout(this.#timer);
      this.#onState({ kind: "paused" });
    } else {
      this.#onState({ kind: "connecting" });
      this.wake();
    }
  }

  /** Asks now, unless a request is on its way. */
  wake = () => {
    this.#plan(0);
  };

  get #resting() {
    return this.#stopped || this.#paused || document.visibilityState === "hidden";
  }

  /** @param {number} delayMs */
  #plan(delayMs) {
    clearTimeout(this.#timer);
    if (this.#resting || this.#inFlight !== null) return;
    this.#timer = setTimeout(() => void this.#ask(), delayMs);
  }

  async #ask() {
    const request = new AbortController();
    this.#inFlight = request;
    const startedMs = performance.now();
    const deadline = setTimeout(() => request.abort(), TIMEOUT_MS);
    const answer = await ask(this.#question, this.#token, request.signal);
    clearTimeout(deadline);
    this.#inFlight = null;
    if (this.#stopped) return;
    this.#plan(this.#handle(answer, performance.now() - startedMs));
  }

  /**
   * @param {Answer<T>} answer
   * @param {number} tookMs
   * @returns {number} the pause until the next request
   */
  #handle(answer, tookMs) {
    if (answer.kind === "denied") {
      this.stop();
      this.#onDenied(answer.reason);
      return 0;
    }
    if (answer.kind === "told") {
      this.#failures = 0;
      this.#onTold(answer.told);
      if (!this.#paused) this.#onState({ kind: "live" });
      return Math.max(0, this.#question.everyMs - tookMs);
    }
    this.#failures += 1;
    const pauseMs = Math.max(answer.retryAfterMs, pauseAfter(this.#failures));
    if (!this.#paused)
      this.#onState({ kind: "retrying", reason: answer.reason, atMs: Date.now() + pauseMs });
    return pauseMs;
  }
}
