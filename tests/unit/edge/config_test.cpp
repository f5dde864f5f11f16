// Configs over HTTP: new versions, races, who may change what and for whom.
#include "unit/catch.hpp"
#include "unit/edge/config_requests.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::deposit;
using z0::test::Json;
using z0::test::Reply;
using z0::test::TestWorld;
using z0::test::configs::budget;
using z0::test::configs::put;
using z0::test::configs::versions_in;
using z0::test::configs::wide_budget;

}  // namespace

TEST_CASE("A config's first version is recorded in its own ledger and in the entity's",
          "[edge_config]") {
  TestWorld world;
  const Reply made = put(world, "cfg_a", budget(500, R"(,"category":"policy")"));
  REQUIRE(made.status == 201);
  CHECK(made.json == Json{{"config_id", "cfg_a"},
                          {"version", 1},
                          {"tenant_id", "north"},
                          {"effective_at", world.now_ms},
                          {"type", "budget"},
                          {"category", "policy"},
                          {"scope", "entity"},
                          {"applies_to", "acct_a"},
                          {"settings", {{"limit", 500}}}});
  for (const char* entity : {"cfg_a", "acct_a"}) {
    INFO(entity);
    const Reply read = world.get("/v1/facts/" + std::string(entity));
    REQUIRE(read.status == 200);
    REQUIRE(read.json.at("facts").size() == 1);
    const Json& fact = read.json.at("facts").at(0);
    CHECK(fact.at("id") == "cfg_a:1");
    CHECK(fact.at("type") == "lifecycle");
    CHECK(fact.at("subtype") == "config_updated");
    CHECK(fact.at("config_id") == "cfg_a");
    CHECK(fact.at("config_version") == 1);
    CHECK(fact.at("data").dump() ==
          R"({"applies_to":"acct_a","category":"policy","scope":"entity","settings":{"limit":500},)"
          R"("type":"budget"})");
  }
}

TEST_CASE("The same content is no new version, however it is written", "[edge_config]") {
  TestWorld world;
  CHECK(put(world, "cfg_a", budget(500, {}, R"(,"period":"day","enforce":true)")).status == 201);
  world.now_ms += 1'000;
  const Reply again = put(world, "cfg_a",
                          R"({ "settings": {"enforce": true, "limit": 500, "period": "day"},
                               "applies_to": "acct_a", "scope": "entity", "type": "budget",
                               "category": "policy", "expected_version": 0 })");
  CHECK(again.status == 200);
  CHECK(again.json.at("version") == 1);
  CHECK(again.json.at("effective_at") == world.now_ms - 1'000);
  world.now_ms += 1'000;
  const Reply changed = put(world, "cfg_a", budget(501, {}, R"(,"period":"day","enforce":true)"));
  CHECK(changed.status == 201);
  CHECK(changed.json.at("version") == 2);
  CHECK(changed.json.at("effective_at") == world.now_ms);
  CHECK(versions_in(world, "acct_a") == Json{"cfg_a:1", "cfg_a:2"});
}

TEST_CASE("A change made for another version is refused", "[edge_config]") {
  TestWorld world;
  CHECK(put(world, "cfg_a", budget(1, R"(,"expected_version":1)")).text("status") ==
        "version_conflict");
  CHECK(put(world, "cfg_a", budget(1, R"(,"expected_version":0)")).status == 201);
  const Reply late = put(world, "cfg_a", budget(2, R"(,"expected_version":0)"));
  CHECK(late.status == 409);
  CHECK(late.text("status") == "version_conflict");
  CHECK(late.text("field") == "expected_version");
  CHECK(put(world, "cfg_a", budget(2, R"(,"expected_version":1)")).json.at("version") == 2);
  CHECK(versions_in(world, "cfg_a") == Json{"cfg_a:1", "cfg_a:2"});
}

TEST_CASE("Of two changes that race for a version one wins", "[edge_config]") {
  struct Row {
    std::int64_t other;  // the limit that the second change asks for in between
    int status;
    std::string_view name;
    int versions;
  };
  const Row rows[] = {{200, 409, "version_conflict", 1}, {100, 200, "", 1}};
  for (const auto& row : rows) {
    INFO(row.other);
    TestWorld world;
    // The second one goes through when the first has read the state and is about to append.
    int calls_of_config = 0;
    bool inside = false;
    Reply second;
    world.faults.call = [&](std::string_view object, z0_outcome&, std::string&) {
      if (object != "config_cfg_a" || inside || ++calls_of_config != 2) return false;
      inside = true;
      second = put(world, "cfg_a", budget(row.other));
      inside = false;
      return false;
    };
    const Reply first = put(world, "cfg_a", budget(100));
    CHECK(second.status == 201);
    CHECK(first.status == row.status);
    if (!row.name.empty()) CHECK(first.text("status") == row.name);
    CHECK(versions_in(world, "cfg_a").size() == static_cast<std::size_t>(row.versions));
    CHECK(versions_in(world, "acct_a").size() == static_cast<std::size_t>(row.versions));
  }
}

TEST_CASE("What is wrong with a config is told member by member", "[edge_config]") {
  struct Row {
    std::string body;
    int status;
    std::string_view name;
    std::string_view field;
  };
  const std::string tenant = R"({"type":"routing","scope":"tenant","settings":{})";
  const Row rows[] = {
      {"", 400, "not_json", "byte 0"},
      {"[]", 400, "not_an_object", "body"},
      {"{", 400, "not_json", "byte 1"},
      {tenant + "} x", 400, "not_json", "byte 50"},
      {R"({"type":"routing","scope":"tenant","settings":{"a":1,"a":2}})", 400, "duplicate_key",
       "byte 53"},
      {tenant + R"(,"colour":"red"})", 422, "unknown_member", "colour"},
      {tenant + R"(,"type":"budget"})", 400, "duplicate_key", "type"},
      {tenant + R"(,"settings":{}})", 400, "duplicate_key", "settings"},
      {tenant + R"(,"expected_version":"1"})", 422, "wrong_type", "expected_version"},
      {tenant + R"(,"expected_version":-1})", 422, "number_out_of_range", "expected_version"},
      {R"({"scope":"tenant","settings":{}})", 422, "missing_member", "type"},
      {R"({"type":"routing","settings":{}})", 422, "missing_member", "scope"},
      {R"({"type":"routing","scope":"tenant"})", 422, "missing_member", "settings"},
      {R"({"type":"weather","scope":"tenant","settings":{}})", 422, "invalid_value", "type"},
      {R"({"type":7,"scope":"tenant","settings":{}})", 422, "wrong_type", "type"},
      {R"({"type":"routing","scope":"galaxy","settings":{}})", 422, "invalid_value", "scope"},
      {R"({"type":"routing","scope":"tenant","settings":[]})", 422, "wrong_type", "settings"},
      {R"({"type":"routing","scope":"tenant","settings":{"a":1e999}})", 422, "number_out_of_range",
       "settings"},
      {tenant + R"(,"category":"whim"})", 422, "invalid_value", "category"},
      {tenant + R"(,"applies_to":"acct_a"})", 422, "invalid_value", "applies_to"},
      {R"({"type":"routing","scope":"entity","settings":{}})", 422, "missing_member", "applies_to"},
      {R"({"type":"routing","scope":"entity","applies_to":"tool_a","settings":{}})", 422,
       "unknown_ledger", "applies_to"},
      {R"({"type":"routing","scope":"entity","applies_to":"cfg_b","settings":{}})", 422,
       "unknown_ledger", "applies_to"},
      {budget(5, {}, R"(,"soft":1)"), 422, "unknown_member", "settings.soft"},
      {budget(-5), 422, "number_out_of_range", "settings.limit"},
      {R"({"type":"routing","scope":"tenant","settings":{"a":")" + std::string(65'536, 'x') +
           R"("}})",
       413, "data_too_large", "settings"},
      {wide_budget("platform", 5), 403, "forbidden", "scope"},
      {tenant + R"(,"tenant_id":"south"})", 403, "tenant_mismatch", "tenant_id"},
  };
  TestWorld world;
  for (const auto& row : rows) {
    INFO(row.body.substr(0, 100));
    const Reply reply = put(world, "cfg_a", row.body);
    CHECK(reply.status == row.status);
    CHECK(reply.text("status") == row.name);
    CHECK(reply.text("field") == row.field);
  }
  for (const std::string id : {"a", "cfg_", "acct_a", "cfg_ä"})
    CHECK(put(world, id, budget(5)).text("status") == "invalid_id");
  CHECK(put(world, "cfg_" + std::string(107, 'x'), budget(5)).status == 201);
  CHECK(put(world, "cfg_" + std::string(108, 'x'), budget(5)).text("status") == "invalid_id");
  CHECK(world.get("/v1/configs/cfg_a").status == 404);
}

TEST_CASE("An operator names the tenant, and the platform's configs are its own", "[edge_config]") {
  TestWorld world;
  CHECK(put(world, "cfg_t", wide_budget("tenant", 5), "").text("field") == "tenant_id");
  const Reply named =
      put(world, "cfg_t",
          R"({"type":"budget","scope":"tenant","tenant_id":"north","settings":{"limit":5}})", "");
  CHECK(named.status == 201);
  CHECK(named.json.at("tenant_id") == "north");
  const Reply platform = put(world, "cfg_p", wide_budget("platform", 5), "");
  CHECK(platform.status == 201);
  CHECK(platform.json.at("tenant_id") == "platform");
  // Another tenant's config is as good as none, and its id is taken.
  CHECK(world.get("/v1/configs/cfg_t", "south").status == 404);
  CHECK(put(world, "cfg_t", wide_budget("tenant", 4), "south").text("status") == "forbidden");
}

TEST_CASE("A token without the scope changes nothing", "[edge_config]") {
  TestWorld world;
  const auto reply = z0::test::read_reply(world.request(
      "PUT", "/v1/configs/cfg_a",
      world.authorization("north", z0::scope_ops | z0::scope_facts_write), budget(5)));
  CHECK(reply.status == 403);
  CHECK(reply.text("status") == "scope_missing");
  CHECK(reply.text("field") == "config:write");
}

TEST_CASE("Whom a config concerns is said once", "[edge_config]") {
  TestWorld world;
  REQUIRE(put(world, "cfg_a", budget(5)).status == 201);
  const auto field_of = [&](const std::string& body) {
    const Reply reply = put(world, "cfg_a", body);
    CHECK(reply.text("status") == "invalid_value");
    return reply.text("field");
  };
  CHECK(field_of(R"({"type":"routing","scope":"entity","applies_to":"acct_a","settings":{}})") ==
        "type");
  CHECK(field_of(wide_budget("tenant", 5)) == "scope");
  CHECK(field_of(
            R"({"type":"budget","scope":"entity","applies_to":"acct_b","settings":{"limit":5}})") ==
        "applies_to");
}

TEST_CASE("A narrower scope tightens a limit and never relaxes it", "[edge_config]") {
  TestWorld world;
  REQUIRE(put(world, "cfg_p", wide_budget("platform", 1'000, R"(,"enforce":true)"), "").status ==
          201);
  REQUIRE(put(world, "cfg_t", wide_budget("tenant", 600, R"(,"enforce":true)")).status == 201);
  struct Row {
    std::string_view id;
    std::string body;
    std::string_view wider;  // empty: it may
  };
  const Row rows[] = {
      {"cfg_1", budget(600), ""},
      {"cfg_2", budget(601), "cfg_t"},
      {"cfg_3", budget(601, {}, R"(,"currency":"EUR")"), ""},
      {"cfg_4", budget(601, {}, R"(,"period":"day")"), ""},
      {"cfg_t", wide_budget("tenant", 1'001), "cfg_p"},
      {"cfg_t", wide_budget("tenant", 1'000, R"(,"enforce":true)"), ""},
      {"cfg_5", budget(601), ""},
      {"cfg_p", wide_budget("platform", 10, R"(,"enforce":true)"), ""},
      {"cfg_6", budget(11), "cfg_p"},
      {"cfg_p", wide_budget("platform", 10), ""},
      {"cfg_7", budget(11), ""},
  };
  for (const auto& row : rows) {
    INFO(row.id << " " << row.body);
    const Reply reply = put(world, row.id, row.body, row.id == "cfg_p" ? "" : "north");
    CHECK(reply.status == (row.wider.empty() ? 201 : 422));
    if (row.wider.empty()) continue;
    CHECK(reply.text("status") == "relaxes_limit");
    CHECK(reply.text("field") == row.wider);
  }
  // Another tenant's limit concerns nobody else.
  CHECK(put(world, "cfg_s", R"({"type":"budget","scope":"tenant","settings":{"limit":5000}})",
            "south")
            .status == 201);
}

TEST_CASE("A tenant has so many configs of wide scope and no more", "[edge_config]") {
  TestWorld world;
  for (std::size_t i = 0; i < z0::limits::policies_per_tenant_max; ++i)
    REQUIRE(put(world, "cfg_" + std::to_string(i), wide_budget("tenant", 5)).status == 201);
  CHECK(put(world, "cfg_more", wide_budget("tenant", 5)).text("status") == "ledger_full");
  CHECK(put(world, "cfg_0", wide_budget("tenant", 6)).status == 201);
  CHECK(put(world, "cfg_more", budget(5)).status == 201);
  CHECK(put(world, "cfg_more2", wide_budget("tenant", 5), "south").status == 201);
}

TEST_CASE("A distribution that failed is completed by sending the config again", "[edge_config]") {
  for (const bool wide : {false, true}) {
    INFO(wide);
    TestWorld world;
    REQUIRE(world.post(deposit("d1")).status == 201);
    const std::string body = wide ? wide_budget("tenant", 5) : budget(5);
    const std::string_view broken = wide ? "directory_7" : "account_acct_a";
    world.faults.call = [&](std::string_view object, z0_outcome& outcome, std::string& message) {
      outcome = Z0_OVERLOADED;
      message = "too much";
      return object == broken;
    };
    const Reply failed = put(world, "cfg_a", body);
    CHECK(failed.status == 503);
    CHECK(failed.text("status") == "not_distributed");
    CHECK(failed.json.at("version") == 1);
    CHECK(failed.header("retry-after") == "1");
    CHECK(versions_in(world, "cfg_a") == Json{"cfg_a:1"});
    world.faults.call = nullptr;
    const Reply again = put(world, "cfg_a", body);
    CHECK(again.status == 200);
    CHECK(again.json.at("version") == 1);
    for (int i = 0; i < 4; ++i) world.run_alarms();
    CHECK(versions_in(world, "cfg_a") == Json{"cfg_a:1"});
    CHECK(versions_in(world, "acct_a") == Json{"cfg_a:1"});
    // A copy has the times of the version.
    const Json copy = world.get("/v1/facts/acct_a?types=lifecycle").json.at("facts").at(0);
    CHECK(copy.at("timestamp") == again.json.at("effective_at"));
  }
}

TEST_CASE("Nothing is recorded when the config's ledger cannot be asked", "[edge_config]") {
  for (const std::string_view broken : {"config_cfg_a", "directory_"}) {
    INFO(broken);
    TestWorld world;
    bool down = true;
    world.faults.call = [&](std::string_view object, z0_outcome& outcome, std::string&) {
      outcome = Z0_TIMEOUT;
      return down && object.starts_with(broken);
    };
    CHECK(put(world, "cfg_a", budget(5)).text("status") == "timeout");
    CHECK(world.get("/v1/configs/cfg_a").status == (broken == "config_cfg_a" ? 504 : 404));
    down = false;
    CHECK(world.get("/v1/configs/cfg_a").status == 404);
    CHECK(put(world, "cfg_a", budget(5)).status == 201);
  }
}
