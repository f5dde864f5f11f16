// The numbers of include/z0.h and the shapes that the shim passes around. tests/worker/abi.test.js
// compares the numbers with the header, so that the two cannot drift apart.

export const ABI_VERSION = 3;
export const HEADER_BYTES = 72;
export const ENTROPY_BYTES = 48;
export const MESSAGE_BYTES_MAX = 120_000;
export const CALLS_AT_ONCE_MAX = 32;
export const ALARMS_AT_ONCE_MAX = 8;

/** What happened to the host: z0_frame_kind. */
export const Frame = Object.freeze({
  REQUEST: 1,
  RESUME: 2,
  MESSAGE: 3,
  DEAD_LETTER: 4,
  MESSAGE_RESUME: 5,
  LEDGER_APPEND: 16,
  LEDGER_READ: 17,
  LEDGER_HEAD: 18,
  LEDGER_ALARM: 19,
  LEDGER_RESUME: 20,
  LEDGER_STATE: 21,
  LEDGER_PROOF: 22,
  LEDGER_RECONCILE: 23,
  LEDGER_REPLICATE: 24,
  LEDGER_IMPORT: 25,
  LEDGER_VERIFY: 26,
  MONITOR_TELL: 32,
  MONITOR_LIVE: 33,
  DIRECTORY_REGISTER: 48,
  DIRECTORY_POLICIES: 49,
  DIRECTORY_PUBLISH: 50,
  DIRECTORY_LIST: 51,
  DIRECTORY_ALARM: 52,
  DIRECTORY_RESUME: 53,
  DEBUG_TRAP: 64,
});

/** What the host has to do: z0_effect_kind. */
export const Effect = Object.freeze({
  NEED_ROWS: 1,
  NEED_QUERY: 2,
  NEED_CALL: 3,
  NEED_RESUME: 4,
  NEED_SIGN: 5,
  WRITE: 16,
  ALARM: 17,
  REPLY: 32,
  SEND: 48,
  TELL: 64,
  POINT: 65,
  LOG: 66,
});

/** Z0_EFFECT phases: needs come alone, commits come first. */
export const Phase = Object.freeze({ NEED: 0, COMMIT: 1, REPLY: 2, SEND: 3, TELL: 4 });

/** Whom a call goes to: z0_target. */
export const Target = Object.freeze({ LEDGER: 0, MONITOR: 1, DIRECTORY: 2 });

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
 * An effect, decoded: one member a kind.
 * @typedef {{kind: 1, phase: number} & Statement} NeedRows
 * @typedef {{kind: 2, phase: number, statements: Statement[], database: string}} NeedQuery
 * @typedef {{kind: 3, phase: number, target: number, name: string, frameKind: number,
 *   timeoutMs: number, request: Uint8Array<ArrayBuffer>}} NeedCall
 * @typedef {{kind: 4, phase: number, frameKind: number, continuation: Uint8Array, stepsMax: number,
 *   where: string}} NeedResume
 * @typedef {{kind: 5, phase: number, text: Uint8Array<ArrayBuffer>}} NeedSign
 * @typedef {{kind: 16, phase: number} & Statement} Write
 * @typedef {{kind: 17, phase: number, atMs: number}} Alarm
 * @typedef {{kind: 32, phase: number} & Reply} ReplyEffect
 * @typedef {{kind: 48, phase: number, body: Uint8Array<ArrayBuffer>}} Send
 * @typedef {{kind: 64, phase: number, report: Uint8Array}} Tell
 * @typedef {{kind: 65, phase: number, index: string, blobs: string[], doubles: number[]}} Point
 * @typedef {{kind: 66, phase: number, level: number, text: string}} Log
 * @typedef {NeedRows | NeedQuery | NeedCall | NeedResume | NeedSign | Write | Alarm | ReplyEffect | Send | Tell
 *   | Point | Log} AnyEffect
 */

/**
 * One step's input. `incarnation` is two u32, low word first: quicker to write than a BigInt.
 * @typedef {object} FrameInput
 * @property {number} kind
 * @property {number} flags
 * @property {number} now
 * @property {Uint32Array} incarnation
 * @property {(string | Uint8Array)[]} parts
 * @property {Uint8Array[]} answers
 * @property {string} [settings] JSON of include/z0/wire/settings.hpp
 */

/**
 * The bindings and variables that z0 uses. Optional ones may be absent locally or in tests.
 * @typedef {object} Env
 * @property {DurableObjectNamespace<import("./object.js").CoreObject>} LEDGER
 * @property {DurableObjectNamespace<import("./object.js").CoreObject>} MONITOR
 * @property {DurableObjectNamespace<import("./object.js").CoreObject>} DIRECTORY
 * @property {{send(body: Uint8Array, options: {contentType: "bytes"}): Promise<unknown>}} FACTS_QUEUE
 * @property {D1Database} DB further ones by the names that Z0_SETTINGS gives them
 * @property {{writeDataPoint(point: object): void | Promise<void>}} [METRICS]
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
 * @property {{waitUntil(promise: Promise<unknown>): void}} ctx
 * @property {Env} env
 * @property {DurableObjectStorage} [storage]
 * @property {Uint32Array} incarnation
 */
