#include "z0/alerts/rule_test.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <vector>

#include "alerts/rule_test_parts.hpp"
#include "z0/alerts/playback.hpp"
#include "z0/json/json.hpp"
#include "z0/json/write.hpp"
#include "z0/metrics/histogram.hpp"

namespace z0 {
namespace {

// What changes is told with all that fires, so it grows with both.
constexpr std::size_t answer_bytes_max = 4u << 20;

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
  explicit TestRun(RuleTest& test)
      : test_(test), playback_(test.rules, test.interval_ms), json_(out_) {
    last_.resize(test.series.size());
    numbers_.resize(test.series.size(), unheard);
  }

  // False where the answer would be too long.
  bool run(bool& passed) {
    std::string failures;
    std::size_t failed = 0;
    JsonWriter failing(failures);
    const auto is_too_long = [&] {
      return too_long_ || out_.size() + failures.size() > answer_bytes_max;
    };
    json_.object().array("steps");
    for (std::size_t step = 0; step < test_.steps && !is_too_long(); ++step) {
      play(step);
      const std::int64_t at_ms = static_cast<std::int64_t>(step) * test_.interval_ms;
      tell(at_ms);
      for (const TestExpected& one : test_.expected)
        if (one.at_ms == at_ms && !is_too_long() && !met(one, failing)) ++failed;
    }
    json_.end();
    // What is expected between two steps or after the last one was never looked at.
    for (const TestExpected& one : test_.expected) {
      const bool seen = one.at_ms % test_.interval_ms == 0 &&
                        one.at_ms / test_.interval_ms < static_cast<std::int64_t>(test_.steps);
      if (seen) continue;
      ++failed;
      failing.object().text("rule", one.rule).text("at", duration_text(one.at_ms));
      failing.text("why", "no step ends there").end();
    }
    passed = failed == 0;
    json_.array("failures").parts(failures).end().boolean("passed", passed).end();
    return !is_too_long();
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
    for (const Evaluator::Alert& alert : alerts_) {
      too_long_ = too_long_ || text.size() > answer_bytes_max;
      if (too_long_) break;
      if (alert.state->phase != phase || (rule != nullptr && alert.rule->name != *rule)) continue;
      const std::string labels = labels_of(alert);
      json.object().text("rule", alert.rule->name).raw("labels", labels).end();
      if (keys != nullptr) keys->insert(labels);
    }
    return text;
  }

  // A step is told of where something changed.
  void tell(std::int64_t at_ms) {
    alerts_ = playback_.evaluator().alerts();
    const std::string firing = texts_of(AlertPhase::firing, nullptr, nullptr);
    const std::string pending = texts_of(AlertPhase::pending, nullptr, nullptr);
    const std::string now = firing + '|' + pending;
    if (now == told_) return;
    told_ = now;
    json_.object().text("at", duration_text(at_ms));
    json_.array("firing").parts(firing).end().array("pending").parts(pending).end().end();
  }

  bool met(const TestExpected& expected, JsonWriter& failing) {
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

  RuleTest& test_;
  Playback playback_;
  std::vector<std::uint32_t> numbers_;
  std::vector<Last> last_;
  std::string out_;
  JsonWriter json_;
  std::string told_ = "|";
  std::vector<Evaluator::Alert> alerts_;  // as of the step
  bool too_long_ = false;
};

}  // namespace

RuleTestOutcome run_rule_test(std::string_view text) {
  RuleTestOutcome outcome;
  RuleTest test;
  outcome.readable = read_rule_test(text, test, outcome.error);
  if (!outcome.readable) return outcome;
  TestRun run(test);
  outcome.readable = run.run(outcome.passed);
  if (outcome.readable)
    outcome.json = run.take();
  else
    outcome.error = {"steps", "fewer rules, series or steps: what fires fills more than 4 MiB"};
  return outcome;
}

}  // namespace z0
