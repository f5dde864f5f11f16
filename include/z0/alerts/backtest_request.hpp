// What POST /v1/rules/backtest is asked:
//
//   {"rules": [...], "against": [...],   as in a config; without rules: those that ship
//    "shipped": true,                    rules and against are added to those that ship
//    "from": 1774915200000, "to": "2026-03-31T10:15:00Z", "step": "1m",
//    "incidents": [{...}]}               as read_incident has them
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "z0/alerts/backtest.hpp"

namespace z0 {

// A month of minutes, and what a person can take in.
inline constexpr std::int64_t backtest_ms_max = std::int64_t{31} * 86'400'000;
inline constexpr std::int64_t backtest_step_ms_min = 60'000;
inline constexpr std::int64_t backtest_step_ms_max = 3'600'000;
inline constexpr std::size_t backtest_incidents_max = 100;

struct BacktestRequest {
  std::vector<Rule> rules;
  std::vector<Rule> against;
  bool compares = false;     // `against` was given
  std::int64_t from_ms = 0;  // 0: not said
  std::int64_t to_ms = 0;
  std::int64_t step_ms = 60'000;
  std::vector<Incident> incidents;
};
[[nodiscard]] bool read_backtest_request(std::string_view text, BacktestRequest& out,
                                         RuleError& error);

// Rules added to others: one of the same name says it otherwise.
void add_rules(std::vector<Rule>& to, std::vector<Rule> rules);

}  // namespace z0
