// Dead letters: listed, shown, and tried again, without a fact or an attempt lost.
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/base64.hpp"

namespace {

using z0::test::deposit;
using z0::test::deposits;
using z0::test::Json;
using z0::test::Reply;
using z0::test::TestWorld;

// Puts a body among the dead letters, as a version of z0 did that could not read it.
void put_letter(TestWorld& w, const std::string& id, std::int64_t received_at,
                const std::string& body) {
  REQUIRE_FALSE(w.d1()
                    .run({"INSERT INTO dead_letters (id, received_at, body) VALUES (?1, ?2, ?3)",
                          {z0::Value::text(id), z0::Value::of(received_at), z0::Value::blob(body)}})
                    ->rows.failed);
}

Reply redrive(TestWorld& w, const std::string& id = {}) {
  return w.post("", "", ("/v1/dead-letters" + (id.empty() ? id : '/' + id) + "/redrive").c_str());
}

// A message with what was posted since the last one.
std::string take_message(TestWorld& w) {
  std::string joined;
  for (const auto& message : w.queue) joined += message;
  w.queue.clear();
  return joined;
}

// An attempt's message: the ledger fails, and only the attempt remembers.
std::string failed_append(TestWorld& w, const std::string& id) {
  w.faults.call = [](std::string_view, z0_outcome& outcome, std::string&) {
    outcome = Z0_OVERLOADED;
    return true;
  };
  CHECK(w.post(deposit(id)).status == 503);
  w.faults.call = nullptr;
  return take_message(w);
}

std::vector<std::string> all_ids(TestWorld& w, int limit) {
  std::vector<std::string> ids;
  std::string cursor;
  for (int pages = 0; pages < 50; ++pages) {
    const Reply r = w.get("/v1/dead-letters?limit=" + std::to_string(limit) + cursor, "");
    REQUIRE(r.status == 200);
    for (const auto& letter : r.json.at("dead_letters")) ids.push_back(letter.at("id"));
    if (r.json.at("cursor").is_null()) return ids;
    cursor = "&cursor=" + r.json.at("cursor").get<std::string>();
  }
  FAIL("the pages do not end");
  return ids;
}

}  // namespace

TEST_CASE("Dead letters are listed oldest first, with what they hold", "[dead_letters]") {
  TestWorld w;
  CHECK(w.get("/v1/dead-letters", "").body == R"({"dead_letters":[],"cursor":null})");
  w.post(deposits("f_", 0, 3, "acct_a"));
  w.post(deposits("g_", 0, 2, "acct_b"));
  const std::string good = take_message(w);
  const std::string attempt = failed_append(w, "f_9");
  put_letter(w, "m_3", 30, good);
  put_letter(w, "m_2", 20, "not a message");
  put_letter(w, "m_1", 20, attempt);
  put_letter(w, "m_0", 40, good + "?");
  const Json letters = w.get("/v1/dead-letters", "").json.at("dead_letters");
  REQUIRE(letters.size() == 4);
  CHECK(letters.at(0).dump() ==
        Json::parse(R"({"id":"m_1","received_at":20,"readable":true,"facts":0,"attempts":1,
          "entities":["acct_a"],"bytes":)" +
                    std::to_string(attempt.size()) + "}")
            .dump());
  CHECK(letters.at(1) == Json::parse(R"({"id":"m_2","received_at":20,"readable":false,"facts":0,
          "attempts":0,"entities":[],"bytes":13})"));
  CHECK(letters.at(2).at("facts") == 5);
  CHECK(letters.at(2).at("entities") == Json({"acct_a", "acct_b"}));
  // What stands before the fault is told.
  CHECK(letters.at(3).at("readable") == false);
  CHECK(letters.at(3).at("facts") == 5);
  for (const int limit : {1, 2, 3, 4, 9})
    CHECK(all_ids(w, limit) == std::vector<std::string>{"m_1", "m_2", "m_3", "m_0"});
  CHECK(w.get("/v1/dead-letters?limit=0", "").status == 400);
  CHECK(w.get("/v1/dead-letters?cursor=x", "").status == 400);
  CHECK(w.get("/v1/dead-letters", "north").status == 403);
}

TEST_CASE("Large dead letters make short pages, and names of entities are few", "[dead_letters]") {
  TestWorld w;
  std::vector<std::string> expected;
  for (int i = 0; i < 30; ++i) {
    expected.push_back("m_" + std::to_string(100 + i));
    put_letter(w, expected.back(), 7, std::string(120'000, 'x'));
  }
  w.largest_frame = 0;
  CHECK(w.get("/v1/dead-letters", "").json.at("dead_letters").size() < 30);
  CHECK(w.largest_frame < 2'000'000);
  CHECK(all_ids(w, 100) == expected);
  for (int i = 10; i < 25; ++i) w.post(deposit("f_1", "acct_" + std::to_string(i)));
  put_letter(w, "m_0", 1, take_message(w));
  const Json first = w.get("/v1/dead-letters?limit=1", "").json.at("dead_letters").at(0);
  CHECK(first.at("facts") == 15);
  CHECK(first.at("entities").size() == 10);
}

TEST_CASE("A dead letter is shown with its body, and with its runs or why there are none",
          "[dead_letters]") {
  TestWorld w;
  w.post(deposits("f_", 0, 3));
  const std::string good = take_message(w);
  put_letter(w, "m_1", 20, good);
  const Json shown = w.get("/v1/dead-letters/m_1", "").json;
  CHECK(shown.at("runs").dump() ==
        R"([{"entity_id":"acct_a","first_seq":1,"last_seq":3,"tenant_id":"north"}])");
  CHECK(shown.at("body") == z0::base64_encode(good));
  CHECK(shown.at("bytes") == good.size());
  CHECK_FALSE(shown.contains("reason"));
  std::string damaged = good;
  damaged.replace(good.find("acct_a"), 6, "abcd_a");
  const std::string whole = std::to_string(good.size());
  const std::pair<std::string, std::string> rows[] = {
      {"not a message", "a section of a version that is not known at byte 0"},
      {"", "nothing at byte 0"},
      {good + '\2', "a section of a version that is not known at byte " + whole},
      {std::string("\1\7", 2), "a section of a kind that is not known at byte 0"},
      {good.substr(0, 5), "a section that is cut off or empty at byte 0"},
      {good + good.substr(0, good.size() - 1),
       "a section that is cut off or empty at byte " + whole},
      {damaged, "facts that are damaged at byte " + std::to_string(good.find("north") - 1)}};
  for (const auto& [body, reason] : rows) {
    w.d1().script("DELETE FROM dead_letters");
    put_letter(w, "m_2", 20, body);
    const Json unread = w.get("/v1/dead-letters/m_2", "").json;
    CHECK(unread.at("readable") == false);
    CHECK(unread.at("reason") == reason);
    CHECK_FALSE(unread.contains("runs"));
  }
  CHECK(w.get("/v1/dead-letters/m_9", "").status == 404);
  CHECK(w.get("/v1/dead-letters/m_2", "north").status == 403);
}

TEST_CASE("A redriven letter lands and is gone", "[dead_letters]") {
  TestWorld w;
  w.post(deposits("f_", 0, 3));
  put_letter(w, "m_1", 20, take_message(w));
  put_letter(w, "m_2", 21, failed_append(w, "f_9"));
  CHECK(redrive(w, "m_1").body == R"({"id":"m_1","redriven":true})");
  CHECK(w.d1_count("SELECT contiguous_seq FROM ledger_heads") == 3);
  CHECK(redrive(w, "m_2").json.at("redriven") == true);
  CHECK(w.d1_rows("SELECT status, count(*) FROM facts GROUP BY 1").dump() ==
        R"([["failed",1],["recorded",3]])");
  CHECK(w.d1_count("SELECT count(*) FROM dead_letters") == 0);
  CHECK(redrive(w, "m_1").status == 404);
  CHECK(w.post("", "north", "/v1/dead-letters/m_1/redrive").status == 403);
  CHECK(w.post("", "north", "/v1/dead-letters/redrive").status == 403);
  // The monitor learns of it as of any message.
  CHECK(w.get("/v1/live", "").json.at("replication").at("depth") == 0);
  CHECK(w.queue.empty());
}

TEST_CASE("A redrive that fails on its way loses no attempt and makes none twice",
          "[dead_letters]") {
  TestWorld w;
  put_letter(w, "m_1", 20, failed_append(w, "f_1"));
  // The place of the D1 batch that fails: the letter's, the consumer's, the deletion's. Before it
  // was committed, and after.
  for (const bool committed : {false, true}) {
    for (int place = 0; place < 3; ++place) {
      int batch = 0;
      const auto fault = [&] { return batch++ == place; };
      (committed ? w.faults.query_after_commit : w.faults.query) = fault;
      const Reply r = redrive(w, "m_1");
      w.faults.query = w.faults.query_after_commit = nullptr;
      INFO(place << ' ' << committed);
      CHECK(r.status == 503);
      const std::int64_t kept = w.d1_count("SELECT count(*) FROM dead_letters") +
                                w.d1_count("SELECT count(*) FROM failed_facts");
      CHECK(kept >= 1);
      CHECK(w.d1_count("SELECT count(*) FROM failed_facts") <= 1);
    }
  }
  CHECK(w.d1_count("SELECT count(*) FROM failed_facts") == 1);
  CHECK(redrive(w, "m_1").status == 404);
}

TEST_CASE("A letter that cannot be read stays, and is neither sent nor doubled", "[dead_letters]") {
  TestWorld w;
  put_letter(w, "m_1", 20, "not a message");
  for (int i = 0; i < 3; ++i) {
    CHECK(
        redrive(w, "m_1").body ==
        R"({"id":"m_1","redriven":false,"reason":"a section of a version that is not known at byte 0"})");
  }
  CHECK(w.queue.empty());
  CHECK(w.get("/v1/dead-letters", "").json.at("dead_letters").size() == 1);
}

TEST_CASE("A redrive of all passes by what cannot be read, and comes to an end", "[dead_letters]") {
  TestWorld w;
  for (int i = 0; i < 120; ++i) put_letter(w, "bad_" + std::to_string(100 + i), i, "no");
  for (int i = 0; i < 4; ++i) {
    w.post(deposits("f_" + std::to_string(i) + "_", 0, 400));
    put_letter(w, "good_" + std::to_string(i), 1000 + i, take_message(w));
  }
  std::int64_t redriven = 0;
  std::int64_t left = 124;
  int calls = 0;
  while (left > 0 && calls < 20) {
    const Reply r = redrive(w);
    REQUIRE(r.status == 200);
    redriven += r.json.at("redriven").get<std::int64_t>();
    CHECK(r.json.at("left").get<std::int64_t>() < left);
    left = r.json.at("left");
    ++calls;
  }
  CHECK(redriven == 4);
  CHECK(left == 0);
  CHECK(calls > 2);
  CHECK(w.d1_count("SELECT contiguous_seq FROM ledger_heads") == 1600);
  CHECK(w.d1_count("SELECT count(*) FROM dead_letters") == 120);
  CHECK(redrive(w).body == R"({"redriven":0,"left":0})");
  // Another version looks again.
  w.d1().script("UPDATE dead_letters SET unreadable_by = '0.0.1'");
  CHECK(redrive(w).json.at("left") == 70);
}

TEST_CASE("Letters that were redriven together are one message of no more than its largest size",
          "[dead_letters]") {
  TestWorld w;
  const std::string data = R"(,"data":{"a":")" + std::string(30'000, 'x') + "\"}";
  for (int i = 0; i < 9; ++i) {
    w.post(deposit("f_" + std::to_string(i), "acct_a", 5, data));
    put_letter(w, "m_" + std::to_string(i), i, take_message(w));
  }
  CHECK(redrive(w).body == R"({"redriven":3,"left":6})");
  CHECK(redrive(w).body == R"({"redriven":3,"left":3})");
  CHECK(redrive(w).body == R"({"redriven":3,"left":0})");
  CHECK(w.d1_count("SELECT count(*) FROM ledger_facts") == 9);
}
