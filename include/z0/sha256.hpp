// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104). Scalar; a host without WebCrypto needs nothing
// else.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace z0 {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view message);
Digest hmac_sha256(std::string_view key, std::string_view message);

// Whether two byte strings are equal, in a time that depends on their lengths only.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace z0
