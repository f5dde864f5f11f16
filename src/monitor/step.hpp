// Inside the monitor: what its root does with a question about metrics.
#pragma once

#include "z0/monitor/monitor.hpp"

namespace z0 {

// Asks every shard the question of a call.
void ask_shards(const Frame& frame, Effects& effects);
// Merges what they answered, and replies.
void merge_shards(const Monitor& monitor, const Frame& frame, Effects& effects);

}  // namespace z0
