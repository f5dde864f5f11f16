// Inside the consumer: what a message brings of each tenant, and what became of it, as metrics.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "z0/base/bytes.hpp"
#include "z0/wire/effects.hpp"

namespace z0 {

// Borrows the ids.
class TenantShares {
 public:
  // recorded_at: of the oldest of these facts; 0 when that cannot be told.
  void add(std::string_view tenant_id, std::int64_t facts, std::int64_t recorded_at);
  // Of all; 0 when there are none.
  std::int64_t oldest_recorded_at() const;

  void encode(ByteWriter& out) const;
  void decode(ByteReader& in);

  // The message was not taken: by the tenants whose facts it brings, or the platform's where it
  // could not be read.
  void count_refused(bool unreadable, std::string_view trace_id, Effects& effects) const;
  // Of so many facts so many were new.
  void count_arrived(std::int64_t facts, std::int64_t inserted, std::int64_t now_ms,
                     std::string_view trace_id, Effects& effects) const;

 private:
  struct Share {
    std::string_view tenant_id;
    std::int64_t facts = 0;
    std::int64_t oldest_recorded_at = 0;
  };
  std::vector<Share> shares_;
};

}  // namespace z0
