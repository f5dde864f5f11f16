// What a rule says, in words and in numbers.
#include "z0/alerts/rule.hpp"

#include "alerts/rule_names.hpp"

namespace z0 {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
// In the order in which a duration names them.
constexpr Unit units[] = {{"w", 604'800'000}, {"d", 86'400'000}, {"h", 3'600'000},
                          {"m", 60'000},      {"s", 1'000},      {"ms", 1}};
// A hundred years, beyond which nobody waits.
constexpr std::int64_t duration_ms_max = std::int64_t{36'500} * 86'400'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <std::size_t N, class Enum>
std::string_view name_in(const std::string_view (&names)[N], Enum value) {
  return names[static_cast<std::size_t>(value)];
}

}  // namespace

bool selects(const Selector& selector, std::span<const std::string_view> labels) {
  for (const Selector::Match& match : selector.where) {
    const bool same = match.label < labels.size() && labels[match.label] == match.value;
    if (same == match.is_not) return false;
  }
  return true;
}

bool holds(Comparison comparison, double threshold, double value) {
  switch (comparison) {
    case Comparison::above:
      return value > threshold;
    case Comparison::at_least:
      return value >= threshold;
    case Comparison::below:
      return value < threshold;
    case Comparison::at_most:
    case Comparison::count_:
      break;
  }
  return value <= threshold;
}

bool has_threshold(const Rule& rule) {
  if (rule.kind == SignalKind::business) return rule.business == Business::revenue_unusual;
  return rule.kind != SignalKind::absent;
}

bool read_duration(std::string_view text, std::int64_t& ms) {
  if (text == "0") {
    ms = 0;
    return true;
  }
  std::int64_t sum = 0;
  const Unit* next = std::begin(units);
  std::size_t at = 0;
  while (at < text.size()) {
    std::int64_t number = 0;
    const std::size_t digits = at;
    for (; at < text.size() && is_digit(text[at]); ++at) {
      number = number * 10 + (text[at] - '0');
      if (number > duration_ms_max) return false;
    }
    std::size_t end = at;
    while (end < text.size() && !is_digit(text[end])) ++end;
    const std::string_view unit = text.substr(at, end - at);
    while (next != std::end(units) && next->name != unit) ++next;
    if (at == digits || next == std::end(units) || number > duration_ms_max / next->ms)
      return false;
    sum += number * next->ms;
    ++next;
    at = end;
  }
  if (text.empty() || sum > duration_ms_max) return false;
  ms = sum;
  return true;
}

std::string duration_text(std::int64_t ms) {
  if (ms <= 0) return "0s";
  std::string text;
  for (const Unit& unit : units) {
    // Weeks only where nothing is over: 30d, and not 4w2d.
    if (unit.name == "w" && ms % unit.ms != 0) continue;
    if (ms / unit.ms > 0) text += std::to_string(ms / unit.ms) + std::string(unit.name);
    ms %= unit.ms;
  }
  return text;
}

std::string_view signal_name(SignalKind kind) { return name_in(rule_names::signals, kind); }
std::string_view comparison_name(Comparison comparison) {
  return name_in(rule_names::comparisons, comparison);
}
std::string_view no_data_name(NoData policy) { return name_in(rule_names::no_data, policy); }
std::string_view severity_name(Severity severity) {
  return name_in(rule_names::severities, severity);
}
std::string_view audience_name(Audience audience) {
  return name_in(rule_names::audiences, audience);
}
std::string audience_text(std::uint8_t audience) {
  std::string text;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Audience::count_); ++i) {
    if ((audience >> i & 1) == 0) continue;
    if (!text.empty()) text += ',';
    text += audience_name(static_cast<Audience>(i));
  }
  return text;
}

std::string_view business_name(Business business) {
  return name_in(rule_names::business, business);
}
std::string_view aspect_name(Aspect aspect) { return name_in(rule_names::aspects, aspect); }

}  // namespace z0
