// Inside the ledger: a call, and where it stands after needs were answered.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "z0/calls/directory.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/ledger/state.hpp"
#include "z0/reporting/projection.hpp"

namespace z0 {

// Which answers a resumed call brings.
enum class LedgerStage : std::uint8_t {
  begin = 0,       // none yet
  hydrate = 1,     // the rows of the state
  chunks = 2,      // sealed ids that may match
  originals = 3,   // segments with the originals of suspected duplicates
  confirm = 4,     // what D1 has
  load = 5,        // segments for D1
  read = 6,        // rows of a read
  registered = 7,  // the directory's word on a new ledger
  pass = 8,        // segments for a pass of reconciliation
  refold = 9,      // the same, for a state that came damaged
  proof = 10,      // what a proof is made of
  state = 11,      // a snapshot and the facts after it
  repair = 16,     // what D1 did with rows that were wrong
};

struct LedgerCall {
  LedgerStage stage = LedgerStage::begin;
  std::uint16_t kind = 0;
  std::string_view name;
  std::string_view request;
  std::string_view extra;  // what an earlier stage found out
  bool waited = false;     // outside of the object, for the answers that come
  // While the state is made again (hydrate, refold): the stage that goes on afterwards, and the
  // answers that it waited for.
  LedgerStage held = LedgerStage::begin;
  std::vector<std::string_view> held_answers;
  std::uint32_t refolds = 0;  // steps that went to damaged folds

  bool rebuilds() const { return stage == LedgerStage::hydrate || stage == LedgerStage::refold; }
  // How many steps this call may take in all.
  std::size_t steps_max() const;
  // "append at registered"
  std::string where() const;
  std::string encode() const;
  bool decode(std::string_view bytes);
};

// Asks again with the answers: the continuation that ends a list of needs.
void resume_ledger(Effects& effects, LedgerCall call, LedgerStage stage, std::string_view extra);

// -- replication, replicate.cpp -----------------------------------------------------------------

// What a round of writing to D1 is for.
struct ReplicationTask {
  bool from_start = false;  // D1's head is dropped first, and made anew
  bool heals = false;       // a head that contradicts the ledger is made anew, too
  bool wants_oldest = false;
  std::int64_t due_before = 0;  // facts recorded later are left to the queue
};

// How far it came.
struct ReplicationRound {
  bool failed = false;   // D1 did not answer
  bool remade = false;   // its head was dropped in this round
  bool differs = false;  // D1's head contradicts the ledger
  bool proven = false;   // the same size and the same root
  std::size_t chunks = 0;
  D1Head head;              // unless failed
  std::int64_t oldest = 0;  // a lower bound for the commit time of the oldest fact that is missing
};

// One bounded round. True when it has ended; else needs are on their way and `out` says nothing.
bool replicate_round(LedgerState& state, const LedgerCall& call, const Frame& frame,
                     Effects& effects, const ReplicationTask& task, ReplicationRound& out);
// Takes over what D1 has, and writes it down when it is news.
void confirm_replicated(LedgerState& state, const ReplicationRound& round, Effects& effects);

void replicate_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects);
void verify_ledger(const LedgerState& state, const LedgerCall& call,
                   const ReplicateRequest& request, const Frame& frame, Effects& effects);

// -- the directory, registration.cpp ------------------------------------------------------------

// Nothing is recorded in a ledger that the directory does not know: what was lost can be rebuilt
// from all ledgers there are, and a budget of the tenant binds from the first fact on.
void ask_directory(const LedgerCall& call, std::string_view tenant_id, std::string_view entity_id,
                   const Frame& frame, Effects& effects);
// What it answered at the stage `registered`. Anything but `recorded` is its failure.
Status directory_word(const Frame& frame, PoliciesReply& reply);

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
