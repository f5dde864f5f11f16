// https://en.wikipedia.org/wiki/Binomial_test; the terms are those of the mass function, one from the
// other: p(k + 1) = p(k) (n - k) / (k + 1) rate / (1 - rate).
#include "z0/alerts/chance.hpp"

#include <algorithm>
#include <cmath>

namespace z0 {
namespace {

double log_mass(std::int64_t k, std::int64_t n, double rate) {
  const auto of = static_cast<double>(k);
  const auto all = static_cast<double>(n);
  return std::lgamma(all + 1) - std::lgamma(of + 1) - std::lgamma(all - of + 1) +
         of * std::log(rate) + (all - of) * std::log1p(-rate);
}

// The sum of the terms from `k` on, upwards; they fall from the mean on, so it ends soon.
double upper_sum(std::int64_t k, std::int64_t n, double rate) {
  double term = std::exp(log_mass(k, n, rate));
  double sum = 0;
  for (; k <= n; ++k) {
    sum += term;
    if (term < sum * 1e-17) break;
    term *= static_cast<double>(n - k) / static_cast<double>(k + 1) * rate / (1 - rate);
  }
  return sum;
}

}  // namespace

double chance_of(std::int64_t failures, std::int64_t events, double rate) {
  failures = std::min(failures, events);
  if (failures <= 0 || rate >= 1) return 1;
  if (rate <= 0) return 0;
  // Up to the mean the other end is the shorter sum, seen from the side of what went well.
  if (static_cast<double>(failures) > static_cast<double>(events) * rate)
    return std::min(1.0, upper_sum(failures, events, rate));
  return std::max(0.0, 1 - upper_sum(events - failures + 1, events, 1 - rate));
}

}  // namespace z0
