// What a ledger decides within one batch, and what it owes D1 for facts of its own.
#include <string>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/ids.hpp"

namespace z0 {
namespace {

using test::Json;
using test::Reply;
using test::TestWorld;

constexpr const char* deposit =
    R"({"id":"d","type":"deposit","entity_id":"acct_a","tenant_id":"tenant_a","amount":1})";

Reply put_daily_budget(TestWorld& world, int limit) {
  return world.ask("PUT", "/v1/configs/cfg_a", "",
                   R"({"type":"budget","scope":"entity","applies_to":"acct_a","tenant_id":)"
                   R"("tenant_a","settings":{"limit":)" +
                       std::to_string(limit) +
                       R"(,"currency":"USD","period":"day","enforce":true}})",
                   {});
}

std::string charge(const std::string& id, int amount) {
  return R"({"id":")" + id +
         R"(","type":"charge","entity_id":"acct_a","tenant_id":"tenant_a","source_id":"o","amount":)" +
         std::to_string(amount) + '}';
}

TEST_CASE("Charges of one batch count for each other in a daily budget", "[ledger]") {
  TestWorld world;
  REQUIRE(put_daily_budget(world, 100).status == 201);
  const Reply reply = world.post(
      '[' + charge("c1", 60) + ',' + charge("c2", 60) + ',' + charge("c3", 40) + ']', "");
  CHECK(reply.statuses() == "recorded budget_exhausted recorded");
}

TEST_CASE("A fact whose first copy in the batch was refused is no duplicate", "[ledger]") {
  TestWorld world;
  REQUIRE(put_daily_budget(world, 100).status == 201);
  const Reply reply = world.post('[' + charge("c1", 101) + ',' + charge("c1", 101) + ']', "");
  CHECK(reply.statuses() == "budget_exhausted budget_exhausted");
}

TEST_CASE("An exhausted budget asks for no retry", "[ledger]") {
  TestWorld world;
  REQUIRE(put_daily_budget(world, 100).status == 201);
  const Reply reply = world.post(charge("c1", 101), "");
  CHECK(reply.status == 402);
  CHECK(reply.header("retry-after").empty());
}

TEST_CASE("Facts that a reconciliation records have an alarm until D1 has them", "[ledger]") {
  TestWorld world;
  const std::string ledger = ledger_object_name("acct_a");
  REQUIRE(world.post(deposit, "").status == 201);
  world.deliver_all();
  for (int i = 0; i < 4 && world.alarm_of(ledger) != 0; ++i) {
    world.now_ms = world.alarm_of(ledger);
    world.run_alarms();
  }
  REQUIRE(world.alarm_of(ledger) == 0);
  world.storage_of(ledger).script("UPDATE segments SET cache = NULL");
  world.evict(ledger);
  const Reply reply = world.ask("POST", "/v1/ledgers/acct_a/reconcile", "", "", {});
  REQUIRE(reply.json.at("mismatches").size() == 5);
  CHECK(world.alarm_of(ledger) != 0);
}

TEST_CASE("A replication that was asked for ends though the clock went back", "[ledger]") {
  TestWorld world;
  REQUIRE(world.post(deposit, "").status == 201);
  world.now_ms -= 5'000;
  const Reply reply = world.ask("POST", "/v1/ledgers/acct_a/replicate", "", "", {});
  CHECK(reply.json.at("done") == true);
}

}  // namespace
}  // namespace z0
