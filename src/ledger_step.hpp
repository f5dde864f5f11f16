// Inside the ledger: a call, and where it stands after needs were answered.
#pragma once

#include <string>
#include <string_view>

#include "z0/ledger.hpp"

namespace z0 {

// Which answers a resumed call brings.
enum class LedgerStage : std::uint8_t {
  begin = 0,      // none yet
  hydrate = 1,    // the rows of the state
  chunks = 2,     // sealed ids that may match
  originals = 3,  // segments with the originals of suspected duplicates
  confirm = 4,    // what D1 has
  resend = 5,     // segments that D1 lacks
  read = 6,       // rows of a read
  registered = 7,  // the directory's word on a new ledger
  pass = 8,        // segments for a pass of reconciliation
  proof = 9,       // what a proof is made of
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

void append_to_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects);
void read_ledger(const LedgerCall& call, const Frame& frame, Effects& effects);
void read_head(const LedgerCall& call, const Frame& frame, Effects& effects);
void ledger_alarm(LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects);

}  // namespace z0
