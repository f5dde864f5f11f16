// The end of a step whose invariant does not hold.
#pragma once

namespace z0 {

// Ends the process, or the instance of the module. `invariant`: a literal, what should hold; the host
// says it beside the trap, which by itself says only where.
[[noreturn]] void trap(const char* invariant);

// The invariant of the trap that ended this instance; null while none has.
const char* trapped_on();

}  // namespace z0
