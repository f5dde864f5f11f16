// The leaves of the JSON reader: what is found by looking at bytes alone, without a cursor's state.
//
// Only src/json includes this. Every function takes [p, end) and reads nothing outside of it;
// `begin`, where it is asked for, is the start of the whole text, so that the last 16 bytes of a
// text can be loaded at once even when fewer of them are still unread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "z0/json/json.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

namespace z0::json_scan {

inline std::string_view view(const char* from, const char* to) {
  return {from, static_cast<std::size_t>(to - from)};
}

// -- sixteen bytes at a time --------------------------------------------------------------------

// The vector extension of clang and gcc: the comparisons are portable, only the way from lanes to
// bits is not.
typedef signed char Lanes __attribute__((vector_size(16)));
typedef unsigned char UnsignedLanes __attribute__((vector_size(16)));

inline Lanes load_lanes(const char* p) {
  Lanes lanes;
  std::memcpy(&lanes, p, sizeof lanes);
  return lanes;
}

// Bit i is the sign of lane i.
inline unsigned signs(Lanes lanes) {
#if defined(__SSE2__)
  return static_cast<unsigned>(_mm_movemask_epi8(reinterpret_cast<__m128i>(lanes)));
#elif defined(__wasm_simd128__)
  return static_cast<unsigned>(wasm_i8x16_bitmask(reinterpret_cast<v128_t>(lanes)));
#else
  // The multiplication brings the eight signs of a half next to each other into the top byte.
  std::uint64_t half[2];
  std::memcpy(half, &lanes, sizeof half);
  const auto top = [](std::uint64_t x) {
    return static_cast<unsigned>((((x >> 7) & 0x0101010101010101u) * 0x0102040810204080u) >> 56);
  };
  return top(half[0]) | (top(half[1]) << 8);
#endif
}

// What ends a run of bytes that mean themselves. A reader stops at non-ASCII bytes because it
// checks them; a writer that trusts its text passes over them.
enum class Stop { at_non_ascii, over_non_ascii };

template <Stop stop>
inline unsigned special_bits(const char* p) {
  const Lanes lanes = load_lanes(p);
  const Lanes marks = (lanes == '"') | (lanes == '\\');
  if constexpr (stop == Stop::at_non_ascii) {
    // As signed bytes, the controls and everything above ASCII are less than a space.
    return signs(marks | (lanes < ' '));
  } else {
    const UnsignedLanes space = UnsignedLanes{} + static_cast<unsigned char>(' ');
    return signs(marks | reinterpret_cast<Lanes>(reinterpret_cast<UnsignedLanes>(lanes) < space));
  }
}

template <Stop stop>
inline bool special(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u < 0x20 || c == '"' || c == '\\' || (stop == Stop::at_non_ascii && u >= 0x80);
}

// The first byte from p on that a string must look at; `end` when there is none.
template <Stop stop = Stop::at_non_ascii>
inline const char* skip_plain(const char* p, const char* begin, const char* end) {
  while (end - p >= 16) {
    if (const unsigned bits = special_bits<stop>(p)) return p + __builtin_ctz(bits);
    p += 16;
  }
  if (end - begin >= 16) {
    const unsigned bits = special_bits<stop>(end - 16) >> (16 - (end - p));
    return bits != 0 ? p + __builtin_ctz(bits) : end;
  }
  while (p != end && !special<stop>(*p)) ++p;
  return p;
}

// -- characters ---------------------------------------------------------------------------------

inline bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

inline const char* skip_space(const char* p, const char* end) {
  while (p != end && is_space(*p)) ++p;
  return p;
}

inline const char* skip_digits(const char* p, const char* end) {
  while (p != end && is_digit(*p)) ++p;
  return p;
}

// The kind of value that a byte begins, `error` for a byte that begins none.
inline constexpr auto kinds = [] {
  std::array<JsonKind, 256> table{};
  for (auto& kind : table) kind = JsonKind::error;
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = JsonKind::number;
  table['-'] = JsonKind::number;
  table['{'] = JsonKind::object;
  table['['] = JsonKind::array;
  table['"'] = JsonKind::string;
  table['t'] = table['f'] = JsonKind::boolean;
  table['n'] = JsonKind::null;
  return table;
}();

inline JsonKind kind_of(char c) { return kinds[static_cast<unsigned char>(c)]; }

// The length of the UTF-8 sequence at p, p != end; 0 when it is none. The second byte's range is
// what keeps out overlong forms, surrogates and everything above U+10FFFF (RFC 3629, section 4).
inline std::size_t utf8_length(const char* p, const char* end) {
  const auto at = [p](std::size_t i) { return static_cast<unsigned char>(p[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (static_cast<std::size_t>(end - p) < length) return 0;
  const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

// Writes the UTF-8 of a code point that is no surrogate; returns its length.
inline std::size_t encode_utf8(std::uint32_t code, char* out) {
  const auto tail = [code](unsigned shift) {
    return static_cast<char>(0x80 | ((code >> shift) & 0x3f));
  };
  if (code < 0x80) {
    out[0] = static_cast<char>(code);
    return 1;
  }
  if (code < 0x800) {
    out[0] = static_cast<char>(0xc0 | (code >> 6));
    out[1] = tail(0);
    return 2;
  }
  if (code < 0x10000) {
    out[0] = static_cast<char>(0xe0 | (code >> 12));
    out[1] = tail(6);
    out[2] = tail(0);
    return 3;
  }
  out[0] = static_cast<char>(0xf0 | (code >> 18));
  out[1] = tail(12);
  out[2] = tail(6);
  out[3] = tail(0);
  return 4;
}

// Writes the shortest spelling of an ASCII character inside a JSON string, at most 6 bytes; returns
// its length.
inline std::size_t encode_escape(unsigned char c, char* out) {
  constexpr std::string_view letters = "btn?fr";  // for 8, 9, 10, 12 and 13; 11 has no letter
  constexpr std::string_view hex = "0123456789abcdef";
  if (c >= 0x20 && c != '"' && c != '\\') {
    out[0] = static_cast<char>(c);
    return 1;
  }
  out[0] = '\\';
  if (c >= 0x20 || (c >= 8 && c <= 13 && c != 11)) {
    out[1] = c >= 0x20 ? static_cast<char>(c) : letters[c - 8u];
    return 2;
  }
  std::memcpy(out + 1, "u00", 3);
  out[4] = hex[c >> 4];
  out[5] = hex[c & 15];
  return 6;
}

// -- tokens -------------------------------------------------------------------------------------

// Where a token ends, or where it is wrong.
struct Scanned {
  const char* at;
  JsonError error;
};

// Four hex digits at p, of which `left` bytes can be read; -1 when they are not that.
inline std::int32_t read_hex4(const char* p, std::ptrdiff_t left) {
  if (left < 4) return -1;
  std::int32_t code = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = p[i];
    const char lower = static_cast<char>(c | 0x20);
    int digit = -1;
    if (is_digit(c)) digit = c - '0';
    if (lower >= 'a' && lower <= 'f') digit = lower - 'a' + 10;
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

// An escape; p is at its backslash. Half a surrogate pair is no error of grammar.
inline Scanned scan_escape(const char* p, const char* end, std::uint32_t& code) {
  if (end - p < 2) return {end, JsonError::syntax};
  const char c = p[1];
  if (c != 'u') {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const std::size_t i = letters.find(c);
    if (i == std::string_view::npos) return {p, JsonError::syntax};
    code = static_cast<unsigned char>(meanings[i]);
    return {p + 2, JsonError::none};
  }
  const std::int32_t first = read_hex4(p + 2, end - p - 2);
  if (first < 0) return {p, JsonError::syntax};
  code = static_cast<std::uint32_t>(first);
  if (code < 0xd800 || code > 0xdfff) return {p + 6, JsonError::none};
  if (code > 0xdbff) return {p, JsonError::lone_surrogate};
  if (end - p < 8 || p[6] != '\\' || p[7] != 'u') return {p, JsonError::lone_surrogate};
  const std::int32_t second = read_hex4(p + 8, end - p - 8);
  if (second < 0) return {p + 6, JsonError::syntax};
  if (second < 0xdc00 || second > 0xdfff) return {p, JsonError::lone_surrogate};
  code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<std::uint32_t>(second) - 0xdc00);
  return {p + 12, JsonError::none};
}

// A string; p is at its opening quote and the result after its closing one. Calls
// on_escape(from, to, code) for each escape.
template <class OnEscape>
inline Scanned scan_string(const char* p, const char* begin, const char* end,
                           OnEscape&& on_escape) {
  ++p;
  for (;;) {
    p = skip_plain(p, begin, end);
    if (p == end) return {p, JsonError::syntax};
    const char c = *p;
    if (c == '"') return {p + 1, JsonError::none};
    if (c == '\\') {
      std::uint32_t code = 0;
      const Scanned escape = scan_escape(p, end, code);
      if (escape.error != JsonError::none) return escape;
      on_escape(p, escape.at, code);
      p = escape.at;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      return {p, JsonError::syntax};
    } else {
      // Text in other scripts comes in runs: stay here until the next ASCII byte.
      do {
        const std::size_t length = utf8_length(p, end);
        if (length == 0) return {p, JsonError::utf8};
        p += length;
      } while (p != end && static_cast<unsigned char>(*p) >= 0x80);
    }
  }
}

// The parts of a number's text. `integer_end` is where fraction or exponent begin.
struct NumberText {
  const char* integer_end;
  const char* exponent;  // its e, or where the number ends
};

// A number; p is at its first byte.
inline Scanned scan_number(const char* p, const char* end, NumberText& text) {
  if (*p == '-') ++p;
  const char* digits = p;
  p = skip_digits(p, end);
  if (p == digits) return {p, JsonError::syntax};
  if (*digits == '0' && p - digits > 1) return {digits, JsonError::syntax};
  text.integer_end = p;
  if (p != end && *p == '.') {
    digits = ++p;
    p = skip_digits(p, end);
    if (p == digits) return {p, JsonError::syntax};
  }
  text.exponent = p;
  if (p != end && (*p | 0x20) == 'e') {
    ++p;
    if (p != end && (*p == '+' || *p == '-')) ++p;
    digits = p;
    p = skip_digits(p, end);
    if (p == digits) return {p, JsonError::syntax};
  }
  return {p, JsonError::none};
}

// true, false or null; p is at the first byte.
inline Scanned scan_literal(const char* p, const char* end) {
  const std::string_view word = *p == 't' ? "true" : *p == 'f' ? "false" : "null";
  if (view(p, end).substr(0, word.size()) != word) {
    return {p, JsonError::syntax};
  }
  return {p + word.size(), JsonError::none};
}

}  // namespace z0::json_scan
