#include "z0/alerts/cadence.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>

#include "z0/base/bytes.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t cadence_version = 1;
// What a week counts beside the next one: four weeks are what is known in the long run.
constexpr double week_fades = 0.75;
// As if so much of a minute had been seen before the first: a quiet hour may bring something.
constexpr double before_came = 0.1;
constexpr double before_nothing = 0.9;
// Each hour: half of it is left after three hours and after 24, and after two months.
constexpr std::array<double, 2> pace_fades = {0.794, 0.9715};
constexpr double record_fades = 0.9995;
// Minutes as usual that are added to those of the last day, so that a few say little.
constexpr double slowness_weight = 10;
// An hour that brings less than this part of what the present one brings is rest.
constexpr double rest_share = 0.25;
// What lasted longer, and cannot be chance, was a day off or an accident.
constexpr std::int64_t rest_pause_minutes = 720;
// An hour in which less is due is no hour of work.
constexpr double due_minutes_min = 6;
// An hour that brings less than this part of the mean is none in which anything is due.
constexpr double due_share = 0.1;
constexpr std::int64_t minutes_of_hour = 60;
// A silence longer than a week is as improbable as one of a week.
constexpr std::int64_t silence_minutes_max = 168 * minutes_of_hour;
constexpr double stored_cadence_max = 1e15;

// -ln of the probability that `minutes` bring nothing, where so many of so many brought something.
double nothing(double came, double watched, double minutes) {
  const double empty = watched - came + before_nothing;
  const double all = watched + before_came + before_nothing;
  return std::lgamma(empty) + std::lgamma(all + minutes) - std::lgamma(empty + minutes) -
         std::lgamma(all);
}

// Minutes of an hour over four weeks are at most 240: 1/256 of one is fine enough. What is in memory is
// what is stored.
constexpr double parts_of_minute = 256;
float in_parts(double minutes) {
  return static_cast<float>(std::round(minutes * parts_of_minute) / parts_of_minute);
}

// The largest surprise that a record takes: a stop of hours is no habit.
double record_max(double scale) { return -2 * std::log(silence_chance_max) * scale; }

}  // namespace

std::size_t week::place(std::int64_t hour) {
  // 1970 began on a Thursday.
  return static_cast<std::size_t>((hour + 96) % static_cast<std::int64_t>(week::hours));
}

double Cadence::Seen::share() const {
  return watched <= 0 ? 0 : (came + before_came) / (watched + before_came + before_nothing);
}

Cadence::Seen Cadence::of_other_days(std::size_t hour) const {
  Seen all;
  double days = 0;
  for (std::size_t i = hour % 24; i < week::hours; i += 24) {
    if (watched_[i] <= 0) continue;
    all.came += static_cast<double>(seen_[i]);
    all.watched += static_cast<double>(watched_[i]);
    ++days;
  }
  return days == 0 ? all : Seen{all.came / days, all.watched / days};
}

// What is known of an hour of the week: itself, else the same hour of other days, else all.
Cadence::Seen Cadence::of(std::size_t hour) const {
  if (watched_[hour] > 0)
    return {static_cast<double>(seen_[hour]), static_cast<double>(watched_[hour])};
  if (hours_ >= 24) return of_other_days(hour);
  Seen all;
  for (std::size_t i = 0; i < week::hours; ++i) {
    all.came += static_cast<double>(seen_[i]);
    all.watched += static_cast<double>(watched_[i]);
  }
  return all;
}

double Cadence::mean_share() const {
  double sum = 0;
  double known = 0;
  for (std::size_t i = 0; i < week::hours; ++i) {
    if (watched_[i] <= 0) continue;
    sum += Seen{static_cast<double>(seen_[i]), static_cast<double>(watched_[i])}.share();
    ++known;
  }
  return known == 0 ? 0 : sum / known;
}

double Cadence::slowness() const {
  double least = 1;
  for (std::size_t i = 0; i < due_.size(); ++i)
    least = std::min(least, (came_[i] + slowness_weight) / (due_[i] + slowness_weight));
  return least;
}

// Where a day begins or ends: what such an hour was when it was last due is what it is by now.
double Cadence::as_last_time(std::int64_t hour) const {
  const std::size_t at = week::place(hour);
  const double share = of(at).share();
  const bool edge =
      rests((at + 1) % week::hours, share) || rests((at + week::hours - 1) % week::hours, share);
  const auto of_day = static_cast<std::size_t>(hour % 24);
  return edge ? std::min(1.0, (day_came_[of_day] + 1.0) / (day_due_[of_day] + 1.0)) : 1;
}

double Cadence::scale() const {
  return std::max(1.0, longest_ / std::log(pauses_ + std::numbers::e));
}

double Cadence::surprise(std::int64_t from_minute, std::int64_t until_minute) const {
  double sum = 0;
  while (from_minute < until_minute) {
    const std::int64_t hour = from_minute / minutes_of_hour;
    const std::int64_t end = std::min(until_minute, (hour + 1) * minutes_of_hour);
    const Seen known = of(week::place(hour));
    if (known.watched > 0)
      sum += nothing(known.came, known.watched, static_cast<double>(end - from_minute)) *
             as_last_time(hour);
    from_minute = end;
  }
  return sum * slowness();
}

double Cadence::expected(std::int64_t from_ms, std::int64_t until_ms) const {
  double sum = 0;
  for (std::int64_t at = from_ms; at < until_ms;) {
    const std::int64_t hour = at / week::hour_ms;
    const std::int64_t end = std::min(until_ms, (hour + 1) * week::hour_ms);
    sum += of(week::place(hour)).share() * as_last_time(hour) * static_cast<double>(end - at) /
           static_cast<double>(week::minute_ms);
    at = end;
  }
  return sum * slowness();
}

std::int64_t Cadence::known_ms(std::int64_t now_ms) const {
  return empty() ? 0 : std::max<std::int64_t>(0, now_ms - first_hour_ * week::hour_ms);
}

bool Cadence::rests(std::size_t hour, double share_now) const {
  return of(hour).share() < rest_share * share_now;
}

bool Cadence::due_at(std::int64_t at_ms) const {
  const double share = of(week::place(at_ms / week::hour_ms)).share();
  return share > 0 && share >= due_share * mean_;
}

Lull Cadence::lull(std::int64_t last_ms, std::int64_t now_ms) const {
  Lull found;
  const std::int64_t until = now_ms / week::minute_ms;
  std::int64_t from = last_ms / week::minute_ms + 1;
  if (empty() || from >= until) return found;
  found.minutes = until - from;
  from = std::max(from, until - silence_minutes_max);
  found.due = due_at(now_ms);
  found.expected = expected(from * week::minute_ms, until * week::minute_ms);
  found.chance = std::exp(-surprise(from, until) / scale());
  return found;
}

void Cadence::see(std::int64_t hour, std::uint64_t minutes) {
  if (empty() || hour + 24 <= today_until_) return;
  for (std::int64_t next = std::max(today_until_ + 1, hour - 23); next <= hour; ++next) {
    const auto at = static_cast<std::size_t>(next % 24);
    today_came_[at] = 0;
    const double usual = of(week::place(next)).share() * minutes_of_hour;
    today_usual_[at] = static_cast<std::uint8_t>(std::lround(usual));
  }
  today_until_ = std::max(today_until_, hour);
  today_came_[static_cast<std::size_t>(hour % 24)] =
      static_cast<std::uint8_t>(std::popcount(minutes));
}

Day Cadence::day(std::int64_t now_ms) const {
  Day found;
  const std::int64_t hour = now_ms / week::hour_ms;
  if (empty() || hour != today_until_) return found;
  const double share_now = of(week::place(hour)).share();
  for (std::int64_t back = 0; back < 24; ++back) {
    found.rested = back > 0 && rests(week::place(hour - back), share_now);
    if (found.rested) break;
    const auto at = static_cast<std::size_t>((hour - back) % 24);
    const std::int64_t minutes =
        back == 0 ? now_ms / week::minute_ms % minutes_of_hour : minutes_of_hour;
    found.came += today_came_[at];
    found.usual += today_usual_[at] * static_cast<double>(minutes) / minutes_of_hour;
    found.minutes += minutes;
  }
  return found;
}

// Each pause within the hour, and the one that its first minute ended.
void Cadence::learn_pauses(std::int64_t hour, std::uint64_t minutes) {
  const Seen known = of(week::place(hour));
  const double of_a_minute = nothing(known.came, known.watched, 1);
  while (minutes != 0) {
    const std::int64_t minute = hour * minutes_of_hour + std::countr_zero(minutes);
    minutes &= minutes - 1;
    ++pauses_;
    const std::int64_t before = last_minute_;
    last_minute_ = minute;
    if (before < 0 || minute - before < 2) continue;
    // Each minute without anything makes the next one less surprising, so this is the most that it can be.
    const bool within = before / minutes_of_hour == hour;
    if (within && static_cast<double>(minute - before) * of_a_minute <= longest_) continue;
    const Lull pause = lull(before * week::minute_ms, minute * week::minute_ms);
    // A day off says nothing about the pauses of other days.
    if (minute - before > rest_pause_minutes && pause.chance < silence_chance_max) continue;
    const double surprised = -std::log(std::max(pause.chance, 1e-300)) * scale();
    longest_ = std::max(longest_, std::min(surprised, record_max(scale())));
  }
}

// A silence is judged as of its beginning: until something comes again, it slows nothing down.
void Cadence::learn_pace(double came, double due) {
  due_in_silence_ += due;
  for (std::size_t i = 0; i < pace_fades.size(); ++i) {
    due_[i] *= pace_fades[i];
    came_[i] *= pace_fades[i];
    if (came <= 0) continue;
    due_[i] += due_in_silence_;
    came_[i] += came;
  }
  if (came > 0) due_in_silence_ = 0;
}

void Cadence::learn(std::int64_t hour, std::uint64_t minutes) {
  minutes &= (std::uint64_t{1} << minutes_of_hour) - 1;
  if (hour <= last_hour_) return;
  if (empty()) {
    if (minutes == 0) return;
    first_hour_ = hour;
    // What the hour brought before its first event is none of its minutes.
    last_hour_ = hour - 1;
  }
  // What happened in hours that nobody looked at is not known.
  if (hour != last_hour_ + 1) last_minute_ = -1;
  last_hour_ = hour;
  longest_ *= record_fades;
  pauses_ *= record_fades;
  const std::size_t at = week::place(hour);
  learn_pauses(hour, minutes);
  const auto came = static_cast<double>(std::popcount(minutes));
  const Seen usual = of(at);
  const double due = usual.watched > 0 ? usual.share() * minutes_of_hour : 0;
  if (due >= due_minutes_min) {
    day_came_[static_cast<std::size_t>(hour % 24)] = static_cast<std::uint8_t>(came);
    day_due_[static_cast<std::size_t>(hour % 24)] = static_cast<std::uint8_t>(due);
  }
  learn_pace(came, due);
  see(hour, minutes);
  const auto watched = static_cast<double>(
      hour == first_hour_ ? minutes_of_hour - std::countr_zero(minutes) : minutes_of_hour);
  seen_[at] = in_parts(static_cast<double>(seen_[at]) * week_fades + came);
  watched_[at] = in_parts(static_cast<double>(watched_[at]) * week_fades + watched);
  ++hours_;
  mean_ = mean_share();
}

template <class Self, class Visitor>
void Cadence::visit(Self& self, Visitor&& visitor) {
  for (auto* value :
       {&self.first_hour_, &self.last_hour_, &self.last_minute_, &self.hours_, &self.today_until_})
    visitor(*value);
  for (auto* value : {&self.longest_, &self.pauses_, &self.came_[0], &self.came_[1], &self.due_[0],
                      &self.due_[1], &self.due_in_silence_})
    visitor(*value);
  for (std::size_t i = 0; i < week::hours; ++i) {
    visitor(self.seen_[i]);
    visitor(self.watched_[i]);
  }
  for (auto* day : {&self.day_came_, &self.day_due_, &self.today_came_, &self.today_usual_})
    for (auto& minutes : *day) visitor(minutes);
}

namespace {

struct CadenceWriter {
  ByteWriter to;
  void operator()(const std::int64_t& value) { to.u64(static_cast<std::uint64_t>(value)); }
  void operator()(const double& value) { to.f64(value); }
  void operator()(const std::uint8_t& value) { to.u8(value); }
  void operator()(const float& value) {
    to.u16(static_cast<std::uint16_t>(std::lround(static_cast<double>(value) * parts_of_minute)));
  }
};

struct CadenceReader {
  ByteReader from;
  bool sound = true;
  void operator()(std::int64_t& value) {
    value = static_cast<std::int64_t>(from.u64());
    sound = sound && value >= -1 && static_cast<double>(value) < stored_cadence_max;
  }
  void operator()(double& value) {
    value = from.f64();
    sound = sound && value >= 0 && value < stored_cadence_max;
  }
  void operator()(std::uint8_t& value) { value = from.u8(); }
  void operator()(float& value) { value = static_cast<float>(from.u16() / parts_of_minute); }
};

}  // namespace

void Cadence::store(std::string& out) const {
  CadenceWriter writer{ByteWriter(out)};
  writer.to.u8(cadence_version);
  visit(*this, writer);
}

bool Cadence::restore(std::string_view bytes) {
  if (bytes.size() != stored_bytes) return false;
  CadenceReader reader{ByteReader(bytes)};
  if (reader.from.u8() != cadence_version) return false;
  Cadence read;
  visit(read, reader);
  bool sound = reader.sound && reader.from.ok() && read.first_hour_ <= read.last_hour_;
  for (std::size_t i = 0; i < week::hours; ++i) sound = sound && read.seen_[i] <= read.watched_[i];
  if (!sound) return false;
  *this = read;
  mean_ = mean_share();
  return true;
}

}  // namespace z0
