// Base 64 (RFC 4648), strictly: each byte string has one text, and decoding takes no other. Padding
// that is missing or too much, digits of the other alphabet, white space and non-zero bits behind
// the last byte are refused.
//
// The standard alphabet (section 4) is padded: C2SP notes and keys. The other one (section 5) is
// not: tokens and page cursors. A decode that fails leaves `out` in no certain state.
#pragma once

#include <string>
#include <string_view>

namespace z0 {

std::string base64_encode(std::string_view bytes);
[[nodiscard]] bool base64_decode(std::string_view text, std::string& out);

std::string base64url_encode(std::string_view bytes);
[[nodiscard]] bool base64url_decode(std::string_view text, std::string& out);

}  // namespace z0
