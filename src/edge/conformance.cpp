// POST /conformance/trace-context, only where debugging is on: what the validation harness of the W3C
// (https://github.com/w3c/trace-context/tree/main/test) asks a service to do. For each
// {"url", "arguments"} of a list the arguments are posted to the address, with the trace carried on.
#include <string>
#include <vector>

#include "edge/handlers.hpp"
#include "z0/base/limits.hpp"
#include "z0/json/json.hpp"
#include "z0/json/write.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/trace/context.hpp"

namespace z0 {
namespace {

constexpr std::size_t requests_max = 32;

struct Onward {
  std::string url;
  std::string arguments;
};

bool read_onward(JsonReader& in, Onward& out) {
  if (!in.enter_object()) return false;
  std::string_view key;
  std::string scratch;
  while (in.next_member(key)) {
    if (key == "url") {
      std::string_view url;
      if (!in.string(url, scratch)) return false;
      out.url = url;
    } else if (key == "arguments") {
      bool out_of_range = false;
      out.arguments.clear();
      if (!in.minify(out.arguments, limits::data_depth_max, out_of_range)) return false;
    } else if (!in.skip()) {
      return false;
    }
  }
  const bool web = out.url.starts_with("http://") || out.url.starts_with("https://");
  return in.error() == JsonError::none && web && out.url.size() <= limits::url_bytes_max;
}

// False for anything but a list of at most `requests_max`, each with its address.
bool read_all(std::string_view body, std::vector<Onward>& all) {
  JsonReader in(body, limits::json_depth_max);
  if (!in.enter_array()) return false;
  while (in.next_element()) {
    if (all.size() == requests_max || !read_onward(in, all.emplace_back())) return false;
  }
  return in.at_end();
}

}  // namespace

void post_conformance(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  if (!body_or_refuse(call)) return;
  std::vector<Onward> all;
  if (!read_all(request.body, all))
    return reply_error(effects, context, Status::bad_parameter, "body",
                       "Send a list of at most 32 objects, each with url and arguments.");
  if (all.empty()) return reply_json(effects, context, 200, "[]");
  for (const Onward& onward : all) {
    effects.need_fetch("z0.external.conformance.post", {"POST",
                                                        onward.url,
                                                        {{"content-type", "application/json"}},
                                                        onward.arguments,
                                                        limits::read_timeout_ms});
  }
  resume_with(context, effects);
}

void resume_conformance(const RouteResume& resumed) {
  std::string out;
  std::vector<FetchAnswer> answers;
  JsonWriter json(out);
  json.array();
  for (const std::string_view bytes : resumed.frame.answers) {
    const FetchAnswer answer = parse_fetch(bytes);
    answers.push_back(answer);
    json.object();
    if (answer.outcome == Z0_OK)
      json.integer("http", answer.http);
    else
      json.text("error", answer.message);
    json.end();
  }
  json.end();
  reply_json(resumed.effects, resumed.context, 200, out);
  for (const FetchAnswer& answer : answers) {
    count_external(resumed.effects, {{},
                                     "trace_context",
                                     "post",
                                     answer,
                                     resumed.frame.now_ms - resumed.context.started_ms,
                                     resumed.context.trace.trace_id});
  }
}

}  // namespace z0
