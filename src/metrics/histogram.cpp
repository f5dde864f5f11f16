#include "z0/metrics/histogram.hpp"

#include <algorithm>

namespace z0 {
namespace {

constexpr std::int64_t doubling = Histogram::doubling_buckets;

}  // namespace

std::size_t Histogram::bucket_of(std::int64_t value) {
  value = std::clamp<std::int64_t>(value, 0, value_max);
  if (value < 2 * doubling) return static_cast<std::size_t>(value);
  // How many of the low bits a bucket does not tell apart.
  const int shift = 63 - __builtin_clzll(static_cast<std::uint64_t>(value / doubling));
  return static_cast<std::size_t>(doubling * shift + (value >> shift));
}

std::int64_t Histogram::bound(std::size_t bucket) {
  const auto place = static_cast<std::int64_t>(bucket);
  if (place < 2 * doubling) return place;
  const std::int64_t shift = place / doubling - 1;
  return ((place % doubling + doubling + 1) << shift) - 1;
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
