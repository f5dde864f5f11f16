// Laws over random seeds. Z0_SEED=n in the environment runs that seed alone; Z0_SEEDS=n runs so
// many.
#include <cstdlib>
#include <filesystem>

#include "d1_schema.hpp"
#include "story.hpp"
#include "unit/catch.hpp"

namespace z0::laws {
namespace {

constexpr std::uint64_t seeds_default = 100;
// The first seeds leave their tapes for the WebAssembly build to play.
constexpr std::uint64_t taped_seeds = 12;
// Most stories are short, so that there are many; some go on until ledgers have several segments.
std::size_t operations_of(std::uint64_t seed) { return seed % 10 == 0 ? 120 : 15; }

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

TEST_CASE("Whatever callers, faults and clocks do, the laws hold", "[laws]") {
  const std::string& schema = test::d1_schema();
  const std::filesystem::path tapes = std::filesystem::path(Z0_SOURCE_DIR) / "build/tape";
  const std::uint64_t only = number_from("Z0_SEED", 0);
  const std::uint64_t first = only != 0 ? only : 1;
  const std::uint64_t last = only != 0 ? only : number_from("Z0_SEEDS", seeds_default);
  std::size_t facts = 0;
  std::size_t steps = 0;
  if (only == 0) std::filesystem::remove_all(tapes);
  std::filesystem::create_directories(tapes);
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    Story story(seed, schema);
    const std::string broken = story.run(operations_of(seed));
    if (!broken.empty()) FAIL("Z0_SEED=" << seed << " breaks a law: " << broken);
    if (seed <= taped_seeds || only != 0) {
      REQUIRE(story.tape().write((tapes / (std::to_string(seed) + ".z0tape")).string()));
    }
    facts += story.auditor().facts();
    steps += story.tape().size();
  }
  WARN((last - first + 1) << " seeds, " << facts << " facts, " << steps << " steps");
  CHECK(facts > 0);
}

}  // namespace z0::laws
