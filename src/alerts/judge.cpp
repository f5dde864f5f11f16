// What a rule sees in its sums, and whether it holds.
#include <algorithm>
#include <cmath>

#include "z0/alerts/chance.hpp"
#include "z0/alerts/evaluator.hpp"
#include "z0/base/limits.hpp"
#include "z0/metrics/histogram.hpp"

namespace z0 {
namespace {

bool wants_more(const Rule& rule) {
  return rule.comparison == Comparison::above || rule.comparison == Comparison::at_least;
}

// Whether it holds all the more when others count as well. A share or a quantile of some is not that of all.
bool holds_with_more(const Rule& rule) {
  return (rule.kind == SignalKind::sum || rule.kind == SignalKind::value) && wants_more(rule) &&
         rule.no_data != NoData::alert;
}

}  // namespace

std::int64_t Evaluator::sum(std::uint32_t operand, std::size_t group) const {
  const auto& sums = sums_[operand].sums;
  return group < sums.size() ? sums[group] : 0;
}

bool Evaluator::knows(std::uint32_t operand, std::size_t group) const {
  const auto& known = sums_[operand].known;
  return group < known.size() && known[group] != 0;
}

// Of few events the rate says little: then it fires only where a service that fails just as often as
// the rule allows would not come to that.
Evaluator::Seen Evaluator::see_ratio(const Rule& rule, double threshold, std::int64_t part,
                                     std::int64_t whole) {
  Seen seen;
  if (whole <= 0) return seen;
  seen.has_data = true;
  seen.value = static_cast<double>(part) / static_cast<double>(whole);
  seen.holds = holds(rule.comparison, threshold, seen.value);
  if (!seen.holds || whole >= rule.min_events) return seen;
  seen.holds = wants_more(rule) ? chance_of(part, whole, threshold) < chance_max
                                : chance_of(whole - part, whole, 1 - threshold) < chance_max;
  return seen;
}

// Both windows: the long one says that it matters, the short one that it goes on.
// https://sre.google/workbook/alerting-on-slos/, "Multiwindow, Multi-Burn-Rate Alerts".
Evaluator::Seen Evaluator::see_burn(const Rule& rule, const Reads& reads, std::size_t group) const {
  const double allowed = 1 - rule.objective;
  const double threshold = rule.threshold * allowed;
  const Seen now = see_ratio(rule, threshold, sum(reads.of, group), sum(reads.to, group));
  const Seen long_ago =
      see_ratio(rule, threshold, sum(reads.long_of, group), sum(reads.long_to, group));
  Seen seen;
  seen.has_data = now.has_data && long_ago.has_data;
  seen.holds = now.holds && long_ago.holds;
  seen.value = std::min(now.value, long_ago.value) / allowed;
  return seen;
}

Evaluator::Seen Evaluator::see_quantile(const Rule& rule, std::uint32_t operand,
                                        std::size_t group) const {
  Seen seen;
  const std::int64_t all = sum(operand, group);
  if (all <= 0 || group >= sums_[operand].buckets.size()) return seen;
  const std::vector<std::int64_t>& buckets = sums_[operand].buckets[group];
  const auto rank =
      static_cast<std::int64_t>(std::max(1.0, std::ceil(rule.quantile * static_cast<double>(all))));
  std::int64_t below = 0;
  std::int64_t beyond = 0;
  bool found = false;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const auto bound = static_cast<double>(Histogram::bound(i));
    below += buckets[i];
    if (!found && below >= rank) {
      found = true;
      seen.value = bound;
    }
    if (bound > rule.threshold) beyond += buckets[i];
  }
  seen.has_data = found;
  seen.holds = found && holds(rule.comparison, rule.threshold, seen.value);
  if (seen.holds && all < rule.min_events)
    seen.holds = chance_of(beyond, all, 1 - rule.quantile) < chance_max;
  return seen;
}

Evaluator::Seen Evaluator::see_value(const Rule& rule, std::uint32_t operand, std::size_t group,
                                     std::int64_t now_ms) const {
  Seen seen;
  const Sums& of = sums_[operand];
  if (group >= of.values.size() || of.heard_ms[group] == 0) return seen;
  seen.has_data = now_ms - of.heard_ms[group] <= limits::gauge_stale_ms;
  seen.value = of.values[group];
  seen.holds = seen.has_data && holds(rule.comparison, rule.threshold, seen.value);
  return seen;
}

// Nothing is said before two weeks were seen.
Evaluator::Seen Evaluator::see_anomaly(std::size_t rule, std::size_t group) const {
  Seen seen;
  const Habits::Habit* habit =
      habits_.find(static_cast<std::uint32_t>(rule), static_cast<std::uint32_t>(group));
  if (habit == nullptr || !habit->last.settled) return seen;
  seen.has_data = true;
  seen.value = habit->last.score;
  seen.holds = holds(rules_[rule].comparison, rules_[rule].threshold, seen.value);
  return seen;
}

// What a window came to. A share or a quantile of too few events says nothing.
std::optional<double> Evaluator::point(const Rule& rule, const Reads& reads, std::size_t group,
                                       std::int64_t now_ms) const {
  if (rule.aspect == Aspect::value) {
    const Seen seen = see_value(rule, reads.of, group, now_ms);
    return seen.has_data ? std::optional(seen.value) : std::nullopt;
  }
  const bool divides = reads.to != none;
  const std::int64_t events = sum(divides ? reads.to : reads.of, group);
  if (rule.aspect == Aspect::rate && !divides) return static_cast<double>(events);
  if (events <= 0 || events < rule.min_events) return std::nullopt;
  if (divides) return static_cast<double>(sum(reads.of, group)) / static_cast<double>(events);
  return see_quantile(rule, reads.of, group).value;
}

void Evaluator::learn(std::size_t number, std::size_t group, std::int64_t now_ms) {
  const Rule& rule = rules_[number];
  const Reads& reads = reads_[number];
  const auto r = static_cast<std::uint32_t>(number);
  const auto g = static_cast<std::uint32_t>(group);
  const bool met = knows(reads.of, group) || habits_.find(r, g) != nullptr;
  if (!met || !habits_.due(r, g, rule.window_ms, now_ms)) return;
  const bool steady = rule.aspect == Aspect::rate && reads.to == none;
  habits_.learn(r, g, rule.window_ms, now_ms, point(rule, reads, group, now_ms), steady);
}

Evaluator::Seen Evaluator::see(std::size_t number, std::size_t group, std::int64_t now_ms) const {
  const Rule& rule = rules_[number];
  const Reads& reads = reads_[number];
  if (reads.of == none) return {};
  Seen seen;
  switch (rule.kind) {
    case SignalKind::value:
      return see_value(rule, reads.of, group, now_ms);
    case SignalKind::ratio:
      return see_ratio(rule, rule.threshold, sum(reads.of, group), sum(reads.to, group));
    case SignalKind::quantile:
      return see_quantile(rule, reads.of, group);
    case SignalKind::burn:
      return see_burn(rule, reads, group);
    case SignalKind::anomaly:
      return see_anomaly(number, group);
    case SignalKind::absent:
      seen.has_data = knows(reads.of, group);
      seen.holds = seen.has_data && sum(reads.of, group) == 0;
      return seen;
    case SignalKind::sum:
      seen.has_data = knows(reads.of, group);
      seen.value = static_cast<double>(sum(reads.of, group));
      seen.holds = seen.has_data && holds(rule.comparison, rule.threshold, seen.value);
      return seen;
    default:
      return seen;  // sums do not say it
  }
}

void Evaluator::learn(std::int64_t now_ms) {
  habits_.begin_tick();
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (rules_[i].kind != SignalKind::anomaly) continue;
    for (std::size_t group = 0; group < states_[i].size(); ++group) learn(i, group, now_ms);
  }
}

void Evaluator::tick(std::int64_t now_ms, Cover cover) {
  habits_.begin_tick();
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = rules_[i];
    if (cover == Cover::part && !holds_with_more(rule)) continue;
    const Patience patience{rule.for_ms, rule.keep_firing_ms};
    for (std::size_t group = 0; group < states_[i].size(); ++group) {
      AlertState& state = states_[i][group];
      if (rule.kind == SignalKind::anomaly) learn(i, group, now_ms);
      const Seen seen = see(i, group, now_ms);
      const bool condition = seen.has_data ? seen.holds : rule.no_data == NoData::alert;
      if (!condition && (state.idle() || cover != Cover::all)) continue;
      // What cannot be seen stays as it is, where the rule says so.
      if (!seen.has_data && rule.no_data == NoData::keep && state.resolved_at_ms == 0) continue;
      const AlertPhase before = state.phase;
      step(state, patience, condition, seen.value, now_ms);
      if (state.phase != before) ++turns_;
    }
  }
}

}  // namespace z0
