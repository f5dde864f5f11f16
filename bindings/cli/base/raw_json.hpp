// The members of a JSON object as raw text, for a tool that must pass bytes on unchanged.
//
// Lenient on purpose: it finds where values begin and end and judges nothing, so that a broken fact
// still reaches the server, which says what is broken. To read values use nlohmann/json.
#pragma once

#include <string_view>
#include <vector>

namespace z0::cli {

// Views into the text. `key` is without its quotes and as written; `value` is without white space
// around it.
struct RawMember {
  std::string_view key;
  std::string_view value;
};

// Whether `text` is one object, and nothing but white space around it; then its members in order.
bool raw_members(std::string_view text, std::vector<RawMember>& members);

// The value of the first member of that name, or empty.
std::string_view raw_value(const std::vector<RawMember>& members, std::string_view key);

std::string_view trimmed(std::string_view text);

}  // namespace z0::cli
