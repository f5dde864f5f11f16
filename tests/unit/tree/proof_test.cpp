#include <algorithm>
#include <limits>
#include <string>

#include "unit/catch.hpp"
#include "unit/tree/merkle_reference.hpp"
#include "unit/tree/merkle_vectors.hpp"
#include "z0/base/ids.hpp"
#include "z0/tree/merkle.hpp"

namespace {

using namespace z0;
using merkle_reference::numbered_leaves;
using merkle_reference::Part;
using merkle_reference::Tree;

using Hashes = std::vector<Digest>;

Digest digest_of(std::string_view hex) {
  Digest digest;
  REQUIRE(from_hex(hex, reinterpret_cast<char*>(digest.data()), digest.size()));
  return digest;
}

Hashes digests_of(const std::vector<std::string_view>& hex) {
  Hashes hashes;
  for (const std::string_view one : hex) hashes.push_back(digest_of(one));
  return hashes;
}

// A tree as a ledger keeps it: leaves, and the nodes that its appends completed.
class KeptTree {
 public:
  explicit KeptTree(Hashes leaves) : levels_{std::move(leaves)} {
    MerkleRange range;
    std::vector<MerkleNode> nodes;
    for (std::size_t at = 0; at < levels_[0].size(); at += 777) {
      const std::size_t count = std::min<std::size_t>(777, levels_[0].size() - at);
      range.append(std::span(levels_[0]).subspan(at, count), &nodes);
    }
    for (const MerkleNode& node : nodes) {
      const std::size_t level = node.level / merkle_level_step;
      if (levels_.size() <= level) levels_.resize(level + 1);
      REQUIRE(levels_[level].size() == static_cast<std::size_t>(node.index));
      levels_[level].push_back(node.hash);
    }
  }

  std::vector<Hashes> read(const ProofPlan& plan) const {
    std::vector<Hashes> runs;
    for (const ProofPlan::Run& run : plan.runs) {
      REQUIRE(run.level % merkle_level_step == 0);
      const std::size_t level = run.level / merkle_level_step;
      REQUIRE(level < levels_.size());
      REQUIRE((run.begin < run.end && run.end <= std::int64_t(levels_[level].size())));
      const Digest* nodes = levels_[level].data();
      runs.emplace_back(nodes + run.begin, nodes + run.end);
    }
    return runs;
  }

 private:
  std::vector<Hashes> levels_;
};

std::vector<Part> parts_of(const ProofPlan& plan) {
  std::vector<Part> parts;
  for (const ProofPlan::Subtree& subtree : plan.path)
    parts.emplace_back(subtree.begin, subtree.end);
  return parts;
}

// In order, none touching another, and from at most two blocks of 256 at each level.
bool well_formed(const std::vector<ProofPlan::Run>& runs) {
  std::vector<Part> blocks;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const ProofPlan::Run& run = runs[i];
    if (run.begin >= run.end) return false;
    if (i > 0 && run.level < runs[i - 1].level) return false;
    if (i > 0 && run.level == runs[i - 1].level && run.begin <= runs[i - 1].end) return false;
    for (std::int64_t block = run.begin >> 8; block <= (run.end - 1) >> 8; ++block) {
      if (blocks.empty() || blocks.back() != Part(run.level, block)) {
        blocks.emplace_back(run.level, block);
      }
    }
  }
  for (std::size_t i = 2; i < blocks.size(); ++i) {
    if (blocks[i].first == blocks[i - 2].first) return false;
  }
  return true;
}

Hashes inclusion(const KeptTree& kept, std::int64_t index, std::int64_t size) {
  ProofPlan plan;
  Hashes proof;
  REQUIRE(plan_inclusion(index, size, plan));
  REQUIRE(make_proof(plan, kept.read(plan), proof));
  return proof;
}

Hashes consistency(const KeptTree& kept, std::int64_t old_size, std::int64_t size) {
  ProofPlan plan;
  Hashes proof;
  REQUIRE(plan_consistency(old_size, size, plan));
  REQUIRE(make_proof(plan, kept.read(plan), proof));
  return proof;
}

Digest flipped(Digest digest, std::size_t byte, int bit) {
  digest[byte] = static_cast<std::uint8_t>(digest[byte] ^ (1 << bit));
  return digest;
}

// Every proof near a good one: each byte of each hash, one hash fewer or more at every place,
// neighbours exchanged.
template <class Visit>
void each_forgery(const Hashes& proof, const Digest& stranger, Visit visit) {
  for (std::size_t i = 0; i < proof.size(); ++i) {
    for (std::size_t byte = 0; byte < proof[i].size(); ++byte) {
      Hashes forged = proof;
      forged[i] = flipped(forged[i], byte, static_cast<int>((i + byte) % 8));
      visit(forged);
    }
    Hashes shorter = proof;
    shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
    visit(shorter);
    if (i > 0) {
      Hashes swapped = proof;
      std::swap(swapped[i], swapped[i - 1]);
      visit(swapped);
    }
  }
  for (std::size_t i = 0; i <= proof.size(); ++i) {
    Hashes longer = proof;
    longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(i), stranger);
    visit(longer);
    if (i < proof.size()) longer[i] = proof[i];
    if (i < proof.size()) visit(longer);
  }
}

}  // namespace

TEST_CASE("The reference tree of Certificate Transparency has its proofs", "[merkle]") {
  Hashes leaves;
  for (const std::string_view hex : merkle_vectors::leaves) {
    std::string leaf(hex.size() / 2, '\0');
    REQUIRE(from_hex(hex, leaf.data(), leaf.size()));
    leaves.push_back(merkle_leaf(leaf));
  }
  const KeptTree kept(leaves);
  const auto root = [](std::int64_t size) {
    return digest_of(merkle_vectors::roots[static_cast<std::size_t>(size)]);
  };
  for (const auto& vector : merkle_vectors::inclusion_proofs()) {
    INFO("leaf " << vector.of << " in " << vector.size);
    CHECK(inclusion(kept, vector.of, vector.size) == digests_of(vector.hashes));
    CHECK(verify_inclusion(leaves[static_cast<std::size_t>(vector.of)], vector.of, vector.size,
                           digests_of(vector.hashes), root(vector.size)));
  }
  for (const auto& vector : merkle_vectors::consistency_proofs()) {
    INFO("size " << vector.of << " in " << vector.size);
    CHECK(consistency(kept, vector.of, vector.size) == digests_of(vector.hashes));
    CHECK(verify_consistency(vector.of, vector.size, root(vector.of), root(vector.size),
                             digests_of(vector.hashes)));
  }
}

TEST_CASE("Plans are PATH and PROOF for every size to 300", "[merkle]") {
  for (std::int64_t size = 1; size <= 300; ++size) {
    for (std::int64_t at = 0; at < size; ++at) {
      ProofPlan plan;
      const bool planned = plan_inclusion(at, size, plan);
      const bool path = parts_of(plan) == Tree::path(at, {0, size});
      const bool formed = well_formed(plan.runs);
      const bool old_planned = plan_consistency(at + 1, size, plan);
      const bool proof = parts_of(plan) == Tree::subproof(at + 1, {0, size}, true);
      if (!planned || !path || !formed || !old_planned || !proof || !well_formed(plan.runs)) {
        FAIL("leaf or size " << at << " in " << size);
      }
    }
  }
}

TEST_CASE("Plans of trees of any size are PATH and PROOF", "[merkle]") {
  std::uint64_t state = 3;
  for (int round = 0; round < 4'000; ++round) {
    const auto next = [&state] {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return state >> 11;
    };
    const auto mask = (std::uint64_t{1} << (next() % 54)) - 1;
    const std::int64_t size =
        round == 0 ? merkle_size_max : 1 + static_cast<std::int64_t>(next() & mask);
    const std::int64_t at = static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(size));
    INFO("leaf or size " << at << " in " << size);
    ProofPlan plan;
    REQUIRE(plan_inclusion(at, size, plan));
    REQUIRE(parts_of(plan) == Tree::path(at, {0, size}));
    REQUIRE(well_formed(plan.runs));
    REQUIRE(plan_consistency(at + 1, size, plan));
    REQUIRE(parts_of(plan) == Tree::subproof(at + 1, {0, size}, true));
    REQUIRE(well_formed(plan.runs));
  }
}

TEST_CASE("Nothing is planned for what is not in the tree", "[merkle]") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  ProofPlan plan;
  for (const auto& [at, size] : std::vector<Part>{{0, 0},
                                                  {-1, 5},
                                                  {5, 5},
                                                  {6, 5},
                                                  {0, -1},
                                                  {-2, -1},
                                                  {0, merkle_size_max + 1},
                                                  {0, most},
                                                  {least, most},
                                                  {most, most},
                                                  {least, least}}) {
    INFO(at << " in " << size);
    CHECK_FALSE(plan_inclusion(at, size, plan));
    CHECK_FALSE(verify_inclusion({}, at, size, {}, Digest{{1}}));
  }
  for (const auto& [old_size, size] : std::vector<Part>{{0, 0},
                                                        {0, 5},
                                                        {-1, 5},
                                                        {6, 5},
                                                        {1, -1},
                                                        {-1, -1},
                                                        {-2, -1},
                                                        {1, merkle_size_max + 1},
                                                        {least, most},
                                                        {least, least}}) {
    INFO(old_size << " in " << size);
    CHECK_FALSE(plan_consistency(old_size, size, plan));
    CHECK_FALSE(verify_consistency(old_size, size, {}, {}, {}));
  }
}

TEST_CASE("Verifying takes numbers of any size", "[merkle]") {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const Hashes overlong(1'000);
  for (const std::int64_t size : {std::int64_t{2}, merkle_size_max, most - 1, most}) {
    for (const std::int64_t at : {std::int64_t{1}, size / 2, size - 1}) {
      for (const int length : {0, 1, 52, 53, 54, 62, 63, 64, 1'000}) {
        const auto proof = std::span(overlong).first(static_cast<std::size_t>(length));
        CHECK_FALSE(verify_inclusion({}, at, size, proof, {}));
        if (at < size) CHECK_FALSE(verify_consistency(at, size, {}, {}, proof));
      }
    }
  }
}

TEST_CASE("Proofs of every leaf and every older size are made and verified", "[merkle]") {
  const std::int64_t most = 300;
  Tree tree(numbered_leaves(most));
  const KeptTree kept(tree.leaves());
  for (std::int64_t size = 1; size <= most; ++size) {
    const Digest root = tree.root(size);
    for (std::int64_t at = 0; at < size; ++at) {
      INFO("leaf or size " << at << " in " << size);
      // Large trees take long to hash anew, so of theirs only every so many proofs are made.
      if (size > 64 && at % 37 != size % 37 && at + 1 != size) continue;
      const Hashes path = inclusion(kept, at, size);
      REQUIRE(path == tree.hashes(Tree::path(at, {0, size})));
      REQUIRE(verify_inclusion(tree.leaves()[static_cast<std::size_t>(at)], at, size, path, root));
      const Hashes proof = consistency(kept, at + 1, size);
      REQUIRE(proof == tree.hashes(Tree::subproof(at + 1, {0, size}, true)));
      REQUIRE(verify_consistency(at + 1, size, tree.root(at + 1), root, proof));
    }
  }
}

TEST_CASE("Proofs are made from kept nodes around whole blocks and in large trees", "[merkle]") {
  const std::int64_t most = 65'536 + 300;
  Tree tree(numbered_leaves(most));
  const KeptTree kept(tree.leaves());
  std::vector<Part> asked;
  for (const std::int64_t edge : {256, 512, 65'536}) {
    for (const std::int64_t size : {edge - 1, edge, edge + 1}) {
      for (const std::int64_t at : {std::int64_t{0}, std::int64_t{255}, size / 2, size - 1}) {
        if (at < size) asked.emplace_back(at, size);
      }
    }
  }
  std::uint64_t state = 17;
  for (int i = 0; i < 12; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const auto size = 1 + static_cast<std::int64_t>((state >> 33) % std::uint64_t(most));
    asked.emplace_back(static_cast<std::int64_t>((state >> 20) % std::uint64_t(size)), size);
  }
  for (const auto& [at, size] : asked) {
    INFO("leaf or size " << at << " in " << size);
    const Hashes path = inclusion(kept, at, size);
    REQUIRE(path == tree.hashes(Tree::path(at, {0, size})));
    REQUIRE(verify_inclusion(tree.leaves()[static_cast<std::size_t>(at)], at, size, path,
                             tree.root(size)));
    const Hashes proof = consistency(kept, at + 1, size);
    REQUIRE(proof == tree.hashes(Tree::subproof(at + 1, {0, size}, true)));
    REQUIRE(verify_consistency(at + 1, size, tree.root(at + 1), tree.root(size), proof));
  }
}

TEST_CASE("A proof is made of exactly the hashes that its plan asks for", "[merkle]") {
  const KeptTree kept(numbered_leaves(600));
  ProofPlan plan;
  REQUIRE(plan_inclusion(300, 600, plan));
  const std::vector<Hashes> runs = kept.read(plan);
  REQUIRE(runs.size() >= 3);
  Hashes proof;
  REQUIRE(make_proof(plan, runs, proof));
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::vector<Hashes> other = runs;
    other[i].pop_back();
    CHECK_FALSE(make_proof(plan, other, proof));
    other[i] = runs[i];
    other[i].emplace_back();
    CHECK_FALSE(make_proof(plan, other, proof));
    other = runs;
    other.erase(other.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_FALSE(make_proof(plan, other, proof));
    ProofPlan without = plan;
    without.runs.erase(without.runs.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_FALSE(make_proof(without, other, proof));
  }
  CHECK_FALSE(make_proof(plan, {}, proof));
  // A run's hashes count: another one makes another proof.
  std::vector<Hashes> other = runs;
  other[0][0] = flipped(other[0][0], 0, 0);
  Hashes good;
  REQUIRE(make_proof(plan, runs, good));
  REQUIRE(make_proof(plan, other, proof));
  CHECK(proof != good);
}

TEST_CASE("No other proof, leaf, index, size or root passes for an inclusion", "[merkle]") {
  Tree tree(numbered_leaves(80));
  for (std::int64_t size = 1; size <= 70; size += size < 20 ? 1 : 5) {
    const Digest root = tree.root(size);
    for (std::int64_t index = 0; index < size; index += size < 20 ? 1 : 9) {
      INFO("leaf " << index << " in " << size);
      const Digest& leaf = tree.leaves()[static_cast<std::size_t>(index)];
      const Hashes proof = tree.hashes(Tree::path(index, {0, size}));
      REQUIRE(verify_inclusion(leaf, index, size, proof, root));
      int passed = 0;
      each_forgery(proof, leaf, [&](const Hashes& forged) {
        passed += verify_inclusion(leaf, index, size, forged, root) ? 1 : 0;
      });
      for (std::size_t byte = 0; byte < 32; ++byte) {
        passed += verify_inclusion(flipped(leaf, byte, 3), index, size, proof, root) ? 1 : 0;
        passed += verify_inclusion(leaf, index, size, proof, flipped(root, byte, 5)) ? 1 : 0;
      }
      for (std::int64_t other = -1; other <= size; ++other) {
        if (other == index) continue;
        passed += verify_inclusion(leaf, other, size, proof, root) ? 1 : 0;
      }
      REQUIRE(passed == 0);
    }
  }
}

// With another size a proof may have the same shape, so the root of that size has to refuse it: a
// verifier takes size and root from one checkpoint.
TEST_CASE("A proof for one size is none for the tree of another", "[merkle]") {
  Tree tree(numbered_leaves(80));
  for (std::int64_t size = 1; size <= 70; ++size) {
    const std::int64_t index = size * 2 / 3;
    const Hashes path = tree.hashes(Tree::path(index, {0, size}));
    const std::int64_t old_size = index + 1;
    const Hashes proof = tree.hashes(Tree::subproof(old_size, {0, size}, true));
    for (std::int64_t other = 1; other <= 72; ++other) {
      if (other == size) continue;
      INFO("size " << size << " as " << other);
      REQUIRE_FALSE(verify_inclusion(tree.leaves()[static_cast<std::size_t>(index)], index, other,
                                     path, tree.root(other)));
      if (other == old_size) continue;
      REQUIRE_FALSE(
          verify_consistency(old_size, other, tree.root(old_size), tree.root(other), proof));
      if (other <= size) {
        REQUIRE_FALSE(verify_consistency(other, size, tree.root(other), tree.root(size), proof));
      }
    }
  }
}

TEST_CASE("No other proof and no other root passes for consistency", "[merkle]") {
  Tree tree(numbered_leaves(70));
  const Digest stranger = merkle_leaf("stranger");
  for (std::int64_t size = 1; size <= 70; size += size < 20 ? 1 : 5) {
    const Digest root = tree.root(size);
    for (std::int64_t old_size = 1; old_size <= size; old_size += size < 20 ? 1 : 9) {
      INFO("size " << old_size << " in " << size);
      const Digest old_root = tree.root(old_size);
      const Hashes proof = tree.hashes(Tree::subproof(old_size, {0, size}, true));
      REQUIRE(verify_consistency(old_size, size, old_root, root, proof));
      int passed = 0;
      each_forgery(proof, stranger, [&](const Hashes& forged) {
        passed += verify_consistency(old_size, size, old_root, root, forged) ? 1 : 0;
      });
      for (std::size_t byte = 0; byte < 32; ++byte) {
        const Digest other = flipped(root, byte, 1);
        const Digest other_old = flipped(old_root, byte, 6);
        passed += verify_consistency(old_size, size, old_root, other, proof) ? 1 : 0;
        passed += verify_consistency(old_size, size, other_old, root, proof) ? 1 : 0;
      }
      if (old_size < size) {
        passed += verify_consistency(old_size, size, root, old_root, proof) ? 1 : 0;
        passed += verify_consistency(size, old_size, root, old_root, proof) ? 1 : 0;
      }
      REQUIRE(passed == 0);
    }
  }
}
