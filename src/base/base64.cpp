#include "z0/base/base64.hpp"

#include <cstddef>
#include <cstdint>

namespace z0 {
namespace {

// The two alphabets differ in their last two digits.
constexpr std::string_view standard = "+/";
constexpr std::string_view url = "-_";
constexpr std::string_view common_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::uint32_t no_base64_digit = 64;

char digit(std::uint32_t value, std::string_view last_two) {
  return value < common_digits.size() ? common_digits[value]
                                      : last_two[value - common_digits.size()];
}

std::uint32_t value_of(char c, std::string_view last_two) {
  const auto from = [c](char first, int value) {
    return static_cast<std::uint32_t>(c - first + value);
  };
  if (c >= 'A' && c <= 'Z') return from('A', 0);
  if (c >= 'a' && c <= 'z') return from('a', 26);
  if (c >= '0' && c <= '9') return from('0', 52);
  if (c == last_two[0]) return 62;
  if (c == last_two[1]) return 63;
  return no_base64_digit;
}

std::string encode(std::string_view bytes, std::string_view last_two) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (held += 8; held >= 6;) {
      held -= 6;
      out.push_back(digit((bits >> held) & 63, last_two));
    }
  }
  if (held > 0) out.push_back(digit((bits << (6 - held)) & 63, last_two));
  return out;
}

bool decode(std::string_view text, std::string_view last_two, std::string& out) {
  out.clear();
  // One digit over a multiple of four holds six bits: no byte.
  if (text.size() % 4 == 1) return false;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const std::uint32_t value = value_of(c, last_two);
    if (value == no_base64_digit) return false;
    bits = (bits << 6) | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<char>((bits >> held) & 0xff));
    }
  }
  // Bits that are left over carry nothing. Were they free, one signature would have several texts.
  return (bits & ((1u << held) - 1)) == 0;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out = encode(bytes, standard);
  while (out.size() % 4 != 0) out.push_back('=');
  return out;
}

bool base64_decode(std::string_view text, std::string& out) {
  if (text.size() % 4 != 0) return false;
  // A third sign would leave one digit of four, which no byte string has.
  for (int signs = 0; signs < 2 && !text.empty() && text.back() == '='; ++signs) {
    text.remove_suffix(1);
  }
  return decode(text, standard, out);
}

std::string base64url_encode(std::string_view bytes) { return encode(bytes, url); }

bool base64url_decode(std::string_view text, std::string& out) { return decode(text, url, out); }

}  // namespace z0
