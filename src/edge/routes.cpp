// Routes and credentials.
#include "z0/edge/routes.hpp"

#include <algorithm>
#include <iterator>

#include "edge/handlers.hpp"
#include "http/http.hpp"
#include "operations/operations.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/trap.hpp"
#include "z0/base/version.hpp"
#include "z0/trace/span.hpp"

namespace z0 {
namespace {

// Who may: one of these scopes, where there are any; and an operator, for what concerns every tenant.
struct Access {
  std::uint8_t scopes;
  bool all_tenants;
  bool debug = false;  // only where debugging is on: else there is no such address
  bool otlp = false;   // its errors are OTLP's, too
};
constexpr Access open_to_all{0, false};
constexpr Access debugs{0, false, true};
constexpr Access reads{scope_facts_read, false};
constexpr Access writes{scope_facts_write, false};
constexpr Access tells{scope_facts_write | scope_telemetry_write, false, false, true};
constexpr Access configures{scope_config_write, false};
constexpr Access reconciles{scope_ops, false};
constexpr Access operates{scope_ops, true};

// A step that goes on when answers have come, and what they answer.
struct Step {
  z0_effect_kind asked{};
  void (*resume)(const RouteResume&) = nullptr;
};
constexpr z0_effect_kind calls = Z0_NEED_CALL;
constexpr z0_effect_kind queries = Z0_NEED_QUERY;
constexpr z0_effect_kind signs = Z0_NEED_SIGN;
constexpr z0_effect_kind fetches = Z0_NEED_FETCH;
constexpr z0_effect_kind zones = Z0_NEED_ZONE;

struct Route {
  std::string_view method;
  std::string_view path;  // {} stands for one segment
  SpanName span;          // of a request for it; empty: none
  Access access;
  void (*handle)(const RouteCall&);
  Step steps[3];
  std::string_view parameters = {};  // the names it takes, each between commas
};

void health(const RouteCall& call) {
  std::string out;
  JsonWriter json(out);
  json.object().plain("status", "ok").plain("version", version).end();
  reply_json(call.effects, call.context, 200, out);
}

// A row a route, in a line or two: clang-format would give each member a line of its own.
// clang-format off
constexpr Route routes[] = {
    {"GET", "/healthz", {}, open_to_all, health, {}},
    {"POST", "/v1/facts", "z0.worker.facts.record",
     writes, post_facts,
     {{calls, resume_post_facts}, {calls, resume_post_registered}, {calls, resume_post_begun}},
     ",atomic,"},
    {"GET", "/v1/facts", "z0.worker.facts.query",
     reads, query_facts,
     {{queries, resume_query}}, ",tenant,type,status,from,to,trace_id,limit,cursor,"},
    {"GET", "/v1/facts/{}", "z0.worker.facts.read_ledger",
     reads, get_ledger_facts,
     {{calls, resume_facts}}, ",from_seq,types,limit,records,"},
    {"GET", "/v1/entities/{}", "z0.worker.entities.read_head",
     reads, get_ledger_head, {{calls, resume_head}}},
    {"GET", "/v1/entities/{}/state", "z0.worker.entities.read_state",
     reads, get_state, {{calls, resume_state}}, ",cache,as_of,"},
    {"GET", "/v1/ledgers/{}/checkpoint", "z0.worker.proofs.checkpoint",
     reads, get_checkpoint,
     {{calls, resume_checkpoint}, {signs, resume_signature}}},
    {"GET", "/v1/ledgers/{}/proof", "z0.worker.proofs.inclusion",
     reads, get_proof, {{calls, resume_proof}}, ",seq,size,"},
    {"GET", "/v1/ledgers/{}/consistency", "z0.worker.proofs.consistency",
     reads, get_consistency,
     {{calls, resume_proof}}, ",from,size,"},
    {"POST", "/v1/ledgers/{}/reconcile", "z0.worker.ledgers.reconcile",
     reconciles, post_reconcile,
     {{calls, resume_reconcile}}, ",from,"},
    {"POST", "/v1/ledgers/{}/replicate", "z0.worker.ledgers.replicate",
     operates, post_replicate,
     {{calls, resume_replicate}}, ",from,"},
    {"POST", "/v1/ledgers/{}/verify", "z0.worker.ledgers.verify",
     operates, post_verify,
     {{calls, resume_verify}}, ",from_seq,"},
    {"POST", "/v1/ledgers/{}/import", "z0.worker.ledgers.import_facts",
     operates, post_import,
     {{calls, resume_import}}, ",tenant,"},
    {"GET", "/v1/ledgers", "z0.worker.ledgers.list",
     reads, get_ledgers, {{calls, resume_ledgers}}, ",tenant,limit,cursor,"},
    {"GET", "/v1/keys", "z0.worker.proofs.keys",
     reads, get_keys, {{signs, resume_keys}}},
    {"GET", "/v1/replication", "z0.worker.replication.read",
     operates, get_replication,
     {{queries, resume_replication_heads}, {calls, resume_replication}},
     ",tenant,limit,cursor,after,until,"},
    {"GET", "/v1/configs/gaps", "z0.worker.configs.read_gaps",
     reads, get_config_gaps,
     {{queries, resume_config_gaps}}, ",tenant,"},
    {"PUT", "/v1/configs/{}", "z0.worker.configs.publish",
     configures, put_config, {{calls, resume_put_config}, {zones, resume_config_zones}}},
    {"GET", "/v1/configs/{}", "z0.worker.configs.read",
     reads, get_config, {{calls, resume_get_config}}, ",version,as_of,"},
    {"GET", "/v1/configs/{}/versions", "z0.worker.configs.read_versions",
     reads, get_config_versions,
     {{calls, resume_get_config}}, ",from_version,"},
    {"GET", "/v1/report", "z0.worker.report.read",
     reads, get_report, {{queries, resume_report}}, ",tenant,"},
    {"GET", "/v1/closure", "z0.worker.closure.read",
     reads, get_closure,
     {{queries, resume_closure}}, ",tenant,from,to,limit,cursor,"},
    {"GET", "/v1/dead-letters", "z0.worker.dead_letters.list",
     operates, get_dead_letters,
     {{queries, resume_dead_letters}}, ",limit,cursor,"},
    {"POST", "/v1/dead-letters/redrive", "z0.worker.dead_letters.redrive",
     operates, post_redrive, {{queries, resume_redrive}}},
    {"GET", "/v1/dead-letters/{}", "z0.worker.dead_letters.read",
     operates, get_dead_letter, {{queries, resume_dead_letter}}},
    {"POST", "/v1/dead-letters/{}/redrive", "z0.worker.dead_letters.redrive",
     operates, post_redrive, {{queries, resume_redrive}}},
    {"GET", "/v1/traces", "z0.worker.traces.search", reads, get_traces,
     {{calls, resume_traces}}, ",tenant,operation,min_ms,error,money,from,to,limit,cursor,"},
    {"GET", "/v1/traces/{}", "z0.worker.traces.read", reads, get_trace,
     {{calls, resume_trace}, {queries, resume_trace_facts}}},
    {"POST", "/v1/traces", "z0.worker.otlp.traces",
     tells, post_otlp_traces, {{calls, resume_otlp_traces}}},
    {"POST", "/v1/metrics", "z0.worker.otlp.metrics",
     tells, post_otlp_metrics, {}},
    {"GET", "/v1/live", "z0.worker.live.read",
     operates, get_live, {{calls, resume_live}}},
    {"GET", "/metrics", "z0.worker.metrics.expose",
     operates, get_metrics, {{calls, resume_metrics}}},
    {"GET", "/v1/metrics/query", "z0.worker.metrics.query",
     reads, get_metric_query,
     {{calls, resume_metric_query}}, ",tenant,metric,by,window,quantile,step,"},
    {"GET", "/v1/alerts", "z0.worker.alerts.list",
     reads, get_alerts, {{calls, resume_alerts}}, ",tenant,"},
    {"POST", "/v1/alerts/{}/acknowledge", "z0.worker.alerts.acknowledge",
     reconciles, post_acknowledge, {{calls, resume_acknowledge}}},
    {"GET", "/v1/silences", "z0.worker.silences.list",
     reads, get_silences, {{calls, resume_silences}}, ",tenant,"},
    {"POST", "/v1/silences", "z0.worker.silences.create",
     reconciles, post_silence, {{calls, resume_silence}}},
    {"DELETE", "/v1/silences/{}", "z0.worker.silences.end",
     reconciles, delete_silence, {{calls, resume_delete_silence}}},
    {"GET", "/v1/rules", "z0.worker.rules.list",
     reads, get_rules, {{calls, resume_rules}}, ",tenant,"},
    {"POST", "/v1/rules/test", "z0.worker.rules.test", reads, post_rules_test, {}},
    {"GET", "/v1/rules/history", "z0.worker.rules.read_history",
     reads, get_rule_history,
     {{queries, resume_rule_history}}, ",tenant,from,to,facts,cursor,"},
    {"POST", "/v1/rules/backtest", "z0.worker.rules.backtest",
     reads, post_backtest, {{queries, resume_backtest}}, ",tenant,"},
    {"POST", "/conformance/trace-context", "z0.worker.conformance.trace_context",
     debugs, post_conformance,
     {{fetches, resume_conformance}}},
};
// clang-format on

// Whether a path is of this form; `id` is what stands for {}, which is never empty and never more
// than a segment.
bool matches(std::string_view form, std::string_view path, std::string_view& id) {
  id = {};
  const std::size_t open = form.find("{}");
  if (open == std::string_view::npos) return form == path;
  const std::string_view tail = form.substr(open + 2);
  if (path.size() <= open + tail.size() || !path.starts_with(form.substr(0, open)) ||
      !path.ends_with(tail))
    return false;
  id = path.substr(open, path.size() - open - tail.size());
  return id.find('/') == std::string_view::npos;
}

bool leads(const Route& route, const Request& request, std::string_view& id) {
  return (request.debug || !route.access.debug) && matches(route.path, request.path, id);
}

// The route; null with whether another method would have had one.
const Route* route(const Request& request, std::string_view& id, bool& path_known) {
  const std::string_view method = request.method == "HEAD" ? "GET" : request.method;
  for (const Route& r : routes) {
    if (!leads(r, request, id)) continue;
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

bool takes(const Request& request, std::string_view method) {
  std::string_view id;
  return std::any_of(std::begin(routes), std::end(routes),
                     [&](const Route& r) { return r.method == method && leads(r, request, id); });
}

// The methods that an address takes, as headers list them.
std::string listed_methods(const Request& request) {
  std::string listed;
  for (const Purpose& purpose : purposes) {
    if (takes(request, purpose.method))
      listed.append(listed.empty() ? "" : ", ").append(purpose.listed);
  }
  return listed;
}

// The address is known, but not with this method (RFC 9110, 15.5.6).
void refuse_method(const Request& request, const Context& context, Effects& effects) {
  std::string action;
  for (const Purpose& purpose : purposes) {
    if (takes(request, purpose.method))
      action.append(action.empty() ? "Use " : ", ").append(purpose.words);
  }
  reply_bad_method(effects, context, listed_methods(request), action + '.');
}

// What a caller is told of an address's parameters.
std::string taken_parameters(const Route& to) {
  if (to.parameters.empty()) return "This address takes no parameters.";
  std::string names;
  for (const char c : to.parameters.substr(1, to.parameters.size() - 2)) {
    names += c;
    if (c == ',') names += ' ';
  }
  return "This address takes these parameters, each at most once and with a value: " + names + '.';
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

// What z0 asks others for in this step is under the request's span.
void name_needs(const Context& context, const Frame& frame, Effects& effects) {
  ByteReader random(frame.entropy.trace().substr(trace_id_bytes));
  const TraceContext& trace = context.trace;
  effects.spans_under({trace.trace_id, trace.span_id, context.tenant_id, random.u64(), trace.flags,
                       trace.tracestate});
}

// The span of a request that was answered in this step. Between its first step and one that goes on
// the clock moved: z0 waited.
void end_span(const Context& context, const Frame& frame, Effects& effects) {
  const bool routed = context.route < std::size(routes);
  const SpanName name = routed ? routes[context.route].span : "z0.worker.edge.refuse";
  if (effects.needs() || name.empty()) return;
  const SpanNotes& notes = effects.notes;
  Span span = request_span(context.trace, name, SpanKind::server, context.started_ms, frame.now_ms);
  span.clock = frame.kind == Z0_FRAME_RESUME ? Clock::seen : Clock::stood;
  span.tenant_id = context.tenant_id.empty() ? notes.tenant_id : context.tenant_id;
  span.entity_id = context.entity_id.empty() ? notes.entity_id : context.entity_id;
  span.error_code = notes.error_code;
  if (notes.failed || notes.http >= 500) span.status = SpanStatus::error;
  if (notes.money_moved) span.money = MoneyEffect::moved;
  if (notes.money_failed) span.money = MoneyEffect::failed;
  const auto add = [&span](std::string_view key, std::string value) {
    span.attributes.push_back({std::string(key), std::move(value)});
  };
  if (routed) {
    const Route& to = routes[context.route];
    add("http.request.method", '"' + std::string(to.method) + '"');
    add("http.route", '"' + std::string(to.path) + '"');
  }
  add("http.response.status_code", std::to_string(notes.http));
  if (notes.facts > 0) add("z0.facts", std::to_string(notes.facts));
  effects.span(span_json(span));
}

constexpr std::uint8_t no_route = 0xff;

void handle(KnownTokens& tokens, const Request& request, bool readable, Context& context,
            const Frame& frame, Effects& effects) {
  if (!readable) return reply_error(effects, context, Status::bad_parameter, "url");
  std::string_view id;
  bool path_known = false;
  const Route* to = route(request, id, path_known);
  if (to == nullptr) {
    const bool preflight = request.method == "OPTIONS" && !request.asked_method.empty();
    if (path_known && preflight && !context.origin.empty())
      return reply_preflight(effects, context, request, listed_methods(request));
    if (path_known) return refuse_method(request, context, effects);
    return reply_error(effects, context, Status::not_found, {});
  }
  context.route = static_cast<std::uint8_t>(to - routes);
  context.otlp = to->access.otlp;
  if (names_ledger(id)) context.entity_id = id;
  const Claims nobody;
  const Claims* claims = &nobody;
  if (to->access.scopes != 0) {
    claims = tokens.verify(bearer_token(request.authorization), request.secrets, frame.now_ms);
    if (claims == nullptr) return reply_error(effects, context, Status::unauthorized, {});
    context.tenant_id = claims->tenant_id;
    const bool scoped = (claims->scopes & to->access.scopes) != 0 &&
                        (!to->access.all_tenants || claims->all_tenants);
    if (!scoped)
      return reply_error(effects, context, Status::scope_missing, scope_names(to->access.scopes));
    const std::string_view strange = strange_parameter(*to, request);
    if (!strange.empty())
      return reply_error(effects, context, Status::bad_parameter, strange, taken_parameters(*to));
  }
  name_needs(context, frame, effects);
  to->handle({request, *claims, context, frame, id, effects});
}

void begin(KnownTokens& tokens, const Frame& frame, Effects& effects) {
  Request request;
  const bool readable = parse_request(frame, request);
  Context context{trace_context(request.traceparent, request.tracestate, frame.entropy.trace()),
                  frame.now_ms, no_route};
  context.origin = allowed_origin(request, frame.settings);
  handle(tokens, request, readable, context, frame, effects);
  end_span(context, frame, effects);
}

// The step that a continuation is for; it traps on bytes that are not our own.
const Step& step_of(ByteReader& in, Context& context) {
  if (!read_context(in, context) || context.route >= std::size(routes))
    trap("a continuation of the edge names a route");
  const Route& route = routes[context.route];
  context.otlp = route.access.otlp;
  if (context.step >= std::size(route.steps) || route.steps[context.step].resume == nullptr)
    trap("a route has the step that its continuation names");
  return route.steps[context.step];
}

void resume(const Frame& frame, Effects& effects) {
  ByteReader in(frame.part(0));
  Context context;
  const Step& step = step_of(in, context);
  name_needs(context, frame, effects);
  step.resume({in, context, frame, effects});
  if (!in.ok() || !in.done()) trap("a continuation of the edge is read to its end");
  end_span(context, frame, effects);
}

}  // namespace

void step_edge(KnownTokens& tokens, const Frame& frame, Effects& effects) {
  if (frame.kind == Z0_FRAME_REQUEST) return begin(tokens, frame, effects);
  if (frame.kind == Z0_FRAME_RESUME) return resume(frame, effects);
  trap("requests and continuations alone come to the edge");
}

z0_effect_kind edge_asked(std::string_view continuation) {
  ByteReader in(continuation);
  Context context;
  return step_of(in, context).asked;
}

}  // namespace z0
