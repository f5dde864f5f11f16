// What a tick costs: 20 rules over the series of a thousand tenants, six each. What rose in ten seconds
// comes into the windows and what is old leaves them; then every rule is judged for every tenant.
//
//   tick_bench [TICKS]      a line of JSON: microseconds of CPU a tick, and of judging alone
//   tick_bench --rules      the same rules for Prometheus
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "z0/alerts/playback.hpp"
#include "z0/alerts/prometheus.hpp"

namespace {

constexpr int tenants = 1'000;
constexpr std::int64_t step_ms = 10'000;
constexpr std::int64_t begin_ms = 1'774'915'200'000;
// So many steps fill the longest window.
constexpr std::int64_t filling = 90;

std::string ratio(const char* of, const char* to) {
  return std::string(R"({"ratio":{"of":")") + of + R"(","to":[")" + to + R"("]}})";
}

// Five kinds of rules, each over four windows.
std::string rules_text() {
  const std::string signals[] = {
      ratio("z0_facts_write_failures_total", "z0_facts_written_total"),
      ratio("z0_external_errors_total", "z0_external_calls_total"),
      ratio("z0_cache_misses_total", R"(z0_cache_hits_total","z0_cache_misses_total)"),
      R"({"sum":"z0_external_errors_total"})",
      R"({"sum":"z0_facts_written_total"})",
  };
  const char* const thresholds[] = {"0.01", "0.05", "0.5", "1000", "1e9"};
  const char* const windows[] = {"1m", "5m", "10m", "15m"};
  std::string text = R"({"rules":[)";
  for (std::size_t i = 0; i < std::size(signals); ++i) {
    for (const char* window : windows) {
      if (text.back() == '}') text += ',';
      text += R"({"name":"R)" + std::to_string(i) + '_' + window + R"(","signal":)" + signals[i] +
              R"(,"above":)" + thresholds[i] + R"(,"window":")" + window +
              R"(","for":"1m","by":["tenant_id"],"severity":"critical","runbook":"x",)" +
              R"("owner":"x","summary":"x"})";
    }
  }
  return text + "]}";
}

struct Counter {
  z0::Metric metric;
  std::size_t labels;
  std::uint64_t rise;
};
constexpr Counter counters[] = {
    {z0::Metric::facts_written, 3, 50},  {z0::Metric::facts_write_failures, 2, 0},
    {z0::Metric::external_calls, 3, 20}, {z0::Metric::external_errors, 3, 0},
    {z0::Metric::cache_hits, 1, 30},     {z0::Metric::cache_misses, 1, 3},
};

double microseconds(std::clock_t took, std::int64_t ticks) {
  return static_cast<double>(took) / CLOCKS_PER_SEC * 1e6 / static_cast<double>(ticks);
}

int run(const std::vector<z0::Rule>& rules, std::int64_t ticks) {
  z0::Playback playback(rules, step_ms);
  std::vector<z0::Playback::Rise> usual;
  for (int i = 0; i < tenants; ++i) {
    const std::string tenant = "tenant_" + std::to_string(i);
    for (const Counter& counter : counters) {
      const std::vector<std::string_view> labels(counter.labels, "x");
      const std::uint32_t number = playback.series(counter.metric, tenant, labels);
      // One of fifty fails, so that some alerts are awake.
      const bool failing = i % 50 == 0 && counter.rise == 0;
      usual.push_back({number, 0, 0, failing ? 2 : counter.rise});
    }
  }
  std::clock_t begin = 0;
  std::clock_t judging = 0;
  for (std::int64_t step = 0; step < filling + ticks; ++step) {
    if (step == filling) begin = std::clock();
    const std::int64_t since_ms = begin_ms + step * step_ms;
    for (z0::Playback::Rise& rise : usual) rise.since_ms = since_ms;
    playback.advance(since_ms + step_ms, usual);
    const std::clock_t judged_from = std::clock();
    playback.evaluator().tick(since_ms + step_ms);
    if (step >= filling) judging += std::clock() - judged_from;
  }
  const std::clock_t all = std::clock() - begin;
  std::printf("{\"tick_us\": %.1f, \"judging_us\": %.1f, \"alerts\": %zu, \"looked_at\": %zu}\n",
              microseconds(all, ticks), microseconds(judging, ticks),
              playback.evaluator().alerts().size(), playback.evaluator().states());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<z0::Rule> rules;
  z0::RuleError error;
  if (!z0::read_rules(rules_text(), rules, error)) {
    std::fprintf(stderr, "%s: %s\n", error.where.c_str(), error.why.c_str());
    return 1;
  }
  if (argc > 1 && std::strcmp(argv[1], "--rules") == 0) {
    std::fputs(z0::prometheus_rules(rules).c_str(), stdout);
    return 0;
  }
  return run(rules, argc > 1 ? std::atoll(argv[1]) : 200);
}
