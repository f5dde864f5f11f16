// Every metric and every log event of z0, in two tables: what has no row cannot be emitted.
//
// A metric is measured in a data point of Analytics Engine. The index of a point is the tenant; its
// first blob names the point, by its first metric, and the labels follow as blobs; its doubles are its
// metrics. So "facts written by type" is
//   SELECT blob2, SUM(_sample_interval * double1) FROM z0 WHERE blob1 = 'z0_facts_written_total' ...
// Names are `z0_{component}_{measurement}_{unit}`: a counter ends in `_total`, a duration in `_ms`.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "z0/wire/effects.hpp"

namespace z0 {

enum class MetricKind : std::uint8_t { counter, histogram };

struct Metric {
  std::string_view name;
  MetricKind kind = MetricKind::counter;
  std::string_view help;
};

enum class Point : std::uint8_t {
  facts_written,
  facts_write_failures,
  config_reads,
  config_updates,
  cache_hits,
  cache_misses,
  reconciliation_runs,
  reconciliation_mismatches,
  replication_failures,
  count_,
};

struct PointInfo {
  std::span<const std::string_view> labels;  // blobs from the second on
  std::span<const Metric> metrics;           // doubles from the first on; never none
};
const PointInfo& info(Point point);

// One point. As many labels and values as its row has, in its order; traps on others. A tenant's id is
// cut to what an index holds.
void emit(Effects& effects, Point point, std::string_view tenant_id,
          std::initializer_list<std::string_view> labels, std::initializer_list<double> values);

// What a log line tells a person; one line of JSON, whose first members are its level and its event.
enum class Event : std::uint8_t {
  message_failed,
  root_differs,
  config_refused,
  count_,
};

struct EventInfo {
  std::string_view name;
  bool error = false;                         // else information
  std::span<const std::string_view> members;  // after level and event
};
const EventInfo& info(Event event);

// What a member of an event holds; borrows its text.
struct EventValue {
  EventValue(std::string_view value) : text(value) {}
  EventValue(const std::string& value) : text(value) {}
  EventValue(const char* value) : text(value) {}
  EventValue(std::int64_t value) : number(value), is_number(true) {}
  EventValue(std::span<const std::string> values) : list(values), is_list(true) {}

  std::string_view text;
  std::int64_t number = 0;
  std::span<const std::string> list;
  bool is_number = false;
  bool is_list = false;
};

// One line. As many values as the event's row has members, in their order; traps on others.
void log_event(Effects& effects, Event event, std::initializer_list<EventValue> values);

}  // namespace z0
