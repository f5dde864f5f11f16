// The new ledgers of one request: registered together, begun under what concerns each.
#include <map>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/edge/config_requests.hpp"
#include "unit/test_world.hpp"
#include "z0/calls/directory.hpp"
#include "z0/calls/ledger.hpp"

namespace {

using z0::test::deposit;
using z0::test::Json;
using z0::test::list;
using z0::test::TestWorld;
using z0::test::configs::put;
using z0::test::configs::versions_in;
using z0::test::configs::wide_budget;

std::string account(int i) { return "acct_" + std::to_string(100 + i); }

// A config that concerns all ledgers of one tenant.
void put_config_of_north(TestWorld& world) {
  REQUIRE(put(world, "cfg_n", wide_budget("tenant", 8)).status == 201);
}

}  // namespace

TEST_CASE("New ledgers of one request are registered with one call a shard", "[directory]") {
  TestWorld world;
  put_config_of_north(world);
  const auto batch = [](std::string_view id) {
    std::vector<std::string> facts;
    for (int i = 0; i < 100; ++i) facts.push_back(deposit(id, account(i)));
    return list(facts);
  };
  std::map<std::string, int> calls;
  world.faults.call = [&](std::string_view object, z0_outcome&, std::string&) {
    ++calls[std::string(object)];
    return false;
  };
  const auto made = world.post(batch("d1"), "north");
  CHECK(made.json.at("recorded") == 100);
  for (std::size_t shard = 0; shard < z0::directory_shards; ++shard)
    CHECK(calls[z0::directory_shard_name(shard)] == 1);
  // A ledger begins with what concerns it.
  for (int i = 0; i < 100; ++i) {
    CHECK(calls[TestWorld::object_of(account(i))] == 2);
    CHECK(versions_in(world, account(i), "") == Json{"cfg_n:1"});
  }
  calls.clear();
  CHECK(world.post(batch("d2"), "north").json.at("recorded") == 100);
  CHECK(calls.size() == 100);
  CHECK(calls.begin()->second == 1);
}

TEST_CASE("A shard that fails holds up its own new ledgers and no others", "[directory]") {
  TestWorld world;
  std::vector<std::string> facts;
  for (int i = 0; i < 60; ++i) facts.push_back(deposit("d1", account(i)));
  facts.push_back(R"({"type":"nonsense!"})");
  bool down = true;
  world.faults.call = [&](std::string_view object, z0_outcome& outcome, std::string& message) {
    outcome = Z0_OVERLOADED;
    message = "too much";
    return down && object == "directory_3";
  };
  const auto first = world.post(list(facts), "north");
  CHECK(first.status == 207);
  for (int i = 0; i < 60; ++i) {
    const bool held_up = z0::directory_object_name(account(i)) == "directory_3";
    CHECK(first.item(static_cast<std::size_t>(i)).at("status") ==
          (held_up ? "overloaded" : "recorded"));
  }
  down = false;
  const auto again = world.post(list(facts), "north");
  for (int i = 0; i < 60; ++i) {
    const bool held_up = z0::directory_object_name(account(i)) == "directory_3";
    CHECK(again.item(static_cast<std::size_t>(i)).at("status") ==
          (held_up ? "recorded" : "duplicate"));
  }
}

TEST_CASE("An operator's request begins ledgers of several tenants, each under its own configs",
          "[directory]") {
  TestWorld world;
  put_config_of_north(world);
  std::vector<std::string> facts;
  for (int i = 0; i < 40; ++i) {
    const std::string tenant = i % 2 == 0 ? "north" : "south";
    facts.push_back(deposit("d1", account(i), 5, R"(,"tenant_id":")" + tenant + "\""));
  }
  CHECK(world.post(list(facts), "").json.at("recorded") == 40);
  for (int i = 0; i < 40; ++i)
    CHECK(versions_in(world, account(i), "") == (i % 2 == 0 ? Json{"cfg_n:1"} : Json::array()));
}

TEST_CASE(
    "A batch that was registered before a config was pushed, and arrives after, meets the config",
    "[directory]") {
  TestWorld world;
  put_config_of_north(world);
  // The ledger is registered; its batch, with the policies of now, is on its way for long.
  std::string late;
  world.faults.delay = [&](std::uint8_t method, std::string_view object, std::string_view request) {
    const bool append = object.starts_with("account_") &&
                        method == static_cast<std::uint8_t>(z0::LedgerMethod::append);
    z0::AppendRequest batch;
    if (!append || !z0::decode(request, batch) || !batch.registered()) return false;
    late = request;
    return true;
  };
  CHECK(world.post(deposit("f_1")).text("status") == "timeout");
  REQUIRE_FALSE(late.empty());
  world.faults = {};
  REQUIRE(put(world, "cfg_n", wide_budget("tenant", 7)).status == 201);
  world.now_ms += 60'000;
  world.run_alarms();
  world.call(static_cast<std::uint8_t>(z0::LedgerMethod::append), "account_acct_a", late);
  CHECK(versions_in(world, "acct_a", "") == Json{"cfg_n:2"});
  CHECK(world.get("/v1/facts/acct_a").json.at("facts").size() == 2);
}
