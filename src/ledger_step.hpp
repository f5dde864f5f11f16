// Inside the ledger: a call, and where it stands after needs were answered.
#pragma once

#include <string>
#include <string_view>

#include "z0/ledger.hpp"

namespace z0 {

// Which answers a resumed call brings.
enum class LedgerStage : std::uint8_t {
  begin = 0,       // none yet
  hydrate = 1,     // the rows of the state
  chunks = 2,      // sealed ids that may match
  originals = 3,   // segments with the originals of suspected duplicates
  confirm = 4,     // what D1 has
  resend = 5,      // segments that D1 lacks
  read = 6,        // rows of a read
  registered = 7,  // the directory's word on a new ledger
  pass = 8,        // segments for a pass of reconciliation
  refold = 9,      // the same, for a state that came damaged
  proof = 10,      // what a proof is made of
  state = 11,      // a snapshot and the facts after it
};

struct LedgerCall {
  LedgerStage stage = LedgerStage::begin;
  std::uint16_t kind = 0;
  std::string_view name;
  std::string_view request;
  std::string_view extra;  // what an earlier stage found out

  std::string encode() const;
  bool decode(std::string_view bytes);
};

// Asks again with the answers: the continuation that ends a list of needs.
void resume_ledger(Effects& effects, LedgerCall call, LedgerStage stage, std::string_view extra);

// Seals whole runs of open ids, as many as there are, and writes their rows.
void seal_ids(LedgerState& state, Effects& effects);

// Asks for everything that a state is made of.
void need_state(const LedgerCall& call, Effects& effects);
// The answer when a ledger's rows cannot be read.
void refuse_storage(const LedgerCall& call, const Frame& frame, Effects& effects);
// A reply of u8 Status and JSON.
void reply_status(Effects& effects, Status status, std::string_view json);

// The owner's row, which is the first answer, when there is one and the reader may see it.
Status open_meta(const Frame& frame, std::string_view tenant_id, LedgerState& state);
// A root as 64 lower-case hex digits.
void append_root(std::string& out, const Digest& root);

void append_to_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects);
void read_ledger(const LedgerCall& call, const Frame& frame, Effects& effects);
void read_head(const LedgerCall& call, const Frame& frame, Effects& effects);
void read_proof(const LedgerCall& call, const Frame& frame, Effects& effects);
// state: null when it is not resident; then the row answers.
void read_state(const LedgerState* state, const LedgerCall& call, const Frame& frame,
                Effects& effects);
void reconcile_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects);
void import_to_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects);
void ledger_alarm(LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects);

}  // namespace z0
