// src/metrics/README.md, made of the table of metrics: nobody edits the page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "z0/metrics/registry.hpp"

namespace z0::cli {

std::vector<const MetricInfo*> all_metrics();
std::string labels_words(const MetricInfo& metric);  // "fact_type, subtype"
// What asks Analytics Engine for the metric, by its first label.
std::string example_sql(const MetricInfo& metric);
std::string metrics_page();

}  // namespace z0::cli
