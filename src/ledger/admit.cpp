#include "ledger/admit.hpp"

namespace z0 {
namespace {

Status status_of(FoldError error) {
  return error == FoldError::overflow ? Status::amount_overflow : Status::ledger_full;
}

}  // namespace

Admission::Admission(const LedgerState& state)
    : state_(state), lifecycle_(state.summary.lifecycle) {}

Status Admission::admit(Fact& fact, std::string_view& submission, bool system, std::int64_t seq,
                        std::int64_t recorded_at) {
  const bool feeds = Folds::feeds_any(fact.type, fact.fields);
  // Most facts change no fold, and concern only whether the entity is active.
  if (!feeds && fact.type != FactType::lifecycle)
    return takes(system) ? Status::recorded : Status::entity_inactive;
  fact.recorded_at = recorded_at;
  const Status status = judge(fact, system, recorded_at);
  if (status != Status::recorded) return status;
  if (fact.type == FactType::charge) stamp(fact, submission);
  if (!changed_) working_ = state_.folds;
  changed_ = true;
  // A stamped fact was parsed anew, and a submission has neither.
  fact.seq = seq;
  fact.recorded_at = recorded_at;
  working_.apply(fact);
  return Status::recorded;
}

Status Admission::judge(const Fact& fact, bool system, std::int64_t recorded_at) {
  const bool config = fact.type == FactType::lifecycle && fact.has(field_config);
  if (fact.type == FactType::lifecycle && !config) {
    if (!next_lifecycle(lifecycle_, fact.subtype, lifecycle_)) return Status::entity_inactive;
  } else if (!takes(system)) {
    return Status::entity_inactive;
  }
  const FoldError error = folds().check(fact);
  if (error != FoldError::none) return status_of(error);
  if (fact.type != FactType::charge) return Status::recorded;
  const ConfigState& configs = folds().configs();
  const std::size_t budget = static_cast<std::size_t>(CacheType::budget);
  // What was spent is not known while the cache waits for somebody's review: then no budget can be
  // kept, and a charge that one might refuse has to wait.
  if (!folds().valid(budget) && configs.budget_of(fact.currency) != nullptr)
    return Status::storage_error;
  const bool exceeds =
      configs.exceeded_by(folds().cached(), fact.currency, fact.amount, recorded_at) != nullptr;
  return exceeds ? Status::budget_exhausted : Status::recorded;
}

void Admission::stamp(Fact& fact, std::string_view& submission) {
  if (fact.has(field_config)) return;
  const KnownConfig* budget = folds().configs().budget_of(fact.currency);
  if (budget == nullptr) return;
  fact.fields |= field_config | field_config_stamped;
  fact.config_id = budget->config_id;
  fact.config_version = budget->version;
  stamped_.push_back(std::make_unique<Buffer>());
  append_submission(*stamped_.back(), fact);
  submission = stamped_.back()->view();
  // Views into the folds would go with the next change; the submission stays.
  parse_submission(submission, fact.entity_id, fact);
}

}  // namespace z0
