// The table of log events.
#include "z0/metrics/events.hpp"

#include <string>
#include <vector>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/traps.hpp"

namespace {

using z0::Effects;
using z0::Event;
using z0::test::carried;
using z0::test::traps;

}  // namespace

TEST_CASE("A log line has its level, its event and the members of the event's row", "[metrics]") {
  Effects effects;
  z0::log_event(effects, Event::root_differs,
                {"acct_\"a", "north", std::int64_t{7}, "head_remade"});
  const std::vector<std::string> refusals = {"acct_a cfg_b ledger_full", "acct_c cfg_d exceeded"};
  z0::log_event(effects, Event::config_refused, {std::span<const std::string>(refusals)});
  const auto lines = carried<z0::LogLine>(effects.finish());
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].error);
  CHECK(lines[0].json == R"({"level":"error","event":"z0.replication.root_differs",)"
                         R"("entity_id":"acct_\"a","tenant_id":"north","seq":7,)"
                         R"("resolution":"head_remade"})");
  CHECK(lines[1].json == R"({"level":"error","event":"z0.config_refused",)"
                         R"("refusals":["acct_a cfg_b ledger_full","acct_c cfg_d exceeded"]})");
}

TEST_CASE("What has no row, or not the row's members, cannot be logged", "[metrics]") {
  const auto logs = [](Event event, std::initializer_list<z0::EventValue> values) {
    return traps([&] {
      Effects effects;
      z0::log_event(effects, event, values);
    });
  };
  CHECK_FALSE(logs(Event::message_failed, {"why"}));
  CHECK(logs(Event::message_failed, {}));
  CHECK(logs(Event::count_, {"why"}));
}
