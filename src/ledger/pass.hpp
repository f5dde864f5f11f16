// Inside the ledger: a pass of reconciliation. The facts are folded again, from the last checkpoint
// on, and what is kept beside them is compared with that: the snapshot of every segment on the way,
// and at the last fact the state in memory. The ledger's facts win.
//
// A pass reads at most `segments_per_pass_step` segments a step and goes on from its checkpoint, so
// the work of a step is bounded whatever the history. It decides; writing is the caller's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/step.hpp"
#include "ledger/write.hpp"
#include "z0/ledger/state.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

class Pass {
 public:
  explicit Pass(LedgerState& state) : state_(state) {}

  // Goes over the rows of select_pass. False when they cannot be read.
  [[nodiscard]] bool read(const Rows& segments);
  // Whether the checkpoint is at the ledger's last fact.
  bool complete() const { return state_.checkpoint.seq == state_.seq; }
  // Compares the state in memory with the checkpoint, and lets the checkpoint win. For a complete
  // pass.
  void settle();

  std::int64_t facts() const { return facts_; }
  std::int64_t comparisons() const { return comparisons_; }
  // Segments whose snapshot was wrong, with the right one.
  struct Mended {
    std::int64_t first_seq;
    std::string cache;
  };
  const std::vector<Mended>& mended() const { return mended_; }

 private:
  void compare_snapshot(const Rows& segments, std::size_t row, const Folds& before,
                        std::int64_t before_seq);
  void found(std::size_t part, std::int64_t first_seq, std::string_view trace,
             std::string_view cached);

  LedgerState& state_;
  std::int64_t facts_ = 0;
  std::int64_t comparisons_ = 0;
  std::vector<Mended> mended_;
};

// A step of a pass with everything that follows from it. After run(), the caller finishes the
// writer, replies, and then lets this send and tell.
class Reconciliation {
 public:
  Reconciliation(LedgerState& state, const Frame& frame, Effects& effects, LedgerWriter& writer)
      : state_(state), frame_(frame), effects_(effects), writer_(writer), pass_(state) {}

  // Goes over the answers to need_reconciliation: the right snapshots into their rows; when the pass
  // is complete, a fact for each part that differed. False when the rows cannot be read.
  bool run();
  void send_and_tell();

  bool complete() const {
    return state_.checkpoint.seq == state_.seq && !state_.checkpoint.left_over.pending();
  }
  std::int64_t facts() const { return pass_.facts(); }
  std::int64_t comparisons() const { return pass_.comparisons() + rows_compared_; }
  // data of each fact.
  const std::vector<std::string>& found() const { return found_; }

 private:
  std::string_view resolution_of(std::size_t part, const PassState::Divergence& d) const;
  void write_delta(JsonWriter& json, std::size_t part, const PassState::Divergence& d) const;
  void record(std::size_t part, const PassState::Divergence& d);
  void record_tree();
  void compare_left_over(const Rows& rows);
  void record_left_over(const std::vector<std::int64_t>& found, const Rows& rows);
  // `values`: the members that tell the two apart.
  void record_fact(std::string_view values, std::string_view name, std::string_view resolution,
                   std::int64_t first_seq, std::string_view trace);

  LedgerState& state_;
  const Frame& frame_;
  Effects& effects_;
  LedgerWriter& writer_;
  Pass pass_;
  std::int64_t rows_compared_ = 0;
  std::vector<std::pair<std::string_view, std::string_view>> mismatches_;  // name, resolution
  std::vector<std::string> found_;
};

// The rows that the next step of a reconciliation reads: those of a pass, and those of corrected
// facts that it is going to be compared with.
void need_reconciliation(LedgerState& state, const Frame& frame, Effects& effects);
// A pass whose rows could not be read, after that was answered.
void count_failed_pass(const LedgerState& state, Effects& effects);
// Whether a part of the state came damaged and can be made again.
bool needs_refold(const LedgerState* state);
// Makes it again, step by step; false while rows are needed, or when they cannot be read, which was
// answered. What was found stays in the checkpoint until the next reconciliation records it.
bool refold(LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects);
// Facts that the ledger wrote of its own accord, packed for the queue.
std::vector<std::string> own_messages(const LedgerState& state, const LedgerWriter& writer,
                                      const Frame& frame);

}  // namespace z0
