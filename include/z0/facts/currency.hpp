// The currencies of ISO 4217 and how many digits of an amount stand behind the point.
#pragma once

#include <string_view>

namespace z0 {

// Three capital letters. Histories are folded by the form alone, so that what they come to does not
// change with the table.
constexpr bool has_currency_form(std::string_view code) {
  for (const char c : code) {
    if (c < 'A' || c > 'Z') return false;
  }
  return code.size() == 3;
}

// Minor digits of a code: 2 for USD, 0 for JPY, 3 for KWD; -1 when ISO 4217 has no such code. What
// has no minor unit, as gold, counts whole.
int minor_digits(std::string_view code);

// What a new fact or config may name.
inline bool known_currency(std::string_view code) { return minor_digits(code) >= 0; }

}  // namespace z0
