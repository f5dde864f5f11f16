// Asks Analytics Engine, locally as deployed: the same SQL goes to the same path, and only the
// address differs.

/**
 * @typedef {object} QueryEnv
 * @property {string} CLOUDFLARE_ACCOUNT_ID locally it may be any
 * @property {string} CLOUDFLARE_API_TOKEN with "Account Analytics: Read"; locally an operator's token of z0
 * @property {string} [ANALYTICS_URL] locally z0's own address; Cloudflare's when absent
 */

/** @typedef {{ meta: { name: string, type: string }[], data: Record<string, any>[], rows: number }} Result */

const CLOUDFLARE = "https://api.cloudflare.com";
const TIMEOUT_MS = 30_000;

/** What Analytics Engine did not answer, with its words. */
export class QueryError extends Error {
  /**
   * @param {number} status 422 when the query is wrong
   * @param {string} words
   */
  constructor(status, words) {
    super(`Analytics Engine answered ${status}: ${words}`);
    this.status = status;
    this.words = words;
  }
}

/**
 * @param {string} sql without a FORMAT
 * @param {QueryEnv} env
 * @param {typeof fetch} [send]
 * @returns {Promise<Result>}
 */
export async function query(sql, env, send = fetch) {
  const account = encodeURIComponent(env.CLOUDFLARE_ACCOUNT_ID);
  const url = new URL(
    `/client/v4/accounts/${account}/analytics_engine/sql`,
    env.ANALYTICS_URL ?? CLOUDFLARE,
  );
  const response = await send(url, {
    method: "POST",
    headers: { authorization: `Bearer ${env.CLOUDFLARE_API_TOKEN}`, "content-type": "text/plain" },
    body: sql,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new QueryError(response.status, (await response.text()).slice(0, 1000));
  return /** @type {Result} */ (await response.json());
}
