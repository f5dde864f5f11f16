// Everything that a ledger folds from its facts and keeps beside them, each part on its own: a part
// that was damaged is dropped and computed again, while the others go on.
//
//   0..3  the caches of cached_state.hpp
//   4     ConfigState of config.hpp
//
// Lifecycle is folded too, but stands with the counts: an append cannot do without it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "z0/facts/fact.hpp"
#include "z0/folds/cached_state.hpp"
#include "z0/folds/config.hpp"

namespace z0 {

enum class Lifecycle : std::uint8_t { active = 0, retiring = 1, retired = 2, count_ = 3 };
std::string_view lifecycle_name(Lifecycle lifecycle);
// Whether a lifecycle fact of this subtype may follow, and where it leads.
bool next_lifecycle(Lifecycle from, std::string_view subtype, Lifecycle& to);

class Folds {
 public:
  static constexpr std::size_t parts = cache_types + 1;
  static constexpr std::size_t config_part = cache_types;
  // "BudgetState" ... "ConfigState".
  static std::string_view name(std::size_t part);
  static bool part_of(std::string_view name, std::size_t& part);
  static bool feeds(const Fact& fact, std::size_t part);
  // Whether any part needs to see a fact of this type and fields; most facts feed nothing.
  static bool feeds_any(FactType type, std::uint32_t fields);

  const CachedState& cached() const { return cached_; }
  const ConfigState& configs() const { return configs_; }
  bool valid(std::size_t part) const { return valid_[part]; }
  bool all_valid() const;
  void drop(std::size_t part);

  // Would every valid part take the fact?
  FoldError check(const Fact& fact) const;
  // Folds the next fact into every valid part; a part that cannot take it is dropped.
  void apply(const Fact& fact);

  // A part's canonical bytes; empty when it is not valid.
  std::string encode(std::size_t part) const;
  void decode(std::size_t part, std::string_view bytes);
  std::int64_t last_seq(std::size_t part) const;
  void write_json(JsonWriter& json, std::size_t part, std::int64_t at_ms) const;

  // All parts as of a seq: what a segment's row carries in `cache`.
  std::string encode_all(std::int64_t seq) const;
  // Parts that cannot be read, or are of another seq, are not valid afterwards.
  void decode_all(std::string_view bytes, std::int64_t seq);
  // One part of such bytes, as it stands there; empty when there is none.
  static std::string_view part_in(std::string_view bytes, std::size_t part, std::int64_t& seq);

 private:
  CachedState cached_;
  ConfigState configs_;
  bool valid_[parts] = {true, true, true, true, true};
};

}  // namespace z0
