// Counts of durations, from which a percentile is read as of the values themselves.
//
// Buckets grow with the values, as in HdrHistogram: values below 32 have one each, and every further
// doubling has 16 of equal width. So a percentile is never below the value that has that rank and
// less than a sixteenth above it, whatever the values are; and the histograms of two stretches of
// time merge to the one of both, which no percentiles do. Memory is 8 bytes a bucket up to the
// largest value: 1.6 KB for an hour in ms.
#pragma once

#include <cstdint>
#include <vector>

namespace z0 {

// The bounds of the buckets that others are shown, in ms: ends of buckets as they are counted, so that
// each is exact, and few, since every series has them all.
inline constexpr std::int64_t shown_bounds[] = {1,     3,      7,      15,     31,     63,
                                                127,   255,    511,    1'023,  2'047,  4'095,
                                                8'191, 16'383, 32'767, 65'535, 262'143};

class Histogram {
 public:
  // Buckets of a doubling; a percentile is less than value / doubling_buckets too large.
  static constexpr std::int64_t doubling_buckets = 16;
  // Larger values count as this one, negative ones as 0: in ms, a hundred years.
  static constexpr std::int64_t value_max = (std::int64_t{1} << 42) - 1;

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
