// When a silence is chance and when it is not, for streams that are made.
#include "z0/alerts/cadence.hpp"

#include <cmath>
#include <string>

#include "unit/alerts/baseline_made.hpp"
#include "unit/catch.hpp"
#include "z0/alerts/takings.hpp"

namespace {

using namespace z0::made;
using z0::Cadence;
using z0::Lull;

constexpr std::int64_t first_hour = monday_ms / hour_ms;

// Events of which so many are to be expected an hour, as the minutes that brought any.
std::uint64_t minutes_of(Random& random, double an_hour) {
  std::uint64_t minutes = 0;
  for (int i = 0; i < 60; ++i)
    if (random.poisson(an_hour / 60) > 0) minutes |= std::uint64_t{1} << i;
  return minutes;
}

// So many weeks of a business that is open as Hours say.
Cadence after(std::int64_t weeks, double an_hour, const Hours& hours = {}, std::uint64_t seed = 1) {
  Cadence cadence;
  Random random{seed};
  for (std::int64_t i = 0; i < weeks * 168; ++i)
    cadence.learn(first_hour + i,
                  minutes_of(random, an_hour * hours.busy((first_hour + i) * hour_ms)));
  return cadence;
}

// A moment of the week after those that were learned; day 0 is Monday.
std::int64_t at(std::int64_t weeks, std::int64_t day, std::int64_t hour, std::int64_t minute = 0) {
  return monday_ms + (weeks * 7 + day) * day_ms + hour * hour_ms + minute * minute_ms;
}

Hours open_day_and_night() {
  Hours hours;
  hours.night = hours.weekend = 1;
  return hours;
}

}  // namespace

TEST_CASE("A quarter of an hour of silence is no chance where every minute is busy", "[cadence]") {
  const Cadence cadence = after(4, 600);
  const Lull lull = cadence.lull(at(4, 0, 11), at(4, 0, 11, 16));
  CHECK(lull.due);
  CHECK(lull.minutes == 15);
  CHECK(lull.expected > 14);
  CHECK(lull.chance < 1e-12);
}

TEST_CASE("Of five events an hour it takes hours until a silence is no chance", "[cadence]") {
  const Cadence cadence = after(4, 5, open_day_and_night());
  const std::int64_t last = at(4, 0, 8);
  CHECK(cadence.lull(last, last + 16 * minute_ms).chance > 0.1);
  CHECK(cadence.lull(last, last + hour_ms).chance > z0::silence_chance_max);
  CHECK(cadence.lull(last, last + 4 * hour_ms).chance < z0::silence_chance_max);
}

TEST_CASE("Nights and weekends are not due, and count for little in a silence", "[cadence]") {
  Hours closed;
  closed.night = closed.weekend = 0;
  const Cadence sleeper = after(4, 300, closed);
  CHECK_FALSE(sleeper.lull(at(4, 0, 18), at(4, 1, 3)).due);
  CHECK_FALSE(sleeper.lull(at(4, 5, 12), at(4, 6, 12)).due);
  CHECK(sleeper.lull(at(4, 1, 7, 59), at(4, 1, 9)).due);
  // From Friday evening until Monday morning nothing was due.
  CHECK(sleeper.lull(at(4, 4, 17, 59), at(5, 0, 8)).chance > 0.1);
  CHECK(sleeper.lull(at(4, 4, 17, 59), at(5, 0, 8, 20)).chance < z0::silence_chance_max);
}

TEST_CASE("The chance of a silence is about as often as it happens", "[cadence]") {
  // Pauses of a stream whose events are independent, each measured before it is learned.
  Random random{7};
  Cadence cadence = after(6, 6, open_day_and_night(), 5);
  std::int64_t last = at(6, 0, 0);
  int pauses = 0;
  int below_tenth = 0;
  int below_hundredth = 0;
  for (std::int64_t hour = first_hour + 6 * 168; hour < first_hour + 40 * 168; ++hour) {
    const std::uint64_t minutes = minutes_of(random, 6);
    for (int i = 0; i < 60; ++i) {
      if ((minutes >> i & 1) == 0) continue;
      const std::int64_t now = hour * hour_ms + i * minute_ms;
      if (now > last) {
        const double chance = cadence.lull(last, now).chance;
        ++pauses;
        below_tenth += chance < 0.1 ? 1 : 0;
        below_hundredth += chance < 0.01 ? 1 : 0;
      }
      last = now;
    }
    cadence.learn(hour, minutes);
  }
  INFO(pauses << " pauses, " << below_tenth << " below 0.1, " << below_hundredth << " below 0.01");
  CHECK(pauses > 20'000);
  // Its scale errs towards chance, by a fifth at most here.
  CHECK(below_tenth < 0.11 * pauses);
  CHECK(below_tenth > 0.05 * pauses);
  CHECK(below_hundredth < 0.012 * pauses);
  CHECK(below_hundredth > 0.002 * pauses);
}

TEST_CASE("Who comes in bursts is given longer pauses", "[cadence]") {
  Random random{3};
  Cadence even;
  Cadence bursts;
  for (std::int64_t i = 0; i < 4 * 168; ++i) {
    even.learn(first_hour + i, minutes_of(random, 12));
    // As many minutes, all of them in one hour of three.
    bursts.learn(first_hour + i, random.unit() < 1.0 / 3 ? minutes_of(random, 36) : 0);
  }
  const std::int64_t last = at(4, 2, 12);
  CHECK(even.lull(last, last + 2 * hour_ms).chance < 1e-6);
  CHECK(bursts.lull(last, last + 2 * hour_ms).chance > 1e-3);
}

TEST_CASE("An hour that was quiet at the end of yesterday is not due today", "[cadence]") {
  Hours hours;
  hours.night = 0;
  Cadence cadence = after(4, 600, hours);
  Random random{9};
  const double before = cadence.lull(at(4, 1, 17), at(4, 1, 17, 50)).chance;
  CHECK(before < z0::silence_chance_max);
  // Clocks are changed: on Monday business ends an hour earlier.
  for (std::int64_t i = 0; i < 24; ++i) {
    const std::int64_t hour = first_hour + 4 * 168 + i;
    cadence.learn(hour, i >= 7 && i < 17 ? minutes_of(random, 600) : 0);
  }
  CHECK(cadence.lull(at(4, 1, 17), at(4, 1, 17, 50)).chance > z0::silence_chance_max);
  CHECK(cadence.lull(at(4, 1, 12), at(4, 1, 12, 20)).chance < z0::silence_chance_max);
}

TEST_CASE("A day has begun when a fifth of what is usual came", "[cadence]") {
  Hours hours;
  hours.night = 0;
  Cadence cadence = after(4, 600, hours);
  const std::int64_t tuesday = (at(4, 1, 0)) / hour_ms;
  for (std::int64_t i = 0; i < 24; ++i)
    cadence.learn(tuesday - 24 + i, i >= 8 && i < 18 ? ~0ull : 0);
  for (std::int64_t i = 0; i <= 9; ++i) cadence.see(tuesday + i, i == 9 ? 3 : 0);
  const z0::Day quiet = cadence.day(at(4, 1, 9, 30));
  CHECK(quiet.rested);
  CHECK(quiet.came == 2);
  CHECK(quiet.usual > 85);
  CHECK(quiet.minutes == 90);
  CHECK_FALSE(quiet.begun());
  cadence.see(tuesday + 8, (1u << 25) - 1);
  CHECK(cadence.day(at(4, 1, 9, 30)).begun());
}

TEST_CASE("What is stored goes on as it was", "[cadence]") {
  Cadence cadence = after(3, 20);
  std::string bytes;
  cadence.store(bytes);
  CHECK(bytes.size() == Cadence::stored_bytes);
  Cadence again;
  REQUIRE(again.restore(bytes));
  Random random{4};
  for (std::int64_t i = 0; i < 100; ++i) {
    const std::uint64_t minutes = minutes_of(random, 20);
    cadence.learn(first_hour + 3 * 168 + i, minutes);
    again.learn(first_hour + 3 * 168 + i, minutes);
  }
  std::string one;
  std::string other;
  cadence.store(one);
  again.store(other);
  CHECK(one == other);
  CHECK_FALSE(again.restore(bytes.substr(1)));
  bytes[0] = 9;
  CHECK_FALSE(again.restore(bytes));
}

TEST_CASE("Hours that come again, and those that nobody looked at, teach nothing", "[cadence]") {
  Cadence cadence = after(2, 60);
  std::string before;
  cadence.store(before);
  cadence.learn(first_hour + 3, ~0ull);
  std::string after_it;
  cadence.store(after_it);
  CHECK(before == after_it);
  // Ten days later: the pause between is not one that something ended.
  cadence.learn(first_hour + 2 * 168 + 240, 1);
  const std::int64_t last = at(2, 10, 0);
  CHECK(cadence.lull(last, last + 9 * hour_ms).chance < z0::silence_chance_max);
}

TEST_CASE("Revenue is far short where it is less than half and less than it ever was",
          "[cadence]") {
  z0::Takings takings;
  Random random{11};
  const auto hour_of = [&](double share) { return share * 10'000 * (0.6 + 0.8 * random.unit()); };
  std::int64_t hour = first_hour;
  for (; hour < first_hour + 4 * 168; ++hour) {
    takings.learn(hour, hour_of(1), true);
    CHECK_FALSE(takings.shortfall(3).far_short);
  }
  CHECK(std::abs(takings.usual(hour * hour_ms, (hour + 2) * hour_ms) - 20'000) < 4'000);
  SECTION("a third") {
    for (int i = 0; i < 3; ++i) takings.learn(hour++, hour_of(0.3), true);
    CHECK(takings.shortfall(3).far_short);
    CHECK(takings.shortfall(3).share < 0.45);
    CHECK(takings.taken_since((hour - 3) * hour_ms) < 13'000);
  }
  SECTION("three quarters") {
    for (int i = 0; i < 6; ++i) {
      takings.learn(hour++, hour_of(0.75), true);
      CHECK_FALSE(takings.shortfall(3).far_short);
    }
  }
  SECTION("a charge of a thousand times as much moves the usual by five times at most") {
    const double usual = takings.usual(hour * hour_ms, (hour + 1) * hour_ms);
    takings.learn(hour, 1e7, true);
    CHECK(takings.usual(hour * hour_ms, (hour + 1) * hour_ms) < 3 * usual);
    CHECK(takings.taken_since(hour * hour_ms) == 1e7);
  }
  SECTION("stored and read again") {
    std::string bytes;
    takings.store(bytes);
    CHECK(bytes.size() == z0::Takings::stored_bytes);
    z0::Takings again;
    REQUIRE(again.restore(bytes));
    for (int i = 0; i < 3; ++i, ++hour) {
      takings.learn(hour, 3'000, true);
      again.learn(hour, 3'000, true);
    }
    CHECK(takings.shortfall(3).share == again.shortfall(3).share);
    CHECK(again.shortfall(3).far_short);
    CHECK_FALSE(again.restore(bytes.substr(2)));
  }
}

TEST_CASE("What an outage costs is measured by what was usual before it", "[business]") {
  z0::Takings takings;
  // Of nobody yet nothing is usual, and there is no hour before 1970.
  CHECK(takings.shortfall(48).usual == 0);
  std::int64_t hour = first_hour;
  for (; hour < first_hour + 4 * 168; ++hour) takings.learn(hour, 100, true);
  const std::int64_t began_ms = hour * hour_ms;
  for (; hour < first_hour + 4 * 168 + 5; ++hour) takings.learn(hour, 0, true);
  CHECK(std::abs(takings.usual(began_ms, hour * hour_ms) - 500) < 1);
  CHECK(takings.taken_since(began_ms) == 0);
  // Hours to come are learned as ever.
  CHECK(std::abs(takings.usual(hour * hour_ms, (hour + 1) * hour_ms) - 100) < 1);
  CHECK(takings.usual(began_ms + 168 * hour_ms, (hour + 168) * hour_ms) < 400);
}
