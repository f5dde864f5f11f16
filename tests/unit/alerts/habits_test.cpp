// Rules about anomalies: what they learn, what they forget, and how often they are wrong in a year in which
// nothing happens.
#include "z0/alerts/habits.hpp"

#include <array>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "unit/alerts/baseline_made.hpp"
#include "unit/catch.hpp"
#include "z0/alerts/evaluator.hpp"
#include "z0/alerts/playback.hpp"
#include "z0/base/limits.hpp"
#include "z0/metrics/histogram.hpp"

namespace {

using namespace z0::made;
using z0::Evaluator;
using z0::Metric;

std::vector<z0::Rule> read(const std::string& settings) {
  std::vector<z0::Rule> rules;
  z0::RuleError error;
  const bool good = z0::read_rules(settings, rules, error);
  INFO(error.where << ": " << error.why);
  REQUIRE(good);
  return rules;
}

std::vector<z0::Rule> count_rule() {
  return read(R"({"rules": [{"name": "R", "signal": {"anomaly": {"of": "z0_facts_written_total"}},
    "above": 0.65, "window": "1h", "by": ["tenant_id"], "severity": "warning", "runbook": "r", "owner": "o",
    "summary": "s"}]})");
}

constexpr std::array<std::string_view, 3> of_charges = {"charge", "", ""};

// An hour of so many facts of a tenant, and its end.
void hour(Evaluator& evaluator, std::string_view tenant_id, std::uint64_t facts,
          std::int64_t end_ms) {
  std::vector<Evaluator::Target> targets;
  evaluator.targets(Metric::facts_written, tenant_id, of_charges, targets);
  REQUIRE(targets.size() == 1);
  evaluator.add(targets[0], facts, 0);
  evaluator.tick(end_ms);
  evaluator.take_out(targets[0], facts, 0);
}

bool fires(Evaluator& evaluator) {
  for (const Evaluator::Alert& alert : evaluator.alerts())
    if (alert.state->phase == z0::AlertPhase::firing) return true;
  return false;
}

std::int64_t weeks(Evaluator& evaluator, int count) {
  std::int64_t at = monday_ms;
  for (; at < monday_ms + count * 7 * day_ms; at += hour_ms)
    hour(evaluator, "north", 1'000 + static_cast<std::uint64_t>(at / hour_ms * 7919 % 50), at);
  return at;
}

std::string rows(Evaluator& evaluator) {
  std::string all;
  z0::ByteWriter out(all);
  for (std::size_t chunk = 0; chunk < evaluator.habit_chunks(); ++chunk)
    evaluator.encode_habits(chunk, out);
  return all;
}

// A tenant's ordinary hours.
class Quiet {
 public:
  Quiet(z0::Playback& to, int number) : random_{static_cast<std::uint64_t>(number) + 1} {
    events_an_hour_ = 5 * std::exp(6 * random_.unit());
    hours_.open = 7 + static_cast<std::int64_t>(4 * random_.unit());
    hours_.close = 16 + static_cast<std::int64_t>(5 * random_.unit());
    hours_.weekend = random_.unit() < 0.3 ? 0.7 : 0.1;
    const std::string tenant_id = "tenant_" + std::to_string(number);
    for (const std::string_view type : types_) {
      const std::array<std::string_view, 3> labels = {type, "", ""};
      written_.push_back(to.series(Metric::facts_written, tenant_id, labels));
    }
    const std::array<std::string_view, 2> failure = {"charge", "timeout"};
    failed_ = to.series(Metric::facts_write_failures, tenant_id, failure);
    const std::array<std::string_view, 1> charge = {"charge"};
    took_ = to.series(Metric::facts_write_duration, tenant_id, charge);
    lag_ = to.series(Metric::replication_lag_distribution, tenant_id, {});
  }

  void hour(std::int64_t at, std::vector<z0::Playback::Rise>& rises) {
    const double busy = hours_.busy(at);
    double facts = 0;
    for (std::size_t i = 0; i < types_.size(); ++i) {
      const double count = random_.poisson(events_an_hour_ * busy / static_cast<double>(1 + i));
      rise(written_[i], 0, at, count, rises);
      facts += count;
    }
    rise(failed_, 0, at, random_.poisson(0.01 * facts), rises);
    const double slowest = 120 * (1 + 0.15 * busy) * (1 + 0.15 * random_.normal());
    observe(took_, at, facts, slowest, rises);
    const double stall = random_.unit() < 0.02 ? 1500 * random_.unit() : 0;
    observe(lag_, at, facts, 500 + 200 * random_.unit() + stall, rises);
  }

 private:
  static std::uint32_t bucket_of(double value) {
    return static_cast<std::uint32_t>(
        z0::Histogram::bucket_of(static_cast<std::int64_t>(std::ceil(value))));
  }
  static void rise(std::uint32_t series, std::uint32_t bucket, std::int64_t at, double count,
                   std::vector<z0::Playback::Rise>& rises) {
    if (count >= 1) rises.push_back({series, bucket, at, static_cast<std::uint64_t>(count)});
  }
  static void observe(std::uint32_t series, std::int64_t at, double count, double slowest,
                      std::vector<z0::Playback::Rise>& rises) {
    const double slow = std::floor(count / 50) + 1;
    rise(series, bucket_of(20), at, count - slow, rises);
    if (count >= 1) rise(series, bucket_of(std::max(1.0, slowest)), at, slow, rises);
  }

  Random random_;
  Hours hours_;
  double events_an_hour_;
  std::array<std::string_view, 6> types_ = {"invocation", "outcome", "charge",
                                            "cost",       "payout",  "routing_decision"};
  std::vector<std::uint32_t> written_;
  std::uint32_t failed_ = 0, took_ = 0, lag_ = 0;
};

}  // namespace

TEST_CASE("What is far from usual fires, with a reason, for the hour in which it was", "[alerts]") {
  Evaluator evaluator(count_rule());
  const std::int64_t now = weeks(evaluator, 3);
  CHECK_FALSE(fires(evaluator));
  hour(evaluator, "north", 0, now);
  REQUIRE(fires(evaluator));
  CHECK(evaluator.alerts()[0].words.find("under the usual") != std::string::npos);
  hour(evaluator, "north", 1'000, now + hour_ms / 2);
  CHECK(fires(evaluator));
  hour(evaluator, "north", 1'000, now + hour_ms);
  CHECK_FALSE(fires(evaluator));
}

TEST_CASE("Nothing is said before two weeks were seen", "[alerts]") {
  Evaluator evaluator(count_rule());
  const std::int64_t now = weeks(evaluator, 1);
  hour(evaluator, "north", 0, now);
  CHECK_FALSE(fires(evaluator));
}

TEST_CASE("What was learned goes on after a restart as if there had been none", "[alerts]") {
  Evaluator evaluator(count_rule());
  std::int64_t now = weeks(evaluator, 3);
  hour(evaluator, "north", 0, now);
  std::string states;
  z0::ByteWriter out(states);
  evaluator.encode_states(out);
  const std::string learned = rows(evaluator);

  Evaluator again(count_rule());
  z0::ByteReader in(states);
  REQUIRE(again.decode_states(in));
  z0::ByteReader habits(learned);
  REQUIRE(again.decode_habits(habits));
  CHECK(rows(again) == learned);
  CHECK(again.alerts()[0].words == evaluator.alerts()[0].words);
  for (const std::uint64_t facts : {1'000U, 1'013U, 0U, 990U}) {
    now += hour_ms;
    hour(evaluator, "north", facts, now);
    hour(again, "north", facts, now);
    CHECK(fires(again) == fires(evaluator));
  }
  CHECK(rows(again) == rows(evaluator));
  z0::ByteReader cut(std::string_view(learned).substr(0, learned.size() / 2));
  CHECK_FALSE(Evaluator(count_rule()).decode_habits(cut));
}

TEST_CASE("Hours that nobody judged were hours without events", "[alerts]") {
  Evaluator rested(count_rule());
  Evaluator awake(count_rule());
  std::int64_t now = weeks(rested, 3);
  weeks(awake, 3);
  for (int i = 0; i < 5; ++i) hour(awake, "north", 0, now + i * hour_ms);
  now += 5 * hour_ms;
  hour(rested, "north", 1'000, now);
  hour(awake, "north", 1'000, now);
  CHECK(rows(rested) == rows(awake));
}

TEST_CASE("There is room for so many baselines, and who was silent for long makes room",
          "[alerts]") {
  Evaluator evaluator(count_rule());
  std::int64_t now = monday_ms;
  std::vector<Evaluator::Target> targets;
  for (std::size_t i = 0; i < z0::limits::habits_max + 3; ++i)
    evaluator.targets(Metric::facts_written, "tenant_" + std::to_string(i), of_charges, targets);
  evaluator.tick(now);
  CHECK(evaluator.left_out() == 3);
  const std::size_t chunks = evaluator.habit_chunks();
  now += z0::Habits::forgotten_ms + 2 * hour_ms;
  hour(evaluator, "late", 10, now);
  CHECK(evaluator.left_out() == 0);
  CHECK(evaluator.habit_chunks() == chunks);
}

TEST_CASE("The rules of level 2 are wrong less than once a tenant and month in a quiet year",
          "[alerts]") {
  std::vector<z0::Rule> rules;
  for (z0::Rule& rule : read(std::string(z0::default_rules_json())))
    if (rule.kind == z0::SignalKind::anomaly) rules.push_back(std::move(rule));
  REQUIRE(rules.size() == 4);
  z0::Playback playback(rules, hour_ms);
  constexpr int tenants = 12;
  std::vector<Quiet> all;
  all.reserve(tenants);
  for (int i = 0; i < tenants; ++i) all.emplace_back(playback, i);
  std::int64_t alarms = 0;
  std::map<std::string, std::int64_t> by_rule;
  std::vector<z0::Playback::Rise> rises;
  constexpr int days = z0::test::sanitized ? 100 : 365;
  for (std::int64_t at = monday_ms; at < monday_ms + days * day_ms; at += hour_ms) {
    rises.clear();
    for (Quiet& tenant : all) tenant.hour(at, rises);
    playback.tick(at + hour_ms, rises);
    for (const Evaluator::Alert& alert : playback.evaluator().alerts()) {
      if (alert.state->phase != z0::AlertPhase::firing || alert.state->fired_at_ms != at + hour_ms)
        continue;
      ++alarms;
      ++by_rule[alert.rule->name];
    }
  }
  for (const auto& [name, count] : by_rule) UNSCOPED_INFO(name << " " << count);
  const double a_tenant_month = static_cast<double>(alarms) / (tenants * 12 * (days - 14) / 365.0);
  UNSCOPED_INFO(a_tenant_month << " alarms a tenant and month");
  // The first months are the worst: least is known then.
  CHECK(a_tenant_month < (z0::test::sanitized ? 2 : 1));
  CHECK(a_tenant_month > 0);
}
