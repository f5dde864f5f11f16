// Making and checking the proofs of RFC 6962 (RFC 9162 says how to check). What RFC 6962 defines by
// recursion are loops here, of at most 64 turns each.
#include "tree/cover.hpp"
#include "z0/tree/merkle.hpp"

namespace z0 {
namespace {

using Run = ProofPlan::Run;
using Subtree = ProofPlan::Subtree;

// A tree of merkle_size_max leaves has nodes of levels 0 to 53; a consistency proof may have one
// subtree more than there are halvings.
constexpr std::uint8_t level_max = 53;
constexpr std::size_t path_max = level_max + 1;

// Where a subtree [begin, end) of at least two leaves is halved: behind the largest power of two
// that is smaller than its size.
std::int64_t middle(std::int64_t begin, std::int64_t end) {
  const auto last = static_cast<std::uint64_t>(end - begin - 1);
  return begin + (std::int64_t{1} << (63 - __builtin_clzll(last)));
}

// The largest complete subtree at the beginning of [begin, end), as a run of leaves or kept nodes.
Run first_run(std::int64_t begin, std::int64_t end) {
  const std::uint8_t level = first_level(begin, end);
  const auto kept = static_cast<std::uint8_t>(level / merkle_level_step * merkle_level_step);
  const std::int64_t first = begin >> kept;
  return {kept, first, first + (std::int64_t{1} << (level - kept))};
}

std::int64_t leaves_end(const Run& run) { return run.end << run.level; }

// Adds the runs of one level that a subtree needs; one that continues the last becomes a part of
// it.
void add_runs(const Subtree& subtree, std::uint8_t level, std::vector<Run>& runs) {
  for (std::int64_t at = subtree.begin; at < subtree.end;) {
    const Run run = first_run(at, subtree.end);
    at = leaves_end(run);
    if (run.level != level) continue;
    if (!runs.empty() && runs.back().level == level && runs.back().end == run.begin) {
      runs.back().end = run.end;
    } else {
      runs.push_back(run);
    }
  }
}

// The descent to `target` found the subtrees from the root down, and a proof has them from the leaf
// up. From left to right those before the target come as they were found, then the others in
// reverse.
void finish_plan(const Subtree* subtrees, std::size_t count, std::int64_t target, ProofPlan& out) {
  out = ProofPlan{};
  for (std::size_t i = count; i-- > 0;) out.path.push_back(subtrees[i]);
  for (std::uint8_t level = 0; level <= level_max; level += merkle_level_step) {
    for (std::size_t i = 0; i < count; ++i) {
      if (subtrees[i].begin < target) add_runs(subtrees[i], level, out.runs);
    }
    for (std::size_t i = count; i-- > 0;) {
      if (subtrees[i].begin >= target) add_runs(subtrees[i], level, out.runs);
    }
  }
}

// The hashes of one complete subtree: a part of the run that holds them.
bool find_run(const ProofPlan& plan, const std::vector<std::vector<Digest>>& run_hashes,
              const Run& wanted, std::span<const Digest>& out) {
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const Run& run = plan.runs[i];
    if (run.level != wanted.level || wanted.begin < run.begin || wanted.end > run.end) continue;
    out = std::span(run_hashes[i])
              .subspan(static_cast<std::size_t>(wanted.begin - run.begin),
                       static_cast<std::size_t>(wanted.end - wanted.begin));
    return true;
  }
  return false;
}

// The hash of a subtree of the path. Its complete subtrees shrink from left to right, as those of a
// tree do, and the hashes of one of them are a tree of their own.
bool hash_subtree(const ProofPlan& plan, const std::vector<std::vector<Digest>>& run_hashes,
                  const Subtree& subtree, Digest& out) {
  std::vector<Digest> roots;
  for (std::int64_t at = subtree.begin; at < subtree.end;) {
    const Run run = first_run(at, subtree.end);
    std::span<const Digest> hashes;
    if (!find_run(plan, run_hashes, run, hashes)) return false;
    MerkleRange tree;
    tree.append(hashes);
    roots.push_back(tree.root());
    at = leaves_end(run);
  }
  if (roots.empty()) return false;
  out = roots.back();
  for (std::size_t i = roots.size() - 1; i-- > 0;) out = merkle_node(roots[i], out);
  return true;
}

// RFC 9162 walks up from a node to the root with two numbers: the node's and the last node's of the
// same level.
class Walk {
 public:
  Walk(std::int64_t node, std::int64_t last) : node_(node), last_(last) {}

  bool at_root() const { return last_ == 0; }
  bool node_is_odd() const { return (node_ & 1) != 0; }
  void up() {
    node_ >>= 1;
    last_ >>= 1;
  }
  // Whether the next hash of the proof stands at the left; then goes up, past the levels at which
  // the last node has no sibling.
  bool sibling_is_left() {
    const bool left = node_is_odd() || node_ == last_;
    if (left) {
      while (!node_is_odd() && node_ != 0) up();
    }
    up();
    return left;
  }

 private:
  std::int64_t node_;
  std::int64_t last_;
};

}  // namespace

bool plan_inclusion(std::int64_t index, std::int64_t size, ProofPlan& out) {
  if (index < 0 || index >= size || size > merkle_size_max) return false;
  Subtree siblings[path_max];
  std::size_t count = 0;
  std::int64_t begin = 0;
  std::int64_t end = size;
  while (end - begin > 1) {
    const std::int64_t half = middle(begin, end);
    if (index < half) {
      siblings[count++] = {half, end};
      end = half;
    } else {
      siblings[count++] = {begin, half};
      begin = half;
    }
  }
  finish_plan(siblings, count, index, out);
  return true;
}

bool plan_consistency(std::int64_t old_size, std::int64_t size, ProofPlan& out) {
  if (old_size <= 0 || old_size > size || size > merkle_size_max) return false;
  Subtree subtrees[path_max];
  std::size_t count = 0;
  std::int64_t begin = 0;
  std::int64_t end = size;
  while (end != old_size) {
    const std::int64_t half = middle(begin, end);
    if (old_size <= half) {
      subtrees[count++] = {half, end};
      end = half;
    } else {
      subtrees[count++] = {begin, half};
      begin = half;
    }
  }
  // Whoever checks has the old root; any other subtree that the old tree ends with has to be told.
  if (begin != 0) subtrees[count++] = {begin, end};
  finish_plan(subtrees, count, old_size, out);
  return true;
}

bool make_proof(const ProofPlan& plan, const std::vector<std::vector<Digest>>& run_hashes,
                std::vector<Digest>& out) {
  out.clear();
  if (run_hashes.size() != plan.runs.size()) return false;
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const Run& run = plan.runs[i];
    if (run_hashes[i].size() != static_cast<std::uint64_t>(run.end - run.begin)) return false;
  }
  for (const Subtree& subtree : plan.path) {
    if (!hash_subtree(plan, run_hashes, subtree, out.emplace_back())) return false;
  }
  return true;
}

bool verify_inclusion(const Digest& leaf, std::int64_t index, std::int64_t size,
                      std::span<const Digest> proof, const Digest& root) {
  if (index < 0 || index >= size) return false;
  Walk walk(index, size - 1);
  Digest hash = leaf;
  for (const Digest& sibling : proof) {
    if (walk.at_root()) return false;
    hash = walk.sibling_is_left() ? merkle_node(sibling, hash) : merkle_node(hash, sibling);
  }
  return walk.at_root() && hash == root;
}

bool verify_consistency(std::int64_t old_size, std::int64_t size, const Digest& old_root,
                        const Digest& root, std::span<const Digest> proof) {
  if (old_size <= 0 || old_size > size) return false;
  if (old_size == size) return proof.empty() && old_root == root;
  Walk walk(old_size - 1, size - 1);
  while (walk.node_is_odd()) walk.up();
  // An old tree that is complete is itself where the walk begins.
  Digest old_hash = old_root;
  if ((old_size & (old_size - 1)) != 0) {
    if (proof.empty()) return false;
    old_hash = proof.front();
    proof = proof.subspan(1);
  }
  Digest hash = old_hash;
  for (const Digest& sibling : proof) {
    if (walk.at_root()) return false;
    if (walk.sibling_is_left()) {
      old_hash = merkle_node(sibling, old_hash);
      hash = merkle_node(sibling, hash);
    } else {
      hash = merkle_node(hash, sibling);
    }
  }
  return walk.at_root() && old_hash == old_root && hash == root;
}

}  // namespace z0
