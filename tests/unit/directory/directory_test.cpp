// The directory: ledgers in pages, policies handed out in the background.
#include "z0/calls/directory.hpp"

#include <set>

#include "unit/catch.hpp"
#include "unit/edge/config_requests.hpp"
#include "unit/folds/config_facts.hpp"
#include "unit/test_world.hpp"
#include "z0/base/bytes.hpp"
#include "z0/calls/reply.hpp"
#include "z0/facts/fact.hpp"

namespace {

using z0::test::deposit;
using z0::test::Json;
using z0::test::Reply;
using z0::test::TestWorld;
using z0::test::configs::versions_in;

std::string account(int i) { return "acct_" + std::to_string(100 + i); }

// Accounts of a tenant with a fact each; their ids begin with the tenant's.
void make_accounts(TestWorld& world, std::string_view tenant, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string entity = "acct_" + std::string(tenant) + std::to_string(100 + i);
    REQUIRE(world.post(deposit("d1", entity), tenant).status == 201);
  }
}

Reply put(TestWorld& world, std::string_view id, std::string_view scope, int limit,
          std::string_view who = "north") {
  return z0::test::configs::put(world, id, z0::test::configs::wide_budget(scope, limit), who);
}

// Alarms until none is due, at most `rounds`.
void run_alarms(TestWorld& world, int rounds = 40) {
  while (rounds-- > 0 && world.run_alarms() > 0) {
  }
}

std::int64_t rows_in_shards(TestWorld& world, const char* table) {
  std::int64_t count = 0;
  for (std::size_t shard = 0; shard < z0::directory_shards; ++shard) {
    const auto name = z0::directory_shard_name(shard);
    count += z0::test::rows_of(world.storage_of(name), std::string("SELECT count(*) FROM ") + table)
                 .at(0)
                 .at(0)
                 .get<std::int64_t>();
  }
  return count;
}

}  // namespace

TEST_CASE("A ledger's shard follows from its id", "[directory]") {
  std::set<std::string> names;
  for (int i = 0; i < 1'000; ++i) names.insert(z0::directory_object_name(account(i)));
  CHECK(names.size() == z0::directory_shards);
  CHECK(*names.begin() == "directory_0");
  CHECK(*names.rbegin() == "directory_f");
  CHECK(z0::directory_object_name("acct_1") == z0::directory_object_name("acct_1"));
}

TEST_CASE("Requests to the directory are read as they were written", "[directory]") {
  const z0::RegisterRequest known{1'774'958'400'000,
                                  {{"north", "acct_a"}, {"south", "acct_b"}, {"north", "acct_c"}}};
  z0::RegisterRequest known_read;
  const std::string known_bytes = encode(known);
  CHECK(decode(known_bytes, known_read));
  REQUIRE(known_read.ledgers.size() == 3);
  CHECK(known_read.ledgers[2].tenant_id == "north");
  CHECK(known_read.ledgers[2].entity_id == "acct_c");
  CHECK(known_read.created_at == 1'774'958'400'000);
  CHECK(known_read.tenants() == std::vector<std::string_view>{"north", "south"});
  for (std::size_t i = 0; i < known_bytes.size(); ++i) {
    z0::RegisterRequest cut;
    CHECK_FALSE(decode(std::string_view(known_bytes).substr(0, i), cut));
  }
  CHECK_FALSE(decode(encode(z0::RegisterRequest{1, {}}), known_read));
  const z0::PublishRequest publish{"", "bytes"};
  const std::string publish_bytes = encode(publish);
  z0::PublishRequest publish_read;
  CHECK(decode(publish_bytes, publish_read));
  CHECK(publish_read.submission == "bytes");
  const z0::ListRequest list{"north", "north", "acct_a", 7};
  const std::string list_bytes = encode(list);
  z0::ListRequest list_read;
  CHECK(decode(list_bytes, list_read));
  CHECK(list_read.after_entity == "acct_a");
  CHECK(list_read.limit == 7);
  for (std::size_t i = 0; i < list_bytes.size(); ++i)
    CHECK_FALSE(decode(std::string_view(list_bytes).substr(0, i), list_read));
  CHECK_FALSE(decode(encode(z0::ListRequest{"", "", "", 0}), list_read));
  CHECK_FALSE(decode(encode(z0::ListRequest{"", "", "", 1'002}), list_read));
  z0::Policies policies;
  CHECK(decode_reply("", policies) == z0::Status::storage_error);
  CHECK(decode_reply("\xff", policies) == z0::Status::storage_error);
}

TEST_CASE("All ledgers are listed once, in pages over all shards", "[directory]") {
  TestWorld world;
  make_accounts(world, "north", 23);
  make_accounts(world, "south", 9);
  world.post(deposit("d2", "acct_north100"), "north");
  const auto listed = [&](const std::string& query, std::string_view who) {
    std::vector<std::string> ids;
    std::string cursor;
    do {
      const Reply page =
          world.get("/v1/ledgers" + query + (cursor.empty() ? "" : "&cursor=" + cursor), who);
      REQUIRE(page.status == 200);
      for (const auto& ledger : page.json.at("ledgers")) {
        CHECK(ledger.at("type") == "account");
        CHECK(ledger.at("created_at") == world.now_ms);
        ids.push_back(ledger.at("tenant_id").get<std::string>() + ' ' +
                      ledger.at("entity_id").get<std::string>());
      }
      cursor = page.json.at("cursor").is_null() ? "" : page.json.at("cursor").get<std::string>();
    } while (!cursor.empty());
    return ids;
  };
  std::vector<std::string> north;
  std::vector<std::string> south;
  for (int i = 0; i < 23; ++i) north.push_back("north acct_north" + std::to_string(100 + i));
  for (int i = 0; i < 9; ++i) south.push_back("south acct_south" + std::to_string(100 + i));
  std::vector<std::string> all = north;
  all.insert(all.end(), south.begin(), south.end());
  for (const char* limit : {"1", "2", "7", "23", "32", "1000"}) {
    INFO(limit);
    CHECK(listed(std::string("?limit=") + limit, "") == all);
    CHECK(listed(std::string("?limit=") + limit, "north") == north);
    CHECK(listed(std::string("?tenant=south&limit=") + limit, "") == south);
  }
  CHECK(world.get("/v1/ledgers?tenant=south", "north").status == 404);
  CHECK(world.get("/v1/ledgers?limit=0").text("field") == "limit");
  CHECK(world.get("/v1/ledgers?cursor=x").text("field") == "cursor");
}

TEST_CASE("A cursor of another tenant leads to nobody else's ledgers", "[directory]") {
  TestWorld world;
  make_accounts(world, "east", 2);
  make_accounts(world, "north", 2);
  make_accounts(world, "south", 2);
  const auto cursor_of = [&](std::string_view who) {
    return world.get("/v1/ledgers?limit=1", who).json.at("cursor").get<std::string>();
  };
  for (const char* whose : {"east", "south"}) {
    INFO(whose);
    const Reply page = world.get("/v1/ledgers?cursor=" + cursor_of(whose), "north");
    for (const auto& ledger : page.json.at("ledgers")) CHECK(ledger.at("tenant_id") == "north");
  }
}

TEST_CASE("A new ledger takes the policies that concern it along", "[directory]") {
  TestWorld world;
  REQUIRE(put(world, "cfg_p", "platform", 9, "").status == 201);
  REQUIRE(put(world, "cfg_n", "tenant", 8).status == 201);
  REQUIRE(put(world, "cfg_n", "tenant", 7).status == 201);
  REQUIRE(put(world, "cfg_s", "tenant", 6, "south").status == 201);
  make_accounts(world, "north", 1);
  make_accounts(world, "south", 1);
  make_accounts(world, "west", 1);
  CHECK(versions_in(world, "acct_north100", "") == Json{"cfg_p:1", "cfg_n:2"});
  CHECK(versions_in(world, "acct_south100", "") == Json{"cfg_p:1", "cfg_s:1"});
  CHECK(versions_in(world, "acct_west100", "") == Json{"cfg_p:1"});
  // A config's own ledger has its own versions only.
  run_alarms(world);
  CHECK(versions_in(world, "cfg_s", "") == Json{"cfg_s:1"});
}

TEST_CASE("A policy reaches all ledgers that it concerns, and no other", "[directory]") {
  TestWorld world;
  make_accounts(world, "east", 3);
  make_accounts(world, "north", 90);
  make_accounts(world, "south", 3);
  REQUIRE(put(world, "cfg_n", "tenant", 8).status == 201);
  run_alarms(world);
  for (int i = 0; i < 90; ++i)
    CHECK(versions_in(world, "acct_north" + std::to_string(100 + i), "") == Json{"cfg_n:1"});
  CHECK(versions_in(world, "acct_east100", "").empty());
  CHECK(versions_in(world, "acct_south100", "").empty());
  REQUIRE(put(world, "cfg_p", "platform", 9, "").status == 201);
  run_alarms(world);
  CHECK(versions_in(world, "acct_east101", "") == Json{"cfg_p:1"});
  CHECK(versions_in(world, "acct_north120", "") == Json{"cfg_n:1", "cfg_p:1"});
  CHECK(versions_in(world, "acct_south102", "") == Json{"cfg_p:1"});
  CHECK(rows_in_shards(world, "pushes") == 0);
  CHECK(rows_in_shards(world, "retries") == 0);
  // What the ledgers wrote is on its way to D1 without waiting for their alarms.
  world.deliver_all();
  CHECK(world.d1_count("SELECT count(*) FROM ledger_facts WHERE id = 'cfg_p:1'") == 97);
}

TEST_CASE("One run of the alarm calls a bounded number of ledgers", "[directory]") {
  TestWorld world;
  // All in one shard.
  int made = 0;
  for (int i = 0; made < 70; ++i) {
    if (z0::directory_object_name(account(i)) != "directory_3") continue;
    REQUIRE(world.post(deposit("d1", account(i))).status == 201);
    ++made;
  }
  REQUIRE(put(world, "cfg_n", "tenant", 8).status == 201);
  std::vector<int> appends;
  world.faults.call = [&](std::string_view object, z0_outcome&, std::string&) {
    if (object.starts_with("account_")) ++appends.back();
    return false;
  };
  for (int i = 0; i < 6; ++i) {
    appends.push_back(0);
    world.run_alarms();
  }
  CHECK(appends == std::vector<int>{32, 32, 6, 0, 0, 0});
}

TEST_CASE("A push goes on where it was when everything stops", "[directory]") {
  for (int stop = 1; stop <= 12; ++stop) {
    INFO(stop);
    TestWorld world(static_cast<std::uint64_t>(stop));
    make_accounts(world, "north", 40);
    REQUIRE(put(world, "cfg_n", "tenant", 8).status == 201);
    // The nth commit of a directory fails, then the process dies; every reply to it is lost once.
    int commits = 0;
    world.faults.commit = [&](std::string_view object) {
      return object.starts_with("directory_") && ++commits == stop;
    };
    std::set<std::string> lost;
    world.faults.lose_reply = [&](std::string_view object) {
      return object.starts_with("account_") && lost.insert(std::string(object)).second;
    };
    world.run_alarms();
    world.crash();
    for (int i = 0; i < 12; ++i) {
      run_alarms(world);
      world.now_ms += 30'000;
    }
    for (int i = 0; i < 40; ++i)
      CHECK(versions_in(world, "acct_north" + std::to_string(100 + i), "") == Json{"cfg_n:1"});
    CHECK(rows_in_shards(world, "pushes") == 0);
    CHECK(rows_in_shards(world, "retries") == 0);
  }
}

TEST_CASE("A ledger that fails holds up nobody and is tried again", "[directory]") {
  TestWorld world;
  make_accounts(world, "north", 20);
  bool down = true;
  world.faults.call = [&](std::string_view object, z0_outcome& outcome, std::string& message) {
    outcome = Z0_OVERLOADED;
    message = "too much";
    return down && object == "account_acct_north105";
  };
  REQUIRE(put(world, "cfg_n", "tenant", 8).status == 201);
  run_alarms(world);
  CHECK(versions_in(world, "acct_north104", "") == Json{"cfg_n:1"});
  CHECK(versions_in(world, "acct_north106", "") == Json{"cfg_n:1"});
  CHECK(rows_in_shards(world, "retries") == 1);
  const std::string shard = z0::directory_object_name("acct_north105");
  CHECK(world.alarm_of(shard) == world.now_ms + 30'000);
  // By then there is a newer version: only that one is handed out.
  REQUIRE(put(world, "cfg_n", "tenant", 7).status == 201);
  run_alarms(world);
  down = false;
  world.now_ms += 30'000;
  run_alarms(world);
  CHECK(versions_in(world, "acct_north105", "") == Json{"cfg_n:2"});
  CHECK(versions_in(world, "acct_north104", "") == Json{"cfg_n:1", "cfg_n:2"});
  CHECK(rows_in_shards(world, "retries") == 0);
  CHECK(world.alarm_of(shard) == 0);
}

TEST_CASE("A newer version that comes during a push begins anew", "[directory]") {
  TestWorld world;
  make_accounts(world, "north", 60);
  REQUIRE(put(world, "cfg_n", "tenant", 8).status == 201);
  bool inside = false;
  int appends = 0;
  world.faults.call = [&](std::string_view object, z0_outcome&, std::string&) {
    if (!object.starts_with("account_") || inside || ++appends != 20) return false;
    inside = true;
    CHECK(put(world, "cfg_n", "tenant", 7).status == 201);
    inside = false;
    return false;
  };
  run_alarms(world);
  for (int i = 0; i < 60; ++i) {
    const Json versions = versions_in(world, "acct_north" + std::to_string(100 + i), "");
    REQUIRE_FALSE(versions.empty());
    CHECK(versions.back() == "cfg_n:2");
  }
  CHECK(rows_in_shards(world, "pushes") == 0);
}

TEST_CASE("An older version that is published late changes nothing", "[directory]") {
  TestWorld world;
  make_accounts(world, "north", 3);
  REQUIRE(put(world, "cfg_n", "tenant", 8).status == 201);
  // The second version is recorded, and all directories but one hear of it.
  REQUIRE(put(world, "cfg_n", "tenant", 7).status == 201);
  run_alarms(world);
  const auto versions = z0::test::rows_of(world.storage_of("directory_0"),
                                          "SELECT config_id, version, tenant_id FROM policies");
  CHECK(versions == Json{{"cfg_n", 2, "north"}});
  CHECK(versions_in(world, "acct_north100", "") == Json{"cfg_n:2"});
}

TEST_CASE("The same version sent again is handed out again", "[directory]") {
  TestWorld world;
  make_accounts(world, "north", 1);
  const std::string shard = z0::directory_object_name("acct_north100");
  REQUIRE(put(world, "cfg_n", "tenant", 8).status == 201);
  run_alarms(world);
  // What was handed out is damaged: nobody can be told of it any more, but by sending it again.
  world.storage_of(shard).script("UPDATE policies SET submission = x'ff'");
  REQUIRE(put(world, "cfg_n", "tenant", 8).status == 200);
  make_accounts(world, "south", 1);
  run_alarms(world);
  CHECK(z0::test::rows_of(world.storage_of(shard), "SELECT hex(submission) FROM policies") !=
        Json::parse(R"([["FF"]])"));
  CHECK(world.alarm_of(shard) == 0);
}

TEST_CASE("Ledgers that keep failing do not keep others from being tried again", "[directory]") {
  TestWorld world;
  std::vector<std::string> names;
  for (int i = 0; names.size() < 40; ++i) {
    if (z0::directory_object_name(account(i)) != "directory_3") continue;
    names.push_back(account(i));
    REQUIRE(world.post(deposit("d1", names.back())).status == 201);
  }
  // All fail once, the last eight then no more.
  std::size_t down_first = names.size();
  world.faults.call = [&](std::string_view object, z0_outcome& outcome, std::string&) {
    outcome = Z0_OVERLOADED;
    for (std::size_t i = 0; i < down_first; ++i) {
      if (object == TestWorld::object_of(names[i])) return true;
    }
    return false;
  };
  REQUIRE(put(world, "cfg_n", "tenant", 8).status == 201);
  run_alarms(world);
  REQUIRE(rows_in_shards(world, "retries") == 40);
  down_first = 32;
  for (int i = 0; i < 3; ++i) {
    world.now_ms += 30'000;
    run_alarms(world);
  }
  CHECK(rows_in_shards(world, "retries") == 32);
  world.faults.call = nullptr;
  for (std::size_t i = 32; i < names.size(); ++i)
    CHECK(versions_in(world, names[i], "") == Json{"cfg_n:1"});
}
