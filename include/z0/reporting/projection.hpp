// Writing facts to D1, and saying how far each ledger has arrived there.
//
// The consumer of the queue uses it for whatever a message brings, a ledger for what it finds
// missing. Both do the same: write the facts, look at the heads and the runs that wait, and write
// what follows from them.
//
// A head is (contiguous_seq, tree). The tree over the facts 1 to n is made of the bytes of those
// facts and of nothing else, so there is one right head for each n, whoever writes it and in
// whatever order the facts came. That is why two writers at once do no harm:
//   * A head is replaced only by one of greater contiguous_seq, and each is right for its own.
//   * A writer has put a fact's row into D1 before, or in the transaction in which, a head covers
//     it; and a run joins a head from ledger_runs, where it was written after its own facts.
//   * Each writes and looks again in one transaction. Of two transactions the later one sees what
//     the earlier one wrote: a run that could join now is seen by whoever moved the head up to it,
//     or by whoever brought it. That one goes round again.
// So a run that could join does not stay behind, unless its writer died; then the message is
// delivered again. One case is left to the ledger's alarm: two runs of one ledger overlap, were cut
// at different places, and were written at the same moment by writers that did not see each other.
// The edge cuts each fact's run once, so one of the two is a chunk that the ledger wrote. A run is
// never split, so the head may then end inside the run that waits. The ledger's next chunk moves the
// head past it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/calls/message.hpp"
#include "z0/facts/fact.hpp"
#include "z0/tree/merkle.hpp"
#include "z0/wire/effects.hpp"

namespace z0 {

namespace d1_sql {
// ?1: rows as write_fact_rows writes them. A fact that is there already is left as it is.
extern const std::string_view insert_facts;
// ?1: [[entity_id, first_seq, last_seq], ...]: what arrived; ?2 the most runs. Gives the columns of
// `arrived`: the heads of these ledgers, and the runs that wait where what arrived can join them,
// or overlaps them.
extern const std::string_view select_arrived;
}  // namespace d1_sql

// The columns of select_arrived. A head has first_seq 0; a run has no root. In order of ledger and
// first_seq.
namespace arrived {
enum Column : std::size_t { entity_id, first_seq, last_seq, tree, root };
}

// A row of insert_facts. `number` is the seq, or for an attempt the time when it was made.
void write_fact_row(JsonWriter& rows, const Fact& fact, std::string_view tenant_id,
                    std::int64_t number, std::string_view trace_hex, std::string_view data);
// The rows of all facts of a run, into an array that is open.
void write_fact_rows(JsonWriter& rows, const Run& run);
// What arrived of one ledger, for select_arrived.
void write_arrival(JsonWriter& keys, std::string_view entity_id, std::int64_t first_seq,
                   std::int64_t last_seq);

// What has arrived of some ledgers: their runs, as the hashes of the leaves. Borrows the ids.
class Projection {
 public:
  Projection() = default;
  // Runs that meet or overlap become one; the leaves are hashed.
  explicit Projection(std::vector<Run> runs);

  bool empty() const { return arrivals_.empty(); }
  std::string encode() const;
  // False for bytes that are none. Borrows them.
  [[nodiscard]] bool decode(std::string_view bytes);

  // The parameter of select_arrived.
  std::string keys() const;

  // What is to be written, given what D1 holds.
  struct Changes {
    std::string heads;
    std::string runs;
    bool any() const { return heads.size() > 2 || runs.size() > 2; }  // more than []
  };
  // Changes of at most limits::d1_json_bytes_max; what is left over is found by the next look. A
  // head whose tree cannot be read is left to its ledger, which makes it anew.
  Changes plan(const Rows& arrived) const;

 private:
  struct Arrival {
    std::string_view entity_id;
    std::string_view tenant_id;
    std::int64_t begin = 0;  // how many facts come before
    std::size_t leaf = 0;    // the place of its first leaf
    std::int64_t count = 0;
    std::int64_t end() const { return begin + count; }
  };
  using Slice = std::pair<std::size_t, std::size_t>;  // of one ledger: [first, second)
  void extend(MerkleRange& range, const Arrival& arrival, std::int64_t end) const;
  bool advance(MerkleRange& head, Slice& group, const Rows& arrived, Slice& rows) const;
  struct Lists {
    JsonWriter heads;
    JsonWriter runs;
  };
  void plan_ledger(Slice group, const Rows& arrived, Slice rows, Lists& lists) const;
  void plan_waiting(const Arrival& arrival, const Rows& arrived, Slice& rows, Lists& lists) const;

  std::vector<Arrival> arrivals_;  // in order of ledger and begin
  std::vector<Digest> leaves_;
};

// The statements that write changes and look again: the last one is select_arrived. Borrow all.
void append_changes(std::vector<Statement>& statements, Projection::Changes& changes,
                    std::string_view keys, std::string_view trace_id, std::int64_t now_ms);

// The head in what select_arrived gave for one ledger.
struct D1Head {
  std::int64_t seq = 0;
  bool readable = true;  // the tree is one of [0, seq), and the root is its root
  Digest root{};
};
D1Head head_in_d1(const Rows& arrived);

}  // namespace z0
