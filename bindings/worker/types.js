// The numbers of include/z0.h and the shapes that the shim passes around. tests/worker/abi.test.js
// compares the numbers with the header, so that the two cannot drift apart.

export const ABI_VERSION = 10;
export const HEADER_BYTES = 72;
export const ENTROPY_BYTES = 48;
export const MESSAGE_BYTES_MAX = 120_000;
export const CALLS_AT_ONCE_MAX = 32;
export const ALARMS_AT_ONCE_MAX = 8;
export const METHOD_TRAP = 255;

/** What happened to the host: z0_frame_kind. */
export const Frame = Object.freeze({
  REQUEST: 1,
  MESSAGE: 2,
  DEAD_LETTER: 3,
  CALL: 4,
  TELL: 5,
  ALARM: 6,
  RESUME: 7,
  TAIL: 8,
});

/** What the host has to do: z0_effect_kind. */
export const Effect = Object.freeze({
  NEED_ROWS: 1,
  NEED_QUERY: 2,
  NEED_CALL: 3,
  NEED_RESUME: 4,
  NEED_SIGN: 5,
  NEED_FETCH: 6,
  NEED_SECRET: 7,
  NEED_ZONE: 8,
  WRITE: 16,
  ALARM: 17,
  REPLY: 32,
  SEND: 48,
  TELL: 64,
  POINT: 65,
  LOG: 66,
  SPAN: 67,
});

/** Z0_EFFECT phases: needs come alone, commits come first. */
export const Phase = Object.freeze({ NEED: 0, COMMIT: 1, REPLY: 2, SEND: 3, TELL: 4 });

/** Whose steps they are: z0_target. */
export const Target = Object.freeze({
  LEDGER: 0,
  MONITOR: 1,
  DIRECTORY: 2,
  EDGE: 3,
  QUEUE: 4,
  TRACES: 5,
  TAIL: 6,
  ALERTS: 7,
});

/** What a point measures: z0_point_kind. */
export const PointKind = Object.freeze({ COUNTER: 0, HISTOGRAM: 1, GAUGE: 2 });

/** How a call ended: z0_outcome. */
export const Outcome = Object.freeze({ OK: 0, OVERLOADED: 1, TIMEOUT: 2, FAILED: 3 });

/** Frame flag bit 0. */
export const FLAG_DEBUG = 1;

/**
 * A SQLite value. Blobs are bound as Uint8Array; the platform gives them back as ArrayBuffer (Durable
 * Objects) or as an array of numbers (D1).
 * @typedef {null | number | string | Uint8Array | ArrayBuffer | number[]} Value
 */

/** @typedef {{sql: string, values: Value[]}} Statement */

/** @typedef {{status: number, headers: [string, string][], body: Uint8Array<ArrayBuffer>}} Reply */

/**
 * What a need is among spans: its name, and its members as JSON, empty where it is not kept.
 * @typedef {{name: string, members: string}} NeedSpan
 */

/**
 * An effect, decoded: one member a kind.
 * @typedef {{kind: 1, phase: number} & Statement} NeedRows
 * @typedef {{kind: 2, phase: number, statements: Statement[], database: string,
 *   span: NeedSpan}} NeedQuery
 * @typedef {{kind: 3, phase: number, target: number, method: number, name: string,
 *   timeoutMs: number, request: Uint8Array<ArrayBuffer>, span: NeedSpan}} NeedCall
 * @typedef {{kind: 4, phase: number, continuation: Uint8Array, stepsMax: number, where: string}} NeedResume
 * @typedef {{kind: 5, phase: number, text: Uint8Array<ArrayBuffer>}} NeedSign
 * @typedef {{kind: 6, phase: number, method: string, url: string, headers: [string, string][],
 *   timeoutMs: number, body: Uint8Array<ArrayBuffer>, answerBytesMax: number, span: NeedSpan}} NeedFetch
 * @typedef {{kind: 7, phase: number, name: string}} NeedSecret
 * @typedef {{kind: 8, phase: number, zone: string, atMs: number}} NeedZone
 * @typedef {{kind: 16, phase: number} & Statement} Write
 * @typedef {{kind: 17, phase: number, atMs: number}} Alarm
 * @typedef {{kind: 32, phase: number} & Reply} ReplyEffect
 * @typedef {{kind: 48, phase: number, body: Uint8Array<ArrayBuffer>}} Send
 * @typedef {{kind: 64, phase: number, report: Uint8Array}} Tell
 * @typedef {{kind: 65, phase: number, measures: number, index: string, blobs: string[],
 *   howMuch: number, value: number, trace: string}} Point measures: a PointKind
 * @typedef {{kind: 66, phase: number, level: number, text: string}} Log
 * @typedef {{kind: 67, phase: number, text: string}} SpanLine
 * @typedef {NeedRows | NeedQuery | NeedCall | NeedResume | NeedSign | NeedFetch | NeedSecret | NeedZone | Write
 *   | Alarm | ReplyEffect | Send | Tell | Point | Log | SpanLine} AnyEffect
 */

/**
 * One step's input. `method` is that of a call, else 0. `incarnation` is two u32, low word first: quicker to write than a BigInt.
 * @typedef {object} FrameInput
 * @property {number} kind
 * @property {number} target
 * @property {number} method
 * @property {number} flags
 * @property {number} now
 * @property {Uint32Array} incarnation
 * @property {(string | Uint8Array)[]} parts
 * @property {Uint8Array[]} answers
 * @property {boolean} [secret] whether a secret is among them
 * @property {string} [settings] JSON of include/z0/wire/settings.hpp
 */

/**
 * The bindings and variables that z0 uses. Optional ones may be absent locally or in tests.
 * @typedef {object} Env
 * @property {DurableObjectNamespace<import("./object.js").CoreObject>} LEDGER
 * @property {DurableObjectNamespace<import("./monitor.js").Monitor>} MONITOR
 * @property {DurableObjectNamespace<import("./object.js").CoreObject>} DIRECTORY
 * @property {DurableObjectNamespace<import("./object.js").CoreObject>} ALERTS
 * @property {DurableObjectNamespace<import("./object.js").CoreObject>} TRACES of the Tail Worker
 * @property {{send(body: Uint8Array, options: {contentType: "bytes"}): Promise<unknown>}} FACTS_QUEUE
 * @property {D1Database} DB further ones by the names that Z0_SETTINGS gives them
 * @property {{writeDataPoint(point: object): void | Promise<void>, fetch?(request: Request): Promise<Response>}} [METRICS]
 * @property {string} Z0_TOKEN_SECRET
 * @property {string} [Z0_LOG_KEYS] Ed25519, PKCS #8 in base64, separated by commas, the current one
 *   first; they sign checkpoints
 * @property {string} [Z0_SETTINGS]
 * @property {string} [Z0_DEBUG]
 * @property {string} [Z0_APPEND_TIMEOUT_MS]
 */

/**
 * Where effects are carried out: the edge (no storage, incarnation 0) or a Durable Object.
 * @typedef {object} Host
 * @property {number} target
 * @property {{waitUntil(promise: Promise<unknown>): void}} ctx
 * @property {Env} env
 * @property {DurableObjectStorage} [storage]
 * @property {Uint32Array} incarnation
 */
