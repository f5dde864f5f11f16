// What rules see in their series, through the tests of rules that a user writes.
#include "z0/alerts/evaluator.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "z0/alerts/playback.hpp"
#include "z0/alerts/rule_test.hpp"
#include "z0/base/limits.hpp"

namespace {

using nlohmann::json;

json rule(const json& signal, json more) {
  more["name"] = "R";
  more["severity"] = "critical";
  more["runbook"] = more["owner"] = more["summary"] = "x";
  more["signal"] = signal;
  return more;
}

json counter(const std::string& metric, const std::string& tenant, const std::string& values) {
  return {{"metric", metric}, {"tenant_id", tenant}, {"values", values}};
}

// The minutes in which R fires, per tenant: "north: 3 4 5".
std::string fires(const json& one_rule, const json& series) {
  const json test = {{"rules", json::array({one_rule})}, {"series", series}};
  const auto outcome = z0::run_rule_test(test.dump());
  INFO(outcome.error.where << ": " << outcome.error.why);
  REQUIRE(outcome.readable);
  std::string text;
  const json told = json::parse(outcome.json);
  for (const json& step : told["steps"]) {
    text += (text.empty() ? "" : "; ") + step["at"].get<std::string>() + ':';
    for (const json& alert : step["firing"]) text += ' ' + alert["labels"].dump();
  }
  return text;
}

const std::string written = "z0_facts_written_total";
const std::string failed = "z0_facts_write_failures_total";
const json failure_rate = {{"ratio", {{"of", failed}, {"to", json::array({written, failed})}}}};

}  // namespace

TEST_CASE("A value at the threshold does not fire above it", "[alerts]") {
  // 1 of 100 in each window of a minute, then 2.
  const json series =
      json::array({counter(written, "north", "0+99x3 395"), counter(failed, "north", "0 1 2 3 5")});
  const json above = {{"above", 0.01}, {"window", "1m"}};
  CHECK(fires(rule(failure_rate, above), series) == "4m: {}");
  const json at_least = {{"at_least", 0.01}, {"window", "1m"}};
  CHECK(fires(rule(failure_rate, at_least), series) == "1m: {}");
}

TEST_CASE("Few events fire only where chance cannot do it", "[alerts]") {
  const json of_five = {{"above", 0.01}, {"window", "1h"}, {"min_events", 100}};
  const auto five = [](const std::string& failures) {
    return json::array(
        {counter(written, "north", "0 5"), counter(failed, "north", "0 " + failures)});
  };
  CHECK(fires(rule(failure_rate, of_five), five("1")).empty());
  CHECK(fires(rule(failure_rate, of_five), five("3")) == "1m: {}");
}

TEST_CASE("Groups are judged apart", "[alerts]") {
  const json by_tenant = {{"above", 0.01}, {"window", "1m"}, {"by", {"tenant_id"}}};
  const json series =
      json::array({counter(written, "north", "0 10"), counter(failed, "north", "0 0"),
                   counter(written, "south", "0 10"), counter(failed, "south", "0 10")});
  CHECK(fires(rule(failure_rate, by_tenant), series) == R"(1m: {"tenant_id":"south"})");
}

TEST_CASE("What was counted leaves the window", "[alerts]") {
  const json many = {{"above", 4}, {"window", "3m"}};
  CHECK(fires(rule({{"sum", written}}, many), json::array({counter(written, "t", "0 5 5x5")})) ==
        "1m: {}; 4m:");
}

TEST_CASE("Absence is that of what was there before", "[alerts]") {
  const json absent = {{"window", "2m"}, {"by", {"tenant_id"}}};
  const json series =
      json::array({counter(written, "north", "0+1x8"), counter(written, "south", "0 1 1x6"),
                   counter(failed, "west", "0 1 1x6")});
  // Nothing that is known of other metrics makes this one absent.
  CHECK(fires(rule({{"absent", written}}, absent), series) ==
        R"(0s: {"tenant_id":"north"} {"tenant_id":"south"}; 1m:; 3m: {"tenant_id":"south"})");
}

TEST_CASE("A gauge that is no longer heard has no value", "[alerts]") {
  const json lag = {{"above", 10'000}};
  const json series =
      json::array({{{"metric", "z0_replication_lag_ms"}, {"values", "20000 _x8 20000 stale _"}}});
  CHECK(fires(rule({{"value", "z0_replication_lag_ms"}}, lag), series) ==
        "0s: {}; 6m:; 9m: {}; 10m:");
}

TEST_CASE("Missing data fires or stays, where the rule says so", "[alerts]") {
  const json series =
      json::array({{{"metric", "z0_replication_lag_ms"}, {"values", "20000 stale 1 stale"}}});
  const json signal = {{"value", "z0_replication_lag_ms"}};
  CHECK(fires(rule(signal, {{"above", 10'000}, {"no_data", "ok"}}), series) == "0s: {}; 1m:");
  CHECK(fires(rule(signal, {{"above", 10'000}, {"no_data", "keep"}}), series) == "0s: {}; 2m:");
  CHECK(fires(rule(signal, {{"above", 10'000}, {"no_data", "alert"}}), series) ==
        "0s: {}; 2m:; 3m: {}");
}

TEST_CASE("A quantile is that of the window's observations", "[alerts]") {
  const auto slow = [](int observed, const std::string& values) {
    return json{{"metric", "z0_facts_write_duration_ms"}, {"value", observed}, {"values", values}};
  };
  const json signal = {{"quantile", {{"of", "z0_facts_write_duration_ms"}, {"q", 0.9}}}};
  const json series = json::array({slow(10, "0 90 180 270"), slow(1'000, "0 10 21 21")});
  CHECK(fires(rule(signal, {{"above", 900}, {"window", "1m"}}), series) == "2m: {}; 3m:");
}

TEST_CASE("A burn rate needs both of its windows", "[alerts]") {
  const json signal = {{"burn",
                        {{"of", failed},
                         {"to", json::array({written, failed})},
                         {"objective", 0.9},
                         {"long_window", "4m"}}}};
  // Half of all fails for a minute: the long window holds it longer than the short one.
  const json series = json::array(
      {counter(written, "t", "0 10 20 30 35 45 55 65"), counter(failed, "t", "0 0 0 0 5 5 5 5")});
  CHECK(fires(rule(signal, {{"above", 1}, {"window", "1m"}}), series) == "4m: {}; 5m:");
}

TEST_CASE("A test of rules says what was not met", "[alerts]") {
  json test = {
      {"rules", json::array({rule({{"sum", written}}, {{"above", 4}, {"window", "1m"}})})},
      {"series", json::array({counter(written, "t", "0 5")})},
      {"expect", {{{"at", "1m"}, {"rule", "R"}, {"firing", json::array({json::object()})}}}}};
  CHECK(z0::run_rule_test(test.dump()).passed);
  test["expect"][0]["at"] = "0s";
  CHECK_FALSE(z0::run_rule_test(test.dump()).passed);
  test["expect"][0]["at"] = "7m";
  const auto outcome = z0::run_rule_test(test.dump());
  CHECK_FALSE(outcome.passed);
  CHECK(json::parse(outcome.json)["failures"][0]["why"] == "no step ends there");
}

TEST_CASE("A test of rules that cannot be read says where", "[alerts]") {
  const std::string one = rule({{"sum", written}}, {{"above", 4}, {"window", "1m"}}).dump();
  const auto error = [&](const std::string& rest) {
    const auto outcome = z0::run_rule_test(R"({"rules": [)" + one + "]" + rest + "}");
    CHECK_FALSE(outcome.readable);
    return outcome.error.where + ": " + outcome.error.why;
  };
  CHECK(error(R"(, "series": [{"metric": "z0_facts_written_total", "values": "1 2x"}])") ==
        "series[0].values: samples such as 0+5x10, _ or stale, and '2x' is none");
  CHECK(error("") == "steps: from 1 to 10000");
  CHECK(error(R"(, "steps": 3, "expect": [{"at": "0", "rule": "S"}])") ==
        "expect[0].rule: the name of one of the rules");
  const auto bad = z0::run_rule_test(R"({"rules": [{"name": "R"}]})");
  CHECK(bad.error.where == "rules[0].signal");
}

TEST_CASE("A test of rules takes what can be judged while others wait, and no more", "[alerts]") {
  // Rule number n fires above n, or never.
  const auto error = [](int rules, int series, const std::string& values, bool fires) {
    json test = {{"rules", json::array()}, {"series", json::array()}};
    for (int i = 0; i < rules; ++i) {
      json one = rule({{"sum", written}}, {{"window", "1d"}, {"by", json::array({"fact_type"})}});
      one["name"] = "R" + std::to_string(i);
      one["above"] = fires ? i : 1e9;
      test["rules"].push_back(one);
    }
    for (int i = 0; i < series; ++i) {
      json one = counter(written, "t", values);
      one["labels"] = {{"fact_type", "t" + std::to_string(i)}};
      test["series"].push_back(one);
    }
    const auto outcome = z0::run_rule_test(test.dump());
    return outcome.readable ? "" : outcome.error.where + ": " + outcome.error.why;
  };
  CHECK(error(1, 20, "0+1x9999", false).empty());
  CHECK(error(1, 21, "0+1x9999", false) ==
        "series[20].values: at most 200000 samples in all series");
  CHECK(error(200, 100, "0 1", false).empty());
  CHECK(error(200, 101, "0 1", false) ==
        "series: fewer rules or series: at most 20000 pairs of both");
  CHECK(error(200, 20, "0+1x1999", false) ==
        "steps: fewer rules, series or steps: together they are judged at most 2000000 times");
  CHECK(error(10, 100, "0+1x10", true).empty());
  // Each step tells of a hundred alerts more, and of all that were there before.
  CHECK(error(100, 100, "0+1x100", true) ==
        "steps: fewer rules, series or steps: what fires fills more than 4 MiB");
}

TEST_CASE("A test of rules refuses what series alone cannot say", "[alerts]") {
  const json of_facts = rule({{"business", "no_charges"}}, {{"window", "1h"}});
  const json test = {{"rules", json::array({of_facts})},
                     {"series", json::array({counter(written, "t", "0 5")})}};
  const auto outcome = z0::run_rule_test(test.dump());
  CHECK_FALSE(outcome.readable);
  CHECK(outcome.error.where == "rules[0].signal");
}

TEST_CASE("A rule about an anomaly asks for what has a baseline", "[alerts]") {
  const auto error = [](const json& signal, json more) {
    const json settings = {{"rules", json::array({rule(signal, std::move(more))})}};
    std::vector<z0::Rule> rules;
    z0::RuleError said;
    return z0::read_rules(settings.dump(), rules, said) ? "" : said.where + ": " + said.why;
  };
  const json hourly = {{"above", 0.7}, {"window", "1h"}, {"by", json::array({"tenant_id"})}};
  const auto anomaly = [](json of) { return json{{"anomaly", std::move(of)}}; };
  CHECK(error(anomaly({{"of", written}}), hourly) == "");
  CHECK(error(anomaly({{"of", failed}, {"to", written}}), hourly) == "");
  CHECK(error(anomaly({{"of", "z0_replication_lag_ms"}, {"aspect", "value"}}), hourly) == "");
  CHECK(error(anomaly({{"of", written}}), {{"above", 0.7}, {"window", "1h"}}) ==
        "rules[0].by: tenant_id among them: what is usual differs");
  json short_window = hourly;
  short_window["window"] = "1m";
  CHECK(error(anomaly({{"of", written}}), short_window) ==
        "rules[0].window: 5m at least: each window is one point");
  CHECK(error(anomaly({{"of", written}, {"aspect", "quantile"}, {"q", 0.9}}), hourly) ==
        "rules[0].signal.anomaly: a histogram, and z0_facts_written_total is none");
  CHECK(error(anomaly({{"of", "z0_facts_write_duration_ms"}, {"aspect", "quantile"}}), hourly) ==
        "rules[0].signal.anomaly.q: above 0");
  CHECK(error(anomaly({{"of", "z0_replication_lag_ms"}}), hourly) ==
        "rules[0].signal.anomaly: the aspect value: z0_replication_lag_ms is a gauge");
}

TEST_CASE("States go through rows and to other rules of the same name", "[alerts]") {
  std::vector<z0::Rule> rules;
  z0::RuleError error;
  REQUIRE(z0::read_rules(z0::default_rules_json(), rules, error));
  z0::Playback playback(rules, 60'000);
  const std::string_view labels[] = {"twilio", "call", ""};
  const auto calls = playback.series(z0::Metric::external_calls, "t", labels);
  const auto errors = playback.series(z0::Metric::external_errors, "t", labels);
  const std::int64_t now = std::int64_t{400} * 86'400'000;
  const std::vector<z0::Playback::Rise> rises = {{calls, 0, now - 60'000, 100},
                                                 {errors, 0, now - 60'000, 50}};
  playback.tick(now, rises);
  playback.tick(now + 60'000, {});
  std::string bytes;
  z0::ByteWriter out(bytes);
  playback.evaluator().encode_states(out);
  REQUIRE(playback.evaluator().alerts().size() == 1);

  z0::Evaluator same(rules);
  z0::ByteReader in(bytes);
  REQUIRE(same.decode_states(in));
  REQUIRE(same.alerts().size() == 1);
  CHECK(*same.alerts()[0].state == *playback.evaluator().alerts()[0].state);
  CHECK(same.alerts()[0].labels[0] == "twilio");

  for (z0::Rule& rule : rules)
    if (rule.name == "ExternalToolErrors") rule.by.clear();
  z0::Evaluator other(rules);
  z0::ByteReader again(bytes);
  REQUIRE(other.decode_states(again));
  CHECK(other.alerts().empty());
}

TEST_CASE("Bytes that hold no states are refused", "[alerts]") {
  for (const std::string& bytes : {std::string(), std::string("\x02"),
                                   std::string("\x01\x05"
                                               "abc"),
                                   std::string("\x01\x01R\x00\x00\x7f", 6)}) {
    z0::Evaluator evaluator;
    z0::ByteReader in(bytes);
    CHECK_FALSE(evaluator.decode_states(in));
  }
}

TEST_CASE("More groups than there is room for are counted, and the others go on", "[alerts]") {
  std::vector<z0::Rule> rules;
  z0::RuleError error;
  REQUIRE(z0::read_rules(z0::default_rules_json(), rules, error));
  z0::Evaluator evaluator(rules);
  std::vector<z0::Evaluator::Target> targets;
  const std::string_view labels[] = {"", "x"};
  for (std::size_t i = 0; i < z0::limits::alert_groups_max + 10; ++i)
    evaluator.targets(z0::Metric::facts_write_failures, std::to_string(i), labels, targets);
  CHECK(evaluator.left_out() > 0);
  evaluator.tick(1'000);
}
