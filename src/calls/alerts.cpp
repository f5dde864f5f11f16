#include "z0/calls/alerts.hpp"

#include <algorithm>
#include <cmath>

namespace z0 {

std::int64_t millionths(double value) {
  // Beyond nine million millions nobody reads digits.
  constexpr double most = 9e12;
  return std::llround(std::min(std::max(value, -most), most) * 1e6);
}

}  // namespace z0
