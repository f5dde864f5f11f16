// Rules over recorded history: when each would have fired, how often somebody would have been paged, and
// what of given incidents would have been lost before anybody knew.
//
// The machine is the one that runs (evaluator.hpp, by playback.hpp), so a backtest says what z0 would
// have said with the same measurements and a tick at the end of each step. Rules about anomalies learn
// first, from what happened before (learn()), and are judged once a baseline has settled. Rules about
// business are judged by whoever has facts (alerting/business_backtest.hpp), which tells of their alerts
// here. What was not judged, and why, is said.
#pragma once

#include <bitset>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "z0/alerts/playback.hpp"
#include "z0/alerts/rule.hpp"
#include "z0/base/bytes.hpp"

namespace z0 {

// Firings that a backtest keeps unless it is told otherwise; further ones are counted.
inline constexpr std::size_t backtest_firings_max = 20'000;

// As far back as rules about anomalies learn, and those about business.
inline constexpr std::int64_t backtest_learning_ms_max = std::int64_t{35} * 86'400'000;
inline constexpr std::int64_t backtest_business_ms_max = std::int64_t{28} * 86'400'000;

// Whether one of them is about business, so that facts are needed to judge it.
bool asks_of_business(std::span<const Rule> rules);

// What an alert costs, in minor units.
struct FiringCost {
  std::string currency;               // empty: nothing is known of that
  std::int64_t lost = 0;              // until it was resolved
  std::int64_t at_risk_per_hour = 0;  // as it fired
};

// An alert, from when it fired until it was resolved.
struct Firing {
  std::uint32_t rule = 0;
  std::string tenant_id;
  std::vector<std::string> labels;  // in the order of the rule's `by`
  std::int64_t active_at_ms = 0;    // when its condition began to hold
  std::int64_t fired_at_ms = 0;
  std::int64_t resolved_at_ms = 0;  // 0: it still fires at the end
  double value = 0;                 // as it fired
  std::string why;                  // as it fired, in words; not all rules have any
  FiringCost cost;
};

// Since when a rule that has to learn could be judged.
struct JudgedSince {
  std::int64_t learned_from_ms = 0;  // 0: there was nothing to learn
  std::int64_t judged_from_ms = 0;   // 0: it had not learned enough
  std::string why_not;               // of one that was not judged, where there is more to be said
};

class Backtest {
 public:
  // step_ms: above 0.
  Backtest(std::vector<Rule> rules, std::int64_t step_ms,
           std::size_t firings_max = backtest_firings_max);

  const std::vector<Rule>& rules() const { return playback_.evaluator().rules(); }
  std::int64_t step_ms() const { return step_ms_; }
  // How far before the first tick measurements matter.
  std::int64_t warm_up_ms() const { return warm_up_ms_; }
  // How far before it what happened teaches such rules what is usual; 0: none has to learn.
  std::int64_t learning_ms() const;
  // Since when its rules about anomalies learn of a history that begins then; from_ms: there are none.
  std::int64_t learns_from_ms(std::int64_t first_ms, std::int64_t from_ms) const;
  // Baselines that there is room for, where that is less than limits::habits_max.
  void limit_baselines(std::size_t most) { playback_.evaluator().limit_habits(most); }

  // The number of a series, which is known from then on.
  std::uint32_t series(Metric metric, std::string_view tenant_id,
                       std::span<const std::string_view> labels);
  void gauge(std::uint32_t series, double value, std::int64_t at_ms) {
    playback_.gauge(series, value, at_ms);
  }
  // A step passes: its rises come into the windows, and are judged or not.
  void advance(std::int64_t now_ms, std::span<const Playback::Rise> rises) {
    playback_.advance(now_ms, rises);
  }
  void tick(std::int64_t now_ms, std::span<const Playback::Rise> rises);
  // A step passes of which rules about anomalies learn. Needed where learns_at() says so, and where a series
  // comes for the first time; advance() does for other steps.
  void learn(std::int64_t now_ms, std::span<const Playback::Rise> rises);
  bool learns_at(std::int64_t now_ms) const;

  // -- rules about business, which somebody else judges
  // After a tick: an alert of one of rules() that is not idle, and what it costs so far.
  void note(const Evaluator::Alert& alert, std::int64_t now_ms, const FiringCost& cost);
  void set_judged(std::size_t rule, JudgedSince since) { judged_[rule] = std::move(since); }
  // It cannot be judged to the end: what it has fired is forgotten, and why is said.
  void leave_out(std::size_t rule, std::string_view why_not);
  // Of a rule that has to learn.
  const JudgedSince& judged(std::size_t rule) const { return judged_[rule]; }

  const std::vector<Firing>& firings() const { return firings_; }
  std::int64_t left_out() const { return left_out_; }  // firings that there was no room for
  std::int64_t groups_left_out() const { return playback_.evaluator().left_out(); }
  // Alerts that one tick looks at.
  std::size_t alerts_a_tick() const { return playback_.evaluator().states(); }
  // Whether the history says anything that the rule looks at.
  bool has_history(const Rule& rule) const;

  // All but what the windows hold, to go on later with the same rules, after the windows were filled.
  void encode(ByteWriter& out);
  // False for bytes that encode did not write.
  [[nodiscard]] bool decode(ByteReader& in);

 private:
  struct Known {
    Metric metric = Metric::count_;
    std::string tenant_id;
    std::vector<std::string> labels;
    std::uint32_t number = 0;
  };
  void note_learned(std::int64_t now_ms);
  void find_open();
  // Whatever has the key of the alert.
  std::string key_of(std::uint32_t rule, std::string_view tenant_id,
                     std::span<const std::string_view> labels) const;

  Playback playback_;
  std::int64_t step_ms_;
  std::size_t firings_max_;
  std::int64_t warm_up_ms_ = 0;
  std::vector<std::int64_t> windows_;  // of rules about anomalies, each once
  std::vector<JudgedSince> judged_;    // by rule
  std::map<std::string, Known, std::less<>> known_;
  std::bitset<static_cast<std::size_t>(Metric::count_)> heard_;
  std::vector<Firing> firings_;
  std::map<std::string, std::size_t, std::less<>> open_;  // firings that go on
  std::int64_t left_out_ = 0;
};

// What went wrong once, and what that cost.
struct Incident {
  std::string name;
  std::int64_t from_ms = 0;
  std::int64_t to_ms = 0;
  std::string tenant_id;           // empty: the platform's
  std::vector<std::string> rules;  // which of them tell of it; empty: any
  std::string currency;            // of what was lost; empty: nothing is said of that
  std::int64_t lost = 0;           // in minor units

  friend bool operator==(const Incident&, const Incident&) = default;
};
// {"name", "from", "to", "tenant_id"?, "rules"?, "lost": {"amount", "currency"}?}; times in ms or as of
// RFC 3339.
[[nodiscard]] bool read_incident(std::string_view text, Incident& out, RuleError& error);

// What an amount that is lost evenly from `from_ms` to `to_ms` comes to until `at_ms`.
std::int64_t lost_until(const Incident& incident, std::int64_t at_ms);

// What came of a backtest over from_ms to to_ms, as JSON: src/alerts/README.md names its members.
std::string backtest_json(const Backtest& backtest, std::int64_t from_ms, std::int64_t to_ms,
                          std::span<const Incident> incidents);

}  // namespace z0
