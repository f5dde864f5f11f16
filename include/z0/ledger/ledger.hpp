// One entity's ledger: the append, the reads, the alarm. It lives in a Durable Object; its truth is
// four small tables, its state in memory is a cache of them.
//
//   meta(id = 1, value)          owner, hash seed, how far D1 has confirmed, the checkpoint of
//                                reconciliation
//   segments(first_seq, ...)     the facts, in order; the last one is the tail and grows in place
//   id_runs(key, count, body)    sealed id hashes, see id_index.hpp
//   tree_nodes(key, hash)        roots of complete subtrees of 256, 65,536, ... facts
//
// A segment's row also carries `summary`, what an append cannot do without (counts, lifecycle, the
// tree's frontier), and `cache`, the folds of folds.hpp: both of the whole ledger up to its last
// fact. They cost no row of their own, since the tail is rewritten by every append, and make every
// segment a snapshot.
//
// Life of an append: the frame brings the batch; when the state is not resident, its rows are
// needed first; suspected duplicates need the segments (and chunks) that hold their originals; then
// all decisions fall in one synchronous step whose writes are one transaction.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "z0/facts/fact.hpp"
#include "z0/folds/folds.hpp"
#include "z0/ledger/id_index.hpp"
#include "z0/tree/merkle.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

// How many facts of each type a ledger holds.
struct TypeCounts {
  std::int64_t known[static_cast<std::size_t>(FactType::count_)] = {};
  // Custom types in order of first appearance; beyond limits::counted_types_max they count as
  // custom.
  std::vector<std::pair<std::string, std::int64_t>> custom;

  void add(FactType type, std::string_view custom_name);
  std::string encode() const;
  // False for bytes that are no counts.
  bool decode(std::string_view bytes);
  // {"charge":2,...}: types that occurred, known ones first; uncounted custom types as
  // "(other)", which no type can be named.
  void append_json(std::string& out) const;
};

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
  bool decode(std::string_view bytes);
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

  // The next pass begins at the first fact.
  void begin_whole();
  // Something differed, and no fact says so yet.
  bool pending() const;
  void encode(std::string& out) const;
  bool decode(ByteReader& in);
};

struct LedgerState {
  std::string tenant_id;  // empty: no fact yet
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

  // Writes the meta row when it would differ from what was read or written last.
  void write_meta(Effects& effects);
  std::string encode_meta() const;
  bool decode_meta(std::string_view bytes);
  std::size_t memory_bytes() const;
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

// A batch for one ledger, from the edge.
struct AppendRequest {
  bool atomic = false;  // all or none
  bool system = false;  // z0's own facts: a retiring entity takes them too
  std::string_view tenant_id;
  std::string_view entity_id;
  std::vector<std::string_view> submissions;

  bool decode(std::string_view bytes);
};

// The bytes of such a batch. packed: `count` submissions, each with its length as a varint in
// front.
inline constexpr std::uint8_t append_atomic = 1;
inline constexpr std::uint8_t append_system = 2;
std::string encode_append_request(std::uint8_t flags, std::string_view tenant_id,
                                  std::string_view entity_id, std::size_t count,
                                  std::string_view packed);

// What became of one of them.
struct AppendResult {
  Status status = Status::storage_error;
  std::int64_t seq = 0;          // when accepted
  std::int64_t recorded_at = 0;  // when accepted
  std::string_view field;        // when in conflict
  std::string_view stamped;      // the submission as it was recorded, when the ledger changed it
};

// The reply to APPEND.
struct AppendReply {
  std::vector<AppendResult> results;  // one for each submission, in order
  // The tree after the batch; root is that of no leaves while the ledger is empty.
  std::int64_t size = 0;
  Digest root{};
  // Records that the ledger wrote of its own accord, for the queue.
  std::string_view extra;

  void encode(std::string& out) const;
  bool decode(std::string_view bytes);
};

struct ReadRequest {
  std::string_view tenant_id;  // empty: any
  std::string_view entity_id;
  std::int64_t from_seq = 1;
  std::int64_t limit = 0;
  std::string_view types;  // names separated by commas; empty: all
  bool records = false;    // each fact with "record": its leaf of the tree, in base64

  void encode(std::string& out) const;
  bool decode(std::string_view bytes);
};

// What a STATE call asks for: a part of Folds, or this.
inline constexpr std::uint8_t state_of_configs = 255;
struct StateRequest {
  std::string_view tenant_id;  // empty: any
  std::string_view entity_id;
  std::uint8_t what = 0;
  std::int64_t as_of_seq = 0;  // 0: now
  std::int64_t as_of_ms = 0;   // 0: none

  std::string encode() const;
  bool decode(std::string_view bytes);
};
// The reply to STATE: u8 Status, then for state_of_configs the bytes of ConfigState::encode(), for
// a part JSON {"entity_id", "tenant_id", "cache", "seq", "computed_at", "source": "memory" | "row"
// | "facts", "facts_folded", "state"}.

// What it takes to prove something of the tree. Reply: u8 Status, then JSON {"entity_id",
// "tenant_id", "size", "root", ...}; for an inclusion {"seq", "record" in base64, "proof": [hex]},
// for a consistency {"old_size", "proof": [hex]}. Of the head: u8 Status, varint size, 32 bytes
// root.
struct ProofRequest {
  std::string_view tenant_id;  // empty: any
  std::string_view entity_id;
  enum class Kind : std::uint8_t { inclusion = 0, consistency = 1, head = 2 };
  Kind kind = Kind::inclusion;
  std::int64_t from = 1;  // the fact's seq, or the smaller size
  std::int64_t size = 0;  // of the tree; 0: as it is now

  std::string encode() const;
  bool decode(std::string_view bytes);
};

// Facts of another z0's export, as they were recorded there: each keeps its seq and its commit
// time. They go on where this ledger ends; those that it has are passed over. Reply: u8 Status,
// then JSON
// {"entity_id", "size", "root"}.
struct ImportRequest {
  std::string_view tenant_id;
  std::string_view entity_id;
  std::string_view records;

  std::string encode() const;
  bool decode(std::string_view bytes);
};

// A step of reconciliation. Reply: u8 Status, then JSON {"seq", "verified_seq", "done", ...}.
struct ReconcileRequest {
  std::string_view tenant_id;  // empty: any
  std::string_view entity_id;
  bool whole = false;  // begin again at the first fact, and check the tree as well

  std::string encode() const;
  bool decode(std::string_view bytes);
};

// The reply to READ and HEAD: u8 Status (recorded for success), then JSON.

// Takes one step for a ledger object: kinds Z0_FRAME_LEDGER_*.
void step_ledger(Ledgers& ledgers, const Frame& frame, Effects& effects);

}  // namespace z0
