// What the tests of facts share: a fact is written as JSON, read as the edge reads it, and packed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "unit/catch.hpp"
#include "z0/base/limits.hpp"
#include "z0/facts/fact.hpp"

namespace z0::test {

inline constexpr std::int64_t now_ms = 1'700'000'000'000;

struct Read {
  Status status = Status::recorded;
  std::string field;
  std::string submission;
};

inline std::string encode(const Fact& f) {
  Buffer bytes;
  append_submission(bytes, f);
  return std::string(bytes.view());
}

inline Read read(const std::string& json, std::string_view tenant = "north") {
  JsonReader in(json, limits::json_depth_max);
  Scratch scratch;
  ReadFact fact;
  read_fact(in, {tenant, now_ms}, scratch, fact);
  INFO(json.substr(0, 300));
  REQUIRE(in.error() == JsonError::none);
  REQUIRE(in.at_end());
  Read out;
  out.status = fact.status;
  out.field = fact.field;
  out.submission = encode(fact.fact);
  return out;
}

// The members that every fact of these tests has, then those of the row.
inline std::string fact(std::string_view type, std::string_view members) {
  std::string json = R"({"id":"f_1","entity_id":"acct_1","type":")";
  json += type;
  json += '"';
  if (!members.empty()) json += ',';
  json += members;
  return json + '}';
}

}  // namespace z0::test
