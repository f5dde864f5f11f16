// The ledger's one alarm: does D1 hold what was recorded? If not, send it again. And: seal old ids.
//
// The edge sends each batch to the queue after the reply; that is the fast way and nearly always
// the only one. The alarm is what makes it certain: it trusts neither the edge nor the queue, only
// the contiguous head in D1.
#include <algorithm>

#include "ledger_sql.hpp"
#include "ledger_step.hpp"
#include "z0/limits.hpp"
#include "z0/message.hpp"
#include "z0/monitor.hpp"
#include "z0/settings.hpp"
#include "z0/trace.hpp"

namespace z0 {
namespace {

constexpr std::string_view select_contiguous =
    "SELECT contiguous_seq FROM ledger_heads WHERE entity_id = ?1";

// What the confirm stage found, for the resend stage.
struct Confirmed {
  bool answered = false;
  std::int64_t seq = 0;
};

Confirmed contiguous_in_d1(const Frame& frame) {
  const auto rows = parse_query(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
  if (rows.empty() || rows[0].failed) return {};
  return {true, rows[0].size() > 0 ? rows[0].at(0, 0).integer : 0};
}

class Alarm {
 public:
  Alarm(LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects)
      : state_(state), call_(call), frame_(frame), effects_(effects) {}

  void run() {
    if (call_.stage < LedgerStage::confirm) return ask();
    if (call_.stage == LedgerStage::confirm) return confirm();
    resend();
  }

 private:
  void ask() {
    if (state_.seq == state_.confirmed_seq) return finish(false);
    effects_.need_query(settings_database(frame_.settings, state_.tenant_id),
                        {{select_contiguous, {Value::text(state_.entity_id)}}});
    resume_ledger(effects_, call_, LedgerStage::confirm, {});
  }

  void confirm() {
    const Confirmed in_d1 = contiguous_in_d1(frame_);
    const std::int64_t reached = std::min(in_d1.seq, state_.seq);
    if (in_d1.answered && reached == state_.seq) {
      finish(advance(reached));
      return effects_.tell(ledger_report(state_.entity_id, state_.seq, state_.confirmed_seq, 0, 0));
    }
    // The confirmed head travels on; the state takes it with the commit, not before.
    std::string extra;
    ByteWriter out(extra);
    out.u8(in_d1.answered ? 1 : 0);
    out.varint(static_cast<std::uint64_t>(std::max(reached, state_.confirmed_seq)));
    const std::int64_t from = std::max(reached, state_.confirmed_seq) + 1;
    effects_.need_rows(ledger_sql::select_range, {Value::of(from), Value::of(limits::version_max),
                                                  Value::of(~0u), Value::of(segments_per_resend)});
    resume_ledger(effects_, call_, LedgerStage::resend, extra);
  }

  // Sends the oldest facts that D1 lacks, if they have had time to arrive by themselves.
  void resend() {
    ByteReader in(call_.extra);
    const bool d1_answered = in.u8() != 0;
    const auto reached = static_cast<std::int64_t>(in.varint());
    const bool moved = advance(reached);
    const Rows rows = parse_rows(frame_.answers.empty() ? std::string_view{} : frame_.answers[0]);

    MessagePacker packer(MessageKind::facts,
                         trace_context({}, {}, frame_.entropy.substr(0, 24)).traceparent());
    std::int64_t oldest = 0;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      RecordBytes record;
      for (ByteReader body(rows.at(i, 2).bytes); next_record_bytes(body, record);) {
        if (record.seq <= state_.confirmed_seq) continue;
        if (oldest == 0) oldest = record.recorded_at;
        const bool due = record.recorded_at <= frame_.now_ms - limits::confirm_after_ms;
        bytes += record.whole.size();
        if (!due || bytes > limits::resend_messages_max * limits::message_bytes_max) break;
        packer.add_record(state_.tenant_id, state_.entity_id, record.seq, record.recorded_at,
                          record.submission);
      }
    }
    // Without D1's word, what the queue holds is unknown: sending more of it would only add to it.
    const auto messages = d1_answered ? packer.take() : std::vector<std::string>{};
    back_off(moved, d1_answered, !messages.empty());
    finish(moved);
    for (const auto& message : messages) effects_.send(message);
    effects_.tell(ledger_report(state_.entity_id, state_.seq, state_.confirmed_seq, oldest,
                                static_cast<std::int64_t>(messages.size())));
  }

  bool advance(std::int64_t reached) {
    if (reached <= state_.confirmed_seq) return false;
    state_.confirmed_seq = reached;
    return true;
  }

  void back_off(bool moved, bool d1_answered, bool sent_again) {
    if (moved || (d1_answered && !sent_again))
      state_.confirm_pause_ms = limits::confirm_after_ms;
    else {
      state_.confirm_pause_ms = std::clamp(2 * state_.confirm_pause_ms, limits::confirm_after_ms,
                                           limits::confirm_pause_ms_max);
    }
  }

  // The rows and the next alarm. Needs no row when nothing moved.
  void finish(bool moved) {
    seal_ids(state_, effects_);
    if (moved) state_.write_meta(effects_);
    state_.alarm_at = 0;
    if (state_.seq == state_.confirmed_seq) {
      state_.confirm_pause_ms = 0;
      return;
    }
    state_.alarm_at = frame_.now_ms + std::max(state_.confirm_pause_ms, limits::confirm_after_ms);
    effects_.alarm(state_.alarm_at);
  }

  static constexpr std::int64_t segments_per_resend =
      static_cast<std::int64_t>(limits::resend_messages_max * limits::message_bytes_max /
                                limits::tail_bytes_max) +
      1;

  LedgerState& state_;
  const LedgerCall& call_;
  const Frame& frame_;
  Effects& effects_;
};

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
  Alarm(state, call, frame, effects).run();
}

}  // namespace z0
