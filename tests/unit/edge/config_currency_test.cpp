// A budget's currency over HTTP.
#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::Reply;
using z0::test::TestWorld;

Reply put(TestWorld& world, const std::string& settings) {
  return world.ask(
      "PUT", "/v1/configs/cfg_a", "north",
      R"({"type":"budget","scope":"entity","applies_to":"acct_a","settings":)" + settings + '}',
      {});
}

}  // namespace

TEST_CASE("A budget's currency stays what its first version said", "[edge_config]") {
  TestWorld world;
  REQUIRE(put(world, R"({"limit":1000,"enforce":true})").status == 201);
  for (const char* currency : {"EUR", "ZZZ"}) {
    const std::string settings =
        R"({"limit":2000,"enforce":true,"currency":")" + std::string(currency) + "\"}";
    const Reply changed = put(world, settings);
    INFO(currency);
    CHECK(changed.status == 422);
    CHECK(changed.text("status") == "invalid_value");
    CHECK(changed.json.at("field") == "settings.currency");
  }
  // USD said or not is the same currency.
  const Reply raised = put(world, R"({"limit":2000,"enforce":true,"currency":"USD"})");
  CHECK(raised.status == 201);
  CHECK(raised.json.at("version") == 2);
  const auto charge = [&world](const char* id, int amount) {
    return world.post(R"({"type":"charge","entity_id":"acct_a","source_id":"o","id":")" +
                      std::string(id) + R"(","amount":)" + std::to_string(amount) + '}');
  };
  CHECK(charge("c1", 2'001).status == 402);
  CHECK(charge("c2", 2'000).status == 201);
}
