// Any bytes as the body, the URL or the headers of a request: the core answers, and answers the
// same when asked again.
//
// The first byte says what the rest is: 0 a JSON body, 1 an NDJSON body, 2 a URL, 3 headers
// separated by 0xff, 4 a bearer token. Bit 7: the caller is an operator. Bit 6: atomic. Bit 5:
// ledgers fail.
#include <vector>

#include "step_law.hpp"
#include "z0/http/token.hpp"

namespace {

using namespace z0;
using namespace z0::step_law;

constexpr std::string_view secret = "secret";
constexpr std::int64_t now_ms = 1'774'915'200'000;

struct Input {
  std::string method = "GET";
  std::string url = "/healthz";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool ledgers_fail = false;
};

std::string token(bool by_operator) {
  Claims claims;
  claims.all_tenants = by_operator;
  if (!by_operator) claims.tenant_id = "ten_amber";
  claims.scopes = scope_facts_write | scope_facts_read | scope_ops;
  claims.expires_s = now_ms / 1'000 + 60;
  return "Bearer " + mint_token(claims, secret, now_ms / 1'000);
}

Input input_of(std::uint8_t how, std::string_view rest) {
  Input in;
  in.ledgers_fail = (how & 0x20) != 0;
  static const std::string tokens[] = {token(false), token(true)};
  std::string authorization = tokens[how >> 7];
  switch (how & 0x07) {
    case 0:
    case 1:
      in.method = "POST";
      in.url = (how & 0x40) != 0 ? "/v1/facts?atomic=true" : "/v1/facts";
      in.body = rest;
      in.headers.emplace_back("content-type",
                              (how & 0x07) == 1 ? "application/x-ndjson" : "application/json");
      break;
    case 2:
      in.url = rest;
      break;
    case 3:
      for (const auto name : {"traceparent", "tracestate", "content-type", "content-encoding"}) {
        const std::string_view value = rest.substr(0, rest.find('\xff'));
        in.headers.emplace_back(name, value);
        rest.remove_prefix(std::min(rest.size(), value.size() + 1));
      }
      in.method = "POST";
      in.url = "/v1/facts";
      in.body = rest;
      break;
    default:
      in.url = "/v1/live";
      authorization = "Bearer " + std::string(rest);
      break;
  }
  in.headers.emplace_back("authorization", authorization);
  return in;
}

// What a need gets: a call on an empty ledger, or a failure; from D1 no rows.
std::string answer(Core& core, const Effect& need, bool fails, std::uint64_t incarnation) {
  std::string bytes;
  ByteWriter out(bytes);
  if (need.kind == Z0_NEED_QUERY) {
    out.u16(0);
    out.bytes("D1 is down");
    return bytes;
  }
  const auto call = carried_by<CallNeed>(need);
  out.u8(fails ? Z0_TIMEOUT : Z0_OK);
  if (fails)
    out.bytes("it took too long");
  else if (call.target == Z0_TARGET_MONITOR)
    out.bytes("{}");
  else
    out.bytes(call_empty(core, call.target, call.method, call.object, call.request, incarnation));
  out.bytes(call.request);
  return bytes;
}

Reply run(const Input& input) {
  Core core;
  Frame frame;
  frame.kind = Z0_FRAME_REQUEST;
  frame.target = Z0_TARGET_EDGE;
  frame.now_ms = now_ms;
  frame.parts = {input.method, input.url, input.body, secret};
  for (const auto& [name, value] : input.headers) {
    frame.parts.push_back(name);
    frame.parts.push_back(value);
  }
  std::uint64_t incarnation = 0;
  std::string continuation;
  std::vector<std::string> frame_answers;
  // The last of four: ledgers are asked, the new ones are registered, and asked again.
  for (int steps = 0; steps < 4; ++steps) {
    const auto effects = step(core, frame, 1);
    if (!asks(effects)) return reply_of(effects);
    // Copies: the calls that answer are steps of the same core.
    struct Need {
      z0_effect_kind kind;
      std::string payload;
    };
    std::vector<Need> needs;
    for (const Effect& e : effects) needs.push_back({e.kind, std::string(e.payload)});
    std::vector<std::string> answers;
    for (std::size_t i = 0; i + 1 < needs.size(); ++i) {
      answers.push_back(answer(core, {needs[i].kind, Phase::need, needs[i].payload},
                               input.ledgers_fail, ++incarnation));
    }
    const Effect last{needs.back().kind, Phase::need, needs.back().payload};
    continuation = carried_by<ResumeNeed>(last).continuation;
    frame.kind = Z0_FRAME_RESUME;
    frame.parts = {continuation};
    frame_answers = std::move(answers);
    frame.answers.assign(frame_answers.begin(), frame_answers.end());
  }
  broken("a request takes four steps");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Input input = input_of(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  const Reply reply = run(input);
  if (reply.status < 200 || reply.status > 599) broken("a reply has an HTTP status");
  if (!is_json(reply.body)) broken("a reply is JSON");
  const Reply again = run(input);
  if (again.status != reply.status || again.body != reply.body)
    broken("the same frame has the same effects");
  return 0;
}
