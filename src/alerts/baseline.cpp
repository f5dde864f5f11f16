#include "z0/alerts/baseline.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace z0 {
namespace {

// The one set of constants. None is sharp: scores on labelled series change by a few points of a hundred when one is
// halved or doubled.
constexpr std::array<std::size_t, 6> window_points = {1, 3, 9, 27, 81, 243};
// An envelope narrows by this share of its width on each side, a point: by half in 7,000 points.
constexpr double forgotten_share = 0.00005;
// After an alarm: what has to be exceeded, and how it wears off a point.
constexpr double worse_factor = 1.25;
constexpr double habit_kept_share = 0.99;
// The least weight of the newest point in the level, the movement and the errors, and in its hour.
constexpr double slow_share = 0.002;
constexpr double hour_share = 0.05;
// A point moves what is usual at its hour by no more than if it were that many mean errors away.
constexpr double robust_errors = 5;
// Larger values count as this one: sums of 243 stay finite as floats.
constexpr double value_max = 1e35;
constexpr std::uint32_t points_max = 1u << 30;
constexpr std::uint32_t late_points_max = 8;
// The standard deviation of a normal distribution in mean absolute deviations: sqrt(pi / 2).
constexpr double normal_deviation = 1.2533141373155003;
// An hour is named when what is usual then explains a fifth of what there is to explain.
constexpr double named_share = 0.8;

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t day_ms = 24 * hour_ms;
constexpr std::int64_t week_ms = 7 * day_ms;
// What is left after an hour's usual value says something when each such hour was seen twice.
constexpr std::array<std::int64_t, 4> twice_seen_ms = {0, 0, 2 * day_ms, Baseline::settled_ms};
// 1970 began on a Thursday.
constexpr std::int64_t thursday_ms = 4 * day_ms;
// As far as JavaScript's times go, so that differences fit.
constexpr std::int64_t time_ms_max = 8'640'000'000'000'000;

enum View : std::size_t { of_value, of_movement, of_day, of_week };

// x to the power of 5/8, between a square root, which hardly minds how far outside a view is, and x itself, for
// which that is all that counts. Of square roots, which are the same bits everywhere.
double concave(double x) {
  const double half = std::sqrt(x);
  return half * std::sqrt(std::sqrt(half));
}

// What is usual between the middles of two hours, in proportion.
template <std::size_t N>
double between(const std::array<float, N>& usual, const std::array<std::uint8_t, N>& seen,
               std::size_t hour, double part) {
  const bool early = part < 0.5;
  const std::size_t first = early ? (hour + N - 1) % N : hour;
  const std::size_t second = early ? hour : (hour + 1) % N;
  const double share = early ? part + 0.5 : part - 0.5;
  if (seen[first] == 0) return static_cast<double>(usual[second]);
  if (seen[second] == 0) return static_cast<double>(usual[first]);
  return static_cast<double>(usual[first]) * (1 - share) +
         static_cast<double>(usual[second]) * share;
}

void learn_hour(float& usual, std::uint8_t& seen, double value, double error) {
  if (seen == 0) {
    usual = static_cast<float>(value);
  } else {
    const double most = robust_errors * error;
    const double share = std::max(hour_share, 1.0 / (seen + 1.0));
    const double away = std::clamp(value - static_cast<double>(usual), -most, most);
    usual = static_cast<float>(static_cast<double>(usual) + share * away);
  }
  if (seen < std::numeric_limits<std::uint8_t>::max()) ++seen;
}

}  // namespace

struct Baseline::Hour {
  std::size_t of_week, of_day;
  double part;  // of the hour that is over

  explicit Hour(std::int64_t time_ms) {
    const std::int64_t in_week = ((time_ms % week_ms) + week_ms + thursday_ms) % week_ms;
    of_week = static_cast<std::size_t>(in_week / hour_ms);
    of_day = of_week % hours_of_day;
    part = static_cast<double>(in_week % hour_ms) / static_cast<double>(hour_ms);
  }
};

void Baseline::Mean::learn(double seen, double count, double least_share) {
  value += std::max(least_share, 1 / (count + 1)) * (seen - value);
}

bool Baseline::in_order(std::int64_t time_ms) {
  if (time_ms < -time_ms_max || time_ms > time_ms_max) return false;
  if (points_ > 0 && time_ms < last_ms_ && ++late_ < late_points_max) return false;
  // A clock that jumps ahead does not make it older than a week.
  if (points_ > 0 && time_ms > last_ms_)
    watched_ms_ = std::min(watched_ms_ + std::min(time_ms - last_ms_, week_ms), settled_ms);
  last_ms_ = time_ms;
  late_ = 0;
  return true;
}

Reading Baseline::add(std::int64_t time_ms, double value) {
  Reading quiet;
  quiet.settled = watched_ms_ >= settled_ms;
  if (!std::isfinite(value) || !in_order(time_ms)) return quiet;
  value = std::clamp(value, -value_max, value_max);
  if (points_ == 0) origin_ = before_ = value;
  const Hour hour(time_ms);
  const Views seen = look(hour, value - origin_);
  before_ = value;
  keep(seen);
  learn_hours(hour, value - origin_, seen);
  const auto means = averages();
  const Vote votes = vote(means);
  if (points_ < points_max) ++points_;
  const bool worse = votes.strength > habit_ * worse_factor;
  habit_ = std::max(habit_ * habit_kept_share, votes.strength);
  return worse ? reading_of(votes, means[votes.scale], hour) : quiet;
}

// Whether these could be the counts of a baseline.
bool Baseline::possible() const {
  return points_ <= points_max && late_ < late_points_max && last_ms_ >= -time_ms_max &&
         last_ms_ <= time_ms_max && watched_ms_ >= 0 && watched_ms_ <= settled_ms;
}

Baseline::Views Baseline::look(const Hour& hour, double value) {
  Views seen{};
  seen[of_value] = value;
  seen[of_movement] = std::abs(value + origin_ - before_);
  if (day_seen_[hour.of_day] > 0)
    seen[of_day] = value - between(day_, day_seen_, hour.of_day, hour.part);
  if (week_seen_[hour.of_week] > 0)
    seen[of_week] = value - between(week_, week_seen_, hour.of_week, hour.part);
  return seen;
}

void Baseline::learn_hours(const Hour& hour, double value, const Views& seen) {
  const double count = points_;
  const double away = std::abs(value - level_.value);
  level_.learn(value, count, slow_share);
  level_error_.learn(points_ == 0 ? 0 : away, count, slow_share);
  movement_.learn(seen[of_movement], count, slow_share);
  day_error_.learn(std::abs(seen[of_day]), count, slow_share);
  week_error_.learn(std::abs(seen[of_week]), count, slow_share);
  const double error = day_error_.value;
  learn_hour(day_[hour.of_day], day_seen_[hour.of_day], value, error);
  learn_hour(week_[hour.of_week], week_seen_[hour.of_week], value, error);
}

// Rings: of the last points, and of the sums of nine that lie before the open nine.
void Baseline::keep(const Views& seen) {
  const std::size_t in_block = points_ % block_points;
  if (in_block == 0 && points_ > 0) {
    auto& oldest = blocks_[(points_ / block_points - 1) % blocks_kept];
    for (std::size_t v = 0; v < views; ++v) oldest[v] = static_cast<float>(open_block_[v]);
    open_block_ = {};
  }
  auto& newest = fine_[points_ % fine_points];
  for (std::size_t v = 0; v < views; ++v) {
    newest[v] = static_cast<float>(seen[v]);
    open_block_[v] += seen[v];
  }
}

// Means of the last points; of as many as there are. The two longest windows end with a whole block, so they
// hold up to eight points less.
std::array<Baseline::Views, Baseline::scales> Baseline::averages() const {
  std::array<Views, scales> means{};
  Views sum{};
  std::size_t scale = 0;
  const auto close = [&](std::size_t count) {
    for (std::size_t v = 0; v < views; ++v) means[scale][v] = sum[v] / static_cast<double>(count);
    ++scale;
  };
  const std::size_t held = std::min<std::size_t>(points_ + std::size_t{1}, fine_points);
  for (std::size_t back = 0; back < fine_points; ++back) {
    if (back < held)
      for (std::size_t v = 0; v < views; ++v)
        sum[v] += static_cast<double>(fine_[(points_ - back) % fine_points][v]);
    if (back + 1 == window_points[scale]) close(std::min(back + 1, held));
  }
  sum = open_block_;
  const std::size_t whole = points_ / block_points;
  std::size_t count = points_ % block_points + 1;
  for (std::size_t back = 1; back <= blocks_kept; ++back) {
    if (back <= whole) {
      for (std::size_t v = 0; v < views; ++v)
        sum[v] += static_cast<double>(blocks_[(whole - back) % blocks_kept][v]);
      count += block_points;
    }
    if ((back + 1) * block_points == window_points[scale]) close(count);
  }
  return means;
}

Baseline::Vote Baseline::vote(const std::array<Views, scales>& averages) {
  Vote votes;
  const auto count = [&](std::size_t view, std::size_t scale, double seen) {
    Envelope& envelope = envelopes_[view * scales + scale];
    if (points_ < cold_points || watched_ms_ < twice_seen_ms[view]) {
      envelope.low = points_ == 0 ? seen : std::min(envelope.low, seen);
      envelope.high = points_ == 0 ? seen : std::max(envelope.high, seen);
      return;
    }
    const double width = envelope.high - envelope.low;
    const double outside = std::max(seen - envelope.high, envelope.low - seen);
    if (outside > 0) {
      const bool above = seen > envelope.high;
      const double strength = concave(width > 0 ? std::min(outside / width, 1.0) : 1.0);
      votes.strength += strength;
      if (strength > votes.of_strongest) {
        votes.of_strongest = strength;
        votes.view = view;
        votes.scale = scale;
        votes.above = above;
      }
      (above ? envelope.high : envelope.low) = seen;
    }
    envelope.high -= forgotten_share * width;
    envelope.low += forgotten_share * width;
  };
  for (std::size_t scale = 0; scale < scales; ++scale) {
    for (std::size_t view = 0; view < views; ++view) {
      double seen = averages[scale][view];
      // Movement counts in times of what is usual, twice as far from it as half: between -1 and 1.
      if (view == of_movement) {
        const double both = seen + movement_.value;
        seen = both > 0 ? std::clamp((seen - movement_.value) / both, -1.0, 1.0) : 0;
      }
      count(view, scale, seen);
    }
  }
  return votes;
}

Reading Baseline::reading_of(const Vote& vote, const Views& averages, const Hour& hour) const {
  Reading reading;
  reading.score = vote.strength / (1 + vote.strength);
  reading.settled = watched_ms_ >= settled_ms;
  reading.above = vote.above;
  reading.points = static_cast<std::uint16_t>(window_points[vote.scale]);
  reading.weekday = static_cast<std::uint8_t>(hour.of_week / hours_of_day);
  reading.hour = static_cast<std::uint8_t>(hour.of_day);
  if (vote.view == of_movement) {
    reading.unusual = Unusual::movement;
    reading.seen = averages[of_movement];
    reading.usual = movement_.value;
    return reading;
  }
  // Said in terms of the hour when that explains the series, and the level otherwise.
  reading.unusual = Unusual::level;
  double error = level_error_.value, away = averages[of_value] - level_.value;
  const auto name_hour = [&](Unusual unusual, View view, double hourly_error, bool known) {
    if (!known || hourly_error >= named_share * error || (averages[view] > 0) != vote.above) return;
    reading.unusual = unusual;
    error = hourly_error;
    away = averages[view];
  };
  name_hour(Unusual::time_of_day, of_day, day_error_.value, watched_ms_ >= twice_seen_ms[of_day]);
  name_hour(Unusual::time_of_week, of_week, week_error_.value, reading.settled);
  reading.seen = averages[of_value] + origin_;
  reading.usual = reading.seen - away;
  if (error > 0) reading.deviations = std::abs(away) / (normal_deviation * error);
  return reading;
}

}  // namespace z0
