// Proofs as the server gives them, checked without it: that a fact is in a ledger, and that a
// ledger's earlier state is the beginning of a later one.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "audit/trust.hpp"

namespace z0::cli {

// What is wrong, in a sentence; empty when the proof holds. `fact` is then the proven fact's JSON.
std::string check_inclusion(const nlohmann::json& proof, const Checkpoint& head, std::string& fact);
std::string check_consistency(const nlohmann::json& proof, const Checkpoint& older,
                              const Checkpoint& newer);

}  // namespace z0::cli
