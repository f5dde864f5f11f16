// What a baseline says of spikes, shifts, spreads and silences, and what it does not say.
#include "z0/alerts/baseline.hpp"

#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <type_traits>
#include <vector>

#include "unit/alerts/baseline_made.hpp"
#include "unit/catch.hpp"

namespace {

using namespace z0::made;
using z0::Baseline;
using z0::Reading;

constexpr double peak = 200;
constexpr int weeks_before = 6;
// A Tuesday, 11:00.
constexpr std::int64_t then_ms = monday_ms + (weeks_before * 7 + 1) * day_ms + 11 * hour_ms;

// Given a value, the hours since then, and what was to be expected.
using Change = std::function<double(double value, std::int64_t hours, double expected)>;

// The most unusual hour in the day after something changes, in a business that had gone on for weeks.
Reading worst_after(const Change& change, double noise = 1) {
  Random random{11};
  Baseline baseline;
  Reading worst;
  for (std::int64_t at = monday_ms; at < then_ms + day_ms; at += hour_ms) {
    const double expected = peak * Hours().busy(at);
    double value = expected + noise * (random.poisson(expected) - expected);
    if (at >= then_ms) value = change(value, (at - then_ms) / hour_ms, expected);
    const Reading reading = baseline.add(at, value);
    if (at >= then_ms && reading.score > worst.score) worst = reading;
  }
  return worst;
}

std::vector<double> steady(int points) {
  Random random{5};
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(points));
  for (int i = 0; i < points; ++i) values.push_back(100 + 10 * random.normal());
  return values;
}

// Scores of a point a minute.
std::vector<Reading> readings_of(const std::vector<double>& values) {
  Baseline baseline;
  std::vector<Reading> readings;
  for (std::size_t i = 0; i < values.size(); ++i)
    readings.push_back(baseline.add(static_cast<std::int64_t>(i) * minute_ms, values[i]));
  return readings;
}

}  // namespace

TEST_CASE("A business that goes on as ever has nothing unusual about it", "[alerts]") {
  const auto as_ever = [](double value, std::int64_t, double) { return value; };
  CHECK(worst_after(as_ever).score < 0.4);
}

TEST_CASE("A spike is told of at once, with the hour that it is unusual for", "[alerts]") {
  const Reading spike = worst_after(
      [](double value, std::int64_t hours, double) { return hours == 0 ? 600 : value; });
  CHECK(spike.score >= z0::anomaly_alert_score);
  CHECK(spike.settled);
  CHECK(spike.above);
  CHECK(spike.unusual == z0::Unusual::time_of_week);
  CHECK(spike.deviations > 10);
  const std::string words = words_of(spike);
  INFO(words);
  CHECK(words.find(" deviations over the usual Tuesday 11:00: 600 for ") != std::string::npos);
}

TEST_CASE("What is unusual is said in numbers as people write them", "[alerts]") {
  Reading reading;
  reading.unusual = z0::Unusual::level;
  reading.above = true;
  reading.points = 1;
  reading.deviations = 412;
  reading.seen = 1'234'567;
  reading.usual = 0.0123456;
  CHECK(words_of(reading) == "410 deviations over the usual level: 1235000 for 0.01235");
}

TEST_CASE("An hour of the day that is missing is told of, though nights are as low", "[alerts]") {
  const Reading silence = worst_after([](double, std::int64_t, double) { return 0; });
  CHECK(silence.score >= z0::anomaly_alert_score);
  CHECK_FALSE(silence.above);
  CHECK(words_of(silence).find("under the usual Tuesday 1") != std::string::npos);
}

TEST_CASE("A shift of the level is told of, upwards and downwards", "[alerts]") {
  const Reading doubled = worst_after([](double value, std::int64_t, double) { return 2 * value; });
  CHECK(doubled.score >= z0::anomaly_alert_score);
  CHECK(doubled.above);
  const Reading third = worst_after([](double value, std::int64_t, double) { return value / 3; });
  CHECK(third.score >= 0.5);
  CHECK_FALSE(third.above);
}

TEST_CASE("A business that no longer has a night is told of", "[alerts]") {
  const Reading flat = worst_after([](double, std::int64_t, double) { return 180; });
  CHECK(flat.score >= z0::anomaly_alert_score);
}

TEST_CASE("A change of the spread is told of", "[alerts]") {
  auto values = steady(1000);
  for (std::size_t i = 800; i < values.size(); ++i) values[i] = 100 + 6 * (values[i] - 100);
  double before = 0, after = 0;
  const auto readings = readings_of(values);
  for (std::size_t i = 400; i < readings.size(); ++i)
    (i < 800 ? before : after) = std::max(i < 800 ? before : after, readings[i].score);
  CHECK(before < 0.4);
  CHECK(after >= z0::anomaly_alert_score);
}

TEST_CASE("Restlessness within the usual range is told of as movement", "[alerts]") {
  // Up and down between 20 and 180 in 160 points; then in two.
  std::vector<double> values;
  values.reserve(980);
  for (int i = 0; i < 960; ++i) values.push_back(20 + 2 * std::abs(i % 160 - 80));
  for (int i = 0; i < 20; ++i) values.push_back(i % 2 == 0 ? 60 : 140);
  const Reading restless = readings_of(values)[960];
  CHECK(restless.score >= 0.3);
  CHECK(restless.unusual == z0::Unusual::movement);
  CHECK(restless.above);
  INFO(words_of(restless));
  CHECK(words_of(restless) == "a step of 118, usual are 2.23");
}

TEST_CASE("A line that goes flat at its usual level is told of", "[alerts]") {
  auto values = steady(1000);
  for (std::size_t i = 800; i < values.size(); ++i) values[i] = 100;
  const auto readings = readings_of(values);
  Reading flat;
  for (std::size_t i = 800; i < readings.size(); ++i)
    if (readings[i].score > flat.score) flat = readings[i];
  CHECK(flat.score >= 0.3);
  CHECK(flat.unusual == z0::Unusual::movement);
  CHECK_FALSE(flat.above);
  INFO(words_of(flat));
  CHECK(words_of(flat).find(" movement over the last ") != std::string::npos);
}

TEST_CASE("Nothing is said of a cold start, whatever comes", "[alerts]") {
  Baseline baseline;
  Random random{3};
  for (std::uint32_t i = 0; i < Baseline::cold_points; ++i) {
    const Reading reading = baseline.add(i * hour_ms, i % 7 == 0 ? 1e9 * random.unit() : 1);
    CHECK(reading.score == 0);
    CHECK_FALSE(reading.settled);
  }
}

TEST_CASE("A series is settled after two weeks, and no sooner because a clock jumps", "[alerts]") {
  Baseline baseline;
  std::int64_t at = monday_ms;
  for (; at <= monday_ms + 6 * day_ms; at += hour_ms) CHECK_FALSE(baseline.add(at, 5).settled);
  CHECK_FALSE(baseline.add(at + 3'650 * day_ms, 5).settled);
  Baseline steady_clock;
  for (at = monday_ms; at <= monday_ms + 14 * day_ms; at += hour_ms) steady_clock.add(at, 5);
  CHECK(steady_clock.add(at, 5).settled);
}

TEST_CASE("Weekends are usual once they were seen, and a busy one is not", "[alerts]") {
  Baseline baseline;
  Random random{23};
  double weekends = 0;
  std::int64_t at = monday_ms;
  for (; at < monday_ms + 59 * day_ms; at += hour_ms) {
    const Reading reading = baseline.add(at, random.poisson(peak * Hours().busy(at)));
    const bool weekend = (at - monday_ms) / day_ms % 7 >= 5;
    if (reading.settled && weekend && at > monday_ms + 21 * day_ms)
      weekends = std::max(weekends, reading.score);
  }
  CHECK(weekends < 0.4);
  // The ninth Thursday and Friday go by; on Saturday it is as busy as on a Tuesday.
  double saturday = 0;
  for (; at < monday_ms + 62 * day_ms; at += hour_ms) {
    const bool weekend = (at - monday_ms) / day_ms % 7 >= 5;
    const double expected = peak * (weekend ? Hours().busy(at - 4 * day_ms) : Hours().busy(at));
    const Reading reading = baseline.add(at, random.poisson(expected));
    if (weekend) saturday = std::max(saturday, reading.score);
  }
  CHECK(saturday >= z0::anomaly_alert_score);
}

TEST_CASE("A long anomaly is one alarm, not many", "[alerts]") {
  auto values = steady(1000);
  for (std::size_t i = 800; i < 900; ++i) values[i] += 300;
  const auto readings = readings_of(values);
  int alarms = 0;
  for (std::size_t i = 800; i < 900; ++i)
    alarms += readings[i].score >= z0::anomaly_alert_score ? 1 : 0;
  CHECK(readings[800].score >= z0::anomaly_alert_score);
  CHECK(alarms <= 3);
}

TEST_CASE("What is no number changes nothing that is known", "[alerts]") {
  Baseline baseline;
  for (int i = 0; i < 100; ++i) baseline.add(i * hour_ms, i % 10);
  std::string before, after;
  baseline.store(before);
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()})
    CHECK(baseline.add(100 * hour_ms, value) == Reading());
  CHECK(baseline.add(std::numeric_limits<std::int64_t>::max(), 1) == Reading());
  CHECK(baseline.add(std::numeric_limits<std::int64_t>::min(), 1) == Reading());
  baseline.store(after);
  CHECK(before == after);
}

TEST_CASE("The largest numbers there are leave finite scores", "[alerts]") {
  Baseline baseline;
  const double largest = std::numeric_limits<double>::max();
  for (int i = 0; i < 1000; ++i) {
    const double value = i % 3 == 0 ? largest : i % 3 == 1 ? -largest : 1e-300;
    const Reading reading = baseline.add(i * minute_ms, value);
    REQUIRE(reading.score >= 0);
    REQUIRE(reading.score <= 1);
  }
  std::string bytes;
  baseline.store(bytes);
  CHECK(Baseline().restore(bytes));
}

TEST_CASE("Late points are ignored until the clock was set back", "[alerts]") {
  Baseline baseline;
  for (int i = 0; i < 200; ++i) baseline.add(monday_ms + i * hour_ms, i % 10);
  for (int late = 0; late < 7; ++late) CHECK(baseline.add(monday_ms, 1e6).score == 0);
  CHECK(baseline.add(monday_ms, 1e6).score > 0.5);
}

TEST_CASE("A baseline that was stored goes on with the same bits", "[alerts]") {
  Random random{77};
  Baseline kept;
  std::string bytes;
  kept.store(bytes);
  CHECK(bytes.size() == Baseline::stored_bytes);
  for (std::int64_t i = 0; i < 2000; ++i) {
    const std::int64_t at = monday_ms + i * hour_ms + static_cast<std::int64_t>(random.next() % 99);
    const double value = random.poisson(peak * Hours().busy(at)) * (i % 500 == 499 ? 5 : 1);
    Baseline restored;
    REQUIRE(restored.restore(bytes));
    const Reading reading = kept.add(at, value);
    REQUIRE(restored.add(at, value) == reading);
    std::string again;
    restored.store(again);
    bytes.clear();
    kept.store(bytes);
    REQUIRE(again == bytes);
  }
}

TEST_CASE("Bytes that are no baseline are refused, and change nothing", "[alerts]") {
  Baseline baseline;
  for (int i = 0; i < 100; ++i) baseline.add(i * hour_ms, i);
  std::string bytes;
  baseline.store(bytes);
  const auto refused = [&](const std::string& wrong) {
    std::string after;
    const bool taken = baseline.restore(wrong);
    baseline.store(after);
    return !taken && after == bytes;
  };
  CHECK(refused(""));
  CHECK(refused(bytes.substr(1)));
  CHECK(refused(bytes + '\0'));
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{16}, std::size_t{20}, std::size_t{24}, std::size_t{32}}) {
    std::string wrong = bytes;
    wrong.replace(at, at == 0 ? 1 : 4, at == 0 ? 1 : 4, '\xff');
    INFO(at);
    CHECK(refused(wrong));
  }
}

// Nothing that is on the heap, so that no point can ever need more.
static_assert(std::is_trivially_copyable_v<Baseline>);
static_assert(sizeof(Baseline) <= 2'500);

// The same test runs as WebAssembly (tests/wasm/core_tests.js): only what IEEE 754 defines is computed.
TEST_CASE("The scores of a series are the same bits on every machine", "[alerts]") {
  Random random{4};
  Baseline baseline;
  std::uint64_t digest = 14'695'981'039'346'656'037u;
  for (std::int64_t i = 0; i < 3000; ++i) {
    const std::int64_t at = monday_ms + i * hour_ms;
    const double value = 50 * Hours().busy(at) * (1 + random.unit()) + (i % 700 == 699 ? 300 : 0);
    const Reading reading = baseline.add(at, value);
    for (const double number : {reading.score, reading.seen, reading.usual, reading.deviations}) {
      std::uint64_t bits;
      std::memcpy(&bits, &number, sizeof bits);
      digest = (digest ^ bits) * 1'099'511'628'211u;
    }
  }
  CHECK(digest == 0x8aa1715f2326eb3c);
}
