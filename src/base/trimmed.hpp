// The blanks around a value of an HTTP header, or of an element of its list, are not part of it
// (RFC 9110, 5.5 and 5.6.1).
#pragma once

#include <cstddef>
#include <string_view>

namespace z0 {

inline std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace z0
