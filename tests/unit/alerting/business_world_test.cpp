// Rules about business over a whole world: facts that come and stay away, D1, restarts.
#include <string>

#include "unit/catch.hpp"
#include "unit/monitor/measuring.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"

namespace {

using z0::test::Json;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr std::int64_t minute = 60'000;
constexpr std::int64_t hour = 60 * minute;

class Shop : public TestWorld {
 public:
  Shop() { z0::test::measure(*this); }

  // Time passes; each minute each tenant invokes once, and charges once, as long as it does.
  void pass(std::int64_t ms) {
    for (const std::int64_t until = now_ms + ms; now_ms < until;) {
      now_ms += minute;
      for (const std::string& tenant : invokes) invoke(tenant);
      for (const std::string& tenant : charges) charge(tenant);
      if (delivers) deliver_all();
      for (int i = 0; i < 12; ++i) {
        run_alarms();
        now_ms += 1'000;
      }
      now_ms -= 12'000;
    }
  }
  void invoke(const std::string& tenant, const std::string& more = {}) {
    post(R"({"type": "invocation", "entity_id": "ast_)" + tenant +
             R"(", "tool_id": "tool_a", "trace_id": "0af7651916cd43dd8448eb211c80319c")" + more +
             '}',
         tenant);
  }
  void charge(const std::string& tenant) {
    post(R"({"type": "charge", "entity_id": "acct_of_)" + tenant +
             R"(", "amount": 250, "source_id": "outcome_a"})",
         tenant);
  }
  Json alert(const std::string& rule, const std::string& tenant = "north") {
    const Json answer = get("/v1/alerts", "").json;
    for (const Json& alert : answer.at("alerts"))
      if (alert.at("rule") == rule && alert.value("tenant_id", "") == tenant) return alert;
    return {};
  }
  bool fires(const std::string& rule, const std::string& tenant = "north") {
    const Json found = alert(rule, tenant);
    return !found.is_null() && found.at("state") == "firing";
  }

  std::vector<std::string> invokes;
  std::vector<std::string> charges;
  bool delivers = true;
};

}  // namespace

TEST_CASE("A tenant that stops in the middle of its day is an alert a quarter of an hour later",
          "[business]") {
  Shop w;
  w.invokes = {"north", "south"};
  w.charges = {"north"};
  w.pass(3 * hour);
  CHECK(w.alert("ZeroInvocations").is_null());
  w.invokes = {"south"};
  w.charges = {};
  w.pass(15 * minute);
  CHECK_FALSE(w.fires("ZeroInvocations"));
  w.pass(4 * minute);
  REQUIRE(w.fires("ZeroInvocations"));
  CHECK_FALSE(w.fires("ZeroInvocations", "south"));

  const Json alert = w.alert("ZeroInvocations");
  CHECK(alert.at("severity") == "critical");
  CHECK(alert.at("level") == 3);
  CHECK(alert.at("audience") == Json{"on_call", "engineering_lead", "tenant_success"});
  CHECK(alert.at("value").get<double>() > 15);
  CHECK(alert.at("why").get<std::string>().find("No invocation for") == 0);
  CHECK(alert.at("why").get<std::string>().find("chance: less than 1 in") != std::string::npos);
  // Two hours and a half are learned: 250 a minute.
  const Json money = alert.at("money");
  CHECK(money.at("currency") == "USD");
  CHECK(money.at("at_risk_per_hour").get<std::int64_t>() > 14'500);
  CHECK(money.at("at_risk_per_hour").get<std::int64_t>() <= 15'000);
  CHECK(money.at("lost").get<std::int64_t>() >= 15 * 250);
  CHECK(money.at("lost").get<std::int64_t>() <= 20 * 250);
  CHECK(money.at("reckoning").get<std::string>().find("that came") != std::string::npos);
  // One cause is one page.
  CHECK(w.alert("NoCharges").is_null());

  w.invokes = {"north", "south"};
  w.pass(40 * minute);
  CHECK_FALSE(w.fires("ZeroInvocations"));
}

TEST_CASE("What stops costs an amount that is not known where nobody was charged yet",
          "[business]") {
  Shop w;
  w.invokes = {"north"};
  w.pass(3 * hour);
  w.invokes = {};
  w.pass(19 * minute);
  REQUIRE(w.fires("ZeroInvocations"));
  const Json unknown = {{"in_words", "what it costs is not known yet"},
                        {"reckoning", "No whole hour with a charge has been seen."}};
  CHECK(w.alert("ZeroInvocations").at("money") == unknown);
  w.invokes = {"north"};
  w.faults.call = [](std::string_view object, z0_outcome& outcome, std::string& message) {
    outcome = Z0_FAILED;
    message = "the ledger is away";
    return object == "asset_ast_north";
  };
  w.pass(6 * minute);
  REQUIRE(w.fires("TenantWriteFailures"));
  CHECK(w.alert("TenantWriteFailures").at("money") == unknown);
}

TEST_CASE("Charges that stay away while tools are invoked are an alert after an hour",
          "[business]") {
  Shop w;
  w.invokes = {"north"};
  w.charges = {"north"};
  w.pass(3 * hour);
  w.charges = {};
  w.pass(58 * minute);
  CHECK_FALSE(w.fires("NoCharges"));
  w.pass(6 * minute);
  REQUIRE(w.fires("NoCharges"));
  CHECK(w.alert("ZeroInvocations").is_null());
  CHECK(w.alert("NoCharges").at("money").at("lost").get<std::int64_t>() >= 60 * 250);
}

TEST_CASE("A D1 that does not answer, or is not written to, is no silence of a tenant",
          "[business]") {
  Shop w;
  w.invokes = {"north"};
  w.pass(3 * hour);
  SECTION("it fails") {
    w.faults.query = [] { return true; };
    w.pass(40 * minute);
    CHECK_FALSE(w.fires("ZeroInvocations"));
    w.faults.query = nullptr;
  }
  SECTION("nothing is written to it") {
    std::string statement;
    w.faults.query_statement = [](std::size_t at) { return at > 2; };
    w.pass(40 * minute);
    CHECK_FALSE(w.fires("ZeroInvocations"));
    w.faults.query_statement = nullptr;
  }
  w.pass(40 * minute);
  CHECK_FALSE(w.fires("ZeroInvocations"));
}

TEST_CASE("What was learned, and what fires, outlives a restart", "[business]") {
  Shop w;
  w.invokes = {"north"};
  w.charges = {"north"};
  w.pass(4 * hour);
  w.invokes = {};
  w.charges = {};
  w.pass(25 * minute);
  const Json before = w.alert("ZeroInvocations");
  REQUIRE(before.at("state") == "firing");
  w.crash();
  // What was learned is a row; what came since is looked at anew.
  w.faults.query = [] { return true; };
  w.pass(2 * minute);
  CHECK(w.alert("ZeroInvocations").at("money").at("reckoning") ==
        "Facts have not been looked at since a restart.");
  w.faults.query = nullptr;
  w.pass(8 * minute);
  const Json after = w.alert("ZeroInvocations");
  REQUIRE(after.at("state") == "firing");
  CHECK(after.at("fired_at") == before.at("fired_at"));
  CHECK(after.at("money").contains("lost"));
  CHECK(after.at("value").get<double>() > before.at("value").get<double>());
}

TEST_CASE("A restart in the middle of a silence does not hide it", "[business]") {
  Shop w;
  w.invokes = {"north"};
  w.pass(4 * hour);
  w.invokes = {};
  w.pass(8 * minute);
  w.crash();
  w.pass(12 * minute);
  CHECK(w.fires("ZeroInvocations"));
}

TEST_CASE("Invocations that are told of late are no silence", "[business]") {
  Shop w;
  w.invokes = {"north"};
  w.pass(3 * hour);
  w.invokes = {};
  const std::int64_t until = w.now_ms + 30 * minute;
  while (w.now_ms < until) {
    w.pass(10 * minute);
    w.invoke("north", R"(, "timestamp": )" + std::to_string(w.now_ms - 2 * minute));
    w.deliver_all();
  }
  CHECK(w.alert("ZeroInvocations").is_null());
}

TEST_CASE("A tenant whose account is retiring is not active", "[business]") {
  Shop w;
  w.invokes = {"north"};
  w.pass(3 * hour);
  w.invokes = {};
  REQUIRE(
      w.post(R"({"type": "lifecycle", "subtype": "retiring", "entity_id": "acct_north"})", "north")
          .status == 201);
  w.pass(30 * minute);
  CHECK(w.alert("ZeroInvocations").is_null());
}

TEST_CASE("Writes that fail cost the share that fails of what is usual", "[business]") {
  Shop w;
  w.invokes = {"north"};
  w.charges = {"north"};
  w.pass(3 * hour);
  w.faults.call = [](std::string_view object, z0_outcome& outcome, std::string& message) {
    outcome = Z0_FAILED;
    message = "the ledger is away";
    return object == "account_acct_of_north";
  };
  w.pass(6 * minute);
  REQUIRE(w.fires("TenantWriteFailures"));
  const Json money = w.alert("TenantWriteFailures").at("money");
  CHECK(money.at("currency") == "USD");
  // Half of the facts of some minutes; those before were written.
  CHECK(money.at("at_risk_per_hour").get<std::int64_t>() > 1'000);
  CHECK(money.at("at_risk_per_hour").get<std::int64_t>() < 10'000);
  // As many as D1 has of the last minutes but one.
  CHECK(money.at("lost").get<std::int64_t>() >= 4 * 250);
  CHECK(money.at("lost").get<std::int64_t>() <= 6 * 250);
}

TEST_CASE(
    "A budget that will not last until the end of its day is told of, and one that will is not",
    "[business]") {
  Shop w;
  const auto put = [&w](const std::string& tenant, int limit) {
    return w
        .ask("PUT", "/v1/configs/cfg_of_" + tenant, tenant,
             R"({"type": "budget", "scope": "tenant", "settings": {"limit": )" +
                 std::to_string(limit) + R"(, "period": "week", "enforce": true}})",
             {})
        .status;
  };
  // 250 a minute are 2,520,000 a week.
  REQUIRE(put("north", 1'000'000) == 201);
  REQUIRE(put("south", 3'000'000) == 201);
  w.pass(minute);
  w.charges = {"north", "south"};
  w.pass(6 * hour);
  REQUIRE(w.fires("BudgetEnds"));
  CHECK_FALSE(w.fires("BudgetEnds", "south"));
  const Json alert = w.alert("BudgetEnds");
  CHECK(alert.at("severity") == "warning");
  CHECK(alert.at("why").get<std::string>().find("of cfg_of_north for acct_of_north") !=
        std::string::npos);
  CHECK(alert.at("money").at("at_risk_per_hour").get<std::int64_t>() > 14'000);
  CHECK(alert.at("money").at("at_risk_per_hour").get<std::int64_t>() < 16'000);
  w.crash();
  w.pass(70 * minute);
  CHECK(w.fires("BudgetEnds"));
  REQUIRE(put("north", 4'000'000) == 201);
  w.pass(3 * hour);
  CHECK_FALSE(w.fires("BudgetEnds"));
}

TEST_CASE("Nobody is looked after where nothing comes any more", "[business]") {
  Shop w;
  w.invoke("north");
  w.deliver_all();
  const std::int64_t began_ms = w.now_ms;
  std::int64_t looks = 0;
  // From one alarm to the next, until there is none.
  while (w.alarm_of("alerts") != 0 || w.alarm_of("metrics_0") != 0) {
    std::int64_t next = INT64_MAX;
    for (const char* const object : {"alerts", "metrics_0"})
      if (w.alarm_of(object) != 0) next = std::min(next, w.alarm_of(object));
    w.now_ms = std::max(w.now_ms, next);
    w.run_alarms();
    ++looks;
    REQUIRE(w.now_ms < began_ms + 9 * 24 * hour);
  }
  // For a week somebody may come back.
  CHECK(w.now_ms > began_ms + 7 * 24 * hour);
  CHECK(looks > 7 * 24 * 60);
  CHECK(w.get("/v1/alerts", "").json.at("alerts").empty());
}
