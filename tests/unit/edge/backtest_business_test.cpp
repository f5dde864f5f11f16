// Rules about business over the facts of D1: a request says what the tool says, or why it does not.
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/edge/facts_in_d1.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"

namespace {

using Facts = z0::test::FactsInD1;
using Made = z0::test::MadeFact;
using z0::test::Json;
using z0::test::locally;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr std::int64_t minute = 60'000;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;
// A Tuesday, 00:00.
constexpr std::int64_t begin = std::int64_t{1'774'915'200'000};

Json shipped(bool business) {
  Json rules = Json::array();
  const Json all = Json::parse(z0::default_rules_json());
  for (const Json& rule : all.at("rules"))
    if (rule.at("signal").contains("business") == business) rules.push_back(rule);
  return rules;
}

// From 8 to 18 an invocation a minute, and a charge every other one.
void open_days(Facts& facts, const std::string& tenant, std::int64_t from_ms, std::int64_t to_ms) {
  Made call;
  call.tenant = tenant;
  Made charge{tenant, "charge"};
  charge.amount = 500;
  charge.currency = "USD";
  charge.entity = "acct_" + tenant;
  for (std::int64_t at = from_ms; at < to_ms; at += minute) {
    if (at % day < 8 * hour || at % day >= 18 * hour) continue;
    facts.add(at + 5, call);
    if (at / minute % 2 == 0) facts.add(at + 9, charge);
  }
}

const Json& rule_of(const Json& outcome, const std::string& name) {
  for (const Json& rule : outcome.at("rules"))
    if (rule.at("name") == name) return rule;
  FAIL("there is no such rule");
  return outcome;
}

Reply backtest(TestWorld& w, const Json& asked, const std::string& who) {
  Reply r = w.post(asked.dump(), who, "/v1/rules/backtest");
  INFO(r.body);
  REQUIRE(r.status == 200);
  return r;
}

}  // namespace

TEST_CASE("A request judges rules about business as the tool does, in many steps as in one",
          "[edge]") {
  TestWorld w;
  Facts facts(w);
  const std::int64_t from = begin + 15 * day;
  const std::int64_t stops = from + 10 * hour;
  open_days(facts, "north", begin, stops);
  open_days(facts, "south", begin, stops + 4 * hour);
  facts.write();
  const std::int64_t to = stops + 4 * hour;
  const Json rules = shipped(true);
  Json other = rules;
  for (Json& rule : other) rule["severity"] = "warning";
  const Json asked = {{"rules", rules}, {"against", other}, {"from", from}, {"to", to}};
  const Reply r = backtest(w, asked, "");
  const Json& outcome = r.json.at("outcome");
  CHECK(outcome == locally(facts.lines, from, to, rules));
  CHECK(r.json.at("against") == locally(facts.lines, from, to, other));
  REQUIRE_FALSE(outcome.at("firings").empty());
  const Json& firing = outcome.at("firings").at(0);
  CHECK(firing.at("rule") == "ZeroInvocations");
  CHECK(firing.at("tenant_id") == "north");
  CHECK(firing.at("fired_at").get<std::int64_t>() <= stops + 18 * minute);
  CHECK(firing.at("money").at("at_risk_per_hour") == 15'000);
  const Json& silent = rule_of(outcome, "ZeroInvocations");
  CHECK(silent.at("learned_from") == begin + 8 * hour);
  CHECK(silent.at("judged_from") == from);
  CHECK(rule_of(outcome, "RevenueUnusual").at("judged_from") == from);
  CHECK(rule_of(outcome, "RevenueLow").at("not_judged") ==
        "the history is too short: it needs three weeks of charges");
  CHECK(rule_of(outcome, "BudgetEnds").at("not_judged") ==
        "the history has no version of a budget");
  // A tenant has its own.
  CHECK(backtest(w, asked, "south").json.at("outcome").at("firings").empty());
}

TEST_CASE("Steps of more than a minute see each minute's facts", "[edge]") {
  TestWorld w;
  Facts facts(w);
  const std::int64_t from = begin + 2 * day;
  open_days(facts, "north", begin, from + 11 * hour);
  facts.write();
  const std::int64_t to = from + 14 * hour;
  Json rules = shipped(true);
  for (const Json& rule : shipped(false))
    if (rule.at("name") == "FactsUnusual" || rule.at("name") == "ExternalToolErrors")
      rules.push_back(rule);
  for (const std::int64_t minutes : {7, 10, 60}) {
    INFO(minutes << " minutes");
    Json asked = {{"rules", rules}, {"from", from}, {"to", to}};
    asked["step"] = std::to_string(minutes) + "m";
    const Json outcome = backtest(w, asked, "north").json.at("outcome");
    const std::int64_t whole = from - from % (minutes * minute);
    CHECK(outcome == locally(facts.lines, whole, to, rules, minutes * minute));
    CHECK_FALSE(outcome.at("firings").empty());
  }
}

TEST_CASE("More tenants than a request may hold are said, and other rules are judged", "[edge]") {
  TestWorld w;
  Facts facts(w);
  const std::int64_t from = begin + day;
  open_days(facts, "north", begin, from + 10 * hour);
  for (int i = 0; i < 500; ++i) facts.add(from + 12 * hour, {"t" + std::to_string(i)});
  facts.write();
  const Json asked = {{"from", from}, {"to", from + 14 * hour}, {"step", "5m"}};
  const Json outcome = backtest(w, asked, "").json.at("outcome");
  const std::string why = rule_of(outcome, "ZeroInvocations").at("not_judged");
  CHECK(why.find("more tenants than one request may hold") == 0);
  CHECK(rule_of(outcome, "NoCharges").at("not_judged") == why);
  CHECK(rule_of(outcome, "ExternalToolErrors").at("not_judged").is_null());
  // It had fired before all of them were there.
  for (const Json& firing : outcome.at("firings")) CHECK(firing.at("rule") != "ZeroInvocations");
  // One of them is not too many.
  const Json north = backtest(w, asked, "north").json.at("outcome");
  CHECK(rule_of(north, "ZeroInvocations").at("firings") == 1);
}

TEST_CASE("What only rules that are given up were to learn is not read", "[edge]") {
  TestWorld w;
  Facts facts(w);
  const std::int64_t from = begin + 10 * day;
  open_days(facts, "north", begin, from + 10 * hour);
  for (int i = 0; i < 500; ++i) facts.add(begin + 9 * hour, {"t" + std::to_string(i)});
  facts.write();
  Json others = Json::array();
  for (const Json& rule : shipped(false))
    if (rule.at("name") == "ExternalToolErrors") others.push_back(rule);
  Json rules = shipped(true);
  rules.push_back(others.at(0));
  Json asked = {{"rules", rules}, {"from", from}, {"to", from + 10 * hour}};
  const Json both = backtest(w, asked, "").json;
  CHECK(rule_of(both.at("outcome"), "ZeroInvocations").at("not_judged").is_string());
  asked["rules"] = others;
  const Json alone = backtest(w, asked, "").json;
  CHECK(rule_of(both.at("outcome"), "ExternalToolErrors") ==
        rule_of(alone.at("outcome"), "ExternalToolErrors"));
  // A day of what is learned, at the most, and not ten.
  const auto measured = [](const Json& said) { return said.at("measurements").get<int>(); };
  CHECK(measured(both) - measured(alone) < 3'000);
}

TEST_CASE("Amounts whose sum passes 64 bits fail nobody's backtest", "[edge]") {
  TestWorld w;
  Facts facts(w);
  const std::int64_t from = begin + day;
  open_days(facts, "north", begin, from + 10 * hour);
  Made charge{"south", "charge"};
  charge.amount = z0::limits::amount_max;
  charge.currency = "USD";
  charge.entity = "acct_south";
  facts.add(begin + 9 * hour, charge, 1'100);
  facts.write();
  const std::int64_t to = from + 12 * hour;
  const Json rules = shipped(true);
  const Json asked = {{"rules", rules}, {"from", from}, {"to", to}};
  const Json outcome = backtest(w, asked, "").json.at("outcome");
  CHECK(outcome == locally(facts.lines, from, to, rules));
  CHECK(rule_of(outcome, "ZeroInvocations").at("firings") == 1);
}

TEST_CASE("Facts of minutes that no page holds are given up, and other rules are judged",
          "[edge]") {
  TestWorld w;
  Facts facts(w);
  const std::int64_t from = begin + day;
  // 5,100 rows an hour by minute, 85 by hour.
  for (std::int64_t i = 0; i < 60; ++i)
    for (int k = 0; k < 85; ++k) facts.add(from + i * minute, {"north", "k" + std::to_string(k)});
  facts.write();
  const Json asked = {{"from", from}, {"to", from + 5 * hour}, {"step", "1h"}};
  const Json outcome = backtest(w, asked, "north").json.at("outcome");
  const std::string why = rule_of(outcome, "ZeroInvocations").at("not_judged");
  CHECK(why.find("its facts by minute are more than one request may read") == 0);
  CHECK(rule_of(outcome, "FactWriteFailuresWarning").at("not_judged").is_null());
}

TEST_CASE("Rules about business learn less where all of it would take more than a request may",
          "[edge]") {
  TestWorld w;
  Facts facts(w);
  const std::int64_t from = begin + 28 * day;
  // So many kinds an hour that a page holds no more of them, for the first hours of what could be learned.
  for (std::int64_t i = 0; i < 12 * 60; ++i)
    for (int k = 0; k < 85; ++k) facts.add(begin + i * minute, {"north", "k" + std::to_string(k)});
  open_days(facts, "north", begin, from + 10 * hour);
  facts.write();
  const std::int64_t to = from + 5 * day;
  const Json asked = {{"rules", shipped(true)}, {"from", from}, {"to", to}};
  const Json outcome = backtest(w, asked, "north").json.at("outcome");
  const Json& silent = rule_of(outcome, "ZeroInvocations");
  CHECK(silent.at("firings") == 1);
  CHECK(silent.at("judged_from") == from);
  const auto learned_from = silent.at("learned_from").get<std::int64_t>();
  CHECK(learned_from > begin + day);
  CHECK(learned_from < from);
  CHECK(learned_from % hour == 0);
}
