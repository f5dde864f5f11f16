// What is left of corrected facts stands in rows beside them. Reconciliation folds the corrections
// again, and the facts win.
#include "z0/ledger/left_over.hpp"

#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/limits.hpp"
#include "z0/facts/fact.hpp"

namespace {

using z0::LeftOver;
using z0::test::deposit;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

std::string charge(const std::string& id, int amount) {
  return R"({"type":"charge","id":")" + id + R"(","entity_id":"acct_a","source_id":"o","amount":)" +
         std::to_string(amount) + '}';
}

std::string correction(const std::string& id, const std::string& source, int amount) {
  return R"({"type":"correction","id":")" + id + R"(","entity_id":"acct_a","source_id":")" +
         source + R"(","data":{"reason":"refund"},"amount":)" + std::to_string(amount) + '}';
}

// A fact that begins a segment of its own.
void post_long(TestWorld& w) {
  w.post(R"({"type":"note","entity_id":"acct_a","data":{"x":")" +
         std::string(z0::limits::tail_bytes_max, 'x') + "\"}}");
}

Reply reconcile(TestWorld& w, bool whole) {
  return w.ask("POST", std::string("/v1/ledgers/acct_a/reconcile") + (whole ? "?from=start" : ""),
               "north", {}, {});
}

Json corrected(TestWorld& w) {
  return w.ledger_rows("acct_a", "SELECT seq, left_over FROM corrected ORDER BY seq");
}

void damage(TestWorld& w, const std::string& sql) {
  REQUIRE_FALSE(w.ledger("acct_a").run({sql, {}})->rows.failed);
}

// Two charges with corrections, and a third without.
void fill(TestWorld& w) {
  w.post(list({charge("a", 500), charge("b", 300), charge("c", 100), correction("1", "a", -100),
               correction("2", "b", -300), correction("3", "a", -150)}));
}

// Alarms until none is due for a while: a pass that met corrections compares them in its next step.
void run_alarms(TestWorld& w) {
  w.deliver_all();
  for (int i = 0; i < 4; ++i) {
    w.now_ms += 11'000;
    w.run_alarms();
  }
}

z0::Fact correction_of(std::int64_t seq, std::int64_t amount, std::int64_t left) {
  z0::Fact fact;
  fact.type = z0::FactType::correction;
  fact.fields = z0::field_amount | z0::field_corrects;
  fact.amount = amount;
  fact.corrects = "charge";
  fact.corrects_seq = seq;
  fact.corrects_left = left;
  return fact;
}

}  // namespace

TEST_CASE("A damaged row of a corrected fact is found, mended and recorded", "[corrections]") {
  const std::string right = "[[1,250],[2,0]]";
  struct Case {
    const char* sql;
    const char* cached;
    const char* calculated;
    const char* delta;
    int first_seq;
  };
  const Case cases[] = {
      {"UPDATE corrected SET left_over = 900 WHERE seq = 1", R"({"1":900})", R"({"1":250})",
       R"({"1":-650})", 1},
      {"UPDATE corrected SET left_over = 'many' WHERE seq = 2", R"({"2":null})", R"({"2":0})", "{}",
       2},
      {"DELETE FROM corrected WHERE seq = 2", R"({"2":null})", R"({"2":0})", "{}", 2},
      {"DELETE FROM corrected", R"({"1":null,"2":null})", R"({"1":250,"2":0})", "{}", 1},
      {"INSERT INTO corrected VALUES (3, 7)", R"({"3":7})", R"({"3":null})", "{}", 3},
      {"UPDATE corrected SET seq = 70 WHERE seq = 1", R"({"1":null,"70":250})",
       R"({"1":250,"70":null})", "{}", 1},
      {"DROP TABLE corrected", R"({"1":null,"2":null})", R"({"1":250,"2":0})", "{}", 1},
  };
  for (const Case& c : cases) {
    INFO(c.sql);
    TestWorld w;
    fill(w);
    run_alarms(w);
    REQUIRE(corrected(w).dump() == right);
    damage(w, c.sql);
    const Reply reply = reconcile(w, true);
    CHECK(reply.json.at("done") == true);
    REQUIRE(reply.json.at("mismatches").size() == 1);
    const Json data =
        w.get("/v1/facts/acct_a?types=reconciliation").json.at("facts").at(0).at("data");
    CHECK(data == reply.json.at("mismatches").at(0));
    CHECK(data.at("cache_type") == "CorrectionState");
    CHECK(data.at("cached_value").dump() == c.cached);
    CHECK(data.at("calculated_value").dump() == c.calculated);
    CHECK(data.at("delta").dump() == c.delta);
    CHECK(data.at("resolution") == "cache_updated");
    CHECK(data.at("first_divergent_seq") == c.first_seq);
    CHECK(corrected(w).dump() == right);
    CHECK(reconcile(w, true).json.at("mismatches").empty());
    CHECK(w.post(correction("4", "a", -251)).text("status") == "over_corrected");
    CHECK(w.post(correction("4", "a", -250)).status == 201);
  }
}

TEST_CASE("A row about a fact that was corrected since is compared by the alarm", "[corrections]") {
  TestWorld w;
  fill(w);
  damage(w, "UPDATE corrected SET left_over = 251 WHERE seq = 1");
  // Nobody corrected it since the alarm before, so only a whole pass sees that.
  run_alarms(w);
  CHECK(corrected(w).dump() == "[[1,250],[2,0]]");
  CHECK(w.get("/v1/facts/acct_a?types=reconciliation").json.at("facts").size() == 1);
  damage(w, "UPDATE corrected SET left_over = 1 WHERE seq = 2");
  w.post(correction("4", "a", -50));
  run_alarms(w);
  CHECK(corrected(w).dump() == "[[1,200],[2,1]]");
  CHECK(reconcile(w, true).json.at("mismatches").size() == 1);
  CHECK(corrected(w).dump() == "[[1,200],[2,0]]");
  // The second one within a day raises an alert.
  const Json facts = w.get("/v1/facts/acct_a?types=reconciliation").json.at("facts");
  CHECK(facts.at(1).at("data").at("resolution") == "alert_raised");
}

TEST_CASE("A row that let too much be given back is mended to what the amounts leave",
          "[corrections]") {
  TestWorld w;
  w.post(list({charge("a", 500), correction("1", "a", -500)}));
  damage(w, "UPDATE corrected SET left_over = 500");
  REQUIRE(w.post(correction("2", "a", -400)).status == 201);
  const Reply reply = reconcile(w, true);
  REQUIRE(reply.json.at("mismatches").size() == 1);
  CHECK(corrected(w).dump() == "[[1,-400]]");
  // What was given too much may be taken back, and no more be given.
  CHECK(w.post(correction("3", "a", -1)).text("status") == "over_corrected");
  CHECK(w.post(correction("3", "a", 400)).status == 201);
  CHECK(reconcile(w, true).json.at("mismatches").empty());
}

TEST_CASE("A pass of several steps waits for the corrections that its first ones do not meet",
          "[corrections]") {
  for (const bool whole : {false, true}) {
    CAPTURE(whole);
    TestWorld w;
    fill(w);
    for (std::int64_t i = 0; i < z0::limits::segments_per_pass_step; ++i) post_long(w);
    w.post(list({correction("4", "a", -50), correction("5", "c", -10)}));
    const std::string right = "[[1,200],[2,0],[3,90]]";
    REQUIRE(corrected(w).dump() == right);
    for (const bool damaged : {false, true}) {
      if (damaged) damage(w, "UPDATE corrected SET left_over = left_over + 5");
      std::size_t mismatches = 0;
      int steps = 0;
      for (bool done = false; !done; ++steps) {
        REQUIRE(steps < 10);
        const Reply reply = reconcile(w, whole && steps == 0);
        done = reply.json.at("done").get<bool>();
        mismatches += reply.json.at("mismatches").size();
        // What a pass knows so far comes back with the rows.
        w.evict(TestWorld::object_of("acct_a"));
      }
      // An incremental pass has nothing left to look at the second time.
      CHECK(mismatches == (damaged && whole ? 1 : 0));
      CHECK(steps >= (whole || !damaged ? 2 : 1));
      if (whole || !damaged) CHECK(corrected(w).dump() == right);
    }
  }
}

TEST_CASE("A ledger in order writes nothing for the rows of its corrections", "[corrections]") {
  TestWorld w;
  fill(w);
  run_alarms(w);
  std::size_t writes = 0;
  w.seen = [&writes](std::string_view, std::string_view bytes) {
    std::vector<z0::Effect> effects;
    REQUIRE(z0::parse_effects(bytes, effects));
    for (const auto& effect : effects) writes += effect.kind == Z0_WRITE ? 1 : 0;
  };
  for (const bool whole : {true, false}) {
    const Reply reply = reconcile(w, whole);
    CHECK(reply.json.at("done") == true);
    CHECK(reply.json.at("comparisons").get<int>() > 0);
  }
  CHECK(writes == 0);
}

TEST_CASE("A whole pass knows so many corrected facts, and the next one goes on behind them",
          "[corrections]") {
  constexpr auto most = static_cast<std::int64_t>(z0::limits::corrected_per_pass_max);
  LeftOver left;
  left.begin_whole();
  // From the highest number down, and two that come too late to be among the lowest.
  for (std::int64_t seq = most; seq >= 1; --seq) left.take(correction_of(2 * seq, -1, seq));
  CHECK(left.to() == 0);
  left.take(correction_of(5, -1, 77));
  left.take(correction_of(2 * most, -1, 3));
  CHECK(left.facts().size() == z0::limits::corrected_per_pass_max);
  CHECK(left.to() == 2 * most);
  CHECK(*left.find(5) == 77);
  CHECK(left.find(2 * most) == nullptr);

  std::string bytes;
  left.encode(bytes);
  z0::ByteReader in(bytes);
  LeftOver again;
  REQUIRE(again.decode(in));
  CHECK(in.done());
  CHECK(again.whole());
  CHECK(again.to() == left.to());
  CHECK(again.facts() == left.facts());

  left.end();
  CHECK_FALSE(left.pending());
  left.begin_whole();
  CHECK(left.from() == 2 * most);
  left.take(correction_of(4, -1, 1));
  left.take(correction_of(2 * most, -1, 3));
  CHECK(left.seqs() == std::vector<std::int64_t>{2 * most});
  left.end();
  left.begin_whole();
  CHECK(left.from() == 0);
}

TEST_CASE("What is left adds up by amounts, or by what a correction says where that cannot be",
          "[corrections]") {
  LeftOver left;
  left.take(correction_of(7, -100, 400));
  left.take(correction_of(7, -100, 999));
  CHECK(*left.find(7) == 300);
  left.take(correction_of(7, z0::limits::amount_max, 5));
  CHECK(*left.find(7) == 5);
  left.take(correction_of(9, INT64_MIN, 1));
  left.take(correction_of(9, INT64_MIN, 2));
  CHECK(*left.find(9) == 2);
  left.forget({7});
  CHECK(left.seqs() == std::vector<std::int64_t>{9});
  z0::Fact plain = correction_of(8, 1, 1);
  plain.fields = z0::field_amount;
  left.take(plain);
  CHECK(left.find(8) == nullptr);
}

TEST_CASE("A correction from before corrections said what they correct can be taken back",
          "[corrections]") {
  // A ledger as an earlier version left it: a deposit that was corrected, which moved what was spent.
  TestWorld old;
  old.post(list({deposit("d", "acct_a", 10'000), charge("c", 10), correction("x", "c", -10)}));
  std::string lines;
  const Json facts = old.get("/v1/facts/acct_a?records=true").json.at("facts");
  for (const Json& fact : facts) {
    std::string leaf;
    REQUIRE(z0::base64_decode(fact.at("record").get<std::string>(), leaf));
    std::string sized;
    z0::ByteWriter(sized).short_bytes(leaf);
    z0::ByteReader in(sized);
    z0::Fact read;
    REQUIRE(z0::next_record(in, "acct_a", read));
    if (read.type == z0::FactType::correction) {
      read.fields &= ~z0::field_corrects;
      read.source_id = "d";
      read.amount = -10'000;
    }
    z0::Buffer submission, record;
    z0::append_submission(submission, read);
    z0::append_record(record, read.seq, read.recorded_at, submission.view());
    z0::ByteReader whole(record.view());
    z0::RecordBytes parts;
    REQUIRE(z0::next_record_bytes(whole, parts));
    lines += Json{{"record", z0::base64_encode(parts.leaf)}}.dump() + '\n';
  }
  TestWorld w(2);
  w.now_ms += 1'000;
  REQUIRE(w.ask("POST", "/v1/ledgers/acct_a/import?tenant=north", "", lines, {}).status == 200);
  const auto remaining = [&w] {
    const Json state = w.get("/v1/entities/acct_a/state?cache=BudgetState").json.at("state");
    return std::vector<std::int64_t>{state.at("deposited"), state.at("spent"),
                                     state.at("remaining")};
  };
  CHECK(remaining() == std::vector<std::int64_t>{10'000, -9'990, 19'990});
  // What it moved is put back, to the last cent and no further, and the deposit is corrected.
  CHECK(w.post(correction("1", "x", 9'999)).text("status") == "over_corrected");
  CHECK(w.post(correction("1", "x", 10'000)).status == 201);
  CHECK(remaining() == std::vector<std::int64_t>{10'000, 10, 9'990});
  CHECK(w.post(correction("2", "x", -1)).text("status") == "over_corrected");
  CHECK(w.post(correction("3", "d", -10'000)).status == 201);
  CHECK(remaining() == std::vector<std::int64_t>{0, 10, -10});
  const Reply reply = reconcile(w, true);
  CHECK(reply.json.at("done") == true);
  CHECK(reply.json.at("mismatches").empty());
  run_alarms(w);
  CHECK(w.d1_rows("SELECT corrects FROM facts WHERE type = 'correction' ORDER BY seq").dump() ==
        R"([[null],["charge"],["deposit"]])");
}
