#include "queue/tenant_shares.hpp"

#include <algorithm>
#include <span>

#include "z0/metrics/registry.hpp"

namespace z0 {
namespace {

// Tenants of one message that are told apart in metrics: two points each.
constexpr std::size_t tenants_told_max = 50;

}  // namespace

void TenantShares::add(std::string_view tenant_id, std::int64_t facts, std::int64_t recorded_at) {
  auto share = std::find_if(shares_.begin(), shares_.end(),
                            [&](const Share& s) { return s.tenant_id == tenant_id; });
  if (share == shares_.end()) share = shares_.insert(share, Share{tenant_id, 0, 0});
  share->facts += facts;
  const bool older = share->oldest_recorded_at == 0 || recorded_at < share->oldest_recorded_at;
  if (recorded_at != 0 && older) share->oldest_recorded_at = recorded_at;
}

std::int64_t TenantShares::oldest_recorded_at() const {
  std::int64_t oldest = 0;
  for (const Share& share : shares_) {
    const std::int64_t at = share.oldest_recorded_at;
    if (at != 0 && (oldest == 0 || at < oldest)) oldest = at;
  }
  return oldest;
}

void TenantShares::encode(ByteWriter& out) const {
  out.varint(shares_.size());
  for (const Share& share : shares_) {
    out.short_bytes(share.tenant_id);
    out.varint(static_cast<std::uint64_t>(share.facts));
    out.varint(static_cast<std::uint64_t>(share.oldest_recorded_at));
  }
}

void TenantShares::decode(ByteReader& in) {
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    Share& share = shares_.emplace_back();
    share.tenant_id = in.short_bytes();
    share.facts = static_cast<std::int64_t>(in.varint());
    share.oldest_recorded_at = static_cast<std::int64_t>(in.varint());
  }
}

void TenantShares::count_refused(bool unreadable, std::string_view trace_id,
                                 Effects& effects) const {
  const Share platform;
  const std::span told = shares_.empty() ? std::span(&platform, 1) : std::span(shares_);
  for (const Share& share : told.first(std::min(told.size(), tenants_told_max))) {
    count(effects, Metric::replication_failures, share.tenant_id, {}, 1, trace_id);
    count(effects, Metric::replication_retries, share.tenant_id, {}, 1, trace_id);
  }
  count_error(effects, {}, unreadable ? "queue" : "d1", "replication",
              unreadable ? "message_unreadable" : "d1_failed", trace_id);
}

// Which facts of a message that came in part before are new is not known by tenant: those are told of
// the platform.
void TenantShares::count_arrived(std::int64_t facts, std::int64_t inserted, std::int64_t now_ms,
                                 std::string_view trace_id, Effects& effects) const {
  if (inserted == 0) return;
  if (inserted != facts || shares_.size() > tenants_told_max)
    return count(effects, Metric::replication_facts, {}, {}, inserted, trace_id);
  for (const Share& share : shares_) {
    count(effects, Metric::replication_facts, share.tenant_id, {}, share.facts, trace_id);
    observe(effects, Metric::replication_lag_distribution, share.tenant_id, {},
            now_ms - share.oldest_recorded_at, 1, trace_id);
  }
}

}  // namespace z0
