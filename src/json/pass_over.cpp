// Passing over a value that was not taken although its text is readable.
#include <algorithm>
#include <string>

#include "json/scan.hpp"
#include "z0/json/json.hpp"

namespace z0 {
namespace {

using json_scan::Scanned;
using json_scan::view;

// Knows the grammar and nothing else. Brackets are remembered one by one, so nesting has no bound
// but the text's own size.
class Passer {
 public:
  Passer(const char* end, std::span<JsonReader::Named> named) : end_(end), named_(named) {}

  // Behind the value at p; null when there is a fault, and then where() says at which byte.
  const char* pass(const char* p) {
    do {
      p = value(p);
      if (p != nullptr) p = behind_value(p);
    } while (p != nullptr && !open_.empty());
    return p;
  }

  const char* where() const { return where_; }

 private:
  const char* fault(const char* at) {
    where_ = at;
    return nullptr;
  }

  // The next byte that is no white space.
  const char* gap(const char* p) {
    p = json_scan::skip_space(p, end_);
    return p != end_ ? p : fault(p);
  }

  // A scalar or an empty value, or the way down to the first value that is one of them.
  const char* value(const char* p) {
    for (;;) {
      if ((p = gap(p)) == nullptr) return p;
      const JsonKind kind = json_scan::kind_of(*p);
      if (kind != JsonKind::object && kind != JsonKind::array) return scalar(p, kind);
      open_.push_back(kind == JsonKind::object ? '}' : ']');
      if ((p = gap(p + 1)) == nullptr || *p == open_.back()) return p;
      if (kind == JsonKind::object && (p = key(p)) == nullptr) return p;
    }
  }

  // Closes what ends here; stops behind the comma, and the key, that lead to the next value.
  const char* behind_value(const char* p) {
    while (!open_.empty()) {
      if ((p = gap(p)) == nullptr) return p;
      if (*p == ',') return open_.back() == '}' ? key(p + 1) : p + 1;
      if (*p != open_.back()) return fault(p);
      open_.pop_back();
      ++p;
    }
    return p;
  }

  const char* key(const char* p) {
    if ((p = gap(p)) == nullptr) return p;
    if (*p != '"') return fault(p);
    const char* const from = p;
    if ((p = string(p)) == nullptr) return p;
    key_ = view(from + 1, p - 1);
    if ((p = gap(p)) == nullptr) return p;
    return *p == ':' ? p + 1 : fault(p);
  }

  const char* scalar(const char* p, JsonKind kind) {
    if (kind == JsonKind::string) {
      const char* const from = p;
      p = string(p);
      if (p != nullptr && open_.size() == 1 && open_[0] == '}') remember(view(from + 1, p - 1));
      return p;
    }
    Scanned token{p, JsonError::syntax};
    json_scan::NumberText text;
    if (kind == JsonKind::number) token = json_scan::scan_number(p, end_, text);
    if (kind == JsonKind::boolean || kind == JsonKind::null)
      token = json_scan::scan_literal(p, end_);
    return token.error == JsonError::none ? token.at : fault(token.at);
  }

  // What lies between two quotes. Bytes above ASCII are never a quote, well-formed or not.
  const char* string(const char* p) {
    for (++p; p != end_ && *p != '"';) {
      if (static_cast<unsigned char>(*p) < 0x20) return fault(p);
      if (*p != '\\') {
        ++p;
        continue;
      }
      std::uint32_t code = 0;
      const Scanned escape = json_scan::scan_escape(p, end_, code);
      if (escape.error == JsonError::syntax) return fault(escape.at);
      p = escape.error == JsonError::lone_surrogate ? p + 6 : escape.at;
    }
    return p != end_ ? p + 1 : fault(p);
  }

  void remember(std::string_view text) {
    if (text.find('\\') != std::string_view::npos) return;
    for (auto& member : named_) {
      if (member.name == key_ && member.value.empty()) member.value = text;
    }
  }

  const char* end_;
  std::span<JsonReader::Named> named_;
  std::string open_;  // the brackets that close what is open, innermost last
  std::string_view key_;
  const char* where_ = nullptr;
};

}  // namespace

bool JsonReader::pass_over(Place at, std::span<Named> named) {
  if (error_ == JsonError::syntax) return false;
  Passer passer(end_, named);
  const char* const behind = passer.pass(begin_ + at.offset);
  error_ = JsonError::none;
  depth_ = at.depth;
  first_ = false;
  if (behind == nullptr) return fail(JsonError::syntax, passer.where());
  p_ = behind;
  return true;
}

}  // namespace z0
