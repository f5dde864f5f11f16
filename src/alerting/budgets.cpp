#include "z0/alerting/budgets.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "alerting/business_limits.hpp"
#include "z0/base/bytes.hpp"
#include "z0/folds/cached_state.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t budgets_version = 1;
// Samples of one budget: one in three hours of two days, which is the longest window, and the newest.
constexpr std::int64_t sample_every_ms = 3 * week::hour_ms;
constexpr std::size_t samples_max = 18;
// Of a shorter time the pace says little.
constexpr std::int64_t pace_ms_min = 2 * week::hour_ms;
// A pace that passes the limit by less is no news.
constexpr double beyond = 1.1;
// A budget without a period is looked ahead for so long.
constexpr std::int64_t endless_ms = 168 * week::hour_ms;
constexpr std::int64_t longest_period_ms = 768 * week::hour_ms;

std::int64_t period_ends_ms(Period period, std::int64_t now_ms) {
  if (period == Period::total) return now_ms + endless_ms;
  const std::int64_t index = period_index(period, now_ms);
  std::int64_t within = now_ms;
  std::int64_t after = now_ms + longest_period_ms;
  while (after - within > 1) {
    const std::int64_t middle = within + (after - within) / 2;
    (period_index(period, middle) == index ? within : after) = middle;
  }
  return after;
}

}  // namespace

// How fast a budget is used, and when it ends so.
struct Budgets::Pace {
  std::int64_t used = 0;
  double per_hour = 0;
  double hours_left = 0;
  double hours_of_period = 0;
  bool ends = false;
};

namespace {

template <class Pace>
std::string words_of(const Pace& pace, std::string_view currency, std::int64_t limit) {
  std::string words = money_text(currency, pace.used);
  return words.append(" of ").append(money_text(currency, limit)).append(" are used");
}

template <class Pace>
std::string end_words(const Pace& pace, std::string_view currency) {
  std::string words = ". At ";
  words.append(money_text(currency, std::llround(pace.per_hour))).append(" an hour it ends in ");
  words.append(std::to_string(std::llround(pace.hours_left))).append(" hours; its period has ");
  return words.append(std::to_string(std::llround(pace.hours_of_period))).append(" hours left.");
}

}  // namespace

Budgets::Pace Budgets::pace_of(const One& budget, std::int64_t window_ms, std::int64_t now_ms) {
  Pace pace;
  const auto period = static_cast<Period>(budget.period);
  if (budget.samples.empty() || budget.limit <= 0) return pace;
  const Sample& last = budget.samples.back();
  if (period_index(period, last.at_ms) != period_index(period, now_ms)) return pace;
  pace.used = last.used;
  pace.hours_of_period = static_cast<double>(period_ends_ms(period, now_ms) - now_ms) /
                         static_cast<double>(week::hour_ms);
  pace.ends = last.used >= budget.limit;
  const auto first =
      std::find_if(budget.samples.begin(), budget.samples.end(),
                   [&](const Sample& one) { return one.at_ms >= last.at_ms - window_ms; });
  const std::int64_t span_ms = last.at_ms - first->at_ms;
  if (span_ms < pace_ms_min || last.used <= first->used) return pace;
  pace.per_hour = static_cast<double>(last.used - first->used) *
                  static_cast<double>(week::hour_ms) / static_cast<double>(span_ms);
  const auto left = static_cast<double>(std::max<std::int64_t>(0, budget.limit - last.used));
  pace.hours_left = left / pace.per_hour;
  const double at_end = static_cast<double>(last.used) + pace.per_hour * pace.hours_of_period;
  pace.ends = pace.ends || at_end > beyond * static_cast<double>(budget.limit);
  return pace;
}

Budgets::Account* Budgets::account_of(std::string_view tenant_id, std::string_view entity_id,
                                      bool make) {
  const auto tenant = accounts_.find(tenant_id);
  if (tenant != accounts_.end()) {
    const auto known = tenant->second.find(entity_id);
    if (known != tenant->second.end()) return &known->second;
  }
  if (!make) return nullptr;
  if (count_ >= business_limits::accounts_max) {
    ++left_out_;
    return nullptr;
  }
  ++count_;
  return &accounts_[std::string(tenant_id)][std::string(entity_id)];
}

void Budgets::take(const LookReply& found, std::int64_t now_ms) {
  for (const LookReply::Charged& charged : found.charged) {
    Account* const account = account_of(charged.tenant_id, charged.entity_id, true);
    if (account != nullptr) account->charged_ms = now_ms;
  }
  for (const LookReply::Budget& said : found.budgets) {
    Account* const account = account_of(said.tenant_id, said.entity_id, false);
    if (account == nullptr || said.period >= static_cast<std::int64_t>(Period::count_)) continue;
    One& budget = account->budgets[std::string(said.config_id)];
    const auto period = static_cast<Period>(said.period);
    const bool same =
        budget.period == said.period && budget.currency == said.currency &&
        !budget.samples.empty() && said.used >= budget.samples.back().used &&
        period_index(period, budget.samples.back().at_ms) == period_index(period, said.at_ms);
    if (!same) budget.samples.clear();
    budget.currency = said.currency;
    budget.limit = said.limit;
    budget.period = said.period;
    budget.enforced = said.enforced;
    std::vector<Sample>& samples = budget.samples;
    // The newest one is kept whatever its distance is; those before it stand apart.
    if (samples.size() >= 2 &&
        samples.back().at_ms - samples[samples.size() - 2].at_ms < sample_every_ms)
      samples.pop_back();
    samples.push_back({said.at_ms, said.used});
    if (samples.size() > samples_max) samples.erase(samples.begin());
  }
}

void Budgets::ask(std::int64_t now_ms, std::vector<LookRequest::Account>& out) {
  for (auto& [tenant_id, accounts] : accounts_) {
    count_ -= static_cast<std::int64_t>(std::erase_if(accounts, [&](const auto& one) {
      return now_ms - one.second.charged_ms > business_limits::gone_ms;
    }));
    for (auto& [entity_id, account] : accounts) {
      if (out.size() >= business_limits::accounts_per_look) return;
      if (now_ms - account.asked_ms < business_limits::account_every_ms) continue;
      account.asked_ms = now_ms;
      out.push_back({tenant_id, entity_id});
    }
  }
}

Budgets::Finding Budgets::find(std::string_view tenant_id, std::int64_t window_ms,
                               std::int64_t now_ms) const {
  Finding found;
  const auto tenant = accounts_.find(tenant_id);
  if (tenant == accounts_.end()) return found;
  for (const auto& [entity_id, account] : tenant->second) {
    for (const auto& [config_id, budget] : account.budgets) {
      const Pace pace = pace_of(budget, window_ms, now_ms);
      if (!pace.ends || (found.holds && pace.hours_left >= found.hours_left)) continue;
      found.holds = true;
      found.hours_left = pace.hours_left;
      const auto hourly = static_cast<std::int64_t>(std::llround(pace.per_hour));
      found.seen = words_of(pace, budget.currency, budget.limit);
      found.seen.append(", of ").append(config_id).append(" for ").append(entity_id);
      found.seen.append(pace.used < budget.limit ? end_words(pace, budget.currency)
                                                 : std::string(": it has ended."));
      if (!budget.enforced) continue;
      found.money = AlertMoney{budget.currency, 0, hourly,
                               "What an hour of the last ones was charged; once the budget has "
                               "ended, as much is refused."};
    }
  }
  return found;
}

std::string Budgets::encode() const {
  std::string bytes;
  if (count_ == 0) return bytes;
  ByteWriter out(bytes);
  out.u8(budgets_version);
  for (const auto& [tenant_id, accounts] : accounts_) {
    for (const auto& [entity_id, account] : accounts) {
      out.short_bytes(tenant_id);
      out.short_bytes(entity_id);
      out.varint(static_cast<std::uint64_t>(account.charged_ms));
      out.varint(static_cast<std::uint64_t>(account.asked_ms));
      out.varint(account.budgets.size());
      for (const auto& [config_id, budget] : account.budgets) {
        out.short_bytes(config_id);
        out.short_bytes(budget.currency);
        out.varint(static_cast<std::uint64_t>(budget.limit));
        out.u8(static_cast<std::uint8_t>(budget.period));
        out.u8(budget.enforced ? 1 : 0);
        out.varint(budget.samples.size());
        for (const Sample& sample : budget.samples) {
          out.varint(static_cast<std::uint64_t>(sample.at_ms));
          out.signed_varint(sample.used);
        }
      }
    }
  }
  return bytes;
}

bool Budgets::decode(std::string_view bytes) {
  ByteReader in(bytes);
  Budgets read;
  if (!bytes.empty() && in.u8() != budgets_version) return false;
  while (in.ok() && !in.done()) {
    const std::string tenant_id(in.short_bytes());
    const std::string entity_id(in.short_bytes());
    Account* const account = read.account_of(tenant_id, entity_id, true);
    if (account == nullptr) return false;
    account->charged_ms = static_cast<std::int64_t>(in.varint());
    account->asked_ms = static_cast<std::int64_t>(in.varint());
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      One& budget = account->budgets[std::string(in.short_bytes())];
      budget.currency = in.short_bytes();
      budget.limit = static_cast<std::int64_t>(in.varint());
      budget.period = in.u8();
      budget.enforced = in.u8() != 0;
      if (budget.period >= static_cast<std::int64_t>(Period::count_)) return false;
      for (std::uint64_t samples = in.varint(); samples > 0 && in.ok(); --samples) {
        Sample& sample = budget.samples.emplace_back();
        sample.at_ms = static_cast<std::int64_t>(in.varint());
        sample.used = in.signed_varint();
      }
    }
  }
  if (!in.ok()) return false;
  *this = std::move(read);
  return true;
}

}  // namespace z0
