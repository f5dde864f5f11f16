// How many facts of each type there are: in a ledger, in a report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "z0/facts/fact.hpp"
#include "z0/json/write.hpp"

namespace z0 {

// How many facts of each type a ledger holds.
struct TypeCounts {
  std::int64_t known[static_cast<std::size_t>(FactType::count_)] = {};
  // Custom types in order of first appearance; beyond limits::counted_types_max they count as
  // custom.
  std::vector<std::pair<std::string, std::int64_t>> custom;

  void add(FactType type, std::string_view custom_name);
  std::string encode() const;
  // False for bytes that are no counts.
  [[nodiscard]] bool decode(std::string_view bytes);
  // {"charge":2,...}: types that occurred, known ones first; uncounted custom types as
  // "(other)", which no type can be named.
  void write_json(JsonWriter& json) const;
};

}  // namespace z0
