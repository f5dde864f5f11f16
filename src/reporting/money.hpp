// Sums of amounts, which may pass 64 bits.
//
// SQLite fails where a sum does, and JavaScript rounds what is above 2^53. So statements sum
// millions and rest apart, each travels as text, and they meet here.
#pragma once

#include <cstdint>
#include <string>

#include "z0/wire/frame.hpp"

namespace z0 {

// A sum of amounts: as many facts as a database holds do not overflow it.
class Money {
 public:
  void add(const Value& millions, const Value& rest) { add(number(millions), number(rest)); }
  void add(const Money& other) { add(other.millions_, other.rest_); }
  void subtract(const Money& other) { add(-other.millions_, -other.rest_); }

  std::string decimal() const {
    if (millions_ == 0) return std::to_string(rest_);
    const std::string low = std::to_string(million + (rest_ < 0 ? -rest_ : rest_)).substr(1);
    return std::to_string(millions_) + low;
  }

 private:
  static constexpr std::int64_t million = 1'000'000;

  static std::int64_t number(const Value& v) {
    std::int64_t sum = 0;
    const bool negative = v.bytes.starts_with('-');
    for (const char c : v.bytes.substr(negative ? 1 : 0)) sum = sum * 10 + (c - '0');
    return negative ? -sum : sum;
  }

  // Keeps both parts of one sign, and the rest below a million.
  void add(std::int64_t millions, std::int64_t rest) {
    millions_ += millions + (rest_ + rest) / million;
    rest_ = (rest_ + rest) % million;
    if (millions_ > 0 && rest_ < 0) {
      --millions_;
      rest_ += million;
    } else if (millions_ < 0 && rest_ > 0) {
      ++millions_;
      rest_ -= million;
    }
  }

  std::int64_t millions_ = 0;
  std::int64_t rest_ = 0;
};

}  // namespace z0
