#include "edge/exceeded.hpp"

#include <algorithm>

namespace z0 {
namespace {

// A limit that was lowered below what is spent leaves nothing, not less.
std::int64_t left_of(const ExceededBudget& budget) {
  return std::max<std::int64_t>(0, budget.limit - budget.used);
}

}  // namespace

void write_budget(JsonWriter& json, const ExceededBudget& budget) {
  json.object("budget").text("config_id", budget.config_id).integer("limit", budget.limit);
  json.integer("used", budget.used).integer("remaining", left_of(budget));
  json.plain("currency", budget.currency).plain("period", period_name(budget.period)).end();
}

std::string budget_words(const ExceededBudget& budget, std::int64_t amount) {
  std::string text = "The budget ";
  text += budget.config_id;
  text += " allows " + std::to_string(budget.limit);
  if (budget.period == Period::total)
    text += " in all";
  else
    text.append(" a ").append(period_name(budget.period));
  text.append(", in minor units of ").append(budget.currency);
  text += "; " + std::to_string(budget.used) + " of them are spent and this charge is " +
          std::to_string(amount) + '.';
  return text;
}

std::string budget_remedy(const ExceededBudget& budget, std::int64_t amount) {
  std::string text = budget_words(budget, amount);
  const std::int64_t left = left_of(budget);
  if (left > 0)
    text += " Charge at most " + std::to_string(left) + ", or raise";
  else
    text += " Raise";
  text.append(" its limit with PUT /v1/configs/").append(budget.config_id);
  if (budget.period != Period::total) {
    text.append(", or wait for the next ").append(period_name(budget.period)).append(" (UTC)");
  }
  return text + "; then send the fact again under the same id.";
}

}  // namespace z0
