// Facts for the tests of cached states, with what each of them borrows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "z0/folds/cached_state.hpp"

namespace z0::test {

inline constexpr CacheType all_caches[] = {CacheType::budget, CacheType::cap, CacheType::access,
                                           CacheType::contact};
// Tuesday 2026-03-31, 12:00 UTC.
inline constexpr std::int64_t noon_ms = 1'774'958'400'000;

struct OwnedFact {
  FactType type = FactType::outcome;
  std::int64_t seq = 1;
  std::int64_t recorded_at = noon_ms;
  bool has_amount = false;
  std::int64_t amount = 0;
  std::string currency = "USD";
  std::string user_id = {};
  std::string data = {};
  std::string id = {};

  Fact fact() const {
    Fact f;
    f.type = type;
    f.id = id;
    f.seq = seq;
    f.recorded_at = recorded_at;
    if (has_amount) {
      f.fields |= field_amount;
      f.amount = amount;
      f.currency = currency;
    }
    f.user_id = user_id;
    f.data = data;
    return f;
  }
};

inline OwnedFact fact_at(std::int64_t seq, FactType type) {
  OwnedFact f;
  f.type = type;
  f.seq = seq;
  f.id = "f_" + std::to_string(seq);
  return f;
}

inline OwnedFact money(std::int64_t seq, FactType type, std::int64_t amount,
                       std::string_view currency = "USD") {
  OwnedFact f = fact_at(seq, type);
  f.has_amount = true;
  f.amount = amount;
  f.currency = currency;
  return f;
}

inline OwnedFact access(std::int64_t seq, FactType type, std::string_view user_id,
                        std::string_view data = {}) {
  OwnedFact f = fact_at(seq, type);
  f.user_id = user_id;
  f.data = data;
  return f;
}

inline std::string shown(const CachedState& state, CacheType type, std::int64_t at_ms = noon_ms) {
  std::string out;
  JsonWriter json(out);
  json.object();
  state.write_members(json, type, at_ms);
  json.end();
  return out;
}

inline std::string delta(const CachedState& calculated, const CachedState& cached, CacheType type,
                         std::int64_t at_ms = noon_ms) {
  std::string out;
  JsonWriter json(out);
  calculated.write_delta(json, type, cached, at_ms);
  return out;
}

inline bool equal(const CachedState& a, const CachedState& b) {
  for (const CacheType type : all_caches) {
    if (!a.same(type, b) || a.encode(type) != b.encode(type)) return false;
  }
  return true;
}

}  // namespace z0::test
