// The monitor: what happened in the last minutes, and how far replication is, kept in memory.
//
// It lives in one Durable Object and hears reports: from the edge after each request, from the
// consumer after each message, from a ledger whose facts are not yet confirmed. Reports are best
// effort, so what it counts is exact for what reached it since it started, and replication heals by
// itself: it compares sequence numbers, and a later number says all that an earlier one did.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "z0/base/limits.hpp"
#include "z0/calls/look.hpp"
#include "z0/calls/metrics.hpp"
#include "z0/calls/reports.hpp"
#include "z0/json/write.hpp"
#include "z0/metrics/histogram.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

enum class Band : std::uint8_t { healthy, degraded, critical };
std::string_view band_name(Band band);
// A value of a signal up to `healthy_max` is healthy, above `critical_above` it is critical.
struct SignalBands {
  double healthy_max = 0;
  double critical_above = 0;
};
// The only place where they stand: whoever draws a signal reads them in the answer of `live`.
inline constexpr SignalBands lag_bands = {999, 60'000};  // ms
inline constexpr SignalBands depth_bands = {999, 100'000};
inline constexpr SignalBands failure_rate_bands = {0, 0.01};
Band band_of(double value, const SignalBands& bands);
// Grades health by lag, depth and failure rate; the worst of the three wins. failure_rate: 0 to 1.
Band replication_band(std::int64_t lag_ms, std::int64_t depth, double failure_rate);

class Monitor {
 public:
  // Takes one report; false when it is malformed.
  [[nodiscard]] bool take(std::string_view report, std::int64_t now_ms);
  // GET /v1/live as JSON. `since` is when the monitor heard its first report: an object that nobody
  // asks or tells for a while leaves memory, and the window begins anew.
  std::string live(std::int64_t now_ms);
  ReplicationReply replication(std::int64_t now_ms) const;
  // Emits how far replication is, where that was not done for some seconds.
  void tell_gauges(std::int64_t now_ms, Effects& effects);
  // Puts it among the groups that shards answered, as far as it was asked for.
  void put_gauges(const SeriesRequest& request, std::int64_t now_ms, SeriesReply& reply) const;

 private:
  struct Second {
    std::int64_t at = -1;  // the second since 1970 that this slot holds
    std::int64_t recorded = 0, duplicate = 0, conflict = 0, refused = 0, failed = 0;
    std::int64_t messages = 0, message_failures = 0, resent = 0, dead = 0;
    Histogram lags_ms;  // one value a message that landed something: its slowest fact's
  };
  struct Minute {
    std::int64_t at = -1;
    TypeCounts by_type;
  };
  // A ledger with facts on their way to D1.
  struct Lagging {
    std::int64_t seq = 0;
    std::int64_t contiguous_seq = 0;
    std::int64_t oldest_at = 0;
  };

  // What is recorded and not yet in D1.
  struct Backlog {
    std::int64_t depth = 0;
    std::int64_t oldest_age_ms = 0;
  };
  Backlog backlog(std::int64_t now_ms) const;
  std::int64_t last_lag_ms(std::int64_t now_ms) const;

  Second& second(std::int64_t now_ms);
  Minute& minute(std::int64_t now_ms);
  void grew(std::string_view entity_id, std::int64_t seq, std::int64_t recorded_at);
  void landed(std::string_view entity_id, std::int64_t contiguous_seq, std::int64_t now_ms);
  void take_request(const RequestReport& report, std::int64_t now_ms);
  void take_ledger(const LedgerReport& report, std::int64_t now_ms);
  void take_message(const MessageReport& report, std::int64_t now_ms);
  void write_by_type(JsonWriter& json, std::int64_t now_ms) const;
  void write_replication(JsonWriter& json, std::int64_t now_ms) const;

  Second seconds_[limits::live_seconds];
  Minute minutes_[limits::live_seconds / 60];
  std::unordered_map<std::string, Lagging> lagging_;
  std::deque<std::string> latest_;  // newest first, JSON objects
  std::int64_t since_ms_ = 0;       // the first report: nothing earlier is known
  std::int64_t gauges_at_ms_ = 0;
};

// Frames to the root of Z0_TARGET_MONITOR; those to its shards are step_shard's.
void step_monitor(Monitor& monitor, const Frame& frame, Effects& effects);

// What a step of this target asked for before it went on so: the root calls of its shards, a shard rows
// and a request to somebody outside.
z0_effect_kind monitor_asked(std::string_view continuation);
// Whether it was the root that asked.
bool asked_by_root(std::string_view continuation);

}  // namespace z0
