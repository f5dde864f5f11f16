#include "z0/tree/merkle.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "unit/catch.hpp"
#include "unit/tree/merkle_reference.hpp"
#include "unit/tree/merkle_vectors.hpp"
#include "z0/base/ids.hpp"

namespace {

using namespace z0;
using merkle_reference::numbered_leaves;
using merkle_reference::text_of;
using merkle_reference::Tree;

std::string hex(const Digest& digest) {
  std::string out;
  append_hex(out, text_of(digest));
  return out;
}

MerkleRange range_of(const std::vector<Digest>& leaves, std::int64_t begin, std::int64_t end) {
  MerkleRange range(begin);
  for (std::int64_t i = begin; i < end; ++i) range.append(leaves[static_cast<std::size_t>(i)]);
  return range;
}

std::span<const Digest> part(const std::vector<Digest>& leaves, std::int64_t begin,
                             std::int64_t end) {
  return std::span(leaves).subspan(static_cast<std::size_t>(begin),
                                   static_cast<std::size_t>(end - begin));
}

// Nodes in one order, whatever the calls that completed them.
std::vector<MerkleNode> sorted(std::vector<MerkleNode> nodes) {
  std::sort(nodes.begin(), nodes.end(), [](const MerkleNode& a, const MerkleNode& b) {
    return a.level != b.level ? a.level < b.level : a.index < b.index;
  });
  return nodes;
}

class Sequence {
 public:
  explicit Sequence(std::uint64_t seed) : state_(seed) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return low +
           static_cast<std::int64_t>((state_ >> 33) % static_cast<std::uint64_t>(high - low + 1));
  }

 private:
  std::uint64_t state_;
};

}  // namespace

TEST_CASE("Many messages behind a prefix have the hashes that each has alone", "[merkle]") {
  Sequence random(11);
  // Every length around the ends of a block, then mixtures in which lanes end at different times.
  for (int round = 0; round < 40; ++round) {
    std::vector<std::string> messages;
    const std::int64_t count = round < 12 ? round : random.between(1, 40);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t most = random.between(0, 9) == 0 ? 3'000 : 260;
      std::string& message = messages.emplace_back();
      for (std::int64_t n = random.between(0, most); n > 0; --n) {
        message.push_back(static_cast<char>(random.between(0, 255)));
      }
    }
    const std::vector<std::string_view> views(messages.begin(), messages.end());
    std::vector<Digest> hashes(views.size());
    const auto prefix = static_cast<std::uint8_t>(round);
    sha256_each(prefix, views, hashes.data());
    for (std::size_t i = 0; i < views.size(); ++i) {
      INFO("round " << round << ", message " << i << " of " << views[i].size() << " bytes");
      CHECK(hashes[i] == sha256(static_cast<char>(prefix) + messages[i]));
    }
  }
}

TEST_CASE("Messages of every length to 200 are padded alike in every lane", "[merkle]") {
  std::vector<std::string> messages;
  for (std::size_t n = 0; n <= 200; ++n) messages.emplace_back(n, static_cast<char>('a' + n % 26));
  for (std::size_t shift = 0; shift < 4; ++shift) {
    const std::vector<std::string_view> views(messages.begin() + static_cast<int>(shift),
                                              messages.end());
    std::vector<Digest> hashes(views.size());
    merkle_leaves(views, hashes.data());
    for (std::size_t i = 0; i < views.size(); ++i) {
      REQUIRE(hashes[i] == sha256('\0' + std::string(views[i])));
    }
  }
}

TEST_CASE("Leaves, nodes and the empty tree hash as RFC 6962 says", "[merkle]") {
  CHECK(merkle_empty_root() == sha256(""));
  CHECK(merkle_leaf("L123456") == sha256(std::string("\0L123456", 8)));
  const Digest left = merkle_leaf("N123");
  const Digest right = merkle_leaf("N456");
  CHECK(merkle_node(left, right) == sha256('\1' + text_of(left) + text_of(right)));
  CHECK(merkle_node(left, right) != merkle_node(right, left));
  // Two leaves that look like a node are none.
  CHECK(merkle_leaf(text_of(left) + text_of(right)) != merkle_node(left, right));
}

TEST_CASE("The reference tree of Certificate Transparency has its roots", "[merkle]") {
  MerkleRange range;
  CHECK(hex(range.root()) == merkle_vectors::roots[0]);
  for (std::size_t i = 0; i < std::size(merkle_vectors::leaves); ++i) {
    std::string leaf(merkle_vectors::leaves[i].size() / 2, '\0');
    REQUIRE(from_hex(merkle_vectors::leaves[i], leaf.data(), leaf.size()));
    range.append(merkle_leaf(leaf));
    CHECK(hex(range.root()) == merkle_vectors::roots[i + 1]);
  }
}

TEST_CASE("A range's root is MTH for every size to 300", "[merkle]") {
  Tree tree(numbered_leaves(300));
  MerkleRange one_by_one;
  for (std::int64_t size = 0; size <= 300; ++size) {
    INFO("size " << size);
    MerkleRange batch;
    batch.append(part(tree.leaves(), 0, size));
    REQUIRE(one_by_one.root() == tree.root(size));
    REQUIRE((batch == one_by_one));
    REQUIRE(batch.size() == size);
    if (size < 300) one_by_one.append(tree.leaves()[static_cast<std::size_t>(size)]);
  }
}

TEST_CASE("Batches leave the same range and nodes as single leaves", "[merkle]") {
  const std::vector<Digest> leaves = numbered_leaves(1'600);
  Sequence random(5);
  for (int round = 0; round < 60; ++round) {
    const std::int64_t begin = round % 2 == 0 ? 0 : random.between(0, 800);
    const std::int64_t end = random.between(begin, 1'600);
    INFO("round " << round << ": " << begin << " to " << end);
    MerkleRange single(begin);
    MerkleRange batch(begin);
    std::vector<MerkleNode> single_nodes;
    std::vector<MerkleNode> batch_nodes;
    for (std::int64_t at = begin; at < end;) {
      const std::int64_t to = std::min(end, at + random.between(0, round % 3 == 0 ? 9 : 700));
      batch.append(part(leaves, at, to), &batch_nodes);
      for (; at < to; ++at) single.append(leaves[static_cast<std::size_t>(at)], &single_nodes);
      REQUIRE((batch == single));
    }
    REQUIRE(sorted(batch_nodes) == sorted(single_nodes));
    // The nodes are all the complete blocks of 256 that lie inside.
    const std::int64_t blocks = std::max<std::int64_t>(0, end / 256 - (begin + 255) / 256);
    REQUIRE(single_nodes.size() == static_cast<std::size_t>(blocks));
  }
}

TEST_CASE("Kept nodes are the roots of complete subtrees", "[merkle]") {
  const std::int64_t size = 65'536 + 256;
  Tree tree(numbered_leaves(size));
  MerkleRange range;
  std::vector<MerkleNode> nodes;
  for (std::int64_t at = 0; at < size; at += 1'000) {
    range.append(part(tree.leaves(), at, std::min(size, at + 1'000)), &nodes);
  }
  REQUIRE(range.root() == tree.root(size));
  REQUIRE(nodes.size() == 257 + 1);
  for (const MerkleNode& node : nodes) {
    REQUIRE((node.level == 8 || node.level == 16));
    REQUIRE(node.hash == tree.hash({node.index << node.level, (node.index + 1) << node.level}));
  }
}

TEST_CASE("Ranges join at every split, and nowhere else", "[merkle]") {
  const std::vector<Digest> leaves = numbered_leaves(35);
  for (std::int64_t begin = 0; begin <= 35; begin += begin < 9 ? 1 : 7) {
    for (std::int64_t end = begin; end <= 35; ++end) {
      const MerkleRange whole = range_of(leaves, begin, end);
      for (std::int64_t split = begin; split <= end; ++split) {
        MerkleRange left = range_of(leaves, begin, split);
        const MerkleRange right = range_of(leaves, split, end);
        REQUIRE(left.join(right));
        REQUIRE((left == whole));
      }
    }
  }
  MerkleRange left = range_of(leaves, 0, 5);
  const MerkleRange before = left;
  CHECK_FALSE(left.join(range_of(leaves, 6, 8)));
  CHECK_FALSE(left.join(range_of(leaves, 4, 8)));
  CHECK_FALSE(left.join(left));
  CHECK((left == before));
  MerkleRange empty(7);
  CHECK(empty.join(empty));
  CHECK((empty == MerkleRange(7)));
}

TEST_CASE("Encoded ranges come back, and each has one encoding", "[merkle]") {
  const std::vector<Digest> leaves = numbered_leaves(80);
  for (std::int64_t begin : {0, 1, 2, 3, 6, 7, 8, 31, 33, 64}) {
    for (std::int64_t end = begin; end <= 80; ++end) {
      const MerkleRange range = range_of(leaves, begin, end);
      MerkleRange back(3);
      REQUIRE(back.decode(range.encode()));
      REQUIRE((back == range));
      MerkleRange from_text(3);
      REQUIRE(from_text.decode_hex(range.encode_hex()));
      REQUIRE((from_text == range));
    }
  }
}

TEST_CASE("What is no range's encoding is refused and changes nothing", "[merkle]") {
  const MerkleRange range = range_of(numbered_leaves(30), 3, 30);
  const std::string good = range.encode();
  MerkleRange out(9);
  const auto refused = [&out](const std::string& bytes) {
    return !out.decode(bytes) && out == MerkleRange(9);
  };
  for (std::size_t n = 0; n < good.size(); ++n) REQUIRE(refused(good.substr(0, n)));
  CHECK(refused(good + '\0'));
  CHECK(refused(good + good.substr(good.size() - 32)));
  const auto head = [&good](std::int64_t begin, std::int64_t end) {
    std::string bytes;
    ByteWriter writer(bytes);
    writer.u64(static_cast<std::uint64_t>(begin));
    writer.u64(static_cast<std::uint64_t>(end));
    return bytes + good.substr(16);
  };
  REQUIRE(out.decode(head(3, 30)));
  out = MerkleRange(9);
  // Other bounds take another number of hashes, or are none.
  CHECK(refused(head(3, 31)));
  CHECK(refused(head(0, 30)));
  CHECK(refused(head(30, 3)));
  CHECK(refused(head(-3, 30)));
  CHECK(refused(head(3, -30)));
  CHECK(refused(head(3, std::numeric_limits<std::int64_t>::max())));
  CHECK(refused(head(3, std::numeric_limits<std::int64_t>::min())));
  CHECK(refused(head(merkle_size_max + 1, merkle_size_max + 1).substr(0, 16)));
  CHECK(out.decode(head(merkle_size_max, merkle_size_max).substr(0, 16)));
  out = MerkleRange(9);
  const std::string text = range.encode_hex();
  const auto refused_text = [&out](const std::string& digits) {
    return !out.decode_hex(digits) && out == MerkleRange(9);
  };
  CHECK(refused_text(""));
  CHECK(refused_text(text.substr(1)));
  CHECK(refused_text(text + "00"));
  CHECK(refused_text("g" + text.substr(1)));
  std::string upper = text;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  REQUIRE(upper != text);
  CHECK(refused_text(upper));
}
