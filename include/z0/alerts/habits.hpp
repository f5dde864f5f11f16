// What is usual for the groups of rules about anomalies: a baseline for each rule and group, which learns a
// point whenever a window of the rule has ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "z0/alerts/baseline.hpp"
#include "z0/base/bytes.hpp"
#include "z0/base/limits.hpp"

namespace z0 {

class Habits {
 public:
  // So many stand in one row.
  static constexpr std::size_t per_chunk = 16;

  struct Habit {
    std::uint32_t rule = 0;
    std::uint32_t group = 0;
    std::int64_t step = 0;        // the last window that was learned, counted from 1970
    std::int64_t heard_step = 0;  // the last one in which something happened
    Baseline baseline;
    Reading last;
  };

  // Null: there is none.
  const Habit* find(std::uint32_t rule, std::uint32_t group) const;
  // Of all groups of a rule: whether there is a baseline, and whether one has settled by its last point.
  struct Learned {
    bool any = false;
    bool settled = false;
  };
  Learned learned(std::uint32_t rule) const;
  // What is known of a group that was silent for so long is forgotten when there is no room for another.
  static constexpr std::int64_t forgotten_ms = std::int64_t{35} * 86'400'000;

  // Whether a window has ended since the last point. A group is met here for the first time with the window
  // that is open, which is not whole and not learned.
  bool due(std::uint32_t rule, std::uint32_t group, std::int64_t window_ms, std::int64_t now_ms);
  // The point of the window that ended last. Nothing: it cannot be told. steady: where nothing was told, nothing
  // happened, so that windows that were missed were zeros.
  void learn(std::uint32_t rule, std::uint32_t group, std::int64_t window_ms, std::int64_t now_ms,
             std::optional<double> value, bool steady);

  // Groups that there was no room for, since a tick began.
  void begin_tick() { left_out_ = 0; }
  std::int64_t left_out() const { return left_out_; }
  // Baselines that there is room for, where it is less than limits::habits_max.
  void limit(std::size_t most) { most_ = most < most_ ? most : most_; }
  std::size_t memory_bytes() const;

  // Rows: chunks of neighbours.
  std::size_t chunks() const { return changed_.size(); }
  bool changed(std::size_t chunk) const { return changed_[chunk]; }
  void saved(std::size_t chunk) { changed_[chunk] = false; }
  // Those of one chunk; a place may be free.
  const Habit* at(std::size_t number) const {
    return number < all_.size() ? all_[number].get() : nullptr;
  }
  static void encode(const Habit& habit, ByteWriter& out);
  // All but rule and group.
  [[nodiscard]] static bool decode(ByteReader& in, Habit& habit);
  // Null: there is no room.
  Habit* put(std::unique_ptr<Habit> habit);

 private:
  Habit* mine(std::uint32_t rule, std::uint32_t group);
  bool make_room(std::int64_t window_ms, std::int64_t step);
  void touch(std::size_t number);

  std::vector<std::unique_ptr<Habit>> all_;
  std::vector<std::vector<std::uint32_t>> numbers_;  // by rule and group: 1 + its place; 0: none
  std::vector<bool> changed_;                        // by chunk
  std::int64_t left_out_ = 0;
  std::size_t most_ = limits::habits_max;
};

}  // namespace z0
