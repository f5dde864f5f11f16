// Proofs of a tree, changed as the input says: one that differs from the right one is never
// accepted, for the tree that it speaks of. Then the same input as numbers and bytes of any kind,
// which break nothing.
#include <algorithm>
#include <vector>

#include "step_law.hpp"
#include "unit/tree/merkle_reference.hpp"
#include "z0/base/bytes.hpp"
#include "z0/tree/merkle.hpp"

namespace {

using namespace z0;
using merkle_reference::Tree;
using step_law::broken;

using Hashes = std::vector<Digest>;

// Above a block of 256, so that plans ask for a kept node.
constexpr std::int64_t leaves_max = 300;

Tree& tree() {
  static Tree grown(merkle_reference::numbered_leaves(leaves_max));
  return grown;
}

// More would make proofs that differ everywhere, and take long.
constexpr int changes_max = 6;

std::int64_t below(ByteReader& in, std::int64_t n) { return in.u16() % n; }

Digest any_hash(ByteReader& in) {
  Digest hash{};
  const std::string_view bytes = in.raw(std::min(in.left(), hash.size()));
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

// The hash of some part of the tree: what a forger has at hand.
Digest hash_of_part(ByteReader& in) {
  const std::int64_t begin = below(in, leaves_max);
  return tree().hash(
      {begin, begin + 1 + below(in, std::min<std::int64_t>(64, leaves_max - begin))});
}

void change(ByteReader& in, Hashes& proof) {
  const std::uint8_t how = in.u8() % 6;
  const std::size_t at = in.u8() % (proof.size() + 1);
  const auto place = proof.begin() + static_cast<std::ptrdiff_t>(at);
  if (how == 0) {
    proof.insert(place, hash_of_part(in));
  } else if (how == 1) {
    proof.insert(place, any_hash(in));
  } else if (at == proof.size()) {
    return;
  } else if (how == 2) {
    proof.erase(place);
  } else if (how == 3) {
    *place = hash_of_part(in);
  } else if (how == 4) {
    const std::uint8_t bit = in.u8();
    (*place)[bit / 8] = static_cast<std::uint8_t>((*place)[bit / 8] ^ (1 << (bit % 8)));
  } else {
    std::swap(*place, proof[in.u8() % proof.size()]);
  }
}

// What a ledger would read for a plan.
std::vector<Hashes> read(const ProofPlan& plan) {
  std::vector<Hashes> runs;
  for (const ProofPlan::Run& run : plan.runs) {
    Hashes& hashes = runs.emplace_back();
    for (std::int64_t i = run.begin; i < run.end; ++i) {
      hashes.push_back(tree().hash({i << run.level, (i + 1) << run.level}));
    }
  }
  return runs;
}

Hashes made(const ProofPlan& plan) {
  Hashes proof;
  if (!make_proof(plan, read(plan), proof)) broken("a proof is made of what its plan asks for");
  return proof;
}

void check_inclusion(std::int64_t index, std::int64_t size, ByteReader in) {
  const Hashes right = tree().hashes(Tree::path(index, {0, size}));
  const Digest& leaf = tree().leaves()[static_cast<std::size_t>(index)];
  const Digest root = tree().root(size);
  ProofPlan plan;
  if (!plan_inclusion(index, size, plan) || made(plan) != right) broken("an inclusion is PATH");
  if (!verify_inclusion(leaf, index, size, right, root)) broken("the right path is accepted");
  Hashes proof = right;
  for (int i = 0; i < changes_max && !in.done(); ++i) change(in, proof);
  for (const std::int64_t claimed : {index, (index + 1) % size, index ^ 1, size - 1}) {
    if (!verify_inclusion(leaf, claimed, size, proof, root)) continue;
    if (claimed != index || proof != right) broken("no other path or index is accepted");
  }
}

void check_consistency(std::int64_t old_size, std::int64_t size, ByteReader in) {
  const Hashes right = tree().hashes(Tree::subproof(old_size, {0, size}, true));
  const Digest old_root = tree().root(old_size);
  const Digest root = tree().root(size);
  ProofPlan plan;
  if (!plan_consistency(old_size, size, plan) || made(plan) != right)
    broken("a consistency is PROOF");
  if (!verify_consistency(old_size, size, old_root, root, right))
    broken("the right proof is accepted");
  Hashes proof = right;
  for (int i = 0; i < changes_max && !in.done(); ++i) change(in, proof);
  if (proof != right && verify_consistency(old_size, size, old_root, root, proof))
    broken("no other proof is accepted");
}

// Numbers of 64 bits and a proof of raw bytes.
void check_anything(ByteReader in) {
  const auto a = static_cast<std::int64_t>(in.u64());
  const auto b = static_cast<std::int64_t>(in.u64());
  const Digest one = any_hash(in);
  const Digest two = any_hash(in);
  Hashes proof;
  while (!in.done()) proof.push_back(any_hash(in));
  ProofPlan plan;
  if (plan_inclusion(a, b, plan) && plan.path.size() > 53)
    broken("a path is as long as sizes allow");
  if (plan_consistency(a, b, plan) && plan.path.size() > 54)
    broken("a proof is as long as sizes allow");
  if (verify_inclusion(one, a, b, proof, two) && (a < 0 || a >= b || proof.size() > 63))
    broken("only leaves of a tree are in it");
  if (verify_consistency(a, b, one, two, proof) && (a <= 0 || a > b || proof.size() > 64))
    broken("only a smaller tree is consistent");
}

void check_range(std::string_view bytes) {
  MerkleRange range;
  if (!range.decode(bytes)) return;
  if (range.encode() != bytes) broken("a range has one encoding");
  const std::span<const Digest> leaves = std::span(tree().leaves()).first(20);
  if (range.end() > merkle_size_max - std::ssize(leaves)) return;
  MerkleRange batch = range;
  MerkleRange next(range.end());
  batch.append(leaves);
  next.append(leaves);
  if (!range.join(next) || !(range == batch)) broken("appending is joining");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_range(bytes);
  check_anything(ByteReader(bytes));
  ByteReader in(bytes);
  const std::int64_t leaves = 1 + below(in, leaves_max);
  const std::int64_t at = below(in, leaves);
  check_inclusion(at, leaves, in);
  check_consistency(at + 1, leaves, in);
  return 0;
}
