// How a range of leaves falls apart into the largest complete subtrees whose bounds are multiples
// of their size.
#pragma once

#include <cstdint>

namespace z0 {

// The level of the first of them; begin < end. From left to right they grow, then they shrink.
inline std::uint8_t first_level(std::int64_t begin, std::int64_t end) {
  const int widest = 63 - __builtin_clzll(static_cast<std::uint64_t>(end - begin));
  const int aligned = begin == 0 ? 63 : __builtin_ctzll(static_cast<std::uint64_t>(begin));
  return static_cast<std::uint8_t>(aligned < widest ? aligned : widest);
}

}  // namespace z0
