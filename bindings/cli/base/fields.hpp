// Members of the server's answers, read without trust: a missing or strange one is empty or 0.
#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace z0::cli {

// A string as it is, anything else but null as JSON.
inline std::string text_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

// A sum of amounts may pass 64 bits: it stays at their end.
inline std::int64_t integer_of(const nlohmann::json& value) {
  constexpr std::int64_t most = INT64_MAX;
  if (!value.is_number()) return 0;
  if (value.is_number_unsigned())
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value.get<std::uint64_t>(), most));
  if (!value.is_number_float()) return std::max(value.get<std::int64_t>(), -most);
  const auto real = value.get<double>();
  if (real >= 0x1p63) return most;
  return real > -0x1p63 ? static_cast<std::int64_t>(real) : -most;
}

inline std::int64_t integer_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? 0 : integer_of(*found);
}

inline bool has_integer(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer();
}

inline nlohmann::json object_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : nlohmann::json::object();
}

// "42.50 USD"; empty where a fact has no amount.
inline std::string amount_of(const nlohmann::json& fact) {
  const auto found = fact.find("amount");
  if (found == fact.end() || !found->is_number()) return {};
  return amount_words(integer_of(fact, "amount"), text_of(fact, "currency"));
}

// An object as a row of CSV for other programs: strings stand as they are, null is empty, everything
// else is JSON; numbers have no grouping, no unit.
inline std::string csv_row_of(const nlohmann::json& item, const std::vector<std::string>& members) {
  std::vector<std::string> cells;
  for (const std::string& member : members) cells.push_back(text_of(item, member.c_str()));
  return csv_row(cells);
}

// A header row with the members' names, then a row each.
inline std::string csv_of(const std::vector<nlohmann::json>& items,
                          const std::vector<std::string>& members) {
  std::string out = csv_row(members);
  for (const nlohmann::json& item : items) out += csv_row_of(item, members);
  return out;
}

}  // namespace z0::cli
