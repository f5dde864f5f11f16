// Rules as a file of Prometheus's: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
//
// increase() guesses what lies between the samples and the ends of the window, so 10 events become
// 10.17. A counter less its least value in the window is what it rose by, exactly; where it began
// anew within the window, increase() knows how to add up both parts.
#include "z0/alerts/prometheus.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "z0/metrics/exposed.hpp"

namespace z0 {
namespace {

std::string list_of(const Rule& rule, bool buckets) {
  std::string text;
  const auto add = [&text](std::string_view name) {
    if (!text.empty()) text += ", ";
    text += name;
  };
  if (rule.by_tenant) add("tenant_id");
  for (const std::string& name : rule.by) add(name);
  if (buckets) add("le");
  return text;
}

std::string by_clause(const Rule& rule, bool buckets = false) {
  const std::string names = list_of(rule, buckets);
  return names.empty() ? " " : " by (" + names + ") ";
}

std::string series_of(const Selector& selector) {
  const MetricInfo& row = info(selector.metric);
  std::string text = sample_name(row);
  if (selector.where.empty()) return text;
  text += '{';
  for (std::size_t i = 0; i < selector.where.size(); ++i) {
    const Selector::Match& match = selector.where[i];
    if (i > 0) text += ", ";
    text += row.labels[match.label];
    text += match.is_not ? "!=" : "=";
    append_label_value(text, match.value);
  }
  return text + '}';
}

std::string rise_of(const Selector& selector, const std::string& window) {
  const std::string series = series_of(selector);
  const std::string in_window = series + '[' + window + ']';
  return "((" + series + " - min_over_time(" + in_window + ") unless resets(" + in_window +
         ") > 0) or increase(" + in_window + "))";
}

// What several metrics rose by together. Equal series of two metrics are told apart, else `or` would
// take the first alone.
std::string sum_of(const Rule& rule, const std::vector<Selector>& of, std::int64_t window_ms,
                   bool buckets = false) {
  const std::string window = duration_text(window_ms);
  std::string parts;
  for (std::size_t i = 0; i < of.size(); ++i) {
    const std::string rise = rise_of(of[i], window);
    if (i > 0) parts += " or ";
    parts += of.size() == 1 ? rise
                            : R"(label_replace()" + rise + R"(, "part", ")" + std::to_string(i) +
                                  R"(", "", ""))";
  }
  return "sum" + by_clause(rule, buckets) + '(' + parts + ')';
}

std::string_view sign_of(Comparison comparison) {
  constexpr std::string_view signs[] = {" > ", " >= ", " < ", " <= "};
  return signs[static_cast<std::size_t>(comparison)];
}

std::string compared(const Rule& rule, const std::string& expression, double threshold) {
  return expression + std::string(sign_of(rule.comparison)) + number_text(threshold);
}

std::string ratio_of(const Rule& rule, std::int64_t window_ms, double threshold) {
  return compared(rule, sum_of(rule, rule.of, window_ms) + " / " + sum_of(rule, rule.to, window_ms),
                  threshold);
}

double shown(const Rule& rule) {
  return in_seconds(info(rule.of[0].metric)) ? rule.threshold / 1'000 : rule.threshold;
}

std::string value_of(const Rule& rule) {
  const bool most = info(rule.of[0].metric).together == Together::max;
  std::string parts;
  for (const Selector& one : rule.of) parts += (parts.empty() ? "" : " or ") + series_of(one);
  return (most ? "max" : "sum") + by_clause(rule) + '(' + parts + ')';
}

std::string expression_of(const Rule& rule) {
  switch (rule.kind) {
    case SignalKind::value:
      return compared(rule, value_of(rule), shown(rule));
    case SignalKind::sum:
      return compared(rule, "round(" + sum_of(rule, rule.of, rule.window_ms) + ")", rule.threshold);
    case SignalKind::absent:
      return "round(" + sum_of(rule, rule.of, rule.window_ms) + ") == 0";
    case SignalKind::ratio: {
      std::string text = ratio_of(rule, rule.window_ms, rule.threshold);
      if (rule.min_events > 1)
        text += " and " + sum_of(rule, rule.to, rule.window_ms) +
                " >= " + std::to_string(rule.min_events);
      return text;
    }
    case SignalKind::burn: {
      const double threshold = rule.threshold * (1 - rule.objective);
      return ratio_of(rule, rule.window_ms, threshold) + " and " +
             ratio_of(rule, rule.long_window_ms, threshold);
    }
    case SignalKind::quantile:
      return compared(rule,
                      "histogram_quantile(" + number_text(rule.quantile) + ", " +
                          sum_of(rule, rule.of, rule.window_ms, true) + ")",
                      shown(rule));
    default:
      return {};
  }
}

// Why Prometheus cannot say it, or says it otherwise; empty where it is the same.
std::string_view difference_of(const Rule& rule) {
  if (rule.kind == SignalKind::anomaly) return "it needs a learned baseline";
  if (rule.kind == SignalKind::business) return "it needs facts";
  if (rule.no_data != NoData::ok && rule.kind != SignalKind::absent)
    return "a rule of Prometheus has no policy for missing data";
  if (rule.kind == SignalKind::quantile)
    return "estimated: Prometheus sees fewer buckets than z0 counts in";
  if (rule.min_events > 1)
    return "stricter: z0 fires below min_events, too, where chance cannot be the reason";
  return {};
}

void append_yaml_text(std::string& out, std::string_view text) {
  out += '\'';
  for (const char c : text) {
    if (c == '\'') out += '\'';
    const bool control = (c >= 0 && c < ' ') || c == '\x7f';
    out += control ? ' ' : c;
  }
  out += '\'';
}

// Prometheus reads texts of alerts as templates, and one that is none has all rules refused.
std::string without_templates(std::string_view text) {
  constexpr std::string_view opens = "{{";
  std::string out;
  for (std::size_t at = text.find(opens); at != std::string_view::npos; at = text.find(opens)) {
    out.append(text.substr(0, at)).append(R"({{ "{{" }})");
    text.remove_prefix(at + opens.size());
  }
  return out.append(text);
}

void append_line(std::string& out, std::string_view key, std::string_view text) {
  out += key;
  append_yaml_text(out, without_templates(text));
  out += '\n';
}

void append_rule(std::string& out, const Rule& rule, std::string_view difference) {
  if (!difference.empty()) {
    out += "      # ";
    out += difference;
    out += '\n';
  }
  out += "      - alert: " + rule.name + "\n        expr: ";
  append_yaml_text(out, expression_of(rule));
  out += '\n';
  if (rule.for_ms > 0) out += "        for: " + duration_text(rule.for_ms) + '\n';
  if (rule.keep_firing_ms > 0)
    out += "        keep_firing_for: " + duration_text(rule.keep_firing_ms) + '\n';
  out += "        labels:\n";
  append_line(out, "          severity: ", severity_name(rule.severity));
  append_line(out, "          level: ", std::to_string(rule.level));
  append_line(out, "          audience: ", audience_text(rule.audience));
  append_line(out, "          owner: ", rule.owner);
  out += "        annotations:\n";
  append_line(out, "          summary: ", rule.summary);
  append_line(out, "          runbook: ", rule.runbook);
}

}  // namespace

bool is_label_name(std::string_view name) {
  const bool digit_first = !name.empty() && name[0] >= '0' && name[0] <= '9';
  return !name.empty() && !digit_first && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  });
}

std::string number_text(double value) {
  char text[32];
  // The shortest that reads back as the same.
  for (int digits = 15; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    if (std::strtod(text, nullptr) == value) break;
  }
  return text;
}

std::string prometheus_rules(const std::vector<Rule>& rules) {
  std::string out =
      "# Rules of z0 for Prometheus, which scrapes /metrics. A counter that begins within a "
      "window\n"
      "# counts from its first sample on.\n"
      "groups:\n  - name: z0\n    rules:\n";
  std::string left_out;
  for (const Rule& rule : rules) {
    const std::string_view difference = difference_of(rule);
    const bool said = rule.kind != SignalKind::anomaly && rule.kind != SignalKind::business &&
                      (rule.no_data == NoData::ok || rule.kind == SignalKind::absent);
    if (said)
      append_rule(out, rule, difference);
    else
      left_out += "# " + rule.name + " is not here: " + std::string(difference) + ".\n";
  }
  return out + left_out;
}

}  // namespace z0
