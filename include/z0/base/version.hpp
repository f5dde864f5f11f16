// The version of z0, as /healthz and the command-line tool tell it.
#pragma once

#include <string_view>

namespace z0 {

inline constexpr std::string_view version = "0.1.0";

}  // namespace z0
