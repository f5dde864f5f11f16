#include "edge/exceeded.hpp"

#include <algorithm>

#include "z0/json/json.hpp"

namespace z0 {
namespace {

// A limit that was lowered below what is spent leaves nothing, not less.
std::int64_t left_of(const ExceededBudget& budget) {
  return std::max<std::int64_t>(0, budget.limit - budget.used);
}

}  // namespace

std::string budget_json(const ExceededBudget& budget) {
  std::string json = "\"budget\":{\"config_id\":";
  append_json_string(json, budget.config_id);
  json += ",\"limit\":" + std::to_string(budget.limit);
  json += ",\"used\":" + std::to_string(budget.used);
  json += ",\"remaining\":" + std::to_string(left_of(budget));
  json.append(",\"currency\":\"").append(budget.currency);
  json.append("\",\"period\":\"").append(period_name(budget.period));
  return json + "\"},";
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
