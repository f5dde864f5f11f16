#include "z0/monitor/windows.hpp"

#include <algorithm>

#include "z0/base/limits.hpp"

namespace z0 {

Windows::Windows() {
  for (std::size_t level = 0; level < level_count; ++level)
    slots_[level].resize(levels[level].slots);
}

void Windows::empty(Slot& slot) {
  held_ -= slot.entries.size();
  slot.entries = {};
}

// The oldest slot of the fuller level. One that is open may be the only one left, and goes too.
void Windows::make_room() {
  std::size_t of_level[level_count] = {};
  for (std::size_t level = 0; level < level_count; ++level) {
    for (const Slot& slot : slots_[level]) of_level[level] += slot.entries.size();
  }
  const std::size_t level = of_level[0] > of_level[1] ? 0 : 1;
  Slot* oldest = nullptr;
  for (Slot& slot : slots_[level]) {
    if (slot.entries.empty()) continue;
    if (oldest == nullptr || slot.number < oldest->number) oldest = &slot;
  }
  if (oldest == nullptr) return;
  reaches_ms_[level] = std::max(reaches_ms_[level], (oldest->number + 1) * levels[level].slot_ms);
  oldest->changed = true;
  empty(*oldest);
}

void Windows::add(std::uint32_t cell, Places& places, std::uint64_t amount, std::int64_t now_ms) {
  for (std::size_t level = 0; level < level_count; ++level) {
    const std::int64_t number = now_ms / levels[level].slot_ms;
    Slot& slot = slots_[level][static_cast<std::size_t>(number) % levels[level].slots];
    if (slot.number > number) continue;  // the clock went back by the length of the level
    if (slot.number != number) {
      empty(slot);
      slot.number = number;
    }
    slot.changed = true;
    std::uint64_t left = amount;
    std::uint32_t& place = places[level];
    if (place < slot.entries.size() && slot.entries[place].cell == cell) {
      const std::uint64_t fits = UINT32_MAX - slot.entries[place].amount;
      const std::uint64_t added = std::min(left, fits);
      slot.entries[place].amount += static_cast<std::uint32_t>(added);
      left -= added;
    }
    while (left > 0) {
      if (held_ >= limits::window_entries_max) make_room();
      const std::uint64_t added = std::min<std::uint64_t>(left, UINT32_MAX);
      place = static_cast<std::uint32_t>(slot.entries.size());
      slot.entries.push_back({cell, static_cast<std::uint32_t>(added)});
      ++held_;
      left -= added;
    }
  }
}

std::size_t Windows::memory_bytes() const {
  std::size_t bytes = 0;
  for (const auto& level : slots_) {
    bytes += level.capacity() * sizeof(Slot);
    for (const Slot& slot : level) bytes += slot.entries.capacity() * sizeof(Entry);
  }
  return bytes;
}

void Windows::encode_reaches(ByteWriter& out) const {
  for (const std::int64_t ms : reaches_ms_) out.varint(static_cast<std::uint64_t>(ms));
}

bool Windows::decode_reaches(ByteReader& in) {
  for (std::int64_t& ms : reaches_ms_) {
    ms = static_cast<std::int64_t>(in.varint());
    if (ms < 0 || ms > limits::timestamp_ms_max) return false;
  }
  return in.ok();
}

std::string Windows::encode(const Slot& slot) {
  std::string bytes;
  ByteWriter out(bytes);
  out.signed_varint(slot.number);
  out.varint(slot.entries.size());
  for (const Entry& entry : slot.entries) {
    out.varint(entry.cell);
    out.varint(entry.amount);
  }
  return bytes;
}

bool Windows::load(std::size_t level, std::int64_t place, std::string_view bytes) {
  if (level >= level_count || place < 0 || place >= static_cast<std::int64_t>(levels[level].slots))
    return false;
  Slot& slot = slots_[level][static_cast<std::size_t>(place)];
  ByteReader in(bytes);
  slot.number = in.signed_varint();
  // One that was dropped has a number, too, and stands where its number says.
  const auto slots = static_cast<std::int64_t>(levels[level].slots);
  const bool sound =
      slot.number >= 0 && slot.number <= limits::timestamp_ms_max && slot.number % slots == place;
  const std::uint64_t count = in.varint();
  if (!sound || count > in.left()) return false;
  slot.entries.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto cell = static_cast<std::uint32_t>(in.varint());
    slot.entries.push_back({cell, static_cast<std::uint32_t>(in.varint())});
  }
  held_ += slot.entries.size();
  return in.ok() && in.done();
}

}  // namespace z0
