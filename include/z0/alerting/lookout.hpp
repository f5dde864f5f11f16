// The look at facts, for the object of alerts: calls/look.hpp says what is asked.
//
// An object of the same class that keeps nothing: its steps need no state.
#pragma once

#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

// Whether a frame to Z0_TARGET_ALERTS is the lookout's.
bool to_lookout(const Frame& frame);
// Asks every database and the monitor, then puts what they answered together. The reply is a LookReply, or a
// status where one of them did not answer or replication lags.
void step_lookout(const Frame& frame, Effects& effects);

}  // namespace z0
