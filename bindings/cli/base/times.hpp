// Times as options take them, as the server's parameters.
#pragma once

#include <string>

namespace z0::cli {

// Milliseconds since 1970, as text; empty for an empty text. Throws Failure that names the option.
std::string time_parameter(const std::string& text, const char* option);

}  // namespace z0::cli
