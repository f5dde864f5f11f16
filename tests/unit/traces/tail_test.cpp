// The Tail Worker: trace events become spans, joined with what the platform measured, and nothing of a
// person or a secret goes on.
#include "z0/traces/tail.hpp"

#include <nlohmann/json.hpp>

#include "unit/catch.hpp"
#include "z0/base/ids.hpp"

namespace {

using Json = nlohmann::json;
using z0::Span;
using z0::TailSpans;

const std::string random_bytes(48, '\x5a');

Json span(const char* name, const char* id, const char* parent) {
  return {{"name", name},
          {"trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"},
          {"span_id", id},
          {"parent_id", parent},
          {"kind", "server"},
          {"start_us", 1'774'915'200'000'000},
          {"end_us", 1'774'915'200'000'000},
          {"clock", "stood"}};
}

std::string line(const Json& spans, const char* kind = "spans") {
  return Json{{"z0", kind}, {"service", "z0"}, {"spans", spans}}.dump();
}

TailSpans read(const Json& invocations) {
  return z0::read_tail(invocations.dump(), z0::settings_redaction({}), random_bytes);
}

std::string attribute(const Span& s, std::string_view key) {
  for (const auto& a : s.attributes) {
    if (a.key == key) return a.value;
  }
  return {};
}

// What is left of a text under the usual redaction.
std::string redacted(const std::string& text) {
  Span s;
  s.message = text;
  z0::redact(s, z0::settings_redaction({}));
  return s.message;
}

}  // namespace

TEST_CASE("What the platform measured and caught is joined to the span of the invocation",
          "[tail]") {
  const Json spans = {span("z0.d1.query.report", "1111111111111111", "2222222222222222"),
                      span("z0.worker.report.read", "2222222222222222", "00f067aa0ba902b7")};
  Json inner = spans;
  inner[0]["kind"] = "client";
  const TailSpans got = read(
      {{{"script", "z0"},
        {"event", "fetch"},
        {"outcome", "exception"},
        {"wall_ms", 30},
        {"cpu_ms", 4},
        {"exceptions", {{{"name", "TypeError"}, {"message", "x is not y"}, {"stack", "at a"}}}},
        {"lines", {line(inner)}}}});
  REQUIRE(got.spans.size() == 2);
  CHECK(got.unreadable == 0);
  const Span& root = got.spans[1];
  CHECK(root.service == "z0");
  CHECK(root.status == z0::SpanStatus::error);
  CHECK(root.clock == z0::Clock::seen);
  CHECK(root.end_us - root.start_us == 30'000);
  CHECK(root.message == "x is not y");
  CHECK(attribute(root, "exception.type") == "\"TypeError\"");
  CHECK(attribute(root, "exception.stacktrace") == "\"at a\"");
  CHECK(attribute(root, "z0.cpu_ms") == "4");
  CHECK(attribute(root, "cloudflare.outcome") == "\"exception\"");
  CHECK(got.spans[0].status == z0::SpanStatus::unset);
  CHECK(got.spans[0].clock == z0::Clock::stood);
}

TEST_CASE("An invocation that said nothing is a span where it has a trace, or failed", "[tail]") {
  const std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const TailSpans got = read({{{"script", "call-router"},
                               {"event", "fetch"},
                               {"outcome", "ok"},
                               {"at", 1'774'915'200'000},
                               {"status", 200},
                               {"traceparent", traceparent}},
                              {{"script", "call-router"}, {"event", "fetch"}, {"outcome", "ok"}},
                              {{"script", "call-router"},
                               {"entrypoint", "Ledger"},
                               {"durable", true},
                               {"event", "rpc"},
                               {"outcome", "exceededMemory"}},
                              {{"event", "queue"}, {"outcome", "exceededCpu"}}});
  REQUIRE(got.spans.size() == 3);
  CHECK(got.spans[0].name == "z0.worker.call_router.fetch");
  std::string hex;
  z0::append_hex(hex, got.spans[0].trace_id);
  CHECK(hex == "4bf92f3577b34da6a3ce929d0e0e4736");
  CHECK(got.spans[0].status == z0::SpanStatus::unset);
  CHECK(got.spans[0].clock == z0::Clock::stood);
  CHECK(got.spans[1].name == "z0.do.ledger.rpc");
  CHECK(got.spans[1].error_code == "exceededMemory");
  CHECK(got.spans[1].status == z0::SpanStatus::error);
  CHECK(got.spans[2].name == "z0.worker.unnamed.queue");
  CHECK(got.spans[1].trace_id != got.spans[2].trace_id);
}

TEST_CASE("A script without a name has the one that the settings say", "[tail]") {
  const Json good = Json::array({span("z0.worker.a.b", "1111111111111111", "2222222222222222")});
  const Json unnamed = {{"event", "fetch"}, {"outcome", "exception"}};
  Json named = unnamed;
  named["script"] = "other";
  Json with_line = unnamed;
  with_line["lines"] = Json::array({line(good)});
  const std::string settings = R"({"traces":{"one_in":1,"unnamed":"call-router"}})";
  const TailSpans got =
      z0::read_tail(Json{unnamed, named, with_line}.dump(), z0::settings_redaction({}),
                    random_bytes, z0::settings_unnamed(settings));
  REQUIRE(got.spans.size() == 3);
  CHECK(got.spans[0].name == "z0.worker.call_router.fetch");
  CHECK(got.spans[0].service == "call-router");
  CHECK(got.spans[1].name == "z0.worker.other.fetch");
  // Who says its name itself is believed.
  CHECK(got.spans[2].service == "z0");
  CHECK(z0::settings_unnamed(R"({"traces":{"unnamed":7}})").empty());
}

TEST_CASE("What cannot be read is counted and does not hold up the rest", "[tail]") {
  const Json good = Json::array({span("z0.worker.a.b", "1111111111111111", "2222222222222222")});
  const Json lines = {line(good), line(Json::array({{{"name", "no ids"}}})), "{\"z0\":\"spans\"",
                      line(good, "other"), "text"};
  const TailSpans got = read({{{"script", "z0"}, {"outcome", "ok"}, {"lines", lines}}});
  CHECK(got.spans.size() == 1);
  CHECK(got.unreadable == 4);
  for (const char* bad :
       {"", "{}", "[", "[1]", "[{}", "[{\"lines\":1}]", "[]x", "[{\"exceptions\":[1]}]"}) {
    INFO(bad);
    CHECK(z0::read_tail(bad, z0::settings_redaction({}), random_bytes).unreadable >= 1);
  }
  CHECK(z0::read_tail("[]", z0::settings_redaction({}), random_bytes).unreadable == 0);
  CHECK(z0::read_tail("[{\"at\":-5,\"wall_ms\":1.5,\"new\":[{}]}]", z0::settings_redaction({}),
                      random_bytes)
            .unreadable == 0);
}

TEST_CASE("Addresses and long numbers are taken out of texts, ids and short numbers are not",
          "[tail]") {
  CHECK(redacted("mail to jane.doe+x@example.co.uk, please") == "mail to [redacted], please");
  CHECK(redacted("a@b.c@d.e") == "[redacted]@d.e");
  CHECK(redacted("from +1 (415) 555 2671 9") == "from +1 (415) 555 2671 9");
  CHECK(redacted("call 415-555-2671-99 now") == "call [redacted] now");
  CHECK(redacted("card 4111 1111 1111 1111.") == "card [redacted].");
  CHECK(redacted("waited 30000 ms on port 8787") == "waited 30000 ms on port 8787");
  CHECK(redacted("fact f_1234567890123 of acct_123456789012") ==
        "fact f_1234567890123 of acct_123456789012");
  CHECK(redacted("@ and user@host stay") == "@ and user@host stay");
  CHECK(redacted("").empty());
}

TEST_CASE("Attributes go by their names, which settings can say", "[tail]") {
  Span s;
  s.attributes = {{"http.request.header.Authorization", "\"Bearer x\""},
                  {"user_email", "7"},
                  {"http.route", "\"/v1/facts\""},
                  {"list", R"(["a@b.com","c"])"},
                  {"count", "123456789012"}};
  Span own = s;
  z0::redact(s, z0::settings_redaction({}));
  CHECK(s.attributes[0].value == "\"[redacted]\"");
  CHECK(s.attributes[1].value == "\"[redacted]\"");
  CHECK(s.attributes[2].value == "\"/v1/facts\"");
  CHECK(s.attributes[3].value == R"(["[redacted]","c"])");
  CHECK(s.attributes[4].value == "123456789012");
  z0::redact(own, z0::settings_redaction(R"({"redact":{"attributes":["http.*e"],"texts":[]}})"));
  CHECK(own.attributes[0].value == "\"Bearer x\"");
  CHECK(own.attributes[2].value == "\"[redacted]\"");
  CHECK(own.attributes[3].value == R"(["a@b.com","c"])");
}
