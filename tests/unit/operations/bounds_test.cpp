// Bounds of the operators' routes, each at its last value and one beyond.
#include <string>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"

namespace {

using z0::test::deposit;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

void put_letter(TestWorld& w, const std::string& id, const std::string& body) {
  REQUIRE_FALSE(w.d1()
                    .run({"INSERT INTO dead_letters (id, received_at, body) VALUES (?1, 7, ?2)",
                          {z0::Value::text(id), z0::Value::blob(body)}})
                    ->rows.failed);
}

std::string take_message(TestWorld& w) {
  std::string joined;
  for (const auto& message : w.queue) joined += message;
  w.queue.clear();
  return joined;
}

}  // namespace

TEST_CASE("A page of dead letters goes on while those before are below its bytes",
          "[dead_letters]") {
  constexpr auto most = static_cast<std::size_t>(z0::limits::letters_bytes_max);
  for (const std::size_t first : {most - 1, most}) {
    TestWorld w;
    put_letter(w, "m_1", std::string(first, 'x'));
    put_letter(w, "m_2", "short");
    const Json page = w.get("/v1/dead-letters", "").json;
    const bool both = first < most;
    CHECK(page.at("dead_letters").size() == (both ? 2 : 1));
    CHECK(page.at("cursor").is_null() == both);
  }
}

TEST_CASE("A list names so many entities of a dead letter", "[dead_letters]") {
  for (const std::size_t more : {std::size_t{0}, std::size_t{1}}) {
    TestWorld w;
    const std::size_t entities = z0::limits::letter_entities_max + more;
    for (std::size_t i = 0; i < entities; ++i)
      w.post(deposit("f_1", "acct_" + std::to_string(100 + i)));
    put_letter(w, "m_1", take_message(w));
    const Json letter = w.get("/v1/dead-letters", "").json.at("dead_letters").at(0);
    CHECK(letter.at("facts") == entities);
    CHECK(letter.at("entities").size() == z0::limits::letter_entities_max);
  }
}

TEST_CASE("A redrive takes so many dead letters, and leaves the next one", "[dead_letters]") {
  for (const std::int64_t more : {std::int64_t{0}, std::int64_t{1}}) {
    TestWorld w;
    w.post(deposit("f_1"));
    const std::string message = take_message(w);
    const std::int64_t letters = z0::limits::letters_per_redrive_max + more;
    for (std::int64_t i = 0; i < letters; ++i) put_letter(w, "m_" + std::to_string(i), message);
    const Reply reply = w.post("", "", "/v1/dead-letters/redrive");
    CHECK(reply.json.at("redriven") == z0::limits::letters_per_redrive_max);
    CHECK(reply.json.at("left") == more);
    CHECK(w.d1_count("SELECT count(*) FROM dead_letters") == more);
    CHECK(w.d1_count("SELECT count(*) FROM facts") == 1);
  }
}

TEST_CASE("Orphans are looked for up to a whole window back", "[closure]") {
  TestWorld w;
  const auto cost = [&w](const std::string& id, std::int64_t age_ms) {
    return R"({"type":"cost","id":")" + id +
           R"(","entity_id":"acct_a","source_id":"nowhere","amount":1,"timestamp":)" +
           std::to_string(w.now_ms - age_ms) + '}';
  };
  w.post(list({cost("last", z0::limits::closure_window_ms),
               cost("beyond", z0::limits::closure_window_ms + 1)}));
  w.deliver_all();
  const Json orphans = w.get("/v1/closure").json.at("orphans");
  REQUIRE(orphans.size() == 1);
  CHECK(orphans.at(0).at("id") == "last");
  CHECK(w.get("/v1/closure?from=0").json.at("orphans").size() == 2);
}
