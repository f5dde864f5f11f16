// Inside the ledger: may a new fact be recorded? Lifecycle, corrections, sums that stay exact,
// budgets; and the config that a charge is made under.
//
// A batch is judged in order, each fact as if those before it were recorded, on a copy of the
// folds: an atomic batch may still be refused as a whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/corrections.hpp"
#include "z0/ledger/state.hpp"

namespace z0 {

class Admission {
 public:
  explicit Admission(const LedgerState& state);

  // For what is known of the facts that are to be corrected.
  Corrections& corrections() { return corrections_; }

  // recorded when it may be. system: a fact of z0's own, which a retiring entity takes too. source:
  // the fact that a correction names, null when there is none. The fact then counts for those after
  // it, and where the ledger stamps it, with a config or with what it corrects, `fact` and
  // `submission` are the stamped ones; their bytes live as long as this object.
  Status admit(Fact& fact, std::string_view& submission, bool system, std::int64_t seq,
               std::int64_t recorded_at, const Fact* source);
  // Of the last refusal: the field at fault; for a budget an ExceededBudget, for a correction words.
  std::string_view field() const { return field_; }
  const std::string& detail() const { return detail_; }

 private:
  Status judge(Fact& fact, bool system, std::int64_t recorded_at, const Fact* source);
  Status refuse(Status status, std::string_view field);
  Status judge_budgets(const Fact& fact, std::int64_t recorded_at);
  bool takes(bool system) const {
    return lifecycle_ == Lifecycle::active || (system && lifecycle_ == Lifecycle::retiring);
  }
  void stamp(Fact& charge) const;
  void encode(Fact& stamped, std::string_view& submission);
  const Folds& folds() const { return changed_ ? working_ : state_.folds; }

  const LedgerState& state_;
  Folds working_;         // once a fact was admitted that feeds one
  bool changed_ = false;  // until then the ledger's own are as good, and nothing is copied
  Lifecycle lifecycle_;
  Corrections corrections_;
  std::string_view field_;
  std::string detail_;
  std::vector<std::unique_ptr<Buffer>> stamped_;
};

}  // namespace z0
