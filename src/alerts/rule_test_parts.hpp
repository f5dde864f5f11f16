// A test of rules as it was read: series that are counted up, and what is expected of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "z0/alerts/rule.hpp"
#include "z0/metrics/registry.hpp"

namespace z0 {

enum class SampleKind : std::uint8_t { none, number, stale };
struct TestSample {
  SampleKind kind = SampleKind::none;
  double value = 0;
};
struct TestSeries {
  Metric metric = Metric::count_;
  std::string tenant_id;
  std::vector<std::string> labels;
  double observed = 0;  // of a histogram
  std::vector<TestSample> samples;
};
struct TestExpected {
  std::int64_t at_ms = 0;
  std::string rule;
  std::set<std::string> firing;  // by what tells the alerts apart, as JSON
};
struct RuleTest {
  std::vector<Rule> rules;
  std::int64_t interval_ms = 60'000;
  std::size_t steps = 0;
  std::vector<TestSeries> series;
  std::vector<TestExpected> expected;
};

// False at the first fault. What is read can be run within bounds of time and memory.
[[nodiscard]] bool read_rule_test(std::string_view text, RuleTest& out, RuleError& error);

}  // namespace z0
