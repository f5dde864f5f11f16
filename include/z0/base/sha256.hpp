// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104); a host without WebCrypto needs nothing else.
//
// Use sha256_each wherever there are several messages: it hashes four at a time, one in each lane
// of a 128-bit vector, which takes a third of the time (WebAssembly's SIMD, SSE2, NEON).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace z0 {

using Digest = std::array<std::uint8_t, 32>;
// As a text that borrows it.
inline std::string_view bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Digest sha256(std::string_view message);
// out[i] is the hash of the byte `prefix` and then messages[i]: RFC 6962 tells leaves from inner
// nodes by such a byte. Messages may have any lengths; `out` has room for as many digests and lies
// in none of them.
void sha256_each(std::uint8_t prefix, std::span<const std::string_view> messages, Digest* out);

Digest hmac_sha256(std::string_view key, std::string_view message);

// Whether two byte strings are equal, in a time that depends on their lengths only.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace z0
