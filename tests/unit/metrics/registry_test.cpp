// The tables of metrics and log events.
#include "z0/metrics/registry.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/traps.hpp"

namespace {

using z0::Effects;
using z0::Event;
using z0::Point;
using z0::test::carried;
using z0::test::traps;

bool is_name(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

}  // namespace

TEST_CASE("Each metric has a name of the convention, a help text and one kind", "[metrics]") {
  std::set<std::string_view> firsts;
  for (int i = 0; i < static_cast<int>(Point::count_); ++i) {
    const z0::PointInfo& row = z0::info(static_cast<Point>(i));
    REQUIRE_FALSE(row.metrics.empty());
    INFO(row.metrics[0].name);
    CHECK(firsts.insert(row.metrics[0].name).second);
    for (const z0::Metric& metric : row.metrics) {
      INFO(metric.name);
      CHECK(is_name(metric.name));
      CHECK(metric.name.starts_with("z0_"));
      CHECK(metric.name.ends_with(metric.kind == z0::MetricKind::counter ? "_total" : "_ms"));
      CHECK_FALSE(metric.help.empty());
    }
    for (const std::string_view label : row.labels) CHECK(is_name(label));
    // What Analytics Engine takes in a point.
    CHECK(1 + row.labels.size() <= 20);
    CHECK(row.metrics.size() <= 20);
  }
}

TEST_CASE("A point carries the tenant, its name, then labels and values in the row's order",
          "[metrics]") {
  Effects effects;
  const std::string tenant(128, 't');
  z0::emit(effects, Point::facts_write_failures, tenant, {"charge", "storage_error"}, {2, 15});
  const auto points = carried<z0::DataPoint>(effects.finish());
  REQUIRE(points.size() == 1);
  CHECK(points[0].index == tenant.substr(0, 96));
  CHECK(points[0].blobs ==
        std::vector<std::string_view>{"z0_facts_write_failures_total", "charge", "storage_error"});
  CHECK(points[0].doubles == std::vector<double>{2, 15});
}

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

TEST_CASE("What has no row, or not the row's labels and values, cannot be emitted", "[metrics]") {
  const auto with = [](auto code) {
    return [=] {
      Effects effects;
      code(effects);
    };
  };
  CHECK_FALSE(traps(with([](Effects& e) { z0::emit(e, Point::cache_hits, "n", {"b"}, {1, 2}); })));
  CHECK(traps(with([](Effects& e) { z0::emit(e, Point::cache_hits, "n", {}, {1, 2}); })));
  CHECK(traps(with([](Effects& e) { z0::emit(e, Point::cache_hits, "n", {"b"}, {1}); })));
  CHECK(traps(with([](Effects& e) { z0::emit(e, Point::count_, "n", {"b"}, {1}); })));
  CHECK(traps(with([](Effects& e) { z0::log_event(e, Event::message_failed, {}); })));
  CHECK(traps(with([](Effects& e) { z0::log_event(e, Event::count_, {"why"}); })));
}
