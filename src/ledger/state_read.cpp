// Cached state, now or as of a seq or a time. Now: from memory, else from the tail's row, else from
// the facts. As of some point: the snapshot before it and the facts of one segment, so that the
// cost does not grow with the history.
#include <algorithm>

#include "ledger/pass.hpp"
#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/ledger_reads.hpp"

namespace z0 {
namespace {

// Where a state comes from, and as of when.
struct Origin {
  StateSource source = StateSource::memory;
  std::int64_t seq = 0;
  std::int64_t folded = 0;
  std::int64_t at_ms = 0;
};

void reply_state(const StateRequest& request, const LedgerState& owner, const Folds& folds,
                 const Origin& origin, Effects& effects) {
  const bool all_configs = request.what == state_of_configs;
  const std::string value = folds.encode(all_configs ? Folds::config_part : request.what);
  std::string configs;
  if (request.what == static_cast<std::uint8_t>(CacheType::budget))
    configs = folds.encode(Folds::config_part);
  StateReply reply;
  reply.entity_id = owner.entity_id;
  reply.tenant_id = owner.tenant_id;
  reply.seq = origin.seq;
  reply.computed_at = origin.at_ms;
  reply.source = origin.source;
  reply.folded = origin.folded;
  reply.value = value;
  reply.configs = configs;
  reply_value(effects, reply);
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
  Origin origin{StateSource::facts, 0, 0, request.as_of_ms != 0 ? request.as_of_ms : frame.now_ms};
  Folds folds;
  if (rows.failed) return reply_status(effects, Status::storage_error);
  if (rows.size() == 0) return reply_state(request, owner, folds, origin, effects);
  origin.seq = rows.at(0, ledger_sql::as_of::seq_before).integer;
  if (origin.seq > 0)
    folds.decode_all(rows.at(0, ledger_sql::as_of::cache_before).bytes, origin.seq);
  const std::size_t part =
      request.what == state_of_configs ? Folds::config_part : std::size_t{request.what};
  if (!folds.valid(part)) return reply_status(effects, Status::storage_error);
  Fact fact;
  ByteReader in(rows.at(0, ledger_sql::as_of::body).bytes);
  while (next_record(in, request.entity_id, fact) && wanted(request, fact)) {
    folds.apply(fact);
    origin.seq = fact.seq;
    if (request.as_of_ms == 0) origin.at_ms = fact.recorded_at;
    ++origin.folded;
  }
  reply_state(request, owner, folds, origin, effects);
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
  if (!decode(call.request, request)) return reply_status(effects, Status::bad_parameter);
  if (state.seq == 0 || !reads_now(request)) return read_state_rows(call, frame, effects);
  if (!request.tenant_id.empty() && request.tenant_id != state.tenant_id)
    return reply_status(effects, Status::not_found);
  // The rounds that made it again read facts; that is what a miss is.
  const bool remade = call.making != Making::nothing;
  reply_state(
      request, state, state.folds,
      {remade ? StateSource::facts : StateSource::memory, state.seq, 0, state.now(frame.now_ms)},
      effects);
}

void read_state_rows(const LedgerCall& call, const Frame& frame, Effects& effects) {
  StateRequest request;
  if (!decode(call.request, request)) return reply_status(effects, Status::bad_parameter);
  if (call.at<ReadStage>() == ReadStage::begin) {
    effects.need_rows(ledger_sql::select_meta, {});
    need_snapshot(request, effects);
    return resume_ledger(effects, call, ReadStage::rows, {});
  }
  LedgerState owner;
  const Status status = open_meta(frame, request.tenant_id, owner);
  if (status != Status::ok) return reply_status(effects, status);
  const Rows rows = parse_rows(frame.answers.size() > 1 ? frame.answers[1] : std::string_view{});
  if (!reads_now(request)) return fold_segment(request, owner, rows, frame, effects);
  const std::int64_t seq = rows.at(0, ledger_sql::head::last_seq).integer;
  owner.folds.decode_all(rows.at(0, ledger_sql::head::cache).bytes, seq);
  owner.seq = seq;
  owner.recorded_at = rows.at(0, ledger_sql::head::last_recorded_at).integer;
  if (!needs_refold(&owner))
    return reply_state(request, owner, owner.folds,
                       {StateSource::row, seq, 0, owner.now(frame.now_ms)}, effects);
  // The row came damaged: the whole state is made, and its folds again.
  need_state(call, effects);
}

}  // namespace z0
