// The most that one step may want done, from limits.hpp: how many effects, and how many bytes of
// them. A bound is generous where the exact one would need a long proof; it is there to be broken
// by a list that somebody forgot to limit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "z0/base/limits.hpp"
#include "z0/wire/frame.hpp"

namespace z0::laws {

struct Bound {
  std::size_t effects = 0;
  std::size_t bytes = 0;
};

inline constexpr std::size_t small = 1'024;      // a statement, a log line, a point
inline constexpr std::size_t room = 64 * 1'024;  // what does not grow with the request

inline constexpr std::size_t facts = limits::facts_per_request_max;
inline constexpr std::size_t id = limits::id_bytes_max + 16;  // with length, quotes and a name
// A submission is no longer than its JSON, but for an id that was made for it (31 bytes), numbers
// whose defaults were not written, and the ledger's numbers in front.
inline constexpr std::size_t posted = limits::body_bytes_max + facts * 96;
// Apart from data: nine ids, two types, numbers, the trace.
inline constexpr std::size_t submission = limits::data_bytes_max + 12 * id;
// The smallest record, and the hash beside it.
inline constexpr std::size_t record_min = 20;
inline constexpr std::size_t hash = 8;
// The span of a need: its name, ids, tenant and object. And the one of a request or a message, with an
// error in words and its links.
inline constexpr std::size_t need_span = 4 * id + 512;
inline constexpr std::size_t span = limits::links_per_span_max * 96 + 8 * small;
// Counts by type: sixteen numbers, and the named ones.
inline constexpr std::size_t counts =
    16 * 10 + limits::counted_types_max * (limits::type_bytes_max + 12);

// Things of at most `total` bytes, packed so that any two neighbours exceed `each`.
constexpr std::size_t packed(std::size_t total, std::size_t each) { return 2 * total / each + 2; }

// A call names its object, tenant and entity; an item of the continuation a field, an id, an
// entity, a tenant. Where ledgers are new their batches wait in the continuation, or go out again
// while the answers of the others wait.
inline constexpr Bound edge_asks = {
    facts + 1, 2 * posted + facts*(6 * id + 128 + need_span) + facts * 4 * id + room};

// An error item: a member's name of 128 bytes, each escaped as six; two ids; sentence, remedy and
// trace.
inline constexpr std::size_t reply_item = 6 * id + 2 * id + small;
// An attempt: tenant, entity, the platform's words (200 bytes), span, trace.
inline constexpr std::size_t attempt = 2 * id + 512;
// A tally is a count, an error and a duration; as many again are of tenants and outcomes, and the
// platform's come to one for each status.
inline constexpr std::size_t answer_points = 3 * (2 * limits::points_per_request_max + 64);
// One reply, messages, one report, points, one span.
inline constexpr Bound edge_answers = {
    1 + packed(posted + facts * attempt, limits::message_bytes_max) + 1 + answer_points + 1,
    posted + facts*(reply_item + attempt + id) + answer_points* small + span + room};

// Rows become a row of JSON with the ledger's names, the fact's own id as asset, and `null` for the
// rest. Or what was joined, as JSON, with the hashes of the leaves as continuation.
inline constexpr std::size_t row = 3 * id + 256;
inline constexpr std::size_t joined = 2 * limits::d1_json_bytes_max;
inline constexpr Bound consumer_asks = {
    2, 2 * limits::message_bytes_max + limits::facts_per_message_max* row +
           limits::facts_per_message_max*(5 * id + 32) + joined + room};
// The reply, a report with the heads of all runs, a line, a span, two points a tenant and an error.
inline constexpr std::size_t consumer_points = 2 * 50 + 1;
inline constexpr Bound consumer_answers = {
    4 + consumer_points, limits::facts_per_message_max* id + consumer_points* small + span + room};

// The rows of the state, one query for originals, or the directory; the continuation holds the
// request.
inline constexpr Bound ledger_asks = {9, posted + facts * 64 + room};
// Tables and a query for each tenant of the ledgers, whose names go on; then the reply and one write
// of those names. Without configs nothing else is large.
inline constexpr Bound directory_asks = {4 + facts + 1, facts*(2 * id + small) + room};
inline constexpr Bound directory_answers = {2, facts * 2 * id + room};

// What is folded of the facts: a config's numbers and its settings' limits, users with their roles,
// money by currency.
inline constexpr std::size_t folds = limits::configs_per_ledger_max * (2 * id + small) +
                                     limits::access_users_max * 2 * id +
                                     limits::currencies_per_ledger_max * 70 + small;

inline constexpr std::size_t segments = packed(posted, limits::segment_bytes_max);
// Sealed runs, each a filter and its chunks: 12 bytes an id and 3 of filter, 16 in all. An append
// seals when more than open_ids_hard_max are open; the alarm finds no more than that and one batch.
inline constexpr std::size_t runs = (limits::open_ids_hard_max + facts) / limits::open_ids_max;
inline constexpr std::size_t sealed_rows =
    runs * (1 + limits::open_ids_max / limits::ids_per_chunk);
inline constexpr std::size_t sealed_bytes = runs * limits::open_ids_max * 16 + sealed_rows * small;
// The tables, the owner, the tail rewritten or a new one, further segments, the tree's nodes, sealed
// runs, the alarm, the reply.
inline constexpr std::size_t nodes = facts / 256 + 2;
inline constexpr Bound append_answers = {
    4 + 1 + 1 + segments + nodes + sealed_rows + 1 + 1 + 1,
    limits::tail_bytes_max + posted + (limits::tail_bytes_max / record_min + facts) * hash +
        segments*(counts + folds + small) + nodes* small + sealed_bytes + facts * 64 + room};

// Sealed runs, the owner with the checkpoint, the alarm, a report, points of the round and of the
// pass, a line.
inline constexpr std::size_t alarm_points = 6 + 4 + 8;
inline constexpr Bound alarm_answers = {sealed_rows + 1 + 1 + 1 + alarm_points + 1,
                                        sealed_bytes + folds + room};
// A chunk with what follows from it; or D1's word on all that waits, carried on.
inline constexpr std::size_t waiting = static_cast<std::size_t>(limits::waiting_runs_max) * 5'000;
inline constexpr Bound alarm_asks = {
    9,
    2 * limits::message_bytes_max + limits::facts_per_message_max* row + joined + waiting + room};

// A page: whole segments at most, each of its limit's size or of one fact; names for each fact.
inline constexpr Bound read_answers = {
    1, static_cast<std::size_t>(limits::originals_per_append_max) * submission +
           limits::page_facts_max*(10 * id + small)};

// The live window: curves, types of ten minutes, latest facts; or two gauges behind the reply. Or a
// shard's rows that changed.
inline constexpr Bound monitor_answers = {
    64, 10 * counts + limits::latest_facts*(8 * id + small) + room};

// What D1 answered, as JSON: its rows with the names of the columns; a span, and what was measured: a
// read and how long it took, or an error.
inline Bound from_answers(const Frame& frame) {
  std::size_t bytes = room + span;
  for (const auto answer : frame.answers) bytes += 8 * answer.size();
  return {4, bytes};
}

}  // namespace z0::laws
