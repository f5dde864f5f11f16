// Tests of rules: series, and what fires when. What `z0 rules test` and POST /v1/rules/test run.
//
//   {"rules": [...],                 as in a config
//    "interval": "1m",               between samples, and between evaluations; default 1m
//    "steps": 30,                    default: as many as the longest series has
//    "series": [{"metric": "z0_facts_written_total", "tenant_id": "north",
//                "labels": {"fact_type": "charge"}, "values": "0+10x20 _ stale 5"}],
//    "expect": [{"at": "5m", "rule": "FactWriteFailures", "firing": [{"tenant_id": "north"}]}]}
//
// Values are written as promtool's tests write them: "a+bxn" counts up n times from a, "axn" repeats,
// "_" is a sample that is missing, "stale" ends a gauge. A counter's samples are what it came to; it
// begins anew where it falls. A histogram's series names the observed value in "value", and its samples
// are how many there were.
#pragma once

#include <string>
#include <string_view>

#include "z0/alerts/rule.hpp"

namespace z0 {

struct RuleTestOutcome {
  bool readable = false;  // else `error` says where and why
  bool passed = false;    // all that was expected
  RuleError error;
  // {"passed": true, "steps": [{"at": "5m", "firing": [...], "pending": [...]}], "failures": [...]}:
  // of steps those in which something changed.
  std::string json;
};
RuleTestOutcome run_rule_test(std::string_view text);

}  // namespace z0
