// Reconciliation: runs a pass, mends what differs, and records a fact about it. Also the same pass
// without the facts, for a state whose folds came damaged from their row.
#include <algorithm>

#include "calls/appended.hpp"
#include "ledger/pass.hpp"
#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/ledger_repairs.hpp"
#include "z0/calls/message.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/trace/context.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

constexpr std::int64_t day_ms = 86'400'000;
// A pass folds all parts at once.
constexpr std::string_view every_cache = "all";

// Segments; where corrected facts are compared, also the table and rows of it: those of a list, or of
// a range when the pass is a whole one.
constexpr std::size_t answers_with_corrected = 3;
// Of a range so many: as many as a pass knows, and as many again of facts that nothing corrected.
constexpr auto corrected_rows_max = 2 * static_cast<std::int64_t>(limits::corrected_per_pass_max);
// Of the rows that differ, so many are told.
constexpr std::size_t left_over_told = 20;

void need_segments(const LedgerState& state, Effects& effects) {
  effects.need_rows(ledger_sql::select_pass,
                    {Value::of(std::max<std::int64_t>(state.checkpoint.seq, 1)),
                     Value::of(limits::segments_per_pass_step)});
}

Rows pass_rows(const Frame& frame) {
  return parse_rows(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
}

// The value of a part; none when its bytes give none.
void write_value(JsonWriter& json, std::size_t part, std::string_view bytes, std::int64_t at_ms) {
  Folds folds;
  folds.decode(part, bytes);
  if (bytes.empty() || !folds.valid(part))
    json.null();
  else
    folds.write_json(json, part, at_ms);
}

// The row about a fact; none when it is missing or holds no number.
const Value* kept_of(const Rows& rows, std::int64_t seq) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows.at(i, ledger_sql::corrected::seq).integer != seq) continue;
    return rows.at(i, ledger_sql::corrected::left_over).kind == Value::Kind::integer
               ? &rows.at(i, ledger_sql::corrected::left_over)
               : nullptr;
  }
  return nullptr;
}

// The facts whose rows say otherwise, in ascending order. Of a list that was asked for by number
// each row comes, with null where there is none. Of a range one may be missing, or be about a fact
// that nothing corrected; behind the last row of a range that was cut nothing is known.
std::vector<std::int64_t> differences(const LeftOver& left, const Rows& rows) {
  std::vector<std::int64_t> found;
  std::size_t row = 0;
  const auto row_seq = [&] { return rows.at(row, ledger_sql::corrected::seq).integer; };
  const bool cut = rows.size() >= static_cast<std::size_t>(corrected_rows_max);
  const std::int64_t last =
      cut ? rows.at(rows.size() - 1, ledger_sql::corrected::seq).integer : limits::version_max;
  for (const auto& [seq, right] : left.facts()) {
    for (; row < rows.size() && row_seq() < seq; ++row) found.push_back(row_seq());
    if (seq > last) return found;
    const bool comes = row < rows.size() && row_seq() == seq;
    if (!comes && !left.whole()) continue;  // it was met after the list was made
    const Value& value = rows.at(row, ledger_sql::corrected::left_over);
    if (!comes || value.kind != Value::Kind::integer || value.integer != right)
      found.push_back(seq);
    row += comes ? 1 : 0;
  }
  for (; row < rows.size() && (left.to() == 0 || row_seq() < left.to()); ++row)
    found.push_back(row_seq());
  return found;
}

}  // namespace

bool Reconciliation::run() {
  const bool compares = frame_.answers.size() >= answers_with_corrected;
  const Rows corrected = compares ? parse_rows(frame_.answers[2]) : Rows{};
  if (compares && corrected.failed) return false;
  if (!pass_.read(pass_rows(frame_))) return false;
  for (const auto& [first_seq, cache] : pass_.mended())
    effects_.write(ledger_sql::put_cache, {Value::of(first_seq), Value::blob(cache)});
  if (!pass_.complete()) return true;
  pass_.settle();
  PassState& c = state_.checkpoint;
  for (std::size_t part = 0; part < Folds::parts; ++part) {
    if (c.found[part].first_seq == 0) continue;
    record(part, c.found[part]);
    c.found[part] = {};
    c.mismatch_at[part] = frame_.now_ms;
  }
  if (c.tree_diverged_seq != 0) record_tree();
  // What this step met is compared in the next one, unless the pass is a whole one, which asks for
  // all rows from its beginning.
  if (compares)
    compare_left_over(corrected);
  else if (!c.left_over.pending())
    c.left_over.end();
  c.whole = false;
  c.tree = MerkleRange{};
  // The facts just recorded feed no part: they are as good as checked.
  c.seq = state_.seq;
  return true;
}

// What becomes of a part that differed. It is always replaced, unless the facts do not give it
// (manual_review). An alert is raised when its money was wrong by more than the setting allows, or
// when the same part differed less than a day ago.
std::string_view Reconciliation::resolution_of(std::size_t part,
                                               const PassState::Divergence& d) const {
  const PassState& c = state_.checkpoint;
  if (!c.folds.valid(part)) return "manual_review";
  const bool again = c.mismatch_at[part] != 0 && frame_.now_ms - c.mismatch_at[part] < day_ms;
  Folds kept;
  Folds right;
  kept.decode(part, d.cached);
  right.decode(part, d.calculated);
  const bool large = part < cache_types && kept.valid(part) &&
                     right.cached().money_delta(kept.cached()) >
                         settings_reconciliation_alert_cents(frame_.settings);
  return again || large ? "alert_raised" : "cache_updated";
}

void Reconciliation::write_delta(JsonWriter& json, std::size_t part,
                                 const PassState::Divergence& d) const {
  Folds kept;
  Folds right;
  kept.decode(part, d.cached);
  right.decode(part, d.calculated);
  if (part >= cache_types || !kept.valid(part) || !right.valid(part)) {
    json.object().end();
    return;
  }
  right.cached().write_delta(json, static_cast<CacheType>(part), kept.cached(),
                             state_.now(frame_.now_ms));
}

void Reconciliation::record(std::size_t part, const PassState::Divergence& d) {
  std::string values;
  JsonWriter json(values);
  write_value(json.key("cached_value"), part, d.cached, state_.now(frame_.now_ms));
  write_value(json.key("calculated_value"), part, d.calculated, state_.now(frame_.now_ms));
  write_delta(json.key("delta"), part, d);
  record_fact(values, Folds::name(part), resolution_of(part, d), d.first_seq, d.trace);
}

void Reconciliation::compare_left_over(const Rows& rows) {
  LeftOver& left = state_.checkpoint.left_over;
  const std::vector<std::int64_t> found = differences(left, rows);
  rows_compared_ += static_cast<std::int64_t>(left.facts().size());
  if (!found.empty()) {
    CorrectedRows right;
    std::vector<std::int64_t> superfluous;
    for (const std::int64_t seq : found) {
      if (const std::int64_t* amount = left.find(seq))
        right.add(seq, *amount);
      else
        superfluous.push_back(seq);
    }
    right.write(effects_);
    if (!superfluous.empty()) {
      effects_.write(ledger_sql::delete_corrected,
                     {Value::text(ledger_sql::json_list(superfluous))});
    }
    record_left_over(found, rows);
  }
  if (left.whole()) return left.end();
  std::vector<std::int64_t> compared;
  for (std::size_t i = 0; i < rows.size(); ++i)
    compared.push_back(rows.at(i, ledger_sql::corrected::seq).integer);
  left.forget(compared);
}

// The values by the numbers of the facts, at most `left_over_told`.
void Reconciliation::record_left_over(const std::vector<std::int64_t>& found, const Rows& rows) {
  LeftOver& left = state_.checkpoint.left_over;
  const std::int64_t alert_cents = settings_reconciliation_alert_cents(frame_.settings);
  bool large = false;
  std::string cached, calculated, deltas;
  {
    JsonWriter kept_json(cached);
    JsonWriter right_json(calculated);
    JsonWriter delta_json(deltas);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Value* kept = kept_of(rows, found[i]);
      const std::int64_t* right = left.find(found[i]);
      std::int64_t delta = 0;
      // A row may hold any number; a difference that cannot be told is a large one.
      const bool both = kept != nullptr && right != nullptr;
      const bool known = both && !__builtin_sub_overflow(*right, kept->integer, &delta);
      large = large || both != known || delta > alert_cents || delta < -alert_cents;
      if (i >= left_over_told) continue;
      const std::string name = std::to_string(found[i]);
      kept_json.any_key(name);
      kept != nullptr ? kept_json.integer(kept->integer) : kept_json.null();
      right_json.any_key(name);
      right != nullptr ? right_json.integer(*right) : right_json.null();
      if (known) delta_json.any_key(name).integer(delta);
    }
  }
  std::string values;
  JsonWriter json(values);
  json.object("cached_value").parts(cached).end();
  json.object("calculated_value").parts(calculated).end();
  json.object("delta").parts(deltas).end();
  const bool again = left.mismatch_at != 0 && frame_.now_ms - left.mismatch_at < day_ms;
  left.mismatch_at = frame_.now_ms;
  record_fact(values, "CorrectionState", again || large ? "alert_raised" : "cache_updated",
              found.front(), {});
}

// The facts' bytes are not what was hashed when they were recorded. There is no right value to
// restore: somebody has to look.
void Reconciliation::record_tree() {
  PassState& c = state_.checkpoint;
  std::string values;
  JsonWriter json(values);
  json.hex("cached_value", state_.summary.tree.root());
  json.hex("calculated_value", c.tree.root());
  json.object("delta").end();
  record_fact(values, "MerkleTree", "manual_review", c.tree_diverged_seq, {});
  c.tree_diverged_seq = 0;
}

void Reconciliation::record_fact(std::string_view values, std::string_view name,
                                 std::string_view resolution, std::int64_t first_seq,
                                 std::string_view trace) {
  std::string data;
  JsonWriter json(data);
  json.object().plain("cache_type", name).parts(values).plain("resolution", resolution);
  json.integer("first_divergent_seq", first_seq).end();
  mismatches_.push_back({name, resolution});
  found_.push_back(data);
  if (state_.summary.lifecycle == Lifecycle::retired) return;  // it takes no fact any more
  Fact fact;
  fact.type = FactType::reconciliation;
  fact.subtype = "mismatch_detected";
  fact.data = data;
  fact.trace = trace;
  fact.entity_id = state_.entity_id;
  fact.fields = field_subtype | field_data | (trace.empty() ? 0u : field_trace);
  writer_.record_own(fact);
}

void Reconciliation::send_and_tell() {
  for (const auto& message : own_messages(state_, writer_, frame_)) effects_.send(message);
  if (pass_.facts() == 0 && mismatches_.empty()) return;
  const auto all = [this](Metric metric, std::int64_t increase) {
    count(effects_, metric, state_.tenant_id, {every_cache}, increase, {});
  };
  all(Metric::reconciliation_runs, 1);
  all(Metric::reconciliation_facts_scanned, facts());
  all(Metric::reconciliation_comparisons, comparisons());
  if (complete() && state_.pass_since != 0) {
    observe(effects_, Metric::reconciliation_duration, state_.tenant_id, {every_cache},
            frame_.now_ms - state_.pass_since, 1, {});
    state_.pass_since = 0;
  }
  for (const auto& [name, resolution] : mismatches_)
    count(effects_, Metric::reconciliation_mismatches, state_.tenant_id, {name, resolution}, 1, {});
}

void count_failed_pass(const LedgerState& state, Effects& effects) {
  count(effects, Metric::reconciliation_failures, state.tenant_id, {every_cache}, 1, {});
  count_error(effects, state.tenant_id, "do", "reconciliation", info(Status::storage_error).name,
              {});
}

std::vector<std::string> own_messages(const LedgerState& state, const LedgerWriter& writer,
                                      const Frame& frame) {
  MessagePacker packer(MessageKind::facts,
                       trace_context({}, {}, frame.entropy.trace()).traceparent());
  add_own(packer, state.tenant_id, state.entity_id, writer.own_records());
  return packer.take();
}

void need_reconciliation(LedgerState& state, const Frame& frame, Effects& effects) {
  if (state.pass_since == 0) state.pass_since = frame.now_ms;
  need_segments(state, effects);
  constexpr auto correction = static_cast<std::size_t>(FactType::correction);
  const LeftOver& left = state.checkpoint.left_over;
  const bool compares = left.whole() || left.pending();
  if (!compares || state.summary.counts.known[correction] == 0) return;
  effects.need_rows(ledger_sql::create_corrected, {});
  if (left.whole()) {
    const std::int64_t end = left.to() != 0 ? left.to() : limits::version_max;
    effects.need_rows(ledger_sql::select_corrected_range,
                      {Value::of(left.from()), Value::of(end), Value::of(corrected_rows_max)});
  } else {
    effects.need_rows(ledger_sql::select_corrected_or_null,
                      {Value::text(ledger_sql::json_list(left.seqs()))});
  }
}

bool needs_refold(const LedgerState* state) {
  if (state == nullptr || state->seq == 0) return false;
  for (std::size_t part = 0; part < Folds::parts; ++part) {
    if (!state->folds.valid(part) && !state->checkpoint.manual[part]) return true;
  }
  return false;
}

bool refold(LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects) {
  if (call.making == Making::folds) {
    Pass pass(state);
    if (!pass.read(pass_rows(frame))) {
      refuse_storage(call, frame, effects);
      return false;
    }
    if (pass.complete()) {
      pass.settle();
      return true;
    }
  }
  need_segments(state, effects);
  LedgerCall next = call;
  next.making = Making::folds;
  ++next.refolds;
  resume_call(effects, std::move(next));
  return false;
}

void reconcile_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects) {
  ReconcileRequest request;
  if (!decode(call.request, request) || state.seq == 0 ||
      (!request.tenant_id.empty() && request.tenant_id != state.tenant_id)) {
    return reply_status(effects, Status::not_found);
  }
  // In both steps: a state that left memory between them has forgotten that it began.
  if (request.whole) state.checkpoint.begin_whole();
  if (call.at<ReconcileStage>() == ReconcileStage::begin) {
    need_reconciliation(state, frame, effects);
    return resume_ledger(effects, call, ReconcileStage::pass, {});
  }
  LedgerWriter writer(state, frame, effects);
  Reconciliation run(state, frame, effects, writer);
  const std::int64_t seq = state.seq;
  if (!run.run()) {
    refuse_storage(call, frame, effects);
    return count_failed_pass(state, effects);
  }
  writer.finish();
  state.write_meta(effects);
  ReconcileReply reply;
  reply.entity_id = state.entity_id;
  reply.tenant_id = state.tenant_id;
  reply.seq = seq;
  reply.verified_seq = std::min(state.checkpoint.seq, seq);
  reply.done = run.complete();
  reply.facts = run.facts();
  reply.comparisons = run.comparisons();
  reply.mismatches.assign(run.found().begin(), run.found().end());
  reply_value(effects, reply);
  run.send_and_tell();
}

}  // namespace z0
