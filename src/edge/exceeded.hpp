// What a caller is told of the budget that refused a charge.
#pragma once

#include <cstdint>
#include <string>

#include "z0/calls/ledger.hpp"
#include "z0/json/write.hpp"

namespace z0 {

// The member `budget`.
void write_budget(JsonWriter& json, const ExceededBudget& budget);
// The numbers in a sentence.
std::string budget_words(const ExceededBudget& budget, std::int64_t amount);
// What helps against this refusal, the numbers first.
std::string budget_remedy(const ExceededBudget& budget, std::int64_t amount);

}  // namespace z0
