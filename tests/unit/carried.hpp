// What the effects of one kind carry, in their order.
#pragma once

#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "unit/catch.hpp"
#include "z0/wire/read_effects.hpp"

namespace z0::test {

// Borrows the bytes.
template <class T>
std::vector<T> carried(std::string_view effect_bytes) {
  std::vector<Effect> effects;
  REQUIRE(parse_effects(effect_bytes, effects));
  std::vector<T> found;
  for (const Effect& effect : effects) {
    Carried all = carried_by(effect);
    if (T* const one = std::get_if<T>(&all)) found.push_back(std::move(*one));
  }
  return found;
}

}  // namespace z0::test
