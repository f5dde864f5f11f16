// What others ask of a ledger, and what it answers: the bytes of each call.
//
// Views are borrowed: a decoded request lives as long as the frame that it was read from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0.h"
#include "z0/base/sha256.hpp"
#include "z0/base/status.hpp"
#include "z0/folds/folds.hpp"

namespace z0 {

// What a ledger is asked. Its alarm goes off and is called by nobody, but takes its place among
// them.
enum class LedgerMethod : std::uint8_t {
  alarm = 0,
  append = 1,
  read = 2,
  head = 3,
  state = 4,
  proof = 5,
  reconcile = 6,
  replicate = 7,
  verify = 8,
  import_facts = 9,
  count_ = 10
};
constexpr z0_target target_of(LedgerMethod) { return Z0_TARGET_LEDGER; }
inline constexpr std::string_view ledger_method_names[] = {
    "alarm", "append",    "read",      "head",   "state",
    "proof", "reconcile", "replicate", "verify", "import"};

// A batch for one ledger, from the edge.
struct AppendRequest {
  bool atomic = false;  // all or none
  bool system = false;  // z0's own facts: a retiring entity takes them too
  // Who sends it registers new ledgers: one says that it is new, and the batch comes again.
  bool registers = false;
  // That was done: the policies that the directory named are the ledger's first facts, if it still
  // has none.
  bool registered = false;
  std::vector<std::string_view> policies;
  std::string_view tenant_id;
  std::string_view entity_id;
  std::vector<std::string_view> submissions;

  bool decode(std::string_view bytes);
};

// The bytes of such a batch. packed: `count` submissions, each with its length as a varint in
// front.
inline constexpr std::uint8_t append_atomic = 1;
inline constexpr std::uint8_t append_system = 2;
inline constexpr std::uint8_t append_registers = 4;
std::string encode_append_request(std::uint8_t flags, std::string_view tenant_id,
                                  std::string_view entity_id, std::size_t count,
                                  std::string_view packed);
// The same without the submissions, which follow it.
std::string encode_append_head(std::uint8_t flags, std::string_view tenant_id,
                               std::string_view entity_id, std::size_t count);
// The same batch for a ledger that said it is new, and that is registered now.
std::string registered_append(std::string_view request,
                              const std::vector<std::string_view>& policies);

// The budget that a charge would have exceeded.
struct ExceededBudget {
  std::string_view config_id;
  std::string_view currency;
  std::int64_t limit = 0;
  std::int64_t used = 0;  // spent in the period
  Period period = Period::total;

  std::string encode() const;
  bool decode(std::string_view bytes);
};

// What became of one of them.
struct AppendResult {
  Status status = Status::storage_error;
  std::int64_t seq = 0;          // when accepted
  std::int64_t recorded_at = 0;  // when accepted
  std::string_view field;        // when refused: what of the fact is at fault, where one can say
  std::string_view detail;       // see has_detail
  std::string_view stamped;      // the submission as it was recorded, when the ledger changed it
};

// Whether a refusal of this status brings more than its field: of a budget an ExceededBudget, of a
// correction words on what may be sent.
inline bool has_detail(Status status) {
  return status == Status::budget_exhausted || status == Status::source_mismatch ||
         status == Status::over_corrected;
}

// The reply to APPEND.
struct AppendReply {
  // One for each submission, in order; none at all from a new ledger whose caller registers it.
  std::vector<AppendResult> results;
  // The tree after the batch; root is that of no leaves while the ledger is empty.
  std::int64_t size = 0;
  Digest root{};
  // Records that the ledger wrote of its own accord, for the queue.
  std::string_view extra;

  void encode(std::string& out) const;
  bool decode(std::string_view bytes);
};
// Whether it is the reply of such a new ledger.
bool says_new(std::string_view append_reply);

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

// A round of writing to D1 what it lacks. Reply: u8 Status, then JSON {"entity_id", "tenant_id",
// "seq", "root", "replicated_seq", "replicated_root", "done"}.
struct ReplicateRequest {
  bool from_start = false;     // D1's head is dropped, and made anew
  std::string_view tenant_id;  // empty: any

  std::string encode() const;
  bool decode(std::string_view bytes);
};

// Compares a chunk of facts with D1's rows and repairs those. Reply: u8 Status, then JSON
// {"entity_id", "checked", "next_seq", "missing", "differing", "surplus", "repaired"}.
struct VerifyRequest {
  std::int64_t from_seq = 1;
  std::string_view tenant_id;  // empty: any

  std::string encode() const;
  bool decode(std::string_view bytes);
};

}  // namespace z0
