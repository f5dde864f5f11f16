// Cutting text that goes into an answer or a record.
#pragma once

#include <cstddef>
#include <string_view>

namespace z0 {

// At most `bytes_max` of the text, which is UTF-8, cut between two characters.
inline std::string_view shorten(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  const auto continues = [&](std::size_t i) {
    return (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80;
  };
  while (bytes_max > 0 && continues(bytes_max)) --bytes_max;
  return text.substr(0, bytes_max);
}

}  // namespace z0
