// Tenants under watch: what pages nobody over a year, and how soon a stop is known.
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <string>

#include "unit/alerting/business_made.hpp"
#include "unit/catch.hpp"

namespace {

using namespace z0::made;

// Three kinds of days off: of two countries, and none but its own.
std::set<std::int64_t> days_off(Random& random) {
  std::set<std::int64_t> days;
  while (days.size() < 9) {
    const auto day = static_cast<std::int64_t>(random.unit() * 365);
    if (day % 7 < 5) days.insert(day);
  }
  return days;
}

// A tenant as there may be any: from some events an hour to many, with and without nights and weekends,
// bursts, growth, slow days, clocks that are changed.
TenantPlan any_plan(Random& random, int number) {
  TenantPlan plan;
  plan.id = "t" + std::to_string(number);
  plan.busiest = 5 * std::exp(6 * random.unit());
  plan.open = 7 + static_cast<std::int64_t>(4 * random.unit());
  plan.close = 16 + static_cast<std::int64_t>(5 * random.unit());
  plan.night = random.unit() < 0.4 ? 0 : 0.05 * random.unit();
  plan.weekend = random.unit() < 0.3 ? 0.7 : random.unit() < 0.5 ? 0 : 0.1;
  plan.charged = 0.05 + 0.5 * random.unit();
  plan.slow_days = 0.1 + 0.25 * random.unit();
  plan.burst = random.unit() < 0.3 ? 5 : 1;
  plan.growth = 0.03 * (random.unit() - 0.4);
  plan.heavy = random.unit() < 0.5 ? 1 : 0;
  plan.summer_time = number % 2 == 0;
  if (number >= 10) {  // these never close
    plan.open = 0;
    plan.close = 24;
    plan.weekend = 0.8;
  }
  return plan;
}

void add_twelve(Made& made, std::uint64_t seed) {
  Random random{seed};
  const std::set<std::int64_t> here = days_off(random);
  const std::set<std::int64_t> there = days_off(random);
  for (int i = 0; i < 12; ++i) {
    TenantPlan plan = any_plan(random, i);
    if (i < 10 && i % 3 == 0) plan.days_off = here;
    if (i < 10 && i % 3 == 1) plan.days_off = there;
    // Two weeks in summer that are its own.
    if (i == 5)
      for (std::int64_t day = 200; day < 214; ++day) plan.days_off.insert(day);
    made.add(std::move(plan));
  }
}

// A shop that is open on weekdays, with what stops at a moment.
TenantPlan shop(const std::string& id, double busiest, std::int64_t stops_ms = 0) {
  TenantPlan plan;
  plan.id = id;
  plan.busiest = busiest;
  plan.slow_days = 0.15;
  plan.night = 0;
  if (stops_ms != 0)
    plan.invoked = [stops_ms](std::int64_t at_ms) { return at_ms < stops_ms ? 1 : 0; };
  return plan;
}
constexpr std::int64_t moment(std::int64_t weeks, std::int64_t day, std::int64_t hour) {
  return monday_ms + (weeks * 7 + day) * day_ms + hour * hour_ms;
}

using Rows = std::map<std::pair<std::int64_t, std::string>, std::string>;
// What is in memory is gone, and read from its rows, which bring those before up to date.
Rows restart(Made& made, Rows rows = {}) {
  made.watch.save(1, 2, [&rows](std::int64_t kind, std::string_view id, std::string_view bytes) {
    rows[{kind, std::string(id)}] = bytes;
  });
  z0::BusinessWatch again;
  for (const auto& [key, bytes] : rows) {
    if (key.first == 1)
      REQUIRE(again.load_tenant(key.second, bytes));
    else
      REQUIRE(again.load_state(key.second, bytes));
  }
  made.watch = std::move(again);
  return rows;
}

}  // namespace

TEST_CASE("A quiet year of twelve tenants has less than one page a tenant and month",
          "[business]") {
  Made made(10);
  add_twelve(made, 1);
  constexpr int days = z0::test::sanitized ? 100 : 365;
  made.pass(days * day_ms);
  std::map<std::string, int> by_rule;
  std::map<std::string, int> by_tenant;
  int off = 0;
  for (const Made::Fired& one : made.fired) {
    ++by_rule[one.rule];
    ++by_tenant[one.tenant_id];
    const std::int64_t day = (one.at_ms - monday_ms) / day_ms;
    const auto number = static_cast<std::size_t>(std::stoi(one.tenant_id.substr(1)));
    off += made.tenant(number).plan.days_off.contains(day) ? 1 : 0;
  }
  int most = 0;
  for (const auto& [tenant, count] : by_tenant) most = std::max(most, count);
  const double a_tenant_month = static_cast<double>(made.fired.size()) / (12 * 12 * days / 365.0);
  std::printf("a quiet year of twelve tenants: %.2f alerts a tenant and month", a_tenant_month);
  for (const auto& [rule, count] : by_rule) std::printf(", %s %d", rule.c_str(), count);
  std::printf("; %d on days off; the tenant with most has %d\n", off, most);
  // The first months are the worst: least is known then.
  CHECK(a_tenant_month < (z0::test::sanitized ? 1 : 0.5));
  CHECK(most <= 12);
  // A budget that nothing can use up would say nothing.
  CHECK_FALSE(made.fired.empty());
}

TEST_CASE("A stop in busy hours is known within 20 minutes, and where little comes within hours",
          "[business]") {
  constexpr std::int64_t stops_ms = moment(4, 1, 10);
  const std::pair<double, std::int64_t> rows[] = {
      {2'000, 20}, {600, 20}, {120, 25}, {30, 50}, {8, 240}};
  for (const auto& [busiest, minutes_max] : rows) {
    INFO(busiest << " an hour");
    Made made(10);
    made.add(shop("north", busiest, stops_ms));
    made.add(shop("south", busiest));
    made.pass(stops_ms - monday_ms);
    made.set_step(1);
    const std::int64_t minutes = made.minutes_until("ZeroInvocations", "north", 8 * hour_ms);
    std::printf("%.0f invocations an hour stop: known after %d min\n", busiest,
                static_cast<int>(minutes));
    CHECK(minutes > 15);
    CHECK(minutes <= minutes_max);
    CHECK_FALSE(made.fires("ZeroInvocations", "south"));
  }
}

TEST_CASE("A stop in the night is known in the morning", "[business]") {
  constexpr std::int64_t stops_ms = moment(4, 1, 22);
  SECTION("an hour and a quarter after the others began") {
    Made made(5);
    made.add(shop("north", 300, stops_ms));
    for (const char* const other : {"south", "east", "west"}) made.add(shop(other, 300));
    made.pass(moment(4, 2, 8) - monday_ms);
    const std::int64_t minutes = made.minutes_until("ZeroInvocations", "north", 8 * hour_ms);
    CHECK(minutes > 60);
    CHECK(minutes <= 85);
  }
  SECTION("two hours where there are no others") {
    Made made(5);
    made.add(shop("north", 300, stops_ms));
    made.pass(moment(4, 2, 8) - monday_ms);
    const std::int64_t minutes = made.minutes_until("ZeroInvocations", "north", 8 * hour_ms);
    CHECK(minutes > 100);
    CHECK(minutes <= 135);
  }
}

TEST_CASE("A day off that others have too pages nobody; where all are quiet somebody is told",
          "[business]") {
  Made made(5);
  const std::int64_t day = 4 * 7 + 2;
  const bool all = GENERATE(false, true);
  for (const char* const id : {"a", "b", "c", "d", "e", "f"}) {
    TenantPlan plan = shop(id, 200);
    if (all || *id < 'd') plan.days_off = {day};
    made.add(plan);
  }
  made.pass(day * day_ms);
  made.fired.clear();
  made.pass(day_ms);
  INFO(made.fired.size());
  CHECK(made.fired.empty() == !all);
}

TEST_CASE("What is told of for a day is known by then", "[business]") {
  constexpr std::int64_t stops_ms = moment(4, 1, 10);
  Made made(5);
  made.add(shop("north", 300, stops_ms));
  made.pass(stops_ms + 2 * hour_ms - monday_ms);
  REQUIRE(made.fires("ZeroInvocations", "north"));
  const Rows rows = restart(made);
  // Not at night, but as long as it lasts.
  made.pass(14 * hour_ms);
  CHECK(made.fires("ZeroInvocations", "north"));
  made.pass(12 * hour_ms);
  CHECK_FALSE(made.fires("ZeroInvocations", "north"));
  made.fired.clear();
  restart(made, rows);
  made.pass(6 * day_ms);
  CHECK(made.fired.empty());
}

TEST_CASE("An outage of D1 is no silence, and afterwards all is learned", "[business]") {
  Made made(5);
  made.add(shop("north", 300));
  made.pass(moment(4, 1, 10) - monday_ms);
  made.d1_answers = false;
  made.pass(3 * hour_ms);
  CHECK(made.watch.alerts().empty());
  made.d1_answers = true;
  made.pass(hour_ms);
  CHECK(made.watch.alerts().empty());
  CHECK(made.watch.judged_until_ms() > made.now_ms - 10 * minute_ms);
}

TEST_CASE("Revenue that leaves its course is told of with amounts, and outlives a restart",
          "[business]") {
  constexpr std::int64_t rises_ms = moment(4, 1, 10);
  TenantPlan plan = shop("north", 600);
  plan.paid = [](std::int64_t at_ms) { return at_ms < rises_ms ? 1 : 3; };
  Made made(10);
  made.add(plan);
  made.add(shop("south", 600));
  made.pass(rises_ms - monday_ms);
  const std::int64_t minutes = made.minutes_until("RevenueUnusual", "north", 8 * hour_ms);
  std::printf("revenue that trebles is told of after %d min\n", static_cast<int>(minutes));
  CHECK(minutes > 60);
  CHECK(minutes <= 140);
  CHECK_FALSE(made.fires("RevenueUnusual", "south"));
  const z0::BusinessWatch::Alert* alert = made.alert("RevenueUnusual", "north");
  REQUIRE(alert != nullptr);
  CHECK(alert->seen.starts_with("Revenue an hour, in USD: "));
  CHECK(alert->seen.find("deviations over the usual") != std::string::npos);
  // More than usual costs nothing.
  CHECK_FALSE(alert->money.has_value());

  const std::int64_t fired_ms = alert->state.fired_at_ms;
  restart(made);
  made.pass(10 * minute_ms);
  REQUIRE(made.fires("RevenueUnusual", "north"));
  CHECK(made.alert("RevenueUnusual", "north")->state.fired_at_ms == fired_ms);
}

TEST_CASE("A tenant's own rule about revenue may be stricter, and takes the platform's from nobody",
          "[business]") {
  const auto settings = [](const char* rule, const char* above) {
    return R"({"rules": [{"name": ")" + std::string(rule) +
           R"(", "signal": {"business": "revenue_unusual"}, "above": )" + above +
           R"(, "window": "1h", "severity": "warning", "runbook": "unusual", "owner": "north",)"
           R"( "summary": "s"}]})";
  };
  constexpr std::int64_t rises_ms = moment(4, 1, 10);
  Made made(10);
  made.book = z0::RuleBook({{"alr_early", "north", settings("RevenueMoves", "0.3")},
                            {"alr_late", "south", settings("RevenueUnusual", "0.99")}});
  for (const char* const id : {"north", "south"}) {
    TenantPlan plan = shop(id, 600);
    const double rises_by = *id == 'n' ? 1.35 : 3;
    plan.paid = [rises_by](std::int64_t at_ms) { return at_ms < rises_ms ? 1 : rises_by; };
    made.add(plan);
  }
  made.pass(rises_ms - monday_ms);
  std::set<std::string> fired;
  for (int i = 0; i < 8; ++i) {
    made.pass(30 * minute_ms);
    for (const auto& [key, one] : made.watch.alerts()) {
      if (one.state.phase != z0::AlertPhase::firing) continue;
      const std::string rules_of = one.rules_of.empty() ? "the platform" : one.rules_of;
      fired.insert(one.rule + " of " + rules_of + ", " + one.tenant_id);
    }
  }
  // What north's rule sees is too little for the platform's; south's sees not even what that one does.
  CHECK(fired == std::set<std::string>{"RevenueMoves of north, north",
                                       "RevenueUnusual of the platform, south"});
}

TEST_CASE("Rows bring back what is known, wherever it stops", "[business]") {
  Made made(5);
  made.add(shop("north", 300, moment(3, 1, 11)));
  made.add(shop("south", 40));
  made.pass(moment(3, 1, 11) + 30 * minute_ms - monday_ms);
  REQUIRE(made.fires("ZeroInvocations", "north"));
  const auto* before = made.alert("ZeroInvocations", "north");
  const std::int64_t fired_ms = before->state.fired_at_ms;
  const Rows rows = restart(made);
  made.pass(10 * minute_ms);
  REQUIRE(made.fires("ZeroInvocations", "north"));
  CHECK(made.alert("ZeroInvocations", "north")->state.fired_at_ms == fired_ms);
  CHECK_FALSE(made.fires("ZeroInvocations", "south"));
  z0::BusinessWatch broken;
  for (const auto& [key, bytes] : rows)
    if (key.first == 1) CHECK_FALSE(broken.load_tenant(key.second, bytes.substr(1)));
}
