// Percentiles of a histogram beside those of the sorted values.
#include "z0/metrics/histogram.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "unit/catch.hpp"

namespace {

using z0::Histogram;

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
};

std::int64_t nearest_rank(std::vector<std::int64_t> values, std::int64_t percent) {
  std::sort(values.begin(), values.end());
  const auto rank = (static_cast<std::int64_t>(values.size()) * percent + 99) / 100;
  return values[static_cast<std::size_t>(std::max<std::int64_t>(rank, 1) - 1)];
}

Histogram of(const std::vector<std::int64_t>& values) {
  Histogram h;
  for (const auto value : values) h.add(value);
  return h;
}

// Of any size, so that every power of two has its values.
std::vector<std::int64_t> made(Random& random, std::size_t count) {
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(static_cast<std::int64_t>(random.next() >> (25 + random.next() % 39)));
  return values;
}

}  // namespace

TEST_CASE("A quantile finer than a percent is the value of its own rank", "[histogram]") {
  Histogram h;
  for (int i = 0; i < 999; ++i) h.add(1);
  h.add(20);
  CHECK(h.quantile(999'000) == 1);
  CHECK(h.quantile(999'001) == 20);
  CHECK(h.percentile(99) == 1);
  CHECK(Histogram::rank(9'000'000'000'000'000, 999'999) == 8'999'991'000'000'000);
  CHECK(Histogram::rank(0, 500'000) == 1);
}

TEST_CASE("A percentile is never below the value of its rank and less than a twentieth above it",
          "[histogram]") {
  Random random{1};
  for (int round = 0; round < 300; ++round) {
    const auto values = made(random, 1 + random.next() % 400);
    const Histogram h = of(values);
    CHECK(h.count() == static_cast<std::int64_t>(values.size()));
    CHECK(h.max() == *std::max_element(values.begin(), values.end()));
    for (const std::int64_t percent : {0, 1, 10, 50, 90, 99, 100}) {
      const std::int64_t right = nearest_rank(values, percent);
      const std::int64_t told = h.percentile(percent);
      INFO(percent << " of 100, " << values.size() << " values, round " << round);
      CHECK(told >= right);
      CHECK(told <= right + right / Histogram::error_part);
    }
    CHECK(h.percentile(100) == h.max());
  }
}

TEST_CASE("Every value has one bucket, and the buckets follow each other", "[histogram]") {
  const std::size_t last = Histogram::bucket_of(Histogram::value_max);
  for (std::size_t bucket = 0; bucket <= last; ++bucket) {
    const std::int64_t below = bucket == 0 ? -1 : Histogram::bound(bucket - 1);
    const std::int64_t bound = Histogram::bound(bucket);
    INFO("bucket " << bucket << ", above " << below << " up to " << bound);
    REQUIRE(bound > below);
    CHECK(Histogram::bucket_of(below + 1) == bucket);
    CHECK(Histogram::bucket_of(bound) == bucket);
    CHECK(bound - (below + 1) <= (below + 1) / Histogram::error_part);
    if (bound <= Histogram::exact_max) CHECK(bound == below + 1);
  }
  CHECK(Histogram::bound(last) == Histogram::value_max);
}

TEST_CASE("What is no more than a round number is told apart from what is more", "[histogram]") {
  for (std::int64_t power = 100; power < Histogram::value_max; power *= 10) {
    // In hundredths of the power of ten.
    for (const std::int64_t part : {100, 105, 120, 150, 175, 200, 210, 250, 300, 400,
                                    490, 500, 525, 550, 600, 700, 750, 800, 900, 975}) {
      const std::int64_t round = power / 100 * part;
      CHECK(Histogram::bound_of(round) == round);
      CHECK(Histogram::bound_of(round + 1) > round);
    }
  }
  for (const std::int64_t bound : z0::shown_bounds) CHECK(Histogram::bound_of(bound) == bound);
}

TEST_CASE("Histograms that are merged are the histogram of all values", "[histogram]") {
  Random random{2};
  for (int round = 0; round < 50; ++round) {
    const auto first = made(random, random.next() % 60);
    const auto second = made(random, random.next() % 60);
    std::vector<std::int64_t> all = first;
    all.insert(all.end(), second.begin(), second.end());
    const Histogram both = of(all);
    for (const bool turned : {false, true}) {
      Histogram merged = of(turned ? second : first);
      merged.merge(of(turned ? first : second));
      CHECK(merged.count() == both.count());
      CHECK(merged.max() == both.max());
      for (std::int64_t percent = 0; percent <= 100; ++percent)
        CHECK(merged.percentile(percent) == both.percentile(percent));
    }
  }
}

TEST_CASE("Values beyond the ends count as the ends, and no values give 0", "[histogram]") {
  CHECK(Histogram().percentile(99) == 0);
  CHECK(Histogram().count() == 0);
  CHECK(of({-5}).percentile(99) == 0);
  CHECK(of({-5}).count() == 1);
  CHECK(of({Histogram::value_max + 1}).percentile(99) == Histogram::value_max);
  CHECK(of({INT64_MAX, 3}).percentile(50) == 3);
}
