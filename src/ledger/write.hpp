// Inside the ledger: facts become rows. The append, an import and reconciliation write through
// this, so that segments, tree, folds, counts and ids never part.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ledger/corrections.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/ledger/state.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

class LedgerWriter {
 public:
  LedgerWriter(LedgerState& state, const Frame& frame, Effects& effects);

  // A batch of so many bytes is about to be recorded: what would take the tail past its size begins
  // a segment of its own. The tail's row is right as it stands then, and one row is written instead
  // of two.
  void expect(std::size_t record_bytes);
  // The ledger's next fact. fact: the submission as parsed, at least type, fields and custom_type;
  // the rest is parsed again when a fold needs it.
  void record(std::string_view submission, const Fact& fact, std::uint64_t id_hash,
              std::int64_t recorded_at);
  // A fact of z0's own: its id is made of the frame's entropy.
  void record_own(Fact& fact);
  // The rows that are not written yet, and the alarm. Nothing when nothing was recorded and the
  // meta row did not change.
  void finish();

  bool recorded() const { return state_.seq > before_seq_; }
  // Own facts as records, for the queue.
  std::string_view own_records() const { return own_.view(); }

 private:
  void hash_leaves();
  void write_tail();

  LedgerState& state_;
  const Frame& frame_;
  Effects& effects_;
  const std::int64_t before_seq_;
  std::size_t hashed_bytes_;  // of the tail's body: records up to here are in the tree
  std::int64_t written_seq_;  // the tail's row holds facts up to here
  std::vector<MerkleNode> nodes_;
  CorrectedRows corrected_;
  Buffer own_;
  std::uint32_t own_count_ = 0;
};

}  // namespace z0
