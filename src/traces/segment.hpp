// A segment of kept traces: many in one row. Its body is one trace after the other,
//   trace id (16 bytes), u32 length, spans as short_bytes
// beside it the hashes of the trace ids (8 bytes each, in the order of the body), and their summaries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/calls/traces.hpp"

namespace z0 {

// What of a trace id a segment is found by, as it stands in `ids`.
std::string trace_hash(std::string_view trace_id);

struct TraceSegment {
  std::int64_t n = 0;        // 0: none was begun
  std::int64_t last_at = 0;  // ms, when something was added last
  std::int64_t from_us = 0;  // starts of its traces
  std::int64_t to_us = 0;
  std::string ids;
  std::string summaries;  // each as short_bytes
  std::string body;

  bool full() const;
  void add(const TraceSummary& summary, const std::vector<std::string>& spans, std::int64_t now_ms);
};

// The spans of a trace in a body, appended; false for bytes that are no body.
[[nodiscard]] bool find_trace(std::string_view body, std::string_view trace_id,
                              std::vector<std::string_view>& spans);

TraceSummary summary_of(std::string_view trace_id, const std::vector<Span>& spans);

bool matches(const TraceSummary& trace, const SearchRequest& request);

}  // namespace z0
