// The ledger's one alarm: does D1 hold what was recorded? If not, write it there. And: seal old
// ids.
//
// The edge sends each batch to the queue after the reply; that is the fast way and nearly always
// the only one. The alarm is what makes it certain: it trusts neither the edge nor the queue, only
// the contiguous head in D1. What is missing there it writes itself, without the queue, which may
// be what failed; and when nothing is missing it compares roots. What was recorded since the last
// alarm is reconciled on the way.
#include <algorithm>

#include "ledger/pass.hpp"
#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/reports.hpp"
#include "z0/metrics/events.hpp"
#include "z0/metrics/registry.hpp"

namespace z0 {
namespace {

// D1's head was not what the ledger's own tree says: somebody wrote to D1, or to the ledger's rows.
void log_difference(const LedgerState& state, const ReplicationRound& round, Effects& effects) {
  count(effects, Metric::replication_failures, state.tenant_id, {}, 1, {});
  count_error(effects, state.tenant_id, "d1", "replication", "root_differs", {});
  log_event(effects, Event::root_differs,
            {state.entity_id, state.tenant_id, state.seq,
             round.remade ? "head_remade" : "manual_review"});
}

// How long until the next alarm, where there has to be one.
std::int64_t next_pause(LedgerState& state, const ReplicationRound& round) {
  if (round.failed || round.differs) {
    state.confirm_pause_ms = std::clamp(2 * state.confirm_pause_ms, limits::confirm_after_ms,
                                        limits::confirm_pause_ms_max);
    const auto share = static_cast<std::int64_t>(state.hash_seed % 1024);
    return state.confirm_pause_ms - state.confirm_pause_ms / limits::confirm_spread * share / 1024;
  }
  state.confirm_pause_ms = 0;
  return round.chunks > 0 ? limits::catch_up_pause_ms : limits::confirm_after_ms;
}

}  // namespace

void seal_ids(LedgerState& state, Effects& effects) {
  while (state.ids.open_count() > limits::open_ids_max) {
    for (const auto& row : state.ids.seal()) {
      effects.write(ledger_sql::put_id_run,
                    {Value::of(row.key), Value::of(row.count), Value::blob(row.body)});
    }
  }
}

namespace {

bool to_reconcile(const LedgerState& state) {
  return state.checkpoint.seq < state.seq || state.checkpoint.pending();
}

// What the round with D1 found, for the stage that reads the segments to reconcile.
std::string encode_round(bool idle, const ReplicationRound& round) {
  std::string bytes;
  ByteWriter out(bytes);
  for (const bool flag :
       {idle, round.failed, round.remade, round.differs, round.proven, round.head.readable})
    out.u8(flag ? 1 : 0);
  out.varint(round.chunks);
  out.varint(static_cast<std::uint64_t>(round.inserted));
  out.varint(static_cast<std::uint64_t>(round.head.seq));
  out.varint(static_cast<std::uint64_t>(round.oldest));
  return bytes;
}

void decode_round(std::string_view bytes, bool& idle, ReplicationRound& round) {
  ByteReader in(bytes);
  for (bool* flag :
       {&idle, &round.failed, &round.remade, &round.differs, &round.proven, &round.head.readable})
    *flag = in.u8() != 0;
  round.chunks = static_cast<std::size_t>(in.varint());
  round.inserted = static_cast<std::int64_t>(in.varint());
  round.head.seq = static_cast<std::int64_t>(in.varint());
  round.oldest = static_cast<std::int64_t>(in.varint());
}

// The rows, the next alarm, and what others hear of it.
void finish_alarm(LedgerState& state, const LedgerCall& call, const Frame& frame, bool idle,
                  const ReplicationRound& round, Effects& effects) {
  LedgerWriter writer(state, frame, effects);
  Reconciliation reconciliation(state, frame, effects, writer);
  const bool reconciles = call.at<AlarmStage>() == AlarmStage::pass;
  if (reconciles && !reconciliation.run()) {
    refuse_storage(call, frame, effects);
    return count_failed_pass(state, effects);
  }
  writer.finish();
  seal_ids(state, effects);
  if (!idle) confirm_replicated(state, round, effects);
  state.write_meta(effects);
  state.alarm_at = 0;
  if (state.seq == state.confirmed_seq) {
    state.confirm_pause_ms = 0;
    if (to_reconcile(state)) state.alarm_at = frame.now_ms + limits::catch_up_pause_ms;
  } else {
    state.alarm_at = frame.now_ms + next_pause(state, round);
  }
  if (state.alarm_at != 0) effects.alarm(state.alarm_at);
  if (reconciles) reconciliation.send_and_tell();
  if (idle) return;
  effects.tell(encode_report(LedgerReport{state.entity_id, state.seq, state.confirmed_seq,
                                          round.oldest, static_cast<std::int64_t>(round.chunks)}));
  count_round(state, round, effects);
  if (round.remade || round.differs) log_difference(state, round, effects);
}

}  // namespace

void ledger_alarm(LedgerState& state, const LedgerCall& call, const Frame& frame,
                  Effects& effects) {
  ReplicationRound round;
  bool idle = false;
  if (call.at<AlarmStage>() == AlarmStage::pass) {
    decode_round(call.extra, idle, round);
    return finish_alarm(state, call, frame, idle, round, effects);
  }
  ReplicationTask task;
  task.heals = !state.head_remade;
  task.wants_oldest = true;
  task.due_before = frame.now_ms - limits::confirm_after_ms;
  idle = call.at<RoundStage>() == RoundStage::begin && state.seq == state.confirmed_seq;
  if (!idle && !replicate_round(state, call, frame, effects, task, round)) return;
  if (!to_reconcile(state)) return finish_alarm(state, call, frame, idle, round, effects);
  need_reconciliation(state, frame, effects);
  resume_ledger(effects, call, AlarmStage::pass, encode_round(idle, round));
}

}  // namespace z0
