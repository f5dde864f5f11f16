// Routes and credentials.
#include "z0/edge.hpp"

#include "edge_http.hpp"
#include "z0/ids.hpp"
#include "z0/version.hpp"

namespace z0 {
namespace {

constexpr std::string_view bearer = "Bearer ";
constexpr std::string_view facts_path = "/v1/facts";
constexpr std::string_view entities_path = "/v1/entities/";
constexpr std::string_view ledgers_path = "/v1/ledgers/";

enum class Route : std::uint8_t {
  none,
  health,
  post_facts,
  query_facts,
  ledger_facts,
  entity,
  report,
  ledger_command,
  replication,
  live
};

struct Routed {
  Route route = Route::none;
  std::uint8_t scope = 0;
  std::string_view entity_id;
  bool method_ok = true;
  std::string_view parameters;  // the names it takes, each between commas
};

Routed route(const Request& request) {
  const std::string_view path = request.path;
  const bool get = request.method == "GET" || request.method == "HEAD";
  if (path == "/healthz") return {Route::health, 0, {}, get, {}};
  if (path == facts_path && request.method == "POST")
    return {Route::post_facts, scope_facts_write, {}, true, ",atomic,"};
  if (path == facts_path)
    return {Route::query_facts,
            scope_facts_read,
            {},
            get,
            ",tenant,type,status,from,to,trace_id,limit,cursor,"};
  if (path.starts_with("/v1/facts/")) {
    return {Route::ledger_facts, scope_facts_read, path.substr(facts_path.size() + 1), get,
            ",from_seq,types,limit,"};
  }
  if (path.starts_with(entities_path))
    return {Route::entity, scope_facts_read, path.substr(entities_path.size()), get, {}};
  if (path == "/v1/report") return {Route::report, scope_facts_read, {}, get, ",tenant,"};
  if (path.starts_with(ledgers_path)) {
    return {Route::ledger_command, scope_ops, path.substr(ledgers_path.size()),
            request.method == "POST", ",from,from_seq,"};
  }
  if (path == "/v1/replication")
    return {Route::replication, scope_ops, {}, get, ",tenant,limit,cursor,"};
  if (path == "/v1/live") return {Route::live, scope_ops, {}, get, {}};
  return {};
}

// The first parameter that the route does not take, or that stands twice; empty when there is none.
// A typing error in `atomic` or `limit` must not pass for their absence.
std::string_view strange_parameter(const Routed& to, const Request& request) {
  for (std::size_t i = 0; i < request.query.size(); ++i) {
    const std::string_view name = request.query[i].first;
    const bool known = to.parameters.find(',' + std::string(name) + ',') != std::string_view::npos;
    if (!known || name.find(',') != std::string_view::npos) return name.empty() ? "=" : name;
    for (std::size_t j = 0; j < i; ++j) {
      if (request.query[j].first == name) return name;
    }
  }
  return {};
}

void health(const Context& context, Effects& effects) {
  std::string json = "{\"status\":\"ok\",\"version\":\"";
  json += version;
  reply_json(effects, context, 200, json + "\"}");
}

void dispatch(const Routed& to, const Request& request, const Claims& claims,
              const Context& context, const Frame& frame, Effects& effects) {
  switch (to.route) {
    case Route::none:
      return reply_error(effects, context, Status::not_found, {});
    case Route::health:
      return health(context, effects);
    case Route::post_facts:
      return post_facts(request, claims, context, frame, effects);
    case Route::query_facts:
      return query_facts(request, claims, context, effects);
    case Route::ledger_facts:
      return get_ledger(request, claims, context, to.entity_id, Z0_FRAME_LEDGER_READ, effects);
    case Route::entity:
      return get_ledger(request, claims, context, to.entity_id, Z0_FRAME_LEDGER_HEAD, effects);
    case Route::report:
      return get_report(request, claims, context, effects);
    case Route::ledger_command:
      return post_ledger(request, context, to.entity_id, effects);
    case Route::replication:
      return get_replication(request, context, frame, effects);
    case Route::live:
      return get_live(context, effects);
  }
}

void begin(const Frame& frame, Effects& effects) {
  Request request;
  const bool readable = parse_request(frame, request);
  const Context context{
      trace_context(request.traceparent, request.tracestate, frame.entropy.substr(10, 24)),
      frame.now_ms};
  if (!readable) return reply_error(effects, context, Status::bad_parameter, "url");
  const Routed to = route(request);
  if (to.route == Route::none) return reply_error(effects, context, Status::not_found, {});
  if (!to.method_ok) return reply_error(effects, context, Status::method_not_allowed, {});
  Claims claims;
  if (to.route != Route::health) {
    if (!request.authorization.starts_with(bearer) ||
        !verify_token(request.authorization.substr(bearer.size()), request.secrets, frame.now_ms,
                      claims)) {
      return reply_error(effects, context, Status::unauthorized, {});
    }
    // What concerns every tenant is for operators.
    const bool scoped =
        (claims.scopes & to.scope) != 0 && (to.scope != scope_ops || claims.all_tenants);
    if (!scoped) return reply_error(effects, context, Status::scope_missing, scope_names(to.scope));
  }
  if (to.route != Route::health) {
    const std::string_view strange = strange_parameter(to, request);
    if (!strange.empty()) return reply_error(effects, context, Status::bad_parameter, strange);
  }
  dispatch(to, request, claims, context, frame, effects);
}

void resume(const Frame& frame, Effects& effects) {
  ByteReader in(frame.part(0));
  Operation operation{};
  Context context;
  if (!read_context(in, operation, context)) __builtin_trap();  // our own bytes
  switch (operation) {
    case Operation::post_facts:
      return resume_post_facts(in, context, frame, effects);
    case Operation::ledger:
      return resume_ledger_reply(context, frame, effects);
    case Operation::live:
      return resume_live(context, frame, effects);
    case Operation::query:
      return resume_query(in, context, frame, effects);
    case Operation::report:
      return resume_report(context, frame, effects);
    case Operation::replication_heads:
      return resume_replication_heads(in, context, frame, effects);
    case Operation::replication:
      return resume_replication(in, context, frame, effects);
  }
  __builtin_trap();
}

}  // namespace

void step_edge(const Frame& frame, Effects& effects) {
  if (frame.kind == Z0_FRAME_REQUEST)
    begin(frame, effects);
  else
    resume(frame, effects);
}

}  // namespace z0
