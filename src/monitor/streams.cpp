#include "z0/monitor/streams.hpp"

#include <algorithm>
#include <vector>

#include "z0/base/limits.hpp"

namespace z0 {
namespace {

constexpr std::int64_t told_apart = 64;

}  // namespace

bool Streams::take(const FlushHead& flush, std::int64_t now_ms) {
  auto found = streams_.find(flush.stream);
  if (found == streams_.end()) {
    if (flush.began_ms <= forgotten_began_ms_) {
      // It may have been counted while its stream was known.
      forgotten_missing_ += flush.events;
      forgotten_told_ += flush.events;
      return false;
    }
    make_room();
    found = streams_.emplace(flush.stream, Stream{}).first;
    found->second.began_ms = flush.began_ms;
  }
  Stream& s = found->second;
  s.heard_ms = std::max(s.heard_ms, now_ms);
  const bool newest = flush.number > s.highest;
  const std::int64_t told = newest ? std::max(s.told, flush.before + flush.events) : s.told;
  // What was damaged on its way may not fit the others. More is never counted than was told of.
  if (flush.events > told - s.counted) return false;
  if (newest) {
    const std::int64_t steps = flush.number - s.highest;
    s.arrived = steps >= told_apart ? 0 : s.arrived << steps;
    s.arrived |= 1;
    s.highest = flush.number;
    s.told = told;
  } else {
    const std::int64_t back = s.highest - flush.number;
    if (back >= told_apart) return false;
    const std::uint64_t bit = std::uint64_t{1} << back;
    if ((s.arrived & bit) != 0) return false;
    s.arrived |= bit;
  }
  s.counted += flush.events;
  return true;
}

void Streams::forget_one(const Stream& stream) {
  forgotten_began_ms_ = std::max(forgotten_began_ms_, stream.began_ms);
  forgotten_missing_ += stream.told - stream.counted;
  forgotten_told_ += stream.told;
}

void Streams::forget(std::int64_t now_ms) {
  std::erase_if(streams_, [&](const auto& known) {
    const bool silent = known.second.heard_ms + limits::stream_silence_ms < now_ms;
    if (silent) forget_one(known.second);
    return silent;
  });
}

// The one that was silent for longest goes; which it is does not depend on the order of the table.
void Streams::make_room() {
  if (streams_.size() < limits::monitor_streams_max) return;
  auto longest = streams_.begin();
  for (auto at = streams_.begin(); at != streams_.end(); ++at) {
    const bool earlier = at->second.heard_ms < longest->second.heard_ms;
    const bool same = at->second.heard_ms == longest->second.heard_ms;
    if (earlier || (same && at->first < longest->first)) longest = at;
  }
  forget_one(longest->second);
  streams_.erase(longest);
}

std::int64_t Streams::missing_since(std::int64_t since_ms) const {
  std::int64_t sum = 0;
  for (const auto& [id, s] : streams_) {
    if (s.heard_ms >= since_ms) sum += s.told - s.counted;
  }
  return sum;
}

std::int64_t Streams::told() const {
  std::int64_t sum = forgotten_told_;
  for (const auto& [id, s] : streams_) sum += s.told;
  return sum;
}

void Streams::encode(ByteWriter& out) const {
  out.signed_varint(forgotten_began_ms_);
  out.varint(static_cast<std::uint64_t>(forgotten_missing_));
  out.varint(static_cast<std::uint64_t>(forgotten_told_));
  out.varint(streams_.size());
  std::vector<std::uint64_t> ids;
  for (const auto& [id, s] : streams_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (const std::uint64_t id : ids) {
    const Stream& s = streams_.at(id);
    out.u64(id);
    out.u64(s.arrived);
    for (const std::int64_t n : {s.began_ms, s.heard_ms, s.highest, s.told, s.counted})
      out.varint(static_cast<std::uint64_t>(n));
  }
}

bool Streams::decode(ByteReader& in) {
  bool sound = true;
  const auto take = [&in, &sound](std::int64_t& n) {
    n = static_cast<std::int64_t>(in.varint());
    sound = sound && n >= 0 && n <= 2 * flush_events_max;
  };
  forgotten_began_ms_ = in.signed_varint();
  take(forgotten_missing_);
  take(forgotten_told_);
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    Stream& s = streams_[in.u64()];
    s.arrived = in.u64();
    for (std::int64_t* n : {&s.began_ms, &s.heard_ms, &s.highest, &s.told, &s.counted}) take(*n);
    sound = sound && s.counted <= s.told;
  }
  return in.ok() && sound;
}

}  // namespace z0
