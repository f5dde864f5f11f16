// How fast a backtest is: 30 days at one minute, one rule over a thousand tenants, each with a call in
// every minute and now and then a bad hour. Prints seconds and firings, a line a round; run.js reads it.
//
//   backtest [ROUNDS]
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "z0/alerts/backtest.hpp"

namespace {

constexpr int tenants = 1'000;
constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t steps = std::int64_t{30} * 1'440;
constexpr std::int64_t begin_ms = 1'774'915'200'000;
constexpr const char* rules_text =
    R"({"rules":[{"name":"ToolErrors","signal":{"ratio":{"of":"z0_external_errors_total",)"
    R"("to":"z0_external_calls_total"}},"above":0.05,"window":"5m","for":"1m","min_events":20,)"
    R"("by":["tenant_id"],"severity":"critical","runbook":"x","owner":"x","summary":"x"}]})";

double round_seconds(const std::vector<z0::Rule>& rules, std::size_t& firings) {
  const std::clock_t begin = std::clock();
  z0::Backtest backtest(rules, minute_ms);
  std::vector<std::uint32_t> calls;
  std::vector<std::uint32_t> errors;
  for (int i = 0; i < tenants; ++i) {
    const std::string tenant = "tenant_" + std::to_string(i);
    const std::string_view good[] = {"tool_x", "dial", ""};
    const std::string_view bad[] = {"tool_x", "dial", "timeout"};
    calls.push_back(backtest.series(z0::Metric::external_calls, tenant, good));
    errors.push_back(backtest.series(z0::Metric::external_errors, tenant, bad));
  }
  std::vector<z0::Playback::Rise> rises;
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t since_ms = begin_ms + step * minute_ms;
    rises.clear();
    for (std::uint32_t i = 0; i < tenants; ++i) {
      rises.push_back({calls[i], 0, since_ms, 5});
      // An hour in ten days, each tenant's own.
      if ((step + 7 * i) % 14'400 < 60) rises.push_back({errors[i], 0, since_ms, 2});
    }
    backtest.tick(since_ms + minute_ms, rises);
  }
  firings = backtest.firings().size();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<z0::Rule> rules;
  z0::RuleError error;
  if (!z0::read_rules(rules_text, rules, error)) return 1;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  for (int i = 0; i < rounds; ++i) {
    std::size_t firings = 0;
    const double seconds = round_seconds(rules, firings);
    std::printf("{\"seconds\": %.3f, \"firings\": %zu, \"ticks\": %lld}\n", seconds, firings,
                static_cast<long long>(steps));
  }
  return 0;
}
