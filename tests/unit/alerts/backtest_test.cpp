// Histories, incidents, and what rules would have done.
#include "z0/alerts/backtest.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "z0/alerts/backtest_history.hpp"

namespace {

using nlohmann::json;

constexpr std::int64_t minute = 60'000;
constexpr std::int64_t begin = std::int64_t{1'774'915'200'000};  // on a whole minute

std::vector<z0::Rule> rules_of(const json& rules) {
  std::vector<z0::Rule> read;
  z0::RuleError error;
  const bool good = z0::read_rules(json{{"rules", rules}}.dump(), read, error);
  INFO(error.where << ": " << error.why);
  REQUIRE(good);
  return read;
}

json rule(const std::string& name, json more) {
  more["name"] = name;
  more["runbook"] = more["owner"] = more["summary"] = "x";
  if (!more.contains("severity")) more["severity"] = "critical";
  return more;
}

const json tool_errors =
    rule("ToolErrors",
         {{"signal",
           {{"ratio", {{"of", "z0_external_errors_total"}, {"to", "z0_external_calls_total"}}}}},
          {"above", 0.05},
          {"window", "5m"},
          {"for", "1m"},
          {"min_events", 20},
          {"by", {"tenant_id", "tool_id"}}});

std::vector<z0::HistorySample> samples_of(const std::string& line) {
  z0::HistoryLine read;
  z0::RuleError error;
  const bool good = z0::read_history_line(line, read, error);
  INFO(line << ": " << error.where << ": " << error.why);
  REQUIRE(good);
  return read.samples;
}

std::string fault_of(const std::string& line) {
  z0::HistoryLine read;
  z0::RuleError error;
  CHECK_FALSE(z0::read_history_line(line, read, error));
  return error.where + ": " + error.why;
}

void add_calls(z0::History& history, std::int64_t at_ms, std::uint64_t good, std::uint64_t bad) {
  z0::FactTraits call{"north", "invocation", "", "ast_x", false, "tool_dial", "call", ""};
  std::vector<z0::HistorySample> samples;
  if (good > 0) z0::add_samples(call, at_ms, good, samples);
  call.c = "http_503";
  if (bad > 0) z0::add_samples(call, at_ms, bad, samples);
  for (const auto& sample : samples) history.add(sample);
}

// 30 minutes of ten calls a minute; from minute 10 to 20 half of them fail.
z0::History a_bad_ten_minutes() {
  z0::History history;
  for (int i = 0; i < 30; ++i) {
    const std::uint64_t bad = i >= 10 && i < 20 ? 5 : 0;
    add_calls(history, begin + i * minute + 1, 10 - bad, bad);
  }
  return history;
}

z0::Incident incident(std::int64_t from_minute, std::int64_t to_minute) {
  z0::Incident one;
  one.name = "the dialler fails";
  one.from_ms = begin + from_minute * minute;
  one.to_ms = begin + to_minute * minute;
  one.tenant_id = "north";
  one.currency = "USD";
  one.lost = 100'000;
  return one;
}

json played(z0::History& history, const json& rules, const std::vector<z0::Incident>& incidents,
            std::int64_t minutes = 30) {
  z0::Backtest backtest(rules_of(rules), minute);
  z0::HistoryPlay play(history, backtest, begin, begin + minutes * minute);
  std::int64_t steps = 0;
  while (play.step()) ++steps;
  CHECK(steps == minutes);
  return json::parse(z0::backtest_json(backtest, begin, begin + minutes * minute, incidents));
}

}  // namespace

TEST_CASE("A backtest says when a rule would have fired and for how long", "[alerts]") {
  z0::History history = a_bad_ten_minutes();
  const json outcome = played(history, json::array({tool_errors}), {});
  REQUIRE(outcome["firings"].size() == 1);
  const json& firing = outcome["firings"][0];
  // Minute 10 ends with 5 of 50 failed, which is more than 5 %; a minute later it fires.
  CHECK(firing["active_at"] == begin + 11 * minute);
  CHECK(firing["fired_at"] == begin + 12 * minute);
  // The last five failures leave the window of five minutes at the end of minute 24.
  CHECK(firing["resolved_at"] == begin + 25 * minute);
  CHECK(firing["tenant_id"] == "north");
  CHECK(firing["labels"] == json{{"tool_id", "tool_dial"}});
  CHECK(outcome["rules"][0]["firing_ms"] == 13 * minute);
  CHECK(outcome["pages"] == 1);
  CHECK(outcome["pages_a_week"] == 336.0);
}

TEST_CASE("What is lost after an alert counts as caught, evenly in time", "[alerts]") {
  z0::History history = a_bad_ten_minutes();
  const json outcome = played(history, json::array({tool_errors}), {incident(10, 20)});
  const json& told = outcome["incidents"][0];
  CHECK(told["detected"] == true);
  CHECK(told["rule"] == "ToolErrors");
  CHECK(told["detected_after_ms"] == 2 * minute);
  CHECK(told["paged_after_ms"] == 2 * minute);
  CHECK(told["missed"] == 20'000);
  CHECK(told["caught"] == 80'000);
  CHECK(outcome["money"] ==
        json::array(
            {{{"currency", "USD"}, {"lost", 100'000}, {"caught", 80'000}, {"missed", 20'000}}}));
  CHECK(outcome["pages_outside_incidents"] == 0);
}

TEST_CASE("An incident that began at another time is not judged, and costs nothing", "[alerts]") {
  z0::History history = a_bad_ten_minutes();
  const json outcome = played(history, json::array({tool_errors}),
                              {incident(-90, -60), incident(-1, 20), incident(30, 40)});
  for (const json& told : outcome["incidents"]) {
    CHECK(told["detected"] == false);
    CHECK(told["not_judged"] == "it began outside of the time that was played");
    CHECK_FALSE(told.contains("missed"));
  }
  CHECK(outcome["money"].empty());
  CHECK_FALSE(played(history, json::array({tool_errors}), {incident(0, 20), incident(29, 90)})
                  .dump()
                  .find("not_judged\":\"it began") != std::string::npos);
}

TEST_CASE("An incident that no rule tells of is missed whole, and a page beside it is counted",
          "[alerts]") {
  z0::History history = a_bad_ten_minutes();
  z0::Incident of_another = incident(10, 20);
  of_another.tenant_id = "south";
  z0::Incident of_another_rule = incident(10, 20);
  of_another_rule.rules = {"NoSuchRule"};
  const json outcome = played(history, json::array({tool_errors}), {of_another, of_another_rule});
  for (const json& told : outcome["incidents"]) {
    CHECK(told["detected"] == false);
    CHECK(told["missed"] == 100'000);
    CHECK_FALSE(told.contains("paged_after_ms"));
  }
  const json beside = played(history, json::array({tool_errors}), {of_another});
  CHECK(beside["pages_outside_incidents"] == 1);
}

TEST_CASE("What lies before the first step fills the windows and is not judged", "[alerts]") {
  z0::History history;
  for (int i = -10; i < 5; ++i) add_calls(history, begin + i * minute + 1, 5, i < 0 ? 5 : 0);
  const json outcome = played(history, json::array({tool_errors}), {}, 5);
  // The failures from before are still in the window, and its `for` begins with the first step.
  REQUIRE(outcome["firings"].size() == 1);
  CHECK(outcome["firings"][0]["active_at"] == begin + minute);
}

TEST_CASE("A backtest that goes on from bytes comes to the same", "[alerts]") {
  const json absent = rule("Silent", {{"signal", {{"absent", "z0_external_calls_total"}}},
                                      {"window", "3m"},
                                      {"by", {"tenant_id"}}});
  const json rules = json::array({tool_errors, absent});
  z0::History history = a_bad_ten_minutes();
  const std::int64_t end = begin + 60 * minute;
  z0::Backtest whole(rules_of(rules), minute);
  z0::HistoryPlay play(history, whole, begin, end);
  while (play.step()) {
  }
  const std::string expected = z0::backtest_json(whole, begin, end, {});
  REQUIRE(json::parse(expected)["firings"].size() == 2);

  for (const std::int64_t length : {1, 7, 13}) {
    std::string bytes;
    std::string outcome;
    for (std::int64_t from = 0; from < 60; from += length) {
      z0::Backtest part(rules_of(rules), minute);
      z0::ByteReader in(bytes);
      if (!bytes.empty()) REQUIRE(part.decode(in));
      const std::int64_t to = std::min<std::int64_t>(from + length, 60);
      z0::HistoryPlay some(history, part, begin + from * minute, begin + to * minute);
      while (some.step()) {
      }
      bytes.clear();
      z0::ByteWriter out(bytes);
      part.encode(out);
      outcome = z0::backtest_json(part, begin, end, {});
    }
    CHECK(outcome == expected);
  }
  z0::Backtest none(rules_of(rules), minute);
  z0::ByteReader nonsense("nonsense");
  CHECK_FALSE(none.decode(nonsense));
}

TEST_CASE("A gauge is judged by what it showed", "[alerts]") {
  const json lag = rule("Lag", {{"signal", {{"value", "z0_replication_lag_ms"}}},
                                {"above", 60'000},
                                {"severity", "warning"}});
  z0::History history;
  for (int i = 0; i < 10; ++i) {
    const double value = i >= 3 && i < 6 ? 61'000 : 200;
    history.add({begin + i * minute + 5, z0::Metric::replication_lag, "", {}, 0, value});
  }
  const json outcome = played(history, json::array({lag}), {}, 10);
  REQUIRE(outcome["firings"].size() == 1);
  CHECK(outcome["firings"][0]["fired_at"] == begin + 4 * minute);
  CHECK(outcome["firings"][0]["resolved_at"] == begin + 7 * minute);
  CHECK(outcome["pages"] == 0);
}

TEST_CASE("A rule that the history says nothing of is named, and so is one that needs more",
          "[alerts]") {
  const json lag =
      rule("Lag", {{"signal", {{"value", "z0_replication_lag_ms"}}}, {"above", 60'000}});
  const json business =
      rule("NoCharges",
           {{"signal", {{"business", "no_charges"}}}, {"window", "1h"}, {"by", {"tenant_id"}}});
  z0::History history = a_bad_ten_minutes();
  const json outcome = played(history, json::array({tool_errors, lag, business}), {});
  CHECK(outcome["rules"][0]["not_judged"].is_null());
  CHECK(outcome["rules"][1]["not_judged"] == "the history has none of its measurements");
  CHECK(outcome["rules"][2]["not_judged"] == "it needs facts, and there were none to look at");
}

TEST_CASE("Lines of a history are samples, facts, or lines of an export", "[alerts]") {
  using z0::Metric;
  const std::vector<z0::HistorySample> counter = {
      {5, Metric::external_errors, "north", {"tool_x", "", "http_503"}, 3, 0}};
  CHECK(samples_of(R"({"t":5,"metric":"z0_external_errors_total","tenant_id":"north",)"
                   R"("labels":{"error_code":"http_503","tool_id":"tool_x"},"rise":3})") ==
        counter);
  const std::vector<z0::HistorySample> gauge = {
      {1'774'915'200'000, Metric::replication_lag, "", {}, 0, 12.5}};
  CHECK(
      samples_of(R"({"t":"2026-03-31T00:00:00Z","metric":"z0_replication_lag_ms","value":12.5})") ==
      gauge);
  const std::vector<z0::HistorySample> failed = {
      {7, Metric::facts_write_failures, "north", {"charge", "timeout"}, 1, 0}};
  CHECK(samples_of(R"({"type":"charge","timestamp":7,"tenant_id":"north","status":"failed",)"
                   R"("subtype":null,"data":{"error":{"code":"timeout","span":{}},"a":[1]}})") ==
        failed);
  const std::vector<z0::HistorySample> call = {
      {7, Metric::facts_written, "north", {"invocation", "", "ast_x"}, 1, 0},
      {7, Metric::external_calls, "north", {"tool_x", "dial", "http_503"}, 1, 0},
      {7, Metric::external_errors, "north", {"tool_x", "dial", "http_503"}, 1, 0}};
  CHECK(samples_of(R"({"seq":1,"record":"AA==","fact":{"type":"invocation","timestamp":7,)"
                   R"("tenant_id":"north","tool_id":"tool_x","asset_id":"ast_x",)"
                   R"("data":{"operation":"dial","error":{"code":"http_503"}}}})") == call);
  const std::vector<z0::HistorySample> mismatch = {
      {7, Metric::facts_written, "north", {"reconciliation", "mismatch_detected", ""}, 1, 0},
      {7, Metric::reconciliation_mismatches, "north", {"BudgetState", "rebuilt"}, 1, 0}};
  CHECK(samples_of(
            R"({"type":"reconciliation","subtype":"mismatch_detected","timestamp":7,)"
            R"("tenant_id":"north","data":{"cache_type":"BudgetState","resolution":"rebuilt"}})") ==
        mismatch);
  CHECK(samples_of(R"({"z0_export":1,"entity_id":"acct_x","tenant_id":"x"})").empty());
}

TEST_CASE("A fact's line says what rules about business see, and a sum stands for several",
          "[alerts]") {
  const auto fact_of = [](const std::string& line) {
    z0::HistoryLine read;
    z0::RuleError error;
    const bool good = z0::read_history_line(line, read, error);
    INFO(line << ": " << error.where << ": " << error.why);
    REQUIRE(good);
    return read.fact;
  };
  z0::HistoryFact charge;
  charge.at_ms = 7;
  charge.tenant_id = "north";
  charge.entity_id = "acct_x";
  charge.type = "charge";
  charge.id = "ch_1";
  charge.amount = 250;
  charge.currency = "EUR";
  const std::string line =
      R"({"id":"ch_1","type":"charge","timestamp":7,"tenant_id":"north","entity_id":"acct_x",)"
      R"("config_id":"cfg_b","config_version":1,"amount":250,"currency":"EUR","data":{}})";
  CHECK(fact_of(line) == charge);
  CHECK(fact_of(R"({"seq":1,"record":"AA==","fact":)" + line + '}') == charge);

  z0::HistoryFact version;
  version.at_ms = 7;
  version.tenant_id = "north";
  version.entity_id = "acct_x";
  version.type = "lifecycle";
  version.subtype = "config_updated";
  version.config_id = "cfg_b";
  version.config_version = 2;
  version.settings = R"({"limit": 5})";
  CHECK(fact_of(R"({"type":"lifecycle","subtype":"config_updated","timestamp":7,)"
                R"("tenant_id":"north","entity_id":"acct_x","config_id":"cfg_b",)"
                R"("config_version":2,"data":{"settings":{"limit": 5},"type":"budget"}})") ==
        version);

  charge.id.clear();
  charge.facts = 3;
  const std::string sum = z0::history_line(charge);
  CHECK(sum == R"({"t":7,"type":"charge","tenant_id":"north","entity_id":"acct_x","facts":3,)"
               R"("amount":250,"currency":"EUR"})");
  CHECK(fact_of(sum) == charge);
  CHECK(samples_of(sum).empty());
  CHECK(fault_of(R"({"t":7,"type":"charge","facts":0})") ==
        "line.facts: how many facts it stands for");
  CHECK_FALSE(fact_of(R"({"t":5,"metric":"z0_replication_lag_ms","value":1,"id":5})").has_value());
}

TEST_CASE("Rows of Analytics Engine are a history, each for as many points as it stands for",
          "[alerts]") {
  using z0::Metric;
  const std::vector<z0::HistorySample> counter = {
      {begin, Metric::external_errors, "north", {"tool_x", "dial", "http_503"}, 6, 0}};
  CHECK(samples_of(R"({"timestamp":"2026-03-31 00:00:00","_sample_interval":"3","index1":"north",)"
                   R"("blob1":"z0_external_errors_total","blob2":"tool_x","blob3":"dial",)"
                   R"("blob4":"http_503","blob5":"","double1":2,"double2":0})") == counter);
  const std::vector<z0::HistorySample> observed = {
      {begin, Metric::reconciliation_duration, "", {"all"}, 2, 63}};
  CHECK(samples_of(R"({"timestamp":"2026-03-31 00:00:00","_sample_interval":1,"index1":"",)"
                   R"("blob1":"z0_reconciliation_duration_ms","blob2":"all","double1":2,)"
                   R"("double2":63})") == observed);
  const std::vector<z0::HistorySample> gauge = {
      {begin, Metric::replication_lag, "", {}, 0, 61'000}};
  CHECK(samples_of(R"({"timestamp":"2026-03-31 00:00:00","_sample_interval":2,"index1":"",)"
                   R"("blob1":"z0_replication_lag_ms","double1":1,"double2":61000})") == gauge);
  CHECK(samples_of(R"({"timestamp":"2026-03-31 00:00:00","blob1":"z0_gone_total"})").empty());
}

TEST_CASE("A line that is no part of a history says why", "[alerts]") {
  CHECK(fault_of("{}") == "line: a sample with a metric, or a fact with a type");
  CHECK(fault_of("[1]") == "line: an object of JSON");
  CHECK(fault_of(R"({"t":5,"metric":"up","rise":1})") == "line.metric: a metric of the registry");
  CHECK(fault_of(R"({"t":5,"metric":"z0_cache_hits_total"})") ==
        "line.rise: by how much the counter rose, or how many were observed");
  CHECK(fault_of(R"({"t":5,"metric":"z0_replication_lag_ms"})") ==
        "line.value: what a gauge showed");
  CHECK(fault_of(R"({"metric":"z0_cache_hits_total","rise":1})") ==
        "line.t: a time in ms, or as RFC 3339 has it");
  CHECK(fault_of(R"({"t":5,"metric":"z0_cache_hits_total","rise":1,"labels":{"tool":"x"}})") ==
        "line.labels: labels of z0_cache_hits_total, and tool is none");
  CHECK(fault_of(R"({"type":"charge"})") == "line.timestamp: a time in ms, or as RFC 3339 has it");
  CHECK(fault_of(R"({"t":5,"metric":"z0_cache_hits_total","rise":-1})") ==
        "line.rise: a number from 0 on");
}

TEST_CASE("A sample is written as it is read", "[alerts]") {
  for (
      const std::string line :
      {R"({"t":5,"metric":"z0_external_errors_total","tenant_id":"a\"b","labels":{"tool_id":"x"},"rise":3})",
       R"({"t":5,"metric":"z0_replication_lag_ms","labels":{},"value":12.5})",
       R"({"t":5,"metric":"z0_reconciliation_duration_ms","labels":{"cache_type":"all"},"rise":2,"value":63})"})
    CHECK(z0::history_line(samples_of(line).at(0)) == line);
}

TEST_CASE("Money that is lost is shared out in whole units, however much it is", "[alerts]") {
  z0::Incident one = incident(0, 44'640);
  one.lost = std::int64_t{9'000'000'000'000'000};
  CHECK(z0::lost_until(one, one.from_ms) == 0);
  CHECK(z0::lost_until(one, one.from_ms - 1) == 0);
  CHECK(z0::lost_until(one, one.from_ms + 22'320 * minute) == one.lost / 2);
  CHECK(z0::lost_until(one, one.to_ms) == one.lost);
  CHECK(z0::lost_until(one, one.to_ms + 1) == one.lost);
  one.lost = 1;
  CHECK(z0::lost_until(one, one.to_ms - 1) == 0);
}
