// Counts what the platform bills, where it happens: rows of Durable Objects from the cursors, rows
// of D1 from the results' meta, calls of objects, messages, data points. Patches prototypes, since
// an object's own storage cannot be wrapped. What objects do counts by what they are there for: facts
// ("do"), metrics, traces.

/** @typedef {"do" | "metrics" | "traces"} Kind */

export const counters = {
  do_rows_written: 0,
  do_rows_read: 0,
  do_requests: 0,
  do_alarms_set: 0,
  do_ms: 0,
  metrics_rows_written: 0,
  metrics_rows_read: 0,
  metrics_requests: 0,
  metrics_alarms_set: 0,
  metrics_ms: 0,
  traces_rows_written: 0,
  traces_rows_read: 0,
  traces_requests: 0,
  traces_alarms_set: 0,
  traces_ms: 0,
  log_events: 0,
  platform_spans: 0,
  d1_rows_written: 0,
  d1_rows_read: 0,
  d1_statements: 0,
  messages: 0,
  message_bytes: 0,
  queue_operations: 0,
  consumed_batches: 0,
  points: 0,
};

/** @type {{cursor: {rowsWritten: number, rowsRead: number}, kind: Kind}[]} */
let cursors = [];
/** Whose a storage is. @type {WeakMap<object, Kind>} */
const kinds = new WeakMap();
const OPERATION_BYTES = 64_000;
const MESSAGE_METADATA_BYTES = 100;

/** The counts since the last time, with the cursors that have been drained meanwhile. */
export function takeCounters() {
  drain();
  const taken = { ...counters };
  for (const name of /** @type {(keyof typeof counters)[]} */ (Object.keys(counters)))
    counters[name] = 0;
  return taken;
}

function drain() {
  for (const { cursor, kind } of cursors) {
    counters[`${kind}_rows_written`] += cursor.rowsWritten;
    counters[`${kind}_rows_read`] += cursor.rowsRead;
  }
  cursors = [];
}

/** @param {any} prototype @param {string} name @param {(original: Function) => Function} wrap */
function patch(prototype, name, wrap) {
  const original = prototype[name];
  if (typeof original !== "function" || original.metered) return;
  const wrapped = wrap(original);
  /** @type {any} */ (wrapped).metered = true;
  Object.defineProperty(prototype, name, { value: wrapped, writable: true, configurable: true });
}

/** @param {object} storage or what runs its statements */
function kindOf(storage) {
  const kind = kinds.get(storage);
  if (kind === undefined) throw new Error("a storage that nobody announced");
  return kind;
}

/**
 * Counts the rows of an object's storage. To be called for each object.
 * @param {any} storage
 * @param {Kind} [kind]
 */
export function meterStorage(storage, kind = "do") {
  kinds.set(storage, kind);
  kinds.set(storage.sql, kind);
  patch(
    Object.getPrototypeOf(storage.sql),
    "exec",
    (exec) =>
      function (/** @type {any} */ ...args) {
        // @ts-ignore: `this` is the SqlStorage.
        const [cursor, kind] = [exec.apply(this, args), kindOf(this)];
        cursors.push({ cursor, kind });
        if (cursors.length > 4096) drain();
        return cursor;
      },
  );
  // Setting an alarm is billed as a row written.
  for (const name of ["setAlarm", "deleteAlarm"]) {
    patch(
      Object.getPrototypeOf(storage),
      name,
      (alarm) =>
        function (/** @type {any} */ ...args) {
          // @ts-ignore: as above.
          counters[`${kindOf(this)}_alarms_set`]++;
          // @ts-ignore: `this` is the DurableObjectStorage.
          return alarm.apply(this, args);
        },
    );
  }
}

/** @param {any} database */
function meterD1(database) {
  const count = (/** @type {any} */ result) => {
    counters.d1_statements++;
    counters.d1_rows_written += result?.meta?.rows_written ?? 0;
    counters.d1_rows_read += result?.meta?.rows_read ?? 0;
    return result;
  };
  const counted = (/** @type {Function} */ run) =>
    async function (/** @type {any} */ ...args) {
      // @ts-ignore: `this` is the statement.
      return count(await run.apply(this, args));
    };
  const statement = Object.getPrototypeOf(database.prepare("SELECT 1"));
  patch(statement, "run", counted);
  patch(statement, "all", counted);
  patch(
    Object.getPrototypeOf(database),
    "batch",
    (batch) =>
      async function (/** @type {any} */ ...args) {
        // @ts-ignore: `this` is the D1Database.
        const results = await batch.apply(this, args);
        results.forEach(count);
        return results;
      },
  );
}

/** @param {any} body */
const sizeOf = (body) =>
  body?.byteLength ?? (typeof body === "string" ? body.length : JSON.stringify(body).length);

/** @param {any} body */
function countMessage(body) {
  const bytes = sizeOf(body);
  counters.messages++;
  counters.message_bytes += bytes;
  // Written, read and deleted, each once for every 64 KB (of 1,000 bytes) that was begun.
  counters.queue_operations += 3 * Math.ceil((bytes + MESSAGE_METADATA_BYTES) / OPERATION_BYTES);
}

/** @param {any} queue */
function meterQueue(queue) {
  return {
    send: (/** @type {any} */ body, /** @type {any} */ options) => (
      countMessage(body),
      queue.send(body, options)
    ),
    sendBatch: (/** @type {any[]} */ list, /** @type {any} */ options) => (
      list.forEach((m) => countMessage(m.body)),
      queue.sendBatch(list, options)
    ),
  };
}

/** The bindings with counters in between. @param {any} env */
export function meterEnv(env) {
  const metered = { ...env };
  if (env.DB) meterD1(env.DB);
  if (env.FACTS_QUEUE) metered.FACTS_QUEUE = meterQueue(env.FACTS_QUEUE);
  if (env.METRICS)
    metered.METRICS = {
      writeDataPoint: (/** @type {any} */ p) => (counters.points++, env.METRICS.writeDataPoint(p)),
    };
  return metered;
}

/**
 * Counts each of these methods, once called on an object, as a request of it, and the time until it is
 * done: 1 ms at least, since the clock of an object stands still between I/O.
 * @param {any} prototype
 * @param {string[]} names
 * @param {(self: any) => Kind} [of]
 */
export function meterObject(prototype, names, of = () => "do") {
  for (const name of names) {
    patch(
      prototype,
      name,
      (method) =>
        async function (/** @type {any} */ ...args) {
          // @ts-ignore: `this` is the object.
          const kind = of(this);
          counters[`${kind}_requests`]++;
          const begun = Date.now();
          try {
            // @ts-ignore: as above.
            return await method.apply(this, args);
          } finally {
            counters[`${kind}_ms`] += Math.max(1, Date.now() - begun);
          }
        },
    );
  }
}
