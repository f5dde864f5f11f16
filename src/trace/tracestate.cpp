#include "z0/trace/tracestate.hpp"

#include <algorithm>
#include <vector>

#include "base/trimmed.hpp"
#include "z0/base/trace_headers.hpp"
#include "z0/trace/context.hpp"

namespace z0 {
namespace {

constexpr std::size_t key_bytes_max = 256;
constexpr std::size_t tenant_bytes_max = 241;
constexpr std::size_t system_bytes_max = 14;
constexpr std::size_t value_bytes_max = 256;
// Members that go first where not all fit.
constexpr std::size_t long_member_bytes = 128;
// "z0=", a span id, a comma.
constexpr std::size_t own_bytes = tracestate_key.size() + 1 + 2 * span_id_bytes + 1;

struct Member {
  std::string_view key;
  std::string_view value;

  std::size_t bytes() const { return key.size() + 1 + value.size(); }
};

bool letter(char c) { return c >= 'a' && c <= 'z'; }
bool letter_or_digit(char c) { return letter(c) || (c >= '0' && c <= '9'); }
bool key_character(char c) {
  return letter_or_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
}

bool key_part(std::string_view text, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && letter_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), key_character);
}

bool valid_key(std::string_view key) {
  const std::size_t at = key.find('@');
  if (at == std::string_view::npos) return key_part(key, key_bytes_max);
  const std::string_view system = key.substr(at + 1);
  return key_part(key.substr(0, at), tenant_bytes_max) && key_part(system, system_bytes_max) &&
         letter(system.front());
}

// A blank at its end is not a part of it: it was taken away with those around the member.
bool valid_value(std::string_view value) {
  return !value.empty() && value.size() <= value_bytes_max &&
         std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

// False when the header is to be dropped.
bool read_members(std::string_view header, std::vector<Member>& members) {
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    const std::string_view text = trimmed(header.substr(0, comma));
    header.remove_prefix(std::min(comma + 1, header.size()));
    if (text.empty()) continue;
    const std::size_t equals = std::min(text.find('='), text.size());
    const Member member{text.substr(0, equals), text.substr(std::min(equals + 1, text.size()))};
    const bool twice = std::any_of(members.begin(), members.end(),
                                   [&](const Member& m) { return m.key == member.key; });
    if (twice || !valid_key(member.key) || !valid_value(member.value) ||
        members.size() == tracestate_members_max) {
      return false;
    }
    members.push_back(member);
  }
  return true;
}

std::size_t bytes_of_list(const std::vector<Member>& members) {
  std::size_t bytes = members.empty() ? 0 : members.size() - 1;
  for (const Member& member : members) bytes += member.bytes();
  return bytes;
}

void make_room(std::vector<Member>& members) {
  constexpr std::size_t bytes_max = tracestate_bytes_max - own_bytes;
  if (members.size() == tracestate_members_max) members.pop_back();
  for (std::size_t i = members.size(); i > 0 && bytes_of_list(members) > bytes_max; --i) {
    if (members[i - 1].bytes() > long_member_bytes)
      members.erase(members.begin() + static_cast<std::ptrdiff_t>(i - 1));
  }
  while (bytes_of_list(members) > bytes_max) members.pop_back();
}

}  // namespace

std::string others_tracestate(std::string_view header) {
  std::vector<Member> members;
  if (!read_members(header, members)) return {};
  std::erase_if(members, [](const Member& member) { return member.key == tracestate_key; });
  make_room(members);
  std::string list;
  for (const Member& member : members) {
    if (!list.empty()) list += ',';
    list.append(member.key).append("=").append(member.value);
  }
  return list;
}

}  // namespace z0
