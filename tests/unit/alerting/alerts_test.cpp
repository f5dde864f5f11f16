// From a failed append to GET /v1/alerts, over a whole world whose steps tell what they measure.
#include <algorithm>
#include <string>
#include <vector>

#include "unit/alerting/watched.hpp"
#include "unit/catch.hpp"
#include "z0/alerts/rule.hpp"

namespace {

using z0::test::deposit;
using z0::test::Json;
using z0::test::Reply;
using z0::test::tick;
using z0::test::Watched;

std::string rule(const std::string& name, const std::string& condition) {
  return R"({"name": ")" + name + R"(", "severity": "warning", "runbook": "r", "owner": "o",
    "summary": "s", "window": "5m", )" +
         condition + '}';
}

const std::string busy = rule("Busy", R"("signal": {"sum": "z0_facts_written_total"}, "above": 2)");

}  // namespace

TEST_CASE("Writes that fail are an alert within two ticks, and it ends when they succeed",
          "[alerts]") {
  Watched w;
  w.post_facts(3);
  w.fail_writes();
  w.post_failures(5);
  w.pass(2 * tick);
  CHECK(w.alerts().find("firing FactWriteFailures\n") != std::string::npos);
  CHECK(w.alerts().find("firing TenantWriteFailures north\n") != std::string::npos);
  const Json alert = w.alert("FactWriteFailures");
  CHECK(alert.at("severity") == "critical");
  CHECK(alert.at("value") == 0.625);
  CHECK(alert.at("threshold") == 0.01);
  CHECK(alert.at("runbook") == "fact_write_failures");
  CHECK(alert.at("money") == Json{{"in_words", "what it costs is not known yet"},
                                  {"reckoning", "No whole hour of facts has been seen."}});
  CHECK(alert.at("fired_at").get<std::int64_t>() <= w.now_ms);

  w.faults.call = nullptr;
  // The window of five minutes, and as long again that it is kept firing for.
  w.pass(11 * 60'000);
  CHECK(w.alert("FactWriteFailures").at("state") == "resolved");
  w.pass(20 * 60'000);
  CHECK(w.alert("FactWriteFailures").is_null());
}

TEST_CASE("One failure of two pages nobody", "[alerts]") {
  Watched w;
  w.post_facts(1);
  w.fail_writes();
  w.post_failures(1);
  w.pass(3 * tick);
  CHECK(w.alerts().empty());
}

TEST_CASE("A tenant sees its own alerts alone", "[alerts]") {
  Watched w;
  w.fail_writes();
  w.post_failures(5, "north");
  w.pass(2 * tick);
  CHECK(w.alerts("north") == "firing TenantWriteFailures north\n");
  CHECK(w.alerts("south").empty());
  CHECK(w.get("/v1/alerts?tenant=north", "south").status == 404);
}

TEST_CASE("A tenant's own rule fires for it alone, beside the platform's", "[alerts]") {
  Watched w;
  REQUIRE(w.publish("cfg_mine", "tenant", busy, "north").status == 201);
  w.post_facts(3, "north", "acct_a");
  w.post_facts(3, "south", "acct_b");
  // A shard learns the rules from the answer to its first report, and says what they find by its next.
  w.pass(4 * tick);
  CHECK(w.alerts() == "firing Busy north\n");
  CHECK(w.alerts("south").empty());
  const Json rules = w.get("/v1/rules", "north").json.at("rules");
  CHECK(rules.back().at("name") == "Busy");
  CHECK(rules.back().at("rules_of") == "north");
  CHECK(w.get("/v1/rules", "south").json.at("rules").size() + 1 == rules.size());
}

TEST_CASE("What pages stands before what fires longer and does not", "[alerts]") {
  Watched w;
  REQUIRE(w.publish("cfg_mine", "tenant", busy, "north").status == 201);
  w.post_facts(3);
  w.pass(4 * tick);
  REQUIRE(w.alerts() == "firing Busy north\n");
  w.fail_writes();
  w.post_failures(5);
  w.pass(2 * tick);
  const Json alerts = w.get("/v1/alerts", "").json.at("alerts");
  std::vector<std::string> severities;
  for (const Json& alert : alerts)
    if (alert.at("state") == "firing") severities.push_back(alert.at("severity"));
  CHECK(severities.front() == "critical");
  CHECK(severities.back() == "warning");
  CHECK(std::is_sorted(severities.begin(), severities.end()));
}

TEST_CASE("A rule is listed with all that it reads, as a config would have it", "[alerts]") {
  Watched w;
  const std::string own = R"({"absent": {"metric": "z0_facts_written_total",
    "where": {"fact_type": "charge"}, "not": {"asset_id": ""}}})";
  REQUIRE(w.publish("cfg_mine", "tenant", rule("Mine", R"("signal": )" + own), "north").status ==
          201);
  Json listed = w.get("/v1/rules", "north").json.at("rules");
  CHECK(listed.back().at("reads") == Json::parse(own));
  // Its like stands in the listing as it stands in the rule.
  std::vector<z0::Rule> expected;
  z0::RuleError error;
  REQUIRE(z0::read_rules(z0::default_rules_json(), expected, error));
  listed.erase(listed.size() - 1);
  for (Json& one : listed) {
    if (one.contains("threshold")) one[one.at("comparison").get<std::string>()] = one["threshold"];
    one["signal"] = one["reads"];
    for (const char* const said : {"reads", "comparison", "threshold"}) one.erase(said);
  }
  std::vector<z0::Rule> read;
  REQUIRE(z0::read_rules(Json{{"rules", listed}}.dump(), read, error));
  for (auto* rules : {&expected, &read})
    std::sort(rules->begin(), rules->end(),
              [](const z0::Rule& a, const z0::Rule& b) { return a.name < b.name; });
  CHECK(read == expected);
}

TEST_CASE("Rules that cannot be read are refused with the place, and the others stay", "[alerts]") {
  Watched w;
  const Reply reply = w.publish("cfg_bad", "platform", rule("R", R"("signal": {"sum": "z0_x"})"));
  CHECK(reply.status == 422);
  CHECK(reply.text("field") == "settings.rules[0].signal.sum");
  CHECK(reply.text("action") == "Expected is a metric of the registry, and z0_x is none.");
  CHECK(w.publish("cfg_bad", "entity", "").status != 201);
}

TEST_CASE("A tenant asks for another score of its revenue, and reads which rules have a threshold",
          "[alerts]") {
  Watched w;
  const auto revenue = [](const std::string& above) {
    return rule("Moves", R"("signal": {"business": "revenue_unusual"}, "above": )" + above);
  };
  const Reply refused = w.publish("cfg_mine", "tenant", revenue("1"), "north");
  CHECK(refused.status == 422);
  CHECK(refused.text("field") == "settings.rules[0].above");
  REQUIRE(w.publish("cfg_mine", "tenant", revenue("0.4"), "north").status == 201);
  const Json rules = w.get("/v1/rules", "north").json.at("rules");
  int unusual = 0;
  for (const Json& one : rules) {
    INFO(one.dump());
    const bool mine = one.at("name") == "Moves";
    if (mine || one.at("name") == "RevenueUnusual") {
      ++unusual;
      CHECK(one.at("comparison") == "above");
      CHECK(one.at("threshold") == (mine ? 0.4 : 0.65));
    } else {
      CHECK(one.contains("threshold") == (one.at("signal") != "business"));
    }
  }
  CHECK(unusual == 2);
}

TEST_CASE("What was judged outlives evictions and crashes", "[alerts]") {
  Watched w;
  w.fail_writes();
  w.post_failures(5);
  w.pass(3 * tick);
  const Json before = w.alert("FactWriteFailures");
  REQUIRE(before.at("state") == "firing");
  w.crash();
  CHECK(w.alert("FactWriteFailures").at("state") == "firing");
  // Whoever looks first has the shards say again what they know.
  CHECK(w.alert("TenantWriteFailures").is_null());
  w.run_alarms();
  w.run_alarms();
  CHECK(w.alert("TenantWriteFailures").at("state") == "firing");
  w.pass(60'000 + 3 * tick);
  const Json after = w.alert("FactWriteFailures");
  CHECK(after.at("state") == "firing");
  CHECK(after.at("active_at") == before.at("active_at"));
  CHECK(after.at("fired_at") == before.at("fired_at"));
}

TEST_CASE("What a shard says of an alert is saved before it is said", "[alerts]") {
  Watched w;
  int said = 0;
  w.faults.call = [&](std::string_view object, z0_outcome& outcome, std::string& message) {
    if (object == "alerts" && ++said == 1) w.evict("metrics_0");
    outcome = Z0_FAILED;
    message = "the ledger is away";
    return object.starts_with("account_");
  };
  w.post_failures(5);
  w.pass(2 * tick);
  const Json before = w.alert("TenantWriteFailures");
  REQUIRE(before.at("state") == "firing");
  CHECK(said > 0);
  w.pass(3 * tick);
  const Json after = w.alert("TenantWriteFailures");
  CHECK(after.at("state") == "firing");
  CHECK(after.at("fired_at") == before.at("fired_at"));
}

TEST_CASE("Somebody looks after an alert until it ends", "[alerts]") {
  Watched w;
  w.fail_writes();
  w.post_failures(5);
  w.pass(2 * tick);
  const std::string id = w.alert("TenantWriteFailures").at("id");
  const auto ack = [&](const std::string& body, std::string_view who) {
    return w.ask("POST", "/v1/alerts/" + id + "/acknowledge", who, body, {});
  };
  const std::string words = R"({"author": "ann", "reason": "the ledger's region is away"})";
  CHECK(ack(words, "south").status == 404);
  const auto refused = [&](const std::string& body) {
    const Reply reply = ack(body, "");
    CHECK(reply.status == 422);
    return reply.text("field") + ": " + reply.text("action");
  };
  CHECK(refused(R"({"author": "ann"})") == "reason: Expected is what is known, or done.");
  CHECK(refused(R"({"author": "ann", "reason": "r", "for": "400d"})") ==
        "for: Expected is from 1s to 30d.");
  CHECK(refused(R"({"who": "ann"})") ==
        "who: Expected is author, reason or for, and this is none.");
  CHECK(refused("") == "body: Expected is an object with author and reason.");
  const Reply reply = ack(words, "north");
  REQUIRE(reply.status == 200);
  CHECK(reply.json.at("acknowledged").at("by") == "ann");
  w.crash();
  w.pass(60'000 + 3 * tick);
  CHECK(w.alert("TenantWriteFailures").at("acknowledged").at("reason") ==
        "the ledger's region is away");
  w.faults.call = nullptr;
  w.pass(25 * 60'000);
  w.fail_writes();
  w.post_failures(5);
  w.pass(2 * tick);
  CHECK_FALSE(w.alert("TenantWriteFailures").contains("acknowledged"));
}

TEST_CASE("Nothing is judged where nothing happens", "[alerts]") {
  Watched w;
  w.post_facts(1);
  // The longest window of the rules that ship is six hours.
  w.pass(std::int64_t{7} * 3'600'000);
  CHECK(w.alarm_of("metrics_0") == 0);
  CHECK(w.alarm_of("alerts") == 0);
}

TEST_CASE("A test of rules runs without a monitor", "[alerts]") {
  Watched w;
  const std::string body =
      R"({"rules": [)" + rule("R", R"("signal": {"sum": "z0_facts_written_total"}, "above": 4)") +
      R"(], "series": [{"metric": "z0_facts_written_total", "values": "0 5"}]})";
  const Reply reply = w.ask("POST", "/v1/rules/test", "north", body, {});
  REQUIRE(reply.status == 200);
  CHECK(reply.json.at("steps").at(0).at("at") == "1m");
  const Reply bad = w.ask("POST", "/v1/rules/test", "north", R"({"rules": 1})", {});
  CHECK(bad.status == 422);
  CHECK(bad.text("field") == "rules");
}
