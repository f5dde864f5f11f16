// A baseline as bytes: a version, then each field in its order, little-endian, floats by their bits.
#include <cmath>
#include <cstring>
#include <type_traits>

#include "z0/alerts/baseline.hpp"
#include "z0/base/bytes.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t baseline_version = 1;
// Above anything that a baseline holds, below the largest float; false of what is no number.
constexpr double stored_max = 1e38;

struct BaselineWriter {
  ByteWriter to;

  void operator()(const double& value) { to.f64(value); }
  void operator()(const std::int64_t& value) { to.u64(static_cast<std::uint64_t>(value)); }
  void operator()(const std::uint32_t& value) { to.u32(value); }
  void operator()(const std::uint8_t& value) { to.u8(value); }
  void operator()(const float& value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    to.u32(bits);
  }
};

struct BaselineReader {
  ByteReader from;
  bool sound = true;

  void operator()(double& value) {
    value = from.f64();
    sound = sound && std::abs(value) <= stored_max;
  }
  void operator()(std::int64_t& value) { value = static_cast<std::int64_t>(from.u64()); }
  void operator()(std::uint32_t& value) { value = from.u32(); }
  void operator()(std::uint8_t& value) { value = from.u8(); }
  void operator()(float& value) {
    const std::uint32_t bits = from.u32();
    std::memcpy(&value, &bits, sizeof bits);
    sound = sound && std::abs(static_cast<double>(value)) <= stored_max;
  }
};

}  // namespace

template <class Self, class Visitor>
void Baseline::visit(Self& self, Visitor&& visitor) {
  const auto each = [&visitor](auto& values, const auto& again) -> void {
    if constexpr (requires { values.begin(); })
      for (auto& value : values) again(value, again);
    else
      visitor(values);
  };
  visitor(self.last_ms_);
  visitor(self.watched_ms_);
  visitor(self.points_);
  visitor(self.late_);
  for (auto* value :
       {&self.origin_, &self.before_, &self.habit_, &self.level_.value, &self.level_error_.value,
        &self.movement_.value, &self.day_error_.value, &self.week_error_.value})
    visitor(*value);
  each(self.fine_, each);
  each(self.blocks_, each);
  each(self.open_block_, each);
  for (auto& envelope : self.envelopes_) {
    visitor(envelope.low);
    visitor(envelope.high);
  }
  each(self.day_, each);
  each(self.week_, each);
  each(self.day_seen_, each);
  each(self.week_seen_, each);
}

void Baseline::store(std::string& out) const {
  BaselineWriter writer{ByteWriter(out)};
  writer(baseline_version);
  visit(*this, writer);
}

bool Baseline::restore(std::string_view bytes) {
  if (bytes.size() != stored_bytes) return false;
  BaselineReader reader{ByteReader(bytes)};
  if (reader.from.u8() != baseline_version) return false;
  Baseline read;
  visit(read, reader);
  if (!reader.from.ok() || !reader.sound || !read.possible()) return false;
  *this = read;
  return true;
}

void encode(const Reading& reading, ByteWriter& out) {
  out.f64(reading.score);
  out.u8(static_cast<std::uint8_t>((reading.settled ? 1 : 0) | (reading.above ? 2 : 0)));
  out.u8(static_cast<std::uint8_t>(reading.unusual));
  out.u16(reading.points);
  for (const double value : {reading.seen, reading.usual, reading.deviations}) out.f64(value);
  out.u8(reading.weekday);
  out.u8(reading.hour);
}

bool decode(ByteReader& in, Reading& reading) {
  reading.score = in.f64();
  const std::uint8_t flags = in.u8();
  reading.settled = (flags & 1) != 0;
  reading.above = (flags & 2) != 0;
  const std::uint8_t unusual = in.u8();
  reading.unusual = static_cast<Unusual>(unusual);
  reading.points = in.u16();
  for (double* value : {&reading.seen, &reading.usual, &reading.deviations}) *value = in.f64();
  reading.weekday = in.u8();
  reading.hour = in.u8();
  const bool scored = reading.score >= 0 && reading.score <= 1;
  return in.ok() && scored && unusual <= static_cast<std::uint8_t>(Unusual::time_of_week) &&
         reading.weekday < 7 && reading.hour < 24;
}

}  // namespace z0
