// What D1's facts tell of metrics, step by step, for whoever tries rules over them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "z0/alerts/backtest_history.hpp"
#include "z0/alerts/rule.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

// Kinds of facts in all steps of one page, of one database: a row each, of some 200 bytes.
inline constexpr std::int64_t history_rows_max = 5'000;

// Facts that one query should read: D1 does one thing at a time, and others wait for it.
inline constexpr std::int64_t history_facts_max = 100'000;

struct HistoryPage {
  std::string_view tenant_id;  // empty: all
  std::int64_t from_ms = 0;
  std::int64_t to_ms = 0;  // not in it
  std::int64_t step_ms = 60'000;
  bool by_asset = true;  // whether subtypes and assets are told apart
  bool money = false;    // whether sums for rules about business are told, too
  // Where an answer does not reach to_ms, it reaches to a multiple of this, which is one of step_ms.
  std::int64_t whole_ms = 60'000;
};
// Whether a rule tells subtypes or assets of facts apart.
bool tells_assets(const std::vector<Rule>& rules);
// Asks each database that may have such facts.
void need_history(const Frame& frame, const HistoryPage& page, Effects& effects);

struct HistoryAnswer {
  std::vector<HistorySample> samples;  // at the beginnings of their steps
  std::vector<HistoryFact> sums;       // of facts, a step each, where money was asked for
  // Up to where they are all; where it is page.from_ms or less, a single step has more than a page holds.
  std::int64_t reached_ms = 0;
  std::int64_t facts = 0;  // that were read for it, or more
};
// False where D1 failed.
[[nodiscard]] bool read_history(const Frame& frame, const HistoryPage& page, HistoryAnswer& out);

// How long the next stretch of time should be: it grows while answers are small, up to a day, and is at
// least page.whole_ms.
std::int64_t next_span_ms(const HistoryAnswer& answer, const HistoryPage& page);

}  // namespace z0
