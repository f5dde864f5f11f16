// Whether a checkpoint is to be believed: its form, whom it speaks of, and who signed it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "z0/tree/checkpoint.hpp"

namespace z0::cli {

// A checkpoint as it was read, and the trusted key that signed it: empty when none was asked for.
struct TrustedCheckpoint {
  Checkpoint head;
  std::string signer;  // name and id of the key
};

// What is wrong with a signed checkpoint, in a sentence; empty when it is sound. It has to speak of
// this entity's ledger, unless the entity is empty. With `trusted` keys, one of them has to have
// signed it, and none of their signatures may be false; others' signatures mean nothing to us.
// Without, only its form is judged.
std::string check_checkpoint(std::string_view note, std::string_view entity_id,
                             const std::vector<VerifierKey>& trusted, TrustedCheckpoint& out);

// Keys as they are handed around: each word is a verifier key, or a file of them, one a line.
// Throws Failure for what is neither.
std::vector<VerifierKey> read_keys(const std::vector<std::string>& words);

}  // namespace z0::cli
