// What the monitor is told: by the edge after each request, by the consumer after each message, by a
// ledger whose facts are not yet confirmed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0.h"
#include "z0/base/fields.hpp"
#include "z0/base/span_name.hpp"
#include "z0/facts/type_counts.hpp"

namespace z0 {

// What the monitor is asked: of its root the live window, as JSON, what all shards know of metrics, and
// how far replication is (calls/look.hpp); of a shard what it knows itself (calls/metrics.hpp), and to
// judge its rules and report now: the answer is empty.
enum class MonitorMethod : std::uint8_t {
  live = 1,
  metrics = 2,
  series = 3,
  replication = 4,
  report = 5
};
constexpr z0_target target_of(MonitorMethod) { return Z0_TARGET_MONITOR; }
constexpr SpanName span_of(MonitorMethod method) {
  if (method == MonitorMethod::metrics) return "z0.do.monitor.metrics";
  if (method == MonitorMethod::replication) return "z0.do.monitor.replication";
  if (method == MonitorMethod::report) return "z0.do.monitor.report";
  return method == MonitorMethod::series ? SpanName("z0.do.monitor.series")
                                         : SpanName("z0.do.monitor.live");
}
inline constexpr std::string_view monitor_object = "root";

// Which report it is: its first byte. The value follows; what cannot be read to its end changes
// nothing.
enum class Report : std::uint8_t { request = 1, ledger = 2, message = 3 };

// What one request did, as the edge tells it.
struct RequestReport {
  std::int64_t recorded = 0;
  std::int64_t duplicate = 0;
  std::int64_t conflict = 0;
  std::int64_t refused = 0;  // other 4xx
  std::int64_t failed = 0;   // attempts that may succeed later
  TypeCounts recorded_by_type;
  struct Head {
    std::string_view entity_id;
    std::int64_t seq = 0;
    std::int64_t recorded_at = 0;

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      f.text(self.entity_id);
      f.number(self.seq);
      f.number(self.recorded_at);
    }
  };
  std::vector<Head> heads;  // of the ledgers that grew
  // Latest facts as JSON objects, at most limits::latest_per_report.
  std::vector<std::string> latest;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.recorded);
    f.number(self.duplicate);
    f.number(self.conflict);
    f.number(self.refused);
    f.number(self.failed);
    f.nested(self.recorded_by_type);
    f.list(self.heads);
    f.list(self.latest);
  }
};
std::string encode_report(const RequestReport& report);

// A ledger's own word.
struct LedgerReport {
  std::string_view entity_id;
  std::int64_t seq = 0;
  std::int64_t confirmed_seq = 0;
  std::int64_t oldest_at = 0;  // commit time of its oldest unconfirmed fact, 0 when none
  std::int64_t resent = 0;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.entity_id);
    f.number(self.seq);
    f.number(self.confirmed_seq);
    f.number(self.oldest_at);
    f.number(self.resent);
  }
};
std::string encode_report(const LedgerReport& report);

// What one message did.
struct MessageReport {
  bool failed = false;  // and will be delivered again
  bool dead = false;    // it came from the dead-letter queue and could not be read
  std::int64_t facts = 0;
  std::int64_t inserted = 0;
  std::int64_t lag_ms_max = 0;
  struct Head {
    std::string_view entity_id;
    std::int64_t contiguous_seq = 0;

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      f.text(self.entity_id);
      f.number(self.contiguous_seq);
    }
  };
  std::vector<Head> heads;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.flag(self.failed);
    f.flag(self.dead);
    f.number(self.facts);
    f.number(self.inserted);
    f.number(self.lag_ms_max);
    f.list(self.heads);
  }
};
std::string encode_report(const MessageReport& report);

}  // namespace z0
