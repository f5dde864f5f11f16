// Inside the edge: what the monitor answered about metrics, as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "z0/calls/metrics.hpp"

namespace z0 {

// OpenMetrics 1.0, or the older text format of Prometheus (open: false), which has no exemplars.
// Durations are in seconds, and their names say so: Prometheus asks for base units.
std::string exposition(const SeriesReply& reply, bool open);

// What GET /v1/metrics/query was asked.
struct MetricQuery {
  SeriesRequest request;
  std::int64_t quantile = -1;  // in millionths; below 0: none
};
// The answer as JSON.
std::string query_json(const SeriesReply& reply, const MetricQuery& query, std::int64_t now_ms);

}  // namespace z0
