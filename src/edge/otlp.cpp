// POST /v1/traces and /v1/metrics: OTLP over HTTP in JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp). What
// cannot be decoded is refused as a whole, what can be but is not z0's is rejected by partial success.
#include "z0/trace/otlp.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "edge/handlers.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/reply.hpp"
#include "z0/calls/traces.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

constexpr std::string_view advice =
    "Send OTLP in JSON with content-type application/json, as gzip or as it is: "
    "OTEL_EXPORTER_OTLP_PROTOCOL=http/json. Protobuf is not read.";

// False when the request was refused. An empty body is a request without anything in it.
bool takes_body(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  std::string_view field;
  Status status = judge_body(request, field);
  const std::string_view type = media_type(request.content_type);
  if (status == Status::recorded && !type.empty() && !same_name(type, "application/json")) {
    status = Status::unsupported_encoding;
    field = "content-type";
  }
  if (status == Status::recorded) return true;
  const bool format = status == Status::unsupported_encoding;
  reply_error(effects, context, status, field, format ? advice : std::string_view{});
  return false;
}

void refuse(const RouteCall& call, const OtlpFault& fault) {
  if (fault.kind == OtlpFault::Kind::syntax)
    return reply_error(call.effects, call.context, Status::not_json, fault.place);
  if (fault.kind == OtlpFault::Kind::depth)
    return reply_error(call.effects, call.context, Status::too_deep, fault.place);
  const std::string action = fault.place + ' ' + std::string(fault.why) + '.';
  reply_error(call.effects, call.context, Status::bad_parameter, fault.place, action);
}

void reply_taken(Effects& effects, const Context& context, JsonName rejected_name,
                 const OtlpRejected& rejected) {
  std::string out;
  JsonWriter json(out);
  json.object();
  // A word without a count is a warning.
  if (!rejected.why.empty()) {
    json.object("partialSuccess").plain(rejected_name, std::to_string(rejected.count));
    json.text("errorMessage", rejected.why).end();
  }
  json.end();
  reply_json(effects, context, 200, out);
}

// A data point on its way: whose it is, its labels, and what was observed.
struct Taken {
  std::string tenant_id;
  std::string name;
  std::string trace_id;
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<OtlpObservation> observed;
};

// Emits all of a point, or nothing: why not, as a sentence's end.
bool emit(Effects& effects, const Taken& point, bool counts, std::string_view& why) {
  std::vector<std::pair<std::string_view, std::string_view>> labels(point.labels.begin(),
                                                                    point.labels.end());
  return std::all_of(
      point.observed.begin(), point.observed.end(), [&](const OtlpObservation& seen) {
        const double times = static_cast<double>(seen.times);
        const NamedSample sample{
            point.tenant_id,         point.name,    labels, counts ? seen.value : times,
            counts ? 0 : seen.value, point.trace_id};
        return take_metric(effects, sample, why);
      });
}

class MetricsRequest {
 public:
  explicit MetricsRequest(const RouteCall& call) : call_(call) {}

  void run() {
    OtlpFault fault;
    if (!call_.request.body.empty() && !read_otlp_metrics(call_.request.body, read_, fault))
      return refuse(call_, fault);
    for (const OtlpMetric& metric : read_.metrics) take(metric);
    reply_taken(call_.effects, call_.context, "rejectedDataPoints", read_.rejected);
    std::string_view why;
    for (const Taken& point : taken_) (void)emit(call_.effects, point, counts(point.name), why);
  }

 private:
  static bool counts(std::string_view name) {
    return info(metric_named(name)).kind == MetricKind::counter;
  }

  void reject(const OtlpMetric& metric, std::int64_t points, std::string_view why) {
    read_.rejected.add(points, metric.name + ' ' + std::string(why));
  }

  // Why a metric cannot be taken whatever its points are; empty when it can.
  static std::string_view unfit(const OtlpMetric& metric) {
    const Metric known = metric_named(metric.name);
    if (known == Metric::count_) return "is no metric of z0";
    if (metric.kind == OtlpKind::summary) return "is a summary, whose quantiles do not add up";
    const MetricKind kind = info(known).kind;
    if (kind == MetricKind::gauge)
      return metric.kind == OtlpKind::gauge ? "" : "is a gauge of z0, and was sent as another kind";
    const bool fits = kind == MetricKind::counter ? metric.kind == OtlpKind::sum
                                                  : metric.kind == OtlpKind::histogram ||
                                                        metric.kind == OtlpKind::exponential;
    if (!fits)
      return kind == MetricKind::counter ? "is a counter of z0, and was sent as another kind"
                                         : "is a histogram of z0, and was sent as another kind";
    if (metric.temporality != OtlpTemporality::delta)
      return "is not of delta temporality: set "
             "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta";
    if (kind == MetricKind::counter && !metric.monotonic) return "is a sum that is not monotonic";
    return {};
  }

  void take(const OtlpMetric& metric) {
    const std::string_view why = unfit(metric);
    const auto points = static_cast<std::int64_t>(metric.points.size());
    if (!why.empty()) return reject(metric, points, why);
    for (const OtlpPoint& point : metric.points) take(metric, point);
  }

  void take(const OtlpMetric& metric, const OtlpPoint& point) {
    Taken taken{metric.tenant_id, metric.name, point.trace_id, {}, {}};
    for (const Attribute& a : point.attributes) {
      if (a.key == "tenant_id" || a.key == "z0.tenant_id")
        taken.tenant_id = attribute_text(a.value);
      else
        taken.labels.emplace_back(a.key, attribute_text(a.value));
    }
    if (!call_.claims.all_tenants) {
      const bool others = !taken.tenant_id.empty() && taken.tenant_id != call_.claims.tenant_id;
      if (others) return reject(metric, 1, "is of another tenant than the token");
      taken.tenant_id = call_.claims.tenant_id;
    }
    if (!taken.tenant_id.empty() && !valid_id(taken.tenant_id))
      return reject(metric, 1, "has a tenant_id that is no id");
    std::string_view why;
    if (metric.kind == OtlpKind::histogram || metric.kind == OtlpKind::exponential) {
      if (!observations_of(point, metric.kind, taken.observed, why)) return reject(metric, 1, why);
    } else if (point.has_number) {
      taken.observed.push_back({point.number, 1});
    } else {
      return reject(metric, 1, "has a data point without asInt and asDouble");
    }
    observations_ += taken.observed.size();
    if (observations_ > limits::otlp_observations_max)
      return reject(metric, 1, "is beyond the 20000 observations that a request may have");
    // Tried on effects that nobody carries out: the answer comes before the points.
    tried_.begin_step();
    if (!emit(tried_, taken, counts(metric.name), why)) return reject(metric, 1, why);
    taken_.push_back(std::move(taken));
  }

  const RouteCall& call_;
  OtlpMetrics read_;
  std::vector<Taken> taken_;
  std::size_t observations_ = 0;
  Effects tried_;
};

// Whose a span is: of a tenant's token its own. False for another's, and for what is no id.
bool own(const Claims& claims, Span& span) {
  if (!claims.all_tenants && span.tenant_id.empty()) span.tenant_id = claims.tenant_id;
  return claims.all_tenants ? span.tenant_id.empty() || valid_id(span.tenant_id)
                            : span.tenant_id == claims.tenant_id;
}

}  // namespace

void post_otlp_traces(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  if (!takes_body(call)) return;
  OtlpTraces read;
  OtlpFault fault;
  if (!request.body.empty() && !read_otlp_traces(request.body, read, fault))
    return refuse(call, fault);
  std::erase_if(read.spans, [&call, &read](Span& span) {
    if (own(call.claims, span)) return false;
    read.rejected.add(1,
                      "a span is of another tenant than the token, or of what is no tenant's id");
    return true;
  });
  if (read.rejected.count == 0 && read.dropped > 0)
    read.rejected.why = std::to_string(read.dropped) + " attributes, events or links did not fit";
  const auto deliveries = deliveries_of(read.spans, settings_trace_shards(frame.settings));
  if (deliveries.empty()) return reply_taken(effects, context, "rejectedSpans", read.rejected);
  for (const Delivery& delivery : deliveries)
    effects.need_call(TracesMethod::store, traces_object_name(delivery.shard),
                      limits::read_timeout_ms, delivery.request);
  std::string bytes;
  ByteWriter out(bytes);
  write_context(out, context);
  out.u64(static_cast<std::uint64_t>(read.rejected.count));
  out.short_bytes(read.rejected.why);
  effects.resume(bytes);
}

// Spans have ids, so a request that comes again brings none twice: what found no room is sent again.
void resume_otlp_traces(const RouteResume& resumed) {
  OtlpRejected rejected;
  rejected.count = static_cast<std::int64_t>(resumed.in.u64());
  rejected.why = resumed.in.short_bytes();
  for (const std::string_view bytes : resumed.frame.answers) {
    const CallAnswer answer = parse_call(bytes);
    StoreReply reply;
    Status status =
        answer.outcome == Z0_OK ? decode_reply(answer.reply, reply) : status_of(answer.outcome);
    if (status == Status::ok && reply.refused > 0) status = Status::overloaded;
    if (status != Status::ok) return reply_error(resumed.effects, resumed.context, status, {});
  }
  reply_taken(resumed.effects, resumed.context, "rejectedSpans", rejected);
}

void post_otlp_metrics(const RouteCall& call) {
  if (takes_body(call)) MetricsRequest(call).run();
}

}  // namespace z0
