// Histories: lines, what facts count as, and playing them.
#include "z0/alerts/backtest_history.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "alerts/checked_json.hpp"
#include "z0/alerts/prometheus.hpp"
#include "z0/base/time.hpp"
#include "z0/json/write.hpp"
#include "z0/metrics/histogram.hpp"

namespace z0 {
namespace {

// A line, its fact, the fact's data and 16 levels in it.
constexpr std::size_t line_depth_max = 20;

class LineReader : private CheckedJson {
 public:
  LineReader(std::string_view line, std::vector<HistorySample>& out, RuleError& error)
      : CheckedJson(line, line_depth_max, error), out_(out) {
    path_ = "line";
  }

  bool read() {
    if (!read_members()) return fail("an object of JSON");
    if (!in_.at_end()) return fail("one object of JSON and nothing behind it");
    if (is_export_header_ || (nested_ && type_.empty())) return true;
    if (!metric_.empty()) return take_sample();
    return type_.empty() ? fail("a sample with a metric, or a fact with a type") : take_fact();
  }

 private:
  // Members of a sample, a fact or a line of an export; which one it is shows at the end.
  bool read_members() {
    if (!object()) return false;
    std::string_view key;
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, name);
      if (!read_member(name)) return fail("another value");
    }
    return in_.error() == JsonError::none;
  }

  bool read_member(const std::string& name) {
    struct Text {
      std::string_view name;
      std::string LineReader::*to;
    };
    static constexpr Text texts[] = {
        {"metric", &LineReader::metric_},     {"tenant_id", &LineReader::tenant_id_},
        {"type", &LineReader::type_},         {"subtype", &LineReader::subtype_},
        {"asset_id", &LineReader::asset_id_}, {"tool_id", &LineReader::tool_id_},
        {"status", &LineReader::status_},
    };
    for (const Text& one : texts)
      if (one.name == name) return text_or_null(this->*one.to);
    if (name == "t" || name == "timestamp") return read_time();
    if (name == "rise") return number(rise_, 0, 9e15, "a number from 0 on");
    if (name == "value") return has_value_ = true, number(value_, -1e300, 1e300, "a number");
    if (name == "labels") return read_labels();
    if (name == "data") return read_data();
    if (name == "z0_export") is_export_header_ = true;
    if (name == "fact" && in_.peek() == JsonKind::object) return nested_ = true, read_members();
    if (name == "record") nested_ = true;
    return in_.skip();
  }

  bool text_or_null(std::string& value) {
    if (in_.peek() == JsonKind::null) return in_.null();
    return text(value, "a text");
  }

  bool read_time() {
    if (in_.peek() == JsonKind::string) {
      std::string value;
      return text(value, "a time") &&
             (parse_rfc3339(value, at_ms_) || fail("a time in ms, or as RFC 3339 has it"));
    }
    JsonReader::Fit fit{};
    return in_.peek() == JsonKind::number && in_.integer(at_ms_, fit);
  }

  bool read_labels() {
    if (!object()) return fail("an object of labels");
    std::string_view key;
    while (in_.next_member(key)) {
      auto& [name, value] = labels_.emplace_back(std::string(key), std::string());
      if (labels_.size() > limits::rule_matches_max) return fail("fewer labels");
      const Within within(*this, name);
      if (!text(value, "a label's value")) return false;
    }
    return true;
  }

  // What of a fact's data a metric counts by; the rest is only passed over.
  bool read_data() {
    if (in_.peek() != JsonKind::object || !in_.enter_object()) return in_.skip();
    std::string_view key;
    while (in_.next_member(key)) {
      const auto found = std::find(std::begin(data_names), std::end(data_names), key);
      if (found != std::end(data_names) && in_.peek() == JsonKind::string) {
        if (!string_into(data_[static_cast<std::size_t>(found - std::begin(data_names))]))
          return false;
      } else if (key == "error" && in_.peek() == JsonKind::object) {
        if (!read_error()) return false;
      } else if (!in_.skip()) {
        return false;
      }
    }
    return true;
  }

  bool read_error() {
    in_.enter_object();
    failed_ = true;
    std::string_view key;
    while (in_.next_member(key)) {
      const bool is_code = key == "code" && in_.peek() == JsonKind::string;
      if (!(is_code ? string_into(error_code_) : in_.skip())) return false;
    }
    return true;
  }

  bool string_into(std::string& out) {
    std::string_view value;
    std::string scratch;
    if (!in_.string(value, scratch)) return false;
    out = shorten(value, limits::id_bytes_max);
    return true;
  }

  bool take_sample() {
    HistorySample sample;
    sample.metric = metric_named(metric_);
    if (sample.metric == Metric::count_) return fail_at("metric", "a metric of the registry");
    if (at_ms_ <= 0) return fail_at("t", "a time in ms, or as RFC 3339 has it");
    const MetricInfo& row = info(sample.metric);
    sample.labels.resize(row.labels.size());
    for (const auto& [name, value] : labels_) {
      const auto at = std::find(row.labels.begin(), row.labels.end(), name);
      if (at == row.labels.end()) return fail_at("labels", "no label of " + metric_ + ": " + name);
      sample.labels[static_cast<std::size_t>(at - row.labels.begin())] = value;
    }
    if (row.kind == MetricKind::gauge ? !has_value_ : rise_ < 0)
      return row.kind == MetricKind::gauge
                 ? fail_at("value", "what a gauge showed")
                 : fail_at("rise", "by how much the counter rose, or how many were observed");
    sample.at_ms = at_ms_;
    sample.tenant_id = tenant_id_;
    sample.rise = row.kind == MetricKind::gauge ? 0 : static_cast<std::uint64_t>(rise_);
    sample.value = row.kind == MetricKind::counter ? 0 : value_;
    out_.push_back(std::move(sample));
    return true;
  }

  bool take_fact() {
    if (at_ms_ <= 0) return fail_at("timestamp", "a time in ms, or as RFC 3339 has it");
    FactTraits fact{tenant_id_, type_, subtype_, asset_id_, status_ == "failed", {}, {}, {}};
    const std::string& operation = data_[0];
    if (fact.failed) {
      fact.a = error_code_;
    } else if (type_ == "invocation") {
      fact.a = tool_id_;
      fact.b = operation;
      fact.c = failed_ && error_code_.empty() ? std::string_view("error") : error_code_;
    } else if (type_ == "reconciliation") {
      fact.a = data_[1];
      fact.b = data_[2];
    } else if (type_ == "routing_decision") {
      fact.a = data_[3];
      fact.b = data_[4];
    } else if (type_ == "lifecycle") {
      fact.a = data_[5];
    }
    add_samples(fact, at_ms_, 1, out_);
    return true;
  }

  static constexpr std::string_view data_names[] = {"operation", "cache_type", "resolution",
                                                    "result",    "reason",     "type"};
  std::vector<HistorySample>& out_;
  std::string metric_, tenant_id_, type_, subtype_, asset_id_, tool_id_, status_, error_code_;
  std::array<std::string, std::size(data_names)> data_;
  std::vector<std::pair<std::string, std::string>> labels_;
  std::int64_t at_ms_ = 0;
  double rise_ = -1;
  double value_ = 0;
  bool has_value_ = false;
  bool failed_ = false;
  bool nested_ = false;
  bool is_export_header_ = false;
};

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

bool read_history_line(std::string_view line, std::vector<HistorySample>& out, RuleError& error) {
  return LineReader(line, out, error).read();
}

std::string history_line(const HistorySample& sample) {
  const MetricInfo& row = info(sample.metric);
  std::string out;
  JsonWriter json(out);
  json.object().integer("t", sample.at_ms).plain("metric", row.name);
  json.text_if_any("tenant_id", sample.tenant_id);
  json.object("labels");
  for (std::size_t i = 0; i < row.labels.size(); ++i)
    if (!sample.labels[i].empty()) json.any_key(row.labels[i]).text(sample.labels[i]);
  json.end();
  if (row.kind != MetricKind::gauge) json.integer("rise", static_cast<std::int64_t>(sample.rise));
  if (row.kind != MetricKind::counter) json.raw("value", number_text(sample.value));
  json.end();
  return out;
}

std::uint32_t History::number_of(const HistorySample& sample) {
  const auto [found, is_new] =
      numbers_.try_emplace(key_of_sample(sample), static_cast<std::uint32_t>(series_.size()));
  if (is_new) series_.push_back({sample.metric, sample.tenant_id, sample.labels});
  return found->second;
}

void History::add(const HistorySample& sample) {
  const MetricKind kind = info(sample.metric).kind;
  if (kind != MetricKind::gauge && sample.rise == 0) return;
  Event event{sample.at_ms, number_of(sample), 0, static_cast<double>(sample.rise)};
  if (kind == MetricKind::gauge) event.amount = sample.value;
  if (kind == MetricKind::histogram)
    event.bucket = static_cast<std::uint32_t>(
        Histogram::bucket_of(static_cast<std::int64_t>(std::clamp(sample.value, 0.0, 1e15))));
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

HistoryPlay::HistoryPlay(History& history, Backtest& backtest, std::int64_t from_ms,
                         std::int64_t to_ms)
    : history_(history),
      backtest_(backtest),
      next_step_(floor_to(from_ms, backtest.step_ms())),
      end_step_(floor_to(to_ms + backtest.step_ms() - 1, backtest.step_ms())),
      numbers_(history.series_.size(), UINT32_MAX) {
  std::stable_sort(
      history_.events_.begin(), history_.events_.end(),
      [](const History::Event& a, const History::Event& b) { return a.at_ms < b.at_ms; });
  const std::int64_t step_ms = backtest_.step_ms();
  for (std::int64_t step = floor_to(from_ms - backtest_.warm_up_ms(), step_ms); step < next_step_;
       ++step)
    take(step, false);
}

// An event lies between the ends of its step. What came before the first step that is played is
// passed over.
void HistoryPlay::take(std::int64_t step, bool judges) {
  const std::int64_t step_ms = backtest_.step_ms();
  const std::int64_t begin_ms = step * step_ms;
  const std::int64_t end_ms = begin_ms + step_ms;
  const auto& events = history_.events_;
  rises_.clear();
  for (; at_ < events.size() && events[at_].at_ms < end_ms; ++at_) {
    const History::Event& event = events[at_];
    if (event.at_ms < begin_ms) continue;
    const History::Series& series = history_.series_[event.series];
    std::uint32_t& number = numbers_[event.series];
    if (number == UINT32_MAX) {
      const std::vector<std::string_view> labels(series.labels.begin(), series.labels.end());
      number = backtest_.series(series.metric, series.tenant_id, labels);
    }
    if (info(series.metric).kind == MetricKind::gauge)
      backtest_.gauge(number, event.amount, event.at_ms);
    else
      rises_.push_back({number, event.bucket, begin_ms, static_cast<std::uint64_t>(event.amount)});
  }
  judges ? backtest_.tick(end_ms, rises_) : backtest_.advance(end_ms, rises_);
}

bool HistoryPlay::step() {
  if (next_step_ >= end_step_) return false;
  take(next_step_++, true);
  return true;
}

}  // namespace z0
