// Reconciliation: runs a pass, mends what differs, and records a fact about it. Also the same pass
// without the facts, for a state whose folds came damaged from their row.
#include <algorithm>

#include "ledger/pass.hpp"
#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/message.hpp"
#include "z0/trace/context.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

constexpr std::int64_t day_ms = 86'400'000;

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

}  // namespace

bool Reconciliation::run(const Rows& segments) {
  if (!pass_.read(segments)) return false;
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
  right.cached().write_delta(json, static_cast<CacheType>(part), kept.cached(), frame_.now_ms);
}

void Reconciliation::record(std::size_t part, const PassState::Divergence& d) {
  std::string values;
  JsonWriter json(values);
  write_value(json.key("cached_value"), part, d.cached, frame_.now_ms);
  write_value(json.key("calculated_value"), part, d.calculated, frame_.now_ms);
  write_delta(json.key("delta"), part, d);
  record_fact(values, Folds::name(part), resolution_of(part, d), d.first_seq, d.trace);
}

// The facts' bytes are not what was hashed when they were recorded. There is no right value to
// restore: somebody has to look.
void Reconciliation::record_tree() {
  PassState& c = state_.checkpoint;
  std::string values;
  JsonWriter json(values);
  std::string cached;
  std::string calculated;
  append_root(cached, state_.summary.tree.root());
  append_root(calculated, c.tree.root());
  json.plain("cached_value", cached).plain("calculated_value", calculated);
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
  JsonWriter(json_, !json_.empty()).raw(data);
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
  const std::string_view index =
      std::string_view(state_.tenant_id).substr(0, limits::point_index_bytes_max);
  effects_.point(index, {"z0_reconciliation_runs_total"},
                 {1, static_cast<double>(pass_.facts()), static_cast<double>(pass_.comparisons())});
  for (const auto& [name, resolution] : mismatches_)
    effects_.point(index, {"z0_reconciliation_mismatches_total", name, resolution}, {1});
}

std::vector<std::string> own_messages(const LedgerState& state, const LedgerWriter& writer,
                                      const Frame& frame) {
  MessagePacker packer(MessageKind::facts,
                       trace_context({}, {}, frame.entropy.trace()).traceparent());
  RecordBytes record;
  for (ByteReader in(writer.own_records()); next_record_bytes(in, record);)
    packer.add_record(state.tenant_id, state.entity_id, record.seq, record.recorded_at,
                      record.submission);
  return packer.take();
}

void need_pass_rows(const LedgerState& state, Effects& effects) {
  effects.need_rows(ledger_sql::select_pass,
                    {Value::of(std::max<std::int64_t>(state.checkpoint.seq, 1)),
                     Value::of(limits::segments_per_pass_step)});
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
  need_pass_rows(state, effects);
  LedgerCall next = call;
  next.making = Making::folds;
  ++next.refolds;
  resume_call(effects, std::move(next));
  return false;
}

void reconcile_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects) {
  ReconcileRequest request;
  if (!request.decode(call.request) || state.seq == 0 ||
      (!request.tenant_id.empty() && request.tenant_id != state.tenant_id)) {
    return reply_status(effects, Status::not_found, {});
  }
  // In both steps: a state that left memory between them has forgotten that it began.
  if (request.whole) state.checkpoint.begin_whole();
  if (call.at<ReconcileStage>() == ReconcileStage::begin) {
    need_pass_rows(state, effects);
    return resume_ledger(effects, call, ReconcileStage::pass, {});
  }
  LedgerWriter writer(state, frame, effects);
  Reconciliation run(state, frame, effects, writer);
  const std::int64_t seq = state.seq;
  if (!run.run(pass_rows(frame))) return refuse_storage(call, frame, effects);
  writer.finish();
  state.write_meta(effects);
  std::string json = "{\"entity_id\":";
  append_json_string(json, state.entity_id);
  json += ",\"tenant_id\":";
  append_json_string(json, state.tenant_id);
  json += ",\"seq\":" + std::to_string(seq);
  json += ",\"verified_seq\":" + std::to_string(std::min(state.checkpoint.seq, seq));
  json += run.complete() ? ",\"done\":true" : ",\"done\":false";
  json += ",\"facts_scanned\":" + std::to_string(run.facts());
  json += ",\"comparisons\":" + std::to_string(run.comparisons());
  json += ",\"mismatches\":[" + run.mismatches_json() + "]}";
  reply_status(effects, Status::recorded, json);
  run.send_and_tell();
}

}  // namespace z0
