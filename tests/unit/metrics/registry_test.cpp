// The table of metrics: names, points, and what comes from outside by name.
#include "z0/metrics/registry.hpp"

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/traps.hpp"
#include "z0/metrics/histogram.hpp"

namespace {

using z0::Effects;
using z0::Metric;
using z0::MetricKind;
using z0::test::carried;
using z0::test::traps;
using Blobs = std::vector<std::string_view>;

bool is_name(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

// The text of why a sample was refused; empty when it was taken.
std::string refusal(Effects& effects, const z0::NamedSample& sample) {
  std::string_view why;
  return z0::take_metric(effects, sample, why) ? std::string() : std::string(why);
}

}  // namespace

TEST_CASE("Each metric has a name of the convention, a unit, a help text and its own row",
          "[metrics]") {
  std::set<std::string_view> names;
  for (int i = 0; i < static_cast<int>(Metric::count_); ++i) {
    const z0::MetricInfo& row = z0::info(static_cast<Metric>(i));
    INFO(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(is_name(row.name));
    CHECK(row.name.starts_with("z0_"));
    CHECK(row.name.ends_with("_total") == (row.kind == MetricKind::counter));
    CHECK(row.name.ends_with("_ms") == (row.unit == "ms"));
    CHECK_FALSE(row.unit.empty());
    CHECK_FALSE(row.help.empty());
    CHECK(z0::metric_named(row.name) == static_cast<Metric>(i));
    // Blob 20 is the trace of a point.
    CHECK(1 + row.labels.size() < 20);
    for (const std::string_view label : row.labels) CHECK(is_name(label));
  }
  CHECK(z0::metric_named("z0_facts_written") == Metric::count_);
  CHECK(z0::metric_named("") == Metric::count_);
}

TEST_CASE("A point carries the tenant, its name, then labels in the row's order, and a trace",
          "[metrics]") {
  Effects effects;
  const std::string tenant(128, 't');
  z0::count(effects, Metric::facts_write_failures, tenant, {"charge", "storage_error"}, 2, "abc");
  z0::observe(effects, Metric::cache_read_duration, "north", {"BudgetState"}, 1'001, 3, {});
  z0::gauge(effects, Metric::replication_queue_depth, {}, 12);
  const auto points = carried<z0::DataPoint>(effects.finish());
  REQUIRE(points.size() == 3);
  CHECK(points[0].kind == Z0_POINT_COUNTER);
  CHECK(points[0].index == tenant.substr(0, 96));
  CHECK(points[0].blobs == Blobs{"z0_facts_write_failures_total", "charge", "storage_error"});
  CHECK(points[0].how_much == 2);
  CHECK(points[0].value == 0);
  CHECK(points[0].trace_id == "abc");
  // 1,001 lies in a bucket of 50 values, as all up to 1,050 do.
  CHECK(points[1].kind == Z0_POINT_HISTOGRAM);
  CHECK(points[1].how_much == 3);
  CHECK(points[1].value == 1'050);
  CHECK(points[2].kind == Z0_POINT_GAUGE);
  CHECK(points[2].value == 12);
}

TEST_CASE("What has no row, or not the row's labels or kind, cannot be emitted", "[metrics]") {
  const auto with = [](auto code) {
    return [=] {
      Effects effects;
      code(effects);
    };
  };
  CHECK_FALSE(traps(with([](Effects& e) { z0::count(e, Metric::cache_hits, "n", {"b"}, 1, {}); })));
  CHECK(traps(with([](Effects& e) { z0::count(e, Metric::cache_hits, "n", {}, 1, {}); })));
  CHECK(traps(with([](Effects& e) { z0::observe(e, Metric::cache_hits, "n", {"b"}, 1, 1, {}); })));
  CHECK(traps(with([](Effects& e) { z0::gauge(e, Metric::cache_hits, "n", 1); })));
  CHECK(traps(with([](Effects& e) { z0::count(e, Metric::count_, "n", {"b"}, 1, {}); })));
}

TEST_CASE("A point by name has the labels of its row, in whatever order they came", "[metrics]") {
  const std::pair<std::string_view, std::string_view> labels[] = {{"error_code", "busy"},
                                                                  {"tool_id", "twilio"}};
  Effects effects;
  CHECK(refusal(effects, {"north", "z0_external_errors_total", labels, 4, 0, "abc"}).empty());
  CHECK(refusal(effects, {"north", "z0_routing_decision_duration_ms", {}, 2, 999.2, {}}).empty());
  CHECK(refusal(effects, {"north", "z0_replication_queue_depth", {}, 1, 3.5, {}}).empty());
  const auto points = carried<z0::DataPoint>(effects.finish());
  REQUIRE(points.size() == 3);
  // A label that was not given is empty.
  CHECK(points[0].blobs == Blobs{"z0_external_errors_total", "twilio", "", "busy"});
  CHECK(points[0].how_much == 4);
  CHECK(points[0].trace_id == "abc");
  // What is no whole number counts in the bucket of the next one.
  CHECK(points[1].value == static_cast<double>(z0::Histogram::bound_of(1'000)));
  CHECK(points[1].how_much == 2);
  CHECK(points[2].value == 3.5);
}

TEST_CASE("A point by name is refused with the reason, and then nothing is emitted", "[metrics]") {
  const std::pair<std::string_view, std::string_view> strange[] = {{"color", "red"}};
  const std::string_view counter = "z0_routing_decisions_total";
  const std::string_view histogram = "z0_routing_decision_duration_ms";
  const double none = std::numeric_limits<double>::quiet_NaN();
  const double endless = std::numeric_limits<double>::infinity();
  Effects effects;
  CHECK(refusal(effects, {"n", "http_requests_total", {}, 1, 0, {}}) == "is no metric of z0");
  CHECK(refusal(effects, {"n", counter, strange, 1, 0, {}}) ==
        "has a label that is none of this metric's");
  for (const double wrong : {-1.0, 0.5, none, endless, 1e300})
    CHECK(refusal(effects, {"n", counter, {}, wrong, 0, {}}) ==
          "counts what is no whole number from 0 on");
  CHECK(refusal(effects, {"n", counter, {}, 1e9 + 1, 0, {}}) == "counts more than 10^9 at once");
  for (const double wrong : {-1.0, none, endless, 1e300})
    CHECK(refusal(effects, {"n", histogram, {}, 1, wrong, {}}) ==
          "has a value that is no number from 0 on");
  CHECK(carried<z0::DataPoint>(effects.finish()).empty());
}

TEST_CASE("A call of somebody outside is counted with its end and what it took", "[metrics]") {
  struct Row {
    z0_outcome outcome;
    std::uint16_t http;
    std::string_view code;
  };
  for (const auto& [outcome, http, code] :
       {Row{Z0_OK, 204, ""}, Row{Z0_OK, 399, ""}, Row{Z0_OK, 400, "http_400"},
        Row{Z0_TIMEOUT, 0, "timeout"}, Row{Z0_FAILED, 0, "unreachable"}}) {
    Effects effects;
    z0::count_external(effects,
                       {"north", "twilio", "create_call", {outcome, http, 0, {}, {}}, 12, "abc"});
    const auto points = carried<z0::DataPoint>(effects.finish());
    REQUIRE(points.size() == (code.empty() ? 2u : 4u));
    CHECK(points[0].blobs == Blobs{"z0_external_calls_total", "twilio", "create_call", code});
    CHECK(points[1].blobs == Blobs{"z0_external_call_duration_ms", "twilio", "create_call", code});
    CHECK(points[1].value == 12);
    if (code.empty()) continue;
    CHECK(points[2].blobs == Blobs{"z0_external_errors_total", "twilio", "create_call", code});
    CHECK(points[3].blobs == Blobs{"z0_errors_total", "external", "twilio", code});
  }
}
