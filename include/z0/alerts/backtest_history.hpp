// What happened once, as rules are tried over it: measurements with their times, from lines of NDJSON or
// from facts. src/alerts/README.md has the format.
//
// Not for what happens now: windows of the monitor hold that. A history holds a measurement in 24 bytes
// and a series once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "z0/alerts/backtest.hpp"
#include "z0/alerts/rule.hpp"
#include "z0/metrics/registry.hpp"

namespace z0 {

struct HistorySample {
  std::int64_t at_ms = 0;
  Metric metric = Metric::count_;
  std::string tenant_id;
  std::vector<std::string> labels;  // in the order of the metric's row
  std::uint64_t rise = 0;           // of a counter, or how many observations
  double value = 0;                 // of a gauge, or what was observed
  friend bool operator==(const HistorySample&, const HistorySample&) = default;
};

// What rules can see of facts that are alike.
struct FactTraits {
  std::string_view tenant_id;
  std::string_view type;
  std::string_view subtype;
  std::string_view asset_id;
  bool failed = false;  // an attempt
  // Of an invocation its tool, operation and error code; of a mismatch cache_type and resolution; of a
  // routing decision result and reason; of a config's version its type; of an attempt its error code.
  std::string_view a, b, c;
};
// Appends what `times` such facts count as: what facts tell of metrics, the same wherever they lie.
void add_samples(const FactTraits& fact, std::int64_t at_ms, std::uint64_t times,
                 std::vector<HistorySample>& out);
// Whether facts tell what a metric counts.
bool facts_tell(Metric metric);

// A fact as rules about business see it, or several of one minute that are alike, in sum.
struct HistoryFact {
  std::int64_t at_ms = 0;  // of several, the newest
  std::int64_t facts = 1;
  std::string tenant_id;
  std::string entity_id;
  std::string type;
  std::string subtype;
  std::string id;
  bool failed = false;  // an attempt
  std::int64_t amount = 0;
  std::string currency;
  std::string corrects;  // of a correction, the type of what it corrects
  // Of a version of a budget, else empty.
  std::string config_id;
  std::int64_t config_version = 0;
  std::string settings;  // as JSON

  friend bool operator==(const HistoryFact&, const HistoryFact&) = default;
};

// One line: a sample, a fact, facts in sum, or a line of an export. Appends what it counts as, which may be
// nothing.
struct HistoryLine {
  std::vector<HistorySample> samples;
  std::optional<HistoryFact> fact;
};
[[nodiscard]] bool read_history_line(std::string_view line, HistoryLine& out, RuleError& error);
// The line of a sample; and of facts in sum.
std::string history_line(const HistorySample& sample);
std::string history_line(const HistoryFact& facts);

class History {
 public:
  void add(const HistorySample& sample);
  // The same as of the beginning of its step, where what a series brought within it counts as one.
  void add(const HistorySample& sample, std::int64_t step_ms);
  bool empty() const { return events_.empty(); }
  std::size_t size() const { return events_.size(); }
  std::size_t series_count() const { return series_.size(); }
  // Of the first and of the last measurement; 0 when there is none.
  std::int64_t first_ms() const;
  std::int64_t last_ms() const;

  // What happened from then on, to go on with it later, and the number of such measurements.
  std::size_t encode(std::int64_t since_ms, ByteWriter& out) const;
  // Adds it. False for bytes that encode did not write.
  [[nodiscard]] bool decode(ByteReader& in);

 private:
  friend class HistoryPlay;
  struct Series {
    Metric metric = Metric::count_;
    std::string tenant_id;
    std::vector<std::string> labels;
    std::size_t last = SIZE_MAX;  // what was added of it last
  };
  struct Event {
    std::int64_t at_ms = 0;
    std::uint32_t series = 0;
    std::uint32_t bucket = 0;
    double amount = 0;
  };
  std::uint32_t number_of(const HistorySample& sample);
  static Event event_of(const HistorySample& sample, std::uint32_t series);

  std::map<std::string, std::uint32_t, std::less<>> numbers_;
  std::vector<Series> series_;
  std::vector<Event> events_;
};

// What is played of a history: from_ms to to_ms is judged, and before it what is usual is learned, from
// learn_from_ms on. Windows are filled with what lies before.
struct PlayTimes {
  std::int64_t learn_from_ms = 0;  // from_ms or later: nothing is learned
  std::int64_t from_ms = 0;
  std::int64_t to_ms = 0;
};

// Plays a history step by step. Borrows both for its lifetime, and puts the history into order.
class HistoryPlay {
 public:
  HistoryPlay(History& history, Backtest& backtest, const PlayTimes& times);
  // Learns as much as the history and the rules ask for.
  HistoryPlay(History& history, Backtest& backtest, std::int64_t from_ms, std::int64_t to_ms);
  // False at the end.
  bool step();
  std::int64_t steps_left() const { return end_step_ - next_step_; }
  // Of the last step: its end, and whether it was judged.
  std::int64_t now_ms() const { return next_step_ * backtest_.step_ms(); }
  bool judged() const { return next_step_ > judged_step_; }

 private:
  enum class Step : std::uint8_t { fill, learn, judge };
  void take(std::int64_t step, Step how);

  History& history_;
  Backtest& backtest_;
  std::int64_t judged_step_;  // the first one
  std::int64_t next_step_;
  std::int64_t end_step_;
  std::size_t at_ = 0;  // the next event
  std::vector<std::uint32_t> numbers_;
  std::vector<Playback::Rise> rises_;
};

}  // namespace z0
