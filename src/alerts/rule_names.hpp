// The words of rules, in the order of their enums.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>

#include "z0/alerts/rule.hpp"

namespace z0::rule_names {

inline constexpr std::string_view signals[] = {"value",  "sum",  "ratio",   "quantile",
                                               "absent", "burn", "anomaly", "business"};
inline constexpr std::string_view comparisons[] = {"above", "at_least", "below", "at_most"};
inline constexpr std::string_view no_data[] = {"ok", "keep", "alert"};
inline constexpr std::string_view severities[] = {"warning", "critical"};
inline constexpr std::string_view audiences[] = {"on_call", "engineering_lead", "tenant_success"};
inline constexpr std::string_view business[] = {"zero_invocations", "no_charges", "revenue_low",
                                                "revenue_unusual", "budget_ends"};
inline constexpr std::string_view aspects[] = {"rate", "quantile", "value"};
static_assert(std::size(signals) == static_cast<std::size_t>(SignalKind::count_));
static_assert(std::size(comparisons) == static_cast<std::size_t>(Comparison::count_));
static_assert(std::size(no_data) == static_cast<std::size_t>(NoData::count_));
static_assert(std::size(severities) == static_cast<std::size_t>(Severity::count_));
static_assert(std::size(audiences) == static_cast<std::size_t>(Audience::count_));
static_assert(std::size(business) == static_cast<std::size_t>(Business::count_));
static_assert(std::size(aspects) == static_cast<std::size_t>(Aspect::count_));

// The enum's value of a word; false for another one.
template <class Enum, std::size_t N>
bool find(const std::string_view (&names)[N], std::string_view name, Enum& out) {
  const auto* found = std::find(std::begin(names), std::end(names), name);
  if (found == std::end(names)) return false;
  out = static_cast<Enum>(found - names);
  return true;
}

// "value, sum or ratio": what may stand there.
template <std::size_t N>
std::string any_of(const std::string_view (&names)[N]) {
  std::string text;
  for (std::size_t i = 0; i < N; ++i) {
    if (i > 0) text += i + 1 == N ? " or " : ", ";
    text += names[i];
  }
  return text;
}

}  // namespace z0::rule_names
