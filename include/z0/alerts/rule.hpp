// What is watched: rules as data, read from the settings of a config of type `alert_rules`.
//
//   {"rules": [{"name": "FactWriteFailures",
//               "signal": {"ratio": {"of": {"metric": "z0_facts_write_failures_total",
//                                           "not": {"error_code": "budget_exhausted"}},
//                                    "to": ["z0_facts_written_total", ...]}},
//               "above": 0.01, "window": "5m", "for": "1m", "keep_firing_for": "5m",
//               "min_events": 20, "no_data": "ok", "level": 1, "severity": "critical",
//               "audience": ["on_call"], "by": ["tenant_id"],
//               "runbook": "fact_write_failures", "owner": "platform", "summary": "..."}]}
//
// A tenant's rules look at its own series and stand beside the platform's: they may be stricter or
// about something else, and nothing that a tenant writes takes a platform's rule away.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "z0/metrics/registry.hpp"

namespace z0 {

enum class SignalKind : std::uint8_t {
  value,     // a gauge, as it was last heard
  sum,       // what a counter rose by in the window
  ratio,     // of two such sums
  quantile,  // of a histogram's observations in the window
  absent,    // nothing was counted in the window, where something was before
  burn,      // how many times faster than its objective allows a ratio spends: two windows at once
  anomaly,   // how far a metric is from its own baseline, 0 to 1
  business,  // a question about facts and money
  count_,
};
enum class Comparison : std::uint8_t { above, at_least, below, at_most, count_ };
// What holds where the window has no events, or a gauge was not heard for limits::gauge_stale_ms.
enum class NoData : std::uint8_t { ok, keep, alert, count_ };
enum class Severity : std::uint8_t { warning, critical, count_ };
enum class Audience : std::uint8_t { on_call, engineering_lead, tenant_success, count_ };
enum class Business : std::uint8_t {
  zero_invocations,
  no_charges,
  revenue_low,
  revenue_unusual,  // above a score from 0 to 1, which is anomaly_alert_score where a rule says none
  budget_ends,
  count_,
};
// What of a metric has a baseline.
enum class Aspect : std::uint8_t { rate, quantile, value, count_ };

// Series of a metric: all of them, or those whose labels have these values, or other ones.
struct Selector {
  struct Match {
    std::uint8_t label = 0;  // its place in the metric's row
    bool is_not = false;
    std::string value;
    friend bool operator==(const Match&, const Match&) = default;
  };
  Metric metric = Metric::count_;
  std::vector<Match> where;
  friend bool operator==(const Selector&, const Selector&) = default;
};
// `labels` in the order of the metric's row.
bool selects(const Selector& selector, std::span<const std::string_view> labels);

struct Rule {
  std::string name;  // as Prometheus names alerts: letters, digits, _
  SignalKind kind = SignalKind::sum;
  std::vector<Selector> of;  // one, or several that are added up
  std::vector<Selector> to;  // what a ratio divides by
  double quantile = 0;       // 0 to 1
  double objective = 0;      // of a burn rate: the share that must go well, 0 to 1
  Business business = Business::count_;
  Aspect aspect = Aspect::rate;
  Comparison comparison = Comparison::above;
  double threshold = 0;
  std::int64_t window_ms = 0;
  std::int64_t long_window_ms = 0;  // of a burn rate
  std::int64_t for_ms = 0;
  std::int64_t keep_firing_ms = 0;
  std::int64_t min_events = 0;  // fewer, and only what chance cannot do fires (chance.hpp)
  NoData no_data = NoData::ok;
  std::uint8_t level = 1;  // 1 threshold, 2 deviation, 3 business
  Severity severity = Severity::warning;
  std::uint8_t audience = 1;  // bit i: Audience i
  bool by_tenant = false;
  std::vector<std::string> by;  // labels, other than the tenant
  std::string runbook;          // the name of its page
  std::string owner;
  std::string summary;

  friend bool operator==(const Rule&, const Rule&) = default;
};

bool holds(Comparison comparison, double threshold, double value);
// Whether it compares what it measures with its threshold. Others hold or do not.
bool has_threshold(const Rule& rule);

// Where a text goes wrong and why: "rules[2].window", "a duration such as 90s, 5m or 1h30m".
struct RuleError {
  std::string where;
  std::string why;
};
// All rules of a config's settings; false at the first fault. Names are unique. At most
// limits::rules_max, so that none can stop the evaluator.
[[nodiscard]] bool read_rules(std::string_view settings, std::vector<Rule>& out, RuleError& error);

// A rule's `signal` as such settings have it: which metrics it reads, and what it makes of them.
std::string signal_json(const Rule& rule);

// What ships with z0, as such settings.
std::string_view default_rules_json();

// Prometheus's durations: "90s", "5m", "1h30m", "1w", of ms and up; "0" is none.
[[nodiscard]] bool read_duration(std::string_view text, std::int64_t& ms);
std::string duration_text(std::int64_t ms);

std::string_view signal_name(SignalKind kind);
std::string_view comparison_name(Comparison comparison);
std::string_view no_data_name(NoData policy);
std::string_view severity_name(Severity severity);
std::string_view audience_name(Audience audience);
// "on_call,tenant_success", of bits as Rule has them: the label of an alert, wherever it goes.
std::string audience_text(std::uint8_t audience);
std::string_view business_name(Business business);
std::string_view aspect_name(Aspect aspect);

}  // namespace z0
