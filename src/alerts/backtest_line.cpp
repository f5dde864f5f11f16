// Lines of a history.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "alerts/checked_json.hpp"
#include "z0/alerts/backtest_history.hpp"
#include "z0/alerts/prometheus.hpp"
#include "z0/base/time.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

// A line, its fact, the fact's data and 16 levels in it.
constexpr std::size_t line_depth_max = 20;

class LineReader : private CheckedJson {
 public:
  LineReader(std::string_view line, HistoryLine& out, RuleError& error)
      : CheckedJson(line, line_depth_max, error), line_(out) {
    path_ = "line";
  }

  bool read() {
    if (!read_members()) return fail("an object of JSON");
    if (!in_.at_end()) return fail("one object of JSON and nothing behind it");
    if (is_export_header_ || (nested_ && type_.empty())) return true;
    if (is_point_) return take_point();
    if (!metric_.empty()) return take_sample();
    if (is_sum_ && !type_.empty()) return take_sum();
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
        {"status", &LineReader::status_},     {"index1", &LineReader::tenant_id_},
        {"blob2", &LineReader::blob2_},       {"blob3", &LineReader::blob3_},
        {"blob4", &LineReader::blob4_},
    };
    for (const Text& one : texts)
      if (one.name == name) return text_or_null(this->*one.to);
    // What samples have no use for may be anything there.
    static constexpr Text of_facts[] = {
        {"entity_id", &LineReader::entity_id_}, {"id", &LineReader::id_},
        {"currency", &LineReader::currency_},   {"corrects", &LineReader::corrects_},
        {"config_id", &LineReader::config_id_},
    };
    for (const Text& one : of_facts)
      if (one.name == name)
        return in_.peek() == JsonKind::string ? string_into(this->*one.to) : in_.skip();
    if (name == "t" || name == "timestamp") return read_time();
    if (name == "rise") return number(rise_, 0, 9e15, "a number from 0 on");
    if (name == "value") return has_value_ = true, number(value_, -1e300, 1e300, "a number");
    if (name == "blob1") return is_point_ = true, text(metric_, "the name of a metric");
    if (name == "double1") return number(rise_, 0, 9e15, "a number from 0 on");
    if (name == "double2") return number(value_, -1e300, 1e300, "a number");
    if (name == "_sample_interval") return read_interval();
    if (name == "amount") return integer(amount_);
    if (name == "config_version") return integer(config_version_);
    if (name == "facts") return is_sum_ = true, integer(facts_);
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
      if (!text(value, "a time")) return false;
      // As ClickHouse writes one of UTC.
      if (value.size() == 19 && value[10] == ' ') (value += 'Z')[10] = 'T';
      return parse_rfc3339(value, at_ms_) || fail("a time in ms, or as RFC 3339 has it");
    }
    JsonReader::Fit fit{};
    return in_.peek() == JsonKind::number && in_.integer(at_ms_, fit);
  }

  // What is no whole number says nothing: no fact has such an amount.
  bool integer(std::int64_t& value) {
    if (in_.peek() != JsonKind::number) return in_.skip();
    JsonReader::Fit fit{};
    if (!in_.integer(value, fit)) value = 0;
    return in_.error() == JsonError::none;
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
      } else if (key == "settings" && in_.peek() == JsonKind::object) {
        const std::size_t from = in_.offset();
        if (!in_.skip()) return false;
        settings_ = text_.substr(from, in_.offset() - from);
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
      if (at == row.labels.end())
        return fail_at("labels", "labels of " + metric_ + ", and " + name + " is none");
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
    line_.samples.push_back(std::move(sample));
    return true;
  }

  // ClickHouse quotes integers of 64 bits.
  bool read_interval() {
    constexpr std::string_view what = "how many points one stands for";
    if (in_.peek() == JsonKind::number) return number(interval_, 1, 9e15, what);
    std::string digits;
    if (!text(digits, what)) return false;
    interval_ = std::strtod(digits.c_str(), nullptr);
    return (interval_ >= 1 && interval_ <= 9e15) || fail(std::string(what));
  }

  // A row of Analytics Engine: the slots of src/metrics/README.md.
  bool take_point() {
    HistorySample sample;
    sample.metric = metric_named(metric_);
    if (sample.metric == Metric::count_) return true;  // of a version that counted something else
    if (at_ms_ <= 0) return fail_at("timestamp", "a time");
    const MetricInfo& row = info(sample.metric);
    const std::string* const blobs[] = {&blob2_, &blob3_, &blob4_};
    for (std::size_t i = 0; i < row.labels.size() && i < std::size(blobs); ++i)
      sample.labels.push_back(*blobs[i]);
    sample.at_ms = at_ms_;
    sample.tenant_id = tenant_id_;
    if (row.kind != MetricKind::gauge)
      sample.rise = static_cast<std::uint64_t>(std::min(std::max(rise_, 0.0) * interval_, 9e15));
    if (row.kind != MetricKind::counter) sample.value = value_;
    line_.samples.push_back(std::move(sample));
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
    add_samples(fact, at_ms_, 1, line_.samples);
    take_business();
    return true;
  }

  // Facts in sum are samples elsewhere: each of those stands in a line of its own.
  bool take_sum() {
    if (at_ms_ <= 0) return fail_at("t", "a time in ms, or as RFC 3339 has it");
    if (facts_ <= 0) return fail_at("facts", "how many facts it stands for");
    take_business();
    return true;
  }

  void take_business() {
    HistoryFact& fact = line_.fact.emplace();
    fact.at_ms = at_ms_;
    fact.facts = is_sum_ ? facts_ : 1;
    fact.failed = status_ == "failed";
    fact.tenant_id = tenant_id_;
    fact.entity_id = entity_id_;
    fact.type = type_;
    fact.subtype = subtype_;
    fact.id = id_;
    fact.amount = amount_;
    fact.currency = currency_;
    fact.corrects = corrects_;
    const bool is_version = type_ == "lifecycle" && subtype_ == "config_updated";
    if (!is_version || data_[5] != "budget") return;
    fact.config_id = config_id_;
    fact.config_version = config_version_;
    fact.settings = settings_;
  }

  static constexpr std::string_view data_names[] = {"operation", "cache_type", "resolution",
                                                    "result",    "reason",     "type"};
  HistoryLine& line_;
  std::string entity_id_, id_, currency_, corrects_, config_id_;
  std::string_view settings_;
  std::string metric_, tenant_id_, type_, subtype_, asset_id_, tool_id_, status_, error_code_;
  std::string blob2_, blob3_, blob4_;  // of a point
  std::array<std::string, std::size(data_names)> data_;
  std::vector<std::pair<std::string, std::string>> labels_;
  std::int64_t at_ms_ = 0;
  std::int64_t amount_ = 0;
  std::int64_t config_version_ = 0;
  std::int64_t facts_ = 0;
  bool is_sum_ = false;
  double rise_ = -1;
  double value_ = 0;
  double interval_ = 1;
  bool is_point_ = false;
  bool has_value_ = false;
  bool failed_ = false;
  bool nested_ = false;
  bool is_export_header_ = false;
};

}  // namespace

bool read_history_line(std::string_view line, HistoryLine& out, RuleError& error) {
  out.fact.reset();
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

std::string history_line(const HistoryFact& facts) {
  std::string out;
  JsonWriter json(out);
  json.object().integer("t", facts.at_ms).text("type", facts.type);
  json.text_if_any("subtype", facts.subtype).text_if_any("tenant_id", facts.tenant_id);
  json.text_if_any("entity_id", facts.entity_id);
  if (facts.failed) json.plain("status", "failed");
  json.integer("facts", facts.facts);
  if (facts.amount != 0) json.integer("amount", facts.amount);
  json.text_if_any("currency", facts.currency).text_if_any("corrects", facts.corrects);
  json.end();
  return out;
}

}  // namespace z0
