// The books of the auditor: what a ledger's facts are, and the tree over them, without the core's
// own tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "z0/facts/fact.hpp"
#include "z0/tree/merkle.hpp"

namespace z0::laws {

// The facts of one ledger as their records' bytes, in order.
struct Book {
  std::string tenant_id;
  std::vector<std::string> records;
  std::set<std::string, std::less<>> ids;

  void add(const RecordBytes& record, std::string_view id) {
    records.emplace_back(record.whole);
    ids.emplace(id);
    add_leaf(record.leaf);
  }

  // What a commit that failed would have added.
  void take_back(std::size_t size) {
    RecordBytes record;
    while (records.size() > size) {
      ByteReader in(records.back());
      if (!next_record_bytes(in, record)) std::abort();  // the law wrote it
      ids.erase(std::string(submission_id(record.submission)));
      records.pop_back();
    }
    frontier.clear();
    leaves = 0;
    for (const std::string& whole : records) {
      ByteReader in(whole);
      if (!next_record_bytes(in, record)) std::abort();  // the law wrote it
      add_leaf(record.leaf);
    }
  }

  // MTH of RFC 6962, section 2.1.
  Digest root() const {
    if (frontier.empty()) return merkle_empty_root();
    Digest hash = frontier.back().second;
    for (std::size_t i = frontier.size() - 1; i > 0; --i)
      hash = merkle_node(frontier[i - 1].second, hash);
    return hash;
  }

  // Complete subtrees by number of leaves, the largest first; and those of 256 leaves that were
  // ever complete, in order.
  std::vector<std::pair<std::int64_t, Digest>> frontier;
  std::vector<Digest> nodes;
  std::int64_t leaves = 0;

 private:
  void add_leaf(std::string_view leaf) {
    constexpr std::int64_t node_leaves = std::int64_t{1} << merkle_level_step;
    frontier.emplace_back(1, merkle_leaf(leaf));
    ++leaves;
    while (frontier.size() > 1 && frontier.rbegin()[1].first == frontier.back().first) {
      const auto right = frontier.back();
      frontier.pop_back();
      frontier.back() = {2 * right.first, merkle_node(frontier.back().second, right.second)};
      if (frontier.back().first != node_leaves) continue;
      nodes.resize(static_cast<std::size_t>(leaves / node_leaves));
      nodes.back() = frontier.back().second;
    }
  }
};

}  // namespace z0::laws
