// Rules about business over history: the same alerts as the watch beside D1 would have had.
#include "z0/alerting/business_backtest.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unit/alerting/business_played.hpp"
#include "unit/catch.hpp"

namespace {

using nlohmann::json;
using namespace z0::made;

json judged(z0::BusinessHistory& facts, std::int64_t from_ms, std::int64_t to_ms,
            const std::vector<z0::Incident>& incidents = {}, std::int64_t step_ms = minute_ms,
            std::vector<z0::Rule> rules = business_rules()) {
  z0::History none;
  z0::Backtest backtest(std::move(rules), step_ms);
  z0::HistoryPlay play(none, backtest, from_ms, to_ms);
  z0::BusinessPlay business(facts, backtest, from_ms, to_ms);
  while (play.step())
    if (play.judged()) business.tick(play.now_ms());
  return json::parse(z0::backtest_json(backtest, from_ms, to_ms, incidents));
}

json judged_rule(const json& outcome, const std::string& name) {
  for (const json& rule : outcome.at("rules"))
    if (rule.at("name") == name) return rule;
  return {};
}

}  // namespace

TEST_CASE("A tenant that stopped on a Tuesday would have been known after a quarter of an hour",
          "[business]") {
  constexpr std::int64_t stops = moment_of(4, 1, 10);
  z0::BusinessHistory facts;
  add_facts(facts, store("north", stops), 7, stops + 3 * hour_ms);
  add_facts(facts, store("south"), 14, stops + 3 * hour_ms);
  z0::Incident incident;
  incident.name = "north stops";
  incident.from_ms = stops;
  incident.to_ms = stops + 3 * hour_ms;
  incident.tenant_id = "north";
  incident.currency = "USD";
  incident.lost = 180'000;
  const json outcome = judged(facts, moment_of(4, 1, 0), stops + 3 * hour_ms, {incident});
  INFO(outcome.dump(1));
  REQUIRE(outcome.at("firings").size() == 1);
  const json& firing = outcome.at("firings").at(0);
  CHECK(firing.at("rule") == "ZeroInvocations");
  CHECK(firing.at("tenant_id") == "north");
  const std::int64_t after_ms = firing.at("fired_at").get<std::int64_t>() - stops;
  CHECK(after_ms > 15 * minute_ms);
  CHECK(after_ms <= 18 * minute_ms);
  CHECK(firing.at("resolved_at").is_null());
  CHECK(firing.at("why").get<std::string>().find("No invocation for") == 0);
  // Some 180 charges of five dollars an hour, for three hours.
  const json& money = firing.at("money");
  CHECK(money.at("currency") == "USD");
  CHECK(money.at("at_risk_per_hour").get<std::int64_t>() > 50'000);
  CHECK(money.at("lost").get<std::int64_t>() > 150'000);
  CHECK(outcome.at("pages") == 1);
  CHECK(outcome.at("pages_outside_incidents") == 0);
  CHECK(outcome.at("incidents").at(0).at("detected_after_ms") == after_ms);
  CHECK(outcome.at("money").at(0).at("caught").get<std::int64_t>() > 160'000);
  const json rule = judged_rule(outcome, "ZeroInvocations");
  CHECK(rule.at("learned_from") == moment_of(0, 1, 0));
  CHECK(rule.at("judged_from") == moment_of(4, 1, 0));
}

TEST_CASE("Charges that stopped would have been known after an hour", "[business]") {
  constexpr std::int64_t stops = moment_of(4, 1, 10);
  z0::BusinessHistory facts;
  add_facts(facts, store("north", INT64_MAX, stops), 7, stops + 3 * hour_ms);
  const json outcome = judged(facts, moment_of(4, 1, 0), stops + 3 * hour_ms);
  INFO(outcome.dump(1));
  REQUIRE(outcome.at("firings").size() == 1);
  const json& firing = outcome.at("firings").at(0);
  CHECK(firing.at("rule") == "NoCharges");
  const std::int64_t after_ms = firing.at("fired_at").get<std::int64_t>() - stops;
  CHECK(after_ms > hour_ms);
  CHECK(after_ms <= hour_ms + 4 * minute_ms);
}

TEST_CASE("What scores a rule about revenue should fire above is tried over history",
          "[business]") {
  constexpr std::int64_t rises = moment_of(4, 1, 10);
  TenantPlan plan = store("north");
  plan.paid = [](std::int64_t at_ms) { return at_ms < rises ? 1.0 : 1.35; };
  z0::BusinessHistory facts;
  add_facts(facts, plan, 7, rises + 4 * hour_ms, 10);
  const auto firings_above = [&facts](const char* threshold) {
    const std::string settings =
        R"({"rules": [{"name": "R", "signal": {"business": "revenue_unusual"}, "window": "1h",)"
        R"( "severity": "warning", "runbook": "unusual", "owner": "o", "summary": "s")" +
        std::string(threshold) + "}]}";
    std::vector<z0::Rule> rules;
    z0::RuleError error;
    REQUIRE(z0::read_rules(settings, rules, error));
    const json outcome =
        judged(facts, moment_of(4, 1, 0), rises + 4 * hour_ms, {}, 10 * minute_ms, rules);
    INFO(outcome.dump(1));
    CHECK(judged_rule(outcome, "R").at("not_judged").is_null());
    return outcome.at("firings").size();
  };
  CHECK(firings_above("") == 0);
  CHECK(firings_above(R"(, "above": 0.65)") == 0);
  CHECK(firings_above(R"(, "above": 0.3)") == 1);
}

TEST_CASE("A quiet month of three tenants pages nobody, and warns once at most", "[business]") {
  z0::BusinessHistory facts;
  for (std::uint64_t i = 0; i < 3; ++i)
    add_facts(facts, store("t" + std::to_string(i)), 7 * (i + 1), moment_of(8, 0, 0), 5);
  const json outcome = judged(facts, moment_of(4, 0, 0), moment_of(8, 0, 0), {}, 5 * minute_ms);
  INFO(outcome.at("firings").dump(1));
  CHECK(outcome.at("pages") == 0);
  CHECK(outcome.at("firings").size() <= 1);
  for (const char* const name : {"ZeroInvocations", "NoCharges", "RevenueLow", "RevenueUnusual"})
    CHECK(judged_rule(outcome, name).at("not_judged").is_null());
}

TEST_CASE("A backtest tells of the alerts that the watch beside D1 had", "[business]") {
  // Bursts, days off and a stop: what fires, fires in the same minute.
  std::vector<TenantPlan> plans = {store("a", moment_of(2, 3, 11)), store("b"), store("c")};
  plans[1].burst = 5;
  plans[1].busiest = 40;
  plans[2].days_off = {9, 15, 16};
  constexpr std::int64_t end = moment_of(3, 2, 0);
  Made life(5);
  z0::BusinessHistory facts;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    life.add(plans[i]);
    add_facts(facts, plans[i], 7 * (i + 1), end, 5);
  }
  life.pass(end - monday_ms);
  // Life looks 40 seconds after a minute up to that minute, a backtest at the next one's end.
  z0::History none;
  z0::Backtest backtest(business_rules(), minute_ms);
  z0::BusinessPlay business(facts, backtest, monday_ms, end);
  for (std::int64_t now = monday_ms + 5 * minute_ms; now <= end; now += 5 * minute_ms)
    business.tick(now + minute_ms);
  std::vector<std::string> expected;
  for (const Made::Fired& one : life.fired)
    expected.push_back(one.rule + ' ' + one.tenant_id + ' ' + std::to_string(one.at_ms));
  std::vector<std::string> found;
  for (const z0::Firing& one : backtest.firings())
    found.push_back(backtest.rules()[one.rule].name + ' ' + one.tenant_id + ' ' +
                    std::to_string(one.fired_at_ms - minute_ms));
  CHECK(found == expected);
  CHECK(std::any_of(expected.begin(), expected.end(),
                    [](const std::string& one) { return one.starts_with("ZeroInvocations a "); }));
}

TEST_CASE("What a history says nothing of is named, with the reason", "[business]") {
  constexpr std::int64_t from = moment_of(0, 1, 0);
  const auto why = [](const json& outcome, const char* name) {
    return judged_rule(outcome, name).at("not_judged").get<std::string>();
  };
  z0::BusinessHistory nothing;
  const json none = judged(nothing, from, from + hour_ms);
  CHECK(why(none, "NoCharges") == "it needs facts, and the history has none");

  z0::BusinessHistory facts;
  TenantPlan plan = store("north");
  plan.charged = 0;
  add_facts(facts, plan, 7, moment_of(0, 2, 0));
  const json some = judged(facts, from, moment_of(0, 1, 12));
  CHECK(judged_rule(some, "ZeroInvocations").at("not_judged").is_null());
  CHECK(why(some, "NoCharges") == "the history has no charge");
  CHECK(why(some, "BudgetEnds") == "the history has no version of a budget");

  z0::BusinessHistory young;
  add_facts(young, store("north"), 7, moment_of(0, 2, 0));
  const json early = judged(young, monday_ms, moment_of(0, 0, 8) + 30 * minute_ms);
  CHECK(why(early, "ZeroInvocations") ==
        "the history is too short: it needs an hour of invocations");
  CHECK(why(early, "RevenueLow") == "the history is too short: it needs three weeks of charges");
}

TEST_CASE("A budget that runs out is told of, with what its ledger's facts say", "[business]") {
  z0::BusinessHistory facts;
  z0::HistoryFact version;
  version.at_ms = monday_ms + hour_ms;
  version.type = "lifecycle";
  version.subtype = "config_updated";
  version.tenant_id = "north";
  version.entity_id = "acct_north";
  version.config_id = "cfg_budget";
  version.config_version = 1;
  version.settings = R"({"limit":1000000,"period":"week","enforce":true})";
  facts.add(version);
  // 250 a minute are 2,520,000 a week.
  for (std::int64_t at = monday_ms; at < monday_ms + day_ms; at += minute_ms) {
    z0::HistoryFact fact;
    fact.at_ms = at + 1;
    fact.tenant_id = "north";
    fact.type = "invocation";
    facts.add(fact);
    fact.type = "charge";
    fact.entity_id = "acct_north";
    fact.amount = 250;
    fact.currency = "USD";
    facts.add(fact);
  }
  const json outcome = judged(facts, monday_ms, monday_ms + day_ms);
  INFO(outcome.dump(1));
  REQUIRE(outcome.at("firings").size() == 1);
  const json& firing = outcome.at("firings").at(0);
  CHECK(firing.at("rule") == "BudgetEnds");
  CHECK(firing.at("fired_at").get<std::int64_t>() <= monday_ms + 6 * hour_ms);
  CHECK(firing.at("why").get<std::string>().find("of cfg_budget for acct_north") !=
        std::string::npos);
  CHECK(firing.at("money").at("at_risk_per_hour").get<std::int64_t>() > 14'000);
}
