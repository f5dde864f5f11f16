// OTLP in JSON (https://opentelemetry.io/docs/specs/otlp/, version 1.x): spans and metrics of a request,
// and a request of spans. What is HTTP about it stands in src/edge/otlp.cpp.
//
// Unknown members are passed over; ids are hexadecimal in either case; a 64-bit integer is a number or a
// text; an enum is a number. null is as if the member were absent. What cannot be decoded is a fault of
// the whole request, with its place; what can be, but is no span, is rejected by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "z0/trace/span.hpp"

namespace z0 {

// Why a request could not be decoded. place: "byte 17", or "resourceSpans[0].resource".
struct OtlpFault {
  enum class Kind : std::uint8_t { none, syntax, shape, depth };
  Kind kind = Kind::none;
  std::string place;
  std::string_view why;  // a sentence's end
};

// What was rejected of a request, and why the first was.
struct OtlpRejected {
  std::int64_t count = 0;
  std::string why;

  void add(std::int64_t more, std::string_view reason) {
    if (count == 0) why = reason;
    count += more;
  }
};

// Spans of a request, each within the limits of bound(). Of the attributes these are members of the span:
// z0.tenant_id or tenant_id (also of the resource), z0.entity_id, z0.error_code or error.type, z0.money,
// z0.clock, and service.name of the resource. What else a resource says is said of each of its spans, but
// for the SDK's name. An exception that is an event is attributes of its span, of other events the names.
struct OtlpTraces {
  std::vector<Span> spans;
  OtlpRejected rejected;
  std::size_t dropped = 0;  // attributes, events and links that did not fit
};
[[nodiscard]] bool read_otlp_traces(std::string_view body, OtlpTraces& out, OtlpFault& fault);

enum class OtlpKind : std::uint8_t { none, sum, gauge, histogram, exponential, summary };
enum class OtlpTemporality : std::uint8_t { unspecified, delta, cumulative };

struct OtlpPoint {
  std::vector<Attribute> attributes;
  std::string trace_id;  // of an exemplar, in hexadecimal; may be empty
  double number = 0;
  bool has_number = false;
  bool nothing = false;  // it says that there is no value
  std::int64_t count = 0;
  double total = 0;
  double max = 0;
  bool has_max = false;
  std::vector<std::int64_t> counts;
  std::vector<double> bounds;
  // Of an exponential histogram.
  std::int64_t scale = 0;
  std::int64_t zero_count = 0;
  double zero_threshold = 0;
  std::int64_t offset = 0;
  bool negative = false;  // it has values below 0
  bool too_many_buckets = false;
};

struct OtlpMetric {
  std::string name;
  std::string tenant_id;  // of the resource
  OtlpKind kind = OtlpKind::none;
  OtlpTemporality temporality = OtlpTemporality::unspecified;
  bool monotonic = false;
  std::vector<OtlpPoint> points;
};

struct OtlpMetrics {
  std::vector<OtlpMetric> metrics;
  OtlpRejected rejected;
};
[[nodiscard]] bool read_otlp_metrics(std::string_view body, OtlpMetrics& out, OtlpFault& fault);

// So many values, each of which counts as the upper bound of its bucket.
struct OtlpObservation {
  double value = 0;
  std::int64_t times = 0;
};
// The buckets of a histogram of either kind; those without values are left out. Values above the last
// bound count as the largest one, where it is known. False with why not, as a sentence's end.
[[nodiscard]] bool observations_of(const OtlpPoint& point, OtlpKind kind,
                                   std::vector<OtlpObservation>& out, std::string_view& why);

// A text as an attribute has it: the JSON, or what it is text of; numbers and the like as they stand.
std::string attribute_text(std::string_view json);

// ExportTraceServiceRequest of these spans, a resource a service. read_otlp_traces reads the same of it.
std::string write_otlp_traces(std::span<const Span> spans);

// A data point on its way out. Borrows its texts.
struct OtlpOut {
  OtlpKind kind = OtlpKind::none;  // sum, gauge or histogram
  std::string_view name;           // of its metric, like what it counts and what that is
  std::string_view unit;
  std::string_view help;
  std::vector<std::pair<std::string_view, std::string_view>> attributes;  // empty ones are left out
  std::int64_t start_ms = 0;
  std::int64_t at_ms = 0;
  std::int64_t count = 0;  // of a sum its increase since the start, of a histogram its observations
  std::int64_t thousandths = 0;  // of a gauge
  std::span<const std::int64_t> bounds;
  std::vector<std::int64_t> counts;  // one more than bounds
  std::int64_t total = 0;
  std::int64_t max = 0;
  std::string_view trace_id;  // of the exemplar, 16 bytes; may be empty
  std::int64_t trace_value = 0;
  std::int64_t trace_at_ms = 0;
};

// Whose data points they are.
struct OtlpSource {
  std::string service;
  std::string version;
  std::string instance;
};

// ExportMetricsServiceRequests of data points, those of one metric one after the other: as many requests
// as it takes where each has at most so many bytes, but for its frame and for one point that is longer.
// Of delta temporality. read_otlp_metrics reads the same of them.
class OtlpMetricsWriter {
 public:
  using Take = std::function<void(std::string_view body, std::int64_t points)>;
  OtlpMetricsWriter(OtlpSource source, std::size_t bytes_max, Take take);
  void add(const OtlpOut& point);
  // Gives what is left.
  void end();

 private:
  void end_metric();

  const OtlpSource source_;
  const std::size_t bytes_max_;
  const Take take_;
  // The metric that is open, and its points.
  std::string name_, unit_, help_;
  OtlpKind kind_ = OtlpKind::none;
  std::string points_;
  std::string metrics_;  // those that are whole
  std::int64_t count_ = 0;
};

}  // namespace z0
