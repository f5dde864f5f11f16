/* z0's C ABI: what a host (the JS shim, a native tool) calls, and the bytes that cross.
 *
 * The core is a function from (state, frame) to (state, effects). It reads no clock, draws no
 * randomness, touches no storage and calls nobody: the frame brings the time and the entropy in,
 * the effects say what the host has to do. A call is synchronous and never suspends.
 *
 * Life of a step
 *   1. p = z0_frame(n)      room for a frame of n bytes; valid until the next call of any export.
 *   2. the host writes the frame at p.
 *   3. q = z0_step(n)       the effects; z0_effects_size() bytes; valid until the next call.
 *   4. the host copies what it needs, then carries the effects out in the order in which they
 * stand.
 *   5. if there were `need` effects, nothing else was decided: the host fetches the answers and
 *      calls again (see "Needs").
 *
 * A broken invariant traps. A host that sees a trap drops the whole instance: every state the core
 * holds is a cache of rows and is rebuilt by needs. Malformed bytes from a caller never trap; they
 * become an effect that refuses.
 *
 * All integers are little-endian. `bytes` is u32 length, then that many bytes. `text` is bytes that
 * are UTF-8.
 *
 * FRAME
 *   u8  kind          z0_frame_kind
 *   u8  target        z0_target: whose step it is
 *   u8  method        of a CALL: what is asked of the target, a number out of the core's own
 *                     lists, which a host passes on as a call's effect brings it; else 0
 *   u8  flags         bit 0: debug methods are allowed (never set in production)
 *   u32 part_count
 *   u64 now_ms        the host's clock, ms since 1970
 *   u64 incarnation   which life of which object this is; 0 where there is no object (the edge).
 *                     A new object, and an object whose commit failed, takes a new random one;
 *                     state is kept by incarnation, so stale state is never met again.
 *   u8  entropy[48]   fresh random bytes
 *   part_count x bytes
 *   u32 answer_count
 *   answer_count x bytes      one for each need of the step before, in its order
 *   bytes settings            JSON, see include/z0/settings.hpp; may be missing when it is empty
 *
 * ANSWER, to Z0_NEED_ROWS and to each statement of Z0_NEED_QUERY
 *   u8 0, u32 changes, u16 columns, u32 rows, rows x columns x value
 *   u8 1, text message                     the statement failed
 *   An answer to Z0_NEED_QUERY is: u16 statement_count, statement_count x (such an answer, as
 * bytes); when the whole batch failed: u16 0, text message. value: u8 0 null | u8 1, i64 | u8 2,
 * text | u8 3, bytes | u8 4, f64
 *
 * ANSWER, to Z0_NEED_SIGN
 *   u8 0, u16 count, count x { bytes signature (64), bytes public key (32) }, the current key first
 *   u8 1, text message                     there is no key, or it could not be used
 *
 * ANSWER, to Z0_NEED_FETCH
 *   u8 outcome (z0_outcome), then for Z0_OK: u16 http status, u32 seconds that the other side
 *   asks to be left alone for (retry-after; 0: it does not say), bytes body, empty where the need
 *   asks for none or it is longer than that; else: text message.
 *
 * ANSWER, to Z0_NEED_SECRET
 *   u8 0, bytes value
 *   u8 1, text message                     there is none of that name
 *   A frame with such an answer is never logged with its answers.
 *
 * ANSWER, to Z0_NEED_ZONE
 *   u8 0, u64 minutes to be added to UTC (two's complement), u64 until when that holds in ms
 *   u8 1, text message                     there is no such zone
 *
 * ANSWER, to Z0_NEED_CALL
 *   u8 outcome (z0_outcome), then for Z0_OK: bytes reply; else: text message.
 *   Then the request itself again: bytes.
 *
 * EFFECTS
 *   u32 effect_count
 *   effect_count x { u8 kind (z0_effect_kind), u8 phase, u16 zero, bytes payload }
 *   Phases never decrease: 0 need, 1 commit, 2 reply, 3 send, 4 tell. All commits of a step are one
 *   storage transaction with no await between step and commit; the reply follows the commit; sends
 *   happen at least once or are healed by the ledger's alarm; tells are best effort.
 *
 * SPAN, at the end of each need that is answered outside of the object
 *   text name, text members: the name of the span that the need is, for the platform's own traces; and
 *   the members of that span as JSON, without brackets and without its end, or nothing where it is not
 *   kept. The host writes {members,"start_us":...,"end_us":...} into the log line of the invocation,
 *   with "status":"error","message":... where the need was not answered.
 *
 * Needs. When effects of phase 0 are there, they are the only ones. The host answers all of them
 * and steps again with the same frame plus the answers, unless a Z0_NEED_RESUME was among them:
 * then the next frame is a RESUME of the same target with that one part instead. A resume is not
 * itself answered.
 * now_ms and entropy are taken afresh for each step. Everything that was asked for outside of the
 * object travels in continuations, so that a step goes on where it was even when the core's state
 * left memory meanwhile. A resume says how many steps its frame may take in all; a host that has
 * taken as many fails the frame, with the words that the resume brings, instead of going round.
 * Needs of rows alone are answered without an await before the next step.
 */
#ifndef Z0_H
#define Z0_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  Z0_ABI_VERSION = 10,
  Z0_FRAME_HEADER_BYTES = 72,
  Z0_ENTROPY_BYTES = 48,
  Z0_MESSAGE_BYTES_MAX = 120000,
  /* Calls of other objects that a host makes at once for one step; the others wait their turn. */
  Z0_CALLS_AT_ONCE_MAX = 32,
  /* Alarms that a host runs at once for all its objects; the others wait their turn. */
  Z0_ALARMS_AT_ONCE_MAX = 8,
  /* A method of every object that traps, when flag bit 0 is set; else it is refused. For tests. */
  Z0_METHOD_TRAP = 255
};

/* What happened to the host. In brackets: the parts, in order. */
enum z0_frame_kind {
  /* To the edge: an HTTP request [method, url path with query, body, token secrets (comma separated,
   * the first one mints), then header name (lower case), value, name, value ...]. The host passes
   * authorization, traceparent, tracestate, content-type, content-encoding, idempotency-key,
   * accept and origin; of an OPTIONS access-control-request-method and -headers; of a request with
   * ce-specversion all headers that begin with ce-. It reads at most Z0_BODY_BYTES_MAX + 1 bytes
   * of the body. A body that it could decompress it passes so, and without content-encoding.
   * Reply: an HTTP response. */
  Z0_FRAME_REQUEST = 1,
  /* To the queue's consumer: messages of one queue batch [one message body]. Reply: 200 to
   * acknowledge, 503 with retry-after (seconds) to have it delivered again. */
  Z0_FRAME_MESSAGE = 2,
  /* To the queue's consumer: a message that came to the dead-letter queue [message id, body]. Reply
   * as for MESSAGE. */
  Z0_FRAME_DEAD_LETTER = 3,
  /* To an object: a call [object name, request]. Reply: body bytes. */
  Z0_FRAME_CALL = 4,
  /* To the monitor: what steps had to tell [object name, count x bytes]. Reply: an empty body. */
  Z0_FRAME_TELL = 5,
  /* To an object: its alarm went off [object name, may be empty]. No reply. */
  Z0_FRAME_ALARM = 6,
  /* To any target: a step goes on after answers came [continuation]. */
  Z0_FRAME_RESUME = 7,
  /* To the Tail Worker: invocations that ended [JSON, see include/z0/traces/tail.hpp]. Reply: an empty
   * body. */
  Z0_FRAME_TAIL = 8
};

/* Who takes steps: the objects, the edge, the consumer of the queue, the Tail Worker. */
enum z0_target {
  Z0_TARGET_LEDGER = 0,
  Z0_TARGET_MONITOR = 1,
  Z0_TARGET_DIRECTORY = 2,
  Z0_TARGET_EDGE = 3,
  Z0_TARGET_QUEUE = 4,
  Z0_TARGET_TRACES = 5,
  /* What the Tail Worker was brought. */
  Z0_TARGET_TAIL = 6,
  Z0_TARGET_ALERTS = 7
};

enum z0_effect_kind {
  /* phase 0. A query of this object's own storage, answered at once.
   *   text sql, u16 count, count x value */
  Z0_NEED_ROWS = 1,
  /* phase 0. Statements for a D1 database, run as one transaction.
   *   u16 statement_count, statement_count x { text sql, u16 count, count x value }, text binding,
   *   SPAN */
  Z0_NEED_QUERY = 2,
  /* phase 0. A call of another object.
   *   u8 target (z0_target), u8 method, text object name, u32 timeout_ms, bytes request,
   *   SPAN */
  Z0_NEED_CALL = 3,
  /* phase 0. The next frame is a RESUME: bytes continuation, u16 steps_max, text where: what the
   * step is at. */
  Z0_NEED_RESUME = 4,
  /* phase 0. Sign a text with the log's Ed25519 key: bytes text */
  Z0_NEED_SIGN = 5,
  /* phase 0. An HTTP request to somebody outside, whose redirects are not followed.
   *   text method, text url, u16 count, count x { text name, text value }, u32 timeout_ms,
   *   bytes body, u32 bytes of the answer's body at most (0: nobody reads it), SPAN */
  Z0_NEED_FETCH = 6,
  /* phase 0. A secret of the host that a config names: text name. One of z0's own, which begin with
   * Z0_, is none. */
  Z0_NEED_SECRET = 7,
  /* phase 0. What the clocks of a time zone of the IANA database show: text zone, u64 at_ms. */
  Z0_NEED_ZONE = 8,
  /* phase 1. A statement that writes: text sql, u16 count, count x value */
  Z0_WRITE = 16,
  /* phase 1. Set the object's one alarm: u64 at_ms; 0 clears it. */
  Z0_ALARM = 17,
  /* phase 2. u16 http status, u16 count, count x { text name, text value }, bytes body.
   * Exactly one, except for alarms. Calls between objects use the body alone. */
  Z0_REPLY = 32,
  /* phase 3. A message for the replication queue: bytes body. Bodies may be collected for a moment
   * and sent joined, one after the other, up to Z0_MESSAGE_BYTES_MAX. */
  Z0_SEND = 48,
  /* phase 4. Something for the monitor: bytes report. Reports may be collected for a moment and
   * handed over together in one Z0_FRAME_TELL. */
  Z0_TELL = 64,
  /* phase 4. A measurement: u8 kind (z0_point_kind), text index (the tenant), u16 blob_count,
   * blob_count x text (the metric's name, then its labels), f64 how much, f64 value, text trace id.
   * It becomes a data point of Analytics Engine with these blobs, the trace id as blob 20, and the
   * two doubles. Points that are equal but for how much and the trace may be merged for a moment:
   * how much adds up, the newest trace stays; of a gauge the newest value stays. */
  Z0_POINT = 65,
  /* phase 4. A structured log line: u8 level (0 info, 1 error), text JSON */
  Z0_LOG = 66,
  /* phase 4. A span that ended: text JSON, see include/z0/trace/span.hpp. All of an invocation's go into
   * its log line, {"z0":"spans","spans":[...]}, or into several where one would be too long. */
  Z0_SPAN = 67
};

/* What a point measures: an increase; so many observations of one value; a value as it is now. */
enum z0_point_kind { Z0_POINT_COUNTER = 0, Z0_POINT_HISTOGRAM = 1, Z0_POINT_GAUGE = 2 };

/* How a call of another object ended. */
enum z0_outcome { Z0_OK = 0, Z0_OVERLOADED = 1, Z0_TIMEOUT = 2, Z0_FAILED = 3 };

/* The version of everything in this file. A host refuses a core of another version. */
uint32_t z0_abi_version(void);

/* Room for a frame of `size` bytes. Owned by the core, valid until the next call. Traps when size
 * is above Z0_FRAME_BYTES_MAX. */
uint8_t* z0_frame(uint32_t size);

/* Takes one step on the frame of `size` bytes that was written at z0_frame(). Returns the effects.
 */
const uint8_t* z0_step(uint32_t size);

/* The size in bytes of the effects of the last step. */
uint32_t z0_effects_size(void);

/* After a trap: what should have held, as ASCII that ends with a zero. Null where the trap said
 * nothing, as one of the machine (an overflow of the stack, memory that ran out). */
const char* z0_trapped_on(void);

#ifdef __cplusplus
}
#endif

#endif
