// Files that commands read whole, or line by line with progress.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace z0::cli {

// "-" is the standard input. Throws Failure when the file cannot be read.
std::string contents_of(const std::string& file);

// Each line of an export, with the share that is done on a terminal. Throws Failure when the file
// cannot be read, and after an interrupt.
void read_export(const std::string& file, const char* verb,
                 const std::function<void(std::string_view line)>& take);

}  // namespace z0::cli
