// Pages of other origins: which of them may read the answers, and what they may send (the Fetch
// standard, "CORS protocol"). Tokens travel in a header of their own and never in cookies, so
// nothing is ever said of credentials.
#include <algorithm>

#include "http/http.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

// What a page may send besides what it always may.
constexpr std::string_view sendable[] = {"authorization",   "content-type", "content-encoding",
                                         "idempotency-key", "traceparent",  "tracestate"};
constexpr std::string_view event_attribute = "ce-";
// For how long a browser need not ask again: two hours, the most that one of them keeps it.
constexpr std::string_view kept_seconds = "7200";

// Of the headers that a page asks for, those that mean something here, in small letters.
std::string granted_headers(std::string_view asked) {
  std::string granted;
  while (!asked.empty()) {
    std::string name;
    for (const char c : asked.substr(0, asked.find(','))) {
      if (c != ' ' && c != '\t') name += small_letter(c);
    }
    asked.remove_prefix(std::min(asked.size(), asked.find(',')));
    if (!asked.empty()) asked.remove_prefix(1);
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    const bool known =
        std::find(std::begin(sendable), std::end(sendable), name) != std::end(sendable);
    if (!plain || (!known && !name.starts_with(event_attribute))) continue;
    granted.append(granted.empty() ? "" : ", ").append(name);
  }
  return granted;
}

}  // namespace

std::string allowed_origin(const Request& request, std::string_view settings) {
  const bool named = !request.origin.empty() && settings_names_origin(settings, request.origin);
  return std::string(named ? request.origin : std::string_view{});
}

void reply_preflight(Effects& effects, const Context& context, const Request& request,
                     std::string_view allowed) {
  const std::string headers = granted_headers(request.asked_headers);
  effects.reply(204,
                {{"traceparent", context.trace.traceparent()},
                 {"access-control-allow-origin", context.origin},
                 {"access-control-allow-methods", allowed},
                 headers.empty() ? Header{} : Header{"access-control-allow-headers", headers},
                 {"access-control-max-age", kept_seconds},
                 {"vary", "origin, access-control-request-method, access-control-request-headers"}},
                {});
}

}  // namespace z0
