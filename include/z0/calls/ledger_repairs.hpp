// What operators ask of a ledger: to take an export in, to check its folds, and to mend D1's copy.
// ledger.hpp says how calls are written.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "z0/base/fields.hpp"
#include "z0/base/sha256.hpp"

namespace z0 {

// Facts of another z0's export, as they were recorded there: each keeps its seq and its commit
// time. They go on where this ledger ends; those that it has are passed over. The reply is a
// TreeHead.
struct ImportRequest {
  std::string_view tenant_id;
  std::string_view entity_id;
  std::string_view records;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
    f.text(self.entity_id);
    f.bytes(self.records);
  }
  bool valid() const { return !tenant_id.empty(); }
};

// A step of reconciliation.
struct ReconcileRequest {
  std::string_view tenant_id;  // empty: any
  std::string_view entity_id;
  bool whole = false;  // begin again at the first fact, and check the tree as well

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
    f.text(self.entity_id);
    f.flag(self.whole);
  }
};

struct ReconcileReply {
  std::string_view entity_id;
  std::string_view tenant_id;
  std::int64_t seq = 0;
  std::int64_t verified_seq = 0;
  bool done = false;
  std::int64_t facts = 0;  // read in this step
  std::int64_t comparisons = 0;
  std::vector<std::string_view> mismatches;  // data of the facts that were recorded of them

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.entity_id);
    f.text(self.tenant_id);
    f.number(self.seq);
    f.number(self.verified_seq);
    f.flag(self.done);
    f.number(self.facts);
    f.number(self.comparisons);
    f.list(self.mismatches);
  }
};

// A round of writing to D1 what it lacks.
struct ReplicateRequest {
  bool from_start = false;     // D1's head is dropped, and made anew
  std::string_view tenant_id;  // empty: any

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.flag(self.from_start);
    f.text(self.tenant_id);
  }
};

struct ReplicateReply {
  std::string_view entity_id;
  std::string_view tenant_id;
  std::int64_t seq = 0;
  Digest root{};
  std::int64_t replicated_seq = 0;
  Digest replicated_root{};

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.entity_id);
    f.text(self.tenant_id);
    f.number(self.seq);
    f.digest(self.root);
    f.number(self.replicated_seq);
    f.digest(self.replicated_root);
  }
};

// Compares a chunk of facts with D1's rows and repairs those.
struct VerifyRequest {
  std::int64_t from_seq = 1;
  std::string_view tenant_id;  // empty: any

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.from_seq);
    f.text(self.tenant_id);
  }
  bool valid() const;
};

// What was wrong, by seq.
struct Differences {
  struct Row {
    std::int64_t seq = 0;
    std::string_view columns;  // that differ, each with a comma behind it

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      f.number(self.seq);
      f.text(self.columns);
    }
  };
  std::vector<std::int64_t> missing;
  std::vector<Row> differing;
  std::vector<std::int64_t> surplus;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.list(self.missing);
    f.list(self.differing);
    f.list(self.surplus);
  }
};

struct VerifyReply {
  std::string_view entity_id;
  std::int64_t checked = 0;
  std::int64_t next_seq = 0;  // where the next chunk begins; 0 when there is none
  Differences found;
  std::int64_t repaired = 0;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.entity_id);
    f.number(self.checked);
    f.number(self.next_seq);
    f.part(self.found);
    f.number(self.repaired);
  }
};

}  // namespace z0
