// What the final checks look at, and those of them that replay the ledgers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "final_checks.hpp"
#include "model.hpp"
#include "world.hpp"

namespace z0::sim {

struct Scene {
  world::World& world;
  const Model& model;
  Garbage garbage;
  std::map<std::string, std::vector<Json>> ledgers;  // facts as their ledgers show them, in order
  std::map<std::string, std::vector<std::string>> leaves;  // the bytes that their trees hash

  void read(const std::string& entity_id);
};

// Each ledger's root, and each that was ever told, is that of its facts.
void roots_are_those_of_the_facts(Scene& scene);
void configs_are_their_versions(Scene& scene);
// What was recorded was right, and so was what was refused; states are what facts add up to.
void ledgers_decided_rightly(Scene& scene);
void reconciliations_are_due(Scene& scene);
void everything_is_proven(Scene& scene);
void the_directory_knows_all(Scene& scene);

}  // namespace z0::sim
