// When to try again: exponential back-off with jitter, never sooner than the server asked for.
#pragma once

#include <algorithm>
#include <cstdint>

namespace z0::cli {

struct RetryPolicy {
  int retries = 8;  // after the first attempt
  std::int64_t pause_ms_first = 250;
  std::int64_t pause_ms_max = 15'000;
};

// The pause before retry number `retry`, from 1. Half of it is fixed and half is random, so that
// clients which failed together do not return together. `random` is in [0, 1).
inline std::int64_t pause_ms(const RetryPolicy& policy, int retry, double random,
                             std::int64_t retry_after_ms) {
  std::int64_t whole = policy.pause_ms_first;
  for (int i = 1; i < retry && whole < policy.pause_ms_max; ++i) whole *= 2;
  whole = std::min(whole, policy.pause_ms_max);
  const std::int64_t half = whole / 2;
  const auto jitter = static_cast<std::int64_t>(static_cast<double>(whole - half) * random);
  return std::max(half + jitter, retry_after_ms);
}

}  // namespace z0::cli
