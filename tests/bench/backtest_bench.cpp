// How fast a backtest is: 30 days at one minute, one rule over a thousand tenants, each with a call in
// every minute and now and then a bad hour; and a rule about business over a hundred tenants that are open
// for ten hours a day, with four weeks before to learn of. Prints seconds and firings, a line a round;
// run.js reads it.
//
//   backtest [ROUNDS]
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "z0/alerting/business_backtest.hpp"
#include "z0/alerts/backtest.hpp"
#include "z0/alerts/backtest_history.hpp"

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

constexpr int open_tenants = 100;
constexpr std::int64_t day_ms = 1'440 * minute_ms;
constexpr const char* business_text =
    R"({"rules":[{"name":"Silent","signal":{"business":"zero_invocations"},"window":"15m",)"
    R"("by":["tenant_id"],"severity":"critical","runbook":"x","owner":"x","summary":"x"}]})";

// An invocation a minute from 8 to 18; each tenant is silent on an afternoon of its own.
void fill(z0::BusinessHistory& facts) {
  z0::HistoryFact fact;
  fact.type = "invocation";
  for (std::int64_t at = begin_ms - 28 * day_ms; at < begin_ms + 30 * day_ms; at += minute_ms) {
    const std::int64_t hour = at % day_ms / (60 * minute_ms);
    if (hour < 8 || hour >= 18) continue;
    fact.at_ms = at + 1;
    for (int i = 0; i < open_tenants; ++i) {
      if ((at - begin_ms) / day_ms == i % 30 && hour >= 14) continue;
      fact.tenant_id = "tenant_" + std::to_string(i);
      facts.add(fact);
    }
  }
}

double business_seconds(z0::BusinessHistory& facts, const std::vector<z0::Rule>& rules,
                        std::size_t& firings) {
  const std::clock_t begin = std::clock();
  z0::History none;
  z0::Backtest backtest(rules, minute_ms);
  const std::int64_t end_ms = begin_ms + steps * minute_ms;
  z0::HistoryPlay play(none, backtest, begin_ms, end_ms);
  z0::BusinessPlay business(facts, backtest, begin_ms, end_ms);
  while (play.step()) business.tick(play.now_ms());
  firings = backtest.firings().size();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<z0::Rule> rules;
  z0::RuleError error;
  std::vector<z0::Rule> of_business;
  if (!z0::read_rules(rules_text, rules, error)) return 1;
  if (!z0::read_rules(business_text, of_business, error)) return 1;
  z0::BusinessHistory facts;
  fill(facts);
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  for (int i = 0; i < rounds; ++i) {
    std::size_t firings = 0;
    const double seconds = round_seconds(rules, firings);
    std::size_t silences = 0;
    const double of_money = business_seconds(facts, of_business, silences);
    std::printf(
        "{\"seconds\": %.3f, \"firings\": %zu, \"ticks\": %lld, \"business_seconds\": %.3f, "
        "\"silences\": %zu}\n",
        seconds, firings, static_cast<long long>(steps), of_money, silences);
  }
  return 0;
}
