// What a tenant usually takes in an hour of the week, and whether the last hours fell far short.
//
// Amounts are minor units of one currency, net of corrections. What is usual is an average over some four
// weeks; an hour that took many times as much as usual moves it no more than five times as much would.
//
// Far short is less than half of what is usual, and clearly less than these hours ever were of theirs: a
// record, which fades, and not a deviation, since what customers spend has no spread that would hold. Money
// is estimated here in floating point; what came is summed by D1 and exact.
//
// Hours are UTC's. Memory is constant. Failure: none; hours that come again are passed over.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "z0/alerts/cadence.hpp"

namespace z0 {

// How much of what is usual came.
struct Shortfall {
  double usual = 0;
  double taken = 0;
  double share = 1;
  double lowest_share = 1;  // that was ever seen, as it faded
  bool far_short = false;
};

class Takings {
 public:
  static constexpr std::size_t recent_hours = 48;
  static constexpr std::size_t stored_bytes =
      1 + 2 * 8 + 2 * 8 + 4 * week::hours + week::hours + (8 + 4) * recent_hours;
  // Hours that are looked at together, at least: of single ones too many are low by chance.
  static constexpr std::int64_t window_hours_min = 3;

  // An hour that is over. `busy`: so much was due in the hours up to this one that their share says
  // something; only then it is a record.
  void learn(std::int64_t hour, double amount, bool busy);

  // Of a time to come, or one that was, pro rata. Of an hour of the last two days it is what was usual before
  // that hour was learned: an outage does not lower what it is measured by.
  double usual(std::int64_t from_ms, std::int64_t until_ms) const;
  // Of the last hours that were learned, at most recent_hours; their share of what is usual.
  Shortfall shortfall(std::int64_t hours) const;
  // What the hours from then on took, as far as they are learned and kept.
  double taken_since(std::int64_t from_ms) const;
  // So many weeks are in the average of an hour, at most.
  double weeks() const;
  bool empty() const { return last_hour_ < 0; }

  void store(std::string& out) const;
  // False, and unchanged, for bytes that store() did not write.
  [[nodiscard]] bool restore(std::string_view bytes);

 private:
  double of(std::size_t hour) const;
  double usual_in(std::int64_t hour) const;
  double taken(std::int64_t from_hour, std::int64_t until_hour) const;
  Shortfall shortfall_at(std::int64_t until_hour, std::int64_t hours) const;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor);

  std::int64_t first_hour_ = -1;
  std::int64_t last_hour_ = -1;
  double lowest_ = 1;
  std::uint64_t busy_ = 0;  // bit i: i hours before the last one
  std::array<float, week::hours> usual_{};
  std::array<std::uint8_t, week::hours> weeks_{};  // in sixteenths
  std::array<double, recent_hours> recent_{};      // by hour modulo their number, as is the next
  std::array<float, recent_hours> before_{};  // what was usual of an hour before it was learned
};

}  // namespace z0
