// The ledger's alarm: what D1 lacks is sent again until D1 has it, and then there is silence.
#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "test_world.hpp"
#include "z0/message.hpp"

namespace {

using z0::limits::confirm_after_ms;
using z0::test::deposit;
using z0::test::deposits;
using z0::test::Json;
using z0::test::TestWorld;

constexpr const char* object_a = "account_acct_a";

std::int64_t replicated(TestWorld& w) {
  return w.get("/v1/entities/acct_a").json.at("replicated_seq");
}

// Moves time to the alarm and lets it go off; returns how long that was.
std::int64_t next_alarm(TestWorld& w) {
  const std::int64_t wait = w.alarm_of(object_a) - w.now_ms;
  REQUIRE(w.alarm_of(object_a) != 0);
  w.now_ms = w.alarm_of(object_a);
  REQUIRE(w.run_alarms() == 1);
  return wait;
}

}  // namespace

TEST_CASE("An alarm finds everything in D1 and rests", "[alarm]") {
  TestWorld w;
  w.post(deposit("f_1"));
  w.now_ms += 4'000;
  w.post(deposit("f_2"));  // the alarm stays where the first fact put it
  CHECK(w.alarm_of(object_a) == w.now_ms - 4'000 + confirm_after_ms);
  w.deliver_all();
  CHECK(replicated(w) == 0);
  w.now_ms += confirm_after_ms - 4'001;
  CHECK(w.run_alarms() == 0);
  w.now_ms += 1;
  CHECK(w.run_alarms() == 1);
  CHECK(replicated(w) == 2);
  CHECK(w.alarm_of(object_a) == 0);
  CHECK(w.queue.empty());
  w.post(deposit("f_3"));
  CHECK(w.alarm_of(object_a) == w.now_ms + confirm_after_ms);
}

TEST_CASE("Messages that were lost are sent again after the confirm delay", "[alarm]") {
  for (const bool evicted : {false, true}) {
    TestWorld w;
    w.faults.send = [] { return true; };
    w.post(deposits("f_", 0, 10));
    w.faults.send = nullptr;
    w.now_ms += 5'000;
    w.faults.send = [] { return true; };
    w.post(deposit("f_10"));  // not yet due when the alarm goes off
    w.faults.send = nullptr;
    CHECK(w.queue.empty());
    if (evicted) w.evict(object_a);
    CHECK(next_alarm(w) == 5'000);
    REQUIRE(w.queue.size() == 1);
    z0::Message message;
    const std::string bytes = w.queue.front();
    REQUIRE(z0::parse_message(bytes, message));
    CHECK(message.runs.at(0).first_seq == 1);
    CHECK(message.runs.at(0).count == 10);
    w.deliver_all();
    CHECK(next_alarm(w) == confirm_after_ms);
    CHECK(replicated(w) == 10);
    w.deliver_all();
    next_alarm(w);
    CHECK(replicated(w) == 11);
    CHECK(w.alarm_of(object_a) == 0);
    CHECK(w.d1_count("SELECT count(*) FROM ledger_facts") == 11);
  }
}

TEST_CASE("A gap in the middle is filled, and what is behind it is not lost", "[alarm]") {
  TestWorld w;
  for (int i = 0; i < 5; ++i) {
    w.faults.send = [i] { return i == 2; };
    w.post(deposit("f_" + std::to_string(i)));
  }
  w.faults.send = nullptr;
  w.deliver_all();
  next_alarm(w);
  CHECK(replicated(w) == 2);
  w.deliver_all();
  CHECK(w.d1_rows("SELECT contiguous_seq FROM ledger_heads").at(0).at(0) == 5);
  next_alarm(w);
  CHECK(replicated(w) == 5);
  CHECK(w.alarm_of(object_a) == 0);
}

TEST_CASE("Nothing is written when nothing moved", "[alarm]") {
  TestWorld w;
  w.faults.send = [] { return true; };
  w.post(deposit("f_1"));
  const std::int64_t before = w.ledger("acct_a").rows_written();
  for (int i = 0; i < 4; ++i) next_alarm(w);
  CHECK(w.ledger("acct_a").rows_written() == before);
  w.faults.send = nullptr;
  next_alarm(w);
  w.deliver_all();
  next_alarm(w);
  CHECK(w.ledger("acct_a").rows_written() == before + 1);
}

TEST_CASE("The pauses grow while nothing arrives, up to their limit, and shrink when it does",
          "[alarm]") {
  for (const bool d1_down : {true, false}) {
    TestWorld w;
    if (d1_down)
      w.faults.query = [] { return true; };
    else
      w.faults.send = [] { return true; };
    w.post(deposit("f_1"));
    const std::size_t queued = w.queue.size();
    CHECK(next_alarm(w) == confirm_after_ms);
    std::int64_t last = confirm_after_ms;
    for (int i = 0; i < 8; ++i) {
      const std::int64_t wait = next_alarm(w);
      CHECK(wait ==
            std::min(z0::limits::confirm_pause_ms_max, i == 0 ? confirm_after_ms : 2 * last));
      last = wait;
    }
    CHECK(last == z0::limits::confirm_pause_ms_max);
    // Without D1's word nothing is sent again: the queue may hold all of it.
    CHECK(w.queue.size() == queued);
    w.faults = {};
    w.post(deposit("f_2"));
    next_alarm(w);
    w.deliver_all();
    next_alarm(w);
    CHECK(replicated(w) == 2);
    CHECK(w.alarm_of(object_a) == 0);
    w.post(deposit("f_3"));
    CHECK(next_alarm(w) == confirm_after_ms);
  }
}

TEST_CASE("An alarm sends a bounded amount, oldest first, until all is there", "[alarm]") {
  TestWorld w;
  const std::string data = R"(,"data":{"a":")" + std::string(20'000, 'x') + "\"}";
  w.faults.send = [] { return true; };
  for (int i = 0; i < 120; i += 40) w.post(deposits("f_", i, 40, "acct_a", data));
  w.faults.send = nullptr;
  std::size_t alarms = 0;
  for (; w.alarm_of(object_a) != 0 && alarms < 20; ++alarms) {
    next_alarm(w);
    std::size_t bytes = 0;
    for (const auto& message : w.queue) {
      bytes += message.size();
      CHECK(message.size() <= z0::limits::message_bytes_max);
    }
    CHECK(bytes <= z0::limits::resend_messages_max * z0::limits::message_bytes_max);
    w.deliver_all();
  }
  CHECK(alarms > 2);
  CHECK(replicated(w) == 120);
  CHECK(w.d1_count("SELECT count(*) FROM ledger_facts") == 120);
}

TEST_CASE("A ledger that never took a fact has nothing to do", "[alarm]") {
  TestWorld w;
  w.faults.commit = [](std::string_view) { return true; };
  w.post(deposit("f_1"));
  CHECK(w.alarm_of(object_a) == 0);
}

TEST_CASE("Facts recorded by a request whose reply was lost still arrive", "[alarm]") {
  TestWorld w;
  w.faults.lose_reply = [](std::string_view) { return true; };
  CHECK(w.post(deposit("f_1")).status == 503);
  w.faults.lose_reply = nullptr;
  w.deliver_all();
  CHECK(w.d1_rows("SELECT status FROM facts").dump() == R"([["failed"]])");
  next_alarm(w);
  w.deliver_all();
  CHECK(w.d1_rows("SELECT status FROM facts ORDER BY 1").dump() == R"([["failed"],["recorded"]])");
}

TEST_CASE("A commit of the alarm that fails is made up for by the next one", "[alarm]") {
  TestWorld w;
  w.post(deposit("f_1"));
  w.deliver_all();
  w.now_ms += confirm_after_ms;
  w.faults.commit = [](std::string_view) { return true; };
  CHECK(w.run_alarms() == 1);
  w.faults.commit = nullptr;
  CHECK(replicated(w) == 0);
  next_alarm(w);
  CHECK(replicated(w) == 1);
  CHECK(w.alarm_of(object_a) == 0);
}

TEST_CASE("Appends do not put the alarm off, even when memory is lost between them", "[alarm]") {
  for (const bool evicted : {false, true}) {
    TestWorld w;
    w.faults.send = [] { return true; };
    std::size_t alarms = 0;
    for (int i = 0; i < 40; ++i) {
      w.post(deposit("f_" + std::to_string(i)));
      if (evicted) w.evict(object_a);
      w.now_ms += 1'000;
      alarms += w.run_alarms();
    }
    CHECK(alarms >= 3);
  }
}
