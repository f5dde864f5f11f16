#include "z0/trace/span.hpp"

#include <nlohmann/json.hpp>

#include "unit/catch.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/span_name.hpp"

using z0::Span;
using z0::SpanName;

namespace {

Span whole() {
  Span span;
  span.trace_id = std::string(16, '\xab');
  span.span_id = std::string(8, '\x01');
  span.parent_id = std::string(8, '\x02');
  span.name = "z0.do.ledger.append_fact";
  span.service = "router";
  span.kind = z0::SpanKind::client;
  span.status = z0::SpanStatus::error;
  span.clock = z0::Clock::stood;
  span.money = z0::MoneyEffect::failed;
  span.start_us = 1'774'915'200'000'123;
  span.end_us = 1'774'915'200'004'000;
  span.tenant_id = "north";
  span.entity_id = "acct_a";
  span.error_code = "timeout";
  span.message = "no \"answer\"";
  span.attributes = {{"a", "1"}, {"b.c", "\"x\""}, {"list", "[1,2]"}};
  span.links = {{std::string(16, '\x11'), std::string(8, '\x12')}};
  return span;
}

bool read(const std::string& text, Span& out) {
  z0::JsonReader in(text, 8);
  return z0::read_span(in, out);
}

}  // namespace

TEST_CASE("A span's name has four parts, and its layer is one of five", "[span]") {
  for (const std::string_view good :
       {"z0.worker.router.evaluate_eligibility", "z0.do.ledger.append_fact", "z0.d1.query.x1",
        "z0.queue.facts.consume", "z0.external.twilio.create_call"})
    CHECK(SpanName::valid(good));
  for (const std::string_view bad :
       {"", "z0", "z0.do.ledger", "z0.do.ledger.append.fact", "z0.cpu.ledger.append",
        "z1.do.ledger.append", "z0.do.Ledger.append", "z0.do..append", "z0.do.ledger.",
        "z0.do.ledger.append-fact", "z0.do.1edger.append", "z0.do.ledger.append fact",
        "Z0.do.ledger.append"})
    CHECK_FALSE(SpanName::valid(bad));
  CHECK_FALSE(SpanName::valid("z0.do.ledger." + std::string(z0::span_name_bytes_max, 'a')));
  SpanName name = "z0.do.ledger.append_fact";
  CHECK_FALSE(SpanName::read("nonsense", name));
  CHECK(name.text() == "z0.do.ledger.append_fact");
  CHECK(SpanName::read("z0.d1.query.report", name));
  CHECK(name.text() == "z0.d1.query.report");
}

TEST_CASE("A span goes through its bytes and through JSON unchanged", "[span]") {
  const Span span = whole();
  Span again;
  REQUIRE(z0::decode(z0::encode(span), again));
  CHECK(again == span);
  Span from_json;
  REQUIRE(read(z0::span_json(span), from_json));
  CHECK(from_json == span);
  Span small;
  small.trace_id = span.trace_id;
  small.span_id = span.span_id;
  small.name = "n";
  Span small_again;
  REQUIRE(read(z0::span_json(small), small_again));
  CHECK(small_again == small);
  CHECK(nlohmann::json::parse(z0::span_json(span))["attributes"]["list"][1] == 2);
}

TEST_CASE("A span without an id, a name or a time is none, and what nobody knows is skipped",
          "[span]") {
  const std::string id =
      R"("trace_id":"abababababababababababababababab","span_id":"0101010101010101")";
  Span span;
  CHECK(read("{" + id + R"(,"name":"a","start_us":1,"more":{"x":[1]},"kind":"new"})", span));
  CHECK(span.kind == z0::SpanKind::unspecified);
  for (
      const std::string& bad :
      {"{" + id + R"(,"start_us":1})", "{" + id + R"(,"name":"a"})",
       std::string(R"({"name":"a","start_us":1})"), "{" + id + R"(,"name":"a","start_us":1.5})",
       "{" + id + R"(,"name":"a","start_us":-1})", "{" + id + R"(,"name":7,"start_us":1})",
       "{" + id + R"(,"name":"a","start_us":1,"parent_id":"zz"})",
       "{" + id + R"(,"name":"a","start_us":1,"links":[{"trace_id":"ab"}]})",
       std::string(
           R"({"trace_id":"00000000000000000000000000000000","span_id":"0101010101010101","name":"a","start_us":1})"),
       std::string("[]"), std::string("{"), std::string()}) {
    Span none;
    INFO(bad);
    CHECK_FALSE(read(bad, none));
  }
}

TEST_CASE("What is longer than a span may be is cut, counted, and stays readable", "[span]") {
  Span span = whole();
  span.attributes.clear();
  for (int i = 0; i < 200; ++i) span.attributes.push_back({"k" + std::to_string(i), "1"});
  span.attributes[0].key = std::string(500, 'k');
  span.attributes[1].value = "\"" + std::string(5'000, 'v') + "\"";
  for (int i = 0; i < 40; ++i) span.links.push_back(span.links[0]);
  // A character of three bytes stands across the place of the cut.
  span.message = std::string(z0::limits::span_text_bytes_max - 4, 'm') + "\xe2\x82\xac\xe2\x82\xac";
  span.name = std::string(300, 'n');
  span.end_us = span.start_us - 1;
  std::size_t dropped = 0;
  z0::bound(span, dropped);
  CHECK(span.attributes.size() == z0::limits::attributes_per_span_max);
  CHECK(span.links.size() == z0::limits::links_per_span_max);
  CHECK(dropped == 200 - z0::limits::attributes_per_span_max + 41 - z0::limits::links_per_span_max);
  CHECK(span.attributes[0].key.size() == z0::limits::attribute_key_bytes_max);
  CHECK(span.attributes[1].value.size() <= z0::limits::attribute_bytes_max);
  CHECK(span.message == std::string(z0::limits::span_text_bytes_max - 4, 'm') + "...");
  CHECK(span.name.size() == z0::span_name_bytes_max);
  CHECK(span.end_us == span.start_us);
  CHECK(z0::encode(span).size() <= z0::limits::span_bytes_max);
  CHECK(nlohmann::json::accept(z0::span_json(span)));
}

TEST_CASE("A long value of signs that need escapes is within its limit when it was cut", "[span]") {
  Span span = whole();
  std::string signs;
  for (int i = 0; i < 600; ++i) signs += "\\u0001\"";
  span.attributes = {{"k", signs}};
  std::size_t dropped = 0;
  z0::bound(span, dropped);
  CHECK(span.attributes[0].value.size() <= z0::limits::attribute_bytes_max);
  CHECK(nlohmann::json::accept(span.attributes[0].value));
}

TEST_CASE("Many long attributes end where the bytes of a span do", "[span]") {
  Span span = whole();
  span.attributes.clear();
  const std::string value = "\"" + std::string(z0::limits::attribute_bytes_max - 2, 'v') + "\"";
  for (int i = 0; i < 60; ++i) span.attributes.push_back({"k" + std::to_string(i), value});
  std::size_t dropped = 0;
  z0::bound(span, dropped);
  CHECK(span.attributes.size() == 15);
  CHECK(dropped == 45);
  CHECK(z0::encode(span).size() <= z0::limits::span_bytes_max);
}
