// The ledger's alarm: what D1 lacks is sent again until D1 has it, and then there is silence.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::limits::catch_up_pause_ms;
using z0::limits::confirm_after_ms;
using z0::test::carried;
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

TEST_CASE("What was lost is written to D1 after the confirm delay, and the queue is left alone",
          "[alarm]") {
  for (const bool evicted : {false, true}) {
    TestWorld w;
    w.faults.send = [] { return true; };
    w.post(deposits("f_", 0, 10));
    w.now_ms += 5'000;
    w.post(deposit("f_10"));  // not yet due when the alarm goes off
    w.faults.send = nullptr;
    if (evicted) w.evict(object_a);
    CHECK(next_alarm(w) == 5'000);
    CHECK(w.queue.empty());
    CHECK(replicated(w) == 10);
    CHECK(w.d1_count("SELECT count(*) FROM ledger_facts") == 10);
    CHECK(next_alarm(w) == catch_up_pause_ms);
    CHECK(replicated(w) == 10);
    CHECK(next_alarm(w) == confirm_after_ms);
    CHECK(replicated(w) == 11);
    CHECK(w.alarm_of(object_a) == 0);
    CHECK(w.queue.empty());
    CHECK(w.d1_count("SELECT count(*) FROM ledger_facts") == 11);
  }
}

TEST_CASE("A gap in the middle is filled, and what waited behind it joins", "[alarm]") {
  TestWorld w;
  for (int i = 0; i < 5; ++i) {
    w.faults.send = [i] { return i == 2; };
    w.post(deposit("f_" + std::to_string(i)));
  }
  w.faults.send = nullptr;
  w.deliver_all();
  CHECK(w.d1_rows("SELECT contiguous_seq FROM ledger_heads").at(0).at(0) == 2);
  CHECK(w.d1_count("SELECT count(*) FROM ledger_runs") == 2);
  next_alarm(w);
  CHECK(replicated(w) == 5);
  CHECK(w.d1_count("SELECT count(*) FROM ledger_runs") == 0);
  CHECK(w.alarm_of(object_a) == 0);
}

TEST_CASE("Nothing is written to the ledger when nothing moved", "[alarm]") {
  TestWorld w;
  w.faults.send = [] { return true; };
  w.post(deposit("f_1"));
  w.faults.query = [] { return true; };
  // The first one reconciles what is new, and writes down how far.
  next_alarm(w);
  const std::int64_t before = w.ledger("acct_a").rows_written();
  for (int i = 0; i < 4; ++i) next_alarm(w);
  CHECK(w.ledger("acct_a").rows_written() == before);
  w.faults = {};
  next_alarm(w);
  CHECK(replicated(w) == 1);
  CHECK(w.ledger("acct_a").rows_written() == before + 1);
}

TEST_CASE("The pauses grow while D1 fails, up to their limit, and end when it is back", "[alarm]") {
  TestWorld w;
  w.faults.query = [] { return true; };
  w.post(deposit("f_1"));
  CHECK(next_alarm(w) == confirm_after_ms);
  std::int64_t pause = confirm_after_ms;
  for (int i = 0; i < 8; ++i) {
    const std::int64_t wait = next_alarm(w);
    CHECK(wait <= pause);
    CHECK(wait > pause - pause / z0::limits::confirm_spread);
    pause = std::min(2 * pause, z0::limits::confirm_pause_ms_max);
  }
  CHECK(pause == z0::limits::confirm_pause_ms_max);
  w.faults = {};
  next_alarm(w);
  CHECK(replicated(w) == 1);
  CHECK(w.alarm_of(object_a) == 0);
  w.post(deposit("f_3"));
  CHECK(next_alarm(w) == confirm_after_ms);
}

TEST_CASE("Ledgers that D1 failed together do not come back together", "[alarm]") {
  TestWorld w;
  w.faults.query = [] { return true; };
  constexpr int ledgers = 24;
  for (int i = 0; i < ledgers; ++i) w.post(deposit("f", "acct_" + std::to_string(i)));
  w.now_ms += confirm_after_ms;
  CHECK(w.run_alarms() == ledgers);
  std::set<std::int64_t> moments;
  for (int i = 0; i < ledgers; ++i)
    moments.insert(w.alarm_of(TestWorld::object_of("acct_" + std::to_string(i))));
  CHECK(moments.size() > ledgers / 2);
}

TEST_CASE("An alarm writes a bounded amount, oldest first, until all is there", "[alarm]") {
  TestWorld w;
  const std::string data = R"(,"data":{"a":")" + std::string(20'000, 'x') + "\"}";
  w.faults.send = [] { return true; };
  for (int i = 0; i < 120; i += 40) w.post(deposits("f_", i, 40, "acct_a", data));
  w.faults.send = nullptr;
  std::size_t alarms = 0;
  std::int64_t before = 0;
  std::size_t largest = 0;
  w.seen = [&](std::string_view, std::string_view effects) {
    largest = std::max(largest, effects.size());
  };
  for (; w.alarm_of(object_a) != 0 && alarms < 20; ++alarms) {
    const std::int64_t wait = next_alarm(w);
    CHECK(wait == (alarms == 0 ? confirm_after_ms : catch_up_pause_ms));
    const std::int64_t now = replicated(w);
    CHECK((now - before) * 20'000 <= static_cast<std::int64_t>(z0::limits::chunks_per_round_max *
                                                               z0::limits::message_bytes_max));
    CHECK(now > before);
    before = now;
  }
  CHECK(alarms > 2);
  CHECK(before == 120);
  CHECK(largest < 3 * z0::limits::message_bytes_max);
  CHECK(w.d1_count("SELECT count(*) FROM ledger_facts") == 120);
}

TEST_CASE("An hour without D1 is made up for in a minute and a bounded number of steps",
          "[alarm]") {
  TestWorld w;
  w.faults.query = [] { return true; };
  constexpr int minutes = 60;
  constexpr int a_minute = 150;
  for (int i = 0; i < minutes; ++i) {
    w.post(deposits("f_", i * a_minute, a_minute));
    // A message comes back twenty times, then it is a dead letter: it may be lost here.
    w.queue.clear();
    for (int s = 0; s < 60; ++s) {
      w.now_ms += 1'000;
      w.run_alarms();
    }
  }
  w.faults = {};
  const std::int64_t back = w.now_ms;
  std::size_t queries = 0;
  w.faults.query = [&] { return ++queries == 0; };
  while (w.alarm_of(object_a) != 0) next_alarm(w);
  CHECK(w.now_ms - back <= 60'000 + confirm_after_ms);
  CHECK(queries < 40);
  CHECK(replicated(w) == minutes * a_minute);
  CHECK(w.d1_count("SELECT count(*) FROM ledger_facts") == minutes * a_minute);
  CHECK(w.d1_count("SELECT count(*) FROM ledger_runs") == 0);
}

TEST_CASE("Facts recorded while the alarm waits for D1 are neither lost nor sent early",
          "[alarm]") {
  TestWorld w;
  w.faults.send = [] { return true; };
  w.post(deposits("f_", 0, 30));
  int more = 30;
  w.faults.query = [&] {
    if (more < 33) w.post(deposit("f_" + std::to_string(more++)));
    return false;
  };
  next_alarm(w);
  CHECK(replicated(w) == 30);
  while (w.alarm_of(object_a) != 0) next_alarm(w);
  CHECK(replicated(w) == more);
}

TEST_CASE("A head that contradicts the ledger is made anew, and said so", "[alarm]") {
  for (const char* damage : {"UPDATE ledger_heads SET root = '00' || substr(root, 3)",
                             "UPDATE ledger_heads SET tree = 'not a tree'",
                             "UPDATE ledger_heads SET contiguous_seq = 99",
                             "UPDATE ledger_heads SET contiguous_seq = 4"}) {
    INFO(damage);
    TestWorld w;
    w.post(deposits("f_", 0, 5));
    w.deliver_all();
    const Json whole = w.d1_rows("SELECT contiguous_seq, tree, root FROM ledger_heads");
    w.d1().script(damage);
    std::string lines;
    w.seen = [&](std::string_view, std::string_view bytes) {
      for (const auto& line : carried<z0::LogLine>(bytes)) lines += line.json;
    };
    for (int i = 0; i < 5 && w.alarm_of(object_a) != 0; ++i) next_alarm(w);
    CHECK(w.alarm_of(object_a) == 0);
    CHECK(w.d1_rows("SELECT contiguous_seq, tree, root FROM ledger_heads") == whole);
    CHECK(lines.find("z0.replication.root_differs") != std::string::npos);
    CHECK(lines.find("head_remade") != std::string::npos);
    CHECK(replicated(w) == 5);
  }
}

TEST_CASE("A ledger that never took a fact has nothing to do", "[alarm]") {
  TestWorld w;
  w.faults.commit = [](std::string_view) { return true; };
  w.post(deposit("f_1"));
  CHECK(w.alarm_of(object_a) == 0);
}

TEST_CASE("Facts recorded by a request whose reply was lost still arrive", "[alarm]") {
  TestWorld w;
  // The first one only says that the ledger is new.
  int replies = 0;
  w.faults.lose_reply = [&](std::string_view object) {
    return object == object_a && ++replies == 2;
  };
  CHECK(w.post(deposit("f_1")).status == 503);
  w.faults.lose_reply = nullptr;
  w.deliver_all();
  CHECK(w.d1_rows("SELECT status FROM facts").dump() == R"([["failed"]])");
  next_alarm(w);
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

TEST_CASE("A head is made anew each time that somebody damages it", "[alarm]") {
  TestWorld w;
  w.post(deposits("f_", 0, 5));
  w.deliver_all();
  for (int i = 0; w.alarm_of(object_a) != 0 && i < 5; ++i) next_alarm(w);
  for (int round = 0; round < 3; ++round) {
    INFO(round);
    w.d1().script("UPDATE ledger_heads SET root = '00' || substr(root, 3)");
    w.post(deposit("g_" + std::to_string(round)));
    w.deliver_all();
    w.d1().script("UPDATE ledger_heads SET root = '00' || substr(root, 3)");
    for (int i = 0; w.alarm_of(object_a) != 0 && i < 5; ++i) next_alarm(w);
    CHECK(replicated(w) == 6 + round);
    CHECK(w.d1_rows("SELECT root FROM ledger_heads").at(0).at(0) ==
          w.get("/v1/entities/acct_a").json.at("root"));
    // Between two of them somebody loses the state's memory: what was proven is in the rows.
    if (round == 1) w.crash();
  }
}

TEST_CASE("A pass that one alarm does not finish is gone on with, without another append",
          "[alarm]") {
  TestWorld w;
  // More segments than one step reads, each of one fact that fills it.
  const std::string data = R"(,"data":{"a":")" + std::string(40'000, 'x') + "\"}";
  const int facts = static_cast<int>(z0::limits::segments_per_pass_step) + 40;
  for (int i = 0; i < facts; ++i) w.post(deposit("f_" + std::to_string(i), "acct_a", 5, data));
  w.deliver_all();
  REQUIRE(w.ledger_rows("acct_a", "SELECT count(*) FROM segments").at(0).at(0) >
          z0::limits::segments_per_pass_step);
  next_alarm(w);
  const auto verified = [&] { return w.get("/v1/entities/acct_a").json.at("verified_seq"); };
  CHECK(replicated(w) == facts);
  CHECK(verified() < facts);
  CHECK(w.alarm_of(object_a) == w.now_ms + catch_up_pause_ms);
  for (int i = 0; w.alarm_of(object_a) != 0 && i < 5; ++i) next_alarm(w);
  CHECK(verified() == facts);
  CHECK(w.alarm_of(object_a) == 0);
}
