// Rules from the settings of a config. The first fault ends the reading, and is said with its place.
#include <algorithm>
#include <utility>

#include "alerts/checked_json.hpp"
#include "z0/alerts/baseline.hpp"
#include "z0/alerts/prometheus.hpp"

namespace z0 {
namespace {

// settings, rules, rule, signal, ratio, list, selector, where.
constexpr std::size_t rules_depth_max = 9;
// Shorter windows have so many chances a day that what is rare comes often.
constexpr std::int64_t habit_window_ms = 300'000;

// What some metrics are a part of, beside those that are added to theirs; else count_.
Metric whole_of(Metric part) {
  if (part == Metric::external_errors) return Metric::external_calls;
  if (part == Metric::reconciliation_mismatches) return Metric::reconciliation_comparisons;
  return Metric::count_;
}

// Whether all that `part` counts is counted by `whole`, too: it asks for no less.
bool is_part(const Selector& part, const Selector& whole) {
  if (whole.metric != part.metric && whole_of(part.metric) != whole.metric) return false;
  return std::all_of(whole.where.begin(), whole.where.end(), [&part](const Selector::Match& match) {
    return std::find(part.where.begin(), part.where.end(), match) != part.where.end();
  });
}

bool is_rule_name(std::string_view name) {
  return name.size() <= limits::id_bytes_max && is_label_name(name);
}

class RulesReader : private CheckedJson {
 public:
  RulesReader(std::string_view settings, std::vector<Rule>& out, RuleError& error)
      : CheckedJson(settings, rules_depth_max, error), out_(out) {}

  bool read() {
    out_.clear();
    std::string_view key;
    bool any = false;
    if (!object()) return fail("an object with a list of rules");
    while (in_.next_member(key)) {
      if (key != "rules") return fail_at(key, "a member of alert_rules, and this is none");
      const Within within(*this, "rules");
      if (!list()) return fail("a list of rules");
      while (in_.next_element()) {
        const Within one(*this, '[' + std::to_string(out_.size()) + ']');
        if (out_.size() >= limits::rules_max)
          return fail("no more than " + std::to_string(limits::rules_max) + " rules");
        Rule rule;
        if (!read_rule(rule)) return false;
        out_.push_back(std::move(rule));
      }
      any = true;
    }
    if (in_.error() != JsonError::none || !in_.at_end()) return fail("JSON in order");
    return any || fail_at("rules", "a list of rules");
  }

 private:
  bool read_metric(Selector& out) {
    std::string name;
    if (!text(name, "the name of a metric")) return false;
    out.metric = metric_named(name);
    return out.metric != Metric::count_ ||
           fail("a metric of the registry, and " + name + " is none");
  }

  // A label that is asked for by name, before or after the metric is known.
  struct Asked {
    std::string label;
    Selector::Match match;
  };
  bool read_matches(std::vector<Asked>& out, bool is_not) {
    std::string_view key;
    if (!object()) return fail("an object of labels and their values");
    while (in_.next_member(key)) {
      Asked one{std::string(key), {0, is_not, {}}};
      const Within within(*this, one.label);
      if (!text(one.match.value, "a label's value")) return false;
      if (out.size() >= limits::rule_matches_max) return fail("fewer labels");
      out.push_back(std::move(one));
    }
    return true;
  }

  // "z0_x_total", or {"metric": "z0_x_total", "where": {...}, "not": {...}}.
  bool read_selector(Selector& out) {
    if (in_.peek() == JsonKind::string) return read_metric(out);
    std::string_view key;
    std::vector<Asked> asked;
    if (!object()) return fail("a metric, or an object that names one");
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, name);
      const bool is_metric = name == "metric";
      if (!is_metric && name != "where" && name != "not")
        return fail("a member of a selector, and this is none");
      if (is_metric ? !read_metric(out) : !read_matches(asked, name == "not")) return false;
    }
    if (out.metric == Metric::count_) return fail_at("metric", "the name of a metric");
    const auto labels = info(out.metric).labels;
    for (Asked& one : asked) {
      const auto at = std::find(labels.begin(), labels.end(), one.label);
      const Within within(*this, one.match.is_not ? "not" : "where");
      if (at == labels.end())
        return fail_at(one.label, "a label of " + std::string(info(out.metric).name));
      one.match.label = static_cast<std::uint8_t>(at - labels.begin());
      out.where.push_back(std::move(one.match));
    }
    return true;
  }

  bool read_selectors(std::vector<Selector>& out) {
    if (in_.peek() != JsonKind::array) return read_selector(out.emplace_back());
    if (!list()) return fail("a list of metrics");
    while (in_.next_element()) {
      const Within within(*this, '[' + std::to_string(out.size()) + ']');
      if (out.size() >= limits::rule_selectors_max) return fail("fewer metrics");
      if (!read_selector(out.emplace_back())) return false;
    }
    return !out.empty() || fail("a metric at least");
  }

  bool read_parts(Rule& rule) {
    std::string_view key;
    if (!object()) return fail("an object");
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, name);
      bool good = false;
      if (name == "of")
        good = read_selectors(rule.of);
      else if (name == "to")
        good = read_selectors(rule.to);
      else if (name == "q")
        good = number(rule.quantile, 0, 1, "a number from 0 to 1");
      else if (name == "objective")
        good = number(rule.objective, 0, 0.999'999, "a number from 0 to below 1");
      else if (name == "long_window")
        good = duration(rule.long_window_ms, 10'000, limits::rule_window_ms_max);
      else if (name == "aspect")
        good = word(rule_names::aspects, rule.aspect);
      else
        good = fail("a member of this signal, and this is none");
      if (!good) return false;
    }
    return true;
  }

  bool read_signal(Rule& rule) {
    std::string_view key;
    if (!object() || !in_.next_member(key))
      return fail("an object with one of " + rule_names::any_of(rule_names::signals));
    {
      const Within within(*this, key);
      if (!rule_names::find(rule_names::signals, key, rule.kind))
        return fail("one of " + rule_names::any_of(rule_names::signals));
      const bool parts = in_.peek() == JsonKind::object && rule.kind != SignalKind::business &&
                         rule.kind != SignalKind::value && rule.kind != SignalKind::sum &&
                         rule.kind != SignalKind::absent;
      const bool good = rule.kind == SignalKind::business
                            ? word(rule_names::business, rule.business)
                        : parts ? read_parts(rule)
                                : read_selectors(rule.of);
      if (!good || !complete(rule)) return false;
    }
    return !in_.next_member(key) || fail_at(key, "one signal only");
  }

  // A rate may be divided by another one: then it is the share that has a baseline.
  bool complete_anomaly(const Rule& rule) {
    if (!rule.to.empty() && rule.aspect != Aspect::rate) return fail_at("to", "nothing");
    if ((rule.aspect == Aspect::quantile) != (rule.quantile > 0))
      return fail_at("q", rule.quantile > 0 ? "nothing" : "above 0");
    for (const Selector& one : rule.of) {
      const MetricKind kind = info(one.metric).kind;
      const std::string name(info(one.metric).name);
      if ((rule.aspect == Aspect::value) != (kind == MetricKind::gauge))
        return fail(kind == MetricKind::gauge ? "the aspect value: " + name + " is a gauge"
                                              : "another aspect: " + name + " has no value");
      if (rule.aspect == Aspect::quantile && kind != MetricKind::histogram)
        return fail("a histogram, and " + name + " is none");
    }
    return true;
  }

  // What the kind of signal needs.
  bool complete(const Rule& rule) {
    if (rule.kind == SignalKind::business) return true;
    if (rule.of.empty()) return fail_at("of", "a metric");
    if (rule.kind == SignalKind::anomaly) return complete_anomaly(rule);
    const bool divides = rule.kind == SignalKind::ratio || rule.kind == SignalKind::burn;
    if (divides == rule.to.empty()) return fail_at("to", divides ? "a metric" : "nothing");
    if (rule.kind == SignalKind::burn && (rule.objective <= 0 || rule.long_window_ms == 0))
      return fail("an objective above 0, and a long_window");
    if (rule.kind == SignalKind::quantile && rule.quantile <= 0) return fail_at("q", "above 0");
    for (const Selector& one : rule.of) {
      const MetricKind kind = info(one.metric).kind;
      const std::string name(info(one.metric).name);
      if ((rule.kind == SignalKind::value) != (kind == MetricKind::gauge))
        return fail(kind == MetricKind::gauge ? "the value of " + name + ", which is a gauge"
                                              : "the sum of " + name + ", which has no value");
      if (rule.kind == SignalKind::quantile && kind != MetricKind::histogram)
        return fail("a histogram, and " + name + " is none");
    }
    return true;
  }

  bool read_audience(Rule& rule) {
    rule.audience = 0;
    if (!list()) return fail("a list of " + rule_names::any_of(rule_names::audiences));
    while (in_.next_element()) {
      Audience one{};
      if (!word(rule_names::audiences, one)) return false;
      rule.audience = static_cast<std::uint8_t>(rule.audience | 1U << static_cast<unsigned>(one));
    }
    return rule.audience != 0 || fail("somebody at least");
  }

  bool read_by(Rule& rule) {
    if (!list()) return fail("a list of labels");
    while (in_.next_element()) {
      std::string name;
      if (!text(name, "the name of a label")) return false;
      const bool is_tenant = name == "tenant_id";
      const bool met = is_tenant ? rule.by_tenant
                                 : std::find(rule.by.begin(), rule.by.end(), name) != rule.by.end();
      // Each is a part of what every alert is known by.
      if (met) return fail("each label once, and " + name + " is there twice");
      if (is_tenant)
        rule.by_tenant = true;
      else
        rule.by.push_back(std::move(name));
    }
    return true;
  }

  // A member that every kind of rule has; false with `known` false for one that is none.
  bool read_member(std::string_view name, Rule& rule, bool& known) {
    if (name == "name") return text(rule.name, "a name");
    if (name == "signal") return read_signal(rule);
    if (name == "window") return duration(rule.window_ms, 10'000, limits::rule_window_ms_max);
    if (name == "for") return duration(rule.for_ms, 0, limits::rule_patience_ms_max);
    if (name == "keep_firing_for")
      return duration(rule.keep_firing_ms, 0, limits::rule_patience_ms_max);
    if (name == "no_data") return word(rule_names::no_data, rule.no_data);
    if (name == "severity") return word(rule_names::severities, rule.severity);
    if (name == "audience") return read_audience(rule);
    if (name == "by") return read_by(rule);
    if (name == "runbook") return text(rule.runbook, "the name of a runbook");
    if (name == "owner") return text(rule.owner, "who owns the rule");
    if (name == "summary") return text(rule.summary, "a sentence");
    if (name == "min_events" || name == "level") {
      double value = 0;
      const bool is_level = name == "level";
      if (!number(value, is_level ? 1 : 0, is_level ? 3 : 1e9,
                  is_level ? "1, 2 or 3" : "a number of events") ||
          std::floor(value) != value)
        return fail("a whole number");
      (is_level ? void(rule.level = static_cast<std::uint8_t>(value))
                : void(rule.min_events = static_cast<std::int64_t>(value)));
      return true;
    }
    if (rule_names::find(rule_names::comparisons, name, rule.comparison)) {
      compared_ += 1;
      return number(rule.threshold, -1e15, 1e15, "a number");
    }
    known = false;
    return false;
  }

  bool read_rule(Rule& rule) {
    std::string_view key;
    std::vector<std::string> met;
    compared_ = 0;
    if (!object()) return fail("a rule, which is an object");
    while (in_.next_member(key)) {
      const std::string name(shorten(key, limits::id_bytes_max));
      const Within within(*this, name);
      if (std::find(met.begin(), met.end(), name) != met.end()) return fail("one such member");
      met.push_back(name);
      bool known = true;
      if (!read_member(name, rule, known))
        return known ? false : fail("a member of a rule, and this is none");
    }
    if (in_.error() != JsonError::none) return fail("JSON in order");
    return judge(rule, met);
  }

  // Whether what is counted above is among what is counted below: then it is a share of it.
  static bool is_share(const Rule& rule) {
    const auto is_within = [&rule](const Selector& part) {
      return std::any_of(rule.to.begin(), rule.to.end(),
                         [&part](const Selector& whole) { return is_part(part, whole); });
    };
    return rule.kind == SignalKind::ratio && std::all_of(rule.of.begin(), rule.of.end(), is_within);
  }

  // A threshold that nothing reaches, as 5 where 5 % are meant, is a rule that never fires; one below
  // all that is measured never ends.
  bool threshold_fits(const Rule& rule) {
    const std::string_view name =
        rule_names::comparisons[static_cast<std::size_t>(rule.comparison)];
    if (rule.kind == SignalKind::anomaly && (rule.threshold < 0 || rule.threshold >= 1))
      return fail_at(name, "a score from 0 to below 1");
    if (is_share(rule) && rule.threshold > 1)
      return fail_at(name, "a share from 0 to 1, as 0.05 for 5 %");
    return rule.threshold >= 0 || fail_at(name, "a number from 0 on: none is measured below");
  }

  // Whoever says nothing of revenue's score is told where most people should be.
  bool complete_threshold(Rule& rule) {
    if (rule.kind == SignalKind::business && has_threshold(rule)) {
      if (compared_ == 0) rule.threshold = anomaly_alert_score;
      const bool fits = rule.comparison == Comparison::above && compared_ <= 1 &&
                        rule.threshold > 0 && rule.threshold < 1;
      return fits || fail_at("above", "a score above 0 and below 1");
    }
    const bool compares = has_threshold(rule);
    if (compared_ == (compares ? 1 : 0)) return !compares || threshold_fits(rule);
    return fail(compares ? "one of " + rule_names::any_of(rule_names::comparisons)
                         : "no threshold: this signal holds or does not");
  }

  bool judge(Rule& rule, const std::vector<std::string>& met) {
    const auto has = [&met](std::string_view name) {
      return std::find(met.begin(), met.end(), name) != met.end();
    };
    for (const std::string_view name :
         {"name", "signal", "severity", "runbook", "owner", "summary"})
      if (!has(name)) return fail_at(name, "a value: every rule has one");
    if (!is_rule_name(rule.name)) return fail_at("name", "letters, digits and _, no digit first");
    // Whoever is paged reads what is wrong and what to do.
    const std::pair<std::string_view, const std::string&> texts[] = {
        {"runbook", rule.runbook}, {"owner", rule.owner}, {"summary", rule.summary}};
    for (const auto& [name, value] : texts)
      if (value.find_first_not_of(" \t\r\n") == std::string::npos)
        return fail_at(name, "a value: every rule has one");
    for (const Rule& other : out_)
      if (other.name == rule.name) return fail_at("name", "a name of its own");
    if (!complete_threshold(rule)) return false;
    if (rule.kind != SignalKind::value && rule.window_ms == 0)
      return fail_at("window", "a duration such as 5m");
    if (rule.kind == SignalKind::anomaly && (!rule.by_tenant || rule.window_ms < habit_window_ms))
      return rule.by_tenant ? fail_at("window", "5m at least: each window is one point")
                            : fail_at("by", "tenant_id among them: what is usual differs");
    if (rule.kind == SignalKind::burn && rule.long_window_ms <= rule.window_ms)
      return fail_at("signal", "a long_window that is longer than the window");
    return labels_fit(rule);
  }

  // Each label that a rule tells series apart by belongs to all of its metrics.
  bool labels_fit(const Rule& rule) {
    if (rule.kind == SignalKind::business && !rule.by.empty())
      return fail_at("by", "tenant_id alone: facts are looked at tenant by tenant");
    for (const auto* side : {&rule.of, &rule.to}) {
      for (const Selector& one : *side) {
        const auto labels = info(one.metric).labels;
        for (const std::string& name : rule.by) {
          if (std::find(labels.begin(), labels.end(), name) == labels.end())
            return fail_at("by", "labels of " + std::string(info(one.metric).name) + ", and " +
                                     name + " is none");
        }
      }
    }
    return true;
  }

  std::vector<Rule>& out_;
  int compared_ = 0;
};

}  // namespace

bool read_rules(std::string_view settings, std::vector<Rule>& out, RuleError& error) {
  error = RuleError{};
  const bool good = RulesReader(settings, out, error).read();
  if (!good) out.clear();
  return good;
}

}  // namespace z0
