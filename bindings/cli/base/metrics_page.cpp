#include "base/metrics_page.hpp"

namespace z0::cli {
namespace {

constexpr std::string_view opening =
    R"(# Metrics

This page is made of the table of metrics by `z0 metrics --page`; a test fails when it lags. What has no row here
cannot be emitted.

A measurement is one data point of Analytics Engine, dataset `z0`, binding `METRICS`. Equal ones of an isolate merge for a
second before they are written: how much adds up, of a gauge the newest value stays.

| slot | holds |
| --- | --- |
| `index1` | the tenant, cut to 96 bytes; empty for the platform itself |
| `blob1` | the name of the metric |
| `blob2` ... | its labels, in the order of the row below |
| `blob20` | the trace of one of the measured events, or empty |
| `double1` | how much: a counter's increase, how many observations of a histogram, 1 for a gauge |
| `double2` | the value that was observed: of a histogram the bound of its bucket, less than a twentieth above |

Analytics Engine samples: `_sample_interval` is how many points one that was kept stands for, so every sum is over
`_sample_interval * double1`. The monitor (`GET /v1/metrics/query`, `z0 metrics NAME`) counts each event instead, for two
days; `GET /metrics` shows the same to Prometheus, with durations in seconds under names that end in `_seconds`.

| metric | kind | unit | labels | slots of the labels | what it is |
| --- | --- | --- | --- | --- | --- |
)";

constexpr std::string_view before_sql =
    R"(
Those marked * are sent by product Workers, by `bindings/client` or over OTLP. A label whose values became too many reads
`(other)` in the monitor.

## In SQL

The last hour, by the first label where there is one.

```sql
)";

std::string slots_words(const MetricInfo& metric) {
  std::string words;
  for (std::size_t i = 0; i < metric.labels.size(); ++i)
    words += (i == 0 ? "`blob" : ", `blob") + std::to_string(i + 2) + '`';
  return words;
}

}  // namespace

std::vector<const MetricInfo*> all_metrics() {
  std::vector<const MetricInfo*> all;
  for (int i = 0; i < static_cast<int>(Metric::count_); ++i)
    all.push_back(&info(static_cast<Metric>(i)));
  return all;
}

std::string labels_words(const MetricInfo& metric) {
  std::string words;
  for (const std::string_view label : metric.labels)
    words.append(words.empty() ? "" : ", ").append(label);
  return words;
}

std::string example_sql(const MetricInfo& metric) {
  const bool grouped = !metric.labels.empty();
  std::string sql = "SELECT ";
  if (grouped) sql += "blob2 AS " + std::string(metric.labels[0]) + ", ";
  if (metric.kind == MetricKind::counter)
    sql += "SUM(_sample_interval * double1) AS " + std::string(metric.unit);
  else if (metric.kind == MetricKind::histogram)
    sql += "quantileExactWeighted(0.99)(double2, toUInt32(_sample_interval * double1)) AS p99";
  else
    sql += "MAX(double2) AS highest";
  sql += " FROM z0 WHERE blob1 = '" + std::string(metric.name) +
         "' AND timestamp > NOW() - INTERVAL '1' HOUR";
  if (grouped) sql += " GROUP BY " + std::string(metric.labels[0]);
  return sql;
}

std::string metrics_page() {
  std::string page(opening);
  for (const MetricInfo* metric : all_metrics()) {
    page += "| `" + std::string(metric->name) + '`' + (metric->of_products ? "*" : "") + " | ";
    page += std::string(kind_name(metric->kind)) + " | " + std::string(metric->unit) + " | ";
    page += labels_words(*metric) + " | " + slots_words(*metric) + " | ";
    page += std::string(metric->help) + " |\n";
  }
  page += before_sql;
  for (const MetricInfo* metric : all_metrics()) page += example_sql(*metric) + ";\n";
  page += "```\n";
  return page;
}

}  // namespace z0::cli
