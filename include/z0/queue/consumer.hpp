// The consumer of the replication queue: one message in, a constant number of statements for D1
// out, for each database that its tenants have.
//
// Every statement may run twice, late or out of order. Facts are inserted by their durable
// identity; a ledger's head moves only over what is contiguous; a run that arrives ahead of a gap
// waits beside it. See projection.hpp for why several consumers do not disturb each other.
#pragma once

#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

// Frames to Z0_TARGET_QUEUE.
// A message that cannot be read is refused until the platform hands it to the dead-letter queue;
// from there it is tried once more as a message, and kept in dead_letters when it still cannot be
// read.
void step_consumer(const Frame& frame, Effects& effects);

}  // namespace z0
