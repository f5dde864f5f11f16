// What JsonReader::skip and JsonReader::minify do with a value while JsonReader::walk passes over
// it.
//
// Only src/json/json.cpp includes this. A sink is told of white space that could be dropped, of escapes,
// numbers, and the keys of objects; walk itself checks the grammar and the nesting.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/sort.hpp"
#include "json/scan.hpp"
#include "z0/base/limits.hpp"
#include "z0/json/json.hpp"

namespace z0::json_minify {

using json_scan::NumberText;
using json_scan::view;

// Levels that fit the bits of one word; JsonReader reads no deeper.
inline constexpr std::size_t levels_max = 64;

// The smallest magnitude that rounds to infinity as a double: 2^1024 - 2^970, which lies half a
// unit above the largest double. All of its 309 digits, because texts are compared exactly.
inline constexpr std::string_view infinite_from =
    "17976931348623158079372897140530341507993413271003782693617377898044496829276475"
    "09466490179775872070963302864166928879109465555478519404026306574886715058206819"
    "08902000708383676273854845817711531764475730270069855571366959622842914819860834"
    "936475292719074168444365510704342711559699508093042880177904174497792";
inline constexpr std::int64_t infinite_exponent = 308;

// More than the digits of any text in memory can make up for; ten times it does not overflow.
inline constexpr std::int64_t exponent_max = std::int64_t{1} << 56;

inline std::int64_t exponent_of(std::string_view digits) {
  const bool negative = digits[0] == '-';
  if (negative || digits[0] == '+') digits.remove_prefix(1);
  std::int64_t exponent = 0;
  for (const char c : digits) exponent = std::min(exponent * 10 + (c - '0'), exponent_max);
  return negative ? -exponent : exponent;
}

// Whether a number rounds to infinity, decided on its digits: the C library's conversions depend on
// a locale, and libc++ has no other.
inline bool rounds_to_infinity(const char* p, const char* end, const NumberText& text) {
  if (*p == '-') ++p;
  const std::int64_t integer_digits = text.integer_end - p;
  if (text.exponent == end && integer_digits <= infinite_exponent) return false;
  std::int64_t exponent = integer_digits - 1;
  if (text.exponent != end) exponent += exponent_of(view(text.exponent + 1, end));
  while (p != text.exponent && (*p == '0' || *p == '.')) exponent -= *p++ == '0' ? 1 : 0;
  if (p == text.exponent) return false;
  if (exponent != infinite_exponent) return exponent > infinite_exponent;
  for (const char bound : infinite_from) {
    if (p != text.exponent && *p == '.') ++p;
    const char digit = p != text.exponent ? *p++ : '0';
    if (digit != bound) return digit > bound;
  }
  return true;
}

// The keys of all open objects, innermost last. Facts have few, so the first ones cost no
// allocation.
class KeyStack {
 public:
  struct Key {
    std::size_t from;  // in minify's output
    std::size_t size;
    const char* source;
  };

  std::size_t size() const { return size_; }
  const Key* from(std::size_t first) const { return keys_ + first; }
  Key* from(std::size_t first) { return keys_ + first; }
  void shrink(std::size_t size) { size_ = size; }
  void push(Key key) {
    if (size_ == capacity_) grow();
    keys_[size_++] = key;
  }

 private:
  void grow() {
    std::vector<Key> more(capacity_ * 2);
    std::copy(keys_, keys_ + size_, more.begin());
    heap_.swap(more);
    keys_ = heap_.data();
    capacity_ = heap_.size();
  }

  std::array<Key, 32> few_;
  std::vector<Key> heap_;
  Key* keys_ = few_.data();
  std::size_t size_ = 0;
  std::size_t capacity_ = few_.size();
};

// What `walk` tells while it passes over a value. This one has nothing to do: checking is walk's.
struct Skipper {
  static void gap(const char*, const char*) {}
  static void escape(const char*, const char*, std::uint32_t) {}
  static void number(const char*, const char*, const NumberText&) {}
  static void open_object() {}
  static bool key(const char*, const char*) { return true; }
  static void key_begins(const char*) {}
  static const char* close_object(const char*) { return nullptr; }
};

// Copies in runs: as long as the text is already what minify writes, nothing is moved. The text
// from run_ on belongs to the output and is not yet there.
class Minifier {
 public:
  Minifier(std::string& out, const char* p, std::span<JsonReader::Watched> watched)
      : out_(out), run_(p), watched_(watched) {}

  bool out_of_range() const { return out_of_range_; }

  void gap(const char* from, const char* to) {
    flush(from);
    run_ = to;
  }

  void escape(const char* from, const char* to, std::uint32_t code) {
    char shortest[6];
    const std::size_t size =
        code < 0x80 ? json_scan::encode_escape(static_cast<unsigned char>(code), shortest)
                    : json_scan::encode_utf8(code, shortest);
    if (view(from, to) == std::string_view(shortest, size)) return;
    flush(from);
    out_.append(shortest, size);
    run_ = to;
  }

  void number(const char* from, const char* to, const NumberText& text) {
    if (rounds_to_infinity(from, to, text)) out_of_range_ = true;
  }

  void open_object() { first_key_[objects_++] = keys_.size(); }

  void key_begins(const char* p) { key_from_ = written(p); }

  // False when there are too many.
  bool key(const char* from, const char* to) {
    keys_.push({key_from_, written(to) - key_from_, from});
    return keys_.size() - first_key_[objects_ - 1] <= limits::object_members_max;
  }

  // Where a repeated key stands, or null. Minified keys are equal exactly when they are equal
  // unescaped.
  const char* close_object(const char* p) {
    const std::size_t first = first_key_[--objects_];
    const std::size_t count = keys_.size() - first;
    const char* repeated = nullptr;
    if (count > 1 || !watched_.empty()) {
      flush(p);
      run_ = p;
      if (objects_ == 0) mark_watched();
      repeated = count <= few_keys ? repeated_of_few(first) : repeated_of_many(first);
    }
    keys_.shrink(first);
    return repeated;
  }

  void flush(const char* to) { out_.append(view(run_, to)); }

 private:
  // 16 keys make 120 comparisons, nearly all of them of two sizes: less than a sort.
  static constexpr std::size_t few_keys = 16;

  // Where in the output the byte at p will be.
  std::size_t written(const char* p) const {
    return out_.size() + static_cast<std::size_t>(p - run_);
  }

  std::string_view text(const KeyStack::Key& key) const {
    return std::string_view(out_).substr(key.from, key.size);
  }

  void mark_watched() {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const std::string_view quoted = text(*keys_.from(i));
      for (auto& w : watched_) {
        if (quoted.size() == w.name.size() + 2 && quoted.substr(1, w.name.size()) == w.name)
          w.seen = true;
      }
    }
  }

  const char* repeated_of_few(std::size_t first) const {
    const KeyStack::Key* keys = keys_.from(first);
    const std::size_t count = keys_.size() - first;
    for (std::size_t i = 1; i < count; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (keys[i].size == keys[j].size && text(keys[i]) == text(keys[j])) return keys[i].source;
      }
    }
    return nullptr;
  }

  const char* repeated_of_many(std::size_t first) {
    KeyStack::Key* begin = keys_.from(first);
    KeyStack::Key* end = begin + (keys_.size() - first);
    sort(begin, end, [this](const KeyStack::Key& a, const KeyStack::Key& b) {
      const int order = text(a).compare(text(b));
      return order != 0 ? order < 0 : a.from < b.from;
    });
    const char* repeated = nullptr;
    for (const KeyStack::Key* key = begin + 1; key < end; ++key) {
      if (text(key[0]) != text(key[-1])) continue;
      if (repeated == nullptr || key->source < repeated) repeated = key->source;
    }
    return repeated;
  }

  std::string& out_;
  const char* run_;
  std::span<JsonReader::Watched> watched_;
  bool out_of_range_ = false;
  std::size_t key_from_ = 0;
  std::size_t objects_ = 0;
  std::array<std::size_t, levels_max> first_key_;
  KeyStack keys_;
};

}  // namespace z0::json_minify
