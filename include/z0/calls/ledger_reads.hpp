// What is read of a ledger: facts, its head, cached states, proofs. ledger.hpp says how calls are
// written.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "z0/base/fields.hpp"
#include "z0/base/sha256.hpp"
#include "z0/folds/folds.hpp"

namespace z0 {

// READ and HEAD.
struct ReadRequest {
  std::string_view tenant_id;  // empty: any
  std::string_view entity_id;
  std::int64_t from_seq = 1;
  std::int64_t limit = 0;
  std::string_view types;  // names separated by commas; empty: all
  bool records = false;    // the caller wants each fact's leaf of the tree as well

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
    f.text(self.entity_id);
    f.number(self.from_seq);
    f.number(self.limit);
    f.text(self.types);
    f.flag(self.records);
  }
  bool valid() const;
};

struct ReadReply {
  std::string_view tenant_id;
  std::string_view records;   // one after the other, as segments hold them
  std::int64_t next_seq = 0;  // where the next page begins; 0 when there is none

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
    f.bytes(self.records);
    f.number(self.next_seq);
  }
};

struct HeadReply {
  std::string_view entity_id;
  std::string_view tenant_id;
  std::int64_t created_at = 0;
  Lifecycle lifecycle = Lifecycle::active;
  std::int64_t seq = 0;
  Digest root{};
  std::int64_t recorded_at = 0;  // of the last fact
  std::int64_t replicated_seq = 0;
  std::int64_t verified_seq = 0;
  std::string_view counts;  // as TypeCounts writes them

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.entity_id);
    f.text(self.tenant_id);
    f.number(self.created_at);
    f.code(self.lifecycle);
    f.number(self.seq);
    f.digest(self.root);
    f.number(self.recorded_at);
    f.number(self.replicated_seq);
    f.number(self.verified_seq);
    f.text(self.counts);
  }
};

// What a STATE call asks for: a part of Folds, or this.
inline constexpr std::uint8_t state_of_configs = 255;
struct StateRequest {
  std::string_view tenant_id;  // empty: any
  std::string_view entity_id;
  std::uint8_t what = 0;
  std::int64_t as_of_seq = 0;  // 0: now
  std::int64_t as_of_ms = 0;   // 0: none

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
    f.text(self.entity_id);
    f.byte(self.what);
    f.number(self.as_of_seq);
    f.number(self.as_of_ms);
  }
  bool valid() const { return what < Folds::parts || what == state_of_configs; }
};

// Where a state came from.
enum class StateSource : std::uint8_t { memory = 0, row = 1, facts = 2, count_ = 3 };

struct StateReply {
  std::string_view entity_id;
  std::string_view tenant_id;
  std::int64_t seq = 0;          // of the last fact that it knows
  std::int64_t computed_at = 0;  // the time that its periods are as of
  StateSource source = StateSource::memory;
  std::int64_t folded = 0;  // facts, for this answer
  // The part's bytes; empty when it could not be calculated, and waits for somebody's review.
  std::string_view value;
  std::string_view configs;  // those of ConfigState, where a BudgetState shows budgets

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.entity_id);
    f.text(self.tenant_id);
    f.number(self.seq);
    f.number(self.computed_at);
    f.code(self.source);
    f.number(self.folded);
    f.bytes(self.value);
    f.bytes(self.configs);
  }
};

// -- proofs ---------------------------------------------------------------------------------------

// What it takes to prove something of the tree. The reply of `head` is a TreeHead, else a ProofReply.
struct ProofRequest {
  std::string_view tenant_id;  // empty: any
  std::string_view entity_id;
  enum class Kind : std::uint8_t { inclusion = 0, consistency = 1, head = 2, count_ = 3 };
  Kind kind = Kind::inclusion;
  std::int64_t from = 1;  // the fact's seq, or the smaller size
  std::int64_t size = 0;  // of the tree; 0: as it is now

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
    f.text(self.entity_id);
    f.code(self.kind);
    f.number(self.from);
    f.number(self.size);
  }
  bool valid() const { return from >= 1; }
};

struct TreeHead {
  std::int64_t size = 0;
  Digest root{};

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.size);
    f.digest(self.root);
  }
};

struct ProofReply {
  std::string_view tenant_id;
  std::int64_t size = 0;    // of the tree
  std::string_view record;  // the leaf, of an inclusion
  std::vector<Digest> proof;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
    f.number(self.size);
    f.bytes(self.record);
    f.list(self.proof);
  }
};

}  // namespace z0
