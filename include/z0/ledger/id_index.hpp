// The duplicate check over a ledger's whole history, without a row a fact.
//
// The newest ids are *open*: their 64-bit hashes lie in memory by sequence number, in a table that
// finds a hash in O(1). When more than limits::open_ids_max are open, the oldest that many are
// *sealed* into a run: hashes sorted, cut into chunks that are rows, with a filter of 16-bit
// fingerprints that stays in memory (3 bytes an id). So memory is 3 bytes a fact plus 4 MiB, and an
// append probes one table and one cache line or two for each 131,072 facts of history.
//
// The index answers with candidates, never with certainty: a hash may collide, a fingerprint even
// more so (6 in 100,000 for each run). The ledger compares the full id before it calls anything a
// duplicate.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/base/limits.hpp"

namespace z0 {

// A chunk of a sealed run that may hold a hash.
struct SealedCandidate {
  std::int64_t key;  // of table id_runs
};

// What sealing writes: rows of id_runs(key, count, body).
struct SealedRow {
  std::int64_t key;
  std::int64_t count;
  std::string body;
};

class IdIndex {
 public:
  // Keys of id_runs: first_seq of the run x 256 for its filter, plus 1 + i for its chunk i.
  static constexpr std::int64_t keys_per_run = 256;

  // Appends the hash of the next fact. The first one fixes where the open part begins.
  void add(std::int64_t seq, std::uint64_t hash);

  // The sequence numbers of open facts with this hash, in no order, and the chunks of sealed runs
  // to look into.
  void find(std::uint64_t hash, std::vector<std::int64_t>& open,
            std::vector<SealedCandidate>& sealed) const;

  std::size_t open_count() const { return hashes_.size(); }
  std::int64_t open_first_seq() const { return open_first_seq_; }
  // What the next add() has to bring.
  std::int64_t next_seq() const {
    return open_first_seq_ + static_cast<std::int64_t>(hashes_.size());
  }
  std::int64_t sealed_through() const;
  std::size_t memory_bytes() const;

  // Seals the oldest limits::open_ids_max open hashes and returns the rows to write; empty when
  // fewer are open. The index has changed when it returns: rows and index belong to one commit.
  std::vector<SealedRow> seal();

  // Rebuilding: the filter row of a run, in ascending order of runs, before any add().
  // False when the bytes are no filter.
  bool add_run(std::int64_t key, std::string_view filter);

  // The sequence numbers that a chunk row holds for a hash.
  static void find_in_chunk(std::int64_t key, std::string_view chunk, std::uint64_t hash,
                            std::vector<std::int64_t>& out);

 private:
  struct Run {
    std::int64_t first_seq = 0;
    std::uint32_t count = 0;
    std::uint32_t bucket_bits = 0;
    std::vector<std::uint32_t>
        starts;  // bucket -> index of its first fingerprint; one more at the end
    std::vector<std::uint16_t> fingerprints;
  };

  void place(std::uint32_t offset);
  void rebuild_table(std::size_t slots);

  std::vector<Run> runs_;
  std::int64_t open_first_seq_ = 1;
  std::vector<std::uint64_t> hashes_;  // by seq - open_first_seq_
  std::vector<std::uint32_t> table_;   // offset + 1 by hash, linear probing; 0 is free
};

}  // namespace z0
