// Rules over the facts of D1: what is told of them by minutes, and what rules would have done.
#include "z0/alerts/backtest.hpp"

#include <set>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/alerts/backtest_history.hpp"

namespace {

using z0::test::Json;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr std::int64_t minute = 60'000;
constexpr std::int64_t day = 1'440 * minute;
constexpr std::int64_t begin = std::int64_t{1'774'915'200'000};

struct Made {
  std::string tenant = "north";
  std::string type = "invocation";
  std::string subtype = {};
  std::string data = "{}";
  std::string tool = "tool_dial";
  bool failed = false;
  std::int64_t amount = 0;
  std::string currency = {};
  std::string corrects = {};
  std::string entity = "ast_x";
};

// Facts as replication leaves them in D1, and the same as lines of a history.
class Facts {
 public:
  explicit Facts(TestWorld& w, const char* binding = "DB") : w_(w), binding_(binding) {}

  void add(std::int64_t at_ms, const Made& made, int times = 1) {
    for (int i = 0; i < times; ++i) {
      const std::string n = std::to_string(++count_);
      const std::string values =
          ") VALUES ('" + made.tenant + "', '" + made.type + "', " + std::to_string(at_ms) + ", '" +
          made.entity + "', " + n + ", 'f_" + n + "', " +
          (made.subtype.empty() ? "NULL" : "'" + made.subtype + "'") + ", 'ast_x', '" + made.tool +
          "', '" + made.data + "', " + (made.failed ? "'4bf9'" : "1") + money_of(made) + ");";
      const std::string names = "tenant_id, type, timestamp, entity_id, ";
      script_ += made.failed
                     ? "INSERT INTO failed_facts (" + names +
                           "attempted_at, id, subtype, asset_id, tool_id, data, trace_id" +
                           (made.amount == 0 ? "" : ", amount, currency") + values
                     : "INSERT INTO ledger_facts (" + names +
                           "seq, id, subtype, asset_id, tool_id, data, recorded_at" +
                           (made.amount == 0 ? "" : ", amount, currency, corrects") + values;
      Json fact = {{"tenant_id", made.tenant},
                   {"type", made.type},
                   {"timestamp", at_ms},
                   {"tool_id", made.tool},
                   {"asset_id", "ast_x"},
                   {"data", Json::parse(made.data)},
                   {"status", made.failed ? "failed" : "recorded"}};
      if (!made.subtype.empty()) fact["subtype"] = made.subtype;
      lines.push_back(fact.dump());
    }
  }
  void write() {
    w_.d1(binding_).script("BEGIN;" + script_ + "COMMIT;");
    script_.clear();
  }

  std::vector<std::string> lines;

 private:
  static std::string money_of(const Made& made) {
    if (made.amount == 0) return {};
    std::string text = ", " + std::to_string(made.amount) + ", '" + made.currency + '\'';
    if (!made.failed) text += made.corrects.empty() ? ", NULL" : ", '" + made.corrects + '\'';
    return text;
  }
  TestWorld& w_;
  const char* binding_;
  std::string script_;
  int count_ = 0;
};

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
    std::vector<z0::HistorySample> samples;
    z0::RuleError error;
    REQUIRE(z0::read_history_line(line, samples, error));
    for (z0::HistorySample& sample : samples) {
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

// What the tool would say of the same lines.
Json locally(const std::vector<std::string>& lines, std::int64_t from, std::int64_t to,
             const Json& asked = rules()) {
  std::vector<z0::Rule> read;
  z0::RuleError error;
  REQUIRE(z0::read_rules(Json{{"rules", asked}}.dump(), read, error));
  z0::History history;
  for (const std::string& line : lines) {
    std::vector<z0::HistorySample> samples;
    REQUIRE(z0::read_history_line(line, samples, error));
    for (const auto& sample : samples) history.add(sample);
  }
  z0::Backtest backtest(read, minute);
  z0::HistoryPlay play(history, backtest, from, to);
  while (play.step()) {
  }
  return Json::parse(z0::backtest_json(backtest, from, to, {}));
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
  const Json expected = locally(facts.lines, from, to);
  // The tool that failed and the silence at the end, of each tenant.
  CHECK(expected.at("firings").size() == 4);
  CHECK(r.json.at("outcome") == expected);
  CHECK(r.json.at("against") == expected);

  const Reply south = w.post(asked.dump(), "south", "/v1/rules/backtest");
  CHECK(south.json.at("outcome").at("firings").size() == 2);
  CHECK(south.body.find("north") == std::string::npos);
}

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

namespace {

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
  CHECK(refused({{"from", begin}, {"to", begin}}) == "to");
  CHECK(refused({{"from", begin}, {"to", begin + 32 * day}}) == "to");
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
