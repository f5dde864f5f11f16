// Configs as tests send them and find them again.
#pragma once

#include <string>
#include <string_view>

#include "unit/test_world.hpp"

namespace z0::test::configs {

inline Reply put(TestWorld& world, std::string_view id, const std::string& body,
                 std::string_view who = "north") {
  return world.ask("PUT", "/v1/configs/" + std::string(id), who, body, {});
}

inline std::string budget(std::int64_t limit, std::string_view more = {},
                          std::string_view settings = {}) {
  std::string json =
      R"({"type":"budget","scope":"entity","applies_to":"acct_a","settings":{"limit":)" +
      std::to_string(limit);
  json += settings;
  json += '}';
  json += more;
  return json + '}';
}

inline std::string wide_budget(std::string_view scope, std::int64_t limit,
                               std::string_view more = {}) {
  return R"({"type":"budget","scope":")" + std::string(scope) + R"(","settings":{"limit":)" +
         std::to_string(limit) + std::string(more) + "}}";
}

// Facts of a ledger as id, type and config version.
inline Json versions_in(TestWorld& world, std::string_view entity_id,
                        std::string_view who = "north") {
  const Reply read =
      world.get("/v1/facts/" + std::string(entity_id) + "?types=lifecycle&limit=1000", who);
  Json ids = Json::array();
  if (read.status != 200) return ids;
  for (const auto& fact : read.json.at("facts")) ids.push_back(fact.at("id"));
  return ids;
}

inline void replicate(TestWorld& world) {
  world.deliver_all();
  world.now_ms += 60'000;
  world.run_alarms();
  world.deliver_all();
}

}  // namespace z0::test::configs
