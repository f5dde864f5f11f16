// Counts of durations, from which a percentile is read as of the values themselves.
//
// Buckets grow with the values: up to 50 each has one, and from each power of ten to the next they end
// every twentieth of it up to 2, every tenth up to 5, every quarter up to 10 times that power. So a
// percentile is never below the value that has that rank and less than a twentieth above it, whatever
// the values are; what lies on either side of a round number (250 ms, 1.5 s, a minute) is told apart
// exactly, as the thresholds of rules want it; and the histograms of two stretches of time merge to the
// one of both, which no percentiles do. Memory is 8 bytes a bucket up to the largest value: 2.5 KB for
// an hour in ms.
#pragma once

#include <cstdint>
#include <vector>

namespace z0 {

// The bounds of the buckets that others are shown, in ms: ends of buckets as they are counted, so that
// each is exact, and few, since every series has them all. A reconciliation may take 60 s, and 300 s.
inline constexpr std::int64_t shown_bounds[] = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000, 2'000, 5'000, 10'000, 30'000, 60'000, 300'000};

class Histogram {
 public:
  // A percentile is less than value / error_part too large, and exact up to exact_max.
  static constexpr std::int64_t error_part = 20;
  static constexpr std::int64_t exact_max = 50;
  // Larger values count as this one, negative ones as 0: in ms, thirty years.
  static constexpr std::int64_t value_max = 1'000'000'000'000;

  // The buckets, in the order of their values; the largest value that is counted in one, and in that of
  // a value.
  static std::size_t bucket_of(std::int64_t value);
  static std::int64_t bound(std::size_t bucket);
  static std::int64_t bound_of(std::int64_t value) { return bound(bucket_of(value)); }

  void add(std::int64_t value);
  void merge(const Histogram& other);

  std::int64_t count() const { return count_; }
  std::int64_t max() const { return max_; }
  // The smallest value that at least so many millionths of the values do not pass (nearest rank),
  // within the error above and never above the largest value. 0 when there are none.
  std::int64_t quantile(std::int64_t millionths) const;
  std::int64_t percentile(std::int64_t percent) const { return quantile(percent * 10'000); }
  // Of `count` values in order the place of the one at a quantile, the first one's being 1.
  static std::int64_t rank(std::int64_t count, std::int64_t millionths);

 private:
  std::vector<std::int64_t> counts_;  // by bucket, up to the last one in use
  std::int64_t count_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace z0
