// Config versions as facts, with what each of them borrows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "z0/folds/config.hpp"

namespace z0::test {

struct OwnedConfig {
  std::string config_id = "cfg_a";
  std::int64_t version = 1;
  std::int64_t seq = 1;
  std::string data = {};
  std::string entity_id = "acct_a";
  std::int64_t recorded_at = 1'774'958'400'000;

  Fact fact() const {
    Fact f;
    f.type = FactType::lifecycle;
    f.fields = field_subtype | field_config | field_data;
    f.subtype = "config_updated";
    f.entity_id = entity_id;
    f.config_id = config_id;
    f.config_version = version;
    f.data = data;
    f.seq = seq;
    f.recorded_at = recorded_at;
    return f;
  }
};

// data of a budget; `more` are further members of its settings, with a comma in front.
inline std::string budget_data(std::int64_t limit, std::string_view scope = "entity",
                               std::string_view more = {}) {
  std::string json = R"({"type":"budget","category":"policy","scope":")" + std::string(scope) + '"';
  if (scope == "entity") json += R"(,"applies_to":"acct_a")";
  json += R"(,"settings":{"limit":)" + std::to_string(limit);
  json += more;
  return json + "}}";
}

inline constexpr std::string_view enforced = R"(,"enforce":true)";

// A fact that names a version, as a caller does or a ledger that stamps.
inline Fact naming(std::string_view config_id, std::int64_t version, std::int64_t seq) {
  Fact f;
  f.type = FactType::charge;
  f.fields = field_config;
  f.config_id = config_id;
  f.config_version = version;
  f.seq = seq;
  return f;
}

}  // namespace z0::test
