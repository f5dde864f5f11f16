// Ledgers with more history than memory holds: sealed ids, and retries that reach far back.
#include <algorithm>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/ids.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/facts/fact.hpp"
#include "z0/ledger/ledger.hpp"

namespace {

using z0::test::deposit;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr const char* object_a = "account_acct_a";

// Deposits f_1 to f_{count - 1} behind f_0, as the ledger would have written them: a thousand
// requests would take too long under the sanitizers.
void write_history(TestWorld& w, std::int64_t count) {
  constexpr std::int64_t facts_per_segment = 500;
  z0::LedgerState state;
  const std::string meta = w.ledger_rows("acct_a", "SELECT value FROM meta").at(0).at(0);
  REQUIRE(state.decode_meta(meta));
  z0::Fact fact;
  fact.type = z0::FactType::deposit;
  fact.fields = z0::field_amount | z0::field_timestamp_defaulted;
  fact.amount = 5;
  fact.timestamp = w.now_ms;
  w.ledger("acct_a").begin();
  w.ledger("acct_a").script("DELETE FROM segments");
  for (std::int64_t first = 1; first <= count; first += facts_per_segment) {
    z0::Buffer body;
    std::string ids;
    std::vector<z0::Digest> leaves;
    const std::int64_t last = std::min(count, first + facts_per_segment - 1);
    for (std::int64_t seq = first; seq <= last; ++seq) {
      const std::string id = "f_" + std::to_string(seq - 1);
      fact.id = id;
      z0::Buffer submission;
      z0::append_submission(submission, fact);
      const std::size_t at = body.size();
      z0::append_record(body, seq, w.now_ms, submission.view());
      z0::RecordBytes record;
      z0::ByteReader in(body.view().substr(at));
      REQUIRE(z0::next_record_bytes(in, record));
      leaves.push_back(z0::merkle_leaf(record.leaf));
      z0::ByteWriter(ids).u64(z0::id_hash(id, state.hash_seed));
      state.summary.counts.add(fact.type, {});
    }
    using z0::Value;
    state.summary.tree.append(leaves);
    const std::string summary = state.summary.encode();
    const std::string cache = state.folds.encode_all(last);
    const auto done = w.ledger("acct_a").run(
        {"INSERT INTO segments VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
         {Value::of(first), Value::of(last), Value::of(w.now_ms), Value::of(last - first + 1),
          Value::of(z0::type_bit(fact.type, {})), Value::blob(summary), Value::blob(cache),
          Value::blob(ids), Value::blob(body.view())}});
    REQUIRE_FALSE(done->rows.failed);
  }
  w.ledger("acct_a").commit();
}

}  // namespace

TEST_CASE("Retries that touch too many segments are answered in parts", "[ledger]") {
  TestWorld w;
  // Each small fact is followed by one that fills its segment.
  constexpr int count = 270;
  std::vector<std::string> small;
  for (int i = 0; i < count; ++i) small.push_back(deposit("s_" + std::to_string(i)));
  for (std::size_t i = 0; i < count; ++i) {
    const std::string filler =
        deposit("l_" + std::to_string(i), "acct_a", 5,
                R"(,"data":{"a":")" + std::string(z0::limits::tail_bytes_max, 'x') + "\"}");
    REQUIRE(w.post(list({small[i], filler})).status == 200);
  }
  REQUIRE(w.ledger_rows("acct_a", "SELECT first_seq FROM segments").size() >= count);
  const Reply r = w.post(list(small));
  std::vector<std::string> left;
  for (std::size_t i = 0; i < count; ++i) {
    if (r.item(i).at("status") == "overloaded")
      left.push_back(small[i]);
    else
      CHECK(r.item(i).at("status") == "duplicate");
  }
  CHECK(left.size() ==
        count - 1 - z0::limits::originals_per_append_max);  // the last segment is in memory
  CHECK(w.post(list(left)).json.at("duplicate") == left.size());
  CHECK(w.largest_frame <= z0::limits::frame_bytes_max);
}

TEST_CASE("History that was sealed still knows every id", "[ledger]") {
  TestWorld w;
  constexpr std::int64_t count = 132'000;
  REQUIRE(w.post(deposit("f_0")).status == 201);
  write_history(w, count);
  w.evict(object_a);
  REQUIRE(w.post(deposit("f_0")).text("status") == "duplicate");
  REQUIRE(w.post(deposit("e_0")).json.at("seq") == count + 1);
  w.now_ms += z0::limits::confirm_after_ms;
  REQUIRE(w.run_alarms() == 1);
  w.queue.clear();
  const auto runs =
      w.ledger_rows("acct_a", "SELECT count(*), sum(count) FROM id_runs WHERE key % 256 > 0");
  CHECK(runs.at(0).at(1) == z0::limits::open_ids_max);
  for (const bool evicted : {false, true}) {
    if (evicted) w.evict(object_a);
    std::vector<std::string> facts;
    for (int i = 0; i < count; i += 1331) facts.push_back(deposit("f_" + std::to_string(i)));
    const Reply r = w.post(list(facts));
    CHECK(r.json.at("duplicate") == facts.size());
    for (std::size_t i = 0; i < facts.size(); ++i) CHECK(r.item(i).at("seq") == 1331 * i + 1);
    // A retry, a conflict and a new fact, each from the sealed part.
    CHECK(w.post(deposit("f_77", "acct_a", 6)).text("field") == "amount");
    CHECK(w.post(deposit(evicted ? "g_1" : "g_0")).text("status") == "recorded");
  }
  CHECK(w.largest_frame <= z0::limits::frame_bytes_max);
}

TEST_CASE("A ledger that outruns its alarm seals in the append", "[ledger]") {
  TestWorld w;
  constexpr std::int64_t count = z0::limits::open_ids_hard_max;
  REQUIRE(w.post(deposit("f_0")).status == 201);
  write_history(w, count);
  w.evict(object_a);
  const char* runs = "SELECT count(*) FROM id_runs WHERE key % 256 = 0";
  REQUIRE(w.post(deposit("f_5")).text("status") == "duplicate");
  CHECK(w.ledger_rows("acct_a", runs).at(0).at(0) == 0);
  CHECK(w.post(deposit("g_0")).json.at("seq") == count + 1);
  CHECK(w.ledger_rows("acct_a", runs).at(0).at(0) == 2);
  const std::string last = "f_" + std::to_string(count - 1);
  const Reply r = w.post(list({deposit("f_0"), deposit(last), deposit("g_0"), deposit("g_1")}));
  CHECK(r.statuses() == "duplicate duplicate duplicate recorded");
  CHECK(r.item(1).at("seq") == count);
}
