// Which alerts say no more than another one says.
//
// The table is data. A cause covers what follows from it where it is about the same tenant or about
// all, and where it is as bad: a warning takes nobody's page away.
#pragma once

#include <span>
#include <string_view>

namespace z0 {

// By their runbooks: so a rule with another name or threshold is covered, too.
struct Cause {
  std::string_view cause;
  std::string_view symptom;
};
std::span<const Cause> causes();

}  // namespace z0
