#include "z0/alerts/rule.hpp"

#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "z0/alerts/baseline.hpp"
#include "z0/alerts/prometheus.hpp"
#include "z0/base/limits.hpp"

namespace {

using z0::Rule;
using z0::RuleError;

// A rule with all that it needs; `more` are further members.
std::string rule(const std::string& more,
                 const std::string& signal = R"({"sum": "z0_facts_written_total"})") {
  return R"({"name": "R", "severity": "warning", "runbook": "r", "owner": "o", "summary": "s",)"
         R"("signal": )" +
         signal + more + '}';
}
std::string rules(const std::string& list) { return R"({"rules": [)" + list + "]}"; }

struct Fault {
  std::string settings;
  std::string where;
  std::string why;  // how it begins
};

}  // namespace

TEST_CASE("A rule says all that it watches", "[alerts]") {
  std::vector<Rule> read;
  RuleError error;
  const std::string one = rule(
      R"(, "above": 0.05, "window": "5m", "for": "1m30s", "keep_firing_for": "2m",
         "min_events": 20, "no_data": "keep", "level": 3, "audience": ["on_call", "tenant_success"],
         "by": ["tenant_id", "fact_type"])",
      R"({"ratio": {"of": {"metric": "z0_facts_write_failures_total", "not": {"error_code": "x"}},
         "to": ["z0_facts_written_total", "z0_facts_write_failures_total"]}})");
  REQUIRE(read_rules(rules(one), read, error));
  REQUIRE(read.size() == 1);
  const Rule& it = read[0];
  CHECK(it.kind == z0::SignalKind::ratio);
  REQUIRE(it.of.size() == 1);
  CHECK(it.of[0].metric == z0::Metric::facts_write_failures);
  REQUIRE(it.of[0].where.size() == 1);
  CHECK(it.of[0].where[0] == z0::Selector::Match{1, true, "x"});
  CHECK(it.to.size() == 2);
  CHECK(it.comparison == z0::Comparison::above);
  CHECK(it.threshold == 0.05);
  CHECK(it.window_ms == 300'000);
  CHECK(it.for_ms == 90'000);
  CHECK(it.keep_firing_ms == 120'000);
  CHECK(it.min_events == 20);
  CHECK(it.no_data == z0::NoData::keep);
  CHECK(it.level == 3);
  CHECK(it.audience == 5);
  CHECK(it.by_tenant);
  CHECK(it.by == std::vector<std::string>{"fact_type"});
}

TEST_CASE("A rule that is wrong says where and why", "[alerts]") {
  const std::string good = R"(, "above": 1, "window": "5m")";
  const std::vector<Fault> faults = {
      {"[]", "settings", "an object"},
      {"{}", "rules", "a list of rules"},
      {R"({"rulez": []})", "rulez", "a member "},
      {R"({"rules": [)", "settings", "JSON in order"},
      {rules("1"), "rules[0]", "a rule"},
      {rules(rule(good) + "," + rule(good)), "rules[1].name", "a name of its own"},
      {rules(rule(R"(, "above": 1, "window": "5 m")")), "rules[0].window", "a duration"},
      {rules(rule(R"(, "above": 1, "window": "1s")")), "rules[0].window", "from 10s to 2d"},
      {rules(rule(R"(, "above": 1)")), "rules[0].window", "a duration"},
      {rules(rule(R"(, "window": "5m")")), "rules[0]", "one of above, at_least, below or at_most"},
      {rules(rule(good + R"(, "below": 1)")), "rules[0]", "one of above"},
      {rules(rule(good + R"(, "above": 1)")), "rules[0].above", "one such member"},
      {rules(rule(good + R"(, "wibble": 1)")), "rules[0].wibble", "a member of a rule"},
      {rules(rule(good + R"(, "level": 4)")), "rules[0].level", "1, 2 or 3"},
      {rules(rule(good + R"(, "level": 1.5)")), "rules[0].level", "a whole number"},
      {rules(rule(good + R"(, "audience": [])")), "rules[0].audience", "somebody at least"},
      {rules(rule(good + R"(, "by": ["wibble"])")), "rules[0].by",
       "labels of z0_facts_written_total, and wibble"},
      {rules(rule(good, R"({"sum": "z0_wibble"})")), "rules[0].signal.sum", "a metric"},
      {rules(rule(good, R"({"wibble": "z0_facts_written_total"})")), "rules[0].signal.wibble",
       "one of value"},
      {rules(rule(good, R"({"value": "z0_facts_written_total"})")), "rules[0].signal.value",
       "the sum of z0_facts_written_total"},
      {rules(rule(good, R"({"sum": "z0_replication_lag_ms"})")), "rules[0].signal.sum",
       "the value of z0_replication_lag_ms"},
      {rules(rule(good, R"({"ratio": {"of": "z0_facts_written_total"}})")),
       "rules[0].signal.ratio.to", "a metric"},
      {rules(rule(good, R"({"quantile": {"of": "z0_facts_written_total", "q": 0.5}})")),
       "rules[0].signal.quantile", "a histogram, and z0_facts_written_total is none"},
      {rules(rule(good, R"({"sum": {"metric": "z0_facts_written_total", "where": {"x": "y"}}})")),
       "rules[0].signal.sum.where.x", "a label of z0_facts_written_total"},
      {rules(rule(good, R"({"sum": {"where": {"x": "y"}}})")), "rules[0].signal.sum.metric",
       "the name of a metric"},
      {rules(R"({"name": "R"})"), "rules[0].signal", "a value"},
      {rules(rule(good)) + R"({"rules": []})", "settings", "JSON in order"},
      {rules(rule(good + R"(, "by": ["fact_type", "tenant_id", "fact_type"])")), "rules[0].by",
       "each label once, and fact_type"},
      {rules(rule(good + R"(, "by": ["tenant_id", "tenant_id"])")), "rules[0].by",
       "each label once, and tenant_id"},
      {rules(rule(R"(, "window": "1h", "by": ["tenant_id", "wibble"])",
                  R"({"business": "no_charges"})")),
       "rules[0].by", "tenant_id alone"},
  };
  for (const Fault& fault : faults) {
    INFO(fault.settings);
    std::vector<Rule> read;
    RuleError error;
    CHECK_FALSE(read_rules(fault.settings, read, error));
    CHECK(read.empty());
    CHECK(error.where == fault.where);
    CHECK(error.why.substr(0, fault.why.size()) == fault.why);
  }
}

TEST_CASE("A rule says to whom it belongs, what is wrong and what to do", "[alerts]") {
  for (const std::string name : {"runbook", "owner", "summary"}) {
    for (const std::string nothing : {"", " \\n"}) {
      std::string one = rule(R"(, "above": 1, "window": "5m")");
      const std::string member = '"' + name + R"(": ")";
      const std::size_t at = one.find(member) + member.size();
      one.replace(at, 1, nothing);
      std::vector<Rule> read;
      RuleError error;
      INFO(one);
      CHECK_FALSE(read_rules(rules(one), read, error));
      CHECK(error.where == "rules[0]." + name);
    }
  }
}

TEST_CASE("Prometheus takes whatever a rule's texts hold", "[alerts]") {
  std::vector<Rule> read;
  RuleError error;
  std::string one = rule(R"(, "above": 1, "window": "5m")");
  const std::string member = R"("summary": ")";
  one.replace(one.find(member) + member.size(), 1, R"(more {{ than {{{ 5 %\u0001'\n)");
  REQUIRE(read_rules(rules(one), read, error));
  const std::string text = z0::prometheus_rules(read);
  CHECK(text.find(R"(summary: 'more {{ "{{" }} than {{ "{{" }}{ 5 % '' ')") != std::string::npos);
}

TEST_CASE("A threshold that is never reached, or always, is refused", "[alerts]") {
  const auto fault = [](const char* signal, const char* threshold) {
    std::vector<Rule> read;
    RuleError error;
    const std::string more = R"(, "window": "5m", "by": ["tenant_id"], )" + std::string(threshold);
    if (read_rules(rules(rule(more, signal)), read, error)) return std::string();
    CHECK(error.where.starts_with("rules[0]."));
    return error.why.substr(0, error.why.find(' ', 2));
  };
  const char* const failures =
      R"({"ratio": {"of": "z0_facts_write_failures_total",
                    "to": ["z0_facts_written_total", "z0_facts_write_failures_total"]}})";
  const char* const tools =
      R"({"ratio": {"of": "z0_external_errors_total", "to": "z0_external_calls_total"}})";
  // 5 where 5 % are meant.
  CHECK(fault(failures, R"("above": 5)") == "a share");
  CHECK(fault(tools, R"("at_least": 1.5)") == "a share");
  CHECK(fault(tools, R"("at_least": 1)").empty());
  // More charges than invocations there may well be.
  CHECK(
      fault(
          R"({"ratio": {"of": {"metric": "z0_facts_written_total", "where": {"fact_type": "charge"}},
                            "to": {"metric": "z0_facts_written_total",
                                   "where": {"fact_type": "invocation"}}}})",
          R"("above": 3)")
          .empty());
  const char* const unusual = R"({"anomaly": {"of": "z0_facts_written_total"}})";
  CHECK(fault(unusual, R"("above": 65)") == "a score");
  CHECK(fault(unusual, R"("above": -0.1)") == "a score");
  CHECK(fault(unusual, R"("above": 0.9)").empty());
  CHECK(fault(R"({"sum": "z0_facts_written_total"})", R"("above": -5)") == "a number");
}

TEST_CASE("A rule about revenue says its score, or has the one that ships", "[alerts]") {
  const auto read = [](const std::string& threshold, const char* about = "revenue_unusual") {
    std::vector<Rule> all;
    RuleError error;
    const bool good = read_rules(rules(rule(R"(, "window": "1h")" + threshold,
                                            R"({"business": ")" + std::string(about) + "\"}")),
                                 all, error);
    CHECK(good == !all.empty());
    return good ? z0::number_text(all[0].threshold) : error.where + ": " + error.why;
  };
  CHECK(read("") == z0::number_text(z0::anomaly_alert_score));
  CHECK(read(R"(, "above": 0.4)") == "0.4");
  CHECK(read(R"(, "above": 0.9)") == "0.9");
  const std::string refused = "rules[0].above: a score above 0 and below 1";
  for (const char* const threshold :
       {R"(, "above": 0)", R"(, "above": 1)", R"(, "above": -0.5)", R"(, "above": 65)",
        R"(, "at_least": 0.5)", R"(, "below": 0.5)", R"(, "at_most": 0.5)",
        R"(, "at_least": 0.5, "above": 0.5)", R"(, "above": 0.5, "at_least": 0.5)"}) {
    INFO(threshold);
    CHECK(read(threshold) == refused);
  }
  CHECK(read(R"(, "above": "0.5")") == "rules[0].above: a number");
  // The other questions about facts hold or do not.
  for (const char* const about : {"zero_invocations", "no_charges", "revenue_low", "budget_ends"}) {
    CHECK(read("", about) == "0");
    CHECK(read(R"(, "above": 0.5)", about) ==
          "rules[0]: no threshold: this signal holds or does not");
  }
}

TEST_CASE("A config holds no more rules than the evaluator is made for", "[alerts]") {
  std::string list;
  for (std::size_t i = 0; i <= z0::limits::rules_max; ++i) {
    std::string one = rule(R"(, "above": 1, "window": "5m")");
    one.replace(one.find("\"R\""), 3, "\"R" + std::to_string(i) + '"');
    list += (i > 0 ? "," : "") + one;
  }
  std::vector<Rule> read;
  RuleError error;
  CHECK_FALSE(read_rules(rules(list), read, error));
  CHECK(error.where == "rules[" + std::to_string(z0::limits::rules_max) + "]");
}

TEST_CASE("Durations are those of Prometheus", "[alerts]") {
  std::int64_t ms = 0;
  for (const auto& [text, expected] :
       std::vector<std::pair<std::string, std::int64_t>>{{"0", 0},
                                                         {"90s", 90'000},
                                                         {"1h30m", 5'400'000},
                                                         {"1w", 604'800'000},
                                                         {"1500ms", 1'500}}) {
    INFO(text);
    REQUIRE(z0::read_duration(text, ms));
    CHECK(ms == expected);
  }
  for (const char* text : {"", "5", "m", "5m1h", "1m1m", "-5m", "5 m", "1.5h", "99999999999999w"}) {
    INFO(text);
    CHECK_FALSE(z0::read_duration(text, ms));
  }
  CHECK(z0::duration_text(90'000) == "1m30s");
  CHECK(z0::duration_text(0) == "0s");
  CHECK(z0::duration_text(std::int64_t{30} * 86'400'000) == "30d");
  CHECK(z0::duration_text(std::int64_t{14} * 86'400'000) == "2w");
}

TEST_CASE("The rules that ship can be read, and hold the platform's thresholds", "[alerts]") {
  std::vector<Rule> read;
  RuleError error;
  REQUIRE(read_rules(z0::default_rules_json(), read, error));
  struct Row {
    std::string name;
    z0::Comparison comparison;
    double threshold;
    z0::Severity severity;
  };
  using z0::Comparison;
  constexpr auto warning = z0::Severity::warning;
  constexpr auto critical = z0::Severity::critical;
  const std::vector<Row> rows = {
      {"FactWriteFailuresWarning", Comparison::above, 0.001, warning},
      {"FactWriteFailures", Comparison::above, 0.01, critical},
      {"ReconciliationMismatchesWarning", Comparison::above, 0.001, warning},
      {"ReconciliationMismatches", Comparison::above, 0.01, critical},
      {"ReconciliationSlowWarning", Comparison::above, 60'000, warning},
      {"ReconciliationSlow", Comparison::above, 300'000, critical},
      {"ReconciliationFailuresWarning", Comparison::above, 0, warning},
      {"ReconciliationFailures", Comparison::above, 10, critical},
      {"ReplicationLagWarning", Comparison::above, 10'000, warning},
      {"ReplicationLag", Comparison::above, 60'000, critical},
      {"ReplicationDepthWarning", Comparison::at_least, 10'000, warning},
      {"ReplicationDepth", Comparison::above, 100'000, critical},
      {"ReplicationFailuresWarning", Comparison::at_least, 0.001, warning},
      {"ReplicationFailures", Comparison::above, 0.01, critical},
      {"ExternalToolErrors", Comparison::above, 0.05, critical},
      {"CacheMisses", Comparison::above, 0.5, warning},
      {"ConfigVersionGaps", Comparison::above, 0, warning},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    const auto found = std::find_if(read.begin(), read.end(),
                                    [&](const Rule& one) { return one.name == row.name; });
    REQUIRE(found != read.end());
    CHECK(found->comparison == row.comparison);
    CHECK(found->threshold == row.threshold);
    CHECK(found->severity == row.severity);
  }
}

TEST_CASE("Who hears of a rule that ships follows from its level, and no rate fires on few events",
          "[alerts]") {
  std::vector<Rule> read;
  RuleError error;
  REQUIRE(read_rules(z0::default_rules_json(), read, error));
  constexpr auto bit = [](z0::Audience one) { return 1U << static_cast<unsigned>(one); };
  constexpr unsigned on_call = bit(z0::Audience::on_call);
  constexpr unsigned with_lead = on_call | bit(z0::Audience::engineering_lead);
  constexpr unsigned with_tenants = with_lead | bit(z0::Audience::tenant_success);
  for (const Rule& one : read) {
    INFO(one.name);
    CHECK(one.audience == (one.level == 1 ? on_call : one.level == 2 ? with_lead : with_tenants));
    const bool learned =
        one.kind == z0::SignalKind::anomaly || one.business == z0::Business::revenue_unusual;
    CHECK((one.level == 2) == learned);
    CHECK((one.level == 3) == (one.kind == z0::SignalKind::business && !learned));
    const bool is_rate = !one.to.empty();
    CHECK((one.min_events >= 20) == (is_rate || one.aspect == z0::Aspect::quantile));
  }
}
