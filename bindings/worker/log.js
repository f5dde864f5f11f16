// The shim's own log lines, structured like the core's.

/**
 * @param {string} event
 * @param {unknown} error
 */
export function logError(event, error) {
  console.error(JSON.stringify({ level: "error", event, error: messageOf(error) }));
}

/**
 * What an invocation did, as the Tail Worker reads it.
 * @param {string[]} spans JSON
 */
export function logSpans(spans) {
  console.log(`{"z0":"spans","service":"z0","spans":[${spans.join(",")}]}`);
}

/**
 * What is thrown is not always an Error.
 * @param {unknown} error
 */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
