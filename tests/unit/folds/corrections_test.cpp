// Which sum a correction moves in the folds.
#include <vector>

#include "unit/catch.hpp"
#include "unit/folds/cached_facts.hpp"

using namespace z0;
using namespace z0::test;

namespace {

constexpr std::int64_t day_ms = 86'400'000;

}  // namespace

TEST_CASE("A correction moves the sum of what it corrects, in the period of that",
          "[cached_state]") {
  using enum FactType;
  CachedState state;
  for (const OwnedFact& f : {money(1, deposit, 1'000), money(2, credit_issued, 50),
                             money(3, charge, 300), money(4, charge, 7, "EUR")})
    REQUIRE(state.apply(f.fact()) == FoldError::none);
  const auto correct = [&state](std::int64_t seq, std::string_view type, std::int64_t amount,
                                std::int64_t of_ms, std::int64_t at_ms) {
    const OwnedFact owned = money(seq, correction, amount);
    Fact f = owned.fact();
    f.fields |= field_corrects;
    f.corrects = type;
    f.corrects_at = of_ms;
    f.recorded_at = at_ms;
    REQUIRE(state.apply(f) == FoldError::none);
    CHECK(feeds(f, CacheType::budget) == (state.last_seq(CacheType::budget) == seq));
    const CachedState::Money& usd = *state.money("USD");
    return std::vector<std::int64_t>{usd.deposited, usd.credits, usd.spent};
  };
  using Sums = std::vector<std::int64_t>;
  CHECK(correct(5, "deposit", -1'000, noon_ms, noon_ms) == Sums{0, 50, 300});
  CHECK(correct(6, "credit_issued", -20, noon_ms, noon_ms) == Sums{0, 30, 300});
  CHECK(correct(7, "charge", -100, noon_ms, noon_ms) == Sums{0, 30, 200});
  CHECK(state.spent("USD", Period::day, noon_ms) == 200);
  for (const char* other : {"cost", "payout", "tip", "correction", "invocation"})
    CHECK(correct(8, other, -5, noon_ms, noon_ms) == Sums{0, 30, 200});
  // On the last day of March a charge of the day before is of another day, but the same month.
  CHECK(correct(9, "charge", -50, noon_ms - day_ms, noon_ms) == Sums{0, 30, 150});
  CHECK(state.spent("USD", Period::day, noon_ms) == 200);
  CHECK(state.spent("USD", Period::week, noon_ms) == 150);
  CHECK(state.spent("USD", Period::month, noon_ms) == 150);
  // Later, the latest periods stay those of the last charge.
  CHECK(correct(10, "charge", -1, noon_ms, noon_ms + 40 * day_ms) == Sums{0, 30, 149});
  CHECK(state.spent("USD", Period::day, noon_ms) == 199);
  CHECK(state.spent("USD", Period::day, noon_ms + 40 * day_ms) == 0);
}
