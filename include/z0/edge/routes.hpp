// The edge: HTTP in, HTTP out. Routes, credentials, batches and their answers; README.md lists the
// API.
//
// A request that concerns ledgers or D1 takes two steps: the first reads, checks and asks, the
// second answers. What the second has to know travels in a continuation, so the edge keeps no state
// but the tokens that it verified, which it would verify again.
#pragma once

#include <string_view>

#include "z0/http/token.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

// Frames to Z0_TARGET_EDGE.
void step_edge(KnownTokens& tokens, const Frame& frame, Effects& effects);

// What a continuation of the edge waits for: which kind of need its answers are to. Traps on other
// bytes.
z0_effect_kind edge_asked(std::string_view continuation);

}  // namespace z0
