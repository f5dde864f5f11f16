#include "ledger/admit.hpp"

#include "z0/base/trap.hpp"
#include "z0/calls/ledger.hpp"

namespace z0 {
namespace {

// What a ledger can hold no more of.
std::string_view full_field(const Fact& fact) {
  if (fact.type == FactType::lifecycle) return "config_id";
  return fact.has(field_amount) ? "currency" : "user_id";
}

}  // namespace

Admission::Admission(const LedgerState& state)
    : state_(state), lifecycle_(state.summary.lifecycle) {}

Status Admission::admit(Fact& fact, std::string_view& submission, bool system, std::int64_t seq,
                        std::int64_t recorded_at, const Fact* source) {
  const bool feeds = Folds::feeds_any(fact.type, fact.fields);
  // Most facts change no fold, and concern only whether the entity is active.
  if (!feeds && fact.type != FactType::lifecycle)
    return takes(system) ? Status::recorded : refuse(Status::entity_inactive, {});
  fact.recorded_at = recorded_at;
  const Status status = judge(fact, system, recorded_at, source);
  if (status != Status::recorded) return status;
  if (fact.type == FactType::charge) stamp(fact);
  if (stamped(fact)) encode(fact, submission);
  corrections_.take(fact);
  if (!changed_) working_ = state_.folds;
  changed_ = true;
  // A stamped fact was parsed anew, and a submission has neither.
  fact.seq = seq;
  fact.recorded_at = recorded_at;
  working_.apply(fact);
  return Status::recorded;
}

Status Admission::judge(Fact& fact, bool system, std::int64_t recorded_at, const Fact* source) {
  const bool config = fact.type == FactType::lifecycle && fact.has(field_config);
  if (fact.type == FactType::lifecycle && !config) {
    if (!next_lifecycle(lifecycle_, fact.subtype, lifecycle_))
      return refuse(Status::entity_inactive, "subtype");
  } else if (!takes(system)) {
    return refuse(Status::entity_inactive, {});
  }
  if (fact.type == FactType::correction) {
    refuse(Status::recorded, {});
    const Status status = corrections_.judge(fact, source, field_, detail_);
    if (status != Status::recorded) return status;
  }
  const FoldError error = folds().check(fact);
  if (error == FoldError::overflow) return refuse(Status::amount_overflow, "amount");
  if (error == FoldError::full) return refuse(Status::ledger_full, full_field(fact));
  // A correction that makes a charge larger is spending, too.
  const bool spends =
      fact.type == FactType::charge || (fact.amount > 0 && corrects(fact, FactType::charge));
  return spends ? judge_budgets(fact, recorded_at) : Status::recorded;
}

Status Admission::refuse(Status status, std::string_view field) {
  field_ = field;
  detail_.clear();
  return status;
}

Status Admission::judge_budgets(const Fact& fact, std::int64_t recorded_at) {
  const ConfigState& configs = folds().configs();
  const auto cache = static_cast<std::size_t>(CacheType::budget);
  // What was spent is not known while the cache waits for somebody's review: then no budget can be
  // kept, and a charge that one might refuse has to wait.
  if (!folds().valid(cache) && configs.budget_of(fact.currency) != nullptr)
    return refuse(Status::storage_error, {});
  const CachedState& cached = folds().cached();
  const KnownConfig* exceeded =
      configs.exceeded_by(cached, fact.currency, fact.amount, recorded_at,
                          fact.has(field_corrects) ? fact.corrects_at : recorded_at);
  if (exceeded == nullptr) return Status::recorded;
  refuse(Status::budget_exhausted, "amount");
  const Budget& budget = exceeded->budget;
  detail_ = z0::encode(ExceededBudget{exceeded->config_id, budget.currency, budget.limit,
                                      cached.spent(budget.currency, budget.period, recorded_at),
                                      budget.period});
  return Status::budget_exhausted;
}

void Admission::stamp(Fact& fact) const {
  if (fact.has(field_config)) return;
  const KnownConfig* budget = folds().configs().budget_of(fact.currency);
  if (budget == nullptr) return;
  fact.fields |= field_config | field_config_stamped;
  fact.config_id = budget->config_id;
  fact.config_version = budget->version;
}

void Admission::encode(Fact& fact, std::string_view& submission) {
  stamped_.push_back(std::make_unique<Buffer>());
  append_submission(*stamped_.back(), fact);
  submission = stamped_.back()->view();
  // Views into the folds would go with the next change; the submission stays.
  if (!parse_submission(submission, fact.entity_id, fact))
    trap("what was written just now can be read");
}

}  // namespace z0
