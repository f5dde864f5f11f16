#include "z0/metrics/registry.hpp"

#include <string>

#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

constexpr std::string_view by_type[] = {"fact_type"};
constexpr std::string_view by_type_and_code[] = {"fact_type", "error_code"};
constexpr std::string_view by_config[] = {"config_type"};
constexpr std::string_view by_cache[] = {"cache_type"};
constexpr std::string_view by_cache_and_resolution[] = {"cache_type", "resolution"};
constexpr std::string_view by_reason[] = {"reason"};

constexpr Metric write_duration = {"z0_facts_write_duration_ms", MetricKind::histogram,
                                   "From a request's arrival to its ledgers' answers"};
constexpr Metric cache_duration = {"z0_cache_read_duration_ms", MetricKind::histogram,
                                   "From a request's arrival to the value"};

constexpr Metric facts_written[] = {
    {"z0_facts_written_total", MetricKind::counter, "Facts that a ledger recorded"},
    write_duration};
constexpr Metric facts_write_failures[] = {
    {"z0_facts_write_failures_total", MetricKind::counter, "Facts that were not recorded"},
    write_duration};
constexpr Metric config_reads[] = {
    {"z0_config_reads_total", MetricKind::counter, "Reads of a config, or of its versions"},
    {"z0_config_read_duration_ms", MetricKind::histogram,
     "From a request's arrival to the versions that it asks for"}};
constexpr Metric config_updates[] = {
    {"z0_config_updates_total", MetricKind::counter, "Versions of configs that were published"},
    {"z0_config_update_duration_ms", MetricKind::histogram,
     "From a request's arrival to the ledgers it binds"}};
constexpr Metric cache_hits[] = {
    {"z0_cache_hits_total", MetricKind::counter, "Reads of a cached value from memory or its row"},
    cache_duration};
constexpr Metric cache_misses[] = {
    {"z0_cache_misses_total", MetricKind::counter, "Reads of a cached value from facts"},
    cache_duration};
constexpr Metric reconciliation_runs[] = {
    {"z0_reconciliation_runs_total", MetricKind::counter, "Passes over facts or cached values"},
    {"z0_reconciliation_facts_scanned_total", MetricKind::counter, "Facts that a pass folded"},
    {"z0_reconciliation_comparisons_total", MetricKind::counter, "Values that a pass compared"}};
constexpr Metric reconciliation_mismatches[] = {
    {"z0_reconciliation_mismatches_total", MetricKind::counter,
     "Cached values that were not those of their facts"}};
constexpr Metric replication_failures[] = {{"z0_replication_failures_total", MetricKind::counter,
                                            "Ledgers whose copy in D1 was not theirs"}};

// In the order of Point.
constexpr PointInfo points[] = {
    {by_type, facts_written},
    {by_type_and_code, facts_write_failures},
    {by_config, config_reads},
    {by_config, config_updates},
    {by_cache, cache_hits},
    {by_cache, cache_misses},
    {{}, reconciliation_runs},
    {by_cache_and_resolution, reconciliation_mismatches},
    {by_reason, replication_failures},
};
static_assert(std::size(points) == static_cast<std::size_t>(Point::count_));

constexpr std::string_view of_message[] = {"message"};
constexpr std::string_view of_ledger[] = {"entity_id", "tenant_id", "seq", "resolution"};
constexpr std::string_view of_refusals[] = {"refusals"};

// In the order of Event.
constexpr EventInfo events[] = {
    {"z0.replication.message_failed", true, of_message},
    {"z0.replication.root_differs", true, of_ledger},
    {"z0.config_refused", true, of_refusals},
};
static_assert(std::size(events) == static_cast<std::size_t>(Event::count_));

void write_value(JsonWriter& json, const EventValue& value) {
  if (value.is_number) {
    json.integer(value.number);
  } else if (value.is_list) {
    json.array();
    for (const std::string& text : value.list) json.text(text);
    json.end();
  } else {
    json.text(value.text);
  }
}

}  // namespace

const PointInfo& info(Point point) {
  if (point >= Point::count_) trap("each point has a row");
  return points[static_cast<std::size_t>(point)];
}

void emit(Effects& effects, Point point, std::string_view tenant_id,
          std::initializer_list<std::string_view> labels, std::initializer_list<double> values) {
  const PointInfo& row = info(point);
  if (labels.size() != row.labels.size() || values.size() != row.metrics.size())
    trap("a point has the labels and values of its row");
  effects.point(tenant_id.substr(0, limits::point_index_bytes_max), row.metrics[0].name, labels,
                values);
}

const EventInfo& info(Event event) {
  if (event >= Event::count_) trap("each event has a row");
  return events[static_cast<std::size_t>(event)];
}

void log_event(Effects& effects, Event event, std::initializer_list<EventValue> values) {
  const EventInfo& row = info(event);
  if (values.size() != row.members.size()) trap("an event has the members of its row");
  std::string line;
  JsonWriter json(line);
  json.object().plain("level", row.error ? "error" : "info").text("event", row.name);
  const auto* value = values.begin();
  for (const std::string_view member : row.members) write_value(json.any_key(member), *value++);
  json.end();
  effects.log(row.error, line);
}

}  // namespace z0
