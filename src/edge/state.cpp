// Cached state, reconciliation on demand, and imports.
#include <algorithm>

#include "edge/handlers.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/ledger.hpp"
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

// "seq:N", or a time.
bool parse_as_of(std::string_view text, StateRequest& state) {
  if (text.empty()) return true;
  if (!text.starts_with(by_seq)) return parse_time(text, state.as_of_ms) && state.as_of_ms > 0;
  return parse_number(text.substr(by_seq.size()), state.as_of_seq) && state.as_of_seq >= 1 &&
         state.as_of_seq <= limits::version_max;
}

// The text of a member of a flat JSON object; empty when it is none.
std::string text_member(std::string_view json, std::string_view name) {
  JsonReader in(json, limits::json_depth_max);
  std::string_view key;
  std::string scratch;
  std::string_view value;
  if (!in.enter_object()) return {};
  while (in.next_member(key)) {
    if (key != name) {
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
    if (!base64_decode(text_member(line, "record"), leaf) || leaf.empty()) return false;
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
  ask_ledger(entity_id, LedgerMethod::state, state.encode(), context, effects);
}

// A read from memory or a row is a hit; one from facts is a miss.
void resume_state(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  std::string_view json;
  if (!ledger_answer(frame, context, effects, json)) return;
  reply_json(effects, context, 200, json);
  const std::string tenant = text_member(json, "tenant_id");
  const bool hit = text_member(json, "source") != "facts";
  emit(effects, hit ? Point::cache_hits : Point::cache_misses, tenant, {text_member(json, "cache")},
       {1, static_cast<double>(frame.now_ms - context.started_ms)});
}

void post_reconcile(const RouteCall& call) {
  const auto& [request, claims, context, frame, entity_id, effects] = call;
  if (!names_ledger(entity_id)) return reply_error(effects, context, Status::not_found, {});
  const std::string_view from = request.parameter("from");
  if (!from.empty() && from != "start") return reply_bad_value(effects, context, "from", "start");
  const ReconcileRequest reconcile{claims.tenant_id, entity_id, from == "start"};
  ask_ledger(entity_id, LedgerMethod::reconcile, reconcile.encode(), context, effects);
}

void post_import(const RouteCall& call) {
  const auto& [request, claims, context, frame, entity_id, effects] = call;
  if (!names_ledger(entity_id)) return reply_error(effects, context, Status::not_found, {});
  const std::string_view tenant = request.parameter("tenant");
  if (!valid_id(tenant)) return reply_error(effects, context, Status::bad_parameter, "tenant");
  std::string_view field;
  const Status body = judge_body(request, field);
  if (body != Status::recorded) return reply_error(effects, context, body, field);
  std::string records;
  std::size_t line = 0;
  if (!read_records(request.body, records, line)) {
    return reply_error(effects, context, Status::invalid_value,
                       "record in line " + std::to_string(line));
  }
  if (records.empty()) return reply_error(effects, context, Status::no_facts, "body");
  const ImportRequest import{tenant, entity_id, records};
  ask_ledger(entity_id, LedgerMethod::import_facts, import.encode(), context, effects);
}

}  // namespace z0
