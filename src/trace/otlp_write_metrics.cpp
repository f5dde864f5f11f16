// Data points into requests.
#include <string>

#include "z0/json/write.hpp"
#include "z0/trace/otlp.hpp"

namespace z0 {
namespace {

// Temporality of what is written: what happened between start and time.
constexpr std::int64_t delta = 1;

void write_texts(JsonWriter& json,
                 const std::vector<std::pair<std::string_view, std::string_view>>& attributes) {
  json.array("attributes");
  for (const auto& [key, value] : attributes) {
    if (value.empty()) continue;
    json.object().text("key", key).object("value").text("stringValue", value).end().end();
  }
  json.end();
}

// 64-bit integers are texts there.
void write_nanoseconds(JsonWriter& json, JsonName name, std::int64_t ms) {
  json.plain(name, ms == 0 ? "0" : std::to_string(ms) + "000000");
}

std::string decimal(std::int64_t thousandths) {
  std::string text = std::to_string(thousandths / 1'000);
  if (thousandths % 1'000 == 0) return text;
  return text + '.' + std::to_string(1'000 + thousandths % 1'000).substr(1);
}

void write_value(JsonWriter& json, const OtlpOut& point) {
  if (point.kind == OtlpKind::gauge) {
    json.raw("asDouble", decimal(point.thousandths));
    return;
  }
  const std::string count = std::to_string(point.count);
  if (point.kind == OtlpKind::sum) {
    json.plain("asInt", count);
    return;
  }
  json.plain("count", count).integer("sum", point.total).integer("max", point.max);
  json.array("bucketCounts");
  for (const std::int64_t times : point.counts) json.plain(std::to_string(times));
  json.end().array("explicitBounds");
  for (const std::int64_t bound : point.bounds) json.integer(bound);
  json.end();
}

std::string point_json(const OtlpOut& point) {
  std::string out;
  JsonWriter json(out);
  json.object();
  write_texts(json, point.attributes);
  if (point.kind != OtlpKind::gauge) write_nanoseconds(json, "startTimeUnixNano", point.start_ms);
  write_nanoseconds(json, "timeUnixNano", point.at_ms);
  write_value(json, point);
  if (!point.trace_id.empty()) {
    json.array("exemplars").object();
    write_nanoseconds(json, "timeUnixNano", point.trace_at_ms);
    json.hex("traceId", point.trace_id).integer("asDouble", point.trace_value);
    json.end().end();
  }
  json.end();
  return out;
}

}  // namespace

OtlpMetricsWriter::OtlpMetricsWriter(OtlpSource source, std::size_t bytes_max, Take take)
    : source_(std::move(source)), bytes_max_(bytes_max), take_(std::move(take)) {}

void OtlpMetricsWriter::add(const OtlpOut& point) {
  const std::string json = point_json(point);
  if (count_ > 0 && metrics_.size() + points_.size() + json.size() > bytes_max_) end();
  if (!points_.empty() && point.name != name_) end_metric();
  if (points_.empty()) {
    name_ = point.name;
    unit_ = point.unit;
    help_ = point.help;
    kind_ = point.kind;
  }
  JsonWriter(points_, !points_.empty()).raw(json);
  ++count_;
}

void OtlpMetricsWriter::end_metric() {
  if (points_.empty()) return;
  JsonWriter json(metrics_, !metrics_.empty());
  json.object().text("name", name_).text("unit", unit_).text("description", help_);
  if (kind_ == OtlpKind::gauge) {
    json.object("gauge");
  } else if (kind_ == OtlpKind::sum) {
    json.object("sum").integer("aggregationTemporality", delta).boolean("isMonotonic", true);
  } else {
    json.object("histogram").integer("aggregationTemporality", delta);
  }
  json.array("dataPoints").parts(points_).end().end().end();
  points_.clear();
}

void OtlpMetricsWriter::end() {
  end_metric();
  if (count_ == 0) return;
  std::string body;
  JsonWriter json(body);
  json.object().array("resourceMetrics").object().object("resource");
  write_texts(json, {{"service.name", source_.service},
                     {"service.version", source_.version},
                     {"service.instance.id", source_.instance}});
  json.end().array("scopeMetrics").object();
  json.object("scope").text("name", source_.service).text("version", source_.version).end();
  json.array("metrics").parts(metrics_).end().end().end().end().end().end();
  metrics_.clear();
  take_(body, count_);
  count_ = 0;
}

}  // namespace z0
