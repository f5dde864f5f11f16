// What a ledger remembers between two frames: a cache of its rows, dropped at any time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "z0/facts/type_counts.hpp"
#include "z0/folds/folds.hpp"
#include "z0/ledger/id_index.hpp"
#include "z0/ledger/left_over.hpp"
#include "z0/tree/merkle.hpp"
#include "z0/wire/effects.hpp"

namespace z0 {

// Move-only: its bytes are the largest thing a ledger keeps in memory.
struct Segment {
  std::int64_t first_seq = 1;
  std::int64_t last_seq = 0;
  std::int64_t first_recorded_at = 0;
  std::int64_t last_recorded_at = 0;
  std::int64_t count = 0;
  std::uint32_t types = 0;
  Buffer ids;   // 8 bytes a fact: id hashes in order of seq
  Buffer body;  // records

  // Empties it for the next segment, keeping its memory.
  void begin(std::int64_t seq);
};

// What an append cannot do without, as of a segment's last fact.
struct Summary {
  TypeCounts counts;
  Lifecycle lifecycle = Lifecycle::active;
  MerkleRange tree;  // [0, last_seq)

  std::string encode() const;
  [[nodiscard]] bool decode(std::string_view bytes);
};

// How far a ledger's facts were folded again and compared with what is kept of them.
struct PassState {
  std::int64_t seq = 0;
  Folds folds;         // as calculated up to seq
  bool whole = false;  // this pass began at the first fact, and hashes the facts too
  MerkleRange tree;    // of a whole pass, up to seq
  // Where a part was first found to differ in this pass; the fact about it is written when the pass
  // reaches the last fact.
  struct Divergence {
    std::int64_t first_seq = 0;  // 0: none
    std::string trace;           // of that fact, may be empty
    std::string cached;          // the part's bytes as they were kept; empty: missing or unreadable
    std::string calculated;
  };
  std::array<Divergence, Folds::parts> found;
  std::int64_t tree_diverged_seq = 0;
  // Parts that cannot be calculated: they stay dropped until a whole pass.
  bool manual[Folds::parts] = {};
  // When a part was last found to differ; 0: never.
  std::int64_t mismatch_at[Folds::parts] = {};
  LeftOver left_over;  // of facts that were corrected

  // The next pass begins at the first fact.
  void begin_whole();
  // Something differed, and no fact says so yet; or rows are still to be compared.
  bool pending() const;
  void encode(std::string& out) const;
  [[nodiscard]] bool decode(ByteReader& in);
};

struct LedgerState {
  bool has_tables = true;  // they are made with the first row that is written, the owner
  std::string tenant_id;   // empty: no fact yet
  std::string entity_id;
  std::uint64_t hash_seed = 0;
  std::int64_t created_at = 0;
  std::int64_t confirmed_seq = 0;  // D1 holds every fact up to here
  std::int64_t seq = 0;
  std::int64_t recorded_at = 0;
  Segment tail;
  Summary summary;
  Folds folds;
  PassState checkpoint;
  IdIndex ids;
  std::int64_t alarm_at = 0;          // 0: none that we know of
  std::int64_t confirm_pause_ms = 0;  // grows while D1 fails
  bool head_remade = false;           // D1's head contradicted the ledger and is made anew
  std::uint64_t used_at = 0;          // for Ledgers
  std::uint32_t waiting = 0;          // steps that wait outside of the object
  std::int64_t pinned_until = 0;      // and until when they keep the state in memory
  std::string written_meta;           // as it stands in its row
  std::int64_t pass_since = 0;        // when the pass that goes on began, as far as memory knows

  // Writes the meta row when it would differ from what was read or written last. It is the first
  // row of a ledger, so the tables are made before it, in its transaction.
  void write_meta(Effects& effects);
  std::string encode_meta() const;
  [[nodiscard]] bool decode_meta(std::string_view bytes);
  std::size_t memory_bytes() const;
  // When what comes now is recorded, and what the windows of now are: a ledger's time never runs
  // back, whatever its clock says.
  std::int64_t now(std::int64_t clock_ms) const { return std::max(clock_ms, recorded_at); }
  // A step waits outside of the object; it goes on.
  void pin(std::int64_t now_ms);
  void unpin();
  bool pinned(std::int64_t now_ms) const { return waiting > 0 && now_ms < pinned_until; }
};

// The states that are resident in this instance, by incarnation. The least recently used go first,
// those whose steps wait go last: any state may be gone when a step comes back.
class Ledgers {
 public:
  LedgerState* find(std::uint64_t incarnation);
  LedgerState& put(std::uint64_t incarnation, std::unique_ptr<LedgerState> state,
                   std::int64_t now_ms);

 private:
  void make_room(std::size_t incoming_bytes, std::int64_t now_ms);

  std::unordered_map<std::uint64_t, std::unique_ptr<LedgerState>> states_;
  std::uint64_t tick_ = 0;
};

}  // namespace z0
