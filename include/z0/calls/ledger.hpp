// What others ask of a ledger, and what it answers: the bytes of each call.
//
// Each is a struct with one list of its fields (base/fields.hpp). A ledger answers values, and the
// edge says them in JSON. A reply begins with a Status; `ok` is followed by the value, and anything
// else by nothing. Only APPEND answers for each of its facts.
//
// Views are borrowed: a decoded request lives as long as the frame that it was read from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0.h"
#include "z0/base/fields.hpp"
#include "z0/base/sha256.hpp"
#include "z0/base/span_name.hpp"
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
// A call is a span of its caller's, which sees how long it took: inside, the clock stands.
constexpr SpanName span_of(LedgerMethod method) {
  constexpr SpanName names[] = {"z0.do.ledger.alarm",      "z0.do.ledger.append_fact",
                                "z0.do.ledger.read_facts", "z0.do.ledger.read_head",
                                "z0.do.cache.read_state",  "z0.do.ledger.prove",
                                "z0.do.ledger.reconcile",  "z0.do.ledger.replicate",
                                "z0.do.ledger.verify",     "z0.do.ledger.import_facts"};
  return names[static_cast<std::size_t>(method)];
}

// A batch for one ledger, from the edge.
struct AppendRequest {
  static constexpr std::uint8_t atomic_flag = 1;  // all or none
  static constexpr std::uint8_t system_flag =
      2;  // z0's own facts: a retiring entity takes them too
  // Who sends it registers new ledgers: one says that it is new, and the batch comes again.
  static constexpr std::uint8_t registers_flag = 4;
  // That was done: the policies that the directory named are the ledger's first facts, if it still
  // has none.
  static constexpr std::uint8_t registered_flag = 8;

  std::uint8_t flags = 0;
  std::string_view tenant_id;
  std::string_view entity_id;
  std::vector<std::string_view> submissions;
  std::vector<std::string_view> policies;  // where it is registered

  bool atomic() const { return (flags & atomic_flag) != 0; }
  bool system() const { return (flags & system_flag) != 0; }
  bool registers() const { return (flags & registers_flag) != 0; }
  bool registered() const { return (flags & registered_flag) != 0; }

  template <class Fields, class Self>
  static void head_fields(Fields& f, Self& self) {
    f.byte(self.flags);
    f.text(self.tenant_id);
    f.text(self.entity_id);
  }
  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    head_fields(f, self);
    f.list(self.submissions);
    if (self.registered()) f.list(self.policies);
  }
  bool valid() const;
};

// The bytes of such a batch. packed: `count` submissions, each with its length as a varint in
// front.
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

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.config_id);
    f.text(self.currency);
    f.number(self.limit);
    f.signed_number(self.used);
    f.code(self.period);
  }
};

// Whether a refusal of this status brings more than its field: of a budget an ExceededBudget, of a
// correction words on what may be sent.
inline bool has_detail(Status status) {
  return status == Status::budget_exhausted || status == Status::source_mismatch ||
         status == Status::over_corrected;
}

// What became of one of them.
struct AppendResult {
  Status status = Status::storage_error;
  std::int64_t seq = 0;          // when accepted
  std::int64_t recorded_at = 0;  // when accepted
  std::string_view field;        // when refused: what of the fact is at fault, where one can say
  std::string_view detail;       // see has_detail
  std::string_view stamped;      // the submission as it was recorded, when the ledger changed it

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    bool changed = !self.stamped.empty();
    f.marked_code(self.status, changed);
    f.number(self.seq);
    f.number(self.recorded_at);
    if (!accepted(self.status)) f.text(self.field);
    if (has_detail(self.status)) f.text(self.detail);
    if (changed) f.text(self.stamped);
  }
};

// The reply to APPEND.
struct AppendReply {
  // One for each submission, in order; none at all from a new ledger whose caller registers it.
  std::vector<AppendResult> results;
  // The tree after the batch; root is that of no leaves while the ledger is empty.
  std::int64_t size = 0;
  Digest root{};
  // Records that the ledger wrote of its own accord, for the queue.
  std::string_view extra;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.list(self.results);
    f.number(self.size);
    f.digest(self.root);
    f.text(self.extra);
  }
};
// Whether it is the reply of such a new ledger.
bool says_new(std::string_view append_reply);

}  // namespace z0
