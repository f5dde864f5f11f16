// What the routes of backtests tell of money, and what they learn before they judge.
#include <set>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/edge/facts_in_d1.hpp"
#include "unit/test_world.hpp"

namespace {

using Facts = z0::test::FactsInD1;
using Made = z0::test::MadeFact;
using z0::test::Json;
using z0::test::locally;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr std::int64_t minute = 60'000;
constexpr std::int64_t day = 1'440 * minute;
constexpr std::int64_t begin = std::int64_t{1'774'915'200'000};

Json unusual_facts() {
  Json rule = {{"name", "Unusual"},
               {"signal", {{"anomaly", {{"of", "z0_facts_written_total"}}}}},
               {"above", 0.65},
               {"window", "1h"},
               {"by", {"tenant_id", "fact_type"}},
               {"severity", "warning"}};
  for (const char* name : {"runbook", "owner", "summary"}) rule[name] = "x";
  return Json::array({rule});
}

// Hours with ten facts and with two, for so many days; in the end, for three hours, many more.
void fill_weeks(Facts& facts, std::int64_t from_ms, std::int64_t days) {
  for (std::int64_t hour = 0; hour < days * 24; ++hour) {
    const bool busy = hour % 24 >= 8 && hour % 24 < 18;
    const bool wrong = hour >= (days - 1) * 24 + 9 && hour < (days - 1) * 24 + 12;
    facts.add(from_ms + hour * 60 * minute + 7, {}, wrong ? 60 : busy ? 10 : 2);
  }
}

}  // namespace

TEST_CASE("What rules about business see is told by minute, in sum, where it is asked for",
          "[edge]") {
  TestWorld w;
  Facts facts(w);
  Made charge{"north", "charge"};
  charge.amount = 250;
  charge.currency = "USD";
  facts.add(begin + 5, charge, 2);
  facts.add(begin + 9, charge);
  Made euros = charge;
  euros.currency = "EUR";
  facts.add(begin + 6, euros);
  Made back = charge;
  back.type = "correction";
  back.amount = -100;
  facts.add(begin + minute, back);  // from before they said what they correct
  back.corrects = "charge";
  facts.add(begin + minute + 1, back);
  back.corrects = "payout";
  facts.add(begin + minute + 2, back);
  facts.add(begin + 2 * minute, {}, 3);
  facts.add(begin + 3 * minute, {"north", "outcome"});
  Made ends{"north", "lifecycle", "retiring"};
  facts.add(begin + 4 * minute, ends);
  ends.entity = "acct_north";
  facts.add(begin + 5 * minute, ends);
  facts.write();
  const std::string query =
      "/v1/rules/history?from=" + std::to_string(begin) + "&to=" + std::to_string(begin + day);
  const Json plain = w.get(query, "north").json;
  CHECK_FALSE(plain.contains("facts"));
  const Json told = w.get(query + "&facts=true", "north").json;
  std::set<std::string> lines;
  for (const Json& line : told.at("facts")) lines.insert(line.dump());
  const auto at = [](std::int64_t ms) { return "\"t\":" + std::to_string(begin + ms); };
  // As nlohmann/json orders members.
  CHECK(lines ==
        std::set<std::string>{
            R"({"amount":750,"currency":"USD","facts":3,)" + at(9) +
                R"(,"tenant_id":"north","type":"charge"})",
            R"({"amount":250,"currency":"EUR","facts":1,)" + at(6) +
                R"(,"tenant_id":"north","type":"charge"})",
            R"({"amount":-200,"corrects":"charge","currency":"USD","facts":2,)" + at(minute + 1) +
                R"(,"tenant_id":"north","type":"correction"})",
            R"({"facts":3,)" + at(2 * minute) + R"(,"tenant_id":"north","type":"invocation"})",
            R"({"entity_id":"acct_north","facts":1,"subtype":"retiring",)" + at(5 * minute) +
                R"(,"tenant_id":"north","type":"lifecycle"})"});
  CHECK(w.get(query + "&facts=1", "north").status == 400);
}

TEST_CASE("A backtest learns what is usual from before it begins, in many steps as in one",
          "[edge]") {
  TestWorld w;
  Facts facts(w);
  fill_weeks(facts, begin, 23);
  facts.write();
  const std::int64_t from = begin + 20 * day;
  const std::int64_t to = begin + 23 * day;
  const Json asked = {
      {"rules", unusual_facts()}, {"against", unusual_facts()}, {"from", from}, {"to", to}};
  const Reply r = w.post(asked.dump(), "north", "/v1/rules/backtest");
  INFO(r.body);
  REQUIRE(r.status == 200);
  const Json expected = locally(facts.lines, from, to, unusual_facts());
  CHECK_FALSE(expected.at("firings").empty());
  CHECK(r.json.at("outcome") == expected);
  CHECK(r.json.at("against") == expected);
  const Json& rule = r.json.at("outcome").at("rules").at(0);
  CHECK(rule.at("learned_from").get<std::int64_t>() < begin + day);
  CHECK(rule.at("judged_from") == from);
}

TEST_CASE("A backtest learns less where all of it would take more than a request may", "[edge]") {
  TestWorld w;
  Facts facts(w);
  const std::int64_t from = begin + 35 * day;
  // So many kinds an hour that a page holds no more of them, for the first hours of what could be learned.
  for (std::int64_t i = 0; i < 12 * 60; ++i)
    for (int k = 0; k < 85; ++k) facts.add(begin + i * minute, {"north", "k" + std::to_string(k)});
  fill_weeks(facts, begin + 14 * day, 25);
  facts.write();
  const Json asked = {{"rules", unusual_facts()}, {"from", from}, {"to", from + 20 * day}};
  const Reply r = w.post(asked.dump(), "north", "/v1/rules/backtest");
  INFO(r.body);
  REQUIRE(r.status == 200);
  const Json& rule = r.json.at("outcome").at("rules").at(0);
  CHECK(rule.at("learned_from").get<std::int64_t>() > begin + 14 * day);
}
