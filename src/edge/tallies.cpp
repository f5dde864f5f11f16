#include "edge/tallies.hpp"

#include <algorithm>

#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/metrics/registry.hpp"

namespace z0 {

bool Tallies::Tally::same(const Tally& other) const {
  return status == other.status && tenant_id == other.tenant_id && type_name == other.type_name &&
         subtype == other.subtype && asset_id == other.asset_id;
}

void Tallies::add(Status status, std::string_view tenant_id, const Fact& fact) {
  Tally t{status, tenant_id, fact.name(), {}, {}, 1};
  const bool recorded = status == Status::recorded;
  if (recorded) {
    t.subtype = fact.subtype;
    t.asset_id = fact.asset_id;
  }
  if (add(t, limits::points_per_request_max)) return;
  // Too many to be told apart: of one tenant and outcome together, and of many tenants the platform's.
  t.type_name = other_value;
  t.subtype = t.asset_id = recorded ? other_value : std::string_view{};
  if (add(t, 2 * limits::points_per_request_max)) return;
  t.tenant_id = {};
  if (!add(t, tallies_.size() + 1)) trap("a tally that is asked for has room");
}

bool Tallies::add(const Tally& added, std::size_t tallies_max) {
  for (Tally& t : tallies_) {
    if (!t.same(added)) continue;
    ++t.count;
    return true;
  }
  if (tallies_.size() >= tallies_max) return false;
  tallies_.push_back(added);
  return true;
}

void Tallies::emit(const Context& context, std::int64_t now_ms, Effects& effects) const {
  const std::string_view trace = context.trace.trace_id;
  for (const Tally& t : tallies_) {
    if (t.status == Status::recorded) {
      count(effects, Metric::facts_written, t.tenant_id, {t.type_name, t.subtype, t.asset_id},
            t.count, trace);
      continue;
    }
    const std::string_view code = info(t.status).name;
    count(effects, Metric::facts_write_failures, t.tenant_id, {t.type_name, code}, t.count, trace);
    if (transient(t.status))
      count(effects, Metric::errors, t.tenant_id, {"do", "ledger", code}, t.count, trace);
  }
  for (std::size_t i = 0; i < tallies_.size(); ++i) emit_duration(i, context, now_ms, effects);
}

// Once a tenant and type: with the first tally of them.
void Tallies::emit_duration(std::size_t i, const Context& context, std::int64_t now_ms,
                            Effects& effects) const {
  const Tally& first = tallies_[i];
  const auto alike = [&first](const Tally& t) {
    return t.tenant_id == first.tenant_id && t.type_name == first.type_name;
  };
  const auto end = tallies_.begin() + static_cast<std::ptrdiff_t>(i);
  if (std::any_of(tallies_.begin(), end, alike)) return;
  std::int64_t facts = 0;
  for (const Tally& t : tallies_) facts += alike(t) ? t.count : 0;
  observe(effects, Metric::facts_write_duration, first.tenant_id, {first.type_name},
          now_ms - context.started_ms, facts, context.trace.trace_id);
}

}  // namespace z0
