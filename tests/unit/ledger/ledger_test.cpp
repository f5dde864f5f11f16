// The append: identity, order, bytes that never change, and state that is only ever a cache of
// rows.
#include "z0/calls/ledger.hpp"

#include <map>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/ledger/ledger.hpp"
#include "z0/wire/frame.hpp"

namespace {

using z0::test::deposit;
using z0::test::deposits;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr const char* object_a = "account_acct_a";
// Facts of this size fill a segment each, or nearly.
std::string padding(std::size_t bytes) {
  return R"(,"data":{"a":")" + std::string(bytes, 'x') + "\"}";
}

std::map<std::int64_t, std::string> segment_bodies(TestWorld& w, const char* entity_id = "acct_a") {
  std::map<std::int64_t, std::string> bodies;
  for (const auto& row : w.ledger_rows(entity_id, "SELECT first_seq, body FROM segments")) {
    bodies[row.at(0)] = row.at(1).get<std::string>();
  }
  return bodies;
}

// Every row of a ledger's storage, as text.
std::string storage(TestWorld& w, const char* entity_id = "acct_a") {
  std::string all;
  for (const char* table : {"meta", "segments", "id_runs"}) {
    const auto answer = w.ledger(entity_id).run({std::string("SELECT * FROM ") + table, {}});
    for (const auto& cell : answer->rows.cells)
      all += std::to_string(cell.integer) + '|' + std::string(cell.bytes) + '\n';
  }
  return all;
}

// The rows that each read of a ledger answered, by answer.
struct Seen {
  std::vector<std::vector<std::size_t>> rows;

  void watch(TestWorld& w) {
    w.seen = [this](std::string_view bytes, std::string_view) {
      z0::Frame frame;
      REQUIRE(z0::parse_frame(bytes, frame));
      if (frame.kind != Z0_FRAME_RESUME || frame.target != Z0_TARGET_LEDGER) return;
      rows.emplace_back();
      for (const auto answer : frame.answers) rows.back().push_back(z0::parse_rows(answer).size());
    };
  }
};

}  // namespace

TEST_CASE("A retry gets the original's receipt, from the tail and from old segments", "[ledger]") {
  TestWorld w;
  std::vector<Reply> first;
  for (int i = 0; i < 40; ++i) {
    w.now_ms += 7;
    first.push_back(w.post(deposit("f_" + std::to_string(i), "acct_a", 5, padding(3'000))));
    REQUIRE(first.back().status == 201);
  }
  REQUIRE(segment_bodies(w).size() > 3);
  const std::string before = storage(w);
  const std::size_t queued = w.queue.size();
  for (const bool evicted : {false, true}) {
    for (int i = 0; i < 40; ++i) {
      if (evicted) w.evict(object_a);
      w.now_ms += 7;
      const Reply again = w.post(deposit("f_" + std::to_string(i), "acct_a", 5, padding(3'000)));
      CHECK(again.status == 200);
      CHECK(again.text("status") == "duplicate");
      CHECK(again.json.at("seq") == first[static_cast<std::size_t>(i)].json.at("seq"));
      CHECK(again.json.at("recorded_at") ==
            first[static_cast<std::size_t>(i)].json.at("recorded_at"));
      CHECK(w.post(deposit("f_" + std::to_string(i), "acct_a", 6, padding(3'000))).text("field") ==
            "amount");
    }
  }
  CHECK(storage(w) == before);
  CHECK(w.queue.size() == queued);
}

TEST_CASE("A batch may be a retry of many segments and of itself at once", "[ledger]") {
  TestWorld w;
  for (int i = 0; i < 60; i += 10) w.post(deposits("f_", i, 10, "acct_a", padding(3'000)));
  Seen seen;
  seen.watch(w);
  std::vector<std::string> facts;
  for (int i = 0; i < 60; i += 3)
    facts.push_back(
        deposit("f_" + std::to_string(i), "acct_a", i % 2 == 0 ? 5 : 6, padding(3'000)));
  facts.push_back(deposit("g_1"));
  facts.push_back(deposit("g_1"));
  facts.push_back(deposit("g_1", "acct_a", 6));
  facts.push_back(deposit("g_2"));
  const Reply r = w.post(list(facts));
  for (std::size_t i = 0; i < 20; ++i)
    CHECK(r.item(i).at("status") == (i % 2 == 0 ? "duplicate" : "conflict"));
  CHECK(r.item(20).at("seq") == 61);
  CHECK(r.item(21).at("status") == "duplicate");
  CHECK(r.item(21).at("seq") == 61);
  CHECK(r.item(22).at("status") == "conflict");
  CHECK(r.item(23).at("seq") == 62);
  // One question brought all originals.
  REQUIRE(seen.rows.size() == 1);
  CHECK(seen.rows[0].size() == 1);
}

TEST_CASE("A new fact costs no question once the state is in memory", "[ledger]") {
  TestWorld w;
  for (int i = 0; i < 40; ++i)
    w.post(deposit("f_" + std::to_string(i), "acct_a", 5, padding(3'000)));
  Seen seen;
  seen.watch(w);
  w.post(deposit("g_1"));
  CHECK(seen.rows.empty());
  w.evict(object_a);
  w.post(deposit("g_2"));
  CHECK(seen.rows.size() == 1);
}

TEST_CASE("A conflict names the first field that differs", "[ledger]") {
  TestWorld w;
  const Json base = Json::parse(
      R"({"id":"f_1","type":"correction","subtype":"a","timestamp":1700000000001,"entity_id":"acct_a","source_id":"a",
          "asset_id":"a","campaign_id":"a","tool_id":"a","user_id":"a","config_id":"a","config_version":1,"amount":1,
          "currency":"EUR","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","data":{"reason":"a"}})");
  REQUIRE(w.post(deposit("a", "acct_a", 5, R"(,"currency":"EUR")")).status == 201);
  REQUIRE(w.post(base.dump()).status == 201);
  const Json changes = Json::parse(
      R"({"subtype":"b","timestamp":1700000000002,"source_id":"b","asset_id":"b","campaign_id":"b","tool_id":"b","user_id":"b",
          "config_id":"b","config_version":2,"amount":2,"currency":"USD",
          "trace_id":"aaf92f3577b34da6a3ce929d0e0e4736","data":{"reason":"b"}})");
  for (const auto& [field, value] : changes.items()) {
    Json changed = base;
    changed[field] = value;
    const Reply r = w.post(changed.dump());
    INFO(field);
    CHECK(r.status == 409);
    CHECK(r.text("field") == (field == "data" ? "data.reason" : field));
    CHECK(r.text("id") == "f_1");
    changed.erase(field);
    // What a correction or its partner field needs cannot be left out.
    if (field == "source_id" || field == "data" || field == "config_id" ||
        field == "config_version" || field == "amount")
      continue;
    CHECK(w.post(changed.dump()).text("field") == field);
  }
  Json other_type = base;
  other_type["type"] = "note";
  CHECK(w.post(other_type.dump()).text("field") == "type");
  CHECK(w.post(base.dump()).text("status") == "duplicate");
}

TEST_CASE("The same content in another spelling is a retry", "[ledger]") {
  TestWorld w;
  const std::string id = R"("id":"f_1","type":"deposit","entity_id":"acct_a",)";
  const std::string tr = R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736")";
  REQUIRE(w.post('{' + id + R"("amount":5,)" + tr + R"(,"data":{"a":"A/","b":{"c":1,"d":[2]}}})")
              .status == 201);
  for (const std::string& spelling :
       {'{' + id + R"("data":{"b":{"d":[2],"c":1},"a":"\u0041\/"},)" + tr + R"(,"amount":5})",
        '{' + id + R"("amount":5,"currency":"USD","data":{)" + tr +
            R"(,"a":"A/","b":{"c":1,"d":[2]}}})",
        "{\n " + id + R"("tenant_id":"north","amount" : 5, "data":{"a":"A/",)" + tr +
            R"(,"b":{"c":1,"d":[2]}}, )" + tr + '}'}) {
    const Reply r = w.post(spelling);
    INFO(spelling << r.body);
    CHECK(r.text("status") == "duplicate");
  }
}

TEST_CASE("Sequence numbers are dense and commit time never runs backwards", "[ledger]") {
  TestWorld w;
  std::int64_t seq = 0;
  std::int64_t last = 0;
  const std::int64_t start = w.now_ms;
  for (const int step : {0, 5, -3, -10'000, 2, 20'000, -1, 0}) {
    w.now_ms += step;
    if (seq % 4 == 3) w.evict(object_a);
    const Reply r = w.post(deposits("f_" + std::to_string(seq) + '_', 0, 3));
    for (const auto& item : r.json.at("results")) {
      CHECK(item.at("seq") == ++seq);
      CHECK(item.at("recorded_at") >= last);
      last = item.at("recorded_at");
    }
  }
  CHECK(last == start + 10'004);
  // Refusals and retries take no number.
  w.post(list({deposit("f_0_0"), deposit("f_0_0", "acct_a", 6), "{}", deposit("g_1")}));
  CHECK(w.get("/v1/entities/acct_a").json.at("seq") == seq + 1);
}

TEST_CASE("The bytes of a recorded fact never change", "[ledger]") {
  TestWorld w;
  std::map<std::int64_t, std::string> before;
  for (int i = 0; i < 60; ++i) {
    const auto bytes = static_cast<std::size_t>((i * 977) % 9'000);
    w.post(deposits("f_" + std::to_string(i) + '_', 0, 1 + i % 3, "acct_a", padding(bytes)));
    if (i % 7 == 0) w.evict(object_a);
    const auto after = segment_bodies(w);
    for (const auto& [first_seq, body] : before) {
      REQUIRE(after.count(first_seq) == 1);
      const std::string& now = after.at(first_seq);
      CHECK(now.compare(0, body.size(), body) == 0);
      if (first_seq != before.rbegin()->first) CHECK(now.size() == body.size());
    }
    before = after;
  }
  CHECK(before.size() > 5);
  for (const auto& [first_seq, body] : before) {
    CHECK(body.size() <= z0::limits::segment_bytes_max);
    z0::ByteReader in(body);
    z0::RecordBytes record;
    for (std::int64_t seq = first_seq; z0::next_record_bytes(in, record); ++seq)
      CHECK(record.seq == seq);
    CHECK(in.done());
  }
}

TEST_CASE("What does not fit the tail begins a segment, and each append writes one row",
          "[ledger]") {
  TestWorld w;
  const auto segments = [&] {
    return w.ledger_rows("acct_a", "SELECT first_seq, last_seq FROM segments").dump();
  };
  w.post(deposit("f_1"));
  const auto large = padding(z0::limits::tail_bytes_max);
  const std::pair<std::string, std::string> appends[] = {
      {deposit("f_2"), "[[1,2]]"},
      {deposit("f_3", "acct_a", 5, large), "[[1,2],[3,3]]"},
      {deposit("f_4"), "[[1,2],[3,3],[4,4]]"},
      {deposits("g_", 5, 100, "acct_a", padding(300)), "[[1,2],[3,3],[4,4],[5,104]]"},
      {deposit("f_105"), "[[1,2],[3,3],[4,4],[5,104],[105,105]]"},
      {deposit("f_106"), "[[1,2],[3,3],[4,4],[5,104],[105,106]]"},
  };
  for (const auto& [body, expected] : appends) {
    const std::int64_t before = w.ledger("acct_a").rows_written();
    REQUIRE(w.post(body).status < 300);
    CHECK(w.ledger("acct_a").rows_written() == before + 1);
    CHECK(segments() == expected);
  }
  // A batch may be larger than a segment.
  w.post(deposits("h_", 0, 60, "acct_a", padding(3'000)));
  for (const auto& row : w.ledger_rows("acct_a", "SELECT length(body) FROM segments")) {
    CHECK(row.at(0) <= z0::limits::segment_bytes_max);
  }
  CHECK(w.post(deposit("f_3", "acct_a", 5, large)).text("status") == "duplicate");
}

TEST_CASE("Losing memory at any point changes nothing", "[ledger]") {
  // The same requests, with the object evicted or everything crashed before, after or between them.
  const auto run = [](int harm, int at) {
    TestWorld w(7);
    std::string replies;
    for (int i = 0; i < 12; ++i) {
      if (harm == 1 && i % at == 0) w.evict(object_a);
      if (harm == 2 && i % at == 0) w.crash();
      w.now_ms += 3;
      const int first = i % 4 == 3 ? i - 2 : i;  // now and then a retry
      Reply r = w.post(deposits("f_" + std::to_string(first) + '_', 0, 6, "acct_a", padding(900)));
      r.json.erase("trace_id");
      replies += r.json.dump() + '\n';
    }
    const Reply read = w.get("/v1/facts/acct_a?limit=1000");
    std::string bodies;
    for (const auto& [first_seq, body] : segment_bodies(w))
      bodies += std::to_string(first_seq) + ':' + body;
    return replies + read.body + bodies;
  };
  const std::string unharmed = run(0, 1);
  for (int at = 1; at <= 4; ++at) {
    CHECK(run(1, at) == unharmed);
    CHECK(run(2, at) == unharmed);
  }
}

TEST_CASE("A commit that fails leaves no trace", "[ledger]") {
  TestWorld w;
  // The first fact of a ledger: without it there is no ledger.
  w.faults.commit = [](std::string_view) { return true; };
  CHECK(w.post(deposit("f_0")).status == 503);
  CHECK(w.get("/v1/entities/acct_a").status == 404);
  CHECK(w.alarm_of(object_a) == 0);
  w.faults.commit = nullptr;
  CHECK(w.post(deposit("f_0")).json.at("seq") == 1);
  for (int i = 0; i < 30; ++i) {
    const std::string id = "f_" + std::to_string(i + 1);
    const std::string before = storage(w);
    w.faults.commit = [](std::string_view) { return true; };
    CHECK(w.post(deposit(id, "acct_a", 5, padding(3'000))).text("status") == "storage_error");
    CHECK(w.post(deposit("g", "acct_a", 5, padding(30'000))).text("status") == "storage_error");
    CHECK(storage(w) == before);
    w.faults.commit = nullptr;
    CHECK(w.post(deposit(id, "acct_a", 5, padding(3'000))).json.at("seq") == i + 2);
  }
}

TEST_CASE("A lost reply is healed by the retry", "[ledger]") {
  TestWorld w;
  w.post(deposit("f_0"));
  w.faults.lose_reply = [](std::string_view object) { return object == object_a; };
  CHECK(w.post(deposit("f_1")).text("status") == "storage_error");
  w.faults.lose_reply = nullptr;
  const Reply again = w.post(deposit("f_1"));
  CHECK(again.text("status") == "duplicate");
  CHECK(again.json.at("seq") == 2);
}

TEST_CASE("The retry of a new ledger's request finds it wherever a reply was lost", "[ledger]") {
  for (const int lost : {1, 2}) {
    TestWorld w;
    int replies = 0;
    w.faults.lose_reply = [&](std::string_view object) {
      return object == object_a && ++replies == lost;
    };
    CHECK(w.post(deposit("f_1")).text("status") == "storage_error");
    w.faults.lose_reply = nullptr;
    const Reply again = w.post(deposit("f_1"));
    CHECK(again.text("status") == (lost == 1 ? "recorded" : "duplicate"));
    CHECK(again.json.at("seq") == 1);
  }
}

TEST_CASE("More ledgers than fit in memory are all served", "[ledger]") {
  TestWorld w;
  constexpr int ledgers = 300;
  static_assert(ledgers > z0::limits::resident_ledgers_max);
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string> facts;
    for (int i = 0; i < ledgers; ++i) {
      facts.push_back(deposit("f_" + std::to_string(round), "acct_" + std::to_string(i)));
    }
    const Reply r = w.post(list(facts));
    REQUIRE(r.json.at("recorded") == ledgers);
    for (const auto& item : r.json.at("results")) REQUIRE(item.at("seq") == round + 1);
  }
  Seen seen;
  seen.watch(w);
  w.post(deposit("g_1", "acct_299"));  // among the last that were used
  CHECK(seen.rows.empty());
  w.post(deposit("g_1", "acct_0"));  // long gone
  CHECK(seen.rows.size() == 1);
}
