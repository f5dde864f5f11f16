// Inside the ledger: a call, where it stands after needs were answered, and the commands.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "calls/replying.hpp"
#include "z0/calls/directory.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/ledger/state.hpp"
#include "z0/reporting/projection.hpp"

namespace z0 {

// What a call waits for that its command knows nothing of: the rows of the state, or the segments to
// make its damaged folds again.
enum class Making : std::uint8_t { nothing = 0, state = 1, folds = 2 };

// A call, and where it stands after needs were answered.
struct LedgerCall {
  LedgerMethod method = LedgerMethod::alarm;
  std::uint8_t stage = 0;  // which answers come: a value of the command's own enum, 0 for none
  std::string_view request;
  std::string_view extra;  // what an earlier stage found out
  bool waited = false;     // outside of the object, for the answers that come
  // While the state or its folds are made: the command goes on at its stage afterwards, with the
  // answers that it waited for.
  Making making = Making::nothing;
  std::vector<std::string_view> held_answers;
  std::uint32_t refolds = 0;  // steps that went to damaged folds

  template <class Stage>
  Stage at() const {
    return static_cast<Stage>(stage);
  }
  // How many steps this call may take in all.
  std::size_t steps_max() const;
  // "append at registered"
  std::string where() const;
  std::string encode() const;
  [[nodiscard]] bool decode(std::string_view bytes);
};

// The needs of this step end with a continuation: `call` as it is to go on. Whether it waits outside
// of the object is known from the needs.
void resume_call(Effects& effects, LedgerCall call);
// The command's next stage takes the answers.
template <class Stage>
void resume_ledger(Effects& effects, LedgerCall call, Stage stage, std::string_view extra) {
  call.stage = static_cast<std::uint8_t>(stage);
  call.extra = extra;
  call.making = Making::nothing;
  call.held_answers.clear();
  resume_call(effects, std::move(call));
}

// -- replication, replicate.cpp -----------------------------------------------------------------

// A command that writes to D1 in rounds has these stages; others of its own come behind them.
enum class RoundStage : std::uint8_t { begin = 0, head = 1, segments = 2, end = 3 };

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
  std::int64_t inserted = 0;  // facts that D1 took from them
  D1Head head;                // unless failed
  std::int64_t oldest = 0;  // a lower bound for the commit time of the oldest fact that is missing
};

// One bounded round. True when it has ended; else needs are on their way and `out` says nothing.
bool replicate_round(LedgerState& state, const LedgerCall& call, const Frame& frame,
                     Effects& effects, const ReplicationTask& task, ReplicationRound& out);
// Takes over what D1 has, and writes it down when it is news.
void confirm_replicated(LedgerState& state, const ReplicationRound& round, Effects& effects);
// What a round came to, as metrics; behind the reply.
void count_round(const LedgerState& state, const ReplicationRound& round, Effects& effects);

// -- the directory, registration.cpp ------------------------------------------------------------

// A command that may begin a ledger has this stage; others of its own come behind it.
enum class BeginStage : std::uint8_t { begin = 0, registered = 1 };

// Nothing is recorded in a ledger that the directory does not know: what was lost can be rebuilt
// from all ledgers there are, and a budget of the tenant binds from the first fact on.
void ask_directory(const LedgerCall& call, std::string_view tenant_id, std::string_view entity_id,
                   const Frame& frame, Effects& effects);
// What it answered at the stage `registered`. Anything but `recorded` is its failure.
Status directory_word(const Frame& frame, std::vector<std::string_view>& policies);

// -- what commands share ------------------------------------------------------------------------

// Seals whole runs of open ids, as many as there are, and writes their rows.
void seal_ids(LedgerState& state, Effects& effects);

// Asks for everything that a state is made of; the call's stage goes on when it is there.
void need_state(const LedgerCall& call, Effects& effects);
// The answer when a ledger's rows cannot be read.
void refuse_storage(const LedgerCall& call, const Frame& frame, Effects& effects);

// An object that never took a fact has no tables: its statements fail, and it does not exist.
bool no_such_table(const Rows& rows);
// The owner's row, which is the first answer, when there is one and the reader may see it.
Status open_meta(const Frame& frame, std::string_view tenant_id, LedgerState& state);

// -- the commands, and their stages -------------------------------------------------------------

// Those of a beginning; then sealed ids that may match, and segments with the originals of suspected
// duplicates.
enum class AppendStage : std::uint8_t {
  begin = 0,
  registered = 1,
  chunks = 2,     // of sealed ids
  originals = 3,  // segments with facts that have the ids
  corrected = 4,  // what is left of facts that are corrected, and those segments again
};
void append_to_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects);

enum class ReadStage : std::uint8_t { begin = 0, rows = 1 };
void read_ledger(const LedgerCall& call, const Frame& frame, Effects& effects);
void read_head(const LedgerCall& call, const Frame& frame, Effects& effects);

// From memory; and where the state is not resident, or not the one that is asked for, from rows.
void read_state(LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects);
void read_state_rows(const LedgerCall& call, const Frame& frame, Effects& effects);

// The head; then what the proof is made of.
enum class ProofStage : std::uint8_t { begin = 0, head = 1, hashes = 2 };
void read_proof(const LedgerCall& call, const Frame& frame, Effects& effects);

enum class ReconcileStage : std::uint8_t { begin = 0, pass = 1 };
void reconcile_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects);

// The stages of a round.
void replicate_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects);

// The ledger's segments; what D1 has of them; what D1 did with rows that were wrong.
enum class VerifyStage : std::uint8_t { begin = 0, segments = 1, compared = 2, repaired = 3 };
void verify_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                   Effects& effects);

// The stages of a beginning.
void import_to_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects);

// The stages of a round; then the segments of a pass of reconciliation.
enum class AlarmStage : std::uint8_t { pass = static_cast<std::uint8_t>(RoundStage::end) };
void ledger_alarm(LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects);

// What a continuation of a ledger waits for: which kind of need its answers are to. Traps on other
// bytes.
z0_effect_kind ledger_asked(std::string_view continuation);

}  // namespace z0
