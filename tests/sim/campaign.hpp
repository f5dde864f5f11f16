// Many runs, and what is told about them.
#pragma once

#include <cstdint>
#include <string>

#include "faults.hpp"

namespace z0::sim {

struct Campaign {
  Options options;  // seed: the first one
  std::uint64_t seeds = 2'000;
  std::uint64_t seconds = 0;  // 0: count seeds instead
  std::uint64_t jobs = 1;
  bool replay = false;
  bool shrink = true;
  std::string d1_schema;
};

// One run with everything that happens. The exit code.
int replay(const Campaign& campaign);
// All of them, until one breaks a law; that one is shrunk. The exit code.
int run(const Campaign& campaign);

}  // namespace z0::sim
