// Cached state, now or as of a seq or a time. Now: from memory, else from the tail's row, else from
// the facts. As of some point: the snapshot before it and the facts of one segment, so that the
// cost does not grow with the history.
#include <algorithm>

#include "ledger/pass.hpp"
#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/json/json.hpp"

namespace z0 {
namespace {

struct Answer {
  std::string_view source;  // memory, row, facts
  std::int64_t seq = 0;
  std::int64_t folded = 0;
  std::int64_t at_ms = 0;
};

void reply_state(const StateRequest& request, const LedgerState& owner, const Folds& folds,
                 const Answer& answer, Effects& effects) {
  if (request.what == state_of_configs)
    return reply_status(effects, Status::recorded, folds.configs().encode());
  std::string json = "{\"entity_id\":";
  append_json_string(json, owner.entity_id);
  json += ",\"tenant_id\":";
  append_json_string(json, owner.tenant_id);
  json += ",\"cache\":\"";
  json += Folds::name(request.what);
  json += "\",\"seq\":" + std::to_string(answer.seq);
  json += ",\"computed_at\":" + std::to_string(answer.at_ms) + ",\"source\":\"";
  json += answer.source;
  json += "\",\"facts_folded\":" + std::to_string(answer.folded) + ",\"state\":";
  // A part that could not be calculated waits for somebody's review, and has no value till then.
  JsonWriter value(json);
  if (folds.valid(request.what))
    folds.write_json(value, request.what, answer.at_ms);
  else
    value.null();
  reply_status(effects, Status::recorded, json + '}');
}

bool reads_now(const StateRequest& request) {
  return request.as_of_seq == 0 && request.as_of_ms == 0;
}

bool wanted(const StateRequest& request, const Fact& fact) {
  if (request.as_of_seq != 0 && fact.seq > request.as_of_seq) return false;
  return request.as_of_ms == 0 || fact.recorded_at <= request.as_of_ms;
}

// The snapshot before a segment, and the segment's facts up to the point.
void fold_segment(const StateRequest& request, const LedgerState& owner, const Rows& rows,
                  const Frame& frame, Effects& effects) {
  Answer answer{"facts", 0, 0, request.as_of_ms != 0 ? request.as_of_ms : frame.now_ms};
  Folds folds;
  if (rows.failed) return reply_status(effects, Status::storage_error, {});
  if (rows.size() == 0) return reply_state(request, owner, folds, answer, effects);
  answer.seq = rows.at(0, 3).integer;
  if (answer.seq > 0) folds.decode_all(rows.at(0, 4).bytes, answer.seq);
  const std::size_t part =
      request.what == state_of_configs ? Folds::config_part : std::size_t{request.what};
  if (!folds.valid(part)) return reply_status(effects, Status::storage_error, {});
  Fact fact;
  ByteReader in(rows.at(0, 2).bytes);
  while (next_record(in, request.entity_id, fact) && wanted(request, fact)) {
    folds.apply(fact);
    answer.seq = fact.seq;
    if (request.as_of_ms == 0) answer.at_ms = fact.recorded_at;
    ++answer.folded;
  }
  reply_state(request, owner, folds, answer, effects);
}

void need_snapshot(const StateRequest& request, Effects& effects) {
  if (request.as_of_seq != 0)
    effects.need_rows(ledger_sql::select_as_of_seq, {Value::of(request.as_of_seq)});
  else if (request.as_of_ms != 0)
    effects.need_rows(ledger_sql::select_as_of_time, {Value::of(request.as_of_ms)});
  else
    effects.need_rows(ledger_sql::select_head, {});
}

}  // namespace

void read_state(LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects) {
  StateRequest request;
  if (!request.decode(call.request)) return reply_status(effects, Status::bad_parameter, {});
  if (state.seq == 0 || !reads_now(request)) return read_state_rows(call, frame, effects);
  if (!request.tenant_id.empty() && request.tenant_id != state.tenant_id)
    return reply_status(effects, Status::not_found, {});
  // The rounds that made it again read facts; that is what a miss is.
  const bool remade = call.making != Making::nothing;
  reply_state(request, state, state.folds,
              {remade ? "facts" : "memory", state.seq, 0, frame.now_ms}, effects);
}

void read_state_rows(const LedgerCall& call, const Frame& frame, Effects& effects) {
  StateRequest request;
  if (!request.decode(call.request)) return reply_status(effects, Status::bad_parameter, {});
  if (call.at<ReadStage>() == ReadStage::begin) {
    effects.need_rows(ledger_sql::select_meta, {});
    need_snapshot(request, effects);
    return resume_ledger(effects, call, ReadStage::rows, {});
  }
  LedgerState owner;
  const Status status = open_meta(frame, request.tenant_id, owner);
  if (status != Status::recorded) return reply_status(effects, status, {});
  const Rows rows = parse_rows(frame.answers.size() > 1 ? frame.answers[1] : std::string_view{});
  if (!reads_now(request)) return fold_segment(request, owner, rows, frame, effects);
  const std::int64_t seq = rows.at(0, 0).integer;
  owner.folds.decode_all(rows.at(0, 3).bytes, seq);
  owner.seq = seq;
  if (!needs_refold(&owner))
    return reply_state(request, owner, owner.folds, {"row", seq, 0, frame.now_ms}, effects);
  // The row came damaged: the whole state is made, and its folds again.
  need_state(call, effects);
}

}  // namespace z0
