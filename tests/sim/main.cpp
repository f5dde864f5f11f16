// z0's simulator: many seeded runs over several processes, and a small one that still shows what
// the first broken one found. scripts/sim builds and starts it.
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <set>
#include <sstream>

#include "campaign.hpp"
#include "d1_schema.hpp"

namespace z0::sim {
namespace {

constexpr const char* usage = R"(usage: sim [options]

  --seeds N        so many runs, from the first seed on (default 2000)
  --seconds N      runs for so long instead
  --from S         the first seed (default 1)
  --seed S         replays one run and tells everything that happens
  --steps N        requests of clients in a run (default: as the seed says)
  --ledgers N      at most so many ledgers
  --faults A,B     only these kinds of fault; "none" for none:
                  )";

void print_usage() {
  std::cout << usage;
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    std::cout << (i == 0 ? " " : i % 7 == 0 ? ",\n                   " : ", ") << fault_names[i];
  }
  std::cout << "\n  --jobs N         processes (default: one a core)\n"
               "  --no-shrink      shows the first broken run as it is\n";
}

bool parse_faults(const std::string& list, std::uint32_t& faults) {
  faults = 0;
  std::istringstream in(list);
  for (std::string name; std::getline(in, name, ',');) {
    std::size_t i = 0;
    while (i < fault_kinds && fault_names[i] != name) ++i;
    if (i < fault_kinds)
      faults |= 1u << i;
    else if (name != "none")
      return false;
  }
  return true;
}

bool parse(int argc, char** argv, Campaign& campaign) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--no-shrink") {
      campaign.shrink = false;
      continue;
    }
    if (i + 1 == argc) return false;
    const std::string value = argv[++i];
    char* end = nullptr;
    const std::uint64_t number = std::strtoull(value.c_str(), &end, 10);
    const bool is_number = !value.empty() && *end == 0;
    if (name == "--faults") {
      if (!parse_faults(value, campaign.options.faults)) return false;
      continue;
    }
    if (!is_number) return false;
    if (name == "--seed") {
      campaign.options.seed = number;
      campaign.replay = true;
    } else if (name == "--seeds") {
      campaign.seeds = number;
    } else if (name == "--seconds") {
      campaign.seconds = number;
    } else if (name == "--from") {
      campaign.options.seed = number;
    } else if (name == "--steps") {
      campaign.options.steps = number;
    } else if (name == "--ledgers") {
      campaign.options.ledgers = number;
    } else if (name == "--jobs") {
      campaign.jobs = number;
    } else {
      return false;
    }
  }
  return campaign.jobs > 0;
}

}  // namespace
}  // namespace z0::sim

int main(int argc, char** argv) {
  if (argc > 1 && (std::strcmp(argv[1], "--help") == 0 || std::strcmp(argv[1], "-h") == 0)) {
    z0::sim::print_usage();
    return 0;
  }
  z0::sim::Campaign campaign;
  if (!z0::sim::parse(argc, argv, campaign)) {
    z0::sim::print_usage();
    return 2;
  }
  campaign.d1_schema = z0::test::d1_schema();
  return campaign.replay ? z0::sim::replay(campaign) : z0::sim::run(campaign);
}
