#include "z0/alerts/machine.hpp"

#include <string>
#include <vector>

#include "unit/catch.hpp"

namespace {

using z0::AlertPhase;
using z0::AlertState;
using z0::Patience;

constexpr std::int64_t minute = 60'000;

// What comes of a condition that holds at some minutes: a letter a minute, '.' inactive, 'p' pending,
// 'F' firing, 'r' resolved and still told of.
std::string phases(const std::string& condition, const Patience& patience) {
  AlertState state;
  std::string text;
  for (std::size_t i = 0; i < condition.size(); ++i) {
    z0::step(state, patience, condition[i] == 'x', 1, static_cast<std::int64_t>(i + 1) * minute);
    text += state.phase == AlertPhase::firing    ? 'F'
            : state.phase == AlertPhase::pending ? 'p'
            : state.idle()                       ? '.'
                                                 : 'r';
  }
  return text;
}

struct Row {
  std::string name;
  std::string condition;
  std::int64_t for_minutes;
  std::int64_t keep_minutes;
  std::string phases;
};

}  // namespace

TEST_CASE("An alert goes through the states that Prometheus has", "[alerts]") {
  const std::vector<Row> rows = {
      {"without for it fires at once", ".x.", 0, 0, ".Fr"},
      {"it fires at the boundary of for, not before", "xxxx", 2, 0, "ppFF"},
      {"a condition that goes before leaves nothing", "xx.xx", 2, 0, "pp.pp"},
      {"it fires on while it is kept", "x..x.", 0, 2, "FFFFF"},
      {"what is kept ends when it was quiet for so long", "x....", 0, 2, "FFFrr"},
      {"an alert that comes again waits again", "xxx.xxx", 2, 0, "ppFrppF"},
      {"what is pending is not kept", "x.", 1, 5, "p."},
      {"it is told of as resolved for a quarter of an hour", "x" + std::string(18, '.'), 0, 0,
       "F" + std::string(16, 'r') + ".."},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(phases(row.condition, {row.for_minutes * minute, row.keep_minutes * minute}) ==
          row.phases);
  }
}

TEST_CASE("An alert is told of when it changes, and again after the delay", "[alerts]") {
  AlertState state;
  z0::step(state, {minute, 0}, true, 1, minute);
  CHECK_FALSE(z0::to_be_told(state, minute, minute));
  z0::step(state, {minute, 0}, true, 1, 2 * minute);
  REQUIRE(z0::to_be_told(state, minute, 2 * minute));
  state.sent_at_ms = 2 * minute;
  CHECK_FALSE(z0::to_be_told(state, minute, 3 * minute));
  CHECK(z0::to_be_told(state, minute, 3 * minute + 1));
  state.sent_at_ms = 3 * minute + 1;
  z0::step(state, {minute, 0}, false, 1, 3 * minute + 10);
  CHECK(z0::to_be_told(state, minute, 3 * minute + 10));
  CHECK(z0::ends_at_ms(state, minute, minute, 3 * minute + 10) == 3 * minute + 10);
}

TEST_CASE("A receiver may take a firing alert for resolved after four intervals", "[alerts]") {
  AlertState state;
  z0::step(state, {}, true, 1, minute);
  CHECK(z0::ends_at_ms(state, 10'000, minute, minute) == 5 * minute);
}

TEST_CASE("A clock that goes back neither fires an alert nor ends one", "[alerts]") {
  AlertState state;
  z0::step(state, {minute, 0}, true, 1, 10 * minute);
  z0::step(state, {minute, 0}, true, 1, minute);
  CHECK(state.phase == AlertPhase::pending);
  z0::step(state, {minute, 0}, true, 1, 11 * minute);
  CHECK(state.phase == AlertPhase::firing);
  z0::step(state, {minute, minute}, false, 1, 12 * minute);
  z0::step(state, {minute, minute}, false, 1, 2 * minute);
  CHECK(state.phase == AlertPhase::firing);
}

TEST_CASE("A doubled tick changes nothing", "[alerts]") {
  AlertState once;
  AlertState twice;
  const std::string condition = "xx.x...xxxxx....x";
  for (std::size_t i = 0; i < condition.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i + 1) * minute;
    z0::step(once, {minute, minute}, condition[i] == 'x', 1, at);
    z0::step(twice, {minute, minute}, condition[i] == 'x', 1, at);
    z0::step(twice, {minute, minute}, condition[i] == 'x', 1, at);
    REQUIRE(once == twice);
  }
}
