#include "z0/calls/directory.hpp"

#include <algorithm>

#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
std::string directory_shard_name(std::size_t shard) {
  return "directory_" + std::string(1, "0123456789abcdef"[shard % directory_shards]);
}

std::string directory_object_name(std::string_view entity_id) {
  return directory_shard_name(static_cast<std::size_t>(id_hash(entity_id, 0)));
}

std::vector<std::string_view> RegisterRequest::tenants() const {
  std::vector<std::string_view> all;
  for (const LedgerName& ledger : ledgers) {
    // Nearly every request is of one tenant.
    if (std::find(all.begin(), all.end(), ledger.tenant_id) == all.end())
      all.push_back(ledger.tenant_id);
  }
  return all;
}

bool RegisterRequest::valid() const {
  return !ledgers.empty() && ledgers.size() <= limits::facts_per_request_max;
}

bool ListRequest::valid() const {
  return limit >= 1 && limit <= static_cast<std::int64_t>(limits::page_facts_max) + 1;
}

}  // namespace z0
