// Effects: their grammar and their order. What breaks the order is a broken invariant, and traps.
#include "z0/wire/effects.hpp"

#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/traps.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/core/core.hpp"
#include "z0/wire/frame.hpp"

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
  e.point("north", {"metric", "type"}, {1.5, -2});
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
  z0::ByteReader write(effects[0].payload);
  const auto statement = z0::parse_statement(write);
  CHECK(statement.sql == "INSERT INTO t VALUES (?1, ?2)");
  REQUIRE(statement.values.size() == 2);
  CHECK(statement.values[0].integer == -1);
  CHECK(statement.values[1].bytes == "b");
  CHECK(write.done());
  CHECK(z0::ByteReader(effects[1].payload).u64() == 77);
  z0::ByteReader reply(effects[2].payload);
  CHECK(reply.u16() == 201);
  CHECK(reply.u16() == 2);
  for (const auto* text : {"a", "b", "c", "", "body"}) CHECK(reply.bytes() == text);
  CHECK(reply.done());
  CHECK(z0::ByteReader(effects[3].payload).bytes() == "message");
  CHECK(z0::ByteReader(effects[4].payload).bytes() == "report");
  z0::ByteReader point(effects[5].payload);
  CHECK(point.bytes() == "north");
  CHECK(point.u16() == 2);
  point.bytes();
  point.bytes();
  CHECK(point.u16() == 2);
  CHECK(point.f64() == 1.5);
  CHECK(point.f64() == -2);
  CHECK(point.done());
  z0::ByteReader log(effects[6].payload);
  CHECK(log.u8() == 1);
  CHECK(log.bytes() == "{}");
}

TEST_CASE("Needs stand alone and end with what comes next", "[effects]") {
  Effects e;
  CHECK_FALSE(e.needs());
  e.need_rows("SELECT ?1", {Value::text("x")});
  e.need_query("DB", {{"SELECT 1", {}}, {"SELECT ?1", {Value::null()}}});
  e.need_call(z0::LedgerMethod::append, "account_acct_a", 30'000, "request");
  e.resume("continuation", 7, "there");
  CHECK(e.needs());
  const std::string bytes(e.finish());
  const auto effects = parse(bytes);
  REQUIRE(effects.size() == 4);
  for (const auto& effect : effects) CHECK(effect.phase == Phase::need);
  z0::ByteReader query(effects[1].payload);
  CHECK(query.u16() == 2);
  CHECK(z0::parse_statement(query).sql == "SELECT 1");
  CHECK(z0::parse_statement(query).values.size() == 1);
  CHECK(query.bytes() == "DB");
  CHECK(query.done());
  const z0::CallNeed call = z0::parse_call_need(effects[2].payload);
  CHECK(call.target == Z0_TARGET_LEDGER);
  CHECK(call.method == static_cast<std::uint8_t>(z0::LedgerMethod::append));
  CHECK(call.object == "account_acct_a");
  CHECK(call.timeout_ms == 30'000);
  CHECK(call.request == "request");
  const z0::ResumeNeed next = z0::parse_resume(effects[3].payload);
  CHECK(next.continuation == "continuation");
  CHECK(next.steps_max == 7);
  CHECK(next.where == "there");
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
  const std::pair<std::uint8_t, std::uint8_t> misled[] = {
      {Z0_FRAME_REQUEST, Z0_TARGET_LEDGER}, {Z0_FRAME_REQUEST, Z0_TARGET_QUEUE},
      {Z0_FRAME_MESSAGE, Z0_TARGET_EDGE},   {Z0_FRAME_ALARM, Z0_TARGET_EDGE},
      {Z0_FRAME_ALARM, Z0_TARGET_MONITOR},  {Z0_FRAME_TELL, Z0_TARGET_LEDGER},
      {Z0_FRAME_TELL, Z0_TARGET_DIRECTORY}, {Z0_FRAME_CALL, Z0_TARGET_EDGE},
      {Z0_FRAME_CALL, Z0_TARGET_QUEUE},     {Z0_FRAME_CALL, Z0_TARGET_LEDGER},
      {Z0_FRAME_CALL, Z0_TARGET_DIRECTORY}, {Z0_FRAME_CALL, Z0_TARGET_MONITOR},
      {Z0_FRAME_RESUME, Z0_TARGET_MONITOR}, {99, Z0_TARGET_LEDGER}};
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
  CHECK(z0::parse_reply(effects[0].payload).http == 403);
}
