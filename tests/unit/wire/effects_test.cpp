// Effects: their grammar and their order. What breaks the order is a broken invariant, and traps.
#include "z0/wire/effects.hpp"

#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/traps.hpp"
#include "z0/base/ids.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/core/core.hpp"
#include "z0/trace/span.hpp"
#include "z0/wire/frame.hpp"
#include "z0/wire/read_effects.hpp"

namespace {

using z0::Effect;
using z0::Effects;
using z0::Phase;
using z0::Value;
using z0::test::traps;

std::vector<Effect> parse(std::string_view bytes) {
  std::vector<Effect> effects;
  REQUIRE(z0::parse_effects(bytes, effects));
  return effects;
}

}  // namespace

TEST_CASE("Effects read back in order, each with what it carries", "[effects]") {
  Effects e;
  e.write("INSERT INTO t VALUES (?1, ?2)", {Value::of(-1), Value::blob("b")});
  e.alarm(77);
  e.reply(201, {{"a", "b"}, {"c", ""}}, "body");
  e.send("message");
  e.tell("report");
  const std::string_view labels[] = {"type", ""};
  e.point(Z0_POINT_HISTOGRAM, "north", "metric", labels, 1.5, -2, "trace");
  e.log(true, "{}");
  const std::string bytes(e.finish());
  const auto effects = parse(bytes);
  REQUIRE(effects.size() == 7);
  const z0_effect_kind kinds[] = {Z0_WRITE, Z0_ALARM, Z0_REPLY, Z0_SEND, Z0_TELL, Z0_POINT, Z0_LOG};
  const Phase phases[] = {Phase::commit, Phase::commit, Phase::reply, Phase::send,
                          Phase::tell,   Phase::tell,   Phase::tell};
  for (std::size_t i = 0; i < 7; ++i) {
    CHECK(effects[i].kind == kinds[i]);
    CHECK(effects[i].phase == phases[i]);
  }
  const auto statement = z0::carried_by<z0::Write>(effects[0]).statement;
  CHECK(statement.sql == "INSERT INTO t VALUES (?1, ?2)");
  REQUIRE(statement.values.size() == 2);
  CHECK(statement.values[0].integer == -1);
  CHECK(statement.values[1].bytes == "b");
  CHECK(z0::carried_by<z0::AlarmAt>(effects[1]).at_ms == 77);
  const auto reply = z0::carried_by<z0::HttpAnswer>(effects[2]);
  CHECK(reply.http == 201);
  CHECK(reply.headers == std::vector<z0::Header>{{"a", "b"}, {"c", ""}});
  CHECK(reply.body == "body");
  CHECK(z0::carried_by<z0::QueueMessage>(effects[3]).bytes == "message");
  CHECK(z0::carried_by<z0::ToldReport>(effects[4]).report == "report");
  const auto point = z0::carried_by<z0::DataPoint>(effects[5]);
  CHECK(point.index == "north");
  CHECK(point.kind == Z0_POINT_HISTOGRAM);
  CHECK(point.blobs == std::vector<std::string_view>{"metric", "type", ""});
  CHECK(point.how_much == 1.5);
  CHECK(point.value == -2);
  CHECK(point.trace_id == "trace");
  const auto line = z0::carried_by<z0::LogLine>(effects[6]);
  CHECK(line.error);
  CHECK(line.json == "{}");
}

TEST_CASE("What is asked for under a span is a span of its own", "[effects]") {
  Effects e;
  e.spans_under({"4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "north", 7, 1, {}});
  e.need_query("z0.d1.query.test", "DB", "SELECT 1", {});
  e.need_call(z0::LedgerMethod::append, "account_acct_a", 1, "r");
  e.resume("c");
  const std::string bytes(e.finish());
  const auto effects = parse(bytes);
  const auto query = z0::carried_by<z0::QueryNeed>(effects[0]).span;
  const auto call = z0::carried_by<z0::CallNeed>(effects[1]).span;
  CHECK(query.name == "z0.d1.query.test");
  std::string id[2];
  for (const auto& [members, place] : {std::pair{query.members, 0}, {call.members, 1}}) {
    const std::string json =
        "{" + std::string(members) + R"(,"start_us":1774915200000000,"end_us":1774915200004000})";
    z0::JsonReader in(json, 8);
    z0::Span span;
    REQUIRE(z0::read_span(in, span));
    std::string parent;
    z0::append_hex(parent, span.parent_id);
    CHECK(parent == "00f067aa0ba902b7");
    CHECK(span.kind == z0::SpanKind::client);
    CHECK(span.tenant_id == "north");
    const std::vector<z0::Attribute> object{{"z0.object", "\"account_acct_a\""}};
    CHECK(span.attributes == (place == 0 ? std::vector<z0::Attribute>() : object));
    id[place] = span.span_id;
  }
  CHECK(id[0] != id[1]);
}

TEST_CASE("Needs stand alone and end with what comes next", "[effects]") {
  Effects e;
  CHECK_FALSE(e.needs());
  e.need_rows("SELECT ?1", {Value::text("x")});
  e.need_query("z0.d1.query.test", "DB", {{"SELECT 1", {}}, {"SELECT ?1", {Value::null()}}});
  e.need_call(z0::LedgerMethod::append, "account_acct_a", 30'000, "request");
  e.resume("continuation", 7, "there");
  CHECK(e.needs());
  const std::string bytes(e.finish());
  const auto effects = parse(bytes);
  REQUIRE(effects.size() == 4);
  for (const auto& effect : effects) CHECK(effect.phase == Phase::need);
  CHECK(z0::carried_by<z0::RowsNeed>(effects[0]).statement.sql == "SELECT ?1");
  const auto query = z0::carried_by<z0::QueryNeed>(effects[1]);
  REQUIRE(query.statements.size() == 2);
  CHECK(query.statements[0].sql == "SELECT 1");
  CHECK(query.statements[1].values.size() == 1);
  CHECK(query.database == "DB");
  const auto call = z0::carried_by<z0::CallNeed>(effects[2]);
  CHECK(call.target == Z0_TARGET_LEDGER);
  CHECK(call.method == static_cast<std::uint8_t>(z0::LedgerMethod::append));
  CHECK(call.object == "account_acct_a");
  CHECK(call.timeout_ms == 30'000);
  CHECK(call.request == "request");
  CHECK(call.span.name == "z0.do.ledger.append_fact");
  CHECK(call.span.members.empty());
  const auto next = z0::carried_by<z0::ResumeNeed>(effects[3]);
  CHECK(next.continuation == "continuation");
  CHECK(next.steps_max == 7);
  CHECK(next.where == "there");
}

TEST_CASE("A request to somebody outside reads back, without headers that have no name",
          "[effects]") {
  Effects e;
  e.need_fetch("z0.external.test.post", {"POST",
                                         "https://outside.example/a",
                                         {{"a", "1"}, {"", "left out"}, {"b", ""}},
                                         "body",
                                         500,
                                         7});
  CHECK(e.waits_outside());
  const std::string bytes(e.finish());
  const auto need = z0::carried_by<z0::FetchNeed>(parse(bytes).at(0));
  CHECK(need.method == "POST");
  CHECK(need.url == "https://outside.example/a");
  CHECK(need.headers == std::vector<z0::Header>{{"a", "1"}, {"b", ""}});
  CHECK(need.timeout_ms == 500);
  CHECK(need.body == "body");
  CHECK(need.answer_bytes_max == 7);
}

TEST_CASE("Whoever is asked outside has the span of the request as its parent", "[effects]") {
  Effects e;
  e.spans_under({"4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "north", 7, 3, "a=1"});
  e.need_fetch("z0.external.test.post", {"POST", "https://outside.example/a", {}, {}});
  e.need_fetch("z0.external.test.post", {"POST", "https://outside.example/a", {}, {}});
  const std::string bytes(e.finish());
  std::string ids[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const auto need = z0::carried_by<z0::FetchNeed>(parse(bytes).at(i));
    const std::string json = "{" + std::string(need.span.members) + R"(,"start_us":1,"end_us":1})";
    z0::JsonReader in(json, 8);
    z0::Span span;
    REQUIRE(z0::read_span(in, span));
    z0::append_hex(ids[i], span.span_id);
    CHECK(need.headers ==
          std::vector<z0::Header>{
              {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-" + ids[i] + "-03"},
              {"tracestate", "z0=" + ids[i] + ",a=1"}});
  }
  CHECK(ids[0] != ids[1]);
}

TEST_CASE("An effect out of order traps", "[effects]") {
  const std::vector<std::function<void(Effects&)>> phases = {
      [](Effects& e) { e.need_rows("", {}); }, [](Effects& e) { e.write("", {}); },
      [](Effects& e) { e.reply(200, {}, ""); }, [](Effects& e) { e.send(""); },
      [](Effects& e) { e.tell(""); }};
  for (std::size_t first = 0; first < phases.size(); ++first) {
    for (std::size_t second = 0; second < phases.size(); ++second) {
      const auto both = [&] {
        Effects e;
        phases[first](e);
        phases[second](e);
      };
      const bool in_order = first == 0 ? second == 0 : second >= first;
      INFO(first << " then " << second);
      // A process of its own is slow under the sanitizers, and only a trap needs one.
      if (in_order)
        both();
      else
        CHECK(traps(both));
    }
  }
}

TEST_CASE("Bytes that are no effects are refused", "[effects]") {
  Effects e;
  e.reply(200, {}, "body");
  e.send("message");
  const std::string bytes(e.finish());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    std::vector<Effect> effects;
    CHECK_FALSE(z0::parse_effects(bytes.substr(0, n), effects));
  }
  std::vector<Effect> effects;
  CHECK_FALSE(z0::parse_effects(bytes + 'x', effects));
  std::string backwards = bytes;
  backwards[5] = static_cast<char>(Phase::tell);
  std::vector<Effect> refused;
  CHECK_FALSE(z0::parse_effects(backwards, refused));
}

TEST_CASE("A host traps on an effect that the core does not write", "[effects]") {
  const auto reads = [](z0_effect_kind kind, std::string_view payload) {
    return [=] { static_cast<void>(z0::carried_by({kind, Phase::tell, payload})); };
  };
  const std::string_view number("\1\0\0\0\0\0\0\0", 8);
  CHECK_FALSE(traps(reads(Z0_ALARM, number)));
  CHECK(traps(reads(Z0_ALARM, number.substr(1))));
  CHECK(traps(reads(Z0_ALARM, "123456789")));
  CHECK(traps(reads(static_cast<z0_effect_kind>(99), "")));
  CHECK(traps([&] {
    static_cast<void>(z0::carried_by<z0::Write>({Z0_ALARM, Phase::tell, number}));
  }));
}

TEST_CASE("The core traps on what no host sends, and on a debug call only when it is allowed",
          "[effects]") {
  const auto step = [](std::uint8_t kind, std::uint8_t target, std::uint8_t method,
                       std::uint8_t flags) {
    z0::Core core;
    z0::Frame frame;
    frame.kind = kind;
    frame.target = target;
    frame.method = method;
    frame.flags = flags;
    return std::string(core.step(z0::encode_frame(frame)));
  };
  CHECK(traps([] {
    z0::Core core;
    core.step("not a frame");
  }));
  CHECK(traps([&] { step(Z0_FRAME_CALL, Z0_TARGET_LEDGER, Z0_METHOD_TRAP, 1); }));
  CHECK(traps([&] { step(Z0_FRAME_REQUEST, 99, 0, 0); }));
  // Each target takes its own kinds, and its own methods, of which an alarm is none.
  const std::pair<std::uint8_t, std::uint8_t> misled[] = {{Z0_FRAME_REQUEST, Z0_TARGET_LEDGER},
                                                          {Z0_FRAME_REQUEST, Z0_TARGET_QUEUE},
                                                          {Z0_FRAME_MESSAGE, Z0_TARGET_EDGE},
                                                          {Z0_FRAME_ALARM, Z0_TARGET_EDGE},
                                                          {Z0_FRAME_TELL, Z0_TARGET_LEDGER},
                                                          {Z0_FRAME_TELL, Z0_TARGET_DIRECTORY},
                                                          {Z0_FRAME_CALL, Z0_TARGET_EDGE},
                                                          {Z0_FRAME_CALL, Z0_TARGET_QUEUE},
                                                          {Z0_FRAME_CALL, Z0_TARGET_LEDGER},
                                                          {Z0_FRAME_CALL, Z0_TARGET_DIRECTORY},
                                                          {Z0_FRAME_CALL, Z0_TARGET_MONITOR},
                                                          {Z0_FRAME_RESUME, Z0_TARGET_MONITOR},
                                                          {99, Z0_TARGET_LEDGER}};
  for (const auto& [kind, target] : misled) {
    INFO(int{kind} << " to " << int{target});
    const std::uint8_t k = kind;
    const std::uint8_t t = target;
    CHECK(traps([&] { step(k, t, 0, 0); }));
    CHECK(traps([&] { step(k, t, 77, 0); }));
  }
  const std::string refused = step(Z0_FRAME_CALL, Z0_TARGET_LEDGER, Z0_METHOD_TRAP, 0);
  const auto effects = parse(refused);
  REQUIRE(effects.size() == 1);
  CHECK(z0::carried_by<z0::HttpAnswer>(effects[0]).http == 403);
}

TEST_CASE("What the clocks of a zone show is asked for and read", "[effects]") {
  Effects e;
  e.need_zone("Europe/Berlin", 77);
  e.resume("c");
  const std::string bytes(e.finish());
  const auto effects = parse(bytes);
  REQUIRE(effects.size() == 2);
  CHECK(effects[0].phase == Phase::need);
  const auto need = z0::carried_by<z0::ZoneNeed>(effects[0]);
  CHECK(need.zone == "Europe/Berlin");
  CHECK(need.at_ms == 77);

  const auto answer = [](std::uint8_t kind, std::int64_t offset_min, std::int64_t until_ms) {
    std::string text;
    z0::ByteWriter out(text);
    out.u8(kind);
    out.u64(static_cast<std::uint64_t>(offset_min));
    out.u64(static_cast<std::uint64_t>(until_ms));
    return text;
  };
  std::int64_t offset_min = 0;
  std::int64_t until_ms = 0;
  REQUIRE(z0::parse_zone(answer(0, -210, 99), offset_min, until_ms));
  CHECK(offset_min == -210);
  CHECK(until_ms == 99);
  CHECK_FALSE(z0::parse_zone(answer(1, 0, 99), offset_min, until_ms));
  CHECK_FALSE(z0::parse_zone(answer(0, 1'440, 99), offset_min, until_ms));
  CHECK_FALSE(z0::parse_zone(answer(0, -1'440, 99), offset_min, until_ms));
  CHECK_FALSE(z0::parse_zone(answer(0, 0, 99).substr(1), offset_min, until_ms));
  CHECK_FALSE(z0::parse_zone(answer(0, 0, 99) + 'x', offset_min, until_ms));
}

TEST_CASE("A secret is asked for by its name, and the answer is its value or none", "[effects]") {
  Effects e;
  e.need_secret("PAGER_KEY");
  CHECK(e.waits_outside());
  const std::string bytes(e.finish());
  CHECK(z0::carried_by<z0::SecretNeed>(parse(bytes).at(0)).name == "PAGER_KEY");
  std::string answer;
  z0::ByteWriter good(answer);
  good.u8(0);
  good.bytes("value");
  std::string_view value;
  REQUIRE(z0::parse_secret(answer, value));
  CHECK(value == "value");
  CHECK_FALSE(z0::parse_secret(answer + "x", value));
  answer[0] = 1;
  CHECK_FALSE(z0::parse_secret(answer, value));
  CHECK_FALSE(z0::parse_secret({}, value));
}
