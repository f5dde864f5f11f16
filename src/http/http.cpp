#include "http/http.hpp"

#include <algorithm>

#include "base/trimmed.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/remedies.hpp"
#include "z0/base/time.hpp"
#include "z0/json/json.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool parse_query(std::string_view text, std::vector<std::pair<std::string, std::string>>& out) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto& [name, value] = out.emplace_back();
    if (!percent_decode(pair.substr(0, equals), true, name)) return false;
    if (equals < pair.size() && !percent_decode(pair.substr(equals + 1), true, value)) return false;
  }
  return true;
}

}  // namespace

bool percent_decode(std::string_view text, bool plus, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return false;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return valid_utf8(out);
}

bool same_name(std::string_view value, std::string_view name) {
  return std::equal(value.begin(), value.end(), name.begin(), name.end(),
                    [](char a, char b) { return small_letter(a) == b; });
}

std::string_view media_type(std::string_view content_type) {
  return trimmed(content_type.substr(0, content_type.find(';')));
}

std::string_view bearer_token(std::string_view authorization) {
  const std::size_t space = std::min(authorization.find(' '), authorization.size());
  if (!same_name(authorization.substr(0, space), "bearer")) return {};
  return trimmed(authorization.substr(space));
}

std::string_view Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

bool parse_request(const Frame& frame, Request& out) {
  out.method = frame.part(0);
  out.body = frame.part(2);
  out.secrets = frame.part(3);
  out.debug = (frame.flags & flag_debug) != 0;
  for (std::size_t i = 4; i + 1 < frame.parts.size(); i += 2) {
    const std::string_view name = frame.parts[i];
    const std::string_view value = frame.parts[i + 1];
    if (name == "authorization") out.authorization = value;
    if (name == "traceparent") out.traceparent = value;
    if (name == "tracestate") out.tracestate = value;
    if (name == "content-type") out.content_type = value;
    if (name == "content-encoding") out.content_encoding = trimmed(value);
    if (name == "idempotency-key") out.idempotency_key = value;
    if (name == "origin") out.origin = value;
    if (name == "accept") out.accept = value;
    if (name == "access-control-request-method") out.asked_method = value;
    if (name == "access-control-request-headers") out.asked_headers = value;
    if (name.starts_with("ce-")) out.event_attributes.emplace_back(name.substr(3), value);
  }
  const std::string_view url = frame.part(1);
  if (url.size() > limits::url_bytes_max) return false;
  const std::size_t question = std::min(url.find('?'), url.size());
  if (!percent_decode(url.substr(0, question), false, out.path)) return false;
  return question == url.size() || parse_query(url.substr(question + 1), out.query);
}

Status judge_body(const Request& request, std::string_view& field) {
  field = "body";
  if (request.body.size() > limits::body_bytes_max) return Status::too_large;
  const std::string_view encoding = request.content_encoding;
  if (encoding.empty() || same_name(encoding, "identity")) return Status::recorded;
  field = "content-encoding";
  // The host takes the header away with the compression: what still has it could not be read.
  const bool gzip = same_name(encoding, "gzip") || same_name(encoding, "x-gzip");
  return gzip ? Status::not_gzip : Status::unsupported_encoding;
}

bool body_or_refuse(const RouteCall& call) {
  std::string_view field;
  const Status status = judge_body(call.request, field);
  if (status == Status::recorded) return true;
  reply_error(call.effects, call.context, status, field);
  return false;
}

void write_context(ByteWriter& out, const Context& context, std::uint8_t step) {
  out.u8(context.route);
  out.u8(step);
  out.u64(static_cast<std::uint64_t>(context.started_ms));
  out.short_bytes(context.trace.trace_id);
  out.short_bytes(context.trace.span_id);
  out.short_bytes(context.trace.parent_id);
  out.u8(context.trace.flags);
  out.short_bytes(context.trace.tracestate);
  out.short_bytes(context.origin);
  out.short_bytes(context.tenant_id);
  out.short_bytes(context.entity_id);
}

bool read_context(ByteReader& in, Context& context) {
  context.route = in.u8();
  context.step = in.u8();
  context.started_ms = static_cast<std::int64_t>(in.u64());
  context.trace.trace_id = in.short_bytes();
  context.trace.span_id = in.short_bytes();
  context.trace.parent_id = in.short_bytes();
  context.trace.flags = in.u8();
  context.trace.tracestate = in.short_bytes();
  context.origin = in.short_bytes();
  context.tenant_id = in.short_bytes();
  context.entity_id = in.short_bytes();
  return in.ok();
}

void write_cell(JsonWriter& json, JsonName name, const Value& cell) {
  if (cell.kind == Value::Kind::integer)
    json.integer(name, cell.integer);
  else if (cell.kind == Value::Kind::null)
    json.null(name);
  else
    json.text(name, cell.bytes);
}

void write_integer_or_null(JsonWriter& json, JsonName name, std::int64_t value) {
  if (value == 0)
    json.null(name);
  else
    json.integer(name, value);
}

void write_cursor(JsonWriter& json, bool more, std::string_view bytes) {
  if (more)
    json.plain("cursor", base64url_encode(bytes));
  else
    json.null("cursor");
}

namespace {

// What a page of another origin may read besides the body.
constexpr std::string_view exposed = "traceparent, retry-after, allow, www-authenticate";

// With the headers that every reply carries, and one that only this one does.
void reply_with(Effects& effects, const Context& context, std::uint16_t http, std::string_view type,
                const Header& own, std::string_view body) {
  const std::string traceparent = context.trace.traceparent();
  const bool shared = !context.origin.empty();
  effects.reply(http,
                {{"content-type", type},
                 {"traceparent", traceparent},
                 {"cache-control", "no-store"},
                 own,
                 shared ? Header{"access-control-allow-origin", context.origin} : Header{},
                 shared ? Header{"access-control-expose-headers", exposed} : Header{},
                 shared ? Header{"vary", "origin"} : Header{}},
                body);
}

}  // namespace

void reply_json(Effects& effects, const Context& context, std::uint16_t http, std::string_view json,
                bool retry) {
  Header own{};
  if (retry) own = {"retry-after", retry_after_seconds};
  if (http == 401) own = {"www-authenticate", "Bearer"};
  reply_with(effects, context, http, "application/json", own, json);
}

void reply_text(Effects& effects, const Context& context, std::string_view text) {
  reply_with(effects, context, 200, "text/plain; charset=utf-8", {}, text);
}

void reply_typed(Effects& effects, const Context& context, std::string_view type,
                 std::string_view body) {
  reply_with(effects, context, 200, type, {}, body);
}

namespace {

// google.rpc.Code, which the Status of OTLP's answers has.
std::int64_t rpc_code(std::uint16_t http) {
  switch (http) {
    case 401:
      return 16;  // unauthenticated
    case 403:
      return 7;  // permission denied
    case 429:
      return 8;  // resource exhausted
    case 503:
      return 14;  // unavailable
    case 504:
      return 4;  // deadline exceeded
    default:
      return http >= 500 ? 13 : 3;  // internal, invalid argument
  }
}

}  // namespace

std::string error_json(const Context& context, Status status, std::string_view field,
                       std::string_view identity, std::string_view action) {
  std::string out;
  JsonWriter json(out);
  const StatusInfo& i = info(status);
  json.object();
  if (context.otlp) json.integer("code", rpc_code(i.http));
  json.plain("status", i.name).integer("http", i.http).parts(identity);
  json.text_if_any("field", field).text("message", i.sentence);
  json.text("action", action.empty() ? remedy(status, field) : action);
  json.plain("trace_id", context.trace.trace_id).end();
  return out;
}

void reply_error(Effects& effects, const Context& context, Status status, std::string_view field,
                 std::string_view action) {
  effects.notes.error_code = info(status).name;
  reply_json(effects, context, info(status).http, error_json(context, status, field, {}, action),
             transient(status));
  if (info(status).http < 500) return;
  count_error(effects, {}, "worker", "edge", info(status).name, context.trace.trace_id);
}

void reply_bad_value(Effects& effects, const Context& context, std::string_view parameter,
                     std::string_view values) {
  std::string action = "Set `";
  action += parameter;
  action += "` to ";
  action += values;
  action += ".";
  reply_error(effects, context, Status::bad_parameter, parameter, action);
}

void reply_bad_time(Effects& effects, const Context& context, std::string_view parameter) {
  reply_bad_value(effects, context, parameter,
                  "a number of milliseconds since 1970, not seconds, or a time with an offset, as "
                  "2026-03-31T10:15:00Z; nothing is of a time before 2000");
}

void reply_bad_method(Effects& effects, const Context& context, std::string_view allowed,
                      std::string_view action) {
  effects.notes.error_code = info(Status::method_not_allowed).name;
  reply_with(effects, context, info(Status::method_not_allowed).http, "application/json",
             {"allow", allowed}, error_json(context, Status::method_not_allowed, {}, {}, action));
}

Status status_of(z0_outcome outcome) {
  if (outcome == Z0_OVERLOADED) return Status::overloaded;
  return outcome == Z0_TIMEOUT ? Status::timeout : Status::storage_error;
}

Status status_of(JsonError error) {
  switch (error) {
    case JsonError::utf8:
      return Status::not_utf8;
    case JsonError::lone_surrogate:
      return Status::lone_surrogate;
    case JsonError::depth:
      return Status::too_deep;
    case JsonError::duplicate_key:
      return Status::duplicate_key;
    case JsonError::members:
      return Status::data_too_large;
    case JsonError::none:
    case JsonError::syntax:
      break;
  }
  return Status::not_json;
}

std::string fault_place(const JsonReader& in, std::string_view text) {
  const bool marked = text.starts_with("\xef\xbb\xbf") || text.starts_with("\xfe\xff") ||
                      text.starts_with("\xff\xfe");
  if (in.offset() == 0 && marked) return std::string(byte_order_mark);
  return "byte " + std::to_string(in.offset());
}

Status status_in(const CallAnswer& answer) {
  if (answer.outcome != Z0_OK || answer.reply.empty()) return status_of(answer.outcome);
  const std::uint8_t code = ByteReader(answer.reply).u8();
  const bool known = code < static_cast<std::uint8_t>(Status::count_);
  return known ? static_cast<Status>(code) : Status::storage_error;
}

bool parse_number(std::string_view text, std::int64_t& out) {
  if (text.empty() || text.size() > 16) return false;
  out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    out = out * 10 + (c - '0');
  }
  return true;
}

bool parse_time(std::string_view text, std::int64_t& ms) {
  std::int64_t read = 0;
  if (!parse_number(text, read)) {
    // A + that was not escaped comes as a space.
    std::string moment(text);
    std::replace(moment.begin(), moment.end(), ' ', '+');
    if (!parse_rfc3339(moment, read)) return false;
  }
  if (read != 0 && (read < event_ms_min || read > limits::timestamp_ms_max)) return false;
  ms = read;
  return true;
}

bool tenant_for(const Request& request, const Claims& claims, std::string_view& tenant_id) {
  const std::string_view named = request.parameter("tenant");
  tenant_id = claims.all_tenants ? named : std::string_view(claims.tenant_id);
  return claims.all_tenants || named.empty() || named == claims.tenant_id;
}

std::vector<std::string_view> databases_for(const Frame& frame, std::string_view tenant_id) {
  if (tenant_id.empty()) return settings_databases(frame.settings);
  return {settings_database(frame.settings, tenant_id)};
}

bool read_limit(const Request& request, std::int64_t& limit) {
  const std::string_view named = request.parameter("limit");
  limit = static_cast<std::int64_t>(limits::page_facts_default);
  return named.empty() || (parse_number(named, limit) && limit >= 1 &&
                           limit <= static_cast<std::int64_t>(limits::page_facts_max));
}

void resume_with(const Context& context, Effects& effects) {
  std::string bytes;
  ByteWriter out(bytes);
  write_context(out, context);
  effects.resume(bytes);
}

CallAnswer first_call(const Frame& frame) {
  return parse_call(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
}

}  // namespace z0
