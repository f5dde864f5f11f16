#include "z0/tree/merkle.hpp"

#include <algorithm>
#include <utility>

#include "tree/cover.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/trap.hpp"

namespace z0 {
namespace {

// RFC 6962, 2.1: what tells a leaf from a node, so that neither passes for the other.
constexpr std::uint8_t leaf_prefix = 0;
constexpr std::uint8_t node_prefix = 1;

// Those of a tree of merkle_size_max leaves.
constexpr std::size_t levels = 54;

std::string_view view(const Digest* hashes, std::size_t count) {
  static_assert(sizeof(Digest) == 32);
  return {reinterpret_cast<const char*>(hashes), count * sizeof(Digest)};
}

// The parents of pairs of neighbours. A pair is a message as it lies in memory.
void hash_pairs(const Digest* nodes, std::size_t pairs, Digest* out) {
  constexpr std::size_t at_once = 64;
  std::string_view messages[at_once];
  while (pairs > 0) {
    const std::size_t now = std::min(pairs, at_once);
    for (std::size_t i = 0; i < now; ++i) messages[i] = view(nodes + 2 * i, 2);
    sha256_each(node_prefix, {messages, now}, out);
    nodes += 2 * now;
    out += now;
    pairs -= now;
  }
}

std::size_t cover_count(std::int64_t begin, std::int64_t end) {
  std::size_t count = 0;
  for (; begin < end; ++count) begin += std::int64_t{1} << first_level(begin, end);
  return count;
}

}  // namespace

Digest merkle_empty_root() { return sha256({}); }

Digest merkle_leaf(std::string_view leaf) {
  Digest hash;
  merkle_leaves({&leaf, 1}, &hash);
  return hash;
}

Digest merkle_node(const Digest& left, const Digest& right) {
  const Digest pair[] = {left, right};
  const std::string_view message = view(pair, 2);
  Digest hash;
  sha256_each(node_prefix, {&message, 1}, &hash);
  return hash;
}

void merkle_leaves(std::span<const std::string_view> leaves, Digest* out) {
  sha256_each(leaf_prefix, leaves, out);
}

MerkleRange::MerkleRange(std::int64_t begin) : begin_(begin), end_(begin) {
  if (begin < 0 || begin > merkle_size_max) trap("a range begins within what a tree may hold");
}

// Whether the last subtree, of this level, is the left half of one that the next would complete.
bool MerkleRange::ends_with_left_sibling(std::uint8_t level) const {
  return level < levels && odd_end(level) && size() >= std::int64_t{1} << level;
}

Digest MerkleRange::pop(std::uint8_t level) {
  const Digest last = hashes_.back();
  hashes_.pop_back();
  end_ -= std::int64_t{1} << level;
  return last;
}

void MerkleRange::push(std::uint8_t level, Digest hash) {
  while (ends_with_left_sibling(level)) hash = merkle_node(pop(level++), hash);
  hashes_.push_back(hash);
  end_ += std::int64_t{1} << level;
}

// Level by level: the nodes of one level stand at the end of the range, one behind the other. A
// left sibling that the range ends with joins them; what then has no partner stays at this level,
// at the left because its sibling began before the range, at the right until its sibling comes.
void MerkleRange::append(std::span<const Digest> leaves, std::vector<MerkleNode>* completed) {
  std::size_t count = leaves.size();
  if (count > static_cast<std::uint64_t>(merkle_size_max - end_))
    trap("a tree holds at most merkle_size_max leaves");
  const std::int64_t end = end_ + static_cast<std::int64_t>(count);
  // Each has room in front for a left sibling.
  std::vector<Digest> nodes(count + 1);
  std::vector<Digest> above(count / 2 + 2);
  if (count > 0) std::memcpy(&nodes[1], leaves.data(), leaves.size_bytes());
  Digest waiting[levels];
  std::size_t waiting_count = 0;
  for (std::uint8_t level = 0; count > 0; ++level) {
    Digest* first = &nodes[1];
    if (completed != nullptr && level > 0 && level % merkle_level_step == 0) {
      const std::int64_t index = end_ >> level;
      for (std::size_t i = 0; i < count; ++i) {
        completed->push_back({level, index + static_cast<std::int64_t>(i), first[i]});
      }
    }
    if (ends_with_left_sibling(level)) {
      *--first = pop(level);
      ++count;
    } else if (odd_end(level)) {
      push(level, *first++);
      --count;
    }
    if (count % 2 != 0) waiting[waiting_count++] = first[--count];
    count /= 2;
    hash_pairs(first, count, &above[1]);
    nodes.swap(above);
  }
  while (waiting_count > 0) hashes_.push_back(waiting[--waiting_count]);
  end_ = end;
}

bool MerkleRange::join(const MerkleRange& next) {
  if (next.begin_ != end_) return false;
  std::int64_t at = next.begin_;
  for (const Digest& hash : next.hashes_) {
    const std::uint8_t level = first_level(at, next.end_);
    push(level, hash);
    at += std::int64_t{1} << level;
  }
  return true;
}

Digest MerkleRange::root() const {
  if (begin_ != 0) trap("only a range that begins at 0 has a root");
  if (hashes_.empty()) return merkle_empty_root();
  Digest root = hashes_.back();
  for (std::size_t i = hashes_.size() - 1; i-- > 0;) root = merkle_node(hashes_[i], root);
  return root;
}

std::string MerkleRange::encode() const {
  std::string out;
  ByteWriter writer(out);
  writer.u64(static_cast<std::uint64_t>(begin_));
  writer.u64(static_cast<std::uint64_t>(end_));
  writer.raw(view(hashes_.data(), hashes_.size()));
  return out;
}

bool MerkleRange::decode(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint64_t begin = in.u64();
  const std::uint64_t end = in.u64();
  if (!in.ok() || begin > end || end > static_cast<std::uint64_t>(merkle_size_max)) return false;
  MerkleRange range;
  range.begin_ = static_cast<std::int64_t>(begin);
  range.end_ = static_cast<std::int64_t>(end);
  range.hashes_.resize(cover_count(range.begin_, range.end_));
  if (in.left() != range.hashes_.size() * sizeof(Digest)) return false;
  if (in.left() > 0) std::memcpy(range.hashes_.data(), in.at(), in.left());
  *this = std::move(range);
  return true;
}

std::string MerkleRange::encode_hex() const {
  std::string hex;
  append_hex(hex, encode());
  return hex;
}

bool MerkleRange::decode_hex(std::string_view hex) {
  std::string bytes(hex.size() / 2, '\0');
  const auto upper = [](char c) { return c >= 'A' && c <= 'F'; };
  return std::none_of(hex.begin(), hex.end(), upper) && from_hex(hex, bytes.data(), bytes.size()) &&
         decode(bytes);
}

}  // namespace z0
