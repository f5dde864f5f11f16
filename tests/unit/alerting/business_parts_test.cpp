// Rules about business over a history that is played in parts, as a request does it: the same as in one go.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unit/alerting/business_played.hpp"
#include "unit/catch.hpp"

namespace {

using nlohmann::json;
using namespace z0::made;

constexpr std::int64_t from = moment_of(3, 1, 0);
constexpr std::int64_t to = moment_of(4, 3, 0);
constexpr std::int64_t step_ms = 5 * minute_ms;

// Those that ship, and one that fires at night, in words of the day.
std::vector<z0::Rule> rules() {
  std::vector<z0::Rule> all = business_rules();
  z0::Rule patient = *std::find_if(all.begin(), all.end(), [](const z0::Rule& rule) {
    return rule.business == z0::Business::zero_invocations;
  });
  patient.name = "Patient";
  patient.for_ms = 9 * hour_ms;
  all.push_back(patient);
  return all;
}

// A stop, charges that stop, bursts, days off, a tenant that comes new and one that closes; in the order of
// time.
std::vector<z0::HistoryFact> eventful() {
  std::vector<TenantPlan> plans = {store("stops", moment_of(3, 3, 11)),
                                   store("unpaid", INT64_MAX, moment_of(3, 4, 10)),
                                   store("bursts"),
                                   store("off"),
                                   store("new"),
                                   store("closes"),
                                   store("back")};
  plans[2].burst = 5;
  plans[2].busiest = 40;
  plans[3].days_off = {9, 15, 22, 23};
  plans[4].invoked = [](std::int64_t at_ms) { return at_ms < moment_of(3, 2, 13) ? 0.0 : 1.0; };
  plans[5].days_off = {23};
  // Pauses, after which charges are due again and come late.
  const auto pauses = [](std::int64_t at_ms) {
    return at_ms >= moment_of(3, 2, 10) && at_ms < moment_of(3, 2, 12) + 20 * minute_ms;
  };
  plans[6].invoked = [pauses](std::int64_t at_ms) { return pauses(at_ms) ? 0.0 : 1.0; };
  plans[6].paid = [](std::int64_t at_ms) {
    return at_ms >= moment_of(3, 2, 10) && at_ms < moment_of(3, 2, 15) ? 0.0 : 0.4;
  };
  std::vector<z0::HistoryFact> all;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const auto facts = facts_of(plans[i], 7 * (i + 1), to, 5);
    all.insert(all.end(), facts.begin(), facts.end());
  }
  z0::HistoryFact end;
  end.at_ms = moment_of(3, 4, 14) + 7;
  end.type = "lifecycle";
  end.subtype = "retired";
  end.tenant_id = "closes";
  end.entity_id = "acct_closes";
  std::erase_if(all, [&end](const z0::HistoryFact& fact) {
    return fact.tenant_id == end.tenant_id && fact.at_ms > end.at_ms;
  });
  all.push_back(end);
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.at_ms < b.at_ms; });
  return all;
}

std::string in_one_go(const std::vector<z0::HistoryFact>& all) {
  z0::BusinessHistory facts;
  for (const z0::HistoryFact& fact : all) facts.add(fact);
  z0::Backtest backtest(rules(), step_ms);
  z0::BusinessPlay play(facts, backtest, from, to);
  for (std::int64_t now = from + step_ms; now <= to; now += step_ms) play.tick(now);
  return z0::backtest_json(backtest, from, to, {});
}

// What is put away between two parts.
struct Kept {
  std::string facts, outcome, watch;

  template <class T>
  static void take(T& into, const std::string& bytes) {
    z0::ByteReader in(bytes);
    REQUIRE((bytes.empty() || (into.decode(in) && in.done())));
  }
};

// In parts of so many steps, each of which has the facts of its own time alone.
template <class Steps>
std::string in_parts(const std::vector<z0::HistoryFact>& all, Steps steps) {
  Kept kept;
  std::size_t next = 0;
  for (std::int64_t at = from - 28 * day_ms; at < to;) {
    const std::int64_t border = at < from ? from : to;
    const std::int64_t until = std::min(border, at + steps() * step_ms);
    z0::BusinessHistory facts;
    Kept::take(facts, kept.facts);
    for (; next < all.size() && all[next].at_ms < until; ++next) facts.add(all[next]);
    z0::Backtest backtest(rules(), step_ms);
    Kept::take(backtest, kept.outcome);
    z0::BusinessPlay play(facts, backtest, from, to);
    Kept::take(play, kept.watch);
    if (at < from) play.learn(until);
    for (std::int64_t now = at + step_ms; at >= from && now <= until; now += step_ms)
      play.tick(now);
    if (until == to) return z0::backtest_json(backtest, from, to, {});
    kept = {};
    z0::ByteWriter facts_out(kept.facts);
    // Of seven tenants some 75 minutes, however long a part is.
    CHECK(facts.encode(play.needs_from_ms(), facts_out) <= 7 * 2 * 90);
    z0::ByteWriter outcome_out(kept.outcome);
    backtest.encode(outcome_out);
    z0::ByteWriter watch_out(kept.watch);
    play.encode(watch_out);
    at = until;
  }
  return {};
}

}  // namespace

TEST_CASE("A play that is cut anywhere says what one in one go says", "[business]") {
  const std::vector<z0::HistoryFact> all = eventful();
  const std::string whole = in_one_go(all);
  const json outcome = json::parse(whole);
  INFO(outcome.dump(1));
  for (const char* const name : {"ZeroInvocations", "NoCharges", "Patient"}) {
    const auto fired = [name](const json& one) {
      return one.at("rule") == name && one.contains("why");
    };
    const json& firings = outcome.at("firings");
    CHECK(std::any_of(firings.begin(), firings.end(), fired));
  }
  CHECK(in_parts(all, [] { return 12; }) == whole);
  CHECK(in_parts(all, [] { return 288; }) == whole);
  constexpr std::uint64_t seeds = z0::test::sanitized ? 1 : 3;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Random random{seed};
    CHECK(in_parts(all, [&random] {
            return 1 + static_cast<std::int64_t>(random.unit() * random.unit() * 90);
          }) == whole);
  }
}

TEST_CASE("A watch that is put away says no word of what it does not know", "[business]") {
  z0::BusinessHistory nothing;
  z0::Backtest backtest(rules(), step_ms);
  z0::BusinessPlay play(nothing, backtest, from, to);
  std::string bytes;
  z0::ByteWriter out(bytes);
  play.encode(out);
  z0::BusinessPlay again(nothing, backtest, from, to);
  z0::ByteReader in(bytes);
  CHECK(again.decode(in));
  CHECK(again.needs_from_ms() == 0);
  bytes.back() = static_cast<char>(0x80);
  z0::ByteReader broken(bytes);
  z0::BusinessPlay other(nothing, backtest, from, to);
  CHECK_FALSE(other.decode(broken));
}
