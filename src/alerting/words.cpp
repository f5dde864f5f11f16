#include "z0/alerting/words.hpp"

#include <cmath>

#include "z0/alerts/prometheus.hpp"

namespace z0 {
namespace {

// Three digits that count.
std::string rounded(double value) {
  if (!std::isfinite(value) || value == 0 || std::fabs(value) >= 1e15) return number_text(value);
  double unit = 1;
  for (double left = std::fabs(value); left < 100 && unit < 1e9; left *= 10) unit *= 10;
  return number_text(std::round(value * unit) / unit);
}

std::string with_unit(double value, std::string_view unit) {
  if (unit == "ms" && std::fabs(value) >= 1'000) return rounded(value / 1'000) + " s";
  return rounded(value) + ' ' + std::string(unit);
}

std::string score_words(double score) { return "a score of " + rounded(score); }

std::string measured(const Rule& rule, double value) {
  switch (rule.kind) {
    case SignalKind::ratio:
      return rounded(value * 100) + " %";
    case SignalKind::burn:
      return rounded(value) + " times what the objective allows";
    case SignalKind::anomaly:
      return score_words(value);
    case SignalKind::business:
      return has_threshold(rule) ? score_words(value) : std::string();
    case SignalKind::value:
    case SignalKind::quantile:
    case SignalKind::sum:
      return with_unit(value, rule.of.empty() ? std::string_view() : info(rule.of[0].metric).unit);
    default:
      return {};
  }
}

}  // namespace

std::string value_words(const Rule& rule, double value) { return measured(rule, value); }

std::string threshold_words(const Rule& rule) {
  constexpr std::string_view signs[] = {"above ", "at least ", "below ", "at most "};
  static_assert(std::size(signs) == static_cast<std::size_t>(Comparison::count_));
  const std::string limit = measured(rule, rule.threshold);
  if (limit.empty()) return {};
  return std::string(signs[static_cast<std::size_t>(rule.comparison)]) + limit;
}

}  // namespace z0
