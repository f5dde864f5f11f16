// Inside the edge: what became of a request's facts, counted by what metrics tell apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "http/http.hpp"
#include "z0/base/status.hpp"
#include "z0/facts/fact.hpp"

namespace z0 {

// Borrows what the facts borrow.
class Tallies {
 public:
  void add(Status status, std::string_view tenant_id, const Fact& fact);
  void emit(const Context& context, std::int64_t now_ms, Effects& effects) const;

 private:
  struct Tally {
    Status status = Status::recorded;
    std::string_view tenant_id;
    std::string_view type_name;
    std::string_view subtype;   // of what was recorded
    std::string_view asset_id;  // of what was recorded
    std::int64_t count = 0;
    bool same(const Tally& other) const;
  };
  bool add(const Tally& added, std::size_t tallies_max);
  void emit_duration(std::size_t i, const Context& context, std::int64_t now_ms,
                     Effects& effects) const;

  std::vector<Tally> tallies_;
};

}  // namespace z0
