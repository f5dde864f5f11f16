// Series that are made for the tests of baselines: a business with hours and weekends, and its noise.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace z0::made {

inline constexpr std::int64_t minute_ms = 60'000;
inline constexpr std::int64_t hour_ms = 60 * minute_ms;
inline constexpr std::int64_t day_ms = 24 * hour_ms;
// A Monday, 00:00 UTC.
inline constexpr std::int64_t monday_ms = 1'767'571'200'000;

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
struct Random {
  std::uint64_t state;

  std::uint64_t next() {
    state += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // Between 0 and 1; neither.
  double unit() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }
  // Nearly normal: the sum of twelve.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += unit();
    return sum;
  }
  // Events of which `mean` are to be expected; many are nearly normal.
  double poisson(double mean) {
    if (mean > 30) return std::max(0.0, std::floor(mean + std::sqrt(mean) * normal() + 0.5));
    const double least = std::exp(-mean);
    double product = unit(), count = 0;
    for (; product > least; ++count) product *= unit();
    return count;
  }
};

// How busy a tenant is at a time, 1 at most: nights and weekends are quiet.
struct Hours {
  std::int64_t open = 8, close = 18;
  double night = 0.05, weekend = 0.1;

  double busy(std::int64_t time_ms) const {
    const std::int64_t day = (time_ms - monday_ms) / day_ms % 7;
    const std::int64_t hour = time_ms % day_ms / hour_ms;
    const double of_day = hour >= open && hour < close ? 1 : night;
    return day >= 5 ? of_day * weekend : of_day;
  }
};

}  // namespace z0::made
