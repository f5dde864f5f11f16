// Inside the edge: the request as it was read, and what all routes answer with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "z0/base/status.hpp"
#include "z0/http/token.hpp"
#include "z0/json/json.hpp"
#include "z0/json/write.hpp"
#include "z0/trace/context.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

struct Request {
  std::string_view method;
  std::string path;  // decoded
  std::vector<std::pair<std::string, std::string>> query;
  std::string_view body;
  std::string_view secrets;
  bool debug = false;  // what only tests and developers may ask for is allowed
  std::string_view authorization;
  std::string_view traceparent;
  std::string_view tracestate;
  std::string_view content_type;
  std::string_view content_encoding;
  std::optional<std::string_view> idempotency_key;
  std::string_view origin;
  std::string_view accept;
  std::string_view asked_method;   // of a preflight, the method that it asks for
  std::string_view asked_headers;  // and the headers
  // What stands in headers of a CloudEvent in binary mode: names behind `ce-`, values as they came.
  std::vector<std::pair<std::string_view, std::string_view>> event_attributes;

  // The parameter's value; empty when absent.
  std::string_view parameter(std::string_view name) const;
};

// False when the URL is too long or not percent-encoded as it should be.
[[nodiscard]] bool parse_request(const Frame& frame, Request& out);

inline char small_letter(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
// Names of schemes, media types and codings are the same in capitals (RFC 9110, 8.3.1, 8.4.1, 11.1).
// `name` is in small letters.
bool same_name(std::string_view value, std::string_view name);
// The media type without its parameters: what stands before a semicolon.
std::string_view media_type(std::string_view content_type);
// What follows `Bearer`; empty for another scheme, or none.
std::string_view bearer_token(std::string_view authorization);

// Whether the host could read the body, and within its limit; `field` says what is wrong with it.
Status judge_body(const Request& request, std::string_view& field);
// RFC 3986 percent-decoding; `plus` also turns + into a space, as forms write it. False for what
// is not encoded as it should be or is no UTF-8.
[[nodiscard]] bool percent_decode(std::string_view text, bool plus, std::string& out);

struct Context {
  TraceContext trace;
  std::int64_t started_ms = 0;
  std::uint8_t route = 0;      // its row in the table of routes
  std::uint8_t step = 0;       // which of the route's steps takes the answers that are waited for
  bool otlp = false;           // a sender of OTLP asks: errors have its members, too
  std::string origin = {};     // of the page that may read the answer; empty: none
  std::string tenant_id = {};  // whose credential it came with; empty: an operator's, or none
  std::string entity_id = {};  // the one that the path names, when it names a ledger
};

// A request as its handler gets it, which replies, or asks and leaves a continuation.
struct RouteCall {
  const Request& request;
  const Claims& claims;
  const Context& context;
  const Frame& frame;
  std::string_view id;  // what stands for {} in the path
  Effects& effects;
};

// False where the body cannot be read: then that is answered.
[[nodiscard]] bool body_or_refuse(const RouteCall& call);

// The answers to what a handler asked, and what it left: every step reads that to its end.
struct RouteResume {
  ByteReader& in;
  const Context& context;
  const Frame& frame;
  Effects& effects;
};

// A continuation begins with its context. `step` is the one that it is for.
void write_context(ByteWriter& out, const Context& context, std::uint8_t step = 0);
[[nodiscard]] bool read_context(ByteReader& in, Context& context);

// Answers, with the headers that every reply carries. retry: something in it may succeed later.
void reply_json(Effects& effects, const Context& context, std::uint16_t http, std::string_view json,
                bool retry = false);
// As reply_json, of another content type.
void reply_text(Effects& effects, const Context& context, std::string_view text);
void reply_typed(Effects& effects, const Context& context, std::string_view type,
                 std::string_view body);
// `action` stands for what the status advises, where there is more to say.
void reply_error(Effects& effects, const Context& context, Status status, std::string_view field,
                 std::string_view action = {});
// A parameter whose values are a closed list has another; `values` is the list, as it is read out.
void reply_bad_value(Effects& effects, const Context& context, std::string_view parameter,
                     std::string_view values);
// A parameter that is a time has another value.
void reply_bad_time(Effects& effects, const Context& context, std::string_view parameter);
// `allowed` are the methods that the address takes, as the header lists them; `action` says which
// of them to use for what.
void reply_bad_method(Effects& effects, const Context& context, std::string_view allowed,
                      std::string_view action);
// The origin of the page that asks, when a setting names it; else empty.
std::string allowed_origin(const Request& request, std::string_view settings);
// What a browser asks before it sends a page's request.
void reply_preflight(Effects& effects, const Context& context, const Request& request,
                     std::string_view allowed);
// The error as a JSON object; `identity` is written behind the status: members, or empty.
std::string error_json(const Context& context, Status status, std::string_view field,
                       std::string_view identity, std::string_view action = {});

// A cell of D1's answer, as a member.
void write_cell(JsonWriter& json, JsonName name, const Value& cell);
// A number, or null for 0: where there is nothing more.
void write_integer_or_null(JsonWriter& json, JsonName name, std::int64_t value);
// The member `cursor`: the bytes as text, or null when there is no more.
void write_cursor(JsonWriter& json, bool more, std::string_view bytes);

// Asks to go on with a step that needs no more than its context.
void resume_with(const Context& context, Effects& effects);
// The answer to the only call that was made.
CallAnswer first_call(const Frame& frame);

// Whether a transient reply says when to come back, in seconds.
inline constexpr std::string_view retry_after_seconds = "1";

// What becomes of a request whose call did not succeed, or whose JSON could not be read.
Status status_of(z0_outcome outcome);
Status status_of(JsonError error);
// Where it could not, or that it begins with a byte order mark.
std::string fault_place(const JsonReader& in, std::string_view text);
// The status that the reply to a call begins with, or what became of the call.
Status status_in(const CallAnswer& answer);

// A whole number in decimal, of at most 16 digits; false for anything else.
[[nodiscard]] bool parse_number(std::string_view text, std::int64_t& out);
// A time in ms since 1970, or as RFC 3339 has it; false for anything else, and for a number that is
// seconds, by what it comes to: no fact is of a time before 2000. 0 is the beginning of all.
[[nodiscard]] bool parse_time(std::string_view text, std::int64_t& ms);
// The tenant that a read is for: the credential's, or the one that an operator names; empty for
// all. False when a tenant asks for another's.
bool tenant_for(const Request& request, const Claims& claims, std::string_view& tenant_id);
// The databases that hold what is said of this tenant: its own; of all tenants: every one.
std::vector<std::string_view> databases_for(const Frame& frame, std::string_view tenant_id);
// The parameter `limit`, or its default. False when it is none.
[[nodiscard]] bool read_limit(const Request& request, std::int64_t& limit);

}  // namespace z0
