// A shard's alarm, and what goes out by it: series of whole slots, as OTLP.
#include <algorithm>
#include <cmath>

#include "monitor/step.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/base/version.hpp"
#include "z0/calls/alerts.hpp"
#include "z0/metrics/histogram.hpp"
#include "z0/trace/otlp.hpp"

namespace z0 {
namespace {

constexpr std::int64_t slot_ms = Windows::levels[0].slot_ms;

std::int64_t slot_begin(std::int64_t now_ms) { return now_ms / slot_ms * slot_ms; }

// UCUM has a sign for ms; what is counted stands in its braces.
std::string unit_of(const MetricInfo& row) {
  return row.unit == "ms" ? "ms" : '{' + std::string(row.unit) + '}';
}

OtlpKind kind_of(const MetricInfo& row) {
  if (row.kind == MetricKind::gauge) return OtlpKind::gauge;
  return row.kind == MetricKind::histogram ? OtlpKind::histogram : OtlpKind::sum;
}

// What the cells of a stretch of time came to, series by series.
class Sums {
 public:
  Sums(const SeriesTable& table, const Windows& windows, std::int64_t from_ms, std::int64_t to_ms)
      : table_(table),
        from_ms_(from_ms),
        to_ms_(to_ms),
        start_ms_(std::max(from_ms, windows.reaches_ms(0))),
        amounts_(table.cells().size()) {
    windows.each(0, from_ms, to_ms - 1,
                 [this](std::int64_t, std::uint32_t cell, std::uint32_t amount) {
                   if (cell < amounts_.size()) amounts_[cell] += amount;
                 });
  }

  void write(OtlpMetricsWriter& out) const {
    std::vector<std::vector<const SeriesTable::Series*>> by_metric(
        static_cast<std::size_t>(Metric::count_));
    for (const SeriesTable::Series& series : table_.series()) {
      if (series.key.empty() || series.heard_ms < from_ms_) continue;
      const auto metric = static_cast<std::size_t>(SeriesTable::name_of(series).metric);
      if (metric < by_metric.size()) by_metric[metric].push_back(&series);
    }
    for (std::size_t i = 0; i < by_metric.size(); ++i) {
      const MetricInfo& row = info(static_cast<Metric>(i));
      const std::string unit = unit_of(row);
      for (const SeriesTable::Series* series : by_metric[i]) write(*series, row, unit, out);
    }
  }

 private:
  void write(const SeriesTable::Series& series, const MetricInfo& row, std::string_view unit,
             OtlpMetricsWriter& out) const {
    OtlpOut point;
    point.kind = kind_of(row);
    point.name = row.name;
    point.unit = unit;
    point.help = row.help;
    point.start_ms = start_ms_;
    point.at_ms = to_ms_;
    if (!(row.kind == MetricKind::gauge ? add_gauge(series, point) : add_cells(series, point)))
      return;
    const SeriesTable::Name name = SeriesTable::name_of(series);
    point.attributes.emplace_back("tenant_id", name.tenant_id);
    for (std::size_t i = 0; i < row.labels.size() && i < name.labels.size(); ++i)
      point.attributes.emplace_back(row.labels[i], name.labels[i]);
    if (series.trace_at_ms >= from_ms_ && series.trace_at_ms < to_ms_) {
      point.trace_id = {series.trace, sizeof series.trace};
      point.trace_value = std::llround(series.trace_value);
      point.trace_at_ms = series.trace_at_ms;
    }
    out.add(point);
  }

  // One that was heard of later goes out the next time, with its newest value.
  bool add_gauge(const SeriesTable::Series& series, OtlpOut& point) const {
    if (series.heard_ms >= to_ms_) return false;
    point.at_ms = series.heard_ms;
    point.thousandths = std::llround(series.value * 1'000);
    return true;
  }

  // False when nothing happened.
  bool add_cells(const SeriesTable::Series& series, OtlpOut& point) const {
    if (point.kind == OtlpKind::histogram) {
      point.bounds = shown_bounds;
      point.counts.resize(std::size(shown_bounds) + 1);
    }
    for (std::uint32_t at = series.first_cell; at != SeriesTable::none;
         at = table_.cells()[at].next) {
      const auto amount = static_cast<std::int64_t>(amounts_[at]);
      if (amount == 0) continue;
      point.count += amount;
      if (point.kind != OtlpKind::histogram) continue;
      const std::int64_t value = Histogram::bound(table_.cells()[at].bucket);
      const auto* bucket =
          std::lower_bound(std::begin(shown_bounds), std::end(shown_bounds), value);
      point.counts[static_cast<std::size_t>(bucket - std::begin(shown_bounds))] += amount;
      point.total += value * amount;
      point.max = std::max(point.max, value);
    }
    return point.count > 0;
  }

  const SeriesTable& table_;
  const std::int64_t from_ms_;
  const std::int64_t to_ms_;
  const std::int64_t start_ms_;  // later where slots went for want of room
  std::vector<std::uint64_t> amounts_;
};

}  // namespace

void Shard::heed(const Frame& frame, std::string_view name) {
  const OtlpTarget target = settings_otlp(frame.settings);
  interval_ms_ = target.metrics_url.empty() ? 0 : target.metrics_interval_ms;
  if (name_.empty()) name_ = name;
  if (sends() == (exported_to_ms_ != 0)) return;
  // What happened before goes nowhere.
  exported_to_ms_ = sends() ? slot_begin(frame.now_ms) : 0;
  news_at_ms_ = 0;
  change(frame.now_ms);
}

// While batches wait, what happens adds up in the slots: it makes one larger batch, and not many.
std::int64_t Shard::cut_at_ms() const {
  const std::int64_t at = news_at_ms_ + interval_ms_;
  return outbox_.waits() ? std::max(at, exported_to_ms_ + limits::metrics_held_back_ms_max) : at;
}

bool Shard::cut_due(std::int64_t now_ms) const {
  // A clock that ran back makes nothing wait for longer.
  return sends() && news_at_ms_ != 0 && (now_ms >= cut_at_ms() || now_ms < news_at_ms_);
}

void Shard::cut(const Frame& frame, Effects& effects) {
  const std::int64_t from = exported_to_ms_;
  const std::int64_t to = slot_begin(frame.now_ms);
  // A clock that ran back: what was sent is not sent again, so it has to come there first. By more than
  // slots reach it never would.
  if (to <= from && from - to < slot_ms * static_cast<std::int64_t>(Windows::levels[0].slots)) {
    news_at_ms_ = frame.now_ms;
    return;
  }
  exported_to_ms_ = to;
  heard_at_ms_ = std::min(heard_at_ms_, frame.now_ms);
  news_at_ms_ = heard_at_ms_ >= to ? to : 0;
  if (to <= from) return;
  const std::string instance = std::string(settings_origin(frame.settings)) + '/' + name_;
  OtlpMetricsWriter out(
      {"z0", std::string(version), instance}, limits::export_bytes_max,
      [&](std::string_view body, std::int64_t points) { outbox_.put(body, points, effects); });
  Sums(table_, windows_, from, to).write(out);
  out.end();
}

void Shard::set_alarm(std::int64_t now_ms, Effects& effects) {
  std::int64_t at = INT64_MAX;
  if (changed_) at = std::min(changed_at_ms_, now_ms) + limits::monitor_save_ms;
  if (tick_at_ms_ != 0) at = std::min(at, std::max(now_ms, tick_at_ms_));
  if (sends() && outbox_.waits()) at = std::min(at, std::max(now_ms, outbox_.at_ms()));
  if (sends() && news_at_ms_ != 0) at = std::min(at, std::max(now_ms, cut_at_ms()));
  if (at != INT64_MAX) set_alarm_at(at, effects);
}

void Shard::set_alarm_at(std::int64_t at_ms, Effects& effects) {
  if (alarm_at_ms_ != 0 && alarm_at_ms_ <= at_ms) return;
  alarm_at_ms_ = at_ms;
  effects.alarm(at_ms);
}

namespace {

// It saves, makes batches of what is to be sent, or sends one.
void do_upkeep(Shard& shard, const Frame& frame, Effects& effects) {
  const bool cut = shard.cut_due(frame.now_ms);
  // Turns of the one that waits would be rows of the other, more often than they are worth.
  const bool send = shard.sends() && shard.outbox().due(frame.now_ms);
  if (cut || (shard.changed() && (!send || shard.save_due(frame.now_ms, false)))) {
    if (cut) shard.cut(frame, effects);
    shard.save(frame.now_ms, effects);
  } else if (send) {
    Outbox::ask_first(effects);
    return effects.resume(encode(MonitorCourse{MonitorStage::outgoing, {}}),
                          limits::monitor_steps_max, "metrics on their way out");
  }
  shard.set_alarm(frame.now_ms, effects);
}

// Somebody who does not answer is told again by the next tick.
void go_on_after_report(Shard& shard, const Frame& frame, Effects& effects) {
  if (!shard.in_memory()) return shard.set_alarm_at(frame.now_ms + limits::alert_tick_ms, effects);
  const CallAnswer answer =
      parse_call(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
  if (answer.outcome == Z0_OK) shard.heard(answer.reply, frame.now_ms);
  do_upkeep(shard, frame, effects);
}

}  // namespace

void alarm_of_shard(Shard& shard, const Frame& frame, Effects& effects) {
  shard.alarm_went_off();
  if (!shard.loaded(frame, effects)) return;
  shard.heed(frame, frame.part(0));
  if (shard.tick_due(frame.now_ms)) {
    const std::string report = shard.tick(frame.now_ms);
    if (!report.empty()) {
      effects.need_call(AlertsMethod::report, alerts_object, limits::alert_report_timeout_ms,
                        report);
      return effects.resume(encode(MonitorCourse{MonitorStage::reported, {}}),
                            limits::monitor_steps_max, "what the rules found");
    }
  }
  do_upkeep(shard, frame, effects);
}

void resume_shard(Shard& shard, const Frame& frame, Effects& effects) {
  MonitorCourse course;
  if (!decode(frame.part(0), course)) trap("a continuation of a shard is read to its end");
  const std::string_view answer = frame.answers.empty() ? std::string_view{} : frame.answers[0];
  if (course.stage == MonitorStage::reported) return go_on_after_report(shard, frame, effects);
  SentBatch sent;
  if (course.stage == MonitorStage::outgoing) {
    std::string_view batch;
    const OtlpTarget target = settings_otlp(frame.settings);
    if (target.metrics_url.empty() || !shard.outbox().read_first(parse_rows(answer), sent, batch))
      return shard.set_alarm_at(frame.now_ms + limits::monitor_save_ms, effects);
    Outbox::send(target.metrics_url, target, batch, effects);
    return effects.resume(encode(MonitorCourse{MonitorStage::sent, encode(sent)}),
                          limits::monitor_steps_max, "metrics on their way out");
  }
  if (!decode(course.course, sent)) trap("a batch goes round as it was sent");
  Outbox* known = shard.in_memory() ? &shard.outbox() : nullptr;
  const Outbox::Settled settled = Outbox::settle(sent, answer, frame, known, effects);
  if (known != nullptr)
    shard.set_alarm(frame.now_ms, effects);
  else
    shard.set_alarm_at(settled.again ? settled.at_ms : frame.now_ms, effects);
  Outbox::log_refused(settled, "metrics", effects);
}

}  // namespace z0
