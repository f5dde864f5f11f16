#include "z0/alerts/rule_test.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <vector>

#include "alerts/checked_json.hpp"
#include "z0/alerts/playback.hpp"
#include "z0/json/write.hpp"
#include "z0/metrics/histogram.hpp"

namespace z0 {
namespace {

constexpr std::size_t test_depth_max = 12;
constexpr std::size_t steps_max = 10'000;
constexpr std::size_t series_max = 1'000;
constexpr std::size_t expected_max = 1'000;

enum class SampleKind : std::uint8_t { none, number, stale };
struct TestSample {
  SampleKind kind = SampleKind::none;
  double value = 0;
};
struct TestSeries {
  Metric metric = Metric::count_;
  std::string tenant_id;
  std::vector<std::string> labels;
  double observed = 0;  // of a histogram
  std::vector<TestSample> samples;
};
struct Expected {
  std::int64_t at_ms = 0;
  std::string rule;
  std::set<std::string> firing;  // by what tells the alerts apart, as JSON
};
struct Test {
  std::vector<Rule> rules;
  std::int64_t interval_ms = 60'000;
  std::size_t steps = 0;
  std::vector<TestSeries> series;
  std::vector<Expected> expected;
};

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
  TestReader(std::string_view text, Test& out, RuleError& error)
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
    return (out_.steps > 0 && out_.steps <= steps_max) ||
           fail_at("steps", "from 1 to " + std::to_string(steps_max));
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
      values.remove_prefix(std::min(end + 1, values.size()));
    }
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

  bool read_expected(Expected& expected) {
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

  Test& out_;
};

// What tells an alert from others of its rule, as JSON; what is empty is left out.
std::string labels_of(const Evaluator::Alert& alert) {
  std::string text;
  JsonWriter json(text);
  json.object();
  if (!alert.tenant_id.empty()) json.text("tenant_id", alert.tenant_id);
  for (std::size_t i = 0; i < alert.labels.size(); ++i)
    if (!alert.labels[i].empty()) json.any_key(alert.rule->by[i]).text(alert.labels[i]);
  json.end();
  return sorted_members(text);
}

class TestRun {
 public:
  explicit TestRun(Test& test) : test_(test), playback_(test.rules, test.interval_ms), json_(out_) {
    last_.resize(test.series.size());
    numbers_.resize(test.series.size(), unheard);
  }

  bool run() {
    std::string failures;
    std::size_t failed = 0;
    JsonWriter failing(failures);
    json_.object().array("steps");
    for (std::size_t step = 0; step < test_.steps; ++step) {
      play(step);
      const std::int64_t at_ms = static_cast<std::int64_t>(step) * test_.interval_ms;
      tell(at_ms);
      for (const Expected& one : test_.expected)
        if (one.at_ms == at_ms && !met(one, failing)) ++failed;
    }
    json_.end();
    // What is expected between two steps or after the last one was never looked at.
    for (const Expected& one : test_.expected) {
      const bool seen = one.at_ms % test_.interval_ms == 0 &&
                        one.at_ms / test_.interval_ms < static_cast<std::int64_t>(test_.steps);
      if (seen) continue;
      ++failed;
      failing.object().text("rule", one.rule).text("at", duration_text(one.at_ms));
      failing.text("why", "no step ends there").end();
    }
    json_.array("failures").parts(failures).end().boolean("passed", failed == 0).end();
    return failed == 0;
  }
  std::string take() { return std::move(out_); }

 private:
  static constexpr std::uint32_t unheard = UINT32_MAX;
  struct Last {
    bool any = false;
    std::int64_t at_ms = 0;
    double value = 0;
  };

  void play(std::size_t step) {
    // Times of a test begin at a moment that every window reaches back from.
    const std::int64_t now_ms = origin_ms() + static_cast<std::int64_t>(step) * test_.interval_ms;
    std::vector<Playback::Rise> rises;
    for (std::size_t i = 0; i < test_.series.size(); ++i) {
      const TestSeries& series = test_.series[i];
      if (step >= series.samples.size()) continue;
      const TestSample sample = series.samples[step];
      const MetricKind kind = info(series.metric).kind;
      if (sample.kind == SampleKind::none) continue;
      // A series is known from its first sample on.
      if (numbers_[i] == unheard) {
        const std::vector<std::string_view> labels(series.labels.begin(), series.labels.end());
        numbers_[i] = playback_.series(series.metric, series.tenant_id, labels);
      }
      if (kind == MetricKind::gauge) {
        constexpr double gone = std::numeric_limits<double>::quiet_NaN();
        playback_.gauge(numbers_[i], sample.kind == SampleKind::stale ? gone : sample.value,
                        now_ms);
        continue;
      }
      if (sample.kind != SampleKind::number) continue;
      Last& last = last_[i];
      const double rise = sample.value < last.value ? sample.value : sample.value - last.value;
      if (last.any && rise > 0) {
        const auto bucket = kind == MetricKind::histogram
                                ? Histogram::bucket_of(static_cast<std::int64_t>(series.observed))
                                : 0;
        rises.push_back({numbers_[i], static_cast<std::uint32_t>(bucket), last.at_ms,
                         static_cast<std::uint64_t>(rise)});
      }
      last = {true, now_ms, sample.value};
    }
    playback_.tick(now_ms, rises);
  }

  std::int64_t origin_ms() const {
    return (2 * limits::rule_window_ms_max / test_.interval_ms + 1) * test_.interval_ms;
  }

  std::string texts_of(AlertPhase phase, const std::string* rule, std::set<std::string>* keys) {
    std::string text;
    JsonWriter json(text);
    for (const Evaluator::Alert& alert : playback_.evaluator().alerts()) {
      if (alert.state->phase != phase || (rule != nullptr && alert.rule->name != *rule)) continue;
      const std::string labels = labels_of(alert);
      json.object().text("rule", alert.rule->name).raw("labels", labels).end();
      if (keys != nullptr) keys->insert(labels);
    }
    return text;
  }

  // A step is told of where something changed.
  void tell(std::int64_t at_ms) {
    const std::string firing = texts_of(AlertPhase::firing, nullptr, nullptr);
    const std::string pending = texts_of(AlertPhase::pending, nullptr, nullptr);
    const std::string now = firing + '|' + pending;
    if (now == told_) return;
    told_ = now;
    json_.object().text("at", duration_text(at_ms));
    json_.array("firing").parts(firing).end().array("pending").parts(pending).end().end();
  }

  bool met(const Expected& expected, JsonWriter& failing) {
    std::set<std::string> firing;
    const std::string text = texts_of(AlertPhase::firing, &expected.rule, &firing);
    if (firing == expected.firing) return true;
    failing.object().text("rule", expected.rule).text("at", duration_text(expected.at_ms));
    failing.array("expected");
    for (const std::string& one : expected.firing) failing.raw(one);
    failing.end().array("firing");
    for (const std::string& one : firing) failing.raw(one);
    failing.end().end();
    return false;
  }

  Test& test_;
  Playback playback_;
  std::vector<std::uint32_t> numbers_;
  std::vector<Last> last_;
  std::string out_;
  JsonWriter json_;
  std::string told_ = "|";
};

}  // namespace

RuleTestOutcome run_rule_test(std::string_view text) {
  RuleTestOutcome outcome;
  Test test;
  outcome.readable = TestReader(text, test, outcome.error).read();
  if (!outcome.readable) return outcome;
  TestRun run(test);
  outcome.passed = run.run();
  outcome.json = run.take();
  return outcome;
}

}  // namespace z0
