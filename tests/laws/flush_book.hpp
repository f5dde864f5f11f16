// What a shard of the monitor should know, by the flushes that came to it: each counted once, and of those
// that did not come as much missing as later ones tell of. It forgets with the shard what was not saved.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "z0/base/limits.hpp"
#include "z0/calls/metrics.hpp"
#include "z0/monitor/windows.hpp"

namespace z0::laws {

// A metric of a tenant.
using MetricOf = std::pair<std::string, std::int64_t>;
using Events = std::map<MetricOf, std::int64_t>;

struct Flush {
  std::string bytes;
  std::uint64_t stream = 0;
  std::int64_t number = 0;
  std::int64_t told = 0;  // events up to its end
  Events events;
};

class FlushBook {
 public:
  void take(const Flush& flush, std::int64_t now_ms) {
    Stream& stream = now_.streams[flush.stream];
    now_.unsaved = true;
    first_ms_ = std::min(first_ms_, now_ms);
    stream.heard_ms = std::max(stream.heard_ms, now_ms);
    // A shard that knows too many streams forgets those that it heard of least.
    forgets_ = forgets_ || now_.streams.size() >= limits::monitor_streams_max;
    const std::int64_t highest = stream.numbers.empty() ? 0 : *stream.numbers.rbegin();
    if (highest - flush.number >= told_apart || !stream.numbers.insert(flush.number).second) return;
    stream.told = std::max(stream.told, flush.told);
    for (const auto& [of, events] : flush.events) {
      now_.counted[of] += events;
      now_.events += events;
    }
  }
  void save(std::int64_t now_ms) {
    for (const auto& [id, stream] : now_.streams)
      forgets_ = forgets_ || stream.heard_ms + limits::stream_silence_ms < now_ms;
    drops_ = drops_ || now_ms - first_ms_ > Windows::longest_ms;
    now_.unsaved = false;
    saved_ = now_;
  }
  void die() { now_ = saved_; }

  bool unsaved() const { return now_.unsaved; }
  const Events& counted() const { return now_.counted; }
  std::int64_t missing() const {
    std::int64_t told = 0;
    for (const auto& [id, stream] : now_.streams) told += stream.told;
    return told - now_.events;
  }

  // The law that `all`, an answer about all series, breaks; empty where it breaks none.
  std::string broken_by(const SeriesReply& all) const {
    Events seen;
    std::int64_t sum = 0;
    for (const SeriesGroup& group : all.groups) {
      for (const SeriesAmount& amount : group.amounts) {
        seen[{std::string(group.tenant_id), group.metric}] += amount.amount;
        sum += amount.amount;
      }
    }
    // Where there was no room a tenant's events may count as another's.
    const bool folded = std::any_of(seen.begin(), seen.end(),
                                    [](const auto& of) { return of.first.first == "(other)"; });
    const auto in = [](const Events& events, const MetricOf& of) {
      const auto found = events.find(of);
      return found == events.end() ? 0 : found->second;
    };
    if (sum + all.lost > now_.events) return "no event is counted twice";
    if (drops_) return {};
    if (sum + all.lost + all.missing != all.told) return "what is told of is counted or missing";
    for (const auto& [of, events] : seen) {
      if (!folded && events > in(now_.counted, of)) return "no event counts as another one";
    }
    if (forgets_) return {};
    if (sum + all.lost != now_.events) return "what arrived is counted";
    if (all.missing != missing()) return "what is missing is said exactly";
    for (const auto& [of, events] : now_.counted) {
      if (!folded && all.lost == 0 && in(seen, of) != events)
        return "what arrived counts as what it is";
    }
    return {};
  }

 private:
  static constexpr std::int64_t told_apart = 64;
  struct Stream {
    std::set<std::int64_t> numbers;  // of flushes that came
    std::int64_t told = 0;
    std::int64_t heard_ms = 0;
  };
  struct State {
    std::map<std::uint64_t, Stream> streams;
    Events counted;
    std::int64_t events = 0;
    bool unsaved = false;
  };
  State now_;
  State saved_;
  std::int64_t first_ms_ = INT64_MAX;
  bool forgets_ = false;  // streams that were silent may have been forgotten, and are missing then
  bool drops_ = false;    // and series
};

}  // namespace z0::laws
