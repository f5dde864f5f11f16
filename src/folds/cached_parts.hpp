// What the parts of a cached state share: the calendar's units and the range of sums.
#pragma once

#include <cstdint>

#include "z0/base/limits.hpp"

namespace z0 {

inline constexpr std::int64_t hour_ms = 3'600'000;
inline constexpr std::int64_t day_ms = 24 * hour_ms;

constexpr std::int64_t floor_divide(std::int64_t n, std::int64_t by) {
  return n / by - (n % by < 0 ? 1 : 0);
}

constexpr bool within_amounts(std::int64_t sum) {
  return sum >= -limits::amount_max && sum <= limits::amount_max;
}

}  // namespace z0
