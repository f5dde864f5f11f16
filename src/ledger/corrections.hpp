// Inside the ledger: what corrections may do, and what they leave of the facts that they correct.
//
// A correction names a fact of its own ledger and moves the total that this fact moved, in its
// currency. All corrections of a fact together leave at least nothing of it and at most what can be
// counted. What is left of a fact that was ever corrected stands in a row; the correction carries
// it, too, so the rows can be made again from the facts.
//
// To correct a correction is to correct the fact behind it once more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "z0/base/status.hpp"
#include "z0/facts/fact.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

// The fact behind a fact: itself, or what a correction corrects. 0 for a correction that moved
// nothing.
std::int64_t corrected_seq(const Fact& source);

// Of one batch, in its order.
class Corrections {
 public:
  // What the rows of select_corrected say. False when they cannot be read.
  bool know(const Rows& rows);
  // Whether a correction may be recorded, and then it says what it corrects. source: the fact that
  // it names, null when the ledger has none of that id. Else `field` is the member at fault, and
  // `words` say what would be right; both stay as they are where the status says it all.
  Status judge(Fact& correction, const Fact* source, std::string_view& field,
               std::string& words) const;
  // The correction is about to be recorded, and counts for those after it.
  void take(const Fact& correction);

 private:
  std::vector<std::pair<std::int64_t, std::int64_t>> left_;  // seq of a fact, what is left of it
};

// What is left of the facts that were corrected, as it goes into its rows.
class CorrectedRows {
 public:
  void add(const Fact& correction);
  void add(std::int64_t seq, std::int64_t left) { left_.emplace_back(seq, left); }
  void write(Effects& effects) const;

 private:
  std::vector<std::pair<std::int64_t, std::int64_t>> left_;
};

// Asks for the rows of these facts; the answers are that of the table, then the rows.
void need_corrected(const std::vector<std::int64_t>& seqs, Effects& effects);
inline constexpr std::size_t answers_of_corrected = 2;

}  // namespace z0
