// When events of one kind usually come, and whether a silence can be chance.
//
// For what is counted as it happens: invocations or charges of a tenant. Where a number is to be judged,
// and not whether there is any, takings.hpp or a Baseline is better.
//
// A minute counts, not an event: either something came in it or nothing did. So a batch of a hundred
// events is one sign of life, as it should be. For each hour of the week stands how many of its minutes
// brought something, over some four weeks with the newest counting most. What is known of an hour so is a
// beta distribution, and of the next minutes a beta-binomial one, which is to the binomial what the
// negative binomial is to Poisson's: it knows how few weeks were seen, and is wider for it.
// https://en.wikipedia.org/wiki/Beta-binomial_distribution
//
// Nobody's minutes are independent. So each pause that something ended is measured by how improbable it
// was, and the longest of so many says by how much the tenant is burstier than chance: pauses are judged
// on that scale. Where the last hours or the last day were slower than usual, the next hours are expected
// to be. And the first and the last hour of a day are expected to be as they were when they were last due:
// so clocks that are changed, and days that begin earlier or later, are news for one day.
//
// Hours are UTC's. Memory is constant. Failure: none; hours that come again are passed over.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace z0 {

namespace week {
inline constexpr std::size_t hours = 168;
inline constexpr std::int64_t minute_ms = 60'000;
inline constexpr std::int64_t hour_ms = 60 * minute_ms;
// Its place in the week, where 0 is Sunday, 0:00. `hour`: hours since 1970.
std::size_t place(std::int64_t hour);
}  // namespace week

// A pause that was less probable is no chance. A tenant has some thousand pauses a month that could be the
// start of a longer one, so this is one false page in years; bursts and quiet days take what is left.
inline constexpr double silence_chance_max = 1e-5;

// What a silence means.
struct Lull {
  std::int64_t minutes = 0;
  double expected = 0;  // so many of them would have brought something
  double chance = 1;    // that so long a one comes by itself
  bool due = false;     // something is usual at this hour
};

// What came since rest: since the last hour at which so little is usual that its day had not begun.
struct Day {
  bool rested = false;  // there was such an hour within a day
  double came = 0;      // minutes, as they were and as they usually are
  double usual = 0;
  std::int64_t minutes = 0;

  // Who rests at night, and of whom a fifth of what is usual has not come yet, may have a day off.
  bool begun() const { return !rested || (came > 0 && came >= 0.2 * usual); }
};

class Cadence {
 public:
  static constexpr std::size_t stored_bytes = 1 + 12 * 8 + 4 * week::hours + 96;

  // An hour that is over: bit i of `minutes` says whether minute i brought anything. Hours since 1970,
  // in order; one that was left out is not known, and nothing is learned of it.
  void learn(std::int64_t hour, std::uint64_t minutes);

  // Since the minute after the one of `last_ms`, the newest event that is known, until `now_ms`.
  Lull lull(std::int64_t last_ms, std::int64_t now_ms) const;
  // How many minutes bring something within a time to come, or one that was.
  double expected(std::int64_t from_ms, std::int64_t until_ms) const;

  // Whether something is usual at that hour.
  bool due_at(std::int64_t at_ms) const;
  // An hour that is not over, or not learned yet: for what came today alone.
  void see(std::int64_t hour, std::uint64_t minutes);
  // Up to the last hour that was seen or learned.
  Day day(std::int64_t now_ms) const;

  bool empty() const { return first_hour_ < 0; }
  // Since the first hour in which anything came; 0 where none did.
  std::int64_t known_ms(std::int64_t now_ms) const;
  std::int64_t learned_until_ms() const { return (last_hour_ + 1) * week::hour_ms; }

  void store(std::string& out) const;
  // False, and unchanged, for bytes that store() did not write.
  [[nodiscard]] bool restore(std::string_view bytes);

 private:
  // Minutes that were seen, and those that brought something, of an hour of the week.
  struct Seen {
    double came = 0;
    double watched = 0;
    double share() const;
  };
  Seen of(std::size_t hour) const;
  Seen of_other_days(std::size_t hour) const;
  double mean_share() const;
  double as_last_time(std::int64_t hour) const;
  // -ln of the probability of nothing in these minutes.
  double surprise(std::int64_t from_minute, std::int64_t until_minute) const;
  double slowness() const;
  double scale() const;
  bool rests(std::size_t hour, double share_now) const;
  void learn_pauses(std::int64_t hour, std::uint64_t minutes);
  void learn_pace(double came, double due);
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor);

  std::int64_t first_hour_ = -1;
  std::int64_t last_hour_ = -1;
  std::int64_t last_minute_ = -1;  // that brought something
  std::int64_t hours_ = 0;         // that were learned
  double longest_ = 0;             // the greatest surprise that something ended, which fades
  double pauses_ = 0;              // so many were measured, which fades alike
  // Minutes of the last hours, and of the last day: as they came, and as usual.
  std::array<double, 2> came_{}, due_{};
  double due_in_silence_ = 0;  // since the last hour that brought anything
  std::array<float, week::hours> seen_{};
  std::array<float, week::hours> watched_{};
  // The same by hour of the day, of when something was due last.
  std::array<std::uint8_t, 24> day_came_{};
  std::array<std::uint8_t, 24> day_due_{};
  // And by hour of the last day, whatever it was.
  std::int64_t today_until_ = -1;  // the last hour
  std::array<std::uint8_t, 24> today_came_{};
  std::array<std::uint8_t, 24> today_usual_{};
  double mean_ = 0;  // of what an hour's minutes bring
};

}  // namespace z0
