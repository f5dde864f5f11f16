// A call on a ledger object: find or rebuild its state, then do what was asked.
#include "z0/ledger/ledger.hpp"

#include <iterator>
#include <utility>

#include "ledger/pass.hpp"
#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"

namespace z0 {

namespace {

// One stage of a command: its name, and what its answers are to.
struct StageRow {
  std::string_view name;
  z0_effect_kind asked{};
};

struct Command {
  LedgerMethod method;
  // How often it may ask apart from its state: somebody outside of the object, and its own rows.
  std::size_t outside;
  std::size_t rows;
  // What runs on a state, and what goes without one; one of them may be missing.
  void (*on_state)(LedgerState&, const LedgerCall&, const Frame&, Effects&);
  void (*on_rows)(const LedgerCall&, const Frame&, Effects&);
  StageRow stages[4];  // from 1 on
};

constexpr StageRow at_directory{"registered", Z0_NEED_CALL};
constexpr StageRow at_rows{"rows", Z0_NEED_ROWS};
constexpr StageRow at_head{"head", Z0_NEED_QUERY};
constexpr StageRow at_segments{"segments", Z0_NEED_ROWS};
constexpr StageRow at_pass{"pass", Z0_NEED_ROWS};
// A round asks for D1's head, once more when it is dropped, and after each chunk; for the segments
// of each chunk, and once more where none are left.
constexpr std::size_t chunks = limits::chunks_per_round_max;

// A row a command, in a line or two: clang-format would give each member a line of its own.
// clang-format off
constexpr Command commands[] = {
    {LedgerMethod::alarm, chunks + 2, chunks + 2, ledger_alarm, nullptr,
     {at_head, at_segments, at_pass}},
    {LedgerMethod::append, 1, 3, append_to_ledger, nullptr,
     {at_directory, {"chunks", Z0_NEED_ROWS}, {"originals", Z0_NEED_ROWS},
      {"corrected", Z0_NEED_ROWS}}},
    {LedgerMethod::read, 0, 1, nullptr, read_ledger, {at_rows}},
    {LedgerMethod::head, 0, 1, nullptr, read_head, {at_rows}},
    {LedgerMethod::state, 0, 1, read_state, read_state_rows, {at_rows}},
    {LedgerMethod::proof, 0, 2, nullptr, read_proof,
     {at_rows, {"hashes", Z0_NEED_ROWS}}},
    {LedgerMethod::reconcile, 0, 1, reconcile_ledger, nullptr, {at_pass}},
    {LedgerMethod::replicate, chunks + 2, chunks + 1, replicate_ledger, nullptr,
     {at_head, at_segments}},
    {LedgerMethod::verify, 2, 1, verify_ledger, nullptr,
     {at_segments, {"compared", Z0_NEED_QUERY}, {"repaired", Z0_NEED_QUERY}}},
    {LedgerMethod::import_facts, 1, 0, import_to_ledger, nullptr, {at_directory}},
};
// clang-format on

static_assert(std::size(commands) == static_cast<std::size_t>(LedgerMethod::count_));

// In the order of their methods. A number that is none traps.
const Command& command_of(LedgerMethod method) {
  if (method >= LedgerMethod::count_) trap("each method of a ledger has a command");
  return commands[static_cast<std::size_t>(method)];
}

constexpr bool in_order() {
  for (std::size_t i = 0; i < std::size(commands); ++i) {
    if (commands[i].method != static_cast<LedgerMethod>(i)) return false;
  }
  return true;
}
static_assert(in_order());

const StageRow& stage_of(const LedgerCall& call) {
  const auto& stages = command_of(call.method).stages;
  const bool known = call.stage >= 1 && call.stage <= std::size(stages);
  if (!known || stages[call.stage - 1].name.empty()) trap("each command has the stages of its row");
  return stages[call.stage - 1];
}

}  // namespace

// One step that begins; one for each answer. The state has to be made at the beginning, and again
// after each wait outside of the object, since it may leave memory meanwhile. A step that goes to
// damaged folds brings the pass nearer to the last fact, so each makes room for itself.
std::size_t LedgerCall::steps_max() const {
  const Command& command = command_of(method);
  return 1 + command.outside + command.rows + (1 + command.outside) + refolds;
}

std::string LedgerCall::where() const {
  std::string words(ledger_method_names[static_cast<std::size_t>(method)]);
  words += " at ";
  if (making == Making::nothing) return words.append(stage_of(*this).name);
  words += making == Making::state ? "hydrate" : "refold";
  return stage == 0 ? words : words.append(" before ").append(stage_of(*this).name);
}

std::string LedgerCall::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(method));
  out.u8(stage);
  out.bytes(request);
  out.bytes(extra);
  out.u8(waited ? 1 : 0);
  out.varint(refolds);
  out.u8(static_cast<std::uint8_t>(making));
  out.varint(held_answers.size());
  for (const auto answer : held_answers) out.bytes(answer);
  return bytes;
}

bool LedgerCall::decode(std::string_view bytes) {
  ByteReader in(bytes);
  method = static_cast<LedgerMethod>(in.u8());
  stage = in.u8();
  request = in.bytes();
  extra = in.bytes();
  waited = in.u8() != 0;
  refolds = static_cast<std::uint32_t>(in.varint());
  making = static_cast<Making>(in.u8());
  const std::uint64_t count = in.varint();
  if (making > Making::folds || count > in.left() / sizeof(std::uint32_t)) return false;
  for (std::uint64_t i = 0; i < count; ++i) held_answers.push_back(in.bytes());
  return in.ok() && in.done();
}

void resume_call(Effects& effects, LedgerCall call) {
  call.waited = effects.waits_outside();
  effects.resume(call.encode(), call.steps_max(), call.where());
}

z0_effect_kind ledger_asked(std::string_view continuation) {
  LedgerCall call;
  if (!call.decode(continuation)) trap("a continuation of a ledger is read to its end");
  return call.making == Making::nothing ? stage_of(call).asked : Z0_NEED_ROWS;
}

namespace {

// The order of the answers of `hydrate`.
enum : std::size_t {
  answer_meta,
  answer_tail,
  answer_filters,
  answer_open_ids,
  answers_of_hydrate
};

void fill(Buffer& buffer, std::string_view bytes) {
  buffer.clear();
  buffer.end_at(put::text(buffer.room(bytes.size()), bytes));
}

bool hydrate_tail(const Rows& rows, LedgerState& state) {
  if (rows.size() == 0) return true;
  if (rows.columns != 10) return false;
  Segment& tail = state.tail;
  tail.first_seq = rows.at(0, ledger_sql::tail::first_seq).integer;
  tail.last_seq = rows.at(0, ledger_sql::tail::last_seq).integer;
  tail.first_recorded_at = rows.at(0, ledger_sql::tail::first_recorded_at).integer;
  tail.last_recorded_at = rows.at(0, ledger_sql::tail::last_recorded_at).integer;
  tail.count = rows.at(0, ledger_sql::tail::count).integer;
  tail.types = static_cast<std::uint32_t>(rows.at(0, ledger_sql::tail::types).integer);
  fill(tail.ids, rows.at(0, ledger_sql::tail::ids).bytes);
  fill(tail.body, rows.at(0, ledger_sql::tail::body).bytes);
  state.seq = tail.last_seq;
  state.recorded_at = tail.last_recorded_at;
  state.folds.decode_all(rows.at(0, ledger_sql::tail::cache).bytes, state.seq);
  return state.summary.decode(rows.at(0, ledger_sql::tail::summary).bytes) &&
         state.summary.tree.end() == state.seq && tail.first_seq >= 1 &&
         tail.last_seq >= tail.first_seq && tail.last_seq - tail.first_seq + 1 == tail.count &&
         tail.ids.size() == static_cast<std::size_t>(tail.count) * sizeof(std::uint64_t);
}

bool hydrate_ids(const Rows& filters, const Rows& open, LedgerState& state) {
  for (std::size_t i = 0; i < filters.size(); ++i) {
    if (!state.ids.add_run(filters.at(i, ledger_sql::id_run::key).integer,
                           filters.at(i, ledger_sql::id_run::body).bytes))
      return false;
  }
  const std::int64_t sealed = state.ids.sealed_through();
  for (std::size_t i = 0; i < open.size(); ++i) {
    std::int64_t seq = open.at(i, ledger_sql::open_ids::first_seq).integer;
    for (ByteReader in(open.at(i, ledger_sql::open_ids::ids).bytes); !in.done(); ++seq) {
      const std::uint64_t hash = in.u64();
      if (!in.ok()) return false;
      if (seq <= sealed) continue;
      if (seq != state.ids.next_seq()) return false;
      state.ids.add(seq, hash);
    }
  }
  return true;
}

// The state from its rows; null when they cannot be read, or contradict each other.
std::unique_ptr<LedgerState> hydrate(const Frame& frame) {
  if (frame.answers.size() < answers_of_hydrate) return nullptr;
  auto state = std::make_unique<LedgerState>();
  std::vector<Rows> rows;
  for (std::size_t i = 0; i < answers_of_hydrate; ++i) {
    rows.push_back(parse_rows(frame.answers[i]));
    // A ledger without an owner holds nothing, whichever of its tables are there.
    state->has_tables = rows[answer_meta].size() > 0;
    if (!state->has_tables && no_such_table(rows.back())) return state;
    if (rows.back().failed) return nullptr;
  }
  const Rows& meta = rows[answer_meta];
  if (meta.size() > 0 && !state->decode_meta(meta.at(0, 0).bytes)) return nullptr;
  if (!hydrate_tail(rows[answer_tail], *state)) return nullptr;
  if (!hydrate_ids(rows[answer_filters], rows[answer_open_ids], *state)) return nullptr;
  const bool owned = !state->tenant_id.empty() && !state->entity_id.empty();
  const bool agree = owned == (state->seq > 0) && state->confirmed_seq <= state->seq &&
                     state->ids.next_seq() - 1 == state->seq;
  if (!agree) return nullptr;
  // Unconfirmed facts were committed with their alarm. To set it again would put it off, and again
  // each time that memory is lost between two appends.
  if (state->seq > state->confirmed_seq)
    state->alarm_at = state->recorded_at + limits::confirm_after_ms;
  return state;
}

}  // namespace

void need_state(const LedgerCall& call, Effects& effects) {
  using namespace ledger_sql;
  for (const auto sql : {select_meta, select_tail, select_filters, select_open_ids})
    effects.need_rows(sql, {});
  LedgerCall next = call;
  next.making = Making::state;
  resume_call(effects, std::move(next));
}

// Nobody waits for an alarm, and nobody else would set it again: it comes back when the rows may be
// readable.
void refuse_storage(const LedgerCall& call, const Frame& frame, Effects& effects) {
  if (call.method == LedgerMethod::alarm)
    return effects.alarm(frame.now_ms + limits::confirm_pause_ms_max);
  std::string reply;
  ByteWriter(reply).u8(static_cast<std::uint8_t>(Status::storage_error));
  effects.reply(503, {}, reply);
}

namespace {

LedgerCall call_of(const Frame& frame) {
  LedgerCall call;
  if (frame.kind == Z0_FRAME_RESUME) {
    if (!call.decode(frame.part(0))) trap("a continuation of a ledger is read to its end");
  } else if (frame.kind == Z0_FRAME_CALL) {
    call.method = static_cast<LedgerMethod>(frame.method);
    call.request = frame.part(1);
    if (call.method == LedgerMethod::alarm) trap("nobody calls a ledger's alarm");
  } else if (frame.kind != Z0_FRAME_ALARM) {
    trap("calls, alarms and continuations alone come to a ledger");
  }
  return call;
}

// The state, there and whole; null while rows are needed for it, or when they cannot be read, which
// was answered. The answers of the command wait with the call meanwhile.
LedgerState* whole_state(Ledgers& ledgers, LedgerState* state, LedgerCall& call, const Frame& frame,
                         Effects& effects) {
  if (call.making == Making::nothing) call.held_answers = frame.answers;
  if (call.making == Making::state) {
    auto rebuilt = hydrate(frame);
    if (!rebuilt) {
      refuse_storage(call, frame, effects);
      return nullptr;
    }
    state = &ledgers.put(frame.incarnation, std::move(rebuilt), frame.now_ms);
  }
  if (state == nullptr) {
    need_state(call, effects);
    return nullptr;
  }
  // Damaged folds are made anew before anything is decided by them.
  if (needs_refold(state) && !refold(*state, call, frame, effects)) return nullptr;
  return state;
}

}  // namespace

void step_ledger(Ledgers& ledgers, const Frame& frame, Effects& effects) {
  LedgerCall call = call_of(frame);
  const Command& command = command_of(call.method);
  LedgerState* state = ledgers.find(frame.incarnation);
  if (call.waited && state != nullptr) state->unpin();
  // Rows answer where the state is not needed, or may stay where it is.
  const bool by_rows = command.on_rows != nullptr && call.making == Making::nothing &&
                       (command.on_state == nullptr || state == nullptr);
  if (by_rows) return command.on_rows(call, frame, effects);
  state = whole_state(ledgers, state, call, frame, effects);
  if (state == nullptr) return;
  Frame answered = frame;
  answered.answers = std::move(call.held_answers);
  command.on_state(*state, call, answered, effects);
  if (effects.waits_outside()) state->pin(frame.now_ms);
}

}  // namespace z0
