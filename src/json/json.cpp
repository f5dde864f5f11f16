#include "z0/json/json.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/sort.hpp"
#include "json/minify.hpp"
#include "json/scan.hpp"

namespace z0 {
namespace {

using json_scan::NumberText;
using json_scan::Scanned;
using json_scan::view;

}  // namespace

JsonReader::JsonReader(std::string_view text, std::size_t depth_max)
    : begin_(text.data()),
      p_(text.data()),
      end_(text.data() + text.size()),
      depth_max_(std::min(depth_max, json_minify::levels_max)) {}

bool JsonReader::fail(JsonError error, const char* at) {
  if (!failed()) {
    error_ = error;
    error_at_ = at;
  }
  p_ = end_;
  return false;
}

bool JsonReader::need_byte() {
  p_ = json_scan::skip_space(p_, end_);
  return p_ != end_ || fail(JsonError::syntax, p_);
}

JsonKind JsonReader::peek() {
  p_ = json_scan::skip_space(p_, end_);
  if (p_ == end_) {
    if (!failed() && depth_ == 0) return JsonKind::end;
    fail(JsonError::syntax, p_);
    return JsonKind::error;
  }
  const JsonKind kind = json_scan::kind_of(*p_);
  if (kind == JsonKind::error) fail(JsonError::syntax, p_);
  return kind;
}

bool JsonReader::enter(char bracket) {
  if (!need_byte()) return false;
  if (*p_ != bracket) return fail(JsonError::syntax, p_);
  if (depth_ >= depth_max_) return fail(JsonError::depth, p_);
  ++depth_;
  ++p_;
  first_ = true;
  return true;
}

bool JsonReader::enter_object() { return enter('{'); }
bool JsonReader::enter_array() { return enter('['); }

bool JsonReader::next(char bracket) {
  if (!need_byte()) return false;
  const bool first = std::exchange(first_, false);
  if (*p_ == bracket && depth_ != 0) {
    ++p_;
    --depth_;
    return false;
  }
  if (first) return true;
  if (*p_ != ',') return fail(JsonError::syntax, p_);
  ++p_;
  if (!need_byte()) return false;
  return *p_ != bracket || fail(JsonError::syntax, p_);
}

bool JsonReader::next_element() { return next(']'); }

// As JSON.stringify writes them: nothing but `,"key":`, the key without escapes and of less than 16
// bytes. All else, errors and the end of the object included, takes the long way.
bool JsonReader::next_plain_member(std::string_view& key) {
  const char* p = p_;
  if (end_ - p < 18 || depth_ == 0) return false;
  if (!first_ && *p++ != ',') return false;
  if (*p++ != '"') return false;
  const unsigned bits = json_scan::special_bits<json_scan::Stop::at_non_ascii>(p);
  if (bits == 0) return false;
  const char* const to = p + __builtin_ctz(bits);
  if (*to != '"' || to + 1 == end_ || to[1] != ':') return false;
  key = view(p, to);
  p_ = to + 2;
  first_ = false;
  return true;
}

bool JsonReader::next_member(std::string_view& key) {
  if (next_plain_member(key)) return true;
  if (!next('}') || !string(key, key_) || !need_byte()) return false;
  if (*p_ != ':') return fail(JsonError::syntax, p_);
  ++p_;
  return true;
}

bool JsonReader::string(std::string_view& value, std::string& scratch) {
  // A string of less than 32 bytes without escapes, white space in front or the end close behind.
  if (end_ - p_ > 32 && *p_ == '"') {
    constexpr auto stop = json_scan::Stop::at_non_ascii;
    const char* const from = p_ + 1;
    const unsigned bits =
        json_scan::special_bits<stop>(from) | json_scan::special_bits<stop>(from + 16) << 16;
    if (bits != 0 && from[__builtin_ctz(bits)] == '"') {
      value = view(from, from + __builtin_ctz(bits));
      p_ = from + value.size() + 1;
      return true;
    }
  }
  value = {};  // what it viewed may lie in the scratch that is about to be overwritten
  if (!need_byte()) return false;
  if (*p_ != '"') return fail(JsonError::syntax, p_);
  const char* run = p_ + 1;
  bool escaped = false;
  const Scanned token = json_scan::scan_string(
      p_, begin_, end_, [&](const char* from, const char* to, std::uint32_t code) {
        if (!escaped) scratch.clear();
        escaped = true;
        char utf8[4];
        scratch.append(view(run, from)).append(utf8, json_scan::encode_utf8(code, utf8));
        run = to;
      });
  if (token.error != JsonError::none) return fail(token.error, token.at);
  p_ = token.at;
  value = view(run, p_ - 1);
  if (escaped) value = scratch.append(value);
  return true;
}

bool JsonReader::integer(std::int64_t& value, Fit& fit) {
  fit = Fit::not_integer;
  if (!need_byte()) return false;
  const bool negative = *p_ == '-';
  const char* const digits = p_ + (negative ? 1 : 0);
  const char* q = digits;
  std::uint64_t magnitude = 0;  // wraps beyond 19 digits, where it is not looked at
  for (; q != end_ && json_scan::is_digit(*q); ++q) {
    magnitude = magnitude * 10 + static_cast<std::uint64_t>(*q - '0');
  }
  const std::ptrdiff_t count = q - digits;
  const bool more = q != end_ && (*q == '.' || (*q | 0x20) == 'e');
  if (more || count == 0 || (count > 1 && *digits == '0')) {
    NumberText text;
    const Scanned token = json_scan::scan_number(p_, end_, text);
    if (token.error != JsonError::none) return fail(token.error, token.at);
    p_ = token.at;
    return false;
  }
  p_ = q;
  const std::uint64_t limit = static_cast<std::uint64_t>(INT64_MAX) + (negative ? 1 : 0);
  if (count > 19 || magnitude > limit) {
    fit = Fit::overflow;
    return false;
  }
  fit = Fit::exact;
  value = static_cast<std::int64_t>(negative ? ~magnitude + 1 : magnitude);
  return true;
}

bool JsonReader::boolean(bool& value) {
  if (!need_byte()) return false;
  if (*p_ != 't' && *p_ != 'f') return fail(JsonError::syntax, p_);
  value = *p_ == 't';
  return literal();
}

bool JsonReader::null() {
  if (!need_byte()) return false;
  if (*p_ != 'n') return fail(JsonError::syntax, p_);
  return literal();
}

bool JsonReader::literal() {
  const Scanned token = json_scan::scan_literal(p_, end_);
  if (token.error != JsonError::none) return fail(token.error, token.at);
  p_ = token.at;
  return true;
}

bool JsonReader::at_end() {
  p_ = json_scan::skip_space(p_, end_);
  return p_ == end_ && !failed();
}

// -- skip and minify ----------------------------------------------------------------------------

// Null, with the error set: what the walk_* functions return in place of where they ended.
const char* JsonReader::fail_at(JsonError error, const char* at) {
  fail(error, at);
  return nullptr;
}

// Most texts come from JSON.stringify and have no gaps at all.
template <class Sink>
inline const char* JsonReader::walk_gap(Sink& sink, const char* p) {
  if (p != end_ && static_cast<unsigned char>(*p) > ' ') return p;
  return walk_wide_gap(sink, p);
}

template <class Sink>
const char* JsonReader::walk_wide_gap(Sink& sink, const char* p) {
  const char* const from = p;
  p = json_scan::skip_space(p, end_);
  if (p != from) sink.gap(from, p);
  return p != end_ ? p : fail_at(JsonError::syntax, p);
}

template <class Sink>
const char* JsonReader::walk_string(Sink& sink, const char* p) {
  const Scanned token = json_scan::scan_string(
      p, begin_, end_, [&sink](const char* from, const char* to, std::uint32_t code) {
        sink.escape(from, to, code);
      });
  return token.error == JsonError::none ? token.at : fail_at(token.error, token.at);
}

// A key and its colon.
template <class Sink>
const char* JsonReader::walk_key(Sink& sink, const char* p) {
  p = walk_gap(sink, p);
  if (p == nullptr) return p;
  if (*p != '"') return fail_at(JsonError::syntax, p);
  const char* const from = p;
  sink.key_begins(from);
  p = walk_string(sink, p);
  if (p == nullptr) return p;
  if (!sink.key(from, p)) return fail_at(JsonError::members, from);
  p = walk_gap(sink, p);
  if (p == nullptr) return p;
  return *p == ':' ? p + 1 : fail_at(JsonError::syntax, p);
}

template <class Sink>
const char* JsonReader::walk_scalar(Sink& sink, const char* p, JsonKind kind) {
  Scanned token{p, JsonError::syntax};
  if (kind == JsonKind::string) return walk_string(sink, p);
  if (kind == JsonKind::number) {
    NumberText text;
    token = json_scan::scan_number(p, end_, text);
    if (token.error == JsonError::none) sink.number(p, token.at, text);
  } else if (kind != JsonKind::error) {
    token = json_scan::scan_literal(p, end_);
  }
  return token.error == JsonError::none ? token.at : fail_at(token.error, token.at);
}

// Beyond the text all that is kept is one bit a level: whether it is an object. The head of the
// outer loop stands before a value, the inner loop behind one or at the bracket that closes an
// empty one.
template <class Sink>
bool JsonReader::walk(Sink& sink, std::size_t value_levels_max) {
  const std::size_t limit = std::min(value_levels_max, depth_max_ - depth_);
  std::uint64_t objects = 0;
  std::size_t level = 0;
  const char* p = p_;
  for (;;) {
    if ((p = walk_gap(sink, p)) == nullptr) return false;
    const JsonKind kind = json_scan::kind_of(*p);
    if (kind == JsonKind::object || kind == JsonKind::array) {
      const bool object = kind == JsonKind::object;
      if (level == limit) return fail(JsonError::depth, p);
      ++level;
      objects = objects << 1 | (object ? 1u : 0u);
      if (object) sink.open_object();
      if ((p = walk_gap(sink, p + 1)) == nullptr) return false;
      if (*p != (object ? '}' : ']')) {
        if (object && (p = walk_key(sink, p)) == nullptr) return false;
        continue;
      }
    } else if ((p = walk_scalar(sink, p, kind)) == nullptr) {
      return false;
    }
    for (; level != 0; --level, objects >>= 1) {
      if ((p = walk_gap(sink, p)) == nullptr) return false;
      const bool object = (objects & 1) != 0;
      if (*p == ',') {
        ++p;
        if (object && (p = walk_key(sink, p)) == nullptr) return false;
        break;
      }
      if (*p != (object ? '}' : ']')) return fail(JsonError::syntax, p);
      ++p;
      if (const char* repeated = object ? sink.close_object(p) : nullptr) {
        return fail(JsonError::duplicate_key, repeated);
      }
    }
    if (level == 0) {
      p_ = p;
      return true;
    }
  }
}

bool JsonReader::skip() {
  json_minify::Skipper sink;
  return need_byte() && walk(sink, json_minify::levels_max);
}

bool JsonReader::minify(std::string& out, std::size_t value_depth_max, bool& out_of_range,
                        std::span<Watched> watched) {
  if (!need_byte()) return false;
  const std::size_t size = out.size();
  json_minify::Minifier sink(out, p_, watched);
  if (!walk(sink, value_depth_max)) {
    out.resize(size);
    return false;
  }
  sink.flush(p_);
  if (sink.out_of_range()) out_of_range = true;
  return true;
}

// -- text ---------------------------------------------------------------------------------------

bool valid_utf8(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    if (end - p >= 16 && json_scan::signs(json_scan::load_lanes(p)) == 0) {
      p += 16;
      continue;
    }
    // Byte by byte past the next sequence at least: up to 16 bytes before lanes are tried again.
    for (const char* const pause = p + std::min<std::ptrdiff_t>(16, end - p); p < pause;) {
      const std::size_t length = json_scan::utf8_length(p, end);
      if (length == 0) return false;
      p += length;
    }
  }
  return true;
}

// -- one order of members -----------------------------------------------------------------------

namespace {

// A member of an open object: where its key begins and ends, quotes not counted, and where it ends.
struct Member {
  std::size_t key;
  std::size_t key_end;
  std::size_t end;
};

// Sorts the members of one object where they stand: as many bytes as before, so nothing around them
// moves. What lies inside them is sorted already.
void sort_members(std::string& text, std::vector<Member>& members, std::size_t first) {
  const auto begin = members.begin() + static_cast<std::ptrdiff_t>(first);
  const auto before = [whole = std::string_view(text)](const Member& a, const Member& b) {
    const int order =
        whole.substr(a.key, a.key_end - a.key).compare(whole.substr(b.key, b.key_end - b.key));
    return order != 0 ? order < 0 : a.key < b.key;
  };
  if (std::is_sorted(begin, members.end(), before)) return;
  const std::size_t from = begin->key - 1;
  std::string sorted;
  sorted.reserve(members.back().end - from);
  sort(members.data() + first, members.data() + members.size(), before);
  for (auto member = begin; member != members.end(); ++member) {
    if (!sorted.empty()) sorted.push_back(',');
    sorted.append(text, member->key - 1, member->end - (member->key - 1));
  }
  text.replace(from, sorted.size(), sorted);
}

std::size_t string_end(std::string_view text, std::size_t i) {
  for (++i; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\') ++i;
  }
  return std::min(i + 1, text.size());
}

}  // namespace

std::string sorted_members(std::string_view minified) {
  constexpr std::size_t array = SIZE_MAX;
  std::string text(minified);
  std::vector<Member> members;    // of all open objects, innermost last
  std::vector<std::size_t> open;  // for each level its first member, or `array`
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const bool in_object = !open.empty() && open.back() != array;
    if (c == '"') {
      const std::size_t end = string_end(text, i);
      // Without white space a key is what follows the bracket or a comma.
      if (in_object && (text[i - 1] == '{' || text[i - 1] == ',')) {
        members.push_back({i + 1, end - 1, end});
      }
      i = end;
      continue;
    }
    if (c == '{') open.push_back(members.size());
    if (c == '[') open.push_back(array);
    if (in_object && (c == ',' || c == '}') && members.size() > open.back()) {
      members.back().end = i;
    }
    if ((c == '}' || c == ']') && !open.empty()) {
      if (c == '}' && in_object && members.size() > open.back()) {
        sort_members(text, members, open.back());
        members.resize(open.back());
      }
      open.pop_back();
    }
    ++i;
  }
  return text;
}

}  // namespace z0
