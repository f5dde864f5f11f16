// The definitions of RFC 6962, section 2.1, as they are written there: recursive, over hashes of
// leaves, nothing clever. What a test compares the core's loops with.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "z0/base/sha256.hpp"
#include "z0/tree/merkle.hpp"

namespace z0::merkle_reference {

using Part = std::pair<std::int64_t, std::int64_t>;  // D[begin:end]

inline std::string text_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// A leaf hash for each number, all different.
inline std::vector<Digest> numbered_leaves(std::int64_t count, std::uint64_t seed = 1) {
  std::vector<Digest> leaves;
  std::uint64_t state = seed;
  for (std::int64_t i = 0; i < count; ++i) {
    Digest& leaf = leaves.emplace_back();
    for (std::uint8_t& byte : leaf) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      byte = static_cast<std::uint8_t>(state >> 56);
    }
  }
  return leaves;
}

class Tree {
 public:
  explicit Tree(std::vector<Digest> leaves) : leaves_(std::move(leaves)) {}

  const std::vector<Digest>& leaves() const { return leaves_; }
  Digest root(std::int64_t size) { return hash({0, size}); }

  // MTH, with a memory of what it said before.
  Digest hash(Part d) {
    const auto [begin, end] = d;
    if (begin == end) return sha256("");
    if (end - begin == 1) return leaves_[static_cast<std::size_t>(begin)];
    const auto known = hashes_.find(d);
    if (known != hashes_.end()) return known->second;
    const std::int64_t k = largest_power_below(end - begin);
    const Digest digest =
        sha256('\1' + text_of(hash({begin, begin + k})) + text_of(hash({begin + k, end})));
    return hashes_[d] = digest;
  }

  static std::vector<Part> path(std::int64_t m, Part d) {
    const auto [begin, end] = d;
    if (end - begin == 1) return {};
    const std::int64_t k = largest_power_below(end - begin);
    if (m < k) return with(path(m, {begin, begin + k}), {begin + k, end});
    return with(path(m - k, {begin + k, end}), {begin, begin + k});
  }

  static std::vector<Part> subproof(std::int64_t m, Part d, bool known) {
    const auto [begin, end] = d;
    if (m == end - begin) return known ? std::vector<Part>() : std::vector<Part>{d};
    const std::int64_t k = largest_power_below(end - begin);
    if (m <= k) return with(subproof(m, {begin, begin + k}, known), {begin + k, end});
    return with(subproof(m - k, {begin + k, end}, false), {begin, begin + k});
  }

  std::vector<Digest> hashes(const std::vector<Part>& parts) {
    std::vector<Digest> all;
    for (const Part& part : parts) all.push_back(hash(part));
    return all;
  }

 private:
  static std::int64_t largest_power_below(std::int64_t n) {
    std::int64_t k = 1;
    while (k * 2 < n) k *= 2;
    return k;
  }
  static std::vector<Part> with(std::vector<Part> parts, Part last) {
    parts.push_back(last);
    return parts;
  }

  std::vector<Digest> leaves_;
  std::map<Part, Digest> hashes_;
};

}  // namespace z0::merkle_reference
