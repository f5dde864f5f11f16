// One entity's ledger: the append, the reads, the alarm. It lives in a Durable Object; its truth is
// three small tables, its state in memory is a cache of them.
//
//   meta(id = 1, value)          owner, hash seed, how far D1 has confirmed
//   segments(first_seq, ...)     the facts, in order; the last one is the tail and grows in place
//   id_runs(key, count, body)    sealed id hashes, see id_index.hpp
//
// A segment's row also carries `summary`: the counts of the whole ledger up to its last fact. It
// costs no row of its own, since the tail is rewritten by every append, and makes every segment a
// snapshot.
//
// Life of an append: the frame brings the batch; when the state is not resident, its rows are
// needed first; suspected duplicates need the segments (and chunks) that hold their originals; then
// all decisions fall in one synchronous step whose writes are one transaction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "z0/effects.hpp"
#include "z0/fact.hpp"
#include "z0/frame.hpp"
#include "z0/id_index.hpp"
#include "z0/merkle.hpp"

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

struct LedgerState {
  std::string tenant_id;  // empty: no fact yet
  std::string entity_id;
  std::uint64_t hash_seed = 0;
  std::int64_t created_at = 0;
  std::int64_t confirmed_seq = 0;  // D1 holds every fact up to here
  std::int64_t seq = 0;
  std::int64_t recorded_at = 0;
  MerkleRange tree;  // [0, seq)
  Segment tail;
  TypeCounts counts;
  IdIndex ids;
  std::int64_t alarm_at = 0;          // 0: none that we know of
  std::int64_t confirm_pause_ms = 0;  // grows while D1 fails
  bool head_remade = false;           // D1's head contradicted the ledger and is made anew
  std::uint64_t used_at = 0;          // for Ledgers

  std::string encode_meta() const;
  bool decode_meta(std::string_view bytes);
  std::size_t memory_bytes() const;
};

// The states that are resident in this instance, by incarnation; the least recently used go first.
class Ledgers {
 public:
  LedgerState* find(std::uint64_t incarnation);
  LedgerState& put(std::uint64_t incarnation, std::unique_ptr<LedgerState> state);

 private:
  void make_room(std::size_t incoming_bytes);

  std::unordered_map<std::uint64_t, std::unique_ptr<LedgerState>> states_;
  std::uint64_t tick_ = 0;
};

// A batch for one ledger, from the edge.
struct AppendRequest {
  bool atomic = false;  // all or none
  bool system = false;  // z0's own facts: a retired ledger takes them too
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

  void encode(std::string& out) const;
  bool decode(std::string_view bytes);
};

// The reply to READ and HEAD: u8 Status (recorded for success), then JSON.

// Takes one step for a ledger object: kinds Z0_FRAME_LEDGER_*.
void step_ledger(Ledgers& ledgers, const Frame& frame, Effects& effects);

}  // namespace z0
