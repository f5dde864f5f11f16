// Metrics out of a request, and the observations of a histogram.
#include <algorithm>
#include <cmath>

#include "trace/otlp_values.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

class MetricsWalk : public OtlpWalk {
 public:
  explicit MetricsWalk(OtlpMetrics& out) : out_(out) {}

 private:
  static bool of_attribute(Otlp object) {
    return object == Otlp::key_value || object == Otlp::any || object == Otlp::list ||
           object == Otlp::key_values;
  }
  bool begin(Otlp object) override;
  bool end(Otlp object) override;
  bool value(Otlp member, const OtlpValue& value) override;
  bool point_value(Otlp object, Otlp member, const OtlpValue& value);
  void attribute(Attribute a);
  void end_point();

  OtlpMetrics& out_;
  OtlpValues values_;
  std::size_t open_values_ = 0;
  std::vector<Otlp> inside_;
  OtlpMetric metric_;
  OtlpPoint point_;
  std::size_t points_ = 0;
  std::size_t of_resource_ = 0;
  std::string tenant_id_;
};

bool MetricsWalk::begin(Otlp object) {
  if (of_attribute(object)) return ++open_values_, values_.begin(object), true;
  if (object == Otlp::metric) metric_ = {};
  if (object == Otlp::sum) metric_.kind = OtlpKind::sum;
  if (object == Otlp::gauge) metric_.kind = OtlpKind::gauge;
  if (object == Otlp::histogram) metric_.kind = OtlpKind::histogram;
  if (object == Otlp::exponential) metric_.kind = OtlpKind::exponential;
  if (object == Otlp::summary) metric_.kind = OtlpKind::summary;
  if (object == Otlp::point) point_ = {};
  if (object == Otlp::resource_metrics) of_resource_ = out_.metrics.size(), tenant_id_.clear();
  inside_.push_back(object);
  return true;
}

bool MetricsWalk::end(Otlp object) {
  if (of_attribute(object)) {
    --open_values_;
    Attribute whole;
    if (values_.end(object, whole)) attribute(std::move(whole));
    return true;
  }
  inside_.pop_back();
  if (object == Otlp::point) end_point();
  if (object == Otlp::metric && !metric_.points.empty()) out_.metrics.push_back(std::move(metric_));
  if (object == Otlp::resource_metrics) {
    for (std::size_t i = of_resource_; i < out_.metrics.size(); ++i)
      out_.metrics[i].tenant_id = tenant_id_;
  }
  return true;
}

void MetricsWalk::end_point() {
  if (point_.nothing) return;
  if (++points_ > limits::otlp_points_max)
    return out_.rejected.add(1, "a request may have 10000 data points");
  metric_.points.push_back(std::move(point_));
}

void MetricsWalk::attribute(Attribute a) {
  const Otlp object = inside_.empty() ? Otlp::request : inside_.back();
  if (object == Otlp::point && point_.attributes.size() < limits::attributes_per_span_max)
    point_.attributes.push_back(std::move(a));
  else if (object == Otlp::resource && (a.key == "z0.tenant_id" || a.key == "tenant_id"))
    tenant_id_ = attribute_text(a.value);
}

bool MetricsWalk::value(Otlp member, const OtlpValue& v) {
  if (open_values_ > 0) return values_.value(member, v), true;
  const Otlp object = inside_.empty() ? Otlp::request : inside_.back();
  if (object == Otlp::metric && member == Otlp::name)
    metric_.name = v.text.substr(0, limits::id_bytes_max);
  if (member == Otlp::temporality)
    metric_.temporality = v.integer == 1   ? OtlpTemporality::delta
                          : v.integer == 2 ? OtlpTemporality::cumulative
                                           : OtlpTemporality::unspecified;
  if (member == Otlp::monotonic) metric_.monotonic = v.flag;
  if (object == Otlp::exemplar) {
    std::string bytes(trace_id_bytes, '\0');
    if (!v.text.empty() && !from_hex(v.text, bytes.data(), trace_id_bytes))
      return fail("is no id of 32 hexadecimal digits");
    std::string hex;
    append_hex(hex, bytes);
    if (valid_trace_id(hex)) point_.trace_id = hex;
    return true;
  }
  return point_value(object, member, v);
}

bool MetricsWalk::point_value(Otlp object, Otlp member, const OtlpValue& v) {
  OtlpPoint& p = point_;
  if (object == Otlp::negative) {
    p.negative = p.negative || v.integer > 0;
    return true;
  }
  if (object == Otlp::positive && member == Otlp::offset) p.offset = v.integer;
  if (member == Otlp::counts) {
    p.too_many_buckets = p.counts.size() == limits::otlp_buckets_max;
    if (!p.too_many_buckets) p.counts.push_back(v.integer);
  }
  if (object != Otlp::point) return true;
  if (member == Otlp::integer || member == Otlp::number) p.number = v.number, p.has_number = true;
  if (member == Otlp::flags) p.nothing = (v.integer & 1) != 0;
  if (member == Otlp::count) p.count = v.integer;
  if (member == Otlp::total) p.total = v.number;
  if (member == Otlp::max) p.max = v.number, p.has_max = true;
  if (member == Otlp::scale) p.scale = v.integer;
  if (member == Otlp::zero_count) p.zero_count = v.integer;
  if (member == Otlp::zero_threshold) p.zero_threshold = v.number;
  if (member == Otlp::bounds) {
    if (p.bounds.size() == limits::otlp_buckets_max)
      p.too_many_buckets = true;
    else
      p.bounds.push_back(v.number);
  }
  return true;
}

// What its buckets hold; false when that is not `count`.
bool adds_up(const OtlpPoint& point, std::int64_t others) {
  std::int64_t left = point.count;
  if (others > left) return false;
  left -= others;
  for (const std::int64_t times : point.counts) {
    if (times > left) return false;
    left -= times;
  }
  return left == 0;
}

}  // namespace

bool read_otlp_metrics(std::string_view body, OtlpMetrics& out, OtlpFault& fault) {
  MetricsWalk metrics(out);
  if (metrics.read(body)) return true;
  fault = metrics.fault();
  return false;
}

bool observations_of(const OtlpPoint& p, OtlpKind kind, std::vector<OtlpObservation>& out,
                     std::string_view& why) {
  out.clear();
  const bool exponential = kind == OtlpKind::exponential;
  if (p.too_many_buckets) return why = "has more than 1024 buckets", false;
  if (p.negative) return why = "has values below 0", false;
  if (p.count == 0) return true;
  if (p.counts.empty() && !exponential) {
    // One bucket without bounds: of its values the mean is known.
    out.push_back({p.total / static_cast<double>(p.count), p.count});
    return true;
  }
  if (!adds_up(p, exponential ? p.zero_count : 0))
    return why = "has bucketCounts that do not add up to its count", false;
  if (exponential) {
    // The scales that OpenTelemetry has.
    if (p.scale < -10 || p.scale > 20 || std::abs(p.offset) > (std::int64_t{1} << 40))
      return why = "has a scale or an offset that no histogram has", false;
    if (p.zero_count > 0) out.push_back({0, p.zero_count});
  } else if (p.counts.size() != p.bounds.size() + 1 ||
             std::adjacent_find(p.bounds.begin(), p.bounds.end(), std::greater_equal<>()) !=
                 p.bounds.end()) {
    return why = "has explicitBounds that do not ascend, or are not one less than its bucketCounts",
           false;
  }
  const double width = std::ldexp(1.0, static_cast<int>(-p.scale));
  for (std::size_t i = 0; i < p.counts.size(); ++i) {
    if (p.counts[i] == 0) continue;
    double bound = 0;
    if (exponential)
      bound = std::exp2(static_cast<double>(p.offset + static_cast<std::int64_t>(i) + 1) * width);
    else if (i < p.bounds.size())
      bound = p.bounds[i];
    else
      bound = p.has_max          ? p.max
              : p.bounds.empty() ? p.total / static_cast<double>(p.count)
                                 : p.bounds.back();
    if (p.has_max) bound = std::min(bound, p.max);
    out.push_back({bound, p.counts[i]});
  }
  return true;
}

}  // namespace z0
