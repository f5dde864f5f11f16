// What the rules that ship fire at: each one just beyond its threshold, and not at it.
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "unit/alerting/business_made.hpp"
#include "unit/catch.hpp"
#include "z0/alerts/rule.hpp"
#include "z0/alerts/rule_test.hpp"

namespace {

using nlohmann::json;

struct Row {
  std::string rule;
  json beyond;  // series
  json at;      // those of the threshold itself, or of what is nearest to it
  std::string interval = "1m";
};

json one(const std::string& metric, const std::string& values, const json& labels = {}) {
  json series = {{"metric", metric}, {"tenant_id", "north"}, {"values", values}};
  if (!labels.is_null()) series["labels"] = labels;
  return series;
}

// So many of each a minute.
std::string each_minute(int count) { return "0+" + std::to_string(count) + "x15"; }

json written(int recorded, int failures, const std::string& error_code = "timeout") {
  return json::array(
      {one("z0_facts_written_total", each_minute(recorded)),
       one("z0_facts_write_failures_total", each_minute(failures), {{"error_code", error_code}})});
}
json compared(int comparisons, int mismatches) {
  return json::array({one("z0_reconciliation_comparisons_total", each_minute(comparisons)),
                      one("z0_reconciliation_mismatches_total", each_minute(mismatches))});
}
json replicated(int facts, int failures) {
  return json::array({one("z0_replication_facts_total", each_minute(facts)),
                      one("z0_replication_failures_total", each_minute(failures))});
}
json called(int calls, int errors) {
  const json tool = {{"tool_id", "openai"}};
  return json::array({one("z0_external_calls_total", each_minute(calls), tool),
                      one("z0_external_errors_total", each_minute(errors), tool)});
}
json cached(int hits, int misses) {
  const json budgets = {{"cache_type", "BudgetState"}};
  return json::array({one("z0_cache_hits_total", each_minute(hits), budgets),
                      one("z0_cache_misses_total", each_minute(misses), budgets)});
}
json gauge(const std::string& metric, int value) {
  return json::array({{{"metric", metric}, {"values", std::to_string(value) + "x5"}}});
}
json once(const std::string& metric, int count) {
  return json::array({one(metric, "0 " + std::to_string(count) + "x5")});
}
json took(int duration_ms) {
  json series = one("z0_reconciliation_duration_ms", "0 1x5");
  series["value"] = duration_ms;
  return json::array({series});
}

// Of two weeks of hours, each with so much of it, and of the last hour.
std::string hours(int each, int last) {
  constexpr int count = 14 * 24 + 60;
  return "0+" + std::to_string(each) + "x" + std::to_string(count) + " " +
         std::to_string(each * count + last);
}
json facts_an_hour(int last) {
  return json::array(
      {one("z0_facts_written_total", hours(1'000, last), {{"fact_type", "charge"}})});
}
json failures_an_hour(int last) {
  return json::array({one("z0_facts_written_total", hours(1'000, 1'000)),
                      one("z0_facts_write_failures_total", hours(2, last))});
}
// Each hour observes the first; the last hour observes the second.
json observed(const std::string& metric, int usual, int last) {
  json before = one(metric, hours(200, usual == last ? 200 : 0));
  json at_last = one(metric, hours(0, usual == last ? 0 : 200));
  before["value"] = usual;
  at_last["value"] = last;
  return json::array({before, at_last});
}

// The rules that fire at some time.
std::set<std::string> fired(const json& series, std::string_view interval = "1m") {
  json test = json::parse(z0::default_rules_json());
  std::erase_if(test["rules"].get_ref<json::array_t&>(),
                [](const json& rule) { return rule["signal"].contains("business"); });
  test["series"] = series;
  test["interval"] = interval;
  const auto outcome = z0::run_rule_test(test.dump());
  INFO(outcome.error.where << ": " << outcome.error.why);
  REQUIRE(outcome.readable);
  std::set<std::string> names;
  const json told = json::parse(outcome.json);
  for (const json& step : told["steps"])
    for (const json& alert : step["firing"]) names.insert(alert["rule"].get<std::string>());
  return names;
}

const std::vector<Row> rows = {
    {"FactWriteFailuresWarning", written(998, 2), written(999, 1)},
    {"FactWriteFailures", written(98, 2), written(99, 1)},
    {"TenantWriteFailures", written(98, 2), written(99, 1)},
    {"FactWriteBudgetBurnsFast", written(985, 15), written(986, 14)},
    {"FactWriteBudgetBurns", written(993, 7), written(995, 5)},
    {"ReconciliationMismatchesWarning", compared(1'000, 2), compared(1'000, 1)},
    {"ReconciliationMismatches", compared(100, 2), compared(100, 1)},
    {"ReconciliationSlowWarning", took(60'001), took(60'000)},
    {"ReconciliationSlow", took(300'001), took(300'000)},
    {"ReconciliationFailuresWarning", once("z0_reconciliation_failures_total", 1),
     once("z0_reconciliation_failures_total", 0)},
    {"ReconciliationFailures", once("z0_reconciliation_failures_total", 11),
     once("z0_reconciliation_failures_total", 10)},
    {"ReplicationLagWarning", gauge("z0_replication_lag_ms", 10'001),
     gauge("z0_replication_lag_ms", 10'000)},
    {"ReplicationLag", gauge("z0_replication_lag_ms", 60'001),
     gauge("z0_replication_lag_ms", 60'000)},
    {"ReplicationDepthWarning", gauge("z0_replication_queue_depth", 10'000),
     gauge("z0_replication_queue_depth", 9'999)},
    {"ReplicationDepth", gauge("z0_replication_queue_depth", 100'001),
     gauge("z0_replication_queue_depth", 100'000)},
    {"ReplicationFailuresWarning", replicated(999, 1), replicated(1'000, 1)},
    {"ReplicationFailures", replicated(98, 2), replicated(99, 1)},
    {"ExternalToolErrors", called(100, 6), called(100, 5)},
    {"CacheMisses", cached(49, 51), cached(50, 50)},
    {"ConfigVersionGaps", once("z0_config_version_gaps_total", 1),
     once("z0_config_version_gaps_total", 0)},
    {"EvaluationLate", gauge("z0_alerts_evaluation_delay_ms", 30'001),
     gauge("z0_alerts_evaluation_delay_ms", 30'000)},
    {"NotificationsLate", gauge("z0_notifications_delay_ms", 300'001),
     gauge("z0_notifications_delay_ms", 300'000)},
    {"NotificationsLost", once("z0_notifications_lost_total", 1),
     once("z0_notifications_lost_total", 0)},
    {"FactsUnusual", facts_an_hour(100), facts_an_hour(1'000), "1h"},
    {"FailuresUnusual", failures_an_hour(300), failures_an_hour(2), "1h"},
    {"WriteLatencyUnusual", observed("z0_facts_write_duration_ms", 20, 900),
     observed("z0_facts_write_duration_ms", 20, 20), "1h"},
    {"ReplicationLagUnusual", observed("z0_replication_lag_distribution_ms", 400, 20'000),
     observed("z0_replication_lag_distribution_ms", 400, 400), "1h"},
};

// Rules about business judge facts: a shop that is open day and night, with a charge in most minutes, and
// what becomes of it after four weeks. One that fires, and one that is nearest to it.
struct BusinessRow {
  std::string rule;
  double invoked;  // of what is usual, as is the next
  double paid;
  std::int64_t minutes;    // after so long it fires
  std::int64_t not_after;  // and not yet then
};
const std::vector<BusinessRow> business_rows = {
    {"ZeroInvocations", 0, 0, 17, 14},
    {"NoCharges", 1, 0, 64, 59},
    {"RevenueLow", 1, 0.3, 5 * 60, 2 * 60},
    {"RevenueUnusual", 1, 3, 3 * 60, 60},
};
// Tried over a whole world: tests/unit/alerting/business_world_test.cpp.
constexpr std::string_view budget_rule = "BudgetEnds";

}  // namespace

TEST_CASE("Each rule about business fires beyond its window and not within it", "[alerts]") {
  constexpr std::int64_t stops_ms = z0::made::monday_ms + 28 * z0::made::day_ms;
  for (const BusinessRow& row : business_rows) {
    INFO(row.rule);
    z0::made::TenantPlan plan;
    plan.id = "north";
    plan.busiest = 600;
    plan.open = 0;
    plan.close = 24;
    plan.weekend = 1;
    plan.slow_days = 0.05;
    plan.invoked = [&row](std::int64_t at_ms) { return at_ms < stops_ms ? 1 : row.invoked; };
    plan.paid = [&row](std::int64_t at_ms) { return at_ms < stops_ms ? 1 : row.paid; };
    z0::made::Made made(30);
    made.add(plan);
    made.pass(stops_ms - z0::made::monday_ms);
    made.set_step(1);
    made.pass(row.not_after * z0::made::minute_ms);
    CHECK_FALSE(made.fires(row.rule, "north"));
    made.pass((row.minutes - row.not_after) * z0::made::minute_ms);
    CHECK(made.fires(row.rule, "north"));
  }
}

TEST_CASE("Each rule that ships fires beyond its threshold and not at it", "[alerts]") {
  for (const Row& row : rows) {
    INFO(row.rule);
    CHECK(fired(row.beyond, row.interval).contains(row.rule));
    CHECK_FALSE(fired(row.at, row.interval).contains(row.rule));
  }
}

TEST_CASE("There is no rule whose threshold nobody tried", "[alerts]") {
  std::set<std::string> tried;
  for (const Row& row : rows) tried.insert(row.rule);
  for (const BusinessRow& row : business_rows) tried.insert(row.rule);
  tried.emplace(budget_rule);
  const json rules = json::parse(z0::default_rules_json())["rules"];
  for (const json& rule : rules) CHECK(tried.contains(rule["name"].get<std::string>()));
  CHECK(rules.size() == rows.size() + business_rows.size() + 1);
}

TEST_CASE("A tenant whose budget has ended pages nobody", "[alerts]") {
  CHECK(fired(written(50, 50, "budget_exhausted")).empty());
}
