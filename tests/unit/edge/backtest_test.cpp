// Rules over the facts of D1: what is told of them by minutes, and what rules would have done.
#include "z0/alerts/backtest.hpp"

#include <set>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/edge/facts_in_d1.hpp"
#include "unit/test_world.hpp"
#include "z0/alerts/backtest_history.hpp"

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

const std::string broken = R"({"operation":"dial","error":{"code":"http_503"}})";

// Two days with a call every ten minutes and, on the second one, an hour in which a tool fails; a
// mismatch, a decision, a version and two attempts besides.
void fill_two_days(Facts& facts, const std::string& tenant = "north") {
  Made call;
  call.tenant = tenant;
  Made bad = call;
  bad.data = broken;
  for (int i = 0; i < 288; ++i) facts.add(begin + i * 10 * minute + 7, call);
  for (int i = 0; i < 60; ++i) facts.add(begin + day + (600 + i) * minute + 11, bad, 2);
  facts.add(begin + 100 * minute, {tenant, "reconciliation", "mismatch_detected",
                                   R"({"cache_type":"BudgetState","resolution":"rebuilt"})"});
  facts.add(begin + 101 * minute,
            {tenant, "routing_decision", "", R"({"result":"routed","reason":"highest_bid"})"});
  facts.add(begin + 102 * minute, {tenant, "lifecycle", "config_updated", R"({"type":"budget"})"});
  facts.add(begin + 103 * minute,
            {tenant, "charge", "", R"({"error":{"code":"timeout"}})", "tool_x", true}, 2);
  facts.write();
}

std::multiset<std::string> samples_of(const std::vector<std::string>& lines) {
  std::multiset<std::string> all;
  for (const std::string& line : lines) {
    z0::HistoryLine read;
    z0::RuleError error;
    REQUIRE(z0::read_history_line(line, read, error));
    for (z0::HistorySample& sample : read.samples) {
      sample.at_ms -= sample.at_ms % minute;
      for (std::uint64_t n = std::exchange(sample.rise, 1); n > 0; --n)
        all.insert(z0::history_line(sample));
    }
  }
  return all;
}

std::vector<std::string> history(TestWorld& w, const std::string& query, std::string_view who,
                                 int* pages = nullptr) {
  std::vector<std::string> lines;
  std::string cursor;
  for (int n = 1; n < 500; ++n) {
    const Reply r = w.get("/v1/rules/history?" + query + cursor, who);
    INFO(r.body);
    REQUIRE(r.status == 200);
    for (const Json& sample : r.json.at("samples")) lines.push_back(sample.dump());
    if (pages != nullptr) *pages = n;
    if (r.json.at("cursor").is_null()) return lines;
    cursor = "&cursor=" + r.json.at("cursor").get<std::string>();
  }
  FAIL("the pages do not end");
  return lines;
}

const std::string two_days =
    "from=" + std::to_string(begin) + "&to=" + std::to_string(begin + 2 * day);

Json rules() {
  const Json errors = {
      {"ratio", {{"of", "z0_external_errors_total"}, {"to", "z0_external_calls_total"}}}};
  Json rule = {{"name", "ToolErrors"},
               {"signal", errors},
               {"above", 0.05},
               {"window", "15m"},
               {"for", "2m"},
               {"min_events", 10},
               {"by", {"tenant_id", "tool_id"}},
               {"severity", "critical"}};
  Json silent = {{"name", "Silent"},
                 {"signal", {{"absent", "z0_external_calls_total"}}},
                 {"window", "2h"},
                 {"by", {"tenant_id"}},
                 {"severity", "warning"}};
  for (Json* one : {&rule, &silent})
    for (const char* name : {"runbook", "owner", "summary"}) (*one)[name] = "x";
  return Json::array({rule, silent});
}

}  // namespace

TEST_CASE("Facts by minute are the samples that the facts themselves count as", "[edge]") {
  TestWorld w;
  Facts facts(w);
  fill_two_days(facts);
  const auto told = history(w, two_days, "north");
  CHECK(samples_of(told) == samples_of(facts.lines));
  // Equal facts of a minute are one line.
  CHECK(told.size() < samples_of(told).size());
  CHECK(history(w, two_days, "south").empty());
  CHECK(samples_of(history(w, two_days + "&tenant=north", "")) == samples_of(facts.lines));
  CHECK(w.get("/v1/rules/history?tenant=north", "south").status == 404);
}

TEST_CASE("A history of several databases and more rows than a page holds is whole", "[edge]") {
  TestWorld w;
  w.settings = R"({"databases":{"DB_2":["big"]}})";
  Facts facts(w);
  Facts others(w, "DB_2");
  for (int i = 0; i < 1'500; ++i) {
    facts.add(begin + i * minute,
              {i % 2 == 0 ? "mid" : "small", "sms", "s" + std::to_string(i % 7)}, i % 3 + 1);
    // 5,200 kinds within two hours: more than a page.
    if (i < 1'300)
      for (int k = 0; k < 4; ++k)
        others.add(begin + i % 120 * minute,
                   {"big", "sms", "k" + std::to_string(k) + "_" + std::to_string(i)});
  }
  facts.write();
  others.write();
  int pages = 0;
  std::vector<std::string> all = facts.lines;
  all.insert(all.end(), others.lines.begin(), others.lines.end());
  CHECK(samples_of(history(w, two_days, "", &pages)) == samples_of(all));
  CHECK(pages > 3);
  CHECK(pages < 40);
}

TEST_CASE("A minute that no page holds is refused with what to do", "[edge]") {
  TestWorld w;
  Facts facts(w);
  for (int i = 0; i < 5'001; ++i) facts.add(begin, {"north", "sms", "k" + std::to_string(i)});
  facts.write();
  const Reply r = w.get("/v1/rules/history?" + two_days, "");
  CHECK(r.status == 400);
  CHECK(r.body.find("name a tenant") != std::string::npos);
}

TEST_CASE("No step is judged by a part of it", "[edge]") {
  TestWorld w;
  Facts facts(w);
  constexpr std::int64_t step = 7 * minute;
  constexpr std::int64_t from = begin - begin % step;
  // One fact a step, at its end.
  for (std::int64_t at = from - 10 * step; at < from + 200 * step; at += step)
    facts.add(at + step - 1'000, Made{});
  facts.write();
  const Json gone = Json::parse(R"([{"name": "Gone", "signal": {"absent": "z0_facts_written_total"},
    "window": "7m", "by": ["tenant_id"], "severity": "warning", "runbook": "r", "owner": "o",
    "summary": "s"}])");
  const Json asked = {{"rules", gone}, {"from", from}, {"to", from + 200 * step}, {"step", "7m"}};
  const Reply r = w.post(asked.dump(), "north", "/v1/rules/backtest");
  INFO(r.body);
  REQUIRE(r.status == 200);
  const Json local = locally(facts.lines, from, from + 200 * step, gone, step);
  CHECK(local.at("firings").empty());
  CHECK(r.json.at("outcome") == local);
}

TEST_CASE("A backtest in many steps says what one over the same facts says", "[edge]") {
  TestWorld w;
  Facts facts(w);
  fill_two_days(facts);
  fill_two_days(facts, "south");
  const std::int64_t from = begin + 3 * 60 * minute;
  const std::int64_t to = begin + 2 * day + 5 * 60 * minute;
  const Json asked = {{"rules", rules()}, {"from", from}, {"to", to}, {"against", rules()}};
  const Reply r = w.post(asked.dump(), "", "/v1/rules/backtest");
  INFO(r.body);
  REQUIRE(r.status == 200);
  const Json expected = locally(facts.lines, from, to, rules());
  // The tool that failed and the silence at the end, of each tenant.
  CHECK(expected.at("firings").size() == 4);
  CHECK(r.json.at("outcome") == expected);
  CHECK(r.json.at("against") == expected);

  const Reply south = w.post(asked.dump(), "south", "/v1/rules/backtest");
  CHECK(south.json.at("outcome").at("firings").size() == 2);
  CHECK(south.body.find("north") == std::string::npos);
}

TEST_CASE("Without rules those that ship are tried, and incidents are priced", "[edge]") {
  TestWorld w;
  Facts facts(w);
  fill_two_days(facts);
  const Json incident = {
      {"name", "the dialler fails"},      {"from", begin + day + 600 * minute},
      {"to", begin + day + 660 * minute}, {"tenant_id", "north"},
      {"rules", {"ExternalToolErrors"}},  {"lost", {{"amount", 60'000}, {"currency", "USD"}}}};
  const Json asked = {{"from", begin}, {"to", begin + 2 * day}, {"incidents", {incident}}};
  const Reply r = w.post(asked.dump(), "north", "/v1/rules/backtest");
  INFO(r.body);
  REQUIRE(r.status == 200);
  const Json& told = r.json.at("outcome").at("incidents").at(0);
  CHECK(told.at("rule") == "ExternalToolErrors");
  CHECK(told.at("detected_after_ms").get<int>() <= 5 * minute);
  CHECK(told.at("missed").get<int>() + told.at("caught").get<int>() == 60'000);
  CHECK(told.at("caught").get<int>() >= 55'000);
}

TEST_CASE("What is no backtest is refused with the place", "[edge]") {
  TestWorld w;
  const auto refused = [&w](const Json& asked) {
    const Reply r = w.post(asked.dump(), "north", "/v1/rules/backtest");
    CHECK(r.status == 422);
    return r.text("field");
  };
  CHECK(refused({{"rule", 1}}) == "rule");
  CHECK(refused({{"rules", {{{"name", "R"}}}}}) == "rules[0].signal");
  CHECK(refused({{"step", "1s"}}) == "step");
  CHECK(refused({{"from", "1969-12-20T00:00:00Z"}, {"to", "1969-12-30T00:00:00Z"}}) == "from");
  CHECK(refused({{"from", INT64_MAX - 1}, {"to", INT64_MAX}}) == "from");
  CHECK(refused({{"from", begin}, {"to", begin}}) == "to");
  // Before the first step is rounded to a whole one.
  CHECK(refused({{"from", begin + 9}, {"to", begin + 8}}) == "to");
  CHECK(refused({{"from", begin}, {"to", begin + 32 * day}}) == "to");
  const Json month = {{"from", begin + 9}, {"to", begin + 9 + 31 * day}, {"step", "1h"}};
  CHECK(w.post(month.dump(), "north", "/v1/rules/backtest").status == 200);
  CHECK(refused({{"incidents", {{{"name", "n"}}}}}) == "incidents[0]: incident.from");
  CHECK(w.post(R"({"from":1774915200000,"to":1774915260000})", "north",
               "/v1/rules/backtest?tenant=south")
            .status == 404);
}

TEST_CASE("A backtest whose D1 fails says so", "[edge]") {
  TestWorld w;
  int asked = 0;
  w.faults.query = [&asked] { return ++asked == 2; };
  const Json body = {{"from", begin}, {"to", begin + 20 * day}};
  CHECK(w.post(body.dump(), "north", "/v1/rules/backtest").status == 503);
  CHECK(asked == 2);
}
