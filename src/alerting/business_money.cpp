// What alerts cost: what tenants usually take, without what came, or the share of it that fails.
#include <algorithm>
#include <cmath>

#include "alerting/business_limits.hpp"
#include "z0/alerting/business.hpp"

namespace z0 {
namespace {

std::int64_t whole(double amount) {
  constexpr double most = 9e15;
  return std::llround(std::clamp(amount, 0.0, most));
}

std::string weeks_words(double weeks) {
  return weeks < 1.5 ? std::string("a week") : std::to_string(std::lround(weeks)) + " weeks";
}

// The share that fails, where the rule is about something whose failure costs money.
double failing_share(const Rule& rule, const AlertState& state) {
  if (rule.of.empty()) return 0;
  const Metric metric = rule.of.front().metric;
  if (metric != Metric::facts_write_failures && metric != Metric::external_errors) return 0;
  double share = 0;
  if (rule.kind == SignalKind::ratio) share = state.value;
  if (rule.kind == SignalKind::burn) share = state.value * (1 - rule.objective);
  return std::clamp(share, 0.0, 1.0);
}

}  // namespace

// Takings begin with the first hour that brought some.
AlertMoney BusinessWatch::unknown_money(std::string_view tenant_id) const {
  std::string_view why = "No whole hour of facts has been seen.";
  for (const auto& [id, tenant] : tenants_) {
    if (!tenant_id.empty() && id != tenant_id) continue;
    if (!tenant.takings.empty()) {
      why = "Facts have not been looked at since a restart.";
      break;
    }
    if (!tenant.invocations.cadence.empty() || !tenant.charges.cadence.empty())
      why = "No whole hour with a charge has been seen.";
  }
  return {{}, 0, 0, std::string(why)};
}

// Since the beginning of that hour, as what came is known by the hour: what is usual without what came.
AlertMoney BusinessWatch::missing(const std::string& id, const Tenant& tenant,
                                  std::int64_t since_ms) const {
  if (tenant.takings.empty()) return unknown_money(id);
  since_ms = since_ms / week::hour_ms * week::hour_ms;
  double came = tenant.takings.taken_since(since_ms);
  for (const Hour& hour : tenant.hours)
    if (hour.hour >= learned_until_ms_ / week::hour_ms) came += static_cast<double>(hour.taken);
  const double usual = tenant.takings.usual(since_ms, seen_until_ms_);
  AlertMoney money;
  money.currency = tenant.currency;
  money.lost = whole(usual - came);
  money.at_risk_per_hour =
      whole(tenant.takings.usual(seen_until_ms_, seen_until_ms_ + week::hour_ms));
  money.reckoning = "Usual revenue of these hours of the week, over " +
                    weeks_words(tenant.takings.weeks()) + ": " +
                    money_text(money.currency, whole(usual)) + ", without " +
                    money_text(money.currency, whole(came)) +
                    " that came. At risk is what the next hour usually brings.";
  return money;
}

std::optional<AlertMoney> BusinessWatch::money_of(const Rule& rule, std::string_view tenant_id,
                                                  const AlertState& state,
                                                  std::int64_t now_ms) const {
  const double share = failing_share(rule, state);
  if (share <= 0) return std::nullopt;
  // Sums are of one currency: the one that is usual for most.
  std::map<std::string_view, std::int64_t> currencies;
  for (const auto& [id, tenant] : tenants_)
    if ((tenant_id.empty() || id == tenant_id) && !tenant.takings.empty())
      ++currencies[tenant.currency];
  const auto most =
      std::max_element(currencies.begin(), currencies.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == currencies.end()) return unknown_money(tenant_id);
  double usual = 0;
  double failed = 0;
  for (const auto& [id, tenant] : tenants_) {
    if ((!tenant_id.empty() && id != tenant_id) || tenant.currency != most->first) continue;
    usual += tenant.takings.usual(now_ms, now_ms + week::hour_ms);
    for (const Hour& hour : tenant.hours)
      if ((hour.hour + 1) * week::hour_ms > state.active_at_ms - rule.window_ms)
        failed += static_cast<double>(hour.failed);
  }
  AlertMoney money;
  money.currency = most->first;
  money.at_risk_per_hour = whole(usual * share);
  const bool writes = rule.of.front().metric == Metric::facts_write_failures;
  if (writes) money.lost = whole(failed);
  const auto thousandths = std::lround(share * 1000);
  money.reckoning =
      "At risk: " + std::to_string(thousandths / 10) + '.' + std::to_string(thousandths % 10) +
      " % of " + money_text(money.currency, whole(usual)) + ", which the next hour usually brings";
  money.reckoning += writes ? ". Lost: charges that D1 has with status failed; those that are sent "
                              "again are not."
                            : ", if all of it hangs on this.";
  if (currencies.size() > 1) money.reckoning += " Other currencies come on top.";
  return money;
}

}  // namespace z0
