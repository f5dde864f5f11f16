// What is usual for one series of numbers, learned point by point, and how unusual the newest one is.
//
// For what no threshold is known: facts an hour, revenue, error rates, latency, lag of a tenant. Where a
// threshold is known, a rule with it is better: it says the same on the first day.
//
// Four views of the series are kept: its values, how much it moves, and what is left of a value after
// what is usual at that hour of the day and at that hour of the week. Each is averaged over the last 1,
// 3, 9, 27, 81 and 243 points, and each average has an envelope: the highest and the lowest it ever was,
// which forgets slowly. A point is unusual when averages leave their envelopes: each that does casts a
// vote, which grows with how far outside it is in parts of the envelope's width, and an anomaly is what
// many of them see at once. Records need neither a scale nor a distribution: of n points that are
// alike, the newest is the highest with probability 1/n, whatever they are (Renyi, 1962), so one set of
// constants does for every series and false alarms get rarer the longer it is watched.
//
// After an alarm, only what is clearly worse is told of; that wears off over a hundred points. Cold
// start: nothing is said for `cold_points`, and alerts should wait until `settled`, when each hour of the
// week was seen twice.
//
// Limits: windows count points, so a series should come at a steady pace; one that stops is the business
// of an absence rule. Hours are UTC's. Memory and time are constant: nothing is allocated. Only +, -, *,
// / and square roots are used, which IEEE 754 rounds everywhere alike: the same points give the
// same bits natively and in WebAssembly, and so does a baseline that was stored in between.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "z0/base/bytes.hpp"

namespace z0 {

// Scores at which somebody should be told, of series with a point an hour and of those with one every
// five minutes, which have twelve times as many chances a day. Five series of a tenant that go on as
// they always did come to either less than once a month (baseline_quiet_test.cpp).
inline constexpr double anomaly_alert_score = 0.65;
inline constexpr double anomaly_alert_score_5_min = 0.8;

// What left its envelope most.
enum class Unusual : std::uint8_t { nothing, level, movement, time_of_day, time_of_week };

// What is said of a point.
struct Reading {
  double score = 0;      // 0: nothing unusual; towards 1: more views, and further outside
  bool settled = false;  // two weeks were seen
  Unusual unusual = Unusual::nothing;
  bool above = false;                  // over what is usual, or moving more
  std::uint16_t points = 1;            // of the average that is furthest outside
  double seen = 0, usual = 0;          // that average and what it usually is
  double deviations = 0;               // between both, in standard deviations of single points
  std::uint8_t weekday = 0, hour = 0;  // 0: Sunday

  friend bool operator==(const Reading&, const Reading&) = default;
};

// As rows hold it. False for bytes that encode did not write.
void encode(const Reading& reading, ByteWriter& out);
[[nodiscard]] bool decode(ByteReader& in, Reading& reading);

// "4.2 deviations under the usual Tuesday 10:00: 12.5 for 80.1"; empty when nothing is unusual.
std::string words_of(const Reading& reading);

class Baseline {
 public:
  static constexpr std::uint32_t cold_points = 50;
  static constexpr std::int64_t settled_ms = std::int64_t{14} * 86'400'000;
  // Bytes of one series in storage.
  static constexpr std::size_t stored_bytes = 2'313;

  // Looks at a point and learns it. What is not a number, or infinite, is ignored, and so is a point
  // from before the last one; when eight in a row are, the clock was set back, and it goes on from
  // there. Points of the same moment are each counted.
  Reading add(std::int64_t time_ms, double value);

  // Appends what is known, and reads it back: false, and unchanged, when the bytes are no baseline.
  void store(std::string& out) const;
  [[nodiscard]] bool restore(std::string_view bytes);

 private:
  static constexpr std::size_t views = 4;
  static constexpr std::size_t scales = 6;
  static constexpr std::size_t hours_of_day = 24;
  static constexpr std::size_t hours_of_week = 168;
  static constexpr std::size_t fine_points = 27;
  static constexpr std::size_t block_points = 9;
  static constexpr std::size_t blocks_kept = 26;
  using Views = std::array<double, views>;

  struct Envelope {
    double low = 0, high = 0;
  };
  // A mean that starts as a plain one and forgets later.
  struct Mean {
    double value = 0;
    void learn(double seen, double count, double least_share);
  };
  struct Vote {
    double strength = 0;      // of all
    double of_strongest = 0;  // which is the following
    std::size_t view = 0, scale = 0;
    bool above = false;
  };
  struct Hour;

  bool in_order(std::int64_t time_ms);
  bool possible() const;
  Views look(const Hour& hour, double value);
  void learn_hours(const Hour& hour, double value, const Views& seen);
  void keep(const Views& seen);
  std::array<Views, scales> averages() const;
  Vote vote(const std::array<Views, scales>& averages);
  Reading reading_of(const Vote& vote, const Views& averages, const Hour& hour) const;
  // Each field that is stored, in its order.
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor);

  std::int64_t last_ms_ = 0;
  std::int64_t watched_ms_ = 0;  // at most settled_ms
  std::uint32_t points_ = 0;     // as many as were counted, at most points_max
  std::uint32_t late_ = 0;       // points in a row that were from before the last one
  double origin_ = 0;            // the first value; all others are kept as differences from it
  double before_ = 0;            // the last one
  double habit_ = 0;             // the strongest vote of late
  Mean level_, level_error_, movement_, day_error_, week_error_;
  std::array<std::array<float, views>, fine_points> fine_{};    // a ring, as is the next
  std::array<std::array<float, views>, blocks_kept> blocks_{};  // sums of nine points
  Views open_block_{};
  std::array<Envelope, views * scales> envelopes_{};
  std::array<float, hours_of_day> day_{};
  std::array<float, hours_of_week> week_{};
  std::array<std::uint8_t, hours_of_day> day_seen_{};
  std::array<std::uint8_t, hours_of_week> week_seen_{};
};

}  // namespace z0
