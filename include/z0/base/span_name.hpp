// Names of spans: z0.{layer}.{component}.{operation}, as z0.do.ledger.append_fact.
//
// A name that breaks the convention cannot be made: a literal does not compile, and a text that came
// from elsewhere is no name until read() took it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "z0/base/trap.hpp"

namespace z0 {

// Where something was executed.
inline constexpr std::string_view span_layers[] = {"worker", "do", "d1", "queue", "external"};
inline constexpr std::size_t span_name_bytes_max = 128;

class SpanName {
 public:
  // Whether a text is a name: four parts, the first of them z0, the second a layer, the others of
  // [a-z][a-z0-9_]*, and at most span_name_bytes_max bytes.
  static constexpr bool valid(std::string_view name) {
    if (name.size() > span_name_bytes_max || !name.starts_with("z0.")) return false;
    std::string_view rest = name.substr(3);
    const std::size_t dot = rest.find('.');
    if (dot == std::string_view::npos || !is_layer(rest.substr(0, dot))) return false;
    rest.remove_prefix(dot + 1);
    const std::size_t second = rest.find('.');
    return second != std::string_view::npos && is_word(rest.substr(0, second)) &&
           is_word(rest.substr(second + 1));
  }
  // False, and `out` untouched, for a text that is none. Borrows it.
  [[nodiscard]] static constexpr bool read(std::string_view name, SpanName& out) {
    if (!valid(name)) return false;
    out.text_ = name;
    return true;
  }

  constexpr SpanName() = default;  // empty: no span
  template <std::size_t N>
  consteval SpanName(const char (&literal)[N])
      : text_(literal, N - 1) {                                    // NOLINT: a literal is one
    if (!valid(text_)) trap("a span is named by the convention");  // ends the compilation
  }

  constexpr std::string_view text() const { return text_; }
  constexpr bool empty() const { return text_.empty(); }

 private:
  static constexpr bool is_layer(std::string_view text) {
    for (const std::string_view layer : span_layers) {
      if (layer == text) return true;
    }
    return false;
  }
  static constexpr bool is_word(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      const bool letter = c >= 'a' && c <= 'z';
      const bool later = (c >= '0' && c <= '9') || c == '_';
      if (!letter && (i == 0 || !later)) return false;
    }
    return !text.empty();
  }

  std::string_view text_;
};

}  // namespace z0
