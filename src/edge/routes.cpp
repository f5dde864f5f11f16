// Routes and credentials.
#include "z0/edge/routes.hpp"

#include <algorithm>
#include <iterator>

#include "edge/config.hpp"
#include "http/http.hpp"
#include "operations/operations.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/version.hpp"

namespace z0 {
namespace {

constexpr std::string_view facts_read_parameters = ",from_seq,types,limit,records,";

struct Call {
  const Request& request;
  const Claims& claims;
  const Context& context;
  const Frame& frame;
  std::string_view id;  // what stands for {} in the path
  Effects& effects;
};

struct Route {
  std::string_view method;
  std::string_view path;        // {} stands for one segment
  std::uint8_t scope;           // 0: no token
  bool all_tenants;             // what concerns every tenant is for operators
  std::string_view parameters;  // the names it takes, each between commas
  void (*handle)(const Call&);
};

void health(const Call& call) {
  std::string json = "{\"status\":\"ok\",\"version\":\"";
  json += version;
  reply_json(call.effects, call.context, 200, json + "\"}");
}

template <std::uint16_t frame_kind>
void ledger(const Call& c) {
  get_ledger(c.request, c.claims, c.context, c.id, frame_kind, c.effects);
}

constexpr Route routes[] = {
    {"GET", "/healthz", 0, false, {}, health},
    {"POST", "/v1/facts", scope_facts_write, false, ",atomic,",
     [](const Call& c) { post_facts(c.request, c.claims, c.context, c.frame, c.effects); }},
    {"GET", "/v1/facts", scope_facts_read, false,
     ",tenant,type,status,from,to,trace_id,limit,cursor,",
     [](const Call& c) { query_facts(c.request, c.claims, c.context, c.frame, c.effects); }},
    {"GET", "/v1/facts/{}", scope_facts_read, false, facts_read_parameters,
     ledger<Z0_FRAME_LEDGER_READ>},
    {"GET", "/v1/entities/{}", scope_facts_read, false, {}, ledger<Z0_FRAME_LEDGER_HEAD>},
    {"GET", "/v1/entities/{}/state", scope_facts_read, false, ",cache,as_of,",
     [](const Call& c) { get_state(c.request, c.claims, c.context, c.id, c.effects); }},
    {"GET",
     "/v1/ledgers/{}/checkpoint",
     scope_facts_read,
     false,
     {},
     [](const Call& c) { get_checkpoint(c.claims, c.context, c.id, c.effects); }},
    {"GET", "/v1/ledgers/{}/proof", scope_facts_read, false, ",seq,size,",
     [](const Call& c) { get_proof(c.request, c.claims, c.context, c.id, c.effects); }},
    {"GET", "/v1/ledgers/{}/consistency", scope_facts_read, false, ",from,size,",
     [](const Call& c) { get_consistency(c.request, c.claims, c.context, c.id, c.effects); }},
    {"POST", "/v1/ledgers/{}/reconcile", scope_ops, false, ",from,",
     [](const Call& c) { post_reconcile(c.request, c.claims, c.context, c.id, c.effects); }},
    {"POST", "/v1/ledgers/{}/replicate", scope_ops, true, ",from,",
     [](const Call& c) { post_replicate(c.request, c.context, c.id, false, c.effects); }},
    {"POST", "/v1/ledgers/{}/verify", scope_ops, true, ",from_seq,",
     [](const Call& c) { post_replicate(c.request, c.context, c.id, true, c.effects); }},
    {"GET", "/v1/replication", scope_ops, true, ",tenant,limit,cursor,",
     [](const Call& c) { get_replication(c.request, c.context, c.frame, c.effects); }},
    {"POST", "/v1/ledgers/{}/import", scope_ops, true, ",tenant,",
     [](const Call& c) { post_import(c.request, c.context, c.id, c.effects); }},
    {"GET",
     "/v1/keys",
     scope_facts_read,
     false,
     {},
     [](const Call& c) { get_keys(c.context, c.effects); }},
    {"GET", "/v1/ledgers", scope_facts_read, false, ",tenant,limit,cursor,",
     [](const Call& c) { get_ledgers(c.request, c.claims, c.context, c.effects); }},
    {"GET", "/v1/configs/gaps", scope_facts_read, false, ",tenant,",
     [](const Call& c) { get_config_gaps(c.request, c.claims, c.context, c.frame, c.effects); }},
    {"PUT",
     "/v1/configs/{}",
     scope_config_write,
     false,
     {},
     [](const Call& c) { put_config(c.request, c.claims, c.context, c.id, c.frame, c.effects); }},
    {"GET", "/v1/configs/{}", scope_facts_read, false, ",version,as_of,",
     [](const Call& c) { get_config(c.request, c.claims, c.context, c.id, false, c.effects); }},
    {"GET", "/v1/configs/{}/versions", scope_facts_read, false, ",from_version,",
     [](const Call& c) { get_config(c.request, c.claims, c.context, c.id, true, c.effects); }},
    {"GET", "/v1/report", scope_facts_read, false, ",tenant,",
     [](const Call& c) { get_report(c.request, c.claims, c.context, c.frame, c.effects); }},
    {"GET", "/v1/closure", scope_facts_read, false, ",tenant,from,to,limit,cursor,",
     [](const Call& c) { get_closure(c.request, c.claims, c.context, c.frame, c.effects); }},
    {"GET", "/v1/dead-letters", scope_ops, true, ",limit,cursor,",
     [](const Call& c) { get_dead_letters(c.request, c.context, c.effects); }},
    {"POST",
     "/v1/dead-letters/redrive",
     scope_ops,
     true,
     {},
     [](const Call& c) { post_redrive(c.context, {}, c.effects); }},
    {"GET",
     "/v1/dead-letters/{}",
     scope_ops,
     true,
     {},
     [](const Call& c) { get_dead_letter(c.context, c.id, c.effects); }},
    {"POST",
     "/v1/dead-letters/{}/redrive",
     scope_ops,
     true,
     {},
     [](const Call& c) { post_redrive(c.context, c.id, c.effects); }},
    {"GET", "/v1/live", scope_ops, true, {}, [](const Call& c) { get_live(c.context, c.effects); }},
};

// Whether a path is of this form; `id` is what stands for {}, which is never empty and never more
// than a segment.
bool matches(std::string_view form, std::string_view path, std::string_view& id) {
  const std::size_t open = form.find("{}");
  if (open == std::string_view::npos) return form == path;
  const std::string_view tail = form.substr(open + 2);
  if (path.size() <= open + tail.size() || !path.starts_with(form.substr(0, open)) ||
      !path.ends_with(tail))
    return false;
  id = path.substr(open, path.size() - open - tail.size());
  return id.find('/') == std::string_view::npos;
}

// The route; null with whether another method would have had one.
const Route* route(const Request& request, std::string_view& id, bool& path_known) {
  const std::string_view method = request.method == "HEAD" ? "GET" : request.method;
  for (const Route& r : routes) {
    if (!matches(r.path, request.path, id)) continue;
    path_known = true;
    if (r.method == method) return &r;
  }
  return nullptr;
}

// What the methods of an address are for. A HEAD is answered wherever a GET is.
struct Purpose {
  std::string_view method;
  std::string_view listed;
  std::string_view words;
};
constexpr Purpose purposes[] = {{"GET", "GET, HEAD", "GET to read"},
                                {"POST", "POST", "POST to send"},
                                {"PUT", "PUT", "PUT to write"}};

// The address is known, but not with this method (RFC 9110, 15.5.6).
void refuse_method(const Request& request, const Context& context, Effects& effects) {
  std::string allowed;
  std::string action;
  for (const Purpose& purpose : purposes) {
    std::string_view id;
    const bool taken = std::any_of(std::begin(routes), std::end(routes), [&](const Route& r) {
      return r.method == purpose.method && matches(r.path, request.path, id);
    });
    if (!taken) continue;
    allowed.append(allowed.empty() ? "" : ", ").append(purpose.listed);
    action.append(action.empty() ? "Use " : ", ").append(purpose.words);
  }
  reply_bad_method(effects, context, allowed, action + '.');
}

// The first parameter that the route does not take, that stands twice or has no value; empty when
// there is none. A typing error in `atomic` or `limit`, or a variable of a script that was not set,
// must not pass for their absence.
std::string_view strange_parameter(const Route& to, const Request& request) {
  for (std::size_t i = 0; i < request.query.size(); ++i) {
    const std::string_view name = request.query[i].first;
    if (request.query[i].second.empty()) return name.empty() ? "=" : name;
    const bool known = to.parameters.find(',' + std::string(name) + ',') != std::string_view::npos;
    if (!known || name.find(',') != std::string_view::npos) return name.empty() ? "=" : name;
    for (std::size_t j = 0; j < i; ++j) {
      if (request.query[j].first == name) return name;
    }
  }
  return {};
}

void begin(const Frame& frame, Effects& effects) {
  Request request;
  const bool readable = parse_request(frame, request);
  const Context context{
      trace_context(request.traceparent, request.tracestate, frame.entropy.substr(10, 24)),
      frame.now_ms};
  if (!readable) return reply_error(effects, context, Status::bad_parameter, "url");
  std::string_view id;
  bool path_known = false;
  const Route* to = route(request, id, path_known);
  if (to == nullptr) {
    if (path_known) return refuse_method(request, context, effects);
    return reply_error(effects, context, Status::not_found, {});
  }
  Claims claims;
  if (to->scope != 0) {
    if (!verify_token(bearer_token(request.authorization), request.secrets, frame.now_ms, claims)) {
      return reply_error(effects, context, Status::unauthorized, {});
    }
    const bool scoped =
        (claims.scopes & to->scope) != 0 && (!to->all_tenants || claims.all_tenants);
    if (!scoped)
      return reply_error(effects, context, Status::scope_missing, scope_names(to->scope));
    const std::string_view strange = strange_parameter(*to, request);
    if (!strange.empty()) return reply_error(effects, context, Status::bad_parameter, strange);
  }
  to->handle({request, claims, context, frame, id, effects});
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
    case Operation::checkpoint:
      return resume_checkpoint(in, context, frame, effects);
    case Operation::signature:
      return resume_signature(in, context, frame, effects);
    case Operation::keys:
      return resume_keys(context, frame, effects);
    case Operation::state:
      return resume_state(context, frame, effects);
    case Operation::put_config:
      return resume_put_config(in, context, frame, effects);
    case Operation::get_config:
      return resume_get_config(in, context, frame, effects);
    case Operation::config_gaps:
      return resume_config_gaps(context, frame, effects);
    case Operation::ledgers:
      return resume_ledgers(in, context, frame, effects);
    case Operation::replication_heads:
      return resume_replication_heads(in, context, frame, effects);
    case Operation::replication:
      return resume_replication(in, context, frame, effects);
    case Operation::closure:
      return resume_closure(in, context, frame, effects);
    case Operation::dead_letters:
      return resume_dead_letters(in, context, frame, effects);
    case Operation::dead_letter:
      return resume_dead_letter(context, frame, effects);
    case Operation::redrive:
      return resume_redrive(in, context, frame, effects);
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
