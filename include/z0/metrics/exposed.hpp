// What metrics are called where Prometheus reads them: durations in seconds, its base unit.
#pragma once

#include <string>

#include "z0/metrics/registry.hpp"

namespace z0 {

// Whether its values are shown in seconds, and counted in ms.
inline bool in_seconds(const MetricInfo& row) { return row.unit == "ms"; }

// The family's name in OpenMetrics: without the end of a counter, and in base units.
std::string family_name(const MetricInfo& row);
// The name of a sample: of a counter or a gauge its own, of a histogram that of its buckets.
std::string sample_name(const MetricInfo& row);

// Appends a label's value in quotes, as Prometheus escapes it.
void append_label_value(std::string& out, std::string_view value);

}  // namespace z0
