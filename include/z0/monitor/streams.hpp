// What isolates told: each flush counts once, however often and in whatever order it arrives, and what
// never arrived is known by number.
//
// A stream is what one isolate tells one shard: a random id, flushes numbered from 1, and with each
// flush how many events were told before it. The highest number that arrived says how many there
// were; what was counted of them is known; the difference is missing. It is unknown what the last
// flushes of an isolate held that died with it.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "z0/base/bytes.hpp"

namespace z0 {

// The most that a flush tells of, in itself and before it: sums of some are numbers still.
inline constexpr std::int64_t flush_events_max = std::int64_t{1} << 60;

// How one flush announces itself.
struct FlushHead {
  std::uint64_t stream = 0;
  std::int64_t began_ms = 0;  // when the stream began, by the isolate's clock
  std::int64_t number = 0;    // from 1
  std::int64_t before = 0;    // events of all earlier flushes, and those that were given up
  std::int64_t events = 0;    // of this one
};

class Streams {
 public:
  // Whether the flush is to be counted: not one that was before, nor one that may have been. Of an
  // isolate that tells every second the last 64 flushes are told apart; an older one is missing.
  [[nodiscard]] bool take(const FlushHead& flush, std::int64_t now_ms);
  // Forgets streams that were silent for so long that their isolates have begun others.
  void forget(std::int64_t now_ms);

  // Events that were told of and never arrived: of streams that were heard of since then, or ever.
  std::int64_t missing_since(std::int64_t since_ms) const;
  std::int64_t missing() const { return missing_since(0) + forgotten_missing_; }
  // All that were told of.
  std::int64_t told() const;
  std::size_t size() const { return streams_.size(); }

  void encode(ByteWriter& out) const;
  [[nodiscard]] bool decode(ByteReader& in);

 private:
  struct Stream {
    std::int64_t began_ms = 0;
    std::int64_t heard_ms = 0;
    std::int64_t highest = 0;   // number
    std::uint64_t arrived = 0;  // bit i: highest - i did
    std::int64_t told = 0;      // events up to the highest
    std::int64_t counted = 0;
  };
  void forget_one(const Stream& stream);
  void make_room();

  std::unordered_map<std::uint64_t, Stream> streams_;
  // Of forgotten streams: a flush of an unknown stream that began no later may be one of theirs.
  std::int64_t forgotten_began_ms_ = -1;
  std::int64_t forgotten_missing_ = 0;
  std::int64_t forgotten_told_ = 0;
};

}  // namespace z0
