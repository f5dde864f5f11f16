// Cached state, reconciliation on demand, and imports.
#include <algorithm>

#include "edge/handlers.hpp"
#include "operations/value.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/ledger_reads.hpp"
#include "z0/calls/ledger_repairs.hpp"
#include "z0/folds/folds.hpp"
#include "z0/json/json.hpp"
#include "z0/metrics/registry.hpp"

namespace z0 {
namespace {

void ask_ledger(std::string_view entity_id, LedgerMethod method, std::string_view request,
                const Context& context, Effects& effects) {
  effects.need_call(method, ledger_object_name(entity_id), limits::read_timeout_ms, request);
  resume_with(context, effects);
}

constexpr std::string_view by_seq = "seq:";
constexpr std::string_view source_names[] = {"memory", "row", "facts"};
static_assert(std::size(source_names) == static_cast<std::size_t>(StateSource::count_));

// "seq:N", or a time.
bool parse_as_of(std::string_view text, StateRequest& state) {
  if (text.empty()) return true;
  if (!text.starts_with(by_seq)) return parse_time(text, state.as_of_ms) && state.as_of_ms > 0;
  return parse_number(text.substr(by_seq.size()), state.as_of_seq) && state.as_of_seq >= 1 &&
         state.as_of_seq <= limits::version_max;
}

// The text of the member `record` of a line of an export; empty when it is none.
std::string record_of(std::string_view line) {
  JsonReader in(line, limits::json_depth_max);
  std::string_view key;
  std::string scratch;
  std::string_view value;
  if (!in.enter_object()) return {};
  while (in.next_member(key)) {
    if (key != "record") {
      in.skip();
      continue;
    }
    const bool text = in.peek() == JsonKind::string && in.string(value, scratch);
    return text ? std::string(value) : std::string();
  }
  return {};
}

// The records of the lines of an export, one after the other. False with the line's number at one
// that holds none.
bool read_records(std::string_view body, std::string& records, std::size_t& line_number) {
  std::string leaf;
  for (line_number = 1; !body.empty(); ++line_number) {
    const std::string_view line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(body.size(), line.size() + 1));
    if (line.empty()) continue;
    leaf.clear();
    if (!base64_decode(record_of(line), leaf) || leaf.empty()) return false;
    ByteWriter(records).short_bytes(leaf);
  }
  return true;
}

// "BudgetState, CapState ... or ConfigState".
std::string cache_names() {
  std::string names;
  for (std::size_t part = 0; part < Folds::parts; ++part) {
    if (part > 0) names += part + 1 == Folds::parts ? " or " : ", ";
    names += Folds::name(part);
  }
  return names;
}

}  // namespace

void get_state(const RouteCall& call) {
  const auto& [request, claims, context, frame, entity_id, effects] = call;
  if (!names_ledger(entity_id)) return reply_error(effects, context, Status::not_found, {});
  StateRequest state;
  std::size_t part = 0;
  if (!Folds::part_of(request.parameter("cache"), part))
    return reply_bad_value(effects, context, "cache", cache_names());
  const std::string_view as_of = request.parameter("as_of");
  if (!parse_as_of(as_of, state) && as_of.starts_with(by_seq))
    return reply_bad_value(effects, context, "as_of", "seq: and the number of a fact");
  if (!parse_as_of(as_of, state)) return reply_bad_time(effects, context, "as_of");
  state.tenant_id = claims.tenant_id;
  state.entity_id = entity_id;
  state.what = static_cast<std::uint8_t>(part);
  ask_ledger(entity_id, LedgerMethod::state, encode(state), context, effects);
}

// A read from memory or a row is a hit; one from facts is a miss.
void resume_state(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  StateRequest request;
  StateReply state;
  if (!value_or_refuse(resumed, request, state)) return;
  Folds folds;
  folds.decode(Folds::config_part, state.configs);
  folds.decode(request.what, state.value);
  const std::string_view cache = Folds::name(request.what);
  std::string out;
  JsonWriter json(out);
  json.object().text("entity_id", state.entity_id).text("tenant_id", state.tenant_id);
  json.plain("cache", cache).integer("seq", state.seq).integer("computed_at", state.computed_at);
  json.plain("source", source_names[static_cast<std::size_t>(state.source)]);
  json.integer("facts_folded", state.folded).key("state");
  if (folds.valid(request.what))
    folds.write_json(json, request.what, state.computed_at);
  else
    json.null();
  json.end();
  reply_json(effects, context, 200, out);
  const bool hit = state.source != StateSource::facts;
  count(effects, hit ? Metric::cache_hits : Metric::cache_misses, state.tenant_id, {cache}, 1,
        context.trace.trace_id);
  observe(effects, Metric::cache_read_duration, state.tenant_id, {cache},
          frame.now_ms - context.started_ms, 1, context.trace.trace_id);
}

void post_reconcile(const RouteCall& call) {
  const auto& [request, claims, context, frame, entity_id, effects] = call;
  if (!names_ledger(entity_id)) return reply_error(effects, context, Status::not_found, {});
  const std::string_view from = request.parameter("from");
  if (!from.empty() && from != "start") return reply_bad_value(effects, context, "from", "start");
  const ReconcileRequest reconcile{claims.tenant_id, entity_id, from == "start"};
  ask_ledger(entity_id, LedgerMethod::reconcile, encode(reconcile), context, effects);
}

void resume_reconcile(const RouteResume& resumed) {
  ReconcileReply step;
  if (!value_or_refuse(resumed, step)) return;
  std::string out;
  JsonWriter json(out);
  json.object().text("entity_id", step.entity_id).text("tenant_id", step.tenant_id);
  json.integer("seq", step.seq).integer("verified_seq", step.verified_seq);
  json.boolean("done", step.done).integer("facts_scanned", step.facts);
  json.integer("comparisons", step.comparisons).array("mismatches");
  for (const std::string_view mismatch : step.mismatches) json.raw(mismatch);
  json.end().end();
  reply_json(resumed.effects, resumed.context, 200, out);
}

void post_import(const RouteCall& call) {
  const auto& [request, claims, context, frame, entity_id, effects] = call;
  if (!names_ledger(entity_id)) return reply_error(effects, context, Status::not_found, {});
  const std::string_view tenant = request.parameter("tenant");
  if (!valid_id(tenant)) return reply_error(effects, context, Status::bad_parameter, "tenant");
  if (!body_or_refuse(call)) return;
  std::string records;
  std::size_t line = 0;
  if (!read_records(request.body, records, line)) {
    return reply_error(effects, context, Status::invalid_value,
                       "record in line " + std::to_string(line));
  }
  if (records.empty()) return reply_error(effects, context, Status::no_facts, "body");
  const ImportRequest import{tenant, entity_id, records};
  ask_ledger(entity_id, LedgerMethod::import_facts, encode(import), context, effects);
}

void resume_import(const RouteResume& resumed) {
  ImportRequest import;
  TreeHead head;
  if (!value_or_refuse(resumed, import, head)) return;
  std::string out;
  JsonWriter json(out);
  json.object().text("entity_id", import.entity_id).integer("size", head.size);
  json.hex("root", head.root).end();
  reply_json(resumed.effects, resumed.context, 200, out);
}

}  // namespace z0
