// Facts about alerts on their way to their ledger.
#include "z0/alerting/alert_facts.hpp"

#include <algorithm>
#include <vector>

#include "unit/catch.hpp"
#include "z0/notify/limits.hpp"
#include "z0/wire/read_effects.hpp"

namespace {

constexpr std::int64_t now_ms = 1'774'915'200'000;

// How many of the oldest are asked for.
std::int64_t asked(const z0::AlertFacts& facts) {
  z0::Effects effects;
  facts.ask_first(effects);
  std::vector<z0::Effect> read;
  REQUIRE(z0::parse_effects(effects.finish(), read));
  return z0::carried_by<z0::RowsNeed>(read.at(0)).statement.values.at(0).integer;
}

}  // namespace

TEST_CASE("Of facts that a ledger does not take together fewer are sent", "[alerts]") {
  z0::AlertFacts facts;
  z0::Effects effects;
  CHECK(asked(facts) == z0::limits::alert_facts_per_call_max);
  std::int64_t most = z0::limits::alert_facts_per_call_max;
  for (int i = 0; i < 12; ++i) {
    facts.settle({1, 2, 3}, {}, now_ms, effects);
    most = std::max<std::int64_t>(most / 2, 1);
    CHECK(asked(facts) == most);
  }
}
