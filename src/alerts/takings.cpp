#include "z0/alerts/takings.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "z0/base/bytes.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t takings_version = 2;
constexpr double usual_fades = 0.75;
constexpr double parts_of_week = 16;
// Once two weeks were seen, an hour counts as no more than so many times its usual.
constexpr double bulk_max = 5;
constexpr double bulk_weeks = 1.5;
// Less than this share of what is usual, and than this part of the lowest one, is far short.
constexpr double short_share = 0.5;
constexpr double short_of_lowest = 0.7;
// Each hour the lowest share moves by so much of the way back to 1: half of it in two months.
constexpr double lowest_fades = 0.0005;
// The usual is too young before to say what is low.
constexpr std::int64_t judged_after_hours = std::int64_t{3} * 168;
constexpr std::int64_t records_after_hours = 168;
constexpr std::int64_t record_delay_hours = 6;
constexpr double stored_takings_max = 1e18;

std::size_t slot_of(std::int64_t hour) {
  return static_cast<std::size_t>(hour % static_cast<std::int64_t>(Takings::recent_hours));
}

}  // namespace

// Of an hour of the week itself, else of the same hour of other days, and on the first day of all.
double Takings::of(std::size_t hour) const {
  if (weeks_[hour] > 0) return static_cast<double>(usual_[hour]);
  double sum = 0;
  double days = 0;
  const bool first_day = last_hour_ - first_hour_ < 24;
  for (std::size_t i = first_day ? 0 : hour % 24; i < week::hours; i += first_day ? 1 : 24) {
    if (weeks_[i] == 0) continue;
    sum += static_cast<double>(usual_[i]);
    ++days;
  }
  return days == 0 ? 0 : sum / days;
}

double Takings::usual_in(std::int64_t hour) const {
  const bool is_recent = hour >= 0 && hour <= last_hour_ &&
                         hour > last_hour_ - static_cast<std::int64_t>(recent_hours);
  const double before = is_recent ? static_cast<double>(before_[slot_of(hour)]) : 0;
  return before > 0 ? before : of(week::place(hour));
}

double Takings::usual(std::int64_t from_ms, std::int64_t until_ms) const {
  double sum = 0;
  // More than two weeks are nobody's question.
  from_ms = std::max(from_ms, until_ms - 336 * week::hour_ms);
  for (std::int64_t at = from_ms; at < until_ms;) {
    const std::int64_t hour = at / week::hour_ms;
    const std::int64_t end = std::min(until_ms, (hour + 1) * week::hour_ms);
    sum += usual_in(hour) * static_cast<double>(end - at) / static_cast<double>(week::hour_ms);
    at = end;
  }
  return sum;
}

double Takings::weeks() const {
  return *std::max_element(weeks_.begin(), weeks_.end()) / parts_of_week;
}

double Takings::taken(std::int64_t from_hour, std::int64_t until_hour) const {
  double sum = 0;
  const std::int64_t kept = static_cast<std::int64_t>(recent_hours);
  from_hour = std::max({from_hour, last_hour_ - kept + 1, std::int64_t{0}});
  for (std::int64_t hour = from_hour; hour < until_hour; ++hour) sum += recent_[slot_of(hour)];
  return sum;
}

double Takings::taken_since(std::int64_t from_ms) const {
  return taken(from_ms / week::hour_ms, last_hour_ + 1);
}

Shortfall Takings::shortfall_at(std::int64_t until_hour, std::int64_t hours) const {
  Shortfall found;
  found.usual = usual((until_hour - hours) * week::hour_ms, until_hour * week::hour_ms);
  found.taken = taken(until_hour - hours, until_hour);
  found.lowest_share = lowest_;
  if (found.usual > 0) found.share = std::max(0.0, found.taken / found.usual);
  return found;
}

Shortfall Takings::shortfall(std::int64_t hours) const {
  hours = std::clamp(hours, window_hours_min, static_cast<std::int64_t>(recent_hours));
  Shortfall found = shortfall_at(last_hour_ + 1, hours);
  found.far_short = !empty() && last_hour_ - first_hour_ >= judged_after_hours &&
                    found.share < short_share && found.share < short_of_lowest * lowest_;
  return found;
}

void Takings::learn(std::int64_t hour, double amount, bool busy) {
  if (hour <= last_hour_ || !std::isfinite(amount)) return;
  if (empty()) {
    if (amount <= 0) return;
    first_hour_ = hour;
    last_hour_ = hour - 1;
  }
  const std::int64_t kept = static_cast<std::int64_t>(recent_hours);
  // Hours in between brought nothing.
  for (std::int64_t one = std::max(last_hour_ + 1, hour - kept); one <= hour; ++one) {
    recent_[slot_of(one)] = one == hour ? amount : 0;
    before_[slot_of(one)] = static_cast<float>(of(week::place(one)));
  }
  const std::int64_t before_hour = std::max(last_hour_, hour - kept);
  last_hour_ = hour;
  lowest_ += (1 - lowest_) * lowest_fades;
  busy_ = busy_ << (hour - before_hour) | (busy ? 1 : 0);
  // Some hours later, so that an accident is not a record before it was told of; and told of, it lowers
  // the record only so far.
  if ((busy_ >> record_delay_hours & 1) != 0 && hour - first_hour_ >= records_after_hours) {
    const double share = shortfall_at(hour + 1 - record_delay_hours, window_hours_min).share;
    lowest_ = std::min(lowest_, std::max(share, short_of_lowest * lowest_));
  }
  const std::size_t at = week::place(hour);
  const double before = weeks_[at] / parts_of_week * usual_fades;
  const auto usual = static_cast<double>(usual_[at]);
  if (before >= bulk_weeks && usual > 0) amount = std::min(amount, bulk_max * usual);
  usual_[at] = static_cast<float>(usual + (amount - usual) / (before + 1));
  weeks_[at] = static_cast<std::uint8_t>(std::lround((before + 1) * parts_of_week));
}

template <class Self, class Visitor>
void Takings::visit(Self& self, Visitor&& visitor) {
  visitor(self.first_hour_);
  visitor(self.last_hour_);
  visitor(self.lowest_);
  visitor(self.busy_);
  for (auto& value : self.usual_) visitor(value);
  for (auto& value : self.weeks_) visitor(value);
  for (auto& value : self.recent_) visitor(value);
  for (auto& value : self.before_) visitor(value);
}

namespace {

struct TakingsWriter {
  ByteWriter to;
  void operator()(const std::int64_t& value) { to.u64(static_cast<std::uint64_t>(value)); }
  void operator()(const double& value) { to.f64(value); }
  void operator()(const std::uint64_t& value) { to.u64(value); }
  void operator()(const std::uint8_t& value) { to.u8(value); }
  void operator()(const float& value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    to.u32(bits);
  }
};

struct TakingsReader {
  ByteReader from;
  bool sound = true;
  void operator()(std::int64_t& value) {
    value = static_cast<std::int64_t>(from.u64());
    sound = sound && value >= -1 && static_cast<double>(value) < stored_takings_max;
  }
  void operator()(std::uint64_t& value) { value = from.u64(); }
  void operator()(double& value) {
    value = from.f64();
    sound = sound && std::abs(value) < stored_takings_max;
  }
  void operator()(std::uint8_t& value) { value = from.u8(); }
  void operator()(float& value) {
    const std::uint32_t bits = from.u32();
    std::memcpy(&value, &bits, sizeof bits);
    sound = sound && std::abs(static_cast<double>(value)) < stored_takings_max;
  }
};

}  // namespace

void Takings::store(std::string& out) const {
  TakingsWriter writer{ByteWriter(out)};
  writer.to.u8(takings_version);
  visit(*this, writer);
}

bool Takings::restore(std::string_view bytes) {
  if (bytes.size() != stored_bytes) return false;
  TakingsReader reader{ByteReader(bytes)};
  if (reader.from.u8() != takings_version) return false;
  Takings read;
  visit(read, reader);
  if (!reader.sound || !reader.from.ok() || read.first_hour_ > read.last_hour_) return false;
  *this = read;
  return true;
}

}  // namespace z0
