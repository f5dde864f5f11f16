// The core as this tool drives it: offline, in this process.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "server/transport.hpp"

namespace z0::cli {

// A whole z0 in memory (edge, ledgers, queue, database) that answers requests as a server does,
// with an operator's rights. Throws Failure where the tool was built without it.
Transport offline_z0();

// What a frame says, in words.
std::string words_of_frame(std::string_view frame);

// Steps one core through frames, whose state stays from call to call, and gives each step's effects
// in words. A broken invariant ends the process: call it in one that may end.
using Stepper = std::function<std::string(std::string_view frame)>;
Stepper core_stepper();

}  // namespace z0::cli
