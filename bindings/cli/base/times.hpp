// The time now, and times as options take them, as the server's parameters.
#pragma once

#include <cstdint>
#include <string>

namespace z0::cli {

std::int64_t now_ms();  // since 1970

// Milliseconds since 1970, as text; empty for an empty text. Throws Failure that names the option.
std::string time_parameter(const std::string& text, const char* option);

}  // namespace z0::cli
