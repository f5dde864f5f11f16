// Names that somebody may have meant whose own is none.
#pragma once

#include <string_view>
#include <vector>

namespace z0 {

// At most three, the nearest first: those that have it in them, whatever its capitals are, and those from
// which few letters differ. With a * at its end it is the beginning of a name.
std::vector<std::string_view> similar_names(std::string_view typed,
                                            const std::vector<std::string_view>& names);

}  // namespace z0
