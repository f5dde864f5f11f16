// What corrections leave of the facts that they correct, folded again by a pass of reconciliation.
// Inside the ledger only; state.hpp has it in the checkpoint of a pass.
//
// Rows of `corrected` say the same and are what a correction is judged by. A pass over the whole
// history knows of each fact what is left, and which facts have no row; one that goes on from the
// last checkpoint knows those that were corrected since.
//
// At most `limits::corrected_per_pass_max` facts are kept, those with the lowest numbers. A whole
// pass that met more leaves the others to the next whole pass, which begins behind them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "z0/base/bytes.hpp"
#include "z0/facts/fact.hpp"

namespace z0 {

class LeftOver {
 public:
  void begin_whole();
  // Each correction that the pass meets, in order.
  void take(const Fact& correction);
  // The rows of these facts were compared, which stand in ascending order.
  void forget(const std::vector<std::int64_t>& seqs);
  // All rows were.
  void end();

  // Whether rows are still to be compared, whatever else a pass finds.
  bool pending() const { return !left_.empty(); }
  bool whole() const { return whole_; }
  // The numbers that a whole pass is about: from `from()` on, up to `to()`; 0 is no end.
  std::int64_t from() const { return from_; }
  std::int64_t to() const { return to_; }
  // Ascending numbers of facts, each with what is left of it.
  const std::vector<std::pair<std::int64_t, std::int64_t>>& facts() const { return left_; }
  std::vector<std::int64_t> seqs() const;
  const std::int64_t* find(std::int64_t seq) const;

  // When rows were last found to differ; 0: never.
  std::int64_t mismatch_at = 0;

  // No bytes for a ledger without corrections.
  void encode(std::string& out) const;
  [[nodiscard]] bool decode(ByteReader& in);

 private:
  std::vector<std::pair<std::int64_t, std::int64_t>> left_;
  std::int64_t from_ = 0;
  std::int64_t to_ = 0;
  bool whole_ = false;
};

}  // namespace z0
