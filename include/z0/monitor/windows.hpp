// Sums over the last hour in slots of 10 s, and over the last two days in slots of 5 minutes.
//
// What is summed up is a cell: a series, or of a histogram one of its buckets. A slot is a flat list of
// the cells that something happened to, so quiet series cost nothing, and sums of slots are exact.
// Where all slots together would hold more than limits::window_entries_max, the oldest slot of the
// level with more of them goes, and the window reaches less far back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "z0/base/bytes.hpp"

namespace z0 {

class Windows {
 public:
  struct Level {
    std::int64_t slot_ms;
    std::size_t slots;
  };
  // Some slots more than the longest window has, so that what leaves it is still there to be taken out.
  static constexpr std::size_t spare_slots = 12;
  static constexpr Level levels[] = {{10'000, 360 + spare_slots}, {300'000, 576 + spare_slots}};
  static constexpr std::size_t level_count = std::size(levels);
  static constexpr std::int64_t longest_ms_of(std::size_t level) {
    return levels[level].slot_ms * static_cast<std::int64_t>(levels[level].slots - spare_slots);
  }
  static constexpr std::int64_t longest_ms = levels[1].slot_ms * std::int64_t{576};

  // Of a cell in the slot that is open, where it was last: kept by the owner of the cells.
  using Places = std::uint32_t[level_count];
  struct Entry {
    std::uint32_t cell = 0;
    std::uint32_t amount = 0;
  };
  struct Slot {
    std::int64_t number = -1;  // its time divided by slot_ms
    bool changed = false;      // since it was saved
    std::vector<Entry> entries;
  };

  Windows();
  void add(std::uint32_t cell, Places& places, std::uint64_t amount, std::int64_t now_ms);

  // The level that answers a window of this length.
  static std::size_t level_for(std::int64_t window_ms) {
    return window_ms <= longest_ms_of(0) ? 0 : 1;
  }
  // Calls each(slot's begin, cell, amount) for slots that begin at or after from_ms.
  template <class Each>
  void each(std::size_t level, std::int64_t from_ms, std::int64_t now_ms, Each each_entry) const {
    const std::int64_t slot_ms = levels[level].slot_ms;
    for (const Slot& slot : slots_[level]) {
      const std::int64_t begin = slot.number * slot_ms;
      if (slot.number < 0 || begin < from_ms || begin > now_ms) continue;
      for (const Entry& entry : slot.entries) each_entry(begin, entry.cell, entry.amount);
    }
  }
  // What happened in one slot; nothing where it is no longer held.
  std::span<const Entry> entries_of(std::size_t level, std::int64_t number) const {
    const Slot& slot = slots_[level][static_cast<std::size_t>(number) % levels[level].slots];
    if (slot.number != number) return {};
    return slot.entries;
  }
  // Nothing earlier is held; 0 where nothing was dropped for want of room.
  std::int64_t reaches_ms(std::size_t level) const { return reaches_ms_[level]; }
  void encode_reaches(ByteWriter& out) const;
  [[nodiscard]] bool decode_reaches(ByteReader& in);
  std::size_t entries() const { return held_; }
  std::size_t memory_bytes() const;

  // Slots that changed, as rows; marks them as saved.
  template <class Row>
  void save(Row row) {
    for (std::size_t level = 0; level < level_count; ++level) {
      for (std::size_t i = 0; i < slots_[level].size(); ++i) {
        Slot& slot = slots_[level][i];
        if (!slot.changed) continue;
        slot.changed = false;
        row(level, static_cast<std::int64_t>(i), encode(slot));
      }
    }
  }
  [[nodiscard]] bool load(std::size_t level, std::int64_t place, std::string_view bytes);

 private:
  static std::string encode(const Slot& slot);
  void empty(Slot& slot);
  void make_room();

  std::array<std::vector<Slot>, level_count> slots_;
  std::array<std::int64_t, level_count> reaches_ms_{};
  std::size_t held_ = 0;
};

}  // namespace z0
