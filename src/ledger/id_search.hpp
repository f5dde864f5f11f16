// Inside the ledger: which facts of its history have given ids.
//
// Candidates come from the index of ids, by hash; what is in the tail is compared at once, what
// lies further back is asked for: chunks of sealed ids first, then the segments. Only full ids
// count.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/step.hpp"
#include "z0/ledger/state.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

class IdSearch {
 public:
  struct Key {
    std::string_view id;
    std::uint64_t hash = 0;
  };
  // A fact that has the id of a key. Borrows the tail or the frame's answers.
  struct Match {
    std::uint32_t key = 0;
    std::int64_t seq = 0;
    std::int64_t recorded_at = 0;
    std::string_view submission;
  };

  IdSearch(const LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects)
      : state_(state), call_(call), at_(call.at<AppendStage>()), frame_(frame), effects_(effects) {}

  void add(Key key) { keys_.push_back(key); }
  // False when rows were asked for. `answer`: the place of the segments among the frame's answers.
  bool run(std::size_t answer);
  // Asks for the segments once more, behind what else is needed, to go on with at another stage.
  void ask_again(AppendStage stage);

  // In order of keys, but for those that lie far back, which come last.
  const std::vector<Match>& matches() const { return matches_; }
  // Keys of which it cannot be said now whether there is a fact: one append reads no further.
  const std::vector<std::uint32_t>& unknown() const { return unknown_; }

 private:
  struct Suspect {
    std::uint32_t key = 0;
    std::int64_t seq = 0;  // 0: not to be judged
  };
  void look_into_chunks();
  void read_located();
  void find_in(std::string_view body, const Suspect& suspect);
  void find_in_segments(std::size_t answer);
  void need(std::string_view sql, const std::vector<std::int64_t>& numbers);

  const LedgerState& state_;
  const LedgerCall& call_;
  const AppendStage at_;
  const Frame& frame_;
  Effects& effects_;
  std::vector<Key> keys_;
  std::vector<Suspect> suspects_;
  std::vector<std::pair<std::uint32_t, std::int64_t>> chunks_;  // key, chunk
  std::vector<std::int64_t> far_;                               // seqs outside of the tail
  std::string located_;                                         // what the chunks said
  std::vector<Match> matches_;
  std::vector<std::uint32_t> unknown_;
};

}  // namespace z0
