// A call on a ledger object: find or rebuild its state, then do what was asked.
#include "z0/ledger/ledger.hpp"

#include "ledger/pass.hpp"
#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "z0/base/limits.hpp"

namespace z0 {

namespace {

// What a call may ask for, apart from its state: how often somebody outside of the object, and how
// often its own rows.
struct Asks {
  std::string_view name;
  std::size_t outside = 0;
  std::size_t rows = 0;
};

Asks asks_of(std::uint16_t kind) {
  // D1's head, once more when it is dropped, and after each chunk; the segments of each chunk, then
  // one more look at them, and those of a pass.
  constexpr std::size_t chunks = limits::chunks_per_round_max;
  switch (kind) {
    case Z0_FRAME_LEDGER_APPEND:
      return {"append", 1, 2};
    case Z0_FRAME_LEDGER_READ:
      return {"read", 0, 1};
    case Z0_FRAME_LEDGER_HEAD:
      return {"head", 0, 1};
    case Z0_FRAME_LEDGER_ALARM:
      return {"alarm", chunks + 2, chunks + 2};
    case Z0_FRAME_LEDGER_STATE:
      return {"state", 0, 1};
    case Z0_FRAME_LEDGER_PROOF:
      return {"proof", 0, 2};
    case Z0_FRAME_LEDGER_RECONCILE:
      return {"reconcile", 0, 1};
    case Z0_FRAME_LEDGER_REPLICATE:
      return {"replicate", chunks + 2, chunks + 1};
    default:
      return {"import", 1, 0};
  }
}

std::string_view stage_name(LedgerStage stage) {
  switch (stage) {
    case LedgerStage::begin:
      return "begin";
    case LedgerStage::hydrate:
      return "hydrate";
    case LedgerStage::chunks:
      return "chunks";
    case LedgerStage::originals:
      return "originals";
    case LedgerStage::confirm:
      return "confirm";
    case LedgerStage::load:
      return "load";
    case LedgerStage::read:
      return "read";
    case LedgerStage::registered:
      return "registered";
    case LedgerStage::pass:
      return "pass";
    case LedgerStage::refold:
      return "refold";
    case LedgerStage::proof:
      return "proof";
    case LedgerStage::state:
      return "state";
    case LedgerStage::repair:
      return "repair";
  }
  return "no stage";
}

}  // namespace

// One step that begins; one for each answer. The state has to be made at the beginning, and again
// after each wait outside of the object, since it may leave memory meanwhile. A step that goes to
// damaged folds brings the pass nearer to the last fact, so each makes room for itself.
std::size_t LedgerCall::steps_max() const {
  const Asks asks = asks_of(kind);
  return 1 + asks.outside + asks.rows + (1 + asks.outside) + refolds;
}

std::string LedgerCall::where() const {
  std::string words(asks_of(kind).name);
  words += " at ";
  words += stage_name(stage);
  if (rebuilds() && held != LedgerStage::begin) {
    words += " before ";
    words += stage_name(held);
  }
  return words;
}

std::string LedgerCall::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(stage));
  out.u16(kind);
  out.bytes(name);
  out.bytes(request);
  out.bytes(extra);
  out.u8(waited ? 1 : 0);
  out.varint(refolds);
  if (!rebuilds()) return bytes;
  out.u8(static_cast<std::uint8_t>(held));
  out.varint(held_answers.size());
  for (const auto answer : held_answers) out.bytes(answer);
  return bytes;
}

bool LedgerCall::decode(std::string_view bytes) {
  ByteReader in(bytes);
  stage = static_cast<LedgerStage>(in.u8());
  kind = in.u16();
  name = in.bytes();
  request = in.bytes();
  extra = in.bytes();
  waited = in.u8() != 0;
  refolds = static_cast<std::uint32_t>(in.varint());
  if (rebuilds()) {
    held = static_cast<LedgerStage>(in.u8());
    const std::uint64_t count = in.varint();
    if (count > in.left() / sizeof(std::uint32_t)) return false;
    for (std::uint64_t i = 0; i < count; ++i) held_answers.push_back(in.bytes());
  }
  return in.ok() && in.done();
}

void resume_ledger(Effects& effects, LedgerCall call, LedgerStage stage, std::string_view extra) {
  call.stage = stage;
  call.extra = extra;
  call.waited = effects.waits_outside();
  effects.resume(Z0_FRAME_LEDGER_RESUME, call.encode(), call.steps_max(), call.where());
}

namespace {

// The order of the answers of `hydrate`.
enum : std::size_t {
  answer_meta = 4,
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
  tail.first_seq = rows.at(0, 0).integer;
  tail.last_seq = rows.at(0, 1).integer;
  tail.first_recorded_at = rows.at(0, 2).integer;
  tail.last_recorded_at = rows.at(0, 3).integer;
  tail.count = rows.at(0, 4).integer;
  tail.types = static_cast<std::uint32_t>(rows.at(0, 5).integer);
  fill(tail.ids, rows.at(0, 8).bytes);
  fill(tail.body, rows.at(0, 9).bytes);
  state.seq = tail.last_seq;
  state.recorded_at = tail.last_recorded_at;
  state.folds.decode_all(rows.at(0, 7).bytes, state.seq);
  return state.summary.decode(rows.at(0, 6).bytes) && state.summary.tree.end() == state.seq &&
         tail.first_seq >= 1 && tail.last_seq >= tail.first_seq &&
         tail.last_seq - tail.first_seq + 1 == tail.count &&
         tail.ids.size() == static_cast<std::size_t>(tail.count) * sizeof(std::uint64_t);
}

bool hydrate_ids(const Rows& filters, const Rows& open, LedgerState& state) {
  for (std::size_t i = 0; i < filters.size(); ++i) {
    if (!state.ids.add_run(filters.at(i, 0).integer, filters.at(i, 1).bytes)) return false;
  }
  const std::int64_t sealed = state.ids.sealed_through();
  for (std::size_t i = 0; i < open.size(); ++i) {
    std::int64_t seq = open.at(i, 0).integer;
    for (ByteReader in(open.at(i, 1).bytes); !in.done(); ++seq) {
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
  std::vector<Rows> rows;
  for (std::size_t i = 0; i < answers_of_hydrate; ++i) {
    rows.push_back(parse_rows(frame.answers[i]));
    if (rows.back().failed) return nullptr;
  }
  auto state = std::make_unique<LedgerState>();
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
  for (const auto sql : {create_meta, create_segments, create_id_runs, create_tree_nodes,
                         select_meta, select_tail, select_filters, select_open_ids}) {
    effects.need_rows(sql, {});
  }
  resume_ledger(effects, call, LedgerStage::hydrate, call.extra);
}

// Nobody waits for an alarm, and nobody else would set it again: it comes back when the rows may be
// readable.
void refuse_storage(const LedgerCall& call, const Frame& frame, Effects& effects) {
  if (call.kind == Z0_FRAME_LEDGER_ALARM)
    return effects.alarm(frame.now_ms + limits::confirm_pause_ms_max);
  std::string reply;
  ByteWriter(reply).u8(static_cast<std::uint8_t>(Status::storage_error));
  effects.reply(503, {}, reply);
}

namespace {

// What was asked, by a state that is there.
void decide(LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects) {
  switch (call.kind) {
    case Z0_FRAME_LEDGER_ALARM:
      return ledger_alarm(state, call, frame, effects);
    case Z0_FRAME_LEDGER_STATE:
      return read_state(&state, call, frame, effects);
    case Z0_FRAME_LEDGER_RECONCILE:
      return reconcile_ledger(state, call, frame, effects);
    case Z0_FRAME_LEDGER_REPLICATE:
      return replicate_ledger(state, call, frame, effects);
    case Z0_FRAME_LEDGER_IMPORT:
      return import_to_ledger(state, call, frame, effects);
    default:
      return append_to_ledger(state, call, frame, effects);
  }
}

}  // namespace

void step_ledger(Ledgers& ledgers, const Frame& frame, Effects& effects) {
  LedgerCall call;
  if (frame.kind == Z0_FRAME_LEDGER_RESUME) {
    if (!call.decode(frame.part(0))) return refuse_storage(call, frame, effects);
  } else {
    call.kind = frame.kind;
    call.name = frame.part(0);
    call.request = frame.part(1);
  }
  LedgerState* state = ledgers.find(frame.incarnation);
  if (call.waited && state != nullptr) state->unpin();
  if (call.kind == Z0_FRAME_LEDGER_READ) return read_ledger(call, frame, effects);
  if (call.kind == Z0_FRAME_LEDGER_HEAD) return read_head(call, frame, effects);
  if (call.kind == Z0_FRAME_LEDGER_PROOF) return read_proof(call, frame, effects);
  // A state that can answer is asked first: the cheapest of all reads.
  const bool reads_state = call.kind == Z0_FRAME_LEDGER_STATE &&
                           (call.stage == LedgerStage::begin || call.stage == LedgerStage::state);
  if (reads_state && !needs_refold(state)) return read_state(state, call, frame, effects);
  // The state may be gone, or damaged, when answers come from outside: they wait with the call
  // until it is there again.
  if (!call.rebuilds()) {
    call.held = call.stage;
    call.held_answers = frame.answers;
  }
  if (call.stage == LedgerStage::hydrate) {
    auto rebuilt = hydrate(frame);
    if (!rebuilt) return refuse_storage(call, frame, effects);
    state = &ledgers.put(frame.incarnation, std::move(rebuilt), frame.now_ms);
  }
  if (state == nullptr) return need_state(call, effects);
  // Damaged folds are made anew before anything is decided by them.
  if (needs_refold(state) && !refold(*state, call, frame, effects)) return;
  Frame answered = frame;
  if (call.rebuilds() && call.kind != Z0_FRAME_LEDGER_STATE) {
    call.stage = call.held;
    answered.answers = std::move(call.held_answers);
  }
  // A ledger that another batch began while this one asked the directory has a history like any
  // other.
  if (call.stage == LedgerStage::registered && state->seq > 0) call.stage = LedgerStage::begin;
  decide(*state, call, answered, effects);
  if (effects.waits_outside()) state->pin(frame.now_ms);
}

}  // namespace z0
