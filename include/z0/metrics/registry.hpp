// Every metric of z0, in one table: what has no row cannot be emitted. src/metrics/README.md is made of it.
//
// A metric is measured in points, one metric a point. The index of a point is the tenant (empty: the
// platform itself); blob1 is the metric's name and the labels follow in the row's order; blob20 is the
// trace of one of the measured events. double1 is how much: a counter's increase, or how many
// observations. double2 is what was observed: of a histogram the bound of its bucket
// (histogram.hpp), so that equal ones merge. So "facts written by type" is
//   SELECT blob2, SUM(_sample_interval * double1) FROM z0 WHERE blob1 = 'z0_facts_written_total' ...
// Names are `z0_{component}_{measurement}_{unit}`: a counter ends in `_total`, a duration in `_ms`.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>

#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

enum class MetricKind : std::uint8_t {
  counter = Z0_POINT_COUNTER,
  histogram = Z0_POINT_HISTOGRAM,
  gauge = Z0_POINT_GAUGE,
};
std::string_view kind_name(MetricKind kind);

enum class Metric : std::uint8_t {
  facts_written,
  facts_write_duration,
  facts_write_failures,
  config_reads,
  config_read_duration,
  config_updates,
  config_update_duration,
  config_version_gaps,
  cache_hits,
  cache_misses,
  cache_read_duration,
  routing_decisions,
  routing_decision_duration,
  external_calls,
  external_errors,
  external_call_duration,
  reconciliation_runs,
  reconciliation_failures,
  reconciliation_duration,
  reconciliation_facts_scanned,
  reconciliation_comparisons,
  reconciliation_mismatches,
  replication_lag,
  replication_lag_distribution,
  replication_queue_depth,
  replication_facts,
  replication_failures,
  replication_retries,
  alerts_evaluation_delay,
  notifications,
  notifications_lost,
  notifications_delay,
  errors,
  count_,
};

// What several gauges come to when they are one: of ledgers that lag the worst counts, of queues
// the sum.
enum class Together : std::uint8_t { sum, max };

struct MetricInfo {
  std::string_view name;
  MetricKind kind = MetricKind::counter;
  std::string_view unit;  // "ms", "facts", ...: what the number counts
  std::span<const std::string_view> labels;
  std::string_view help;
  // What product Workers send; the platform itself does not emit it.
  bool of_products = false;
  Together together = Together::sum;  // of a gauge
};
const MetricInfo& info(Metric metric);
// count_ for a name that the table does not have.
Metric metric_named(std::string_view name);

// What stands for the values of labels where too many were met.
inline constexpr std::string_view other_value = "(other)";

// One point. As many labels as the metric's row has, in its order; traps on others, and on a metric
// of another kind. A tenant's id is cut to what an index holds. trace_id: 32 hexadecimal digits, or
// empty.
void count(Effects& effects, Metric metric, std::string_view tenant_id,
           std::initializer_list<std::string_view> labels, std::int64_t increase,
           std::string_view trace_id);
void observe(Effects& effects, Metric metric, std::string_view tenant_id,
             std::initializer_list<std::string_view> labels, std::int64_t value, std::int64_t times,
             std::string_view trace_id);
void gauge(Effects& effects, Metric metric, std::string_view tenant_id, std::int64_t value);

// What went wrong on z0's own side: where, and the code of it.
void count_error(Effects& effects, std::string_view tenant_id, std::string_view layer,
                 std::string_view component, std::string_view error_code,
                 std::string_view trace_id);

// A call of somebody outside: the call, what it took and, for an answer from 400 on or none, the error. What
// sends traces and metrics themselves is not counted so: each count would have to be sent.
struct ExternalCall {
  std::string_view tenant_id;
  std::string_view tool_id;
  std::string_view operation;
  FetchAnswer answer;
  std::int64_t duration_ms = 0;
  std::string_view trace_id;
};
void count_external(Effects& effects, const ExternalCall& call);

// A point that comes from outside, by the metric's name.
struct NamedSample {
  std::string_view tenant_id;
  std::string_view name;
  // In any order. One that is missing is empty; one that the row does not have refuses the sample.
  std::span<const std::pair<std::string_view, std::string_view>> labels;
  double how_much = 1;  // a counter's increase, or how many observations; whole, and not negative
  double value = 0;     // of a histogram or a gauge; not negative
  std::string_view trace_id;
};
// Emits it. Else why not, as a sentence's end; and nothing is emitted.
[[nodiscard]] bool take_metric(Effects& effects, const NamedSample& sample, std::string_view& why);

}  // namespace z0
