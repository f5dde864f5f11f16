// Routes and credentials.
#include "z0/edge.hpp"

#include "edge_config.hpp"
#include "edge_http.hpp"
#include "z0/ids.hpp"
#include "z0/version.hpp"

namespace z0 {
namespace {

constexpr std::string_view bearer = "Bearer ";
constexpr std::string_view facts_path = "/v1/facts";
constexpr std::string_view entities_path = "/v1/entities/";
constexpr std::string_view configs_path = "/v1/configs/";
constexpr std::string_view versions_path = "/versions";

enum class Route : std::uint8_t {
  none,
  health,
  post_facts,
  query_facts,
  ledger_facts,
  entity,
  report,
  live,
  put_config,
  get_config,
  config_history,
  config_gaps,
  ledgers
};

struct Routed {
  Route route = Route::none;
  std::uint8_t scope = 0;
  std::string_view entity_id;
  bool method_ok = true;
  std::string_view parameters;  // the names it takes, each between commas
};

Routed config_route(std::string_view method, std::string_view id, bool get) {
  if (id == "gaps") return {Route::config_gaps, scope_facts_read, {}, get, ",tenant,"};
  if (id.ends_with(versions_path)) {
    return {Route::config_history, scope_facts_read, id.substr(0, id.size() - versions_path.size()),
            get, ",from_version,"};
  }
  if (method == "PUT") return {Route::put_config, scope_config_write, id, true, {}};
  return {Route::get_config, scope_facts_read, id, get, ",version,as_of,"};
}

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
  if (path.starts_with(configs_path))
    return config_route(request.method, path.substr(configs_path.size()), get);
  if (path == "/v1/ledgers")
    return {Route::ledgers, scope_facts_read, {}, get, ",tenant,limit,cursor,"};
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
    case Route::live:
      return get_live(context, effects);
    case Route::put_config:
      return put_config(request, claims, context, to.entity_id, frame, effects);
    case Route::get_config:
    case Route::config_history:
      return get_config(request, claims, context, to.entity_id, to.route == Route::config_history,
                        effects);
    case Route::config_gaps:
      return get_config_gaps(request, claims, context, frame, effects);
    case Route::ledgers:
      return get_ledgers(request, claims, context, effects);
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
        (claims.scopes & to.scope) != 0 && (to.route != Route::live || claims.all_tenants);
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
    case Operation::put_config:
      return resume_put_config(in, context, frame, effects);
    case Operation::get_config:
      return resume_get_config(in, context, frame, effects);
    case Operation::config_gaps:
      return resume_config_gaps(context, frame, effects);
    case Operation::ledgers:
      return resume_ledgers(in, context, frame, effects);
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
