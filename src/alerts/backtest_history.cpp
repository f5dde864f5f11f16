// Histories: what facts count as, and playing them.
#include "z0/alerts/backtest_history.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "z0/metrics/histogram.hpp"

namespace z0 {
namespace {

std::string key_of_sample(const HistorySample& sample) {
  std::string key(1, static_cast<char>(sample.metric));
  ByteWriter out(key);
  out.short_bytes(sample.tenant_id);
  for (const std::string& label : sample.labels) out.short_bytes(label);
  return key;
}

std::int64_t floor_to(std::int64_t at_ms, std::int64_t step_ms) {
  return std::max<std::int64_t>(at_ms, 0) / step_ms;
}

}  // namespace

bool facts_tell(Metric metric) {
  switch (metric) {
    case Metric::facts_written:
    case Metric::facts_write_failures:
    case Metric::external_calls:
    case Metric::external_errors:
    case Metric::reconciliation_mismatches:
    case Metric::routing_decisions:
    case Metric::config_updates:
      return true;
    default:
      return false;
  }
}

void add_samples(const FactTraits& fact, std::int64_t at_ms, std::uint64_t times,
                 std::vector<HistorySample>& out) {
  const auto add = [&](Metric metric, std::initializer_list<std::string_view> labels) {
    out.push_back(
        {at_ms, metric, std::string(fact.tenant_id), {labels.begin(), labels.end()}, times, 0});
  };
  if (fact.failed) return add(Metric::facts_write_failures, {fact.type, fact.a});
  add(Metric::facts_written, {fact.type, fact.subtype, fact.asset_id});
  if (fact.type == "invocation") {
    add(Metric::external_calls, {fact.a, fact.b, fact.c});
    if (!fact.c.empty()) add(Metric::external_errors, {fact.a, fact.b, fact.c});
  } else if (fact.type == "reconciliation" && fact.subtype == "mismatch_detected") {
    add(Metric::reconciliation_mismatches, {fact.a, fact.b});
  } else if (fact.type == "routing_decision") {
    add(Metric::routing_decisions, {fact.a, fact.b});
  } else if (fact.type == "lifecycle" && fact.subtype == "config_updated") {
    add(Metric::config_updates, {fact.a});
  }
}

std::uint32_t History::number_of(const HistorySample& sample) {
  const auto [found, is_new] =
      numbers_.try_emplace(key_of_sample(sample), static_cast<std::uint32_t>(series_.size()));
  if (is_new) series_.push_back({sample.metric, sample.tenant_id, sample.labels, SIZE_MAX});
  return found->second;
}

History::Event History::event_of(const HistorySample& sample, std::uint32_t series) {
  const MetricKind kind = info(sample.metric).kind;
  Event event{sample.at_ms, series, 0, static_cast<double>(sample.rise)};
  if (kind == MetricKind::gauge) event.amount = sample.value;
  if (kind == MetricKind::histogram)
    event.bucket = static_cast<std::uint32_t>(
        Histogram::bucket_of(static_cast<std::int64_t>(std::clamp(sample.value, 0.0, 1e15))));
  return event;
}

void History::add(const HistorySample& sample) {
  if (info(sample.metric).kind != MetricKind::gauge && sample.rise == 0) return;
  events_.push_back(event_of(sample, number_of(sample)));
}

void History::add(const HistorySample& sample, std::int64_t step_ms) {
  const bool counts = info(sample.metric).kind == MetricKind::counter;
  Series& series = series_[number_of(sample)];
  Event event = event_of(sample, static_cast<std::uint32_t>(&series - series_.data()));
  event.at_ms -= event.at_ms % step_ms;
  const bool same = counts && series.last < events_.size() &&
                    events_[series.last].series == event.series &&
                    events_[series.last].at_ms == event.at_ms;
  if (same) {
    events_[series.last].amount += event.amount;
    return;
  }
  series.last = events_.size();
  events_.push_back(event);
}

std::int64_t History::first_ms() const {
  std::int64_t first = events_.empty() ? 0 : events_.front().at_ms;
  for (const Event& event : events_) first = std::min(first, event.at_ms);
  return first;
}

std::int64_t History::last_ms() const {
  std::int64_t last = 0;
  for (const Event& event : events_) last = std::max(last, event.at_ms);
  return last;
}

std::size_t History::encode(std::int64_t since_ms, ByteWriter& out) const {
  out.varint(series_.size());
  for (const Series& one : series_) {
    out.u8(static_cast<std::uint8_t>(one.metric));
    out.short_bytes(one.tenant_id);
    for (const std::string& label : one.labels) out.short_bytes(label);
  }
  const auto recent = [since_ms](const Event& event) { return event.at_ms >= since_ms; };
  const auto count =
      static_cast<std::size_t>(std::count_if(events_.begin(), events_.end(), recent));
  out.varint(count);
  for (const Event& event : events_) {
    if (!recent(event)) continue;
    out.varint(static_cast<std::uint64_t>(event.at_ms));
    out.varint(event.series);
    out.varint(event.bucket);
    out.f64(event.amount);
  }
  return count;
}

bool History::decode(ByteReader& in) {
  std::vector<std::uint32_t> numbers;
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    HistorySample name;
    name.metric = static_cast<Metric>(in.u8());
    if (name.metric >= Metric::count_) return false;
    name.tenant_id = in.short_bytes();
    name.labels.resize(info(name.metric).labels.size());
    for (std::string& label : name.labels) label = in.short_bytes();
    numbers.push_back(number_of(name));
  }
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    Event event;
    event.at_ms = static_cast<std::int64_t>(in.varint());
    const std::uint64_t series = in.varint();
    event.bucket = static_cast<std::uint32_t>(in.varint());
    event.amount = in.f64();
    if (series >= numbers.size()) return false;
    event.series = numbers[static_cast<std::size_t>(series)];
    events_.push_back(event);
  }
  return in.ok();
}

HistoryPlay::HistoryPlay(History& history, Backtest& backtest, const PlayTimes& times)
    : history_(history),
      backtest_(backtest),
      judged_step_(floor_to(times.from_ms, backtest.step_ms())),
      next_step_(std::min(judged_step_, floor_to(times.learn_from_ms, backtest.step_ms()))),
      end_step_(floor_to(times.to_ms + backtest.step_ms() - 1, backtest.step_ms())),
      numbers_(history.series_.size(), UINT32_MAX) {
  const auto by_time = [](const History::Event& a, const History::Event& b) {
    return a.at_ms < b.at_ms;
  };
  if (!std::is_sorted(history_.events_.begin(), history_.events_.end(), by_time))
    std::stable_sort(history_.events_.begin(), history_.events_.end(), by_time);
  const std::int64_t step_ms = backtest_.step_ms();
  for (std::int64_t step = floor_to(next_step_ * step_ms - backtest_.warm_up_ms(), step_ms);
       step < next_step_; ++step)
    take(step, Step::fill);
}

HistoryPlay::HistoryPlay(History& history, Backtest& backtest, std::int64_t from_ms,
                         std::int64_t to_ms)
    : HistoryPlay(history, backtest,
                  {backtest.learns_from_ms(history.first_ms(), from_ms), from_ms, to_ms}) {}

// An event lies between the ends of its step. What came before the first step that is played is
// passed over. Where something is learned, that happens as ticks would: when a window has ended, and when
// a series is met.
void HistoryPlay::take(std::int64_t step, Step how) {
  const std::int64_t step_ms = backtest_.step_ms();
  const std::int64_t begin_ms = step * step_ms;
  const std::int64_t end_ms = begin_ms + step_ms;
  const auto& events = history_.events_;
  bool meets = false;
  rises_.clear();
  for (; at_ < events.size() && events[at_].at_ms < end_ms; ++at_) {
    const History::Event& event = events[at_];
    if (event.at_ms < begin_ms) continue;
    const History::Series& series = history_.series_[event.series];
    std::uint32_t& number = numbers_[event.series];
    if (number == UINT32_MAX) {
      const std::vector<std::string_view> labels(series.labels.begin(), series.labels.end());
      number = backtest_.series(series.metric, series.tenant_id, labels);
      meets = true;
    }
    if (info(series.metric).kind == MetricKind::gauge)
      backtest_.gauge(number, event.amount, event.at_ms);
    else
      rises_.push_back({number, event.bucket, begin_ms, static_cast<std::uint64_t>(event.amount)});
  }
  if (how == Step::judge)
    backtest_.tick(end_ms, rises_);
  else if (how == Step::learn && (meets || backtest_.learns_at(end_ms)))
    backtest_.learn(end_ms, rises_);
  else
    backtest_.advance(end_ms, rises_);
}

bool HistoryPlay::step() {
  if (next_step_ >= end_step_) return false;
  take(next_step_, next_step_ < judged_step_ ? Step::learn : Step::judge);
  ++next_step_;
  return true;
}

}  // namespace z0
