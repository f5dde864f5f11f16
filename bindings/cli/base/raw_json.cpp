#include "base/raw_json.hpp"

#include <cstddef>

namespace z0::cli {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // A string with its quotes; an escape hides the character after it.
  bool string(std::string_view& raw) {
    skip_space();
    const std::size_t begin = at_;
    if (at_ == text_.size() || text_[at_] != '"') return false;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        raw = text_.substr(begin, ++at_ - begin);
        return true;
      }
    }
    at_ = text_.size();
    return false;
  }

  bool value(std::string_view& raw) {
    skip_space();
    if (at_ == text_.size()) return false;
    const std::size_t begin = at_;
    const char first = text_[at_];
    if (first == '"') return string(raw);
    if (!(first == '{' || first == '[' ? brackets() : scalar())) return false;
    raw = text_.substr(begin, at_ - begin);
    return true;
  }

  bool at_end() {
    skip_space();
    return at_ == text_.size();
  }

 private:
  // Up to the bracket that closes the first one. Kinds are not compared: the server does that.
  bool brackets() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        std::string_view ignored;
        if (!string(ignored)) return false;
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return true;
    }
    return false;
  }

  bool scalar() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != ',' && text_[at_] != '}') {
      ++at_;
    }
    return at_ > begin;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool raw_members(std::string_view text, std::vector<RawMember>& members) {
  members.clear();
  Scanner scanner(text);
  if (!scanner.take('{')) return false;
  if (scanner.take('}')) return scanner.at_end();
  do {
    RawMember member;
    if (!scanner.string(member.key) || !scanner.take(':') || !scanner.value(member.value)) {
      return false;
    }
    member.key = member.key.substr(1, member.key.size() - 2);
    members.push_back(member);
  } while (scanner.take(','));
  return scanner.take('}') && scanner.at_end();
}

std::string_view raw_value(const std::vector<RawMember>& members, std::string_view key) {
  for (const RawMember& member : members) {
    if (member.key == key) return member.value;
  }
  return {};
}

}  // namespace z0::cli
