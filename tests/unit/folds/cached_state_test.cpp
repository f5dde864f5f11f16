#include "z0/folds/cached_state.hpp"

#include <ctime>
#include <limits>
#include <vector>

#include "unit/catch.hpp"
#include "unit/folds/cached_facts.hpp"
#include "z0/base/limits.hpp"
#include "z0/json/json.hpp"

using namespace z0;
using namespace z0::test;

namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t day_ms = 24 * hour_ms;
constexpr std::int64_t most = limits::amount_max;

CachedState folded(const std::vector<OwnedFact>& facts) {
  CachedState state;
  for (const OwnedFact& f : facts) {
    REQUIRE(state.check(f.fact()) == FoldError::none);
    REQUIRE(state.apply(f.fact()) == FoldError::none);
  }
  return state;
}

// The fact is refused with this error, by check and by apply, and nothing changes.
void check_refused(CachedState& state, const OwnedFact& f, FoldError error) {
  const CachedState before = state;
  CHECK(state.check(f.fact()) == error);
  CHECK(state.apply(f.fact()) == error);
  CHECK(equal(state, before));
}

OwnedFact later(OwnedFact f, std::int64_t recorded_at) {
  f.recorded_at = recorded_at;
  return f;
}

}  // namespace

TEST_CASE("Each fact type feeds the cache that the table says, and no other", "[cached_state]") {
  const std::string_view fed_by[] = {"deposit credit_issued charge correction ", "invocation ",
                                     "access_granted access_modified access_revoked ",
                                     "contact_merged "};
  for (const CacheType cache : all_caches) {
    std::string fed;
    std::string moved;
    for (const std::string_view name :
         {"deposit", "credit_issued", "charge", "correction", "invocation", "access_granted",
          "access_modified", "access_revoked", "contact_merged", "outcome", "cost", "payout",
          "lifecycle", "reconciliation", "alert", "custom"}) {
      OwnedFact f = money(7, type_of(name), 5);
      f.user_id = "usr_1";
      f.data = R"({"contact_id":"con_1"})";
      if (feeds(f.type, cache)) fed += std::string(name) + ' ';
      const CachedState state = folded({f});
      if (state.last_seq(cache) == 7 && state.last_fact_id(cache) == "f_7")
        moved += std::string(name) + ' ';
    }
    CHECK(fed == fed_by[static_cast<std::size_t>(cache)]);
    CHECK(moved == fed);
  }
}

TEST_CASE("Caches and periods are found by their names", "[cached_state]") {
  const std::string_view names[] = {"BudgetState", "CapState", "AccessState", "ContactCanonical"};
  for (std::size_t i = 0; i < cache_types; ++i) {
    CacheType found = CacheType::count_;
    CHECK(cache_name(static_cast<CacheType>(i)) == names[i]);
    REQUIRE(cache_of(names[i], found));
    CHECK(found == static_cast<CacheType>(i));
  }
  const std::string_view periods[] = {"total", "day", "week", "month"};
  for (std::size_t i = 0; i < std::size(periods); ++i) {
    Period found = Period::count_;
    CHECK(period_name(static_cast<Period>(i)) == periods[i]);
    REQUIRE(period_of(periods[i], found));
    CHECK(found == static_cast<Period>(i));
  }
  CacheType cache = CacheType::cap;
  Period period = Period::week;
  CHECK_FALSE(cache_of("budgetstate", cache));
  CHECK_FALSE(cache_of("", cache));
  CHECK_FALSE(period_of("year", period));
  CHECK(cache == CacheType::cap);
  CHECK(period == Period::week);
}

TEST_CASE("Periods begin and end where the calendar says, on every day of 1970 to 2100",
          "[cached_state]") {
  constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int wrong = 0;
  std::int64_t day = 0;
  for (int month = 0; month < 131 * 12; ++month) {
    const int year = 1970 + month / 12;
    const bool leap = month % 12 == 1 && year % 4 == 0 && year != 2100;
    for (int left = lengths[month % 12] + (leap ? 1 : 0); left > 0; --left, ++day) {
      for (const std::int64_t at_ms : {day * day_ms, day * day_ms + day_ms - 1}) {
        wrong += period_index(Period::total, at_ms) == 0 ? 0 : 1;
        wrong += period_index(Period::day, at_ms) == day ? 0 : 1;
        wrong += period_index(Period::month, at_ms) == month ? 0 : 1;
        // Where time_t has 32 bits, the C library knows nothing beyond 2038.
        if (at_ms / 1'000 > std::numeric_limits<std::time_t>::max()) continue;
        const auto seconds = static_cast<std::time_t>(at_ms / 1'000);
        std::tm utc = {};
        gmtime_r(&seconds, &utc);
        wrong += (utc.tm_year - 70) * 12 + utc.tm_mon == month ? 0 : 1;
        // The Monday of its week, as a day since 1970.
        const std::int64_t monday = day - (utc.tm_wday + 6) % 7;
        wrong += period_index(Period::week, at_ms) == (monday + 3) / 7 ? 0 : 1;
        wrong += (monday + 3) % 7 == 0 ? 0 : 1;
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(day == 47'847);
}

TEST_CASE("The calendar's corners have the numbers that are known", "[cached_state]") {
  struct Row {
    std::int64_t at_ms, day, week, month;
  };
  const Row rows[] = {
      {-1, -1, 0, -1},                                    // 1969-12-31
      {-3 * day_ms, -3, 0, -1},                           // Monday 1969-12-29
      {-3 * day_ms - 1, -4, -1, -1},                      // the Sunday before
      {951'782'400'000, 11'016, 1'574, 361},              // 2000-02-29, a Tuesday
      {951'868'800'000, 11'017, 1'574, 362},              // 2000-03-01
      {4'107'542'399'999, 47'540, 6'791, 1'561},          // 2100-02-28, no leap day follows
      {4'107'542'400'000, 47'541, 6'792, 1'562},          // Monday 2100-03-01
      {253'402'300'799'999, 2'932'896, 418'985, 96'359},  // 9999-12-31
  };
  for (const Row& row : rows) {
    INFO(row.at_ms);
    CHECK(period_index(Period::day, row.at_ms) == row.day);
    CHECK(period_index(Period::week, row.at_ms) == row.week);
    CHECK(period_index(Period::month, row.at_ms) == row.month);
  }
}

TEST_CASE("Money is summed up by currency, USD shown first", "[cached_state]") {
  CHECK(shown({}, CacheType::budget) ==
        R"({"currency":"USD","deposited":0,"credits":0,"spent":0,"remaining":0,"day_spent":0,)"
        R"("week_spent":0,"month_spent":0,"currencies":[],"last_seq":0,"last_fact_id":null})");
  OwnedFact silent = fact_at(9, FactType::correction);
  const CachedState state =
      folded({money(1, FactType::deposit, 1'000), money(2, FactType::credit_issued, 50),
              money(3, FactType::charge, 300), money(4, FactType::correction, -20),
              money(5, FactType::charge, 7, "EUR"), money(6, FactType::deposit, 9, "ZAR"),
              money(7, FactType::cost, 5), money(8, FactType::charge, 0), silent});
  CHECK(shown(state, CacheType::budget) ==
        R"({"currency":"USD","deposited":1000,"credits":50,"spent":280,"remaining":770,)"
        R"("day_spent":280,"week_spent":280,"month_spent":280,"currencies":[)"
        R"({"currency":"EUR","deposited":0,"credits":0,"spent":7,"remaining":-7,"day_spent":7,)"
        R"("week_spent":7,"month_spent":7},)"
        R"({"currency":"ZAR","deposited":9,"credits":0,"spent":0,"remaining":9,"day_spent":0,)"
        R"("week_spent":0,"month_spent":0}],"last_seq":8,"last_fact_id":"f_8"})");
  const CachedState without_usd =
      folded({money(1, FactType::deposit, 2, "ZAR"), money(2, FactType::charge, 1, "CHF")});
  CHECK(shown(without_usd, CacheType::budget).substr(0, 34) ==
        R"({"currency":"CHF","deposited":0,"c)");
  CHECK(without_usd.money("USD") == nullptr);
  REQUIRE(without_usd.money("ZAR") != nullptr);
  CHECK(without_usd.money("ZAR")->remaining() == 2);
}

TEST_CASE("What is spent in a period starts anew with it", "[cached_state]") {
  // Tuesday the 31st; Wednesday begins a month; Sunday ends the week; Monday begins one.
  CachedState state = folded({money(1, FactType::charge, 1)});
  const auto spent = [&](std::int64_t at_ms) {
    return std::vector<std::int64_t>{
        state.spent("USD", Period::total, at_ms), state.spent("USD", Period::day, at_ms),
        state.spent("USD", Period::week, at_ms), state.spent("USD", Period::month, at_ms)};
  };
  const auto charge = [&](std::int64_t seq, std::int64_t amount, std::int64_t at_ms) {
    return state.apply(later(money(seq, FactType::charge, amount), at_ms).fact()) ==
           FoldError::none;
  };
  const std::int64_t wednesday = noon_ms + day_ms / 2;
  CHECK(spent(wednesday - 1) == std::vector<std::int64_t>{1, 1, 1, 1});
  CHECK(spent(wednesday) == std::vector<std::int64_t>{1, 0, 1, 0});
  REQUIRE(charge(2, 10, wednesday));
  CHECK(spent(wednesday) == std::vector<std::int64_t>{11, 10, 11, 10});
  const std::int64_t monday = wednesday + 5 * day_ms;
  CHECK(spent(monday - 1) == std::vector<std::int64_t>{11, 0, 11, 10});
  CHECK(spent(monday) == std::vector<std::int64_t>{11, 0, 0, 10});
  REQUIRE(charge(3, 100, monday));
  CHECK(spent(monday) == std::vector<std::int64_t>{111, 100, 100, 110});
  // A deposit moves no period.
  REQUIRE(state.apply(later(money(4, FactType::deposit, 5), monday + 40 * day_ms).fact()) ==
          FoldError::none);
  CHECK(spent(monday) == std::vector<std::int64_t>{111, 100, 100, 110});
  CHECK(state.spent("EUR", Period::total, monday) == 0);
}

TEST_CASE("No sum leaves the range of exact amounts, at either end", "[cached_state]") {
  using enum FactType;
  struct Row {
    std::vector<OwnedFact> before;
    OwnedFact refused;
    OwnedFact taken;
  };
  const Row rows[] = {
      {{money(1, deposit, most)}, money(2, deposit, 1), money(2, charge, most)},
      {{money(1, deposit, most)}, money(2, credit_issued, 1), money(2, charge, 1)},
      {{money(1, credit_issued, most), money(2, charge, 1)},
       money(3, credit_issued, 1),
       money(3, deposit, 1)},
      {{money(1, charge, most)}, money(2, charge, 1), money(2, deposit, 1)},
      {{money(1, charge, most)}, money(2, correction, 1), money(2, correction, -1)},
      {{money(1, correction, -most)}, money(2, correction, -1), money(2, correction, 1)},
      {{money(1, correction, -most)}, money(2, deposit, 1), money(2, charge, most)},
      {{}, money(1, charge, most + 1), money(1, charge, most)},
      {{}, money(1, correction, INT64_MIN), money(1, correction, -most)},
      {{money(1, charge, most)}, money(2, deposit, INT64_MAX), money(2, deposit, most)},
  };
  for (const Row& row : rows) {
    CachedState state = folded(row.before);
    check_refused(state, row.refused, FoldError::overflow);
    CHECK(state.check(row.taken.fact()) == FoldError::none);
    CHECK(state.apply(row.taken.fact()) == FoldError::none);
  }
}

TEST_CASE("A period's sum has the same range as the whole", "[cached_state]") {
  CachedState state = folded({money(1, FactType::correction, -most)});
  const auto tomorrow = [](OwnedFact f) { return later(f, noon_ms + day_ms); };
  REQUIRE(state.apply(tomorrow(money(2, FactType::charge, most)).fact()) == FoldError::none);
  REQUIRE(state.spent("USD", Period::total, noon_ms) == 0);
  check_refused(state, tomorrow(money(3, FactType::charge, 1)), FoldError::overflow);
}

TEST_CASE("A ledger keeps as many currencies as its limit says", "[cached_state]") {
  CachedState state;
  std::int64_t seq = 0;
  std::string currency = "AAA";
  for (std::size_t i = 0; i < limits::currencies_per_ledger_max; ++i) {
    currency[1] = static_cast<char>('A' + i / 26);
    currency[2] = static_cast<char>('A' + i % 26);
    REQUIRE(state.apply(money(++seq, FactType::charge, 1, currency).fact()) == FoldError::none);
  }
  check_refused(state, money(++seq, FactType::charge, 1, "ZZZ"), FoldError::full);
  CHECK(state.check(money(seq, FactType::charge, 1, currency).fact()) == FoldError::none);
  CachedState again;
  CHECK(again.decode(CacheType::budget, state.encode(CacheType::budget)));
  CHECK(again.same(CacheType::budget, state));
}

TEST_CASE("Money without an amount or a currency moves nothing", "[cached_state]") {
  CachedState state;
  for (const auto currency : {"", "US", "usd", "USDX",
                              "U\xff"
                              "D"}) {
    REQUIRE(state.apply(money(1, FactType::charge, 5, currency).fact()) == FoldError::none);
  }
  REQUIRE(state.apply(fact_at(2, FactType::charge).fact()) == FoldError::none);
  CHECK(equal(state, {}));
}

TEST_CASE("Invocations are counted in the window that holds the time asked for", "[cached_state]") {
  CHECK(shown({}, CacheType::cap) ==
        R"({"total":0,"hour":0,"day":0,"month":0,"last_seq":0,"last_fact_id":null})");
  const std::int64_t evening = noon_ms + 11 * hour_ms;
  const CachedState state =
      folded({fact_at(1, FactType::invocation), fact_at(2, FactType::invocation),
              later(fact_at(3, FactType::invocation), evening)});
  const auto counts = [&](std::int64_t at_ms) {
    const std::string json = shown(state, CacheType::cap, at_ms);
    return json.substr(1, json.find(",\"last") - 1);
  };
  CHECK(counts(evening + hour_ms - 1) == R"("total":3,"hour":1,"day":3,"month":3)");
  CHECK(counts(evening + hour_ms) == R"("total":3,"hour":0,"day":0,"month":0)");
  CachedState next = state;
  REQUIRE(next.apply(later(fact_at(4, FactType::invocation), evening + hour_ms).fact()) ==
          FoldError::none);
  CHECK(shown(next, CacheType::cap, evening + hour_ms) ==
        R"({"total":4,"hour":1,"day":1,"month":1,"last_seq":4,"last_fact_id":"f_4"})");
}

TEST_CASE("Access is granted, modified and revoked by user", "[cached_state]") {
  using enum FactType;
  CHECK(shown({}, CacheType::access) == R"({"users":[],"last_seq":0,"last_fact_id":null})");
  const CachedState state = folded({
      access(1, access_granted, "usr_b", R"({"role":"reader"})"),
      access(2, access_granted, "usr_c"),
      access(3, access_modified, "usr_b", R"({"note":[1,{"role":"x"}],"role":"own\"er"})"),
      access(4, access_modified, "", R"({"user_id":"usr_a","role":7})"),
      access(5, access_revoked, "usr_c", R"({"user_id":"usr_a"})"),
      access(6, access_revoked, "usr_nobody"),
      access(7, access_granted, "", R"({"user_id":"not an id"})"),
  });
  CHECK(shown(state, CacheType::access) ==
        R"({"users":[{"user_id":"usr_a","role":"","since_seq":4},)"
        R"({"user_id":"usr_b","role":"own\"er","since_seq":3}],)"
        R"("last_seq":7,"last_fact_id":"f_7"})");
}

TEST_CASE("A role that is too long counts as none", "[cached_state]") {
  const auto with_role = [](std::size_t bytes) {
    const std::string data = R"({"role":")" + std::string(bytes, 'r') + R"("})";
    return shown(folded({access(1, FactType::access_granted, "usr_1", data)}), CacheType::access);
  };
  CHECK(with_role(128).find(std::string(128, 'r')) != std::string::npos);
  CHECK(with_role(129).find(R"("role":"",)") != std::string::npos);
}

TEST_CASE("An entity keeps as many users as its limit says", "[cached_state]") {
  CachedState state;
  std::int64_t seq = 0;
  for (std::size_t i = 0; i < limits::access_users_max; ++i) {
    const std::string user_id = "usr_" + std::to_string(i * 7 % limits::access_users_max);
    REQUIRE(state.apply(access(++seq, FactType::access_granted, user_id).fact()) ==
            FoldError::none);
  }
  check_refused(state, access(++seq, FactType::access_granted, "usr_x"), FoldError::full);
  check_refused(state, access(seq, FactType::access_modified, "usr_x"), FoldError::full);
  CHECK(state.apply(access(seq, FactType::access_revoked, "usr_x").fact()) == FoldError::none);
  CHECK(state.apply(access(++seq, FactType::access_revoked, "usr_7").fact()) == FoldError::none);
  CHECK(state.apply(access(++seq, FactType::access_granted, "usr_x").fact()) == FoldError::none);
}

TEST_CASE("The last merge says which contact stands for this one", "[cached_state]") {
  const auto merged = [](std::int64_t seq, std::string_view data) {
    return access(seq, FactType::contact_merged, "", data);
  };
  CHECK(shown({}, CacheType::contact) == R"({"contact_id":null,"last_seq":0,"last_fact_id":null})");
  CHECK(shown(folded(
                  {merged(1, R"({"contact_id":"con_1"})"), merged(2, R"({"contact_id":"con_2"})")}),
              CacheType::contact) == R"({"contact_id":"con_2","last_seq":2,"last_fact_id":"f_2"})");
  for (const auto data : {"", R"({"contact_id":7})", R"({"contact_id":"no id"})", R"({"a":1})",
                          R"({"contact_id":"")"}) {
    INFO(data);
    CHECK(shown(folded({merged(1, R"({"contact_id":"con_1"})"), merged(2, data)}),
                CacheType::contact) ==
          R"({"contact_id":"con_1","last_seq":2,"last_fact_id":"f_2"})");
  }
}

TEST_CASE("A difference names the numbers that differ, calculated less cached", "[cached_state]") {
  using enum FactType;
  const CachedState less = folded({money(1, deposit, 100), money(2, charge, 30),
                                   money(3, charge, 4, "EUR"), money(4, charge, 4, "GBP")});
  const CachedState more =
      folded({money(1, deposit, 100), money(2, charge, 30), money(3, charge, 4, "EUR"),
              money(4, charge, 5, "CHF"), later(money(5, charge, 9), noon_ms + day_ms)});
  CHECK(delta(more, more, CacheType::budget) == "{}");
  CHECK(more.money_delta(more) == 0);
  CHECK(delta(more, less, CacheType::budget, noon_ms + day_ms) ==
        R"({"spent":9,"remaining":-9,"day_spent":9,"week_spent":9,"month_spent":9,"currencies":[)"
        R"({"currency":"CHF","spent":5,"remaining":-5,"week_spent":5},)"
        R"({"currency":"GBP","spent":-4,"remaining":4,"week_spent":-4}],"last_seq":1})");
  CHECK(more.money_delta(less) == 9);
  CHECK(delta({}, less, CacheType::budget, 0) ==
        R"({"deposited":-100,"spent":-30,"remaining":-70,"currencies":[)"
        R"({"currency":"EUR","spent":-4,"remaining":4},)"
        R"({"currency":"GBP","spent":-4,"remaining":4}],"last_seq":-4})");
  CHECK(CachedState{}.money_delta(less) == 100);
}

TEST_CASE("Counts and users differ by number, a merge only by its place", "[cached_state]") {
  using enum FactType;
  const CachedState state = folded({fact_at(1, invocation), access(2, access_granted, "usr_1"),
                                    access(3, access_granted, "usr_2"),
                                    access(4, contact_merged, "", R"({"contact_id":"con_9"})")});
  CHECK(delta(state, {}, CacheType::cap) ==
        R"({"total":1,"hour":1,"day":1,"month":1,"last_seq":1})");
  CHECK(delta({}, state, CacheType::access) == R"({"users":-2,"last_seq":-3})");
  CHECK(delta(state, {}, CacheType::contact) == R"({"last_seq":4})");
  CHECK(state.money_delta({}) == 0);
}
