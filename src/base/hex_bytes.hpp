// The bytes of an id that is known to be hexadecimal.
#pragma once

#include <string>
#include <string_view>

#include "z0/base/ids.hpp"
#include "z0/base/trap.hpp"

namespace z0 {

inline std::string bytes_of_hex(std::string_view hex) {
  std::string bytes(hex.size() / 2, '\0');
  if (!from_hex(hex, bytes.data(), bytes.size())) trap("an id of ours is hexadecimal");
  return bytes;
}

}  // namespace z0
