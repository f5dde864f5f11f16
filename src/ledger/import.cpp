// An import: facts that another z0 recorded, with the numbers and commit times that they have
// there, so that the tree here has the root that it has there.
#include <algorithm>

#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "ledger/write.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/ledger_reads.hpp"
#include "z0/calls/ledger_repairs.hpp"

namespace z0 {
namespace {

class Import {
 public:
  Import(LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects)
      : state_(state),
        call_(call),
        frame_(frame),
        effects_(effects),
        writer_(state, frame, effects) {}

  void run() {
    if (!decode(call_.request, request_) || request_.records.empty())
      return reply_status(effects_, Status::bad_parameter);
    if (!state_.tenant_id.empty() && state_.tenant_id != request_.tenant_id)
      return reply_status(effects_, Status::forbidden);
    if (state_.seq == 0 && call_.at<BeginStage>() != BeginStage::registered)
      return ask_directory(call_, request_.tenant_id, request_.entity_id, frame_, effects_);
    // The configs that the ledger was under are facts of its own: those of here are not added.
    std::vector<std::string_view> unused;
    Status status = state_.seq == 0 ? directory_word(frame_, unused) : Status::recorded;
    if (status == Status::recorded) status = judge();
    if (status != Status::recorded) return reply_status(effects_, status);
    write();
    reply();
  }

 private:
  // What the other z0 said of it: its source came before, and something that can be counted is left.
  static bool possible_correction(const Fact& fact) {
    return fact.corrects_seq >= 1 && fact.corrects_seq < fact.seq && fact.corrects_at >= 0 &&
           fact.corrects_at <= fact.recorded_at && fact.corrects_left >= 0 &&
           fact.corrects_left <= limits::amount_max && valid_type(fact.corrects);
  }

  // Everything is looked at before anything changes: numbers that go on, times that do not run back
  // and are not to come, sums that stay exact.
  Status judge() {
    Folds folds = state_.folds;
    std::int64_t seq = state_.seq;
    std::int64_t recorded_at = state_.recorded_at;
    Fact fact;
    ByteReader in(request_.records);
    while (!in.done()) {
      if (!next_record(in, request_.entity_id, fact)) return Status::invalid_value;
      if (fact.seq <= state_.seq) continue;
      const bool follows = fact.seq == seq + 1 && fact.recorded_at >= recorded_at &&
                           fact.recorded_at <= frame_.now_ms;
      if (!follows) return Status::conflict;
      if (fact.has(field_corrects) && !possible_correction(fact)) return Status::invalid_value;
      const FoldError error = folds.check(fact);
      if (error == FoldError::overflow) return Status::amount_overflow;
      if (error == FoldError::full) return Status::ledger_full;
      folds.apply(fact);
      seq = fact.seq;
      recorded_at = fact.recorded_at;
    }
    return Status::recorded;
  }

  void write() {
    const bool first = state_.seq == 0;
    if (first) {
      state_.tenant_id = request_.tenant_id;
      state_.entity_id = request_.entity_id;
      state_.hash_seed = frame_.entropy.seed();
      state_.created_at = frame_.now_ms;
      state_.write_meta(effects_);
    }
    writer_.expect(request_.records.size());
    RecordBytes record;
    Fact fact;
    for (ByteReader in(request_.records); next_record_bytes(in, record);) {
      if (record.seq <= state_.seq) continue;
      if (!parse_submission(record.submission, request_.entity_id, fact))
        trap("what was judged can be read");
      writer_.record(record.submission, fact, id_hash(fact.id, state_.hash_seed),
                     record.recorded_at);
    }
    writer_.finish();
    if (!writer_.recorded()) return;
    state_.alarm_at = frame_.now_ms + limits::confirm_after_ms;
    effects_.alarm(state_.alarm_at);
  }

  void reply() { reply_value(effects_, TreeHead{state_.seq, state_.summary.tree.root()}); }

  LedgerState& state_;
  const LedgerCall& call_;
  const Frame& frame_;
  Effects& effects_;
  LedgerWriter writer_;
  ImportRequest request_;
};

}  // namespace

void import_to_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects) {
  Import(state, call, frame, effects).run();
}

}  // namespace z0
