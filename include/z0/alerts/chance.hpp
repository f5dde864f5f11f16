// Whether a rate that was seen can be chance.
//
// A rate over few events says little: one failure of two is half of all, and of a service that fails
// once in a thousand calls every tenant sees it some day. The exact binomial test asks how probable
// so many failures, or more, are of a service that fails just as often as the rule allows.
#pragma once

#include <cstdint>

namespace z0 {

// P(X >= failures) of `events` independent ones that each fail with probability `rate`. Exact but for
// rounding: terms of the shorter sum, in logarithms. 1 for no failures; rate: 0 to 1.
double chance_of(std::int64_t failures, std::int64_t events, double rate);

// Below it, a rate above the threshold is no chance.
inline constexpr double chance_max = 0.001;

}  // namespace z0
