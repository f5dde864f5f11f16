// Ctrl-C asks politely: the work in hand is finished and summed up. A second one ends the process.
#pragma once

#include <cstdint>

namespace z0::cli {

void catch_interrupts();
bool interrupted();
// Sleeps, but not through an interrupt; false when there was one.
bool sleep_ms(std::int64_t ms);

}  // namespace z0::cli
