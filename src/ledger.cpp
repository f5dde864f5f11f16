// A call on a ledger object: find or rebuild its state, then do what was asked.
#include "z0/ledger.hpp"

#include "ledger_pass.hpp"
#include "ledger_sql.hpp"
#include "ledger_step.hpp"
#include "z0/limits.hpp"

namespace z0 {

std::string LedgerCall::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(stage));
  out.u16(kind);
  out.bytes(name);
  out.bytes(request);
  out.bytes(extra);
  return bytes;
}

bool LedgerCall::decode(std::string_view bytes) {
  ByteReader in(bytes);
  stage = static_cast<LedgerStage>(in.u8());
  kind = in.u16();
  name = in.bytes();
  request = in.bytes();
  extra = in.bytes();
  return in.ok() && in.done();
}

void resume_ledger(Effects& effects, LedgerCall call, LedgerStage stage, std::string_view extra) {
  call.stage = stage;
  call.extra = extra;
  effects.resume(Z0_FRAME_LEDGER_RESUME, call.encode());
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
  resume_ledger(effects, call, LedgerStage::hydrate, {});
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
  if (call.kind == Z0_FRAME_LEDGER_READ) return read_ledger(call, frame, effects);
  if (call.kind == Z0_FRAME_LEDGER_HEAD) return read_head(call, frame, effects);
  if (call.kind == Z0_FRAME_LEDGER_PROOF) return read_proof(call, frame, effects);
  // A state that can answer is asked first: the cheapest of all reads.
  const bool reads_state = call.kind == Z0_FRAME_LEDGER_STATE &&
                           (call.stage == LedgerStage::begin || call.stage == LedgerStage::state);
  if (reads_state && !needs_refold(state)) return read_state(state, call, frame, effects);
  if (call.stage == LedgerStage::hydrate) {
    auto rebuilt = hydrate(frame);
    if (!rebuilt) return refuse_storage(call, frame, effects);
    state = &ledgers.put(frame.incarnation, std::move(rebuilt));
  }
  if (state == nullptr) return need_state(call, effects);
  // Damaged folds are made anew before anything is decided by them.
  if (needs_refold(state) && !refold(*state, call, frame, effects)) return;
  // What comes next has asked for nothing yet; and a ledger that another batch began while this one
  // asked the directory has a history like any other.
  const bool known = call.stage == LedgerStage::registered && state->seq > 0;
  const bool refolded = call.stage == LedgerStage::refold && call.kind != Z0_FRAME_LEDGER_STATE;
  if (refolded || known) call.stage = LedgerStage::begin;
  switch (call.kind) {
    case Z0_FRAME_LEDGER_ALARM:
      return ledger_alarm(*state, call, frame, effects);
    case Z0_FRAME_LEDGER_STATE:
      return read_state(state, call, frame, effects);
    case Z0_FRAME_LEDGER_RECONCILE:
      return reconcile_ledger(*state, call, frame, effects);
    case Z0_FRAME_LEDGER_REPLICATE:
      return replicate_ledger(*state, call, frame, effects);
    case Z0_FRAME_LEDGER_IMPORT:
      return import_to_ledger(*state, call, frame, effects);
    default:
      return append_to_ledger(*state, call, frame, effects);
  }
}

}  // namespace z0
