// The Merkle tree of RFC 6962, section 2.1, as it is written there: a hash of a list of leaves, by
// halves. Shares no code with the core.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace z0::sim {

std::string sha256_of(const std::string& message);

class NaiveTree {
 public:
  explicit NaiveTree(std::vector<std::string> leaves) : leaves_(std::move(leaves)) {}
  // MTH over the first `size` leaves, in hexadecimal digits.
  std::string root(std::size_t size);
  std::size_t size() const { return leaves_.size(); }

 private:
  std::string hash(std::size_t from, std::size_t to);

  std::vector<std::string> leaves_;
  std::map<std::pair<std::size_t, std::size_t>, std::string> known_;
};

}  // namespace z0::sim
