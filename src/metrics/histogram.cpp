#include "z0/metrics/histogram.hpp"

#include <algorithm>

namespace z0 {
namespace {

// From a power of ten to the next: 20 buckets up to 2, 30 up to 5, 20 up to 10 times it. Of the first one,
// from 10, only the last 20 are in use, their bounds rounded down.
constexpr std::int64_t to_two = 20;
constexpr std::int64_t to_five = 50;
constexpr std::int64_t to_ten = 70;

// Which bucket of those from a power of ten; value: above that power, and no more than ten times it.
std::int64_t part_of(std::int64_t power, std::int64_t value) {
  if (value <= 2 * power) return (value - power - 1) / (power / 20);
  if (value <= 5 * power) return to_two + (value - 2 * power - 1) / (power / 10);
  return to_five + (4 * (value - 5 * power) - 1) / power;
}

std::int64_t bound_of_part(std::int64_t power, std::int64_t part) {
  if (part < to_two) return power + (part + 1) * (power / 20);
  if (part < to_five) return 2 * power + (part - to_two + 1) * (power / 10);
  return 5 * power + (part - to_five + 1) * power / 4;
}

}  // namespace

std::size_t Histogram::bucket_of(std::int64_t value) {
  value = std::clamp<std::int64_t>(value, 0, value_max);
  if (value <= exact_max) return static_cast<std::size_t>(value);
  std::int64_t first = 1;
  std::int64_t power = 10;
  for (; value > 10 * power; power *= 10) first += to_ten;
  return static_cast<std::size_t>(first + part_of(power, value));
}

std::int64_t Histogram::bound(std::size_t bucket) {
  const auto place = static_cast<std::int64_t>(bucket);
  if (place <= exact_max) return place;
  std::int64_t power = 10;
  for (std::int64_t decade = (place - 1) / to_ten; decade > 0; --decade) power *= 10;
  return bound_of_part(power, (place - 1) % to_ten);
}

void Histogram::add(std::int64_t value) {
  value = std::clamp<std::int64_t>(value, 0, value_max);
  const std::size_t bucket = bucket_of(value);
  if (bucket >= counts_.size()) counts_.resize(bucket + 1);
  ++counts_[bucket];
  ++count_;
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
  if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
  for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

// Rounded up, without leaving 63 bits.
std::int64_t Histogram::rank(std::int64_t count, std::int64_t millionths) {
  const std::int64_t whole = count / 1'000'000 * millionths;
  const std::int64_t rest = (count % 1'000'000 * millionths + 999'999) / 1'000'000;
  return std::max<std::int64_t>(1, whole + rest);
}

std::int64_t Histogram::quantile(std::int64_t millionths) const {
  const std::int64_t place = rank(count_, millionths);
  std::int64_t passed = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    passed += counts_[i];
    if (passed >= place) return std::min(bound(i), max_);
  }
  return max_;
}

}  // namespace z0
