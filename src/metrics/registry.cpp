#include "z0/metrics/registry.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/shorten.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/metrics/histogram.hpp"

namespace z0 {
namespace {

constexpr std::size_t labels_max = 3;

constexpr std::string_view by_fact[] = {"fact_type", "subtype", "asset_id"};
constexpr std::string_view by_type[] = {"fact_type"};
constexpr std::string_view by_type_and_code[] = {"fact_type", "error_code"};
constexpr std::string_view by_config[] = {"config_type"};
constexpr std::string_view by_cache[] = {"cache_type"};
constexpr std::string_view by_cache_and_resolution[] = {"cache_type", "resolution"};
constexpr std::string_view by_decision[] = {"result", "reason"};
constexpr std::string_view by_tool[] = {"tool_id", "operation", "error_code"};
constexpr std::string_view by_channel[] = {"channel"};
constexpr std::string_view by_place[] = {"layer", "component", "error_code"};

constexpr auto counter = MetricKind::counter;
constexpr auto histogram = MetricKind::histogram;
constexpr auto gauge_kind = MetricKind::gauge;
constexpr bool products = true;

// In the order of Metric. A row a metric: clang-format would give each member a line of its own.
// clang-format off
constexpr MetricInfo metrics[] = {
    {"z0_facts_written_total", counter, "facts", by_fact,
     "Facts that a ledger recorded"},
    {"z0_facts_write_duration_ms", histogram, "ms", by_type,
     "From a request's arrival to its ledgers' answers, once a fact, recorded or failed"},
    {"z0_facts_write_failures_total", counter, "facts", by_type_and_code,
     "Facts that were not recorded, but may be later, and those that a budget refused"},
    {"z0_config_reads_total", counter, "reads", by_config,
     "Reads of a config, or of its versions"},
    {"z0_config_read_duration_ms", histogram, "ms", by_config,
     "From a request's arrival to the versions that it asks for"},
    {"z0_config_updates_total", counter, "versions", by_config,
     "Versions of configs that were published"},
    {"z0_config_update_duration_ms", histogram, "ms", by_config,
     "From a request's arrival to the ledgers that the version binds"},
    {"z0_config_version_gaps_total", counter, "gaps", by_config,
     "Versions whose predecessor a config's own ledger lacks, and facts that name a version which their ledger does not know"},
    {"z0_cache_hits_total", counter, "reads", by_cache,
     "Reads of a cached value from memory or its row"},
    {"z0_cache_misses_total", counter, "reads", by_cache,
     "Reads of a cached value from facts"},
    {"z0_cache_read_duration_ms", histogram, "ms", by_cache,
     "From a request's arrival to the value"},
    {"z0_routing_decisions_total", counter, "decisions", by_decision,
     "Decisions of a router", products},
    {"z0_routing_decision_duration_ms", histogram, "ms", by_decision,
     "What a decision took", products},
    {"z0_external_calls_total", counter, "calls", by_tool,
     "Calls of somebody outside; error_code is empty for those that went well"},
    {"z0_external_errors_total", counter, "calls", by_tool,
     "Calls of somebody outside that had no answer, or one from 400 on"},
    {"z0_external_call_duration_ms", histogram, "ms", by_tool,
     "From a call of somebody outside to the answer, or to the end of waiting"},
    {"z0_reconciliation_runs_total", counter, "passes", by_cache,
     "Passes over facts and cached values; cache_type is all, since a pass folds every one at once"},
    {"z0_reconciliation_failures_total", counter, "passes", by_cache,
     "Passes that could not read their rows"},
    {"z0_reconciliation_duration_ms", histogram, "ms", by_cache,
     "From the first step of a pass to its last fact, as far as the clock of the object shows it"},
    {"z0_reconciliation_facts_scanned_total", counter, "facts", by_cache,
     "Facts that a pass folded"},
    {"z0_reconciliation_comparisons_total", counter, "values", by_cache,
     "Values that a pass compared"},
    {"z0_reconciliation_mismatches_total", counter, "values", by_cache_and_resolution,
     "Cached values that were not those of their facts"},
    {"z0_replication_lag_ms", gauge_kind, "ms", {},
     "How long the newest message took to be readable in D1, or the age of the oldest fact that is not",
     false, Together::max},
    {"z0_replication_lag_distribution_ms", histogram, "ms", {},
     "From a fact's commit to being readable in D1, once a message and tenant: its oldest new fact"},
    {"z0_replication_queue_depth", gauge_kind, "facts", {},
     "Facts that are recorded and not yet in D1"},
    {"z0_replication_facts_total", counter, "facts", {},
     "Facts that came to D1"},
    {"z0_replication_failures_total", counter, "failures", {},
     "Messages that D1 did not take, and ledgers whose copy in D1 was not theirs"},
    {"z0_replication_retries_total", counter, "retries", {},
     "Messages that are delivered again, and chunks that a ledger writes to D1 by itself"},
    {"z0_alerts_evaluation_delay_ms", gauge_kind, "ms", {},
     "How long the judging of alerts is over its time",
     false, Together::max},
    {"z0_notifications_total", counter, "notifications", by_channel,
     "Notifications that a receiver took"},
    {"z0_notifications_lost_total", counter, "notifications", by_channel,
     "Notifications that a receiver refused, or that there was no room for"},
    {"z0_notifications_delay_ms", gauge_kind, "ms", {},
     "Since when the oldest notification waits for its receiver",
     false, Together::max},
    {"z0_errors_total", counter, "errors", by_place,
     "What went wrong on the platform's own side; a refusal of what a caller sent is none"},
};
// clang-format on
static_assert(std::size(metrics) == static_cast<std::size_t>(Metric::count_));

// Whole, and exact as a double.
constexpr double amount_max = 9'007'199'254'740'992.0;
bool whole(double v) { return v >= 0 && v <= amount_max && std::floor(v) == v; }

std::string_view index_of(std::string_view tenant_id) {
  return tenant_id.substr(0, limits::point_index_bytes_max);
}

void emit(Effects& effects, Metric metric, MetricKind kind, std::string_view tenant_id,
          std::span<const std::string_view> labels, double how_much, double value,
          std::string_view trace_id) {
  const MetricInfo& row = info(metric);
  if (row.kind != kind || labels.size() != row.labels.size())
    trap("a point has the kind and the labels of its metric's row");
  // A fact may name what is longer than a blob is worth.
  std::array<std::string_view, labels_max> cut;
  std::transform(labels.begin(), labels.end(), cut.begin(),
                 [](std::string_view label) { return shorten(label, limits::id_bytes_max); });
  effects.point(static_cast<z0_point_kind>(kind), index_of(tenant_id), row.name,
                {cut.data(), labels.size()}, how_much, value, trace_id);
}

}  // namespace

std::string_view kind_name(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter:
      return "counter";
    case MetricKind::histogram:
      return "histogram";
    case MetricKind::gauge:
      break;
  }
  return "gauge";
}

const MetricInfo& info(Metric metric) {
  if (metric >= Metric::count_) trap("each metric has a row");
  return metrics[static_cast<std::size_t>(metric)];
}

Metric metric_named(std::string_view name) {
  const auto* found = std::find_if(std::begin(metrics), std::end(metrics),
                                   [name](const MetricInfo& row) { return row.name == name; });
  return static_cast<Metric>(found - std::begin(metrics));
}

void count(Effects& effects, Metric metric, std::string_view tenant_id,
           std::initializer_list<std::string_view> labels, std::int64_t increase,
           std::string_view trace_id) {
  emit(effects, metric, counter, tenant_id, {labels.begin(), labels.size()},
       static_cast<double>(increase), 0, trace_id);
}

void observe(Effects& effects, Metric metric, std::string_view tenant_id,
             std::initializer_list<std::string_view> labels, std::int64_t value, std::int64_t times,
             std::string_view trace_id) {
  emit(effects, metric, histogram, tenant_id, {labels.begin(), labels.size()},
       static_cast<double>(times), static_cast<double>(Histogram::bound_of(value)), trace_id);
}

void gauge(Effects& effects, Metric metric, std::string_view tenant_id, std::int64_t value) {
  emit(effects, metric, gauge_kind, tenant_id, {}, 1, static_cast<double>(value), {});
}

void count_error(Effects& effects, std::string_view tenant_id, std::string_view layer,
                 std::string_view component, std::string_view error_code,
                 std::string_view trace_id) {
  count(effects, Metric::errors, tenant_id, {layer, component, error_code}, 1, trace_id);
}

void count_external(Effects& effects, const ExternalCall& call) {
  std::string code;
  if (call.answer.outcome == Z0_TIMEOUT)
    code = "timeout";
  else if (call.answer.outcome != Z0_OK)
    code = "unreachable";
  else if (call.answer.http >= 400)
    code = "http_" + std::to_string(call.answer.http);
  const std::initializer_list<std::string_view> labels = {call.tool_id, call.operation, code};
  count(effects, Metric::external_calls, call.tenant_id, labels, 1, call.trace_id);
  observe(effects, Metric::external_call_duration, call.tenant_id, labels, call.duration_ms, 1,
          call.trace_id);
  if (code.empty()) return;
  count(effects, Metric::external_errors, call.tenant_id, labels, 1, call.trace_id);
  count_error(effects, call.tenant_id, "external", call.tool_id, code, call.trace_id);
}

bool take_metric(Effects& effects, const NamedSample& sample, std::string_view& why) {
  const Metric metric = metric_named(sample.name);
  if (metric == Metric::count_) return why = "is no metric of z0", false;
  const MetricInfo& row = info(metric);
  std::array<std::string_view, labels_max> labels;
  for (const auto& [name, value] : sample.labels) {
    const auto at = std::find(row.labels.begin(), row.labels.end(), name);
    if (at == row.labels.end()) return why = "has a label that is none of this metric's", false;
    labels[static_cast<std::size_t>(at - row.labels.begin())] = value;
  }
  if (!whole(sample.how_much)) return why = "counts what is no whole number from 0 on", false;
  if (sample.how_much > limits::point_events_max)
    return why = "counts more than 10^9 at once", false;
  const bool measured = sample.value >= 0 && sample.value <= amount_max;
  if (row.kind != counter && !measured)
    return why = "has a value that is no number from 0 on", false;
  double value = 0;
  if (row.kind == histogram) {
    const auto at_least = static_cast<std::int64_t>(std::ceil(sample.value));
    value = static_cast<double>(Histogram::bound_of(at_least));
  } else if (row.kind == gauge_kind) {
    value = sample.value;
  }
  emit(effects, metric, row.kind, sample.tenant_id, {labels.data(), row.labels.size()},
       sample.how_much, value, sample.trace_id);
  return true;
}

}  // namespace z0
