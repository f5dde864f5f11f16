// Rules about anomalies over history: what they learn before they are judged.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unit/alerting/business_made.hpp"
#include "unit/catch.hpp"
#include "z0/alerts/backtest.hpp"
#include "z0/alerts/backtest_history.hpp"

namespace {

using nlohmann::json;
using namespace z0::made;

constexpr std::int64_t step_ms = 10 * minute_ms;

constexpr std::int64_t moment(std::int64_t weeks, std::int64_t day, std::int64_t hour) {
  return monday_ms + (weeks * 7 + day) * day_ms + hour * hour_ms;
}

// Of the rules that ship, those about anomalies.
std::vector<z0::Rule> learning_rules() {
  std::vector<z0::Rule> all;
  z0::RuleError error;
  REQUIRE(z0::read_rules(z0::default_rules_json(), all, error));
  std::erase_if(all, [](const z0::Rule& rule) { return rule.kind != z0::SignalKind::anomaly; });
  REQUIRE(all.size() == 4);
  return all;
}

// It never closes.
TenantPlan shop(const std::string& id) {
  TenantPlan plan;
  plan.id = id;
  plan.busiest = 600;
  plan.slow_days = 0.15;
  plan.open = 0;
  plan.close = 24;
  plan.weekend = 0.8;
  return plan;
}

// What it does until then, as samples.
void add(z0::History& history, TenantPlan plan, std::int64_t until_ms) {
  MadeTenant tenant(std::move(plan), 7);
  for (std::int64_t at = monday_ms; at < until_ms; at += step_ms) {
    const MadeTenant::Step step = tenant.come(at, step_ms / minute_ms);
    std::vector<z0::HistorySample> samples;
    z0::FactTraits fact{tenant.plan.id, "invocation", "", "ast_x", false, "tool_dial", "call", ""};
    if (step.invocations > 0)
      z0::add_samples(fact, at + 1, static_cast<std::uint64_t>(step.invocations), samples);
    fact.type = "charge";
    if (step.charges > 0)
      z0::add_samples(fact, at + 1, static_cast<std::uint64_t>(step.charges), samples);
    for (const z0::HistorySample& sample : samples) history.add(sample);
  }
}

json played(z0::History& history, std::int64_t from_ms, std::int64_t to_ms) {
  z0::Backtest backtest(learning_rules(), step_ms);
  z0::HistoryPlay play(history, backtest, from_ms, to_ms);
  std::int64_t judged = 0;
  while (play.step()) judged += play.judged() ? 1 : 0;
  CHECK(judged == (to_ms - from_ms) / step_ms);
  CHECK(play.now_ms() == to_ms);
  return json::parse(z0::backtest_json(backtest, from_ms, to_ms, {}));
}

json rule_of(const json& outcome, const std::string& name) {
  for (const json& rule : outcome.at("rules"))
    if (rule.at("name") == name) return rule;
  return {};
}

}  // namespace

TEST_CASE("What comes far more or far less often than is usual is found by what was learned before",
          "[alerts]") {
  constexpr std::int64_t from = moment(4, 0, 0);
  constexpr std::int64_t goes_wrong = moment(4, 1, 10);
  const double factor = GENERATE(0.0, 3.0);
  INFO("factor " << factor);
  TenantPlan plan = shop("north");
  plan.invoked = [factor](std::int64_t at_ms) {
    return at_ms >= goes_wrong && at_ms < goes_wrong + 4 * hour_ms ? factor : 1.0;
  };
  z0::History history;
  add(history, plan, moment(4, 2, 0));
  add(history, shop("south"), moment(4, 2, 0));
  const json outcome = played(history, from, moment(4, 2, 0));
  REQUIRE_FALSE(outcome.at("firings").empty());
  const json& first = outcome.at("firings").at(0);
  CHECK(first.at("rule") == "FactsUnusual");
  CHECK(first.at("tenant_id") == "north");
  CHECK(first.at("fired_at").get<std::int64_t>() > goes_wrong);
  CHECK(first.at("fired_at").get<std::int64_t>() <= goes_wrong + 3 * hour_ms);
  CHECK(first.at("why").get<std::string>().find("the usual") != std::string::npos);
  for (const json& firing : outcome.at("firings")) CHECK(firing.at("tenant_id") == "north");
  const json rule = rule_of(outcome, "FactsUnusual");
  CHECK(rule.at("not_judged").is_null());
  CHECK(rule.at("learned_from").get<std::int64_t>() <= monday_ms + day_ms);
  CHECK(rule.at("judged_from") == from);
  // What no fact tells was not judged.
  CHECK(rule_of(outcome, "WriteLatencyUnusual").at("not_judged") ==
        "the history has none of its measurements");
}

TEST_CASE("A quiet month fires no rule about anomalies", "[alerts]") {
  z0::History history;
  add(history, shop("north"), moment(8, 0, 0));
  const json outcome = played(history, moment(4, 0, 0), moment(8, 0, 0));
  INFO(outcome.at("firings").dump(1));
  CHECK(outcome.at("firings").size() <= 1);
  CHECK(outcome.at("pages") == 0);
}

TEST_CASE("A rule about anomalies says since when it was judged, and whether at all", "[alerts]") {
  z0::History history;
  add(history, shop("north"), moment(4, 0, 0));
  // It settles in the midst of what is played.
  const json late = rule_of(played(history, moment(1, 0, 0), moment(4, 0, 0)), "FactsUnusual");
  CHECK(late.at("not_judged").is_null());
  CHECK(late.at("judged_from").get<std::int64_t>() >= moment(2, 0, 0));
  CHECK(late.at("judged_from").get<std::int64_t>() <= moment(2, 1, 0));
  const json never = rule_of(played(history, moment(0, 1, 0), moment(1, 6, 0)), "FactsUnusual");
  CHECK(never.at("not_judged") == "none of its baselines saw two weeks");
  CHECK(never.at("judged_from").is_null());
  CHECK(never.at("learned_from").is_number());
}

TEST_CASE("What was learned goes on from bytes, wherever it is cut", "[alerts]") {
  constexpr std::int64_t from = moment(3, 0, 0);
  constexpr std::int64_t to = moment(3, 4, 0);
  TenantPlan plan = shop("north");
  plan.invoked = [](std::int64_t at_ms) { return at_ms < moment(3, 1, 10) ? 1.0 : 0.0; };
  z0::History history;
  add(history, plan, to);
  const json whole = played(history, from, to);
  REQUIRE_FALSE(whole.at("firings").empty());
  for (const std::int64_t length_ms : {37 * hour_ms + step_ms, 5 * day_ms}) {
    std::string bytes;
    json outcome;
    for (std::int64_t at = monday_ms; at < to; at += length_ms) {
      z0::Backtest part(learning_rules(), step_ms);
      z0::ByteReader in(bytes);
      if (!bytes.empty()) REQUIRE(part.decode(in));
      const std::int64_t end = std::min(at + length_ms, to);
      z0::HistoryPlay some(history, part, {at, std::max(at, from), end});
      while (some.step()) {
      }
      bytes.clear();
      z0::ByteWriter out(bytes);
      part.encode(out);
      outcome = json::parse(z0::backtest_json(part, from, to, {}));
    }
    CHECK(outcome == whole);
  }
}

TEST_CASE("Baselines beyond the room for them are counted", "[alerts]") {
  z0::History history;
  for (const char* const id : {"a", "b", "c"}) add(history, shop(id), moment(0, 1, 0));
  z0::Backtest backtest(learning_rules(), step_ms);
  backtest.limit_baselines(4);
  z0::HistoryPlay play(history, backtest, moment(0, 0, 12), moment(0, 1, 0));
  while (play.step()) {
  }
  // Invocations and charges of three.
  CHECK(backtest.groups_left_out() == 2);
}
