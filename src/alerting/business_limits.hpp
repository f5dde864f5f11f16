// Inside Business: times and sizes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "z0/alerts/cadence.hpp"

namespace z0 {

namespace business_limits {

inline constexpr std::int64_t look_every_ms = 60'000;
// While hours are learned that were over long ago.
inline constexpr std::int64_t catch_up_every_ms = 1'000;
// Replication is healthy below a second, and a ledger writes to D1 itself after ten.
inline constexpr std::int64_t settle_ms = 30'000;
// Replication that lags by more is waited for.
inline constexpr std::int64_t lag_ms_max = 20'000;
// A monitor that heard its first report so short a while ago may not have heard of all ledgers.
inline constexpr std::int64_t monitor_young_ms = 30'000;
// D1 answers within that, or the look is begun again later.
inline constexpr std::uint32_t look_timeout_ms = 5'000;
// An hour is learned so long after its end.
inline constexpr std::int64_t late_ms = 600'000;
// As far back as is learned at first, and as long as a tenant is known that nothing comes of.
inline constexpr std::int64_t learned_weeks = 4;
// Rows of one look: 60 bytes each.
inline constexpr std::size_t hours_per_look = 8'000;
// Tenants that are followed: 8 KB each in memory and as a row, 32 MB. Further ones are counted.
inline constexpr std::size_t tenants_max = 4'096;
// Silences that may matter soon; of more at once the cause is another one.
inline constexpr std::int64_t doubt_ms = 5 * week::minute_ms;
inline constexpr std::size_t doubts_max = 2'000;
// Minutes with a charge that three hours should have, for their revenue to say something.
inline constexpr double busy_minutes = 20;
inline constexpr std::int64_t failed_hours = 48;
// After so long a pause of invocations, charges are waited for from its end on.
inline constexpr std::int64_t resumed_after_ms = 30 * week::minute_ms;
// A tenant of whom nothing came for so long is not active.
inline constexpr std::int64_t gone_ms = 168 * week::hour_ms;
inline constexpr std::int64_t day_ms = 24 * week::hour_ms;
// Accounts whose budgets are watched: 300 bytes each; further ones are counted.
inline constexpr std::int64_t accounts_max = 500;
// Of them, so many ledgers are asked by one look, each once an hour.
inline constexpr std::size_t accounts_per_look = 16;
inline constexpr std::int64_t account_every_ms = week::hour_ms;
// What is told of for so long is known.
inline constexpr std::int64_t told_ms_max = day_ms;
// A day that has not begun is told of after so long: where clocks were changed it begins an hour later.
inline constexpr std::int64_t late_start_minutes = 75;
// Where nobody is there to compare with, later.
inline constexpr std::int64_t alone_minutes = 120;
// Minutes that usually bring something since rest, before it can be said whether a day has begun.
inline constexpr double begun_minutes = 5;
inline constexpr std::int64_t day_off_ms = 12 * week::hour_ms;
inline constexpr std::uint8_t tenant_version = 2;
inline constexpr std::uint8_t state_version = 1;

// Sums of amounts and facts end there: more than any tenant takes, and less than Takings refuses to read.
inline constexpr std::int64_t sums_max = 100'000'000'000'000'000;

}  // namespace business_limits

inline void add_up(std::int64_t& sum, std::int64_t more) {
  std::int64_t both = 0;
  if (__builtin_add_overflow(sum, more, &both)) both = more < 0 ? INT64_MIN : INT64_MAX;
  sum = std::clamp(both, -business_limits::sums_max, business_limits::sums_max);
}

// By what an alert is known here.
inline std::string business_key(std::string_view rules_of, std::string_view rule,
                                std::string_view tenant_id) {
  std::string key(rules_of);
  return key.append(1, '\0').append(rule).append(1, '\0').append(tenant_id);
}

}  // namespace z0
