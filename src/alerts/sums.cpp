// Sums of one evaluator on their way to another one.
#include <algorithm>

#include "z0/alerts/evaluator.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

bool any(const std::vector<std::int64_t>& numbers) {
  return std::any_of(numbers.begin(), numbers.end(), [](std::int64_t n) { return n != 0; });
}

}  // namespace

bool Evaluator::has_sums(std::int64_t now_ms) const {
  const auto fresh = [now_ms](std::int64_t heard_ms) {
    return heard_ms != 0 && now_ms - heard_ms <= limits::gauge_stale_ms;
  };
  return std::any_of(sums_.begin(), sums_.end(), [&fresh](const Sums& one) {
    return any(one.sums) || std::any_of(one.heard_ms.begin(), one.heard_ms.end(), fresh);
  });
}

void Evaluator::encode_sums(ByteWriter& out) const {
  for (std::size_t i = 0; i < operands_.size(); ++i) {
    const Sums& of = sums_[i];
    const Space& space = spaces_[operands_[i].space];
    const auto known = std::count(of.known.begin(), of.known.end(), 1);
    out.varint(static_cast<std::uint64_t>(known));
    for (std::size_t group = 0; group < of.known.size(); ++group) {
      if (of.known[group] == 0) continue;
      out.short_bytes(space.keys[group]);
      if (operands_[i].is_gauge) {
        out.f64(of.values[group]);
        out.varint(static_cast<std::uint64_t>(of.heard_ms[group]));
        continue;
      }
      if (!operands_[i].by_bucket) {
        out.varint(static_cast<std::uint64_t>(of.sums[group]));
        continue;
      }
      const auto& buckets = of.buckets[group];
      out.varint(buckets.size() -
                 static_cast<std::size_t>(std::count(buckets.begin(), buckets.end(), 0)));
      for (std::size_t bucket = 0; bucket < buckets.size(); ++bucket) {
        if (buckets[bucket] == 0) continue;
        out.varint(bucket);
        out.varint(static_cast<std::uint64_t>(buckets[bucket]));
      }
    }
  }
}

// A gauge of several is the worst or the sum of them, as its row says.
void Evaluator::merge_gauge(Target target, double value, std::int64_t heard_ms) {
  Sums& into = sums_[target.operand];
  const bool worst = info(operands_[target.operand].of[0].metric).together == Together::max;
  double& held = into.values[target.group];
  if (into.heard_ms[target.group] == 0)
    held = value;
  else
    held = worst ? std::max(held, value) : held + value;
  into.heard_ms[target.group] = std::max(into.heard_ms[target.group], heard_ms);
}

bool Evaluator::add_sums(ByteReader& in) {
  constexpr std::uint64_t bucket_max = 1'024;
  for (std::uint32_t i = 0; i < operands_.size(); ++i) {
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      const std::uint32_t group = group_of(operands_[i].space, in.short_bytes());
      if (group != none) sums_[i].known[group] = 1;
      if (operands_[i].is_gauge) {
        const double value = in.f64();
        const auto heard_ms = static_cast<std::int64_t>(in.varint());
        if (group != none && in.ok()) merge_gauge({i, group}, value, heard_ms);
        continue;
      }
      if (!operands_[i].by_bucket) {
        const auto sum = static_cast<std::int64_t>(in.varint());
        if (group != none) count({i, group}, sum, 0);
        continue;
      }
      for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
        const std::uint64_t bucket = in.varint();
        const auto amount = static_cast<std::int64_t>(in.varint());
        if (bucket >= bucket_max) return false;
        if (group != none) count({i, group}, amount, static_cast<std::uint32_t>(bucket));
      }
    }
  }
  return in.ok();
}

}  // namespace z0
