// GET /metrics for Prometheus, and GET /v1/metrics/query: what the monitor counted.
#include <algorithm>

#include "edge/handlers.hpp"
#include "edge/metric_answers.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/reports.hpp"
#include "z0/metrics/registry.hpp"

namespace z0 {
namespace {

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t window_ms_max = 2 * day_ms;
constexpr std::int64_t window_ms_min = 10'000;
constexpr std::int64_t window_ms_default = 3'600'000;
// A window of more than an hour is answered in slots of 5 minutes.
constexpr std::int64_t fine_window_ms = 3'600'000;
constexpr std::int64_t fine_slot_ms = 10'000;
constexpr std::int64_t coarse_slot_ms = 300'000;
constexpr std::string_view open_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr std::string_view text_type = "text/plain; version=0.0.4; charset=utf-8";

// "90s", "15m", "1h", "2d".
bool parse_duration(std::string_view text, std::int64_t& ms) {
  if (text.size() < 2) return false;
  std::int64_t unit = 0;
  switch (text.back()) {
    case 's':
      unit = 1'000;
      break;
    case 'm':
      unit = 60'000;
      break;
    case 'h':
      unit = 3'600'000;
      break;
    case 'd':
      unit = day_ms;
      break;
    default:
      return false;
  }
  std::int64_t count = 0;
  if (!parse_number(text.substr(0, text.size() - 1), count)) return false;
  if (count > window_ms_max / unit) return false;
  ms = count * unit;
  return true;
}

// A decimal between 0 and 1, in millionths.
bool parse_quantile(std::string_view text, std::int64_t& millionths) {
  if (text == "1" || text == "0") return millionths = text == "1" ? 1'000'000 : 0, true;
  if (!text.starts_with("0.") || text.size() < 3 || text.size() > 8) return false;
  std::string digits(text.substr(2));
  digits.resize(6, '0');
  return parse_number(digits, millionths);
}

// The metric, or for a quantile of a gauge the metric that has its distribution.
Metric metric_for(std::string_view name, bool quantile) {
  const Metric metric = metric_named(name);
  const bool lag = metric == Metric::replication_lag && quantile;
  return lag ? Metric::replication_lag_distribution : metric;
}

// The labels to tell apart, as SeriesRequest has them.
bool parse_by(std::string_view names, const MetricInfo& row, std::int64_t& by) {
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(','));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    if (name == "tenant_id") {
      by |= 1;
      continue;
    }
    const auto at = std::find(row.labels.begin(), row.labels.end(), name);
    if (at == row.labels.end()) return false;
    by |= std::int64_t{1} << (at - row.labels.begin() + 1);
  }
  return true;
}

std::string listed(const MetricInfo& row) {
  std::string names = "tenant_id";
  for (const std::string_view label : row.labels) names.append(", ").append(label);
  return names + ", or several of them between commas";
}

void ask_monitor(const RouteCall& call, const SeriesRequest& request, std::int64_t quantile,
                 bool open) {
  call.effects.need_call(MonitorMethod::metrics, monitor_object, limits::read_timeout_ms,
                         encode(request));
  std::string continuation;
  ByteWriter out(continuation);
  write_context(out, call.context);
  out.signed_varint(quantile);
  out.u8(open ? 1 : 0);
  call.effects.resume(continuation);
}

// The question that was sent, what it was for, and the answer. False when there is none; that was
// answered.
bool read_answer(const RouteResume& resumed, MetricQuery& query, bool& open, SeriesReply& reply) {
  query.quantile = resumed.in.signed_varint();
  open = resumed.in.u8() != 0;
  const CallAnswer answer = first_call(resumed.frame);
  if (!decode(answer.request, query.request)) trap("a question to the monitor comes back as sent");
  if (answer.outcome == Z0_OK && decode(answer.reply, reply)) return true;
  reply_error(resumed.effects, resumed.context, status_of(answer.outcome), {});
  return false;
}

}  // namespace

void get_metrics(const RouteCall& call) {
  SeriesRequest request;
  request.totals = request.all_tenants = true;
  const bool open =
      call.request.accept.find("application/openmetrics-text") != std::string_view::npos;
  ask_monitor(call, request, -1, open);
}

void resume_metrics(const RouteResume& resumed) {
  MetricQuery query;
  SeriesReply reply;
  bool open = false;
  if (!read_answer(resumed, query, open, reply)) return;
  // Half of the series would look as if the others had ended.
  if (reply.unanswered > 0)
    return reply_error(resumed.effects, resumed.context, Status::timeout, {});
  reply_typed(resumed.effects, resumed.context, open ? open_type : text_type,
              exposition(reply, open));
}

void get_metric_query(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  SeriesRequest asked;
  std::string_view tenant_id;
  if (!tenant_for(request, claims, tenant_id))
    return reply_error(effects, context, Status::not_found, "tenant");
  asked.tenant_id = tenant_id;
  asked.all_tenants = tenant_id.empty();
  std::int64_t quantile = -1;
  const std::string_view quantile_text = request.parameter("quantile");
  if (!quantile_text.empty() && !parse_quantile(quantile_text, quantile))
    return reply_bad_value(effects, context, "quantile", "a number from 0 to 1, as 0.99");
  const Metric metric = metric_for(request.parameter("metric"), quantile >= 0);
  if (metric == Metric::count_)
    return reply_bad_value(effects, context, "metric",
                           "a metric's name, as z0_facts_written_total; `z0 metrics` lists them");
  const MetricInfo& row = info(metric);
  asked.metric = static_cast<std::int64_t>(metric);
  if (quantile >= 0 && row.kind != MetricKind::histogram)
    return reply_error(effects, context, Status::bad_parameter, "quantile",
                       "Leave it out: this metric is no histogram.");
  if (!parse_by(request.parameter("by"), row, asked.by))
    return reply_bad_value(effects, context, "by", listed(row));
  const std::string_view window = request.parameter("window");
  asked.window_ms = window_ms_default;
  if (!window.empty() && (!parse_duration(window, asked.window_ms) ||
                          asked.window_ms < window_ms_min || asked.window_ms > window_ms_max))
    return reply_bad_value(effects, context, "window", "a time from 10s to 2d, as 90s, 15m or 1h");
  const std::int64_t slot_ms = asked.window_ms <= fine_window_ms ? fine_slot_ms : coarse_slot_ms;
  const std::string_view step = request.parameter("step");
  if (!step.empty() &&
      (!parse_duration(step, asked.step_ms) || asked.step_ms == 0 || asked.step_ms % slot_ms != 0 ||
       asked.window_ms / asked.step_ms > limits::metric_steps_max))
    return reply_bad_value(
        effects, context, "step",
        asked.window_ms <= fine_window_ms ? "a multiple of 10s, as 1m" : "a multiple of 5m, as 1h");
  ask_monitor(call, asked, quantile, false);
}

void resume_metric_query(const RouteResume& resumed) {
  MetricQuery query;
  SeriesReply reply;
  bool open = false;
  if (!read_answer(resumed, query, open, reply)) return;
  reply_json(resumed.effects, resumed.context, 200, query_json(reply, query, resumed.frame.now_ms));
}

}  // namespace z0
