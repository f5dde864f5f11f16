// Histories of tenants that are made, for rules about business that are played over them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "unit/alerting/business_made.hpp"
#include "unit/catch.hpp"
#include "z0/alerting/business_backtest.hpp"

namespace z0::made {

constexpr std::int64_t moment_of(std::int64_t weeks, std::int64_t day, std::int64_t hour) {
  return monday_ms + (weeks * 7 + day) * day_ms + hour * hour_ms;
}

inline std::vector<Rule> business_rules() {
  std::vector<Rule> all;
  RuleError error;
  REQUIRE(read_rules(default_rules_json(), all, error));
  std::erase_if(all, [](const Rule& rule) { return rule.kind != SignalKind::business; });
  return all;
}

// A tenant whose facts come at steady hours, until its invocations or charges stop.
inline TenantPlan store(const std::string& id, std::int64_t stops_ms = INT64_MAX,
                        std::int64_t pays_until_ms = INT64_MAX) {
  TenantPlan plan;
  plan.id = id;
  plan.busiest = 600;
  plan.slow_days = 0.15;
  plan.night = 0;
  plan.invoked = [stops_ms](std::int64_t at_ms) { return at_ms < stops_ms ? 1.0 : 0.0; };
  plan.paid = [pays_until_ms](std::int64_t at_ms) { return at_ms < pays_until_ms ? 1.0 : 0.0; };
  return plan;
}

// Each minute's facts in sum, as the watch of business_made.hpp sees them.
inline std::vector<HistoryFact> facts_of(TenantPlan plan, std::uint64_t seed, std::int64_t until_ms,
                                         std::int64_t step_minutes = 1) {
  MadeTenant tenant(std::move(plan), seed);
  std::vector<HistoryFact> facts;
  const auto add_bits = [&](std::string type, std::int64_t at_ms, std::uint32_t minutes,
                            std::int64_t count, std::int64_t amount) {
    for (; minutes != 0; minutes &= minutes - 1) {
      HistoryFact& fact = facts.emplace_back();
      fact.at_ms = at_ms + __builtin_ctz(minutes) * minute_ms + 30'000;
      fact.type = type;
      fact.tenant_id = tenant.plan.id;
      fact.facts = std::exchange(count, 0) + (count == 0 ? 1 : 0);
      fact.amount = std::exchange(amount, 0);
      if (type == "charge") fact.currency = "USD";
    }
  };
  for (std::int64_t at = monday_ms; at < until_ms; at += step_minutes * minute_ms) {
    const MadeTenant::Step step = tenant.come(at, step_minutes);
    add_bits("invocation", at, step.invoked, step.invocations, 0);
    add_bits("charge", at, step.charged, step.charges, step.taken);
  }
  return facts;
}

inline void add_facts(BusinessHistory& history, TenantPlan plan, std::uint64_t seed,
                      std::int64_t until_ms, std::int64_t step_minutes = 1) {
  for (const HistoryFact& fact : facts_of(std::move(plan), seed, until_ms, step_minutes))
    history.add(fact);
}

}  // namespace z0::made
