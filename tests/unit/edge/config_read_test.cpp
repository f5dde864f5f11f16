// Configs as they are read: versions, history, gaps, and the budgets that bind charges.
#include <string>
#include <vector>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/edge/config_requests.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::carried;
using z0::test::deposit;
using z0::test::Json;
using z0::test::Reply;
using z0::test::TestWorld;
using z0::test::configs::budget;
using z0::test::configs::put;
using z0::test::configs::replicate;
using z0::test::configs::versions_in;
using z0::test::configs::wide_budget;

}  // namespace

TEST_CASE("A version is read by number, by time, or as the current one", "[edge_config]") {
  TestWorld world;
  const std::int64_t begin = world.now_ms;
  for (int i = 1; i <= 5; ++i) {
    world.now_ms = begin + i * 1'000;
    REQUIRE(put(world, "cfg_a", budget(i)).status == 201);
  }
  const auto version_at = [&](const std::string& query) {
    const Reply reply = world.get("/v1/configs/cfg_a" + query);
    return reply.status == 200 ? reply.json.at("version").get<int>() : -reply.status;
  };
  CHECK(version_at("") == 5);
  CHECK(version_at("?version=1") == 1);
  CHECK(version_at("?version=4") == 4);
  CHECK(version_at("?version=6") == -404);
  CHECK(version_at("?version=0") == -400);
  CHECK(version_at("?version=1&as_of=1774915200000") == -400);
  CHECK(version_at("?as_of=x") == -400);
  const auto as_of = [&](std::int64_t ms) {
    return version_at("?as_of=" + std::to_string(begin + ms));
  };
  CHECK(as_of(999) == -404);
  CHECK(as_of(1'000) == 1);
  CHECK(as_of(1'999) == 1);
  CHECK(as_of(2'000) == 2);
  CHECK(as_of(99'000) == 5);
  const Reply second = world.get("/v1/configs/cfg_a?version=2");
  CHECK(second.json == Json{{"config_id", "cfg_a"},
                            {"version", 2},
                            {"effective_at", begin + 2'000},
                            {"superseded_at", begin + 3'000},
                            {"type", "budget"},
                            {"category", "policy"},
                            {"scope", "entity"},
                            {"applies_to", "acct_a"},
                            {"settings", {{"limit", 2}}}});
}

TEST_CASE("The history is contiguous and has one current version, also over many pages",
          "[edge_config]") {
  TestWorld world;
  const int count = 230;
  for (int i = 1; i <= count; ++i) {
    world.now_ms += 1'000;
    REQUIRE(put(world, "cfg_a", budget(i)).status == 201);
  }
  const Reply history = world.get("/v1/configs/cfg_a/versions");
  REQUIRE(history.status == 200);
  CHECK(history.json.at("gaps") == Json::array());
  CHECK(history.json.at("next_version") == nullptr);
  const Json& versions = history.json.at("versions");
  REQUIRE(versions.size() == count);
  for (std::size_t i = 0; i < count; ++i) {
    CHECK(versions[i].at("version") == i + 1);
    CHECK(versions[i].at("settings").at("limit") == i + 1);
    CHECK(versions[i].at("superseded_at") ==
          (i + 1 < count ? versions[i + 1].at("effective_at") : Json(nullptr)));
  }
  const Reply rest = world.get("/v1/configs/cfg_a/versions?from_version=229");
  REQUIRE(rest.json.at("versions").size() == 2);
  CHECK(rest.json.at("versions").at(0) == versions[228]);
  CHECK(world.get("/v1/configs/cfg_a").json.at("version") == count);
  CHECK(world.get("/v1/configs/cfg_b/versions").status == 404);
}

TEST_CASE("D1 has the versions as a table", "[edge_config]") {
  TestWorld world;
  const std::int64_t begin = world.now_ms;
  put(world, "cfg_a", budget(1));
  world.now_ms += 1'000;
  put(world, "cfg_a", budget(2, {}, R"(,"period":"day")"));
  put(world, "cfg_t",
      R"({"type":"routing","category":"logic","scope":"tenant","settings":{"a":[1]}})");
  replicate(world);
  CHECK(world.d1_rows("SELECT id, version, type, category, applies_to, scope, tenant_id, settings, "
                      "effective_at, superseded_at FROM configs ORDER BY id, version") ==
        Json{{"cfg_a", 1, "budget", "policy", "acct_a", "entity", "north", R"({"limit":1})", begin,
              begin + 1'000},
             {"cfg_a", 2, "budget", "policy", "acct_a", "entity", "north",
              R"({"limit":2,"period":"day"})", begin + 1'000, nullptr},
             {"cfg_t", 1, "routing", "logic", nullptr, "tenant", "north", R"({"a":[1]})",
              begin + 1'000, nullptr}});
}

TEST_CASE("Gaps of versions, and facts that name unknown ones, are found in D1", "[edge_config]") {
  TestWorld world;
  for (int i = 1; i <= 4; ++i) put(world, "cfg_a", budget(i));
  put(world, "cfg_s", wide_budget("tenant", 1), "south");
  const auto note = [](std::string_view id, std::string_view entity, int version) {
    return R"({"type":"note","id":")" + std::string(id) + R"(","entity_id":")" +
           std::string(entity) + R"(","config_id":"cfg_a","config_version":)" +
           std::to_string(version) + '}';
  };
  REQUIRE(world.post(note("n1", "acct_a", 3)).status == 201);
  replicate(world);
  const Json none = {{"missing", Json::array()}, {"unknown", Json::array()}};
  CHECK(world.get("/v1/configs/gaps").json == none);

  REQUIRE(world.post(note("n2", "acct_a", 9)).status == 201);
  REQUIRE(world.post(note("n3", "acct_a", 9)).status == 201);
  REQUIRE(world.post(note("n4", "acct_b", 3)).status == 201);
  replicate(world);
  world.d1_rows("DELETE FROM ledger_facts WHERE entity_id = 'cfg_a' AND config_version IN (2, 3)");
  const Json found = {
      {"missing",
       {{{"tenant_id", "north"}, {"config_id", "cfg_a"}, {"version", 4}, {"previous_version", 1}}}},
      {"unknown",
       {{{"tenant_id", "north"},
         {"config_id", "cfg_a"},
         {"config_version", 3},
         {"entity_id", "acct_b"},
         {"facts", 1},
         {"first_seq", 1}},
        {{"tenant_id", "north"},
         {"config_id", "cfg_a"},
         {"config_version", 9},
         {"entity_id", "acct_a"},
         {"facts", 2},
         {"first_seq", 6}}}}};
  CHECK(world.get("/v1/configs/gaps").json == found);
  CHECK(world.get("/v1/configs/gaps", "").json == found);
  CHECK(world.get("/v1/configs/gaps?tenant=north", "").json == found);
  CHECK(world.get("/v1/configs/gaps", "south").json == none);
  CHECK(world.get("/v1/configs/gaps?tenant=north", "south").status == 404);
  world.d1_rows("DELETE FROM ledger_facts WHERE entity_id = 'cfg_a' AND config_version = 1");
  CHECK(world.get("/v1/configs/gaps").json.at("missing").at(0).at("previous_version") == 0);
}

TEST_CASE("Nobody posts facts to a config's ledger, or takes the id of a version",
          "[edge_config]") {
  TestWorld world;
  CHECK(world.post(deposit("d1", "cfg_a")).text("status") == "unknown_ledger");
  CHECK(world.post(deposit("cfg_a:1", "acct_a")).text("status") == "reserved_type");
  CHECK(world.post(R"({"type":"lifecycle","subtype":"config_updated","entity_id":"acct_a"})")
            .text("status") == "reserved_type");
}

TEST_CASE("A tenant's enforced budget refuses what exceeds it, from the first fact on",
          "[edge_config]") {
  TestWorld world;
  REQUIRE(put(world, "cfg_t", wide_budget("tenant", 100, R"(,"enforce":true)")).status == 201);
  const auto charge = [](std::string_view id, int amount) {
    return R"({"type":"charge","id":")" + std::string(id) +
           R"(","entity_id":"acct_new","source_id":"out_1","amount":)" + std::to_string(amount) +
           '}';
  };
  CHECK(world.post(charge("c1", 101)).status == 402);
  CHECK(world.get("/v1/entities/acct_new").status == 404);
  CHECK(world.post(charge("c1", 60)).status == 201);
  CHECK(world.post(charge("c2", 40)).status == 201);
  const Reply over = world.post(charge("c3", 1));
  CHECK(over.status == 402);
  CHECK(over.text("status") == "budget_exhausted");
  // A raised limit lets the same fact in.
  REQUIRE(put(world, "cfg_t", wide_budget("tenant", 101, R"(,"enforce":true)")).status == 201);
  world.run_alarms();
  CHECK(world.post(charge("c3", 1)).status == 201);
  CHECK(versions_in(world, "acct_new") == Json{"cfg_t:1", "cfg_t:2"});
}

TEST_CASE("A charge says under which version of a budget it was made", "[edge_config]") {
  TestWorld world;
  const auto charge = [&](std::string_view id) {
    const Reply reply = world.post(R"({"type":"charge","id":")" + std::string(id) +
                                   R"(","entity_id":"acct_a","source_id":"out_1","amount":1})");
    REQUIRE(reply.status == 201);
    const Json facts = world.get("/v1/facts/acct_a?types=charge").json.at("facts");
    const Json& last = facts.at(facts.size() - 1);
    return last.value("config_id", "") + ':' + std::to_string(last.value("config_version", 0));
  };
  CHECK(charge("c1") == ":0");
  REQUIRE(put(world, "cfg_t", wide_budget("tenant", 100)).status == 201);
  world.run_alarms();
  CHECK(charge("c2") == "cfg_t:1");
  REQUIRE(put(world, "cfg_a", budget(50)).status == 201);
  CHECK(charge("c3") == "cfg_a:1");
  REQUIRE(put(world, "cfg_a", budget(40)).status == 201);
  CHECK(charge("c4") == "cfg_a:2");
}

TEST_CASE("Reads of a config are counted by its type, once each, with what they took",
          "[edge_config]") {
  TestWorld world;
  REQUIRE(put(world, "cfg_a", budget(1)).status == 201);
  std::vector<std::string> points;
  world.seen = [&](std::string_view, std::string_view bytes) {
    for (const auto& point : carried<z0::DataPoint>(bytes)) {
      REQUIRE(point.blobs.size() == 2);
      points.push_back(std::string(point.index) + ' ' + std::string(point.blobs[0]) + ' ' +
                       std::string(point.blobs[1]));
      CHECK(point.how_much == 1);
      CHECK(point.trace_id.size() == 32);
    }
    world.now_ms += 1;
  };
  CHECK(world.get("/v1/configs/cfg_a").status == 200);
  CHECK(world.get("/v1/configs/cfg_a/versions").status == 200);
  const std::string read = "north z0_config_reads_total budget";
  const std::string took = "north z0_config_read_duration_ms budget";
  CHECK(points == std::vector<std::string>{read, took, read, took});
  CHECK(world.get("/v1/configs/cfg_b").status == 404);
  CHECK(points.size() == 4);
}
