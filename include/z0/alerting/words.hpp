// What a rule saw, in words for people.
#pragma once

#include <string>

#include "z0/alerts/rule.hpp"

namespace z0 {

// "1.2 %", "75 s", "4.1 times what its objective allows"; empty where there is no number.
std::string value_words(const Rule& rule, double value);
// "above 1 %"; empty where the rule has no threshold.
std::string threshold_words(const Rule& rule);

}  // namespace z0
