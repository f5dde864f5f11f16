// Any bytes as a request of OTLP: what is read is within the limits, and reads the same when it is
// written and read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "step_law.hpp"
#include "z0/base/limits.hpp"
#include "z0/trace/otlp.hpp"

namespace {

using namespace z0;
using step_law::broken;

void check_traces(std::string_view body) {
  OtlpTraces traces;
  OtlpFault fault;
  if (!read_otlp_traces(body, traces, fault)) {
    if (fault.place.empty() || fault.why.empty()) broken("a fault has a place and a word");
    return;
  }
  if (traces.spans.size() > limits::spans_per_request_max) broken("spans are bounded");
  for (Span span : traces.spans) {
    if (!span.valid()) broken("a span has its ids");
    if (encode(span).size() > limits::span_bytes_max) broken("a span is within its limit");
    std::size_t dropped = 0;
    const Span before = span;
    bound(span, dropped);
    if (dropped > 0 || span != before) broken("a span that was read is within bounds");
  }
  OtlpTraces again;
  if (!read_otlp_traces(write_otlp_traces(traces.spans), again, fault))
    broken("what is written can be read");
  // Written by service, so of several the order may be another.
  bool one_service = true;
  for (const Span& span : traces.spans) one_service &= span.service == traces.spans[0].service;
  if (again.spans.size() != traces.spans.size()) broken("no span is lost");
  if (one_service && again.spans != traces.spans) broken("what is written is read the same");
}

void check_metrics(std::string_view body) {
  OtlpMetrics metrics;
  OtlpFault fault;
  if (!read_otlp_metrics(body, metrics, fault)) return;
  std::size_t points = 0;
  std::vector<OtlpObservation> seen;
  std::string_view why;
  for (const OtlpMetric& metric : metrics.metrics) {
    points += metric.points.size();
    for (const OtlpPoint& point : metric.points) {
      if (!observations_of(point, metric.kind, seen, why)) continue;
      std::int64_t times = 0;
      for (const OtlpObservation& one : seen) times += one.times;
      if (times != point.count) broken("as many observations as the point counts");
    }
  }
  if (points > limits::otlp_points_max) broken("points are bounded");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  check_traces(body);
  check_metrics(body);
  return 0;
}
