// Rules as Prometheus evaluates them, for who runs one beside z0.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "z0/alerts/rule.hpp"

namespace z0 {

// A file of rules, as YAML. What Prometheus cannot say stands at its end as a comment, with the reason;
// what it says less exactly has a comment of its own.
std::string prometheus_rules(const std::vector<Rule>& rules);

// [a-zA-Z_][a-zA-Z0-9_]*: what Prometheus and Alertmanager take for the name of a label or an alert.
bool is_label_name(std::string_view name);

// The shortest decimal number that reads back as the same.
std::string number_text(double value);

}  // namespace z0
