// The Merkle tree over a ledger's facts: RFC 6962, section 2.1, with SHA-256.
//
// A ledger's leaves are its records in order, without their leading size: leaf i is the fact with
// sequence number i + 1. So the tree commits to each fact's bytes, its number and its commit time,
// and a root names the whole history up to a size.
//
// Use MerkleRange where leaves arrive (the ledger, the consumer), ProofPlan where one is asked for
// (the ledger's reads), and the verify functions where somebody checks. Nothing here trusts a
// proof: every function takes any bytes. No tree has more than merkle_size_max leaves.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "z0/base/bytes.hpp"
#include "z0/base/sha256.hpp"

namespace z0 {

// Sizes cross JSON, so they are exact in JavaScript.
inline constexpr std::int64_t merkle_size_max = std::int64_t{1} << 53;

// MTH of no leaves: the hash of the empty string.
Digest merkle_empty_root();
Digest merkle_leaf(std::string_view leaf);
Digest merkle_node(const Digest& left, const Digest& right);
// The hashes of many leaves, four at a time in SIMD lanes where the machine has them.
void merkle_leaves(std::span<const std::string_view> leaves, Digest* out);

// A complete subtree that lies at a level whose nodes a ledger keeps: leaves
// [index << level, (index + 1) << level).
struct MerkleNode {
  std::uint8_t level = 0;
  std::int64_t index = 0;
  Digest hash{};
  friend bool operator==(const MerkleNode&, const MerkleNode&) = default;
};
// Levels whose nodes are kept: 8, 16, 24 and so on. One row for 256 facts; a proof reads from at
// most two blocks of 256 leaves, and from two blocks of 256 nodes of each kept level.
inline constexpr std::uint8_t merkle_level_step = 8;

// The leaves [begin, end) as the roots of the largest aligned complete subtrees that cover them,
// in order: at most 2 x 64 hashes. A range that begins at 0 has a root.
class MerkleRange {
 public:
  MerkleRange() = default;
  // Traps unless 0 <= begin <= merkle_size_max.
  explicit MerkleRange(std::int64_t begin);

  std::int64_t begin() const { return begin_; }
  std::int64_t end() const { return end_; }
  std::int64_t size() const { return end_ - begin_; }

  // Appends the hashes of the next leaves; inner nodes are hashed four at a time. Nodes of the kept
  // levels that become complete, and lie in this range as a whole, are added to `completed` when it
  // is given: those of one call by level, then by index. Traps beyond merkle_size_max.
  void append(std::span<const Digest> leaves, std::vector<MerkleNode>* completed = nullptr);
  void append(const Digest& leaf, std::vector<MerkleNode>* completed = nullptr) {
    append(std::span(&leaf, 1), completed);
  }
  // Appends the range that begins where this one ends; false, and nothing changes, when it does
  // not.
  bool join(const MerkleRange& next);
  // The root of a range that begins at 0; traps for any other.
  Digest root() const;

  // begin, end and the hashes; as lower-case hex for D1, which cannot take bytes inside of JSON.
  // Each range has one encoding; decoding takes no other, and changes nothing when it fails.
  std::string encode() const;
  [[nodiscard]] bool decode(std::string_view bytes);
  std::string encode_hex() const;
  [[nodiscard]] bool decode_hex(std::string_view hex);

  friend bool operator==(const MerkleRange&, const MerkleRange&) = default;

 private:
  bool odd_end(std::uint8_t level) const { return ((end_ >> level) & 1) != 0; }
  bool ends_with_left_sibling(std::uint8_t level) const;
  Digest pop(std::uint8_t level);
  void push(std::uint8_t level, Digest hash);

  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::vector<Digest> hashes_;
};

// What has to be read to make a proof: runs of leaves, which lie in at most two blocks of 256, and
// runs of kept nodes.
struct ProofPlan {
  struct Run {
    std::uint8_t level = 0;  // 0: leaves
    std::int64_t begin = 0;  // index at that level
    std::int64_t end = 0;
  };
  std::vector<Run>
      runs;  // in ascending order of level, then of begin; none empty, none overlapping
  // The subtrees of the proof, in its order.
  struct Subtree {
    std::int64_t begin = 0;
    std::int64_t end = 0;
  };
  std::vector<Subtree> path;
};

// PATH(index, D[size]); false unless 0 <= index < size <= merkle_size_max.
bool plan_inclusion(std::int64_t index, std::int64_t size, ProofPlan& out);
// PROOF(old_size, D[size]); false unless 0 < old_size <= size <= merkle_size_max. The plan is empty
// when they are equal.
bool plan_consistency(std::int64_t old_size, std::int64_t size, ProofPlan& out);
// The proof, from the hashes of each run in order. False when a run has another number of hashes.
bool make_proof(const ProofPlan& plan, const std::vector<std::vector<Digest>>& run_hashes,
                std::vector<Digest>& out);

// RFC 9162, section 2.1.3.2 and 2.1.4.2: total for any input. Trees of equal sizes are consistent
// when their roots are equal and the proof is empty. No proof starts from an empty tree, which
// every tree extends.
bool verify_inclusion(const Digest& leaf, std::int64_t index, std::int64_t size,
                      std::span<const Digest> proof, const Digest& root);
bool verify_consistency(std::int64_t old_size, std::int64_t size, const Digest& old_root,
                        const Digest& root, std::span<const Digest> proof);

}  // namespace z0
