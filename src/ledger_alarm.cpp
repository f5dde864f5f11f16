// The ledger's one alarm: does D1 hold what was recorded? If not, write it there. And: seal old
// ids.
//
// The edge sends each batch to the queue after the reply; that is the fast way and nearly always
// the only one. The alarm is what makes it certain: it trusts neither the edge nor the queue, only
// the contiguous head in D1. What is missing there it writes itself, without the queue, which may
// be what failed; and when nothing is missing it compares roots.
#include <algorithm>

#include "ledger_sql.hpp"
#include "ledger_step.hpp"
#include "z0/json.hpp"
#include "z0/limits.hpp"
#include "z0/monitor.hpp"

namespace z0 {
namespace {

// D1's head was not what the ledger's own tree says: somebody wrote to D1, or to the ledger's rows.
void log_difference(const LedgerState& state, const ReplicationRound& round, Effects& effects) {
  effects.point(std::string_view(state.tenant_id).substr(0, limits::point_index_bytes_max),
                {"z0_replication_failures_total", "root_differs"}, {1});
  std::string line =
      "{\"level\":\"error\",\"event\":\"z0.replication.root_differs\",\"entity_id\":";
  append_json_string(line, state.entity_id);
  line += ",\"tenant_id\":";
  append_json_string(line, state.tenant_id);
  line += ",\"seq\":" + std::to_string(state.seq);
  line += round.remade ? ",\"resolution\":\"head_remade\"}" : ",\"resolution\":\"manual_review\"}";
  effects.log(true, line);
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

void ledger_alarm(LedgerState& state, const LedgerCall& call, const Frame& frame,
                  Effects& effects) {
  ReplicationRound round;
  ReplicationTask task;
  task.heals = !state.head_remade;
  task.wants_oldest = true;
  task.due_before = frame.now_ms - limits::confirm_after_ms;
  const bool idle = call.stage < LedgerStage::confirm && state.seq == state.confirmed_seq;
  if (!idle && !replicate_round(state, call, frame, effects, task, round)) return;
  seal_ids(state, effects);
  if (!idle) confirm_replicated(state, round, effects);
  state.alarm_at = 0;
  if (state.seq == state.confirmed_seq) {
    state.confirm_pause_ms = 0;
  } else {
    state.alarm_at = frame.now_ms + next_pause(state, round);
    effects.alarm(state.alarm_at);
  }
  if (idle) return;
  effects.tell(ledger_report(state.entity_id, state.seq, state.confirmed_seq, round.oldest,
                             static_cast<std::int64_t>(round.chunks)));
  if (round.remade || round.differs) log_difference(state, round, effects);
}

}  // namespace z0
