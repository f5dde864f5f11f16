#include "server/history.hpp"

#include <algorithm>
#include <chrono>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/interrupt.hpp"
#include "base/terminal.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

// What the monitor holds, and in which steps.
constexpr const char* monitor_window = "2d";
constexpr const char* monitor_step = "5m";
constexpr std::int64_t monitor_step_ms = 300'000;

void take_line(const std::string& line, const TakeLine& take) {
  HistoryLine read;
  RuleError error;
  if (!read_history_line(line, read, error))
    throw Failure("what the server answers is no history: " + error.where + ": " + error.why);
  take(read);
}

std::vector<Metric> counters_of(const std::vector<Rule>& rules) {
  std::vector<Metric> metrics;
  for (const Rule& rule : rules) {
    for (const auto* selectors : {&rule.of, &rule.to}) {
      for (const Selector& one : *selectors) {
        const bool wanted = info(one.metric).kind == MetricKind::counter && !facts_tell(one.metric);
        if (wanted && std::find(metrics.begin(), metrics.end(), one.metric) == metrics.end())
          metrics.push_back(one.metric);
      }
    }
  }
  return metrics;
}

}  // namespace

void history_of_facts(Api& api, const std::string& tenant, std::int64_t from_ms, std::int64_t to_ms,
                      bool facts, const TakeLine& take) {
  const auto begin = std::chrono::steady_clock::now();
  std::int64_t samples = 0;
  StatusLine line;
  api.pages(
      "/v1/rules/history",
      {{"tenant", tenant},
       {"from", std::to_string(from_ms)},
       {"to", std::to_string(to_ms)},
       {"facts", facts ? "true" : ""}},
      [&](const json& page) {
        if (interrupted()) throw Failure("interrupted");
        const json list = page.value("samples", json::array());
        for (const json& sample : list) {
          ++samples;
          take_line(sample.dump(), take);
        }
        const json sums = page.value("facts", json::array());
        for (const json& of_minute : sums) take_line(of_minute.dump(), take);
        if (!line.due()) return true;
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
        const std::int64_t done = std::clamp(integer_of(page, "reached"), from_ms, to_ms) - from_ms;
        line.draw("asking  " + progress_words(static_cast<std::uint64_t>(done),
                                              static_cast<std::uint64_t>(to_ms - from_ms), samples,
                                              seconds.count()));
        return true;
      });
  line.clear();
}

void history_of_counters(Api& api, const std::string& tenant, const std::vector<Rule>& rules,
                         const TakeLine& take) {
  for (const Metric metric : counters_of(rules)) {
    std::string by = "tenant_id";
    for (const std::string_view label : info(metric).labels) by += ',' + std::string(label);
    const json answer =
        api.get(path_with_query("/v1/metrics/query", {{"metric", std::string(info(metric).name)},
                                                      {"by", by},
                                                      {"window", monitor_window},
                                                      {"step", monitor_step},
                                                      {"tenant", tenant}}));
    const json groups = answer.value("groups", json::array());
    for (const json& group : groups) {
      json labels = object_of(group, "labels");
      const std::string of = text_of(labels, "tenant_id");
      labels.erase("tenant_id");
      const json steps = group.value("steps", json::array());
      for (const json& step : steps) {
        json sample = {{"t", integer_of(step, "at") + monitor_step_ms / 2},
                       {"metric", info(metric).name},
                       {"labels", labels},
                       {"rise", integer_of(step, "value")}};
        if (!of.empty()) sample["tenant_id"] = of;
        take_line(sample.dump(), take);
      }
    }
  }
}

}  // namespace z0::cli
