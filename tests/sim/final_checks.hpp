// What must hold when everything has healed: the model against the ledgers, the ledgers against D1.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model.hpp"
#include "world.hpp"

namespace z0::sim {

// A GET by an operator that must succeed.
Json get(world::World& world, const std::string& url);

// All ledgers that the directory lists.
std::vector<std::string> listed_ledgers(world::World& world);

// A fact as a ledger shows it is the one that was acknowledged, or may have been recorded, under
// its id.
void check_fact(const LedgerModel& ledger, const std::string& id, const Json& shown);

// Messages that nobody can read.
struct Garbage {
  std::uint64_t sent = 0;
  std::uint64_t kept = 0;  // as the dead-letter queue was told; more may be
};

// Every check of this file's table.
void check_everything(world::World& world, const Model& model, const Garbage& garbage);

}  // namespace z0::sim
