#include "quieted.hpp"

#include <algorithm>

namespace z0::sim {
namespace {

bool fits(const std::string& asked, const std::string& has) {
  if (asked.empty()) return true;
  if (asked.back() == '*') return has.compare(0, asked.size() - 1, asked, 0, asked.size() - 1) == 0;
  return asked == has;
}

}  // namespace

bool QuietedBook::is_about(const Quieted& one, const AlertName& alert) const {
  const bool own = alert.rule == own_rule_;
  const bool may =
      one.made_for.empty() || (own && one.made_for == owner_ && one.made_for == alert.tenant_id);
  const bool labelled = one.label.empty() || std::find(alert.labels.begin(), alert.labels.end(),
                                                       one.label) != alert.labels.end();
  return may && labelled && fits(one.rule, alert.rule) && fits(one.tenant_id, alert.tenant_id);
}

const Quieted* QuietedBook::known(const AlertName& alert, std::int64_t decided_ms,
                                  std::uint64_t at) const {
  for (const Quieted& one : all_) {
    const bool held = !one.id.empty() && one.made_at < at &&
                      (one.ended_at == 0 || one.ended_at > at) && one.starts_ms <= decided_ms &&
                      decided_ms < one.ends_ms;
    if (held && is_about(one, alert)) return &one;
  }
  return nullptr;
}

bool QuietedBook::possible(const AlertName& alert, std::int64_t from_ms, std::int64_t to_ms) const {
  return std::any_of(all_.begin(), all_.end(), [&](const Quieted& one) {
    return one.starts_ms <= to_ms && from_ms < one.ends_ms && is_about(one, alert);
  });
}

}  // namespace z0::sim
