// Tests of rules from JSON.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "alerts/checked_json.hpp"
#include "alerts/rule_test_parts.hpp"

namespace z0 {
namespace {

constexpr std::size_t test_depth_max = 12;
constexpr std::size_t steps_max = 10'000;
constexpr std::size_t series_max = 1'000;
constexpr std::size_t expected_max = 1'000;
// A few bytes of text stand for ten thousand samples, so it is samples that are counted, over all series:
// 16 bytes each, 3 MB.
constexpr std::size_t samples_max = 200'000;
// Alerts that may be at once, a few hundred bytes each, and how often all of them are judged: that takes
// some 50 ns, and 800 where an alert's words are told. Nobody else is served meanwhile.
constexpr std::size_t alerts_max = 20'000;
constexpr std::size_t judgements_max = 2'000'000;

// "a+bxn", "axn", "_xn", "_", "stale", "a".
bool read_samples(std::string_view word, std::vector<TestSample>& out) {
  std::int64_t times = 0;
  if (const std::size_t x = word.find('x'); x != std::string_view::npos) {
    const std::string count(word.substr(x + 1));
    char* end = nullptr;
    times = std::strtoll(count.c_str(), &end, 10);
    if (count.empty() || *end != '\0' || times < 0 || times > std::int64_t{steps_max}) return false;
    word = word.substr(0, x);
  }
  // "ax3" is a and three more, but "_x3" is three that are missing.
  if (word == "_" || word == "stale") {
    const SampleKind kind = word == "_" ? SampleKind::none : SampleKind::stale;
    out.resize(out.size() + static_cast<std::size_t>(std::max<std::int64_t>(times, 1)), {kind, 0});
    return true;
  }
  const std::string text(word);
  char* end = nullptr;
  const double first = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || !std::isfinite(first)) return false;
  double by = 0;
  if (*end == '+' || *end == '-') {
    const char* from = end;
    by = std::strtod(from, &end);
    if (end == from || !std::isfinite(by)) return false;
  }
  if (*end != '\0') return false;
  for (std::int64_t i = 0; i <= times; ++i)
    out.push_back({SampleKind::number, first + by * static_cast<double>(i)});
  return true;
}

class TestReader : private CheckedJson {
 public:
  TestReader(std::string_view text, RuleTest& out, RuleError& error)
      : CheckedJson(text, test_depth_max, error), out_(out) {}

  bool read() {
    std::string_view key;
    if (!object()) return fail("an object with rules and series");
    while (in_.next_member(key)) {
      const std::string name(key);
      // The rules say where they are wrong themselves.
      if (name == "rules") {
        if (!read_the_rules()) return false;
        continue;
      }
      const Within within(*this, name);
      if (!read_member(name)) return false;
    }
    if (in_.error() != JsonError::none || !in_.at_end()) return fail("JSON in order");
    if (out_.rules.empty()) return fail_at("rules", "a rule at least");
    for (std::size_t i = 0; i < out_.rules.size(); ++i) {
      if (out_.rules[i].kind == SignalKind::business)
        return fail_at("rules[" + std::to_string(i) + "].signal",
                       "a signal that series alone can say, as sum or ratio");
    }
    for (std::size_t i = 0; i < out_.expected.size(); ++i) {
      const std::string& name = out_.expected[i].rule;
      const auto same = [&name](const Rule& rule) { return rule.name == name; };
      if (std::none_of(out_.rules.begin(), out_.rules.end(), same))
        return fail_at("expect[" + std::to_string(i) + "].rule", "the name of one of the rules");
    }
    for (const TestSeries& one : out_.series) out_.steps = std::max(out_.steps, one.samples.size());
    if (out_.steps == 0 || out_.steps > steps_max)
      return fail_at("steps", "from 1 to " + std::to_string(steps_max));
    const std::size_t each = out_.rules.size() * std::max<std::size_t>(out_.series.size(), 1);
    if (each > alerts_max)
      return fail_at("series", "fewer rules or series: at most " + std::to_string(alerts_max) +
                                   " pairs of both");
    return out_.steps <= judgements_max / each ||
           fail_at("steps", "fewer rules, series or steps: together they are judged at most " +
                                std::to_string(judgements_max) + " times");
  }

 private:
  bool read_member(std::string_view name) {
    double number_of_steps = 0;
    if (name == "interval") return duration(out_.interval_ms, 1'000, 3'600'000);
    if (name == "steps") {
      if (!number(number_of_steps, 1, steps_max, "a number of steps")) return false;
      out_.steps = static_cast<std::size_t>(number_of_steps);
      return true;
    }
    if (name != "series" && name != "expect") return fail("a member of a test, and this is none");
    if (!list()) return fail("a list");
    for (std::size_t i = 0; in_.next_element(); ++i) {
      const Within within(*this, '[' + std::to_string(i) + ']');
      if (i >= (name == "series" ? series_max : expected_max)) return fail("fewer of them");
      if (name == "series" ? !read_series(out_.series.emplace_back())
                           : !read_expected(out_.expected.emplace_back()))
        return false;
    }
    return true;
  }

  bool read_the_rules() {
    in_.peek();
    const std::size_t from = in_.offset();
    if (!in_.skip()) return fail("JSON in order");
    std::string settings = R"({"rules":)";
    settings += text_.substr(from, in_.offset() - from);
    return read_rules(settings + '}', out_.rules, error_);
  }

  using Labels = std::vector<std::pair<std::string, std::string>>;
  bool read_labels(Labels& labels) {
    std::string_view key;
    if (!object()) return fail("an object of labels");
    while (in_.next_member(key)) {
      auto& [name, value] = labels.emplace_back(std::string(key), std::string());
      const Within within(*this, name);
      if (labels.size() > limits::rule_matches_max) return fail("fewer labels");
      if (!text(value, "a label's value")) return false;
    }
    return true;
  }

  bool set_labels(TestSeries& series, const Labels& labels) {
    if (series.metric == Metric::count_) return fail_at("metric", "the name of a metric");
    const auto names = info(series.metric).labels;
    series.labels.resize(names.size());
    for (const auto& [name, value] : labels) {
      const auto at = std::find(names.begin(), names.end(), name);
      const Within within(*this, "labels");
      if (at == names.end())
        return fail_at(name, "a label of " + std::string(info(series.metric).name));
      series.labels[static_cast<std::size_t>(at - names.begin())] = value;
    }
    return true;
  }

  bool read_values(TestSeries& series) {
    std::string_view values;
    std::string scratch;
    if (in_.peek() != JsonKind::string || !in_.string(values, scratch)) return fail("a text");
    while (!values.empty()) {
      const std::size_t end = std::min(values.find(' '), values.size());
      const std::string_view one = values.substr(0, end);
      if (!one.empty() && !read_samples(one, series.samples))
        return fail("samples such as 0+5x10, _ or stale, and '" +
                    std::string(shorten(one, limits::id_bytes_max)) + "' is none");
      if (series.samples.size() > steps_max) return fail("fewer samples");
      if (samples_ + series.samples.size() > samples_max)
        return fail("at most " + std::to_string(samples_max) + " samples in all series");
      values.remove_prefix(std::min(end + 1, values.size()));
    }
    samples_ += series.samples.size();
    return true;
  }

  bool read_series(TestSeries& series) {
    std::string_view key;
    Labels labels;
    if (!object()) return fail("an object");
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, name);
      bool good = false;
      if (name == "metric") {
        std::string metric;
        good = text(metric, "the name of a metric");
        series.metric = metric_named(metric);
        if (good && series.metric == Metric::count_) return fail("a metric of the registry");
      } else if (name == "tenant_id") {
        good = text(series.tenant_id, "a tenant's id");
      } else if (name == "labels") {
        good = read_labels(labels);
      } else if (name == "value") {
        good = number(series.observed, 0, 1e12, "a value that was observed");
      } else {
        good =
            name == "values" ? read_values(series) : fail("a member of a series, and this is none");
      }
      if (!good) return false;
    }
    return set_labels(series, labels);
  }

  bool read_expected(TestExpected& expected) {
    std::string_view key;
    if (!object()) return fail("an object");
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, name);
      if (name == "at") {
        if (!duration(expected.at_ms, 0, limits::rule_patience_ms_max)) return false;
      } else if (name == "rule") {
        if (!text(expected.rule, "the name of a rule")) return false;
      } else if (name == "firing") {
        if (!list()) return fail("a list of objects, each with the labels of an alert");
        while (in_.next_element()) {
          std::string minified;
          bool out_of_range = false;
          if (!in_.minify(minified, 2, out_of_range)) return fail("an object of labels");
          expected.firing.insert(sorted_members(minified));
        }
      } else {
        return fail("a member of what is expected, and this is none");
      }
    }
    return true;
  }

  RuleTest& out_;
  std::size_t samples_ = 0;  // of all series
};

}  // namespace

bool read_rule_test(std::string_view text, RuleTest& out, RuleError& error) {
  return TestReader(text, out, error).read();
}

}  // namespace z0
