// The token: where it comes from, where it is kept, and that it leaves the address bar.

const KEY = "z0.token";

// Storage can be forbidden by the browser; then the token lives as long as the page.
/** @type {string | null} */
let inMemory = null;

/** @returns {string | null} */
export function loadToken() {
  try {
    return sessionStorage.getItem(KEY) ?? inMemory;
  } catch {
    return inMemory;
  }
}

/** @param {string} token */
export function keepToken(token) {
  inMemory = token;
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // Kept in memory.
  }
}

export function forgetToken() {
  inMemory = null;
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // It was never there.
  }
}

export function addressHoldsToken() {
  return new URLSearchParams(location.hash.slice(1)).has("token");
}

/**
 * Takes `#token=...` out of the address, so that it is neither bookmarked, shared nor shown.
 * A fragment never reaches a server.
 * @returns {string | null}
 */
export function takeTokenFromAddress() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get("token");
  if (token === null) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return cleanToken(token);
}

/**
 * What can stand in an Authorization header: people paste the word Bearer, quotes and line ends too.
 * Null when it cannot be a token.
 * @param {string} typed
 * @returns {string | null}
 */
export function cleanToken(typed) {
  const token = typed
    .trim()
    .replace(/^bearer\s+/i, "")
    .replace(/^["']|["']$/g, "");
  return /^[A-Za-z0-9_.~+/=-]{1,4096}$/.test(token) ? token : null;
}
