// The directory: which ledgers there are, and the configs that concern more than one of them.
//
// Ledgers are told apart by name alone, so nothing else could list them. A ledger registers with
// its first fact and takes the policies of its tenant and of the platform along; a policy that is
// published later is appended to each ledger it concerns, a few at a time, by the directory's
// alarm. Ids make that idempotent, so it may happen more than once and must only not be forgotten.
//
// There are `directory_shards` objects, each with the ledgers that hash to it; a policy is
// published to all. Their truth is four tables, and there is no state in memory.
#pragma once

#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

// Takes one step for a directory object: frames to Z0_TARGET_DIRECTORY.
void step_directory(const Frame& frame, Effects& effects);

}  // namespace z0
