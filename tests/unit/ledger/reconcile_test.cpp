// Cached state against the ledger: each way in which a cache can go wrong, found, mended and
// recorded; and reads now and as of a point.
#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/folds/folds.hpp"

namespace {

using z0::Folds;
using z0::test::carried;
using z0::test::deposit;
using z0::test::deposits;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr const char* trace = "0123456789abcdef0123456789abcdef";

std::string charge(std::string_view id, std::int64_t amount, std::string_view more = {}) {
  return R"({"type":"charge","id":")" + std::string(id) +
         R"(","entity_id":"acct_a","source_id":"out_1","amount":)" + std::to_string(amount) +
         std::string(more) + '}';
}

Json state(TestWorld& w, const std::string& cache, const std::string& more = {}) {
  const Reply reply = w.get("/v1/entities/acct_a/state?cache=" + cache + more);
  CHECK(reply.status == 200);
  return reply.json;
}

Reply reconcile(TestWorld& w, bool whole = false) {
  return w.ask("POST", std::string("/v1/ledgers/acct_a/reconcile") + (whole ? "?from=start" : ""),
               "north", {}, {});
}

Json mismatches(TestWorld& w) {
  return w.get("/v1/facts/acct_a?types=reconciliation&limit=1000").json.at("facts");
}

// The tail's `cache` column, and a way to write over it; the object then reads its rows anew.
std::string cache_of(TestWorld& w) {
  return w.ledger_rows("acct_a", "SELECT cache FROM segments ORDER BY first_seq DESC LIMIT 1")
      .at(0)
      .at(0)
      .get<std::string>();
}

void put_cache(TestWorld& w, const z0::Value& cache, std::string_view where = "") {
  const std::string sql =
      "UPDATE segments SET cache = ?1 WHERE first_seq = (SELECT max(first_seq) "
      "FROM segments " +
      std::string(where) + ")";
  REQUIRE_FALSE(w.ledger("acct_a").run({sql, {cache}})->rows.failed);
  w.evict(TestWorld::object_of("acct_a"));
}

// The cache with another value of one part, as if a bug had written it.
std::string with_part(const std::string& cache, std::int64_t seq, std::size_t part,
                      const Folds& other) {
  Folds folds;
  folds.decode_all(cache, seq);
  folds.decode(part, other.encode(part));
  return folds.encode_all(seq);
}

// Folds of one fact that never was.
Folds invented() {
  z0::Fact fact;
  fact.type = z0::FactType::deposit;
  fact.fields = z0::field_amount;
  fact.id = "never";
  fact.amount = 123;
  fact.currency = "USD";
  fact.seq = 1;
  fact.recorded_at = 1'774'915'200'000;
  Folds folds;
  folds.apply(fact);
  fact.type = z0::FactType::invocation;
  fact.fields = 0;
  folds.apply(fact);
  fact.type = z0::FactType::access_granted;
  fact.fields = z0::field_user_id;
  fact.user_id = "usr_x";
  folds.apply(fact);
  fact.type = z0::FactType::contact_merged;
  fact.fields = z0::field_data;
  fact.data = R"({"contact_id":"con_x"})";
  folds.apply(fact);
  fact.type = z0::FactType::charge;
  fact.fields = z0::field_amount | z0::field_config;
  fact.config_id = "cfg_x";
  fact.config_version = 3;
  folds.apply(fact);
  return folds;
}

// A ledger with facts that feed every cache.
void fill(TestWorld& w) {
  w.post(list(
      {deposit("d_1", "acct_a", 1000), charge("c_1", 200),
       R"({"type":"invocation","id":"i_1","entity_id":"acct_a","tool_id":"tool_1","trace_id":")" +
           std::string(trace) + "\"}",
       R"({"type":"access_granted","id":"a_1","entity_id":"acct_a","user_id":"usr_1"})",
       R"({"type":"contact_merged","id":"m_1","entity_id":"acct_a","data":{"contact_id":"con_9"}})"}));
  w.deliver_all();
  w.now_ms += 11'000;
  w.run_alarms();
}

TEST_CASE("A ledger that is in order reconciles without a mismatch") {
  TestWorld w;
  fill(w);
  CHECK(w.get("/v1/entities/acct_a").json.at("verified_seq") == 5);
  for (const bool whole : {false, true}) {
    const Reply reply = reconcile(w, whole);
    CHECK(reply.status == 200);
    CHECK(reply.json.at("done") == true);
    CHECK(reply.json.at("verified_seq") == 5);
    CHECK(reply.json.at("mismatches").empty());
  }
  CHECK(mismatches(w).empty());
}

TEST_CASE("Ten thousand reconciliations of an unchanged ledger write no row") {
  TestWorld w;
  fill(w);
  std::size_t writes = 0;
  w.seen = [&writes](std::string_view, std::string_view bytes) {
    std::vector<z0::Effect> effects;
    REQUIRE(z0::parse_effects(bytes, effects));
    for (const auto& effect : effects)
      writes += effect.kind == Z0_WRITE || effect.kind == Z0_ALARM ? 1 : 0;
  };
  for (int i = 0; i < 10'000; ++i) {
    const Reply reply = reconcile(w);
    if (reply.status != 200) FAIL("not reconciled");
  }
  CHECK(writes == 0);
  reconcile(w, true);
  CHECK(writes == 0);
}

TEST_CASE("A changed cache is found, overwritten and recorded, whichever it is") {
  for (std::size_t part = 0; part < Folds::parts; ++part) {
    CAPTURE(Folds::name(part));
    TestWorld w;
    fill(w);
    const Json right = state(w, std::string(Folds::name(part))).at("state");
    const std::string before = cache_of(w);
    put_cache(w, z0::Value::blob(with_part(before, 5, part, invented())));
    CHECK(state(w, std::string(Folds::name(part))).at("state") != right);
    const Reply reply = reconcile(w);
    REQUIRE(reply.json.at("mismatches").size() == 1);
    const Json facts = mismatches(w);
    REQUIRE(facts.size() == 1);
    const Json fact = facts.at(0);
    CHECK(fact.at("subtype") == "mismatch_detected");
    CHECK(fact.at("entity_id") == "acct_a");
    const Json data = fact.at("data");
    CHECK(data.at("cache_type") == std::string(Folds::name(part)));
    CHECK(data.at("resolution") == "cache_updated");
    CHECK(data.at("first_divergent_seq").get<int>() >= 1);
    CHECK(data.at("cached_value") != data.at("calculated_value"));
    if (part == 0) {
      CHECK(data.at("calculated_value").at("remaining") == 800);
      CHECK(data.at("delta").at("deposited") == 1000 - 123);
    }
    if (part == 1) {
      CHECK(data.at("trace_id") == trace);
      CHECK(data.at("first_divergent_seq") == 3);
    }
    CHECK(state(w, std::string(Folds::name(part))).at("state") == right);
    w.crash();
    CHECK(state(w, std::string(Folds::name(part))).at("state") == right);
    CHECK(reconcile(w).json.at("mismatches").empty());
  }
}

TEST_CASE("A stale cache diverges at the first fact that it missed") {
  TestWorld w;
  fill(w);
  const std::string stale = cache_of(w);
  w.post(
      list({deposit("d_2", "acct_a", 10),
            charge("c_2", 30, R"(,"trace_id":")" + std::string(trace) + "\""), charge("c_3", 40)}));
  // Of the three, the copy knows the first only.
  Folds folds;
  folds.decode_all(stale, 5);
  z0::Fact fact;
  const auto body =
      w.ledger_rows("acct_a", "SELECT body FROM segments").at(0).at(0).get<std::string>();
  for (z0::ByteReader in(body); z0::next_record(in, "acct_a", fact);) {
    if (fact.seq == 6) folds.apply(fact);
  }
  put_cache(w, z0::Value::blob(folds.encode_all(8)));
  CHECK(state(w, "BudgetState").at("state").at("spent") == 200);
  reconcile(w);
  const Json facts = mismatches(w);
  REQUIRE(facts.size() == 1);
  const Json data = facts.at(0).at("data");
  CHECK(data.at("first_divergent_seq") == 7);
  CHECK(data.at("trace_id") == trace);
  CHECK(facts.at(0).at("trace_id") == trace);
  CHECK(data.at("delta").at("spent") == 70);
  CHECK(data.at("delta").at("remaining") == -70);
  CHECK(state(w, "BudgetState").at("state").at("spent") == 270);
}

TEST_CASE("A cache that is missing or unreadable is a miss, and is made again") {
  for (const bool missing : {true, false}) {
    CAPTURE(missing);
    TestWorld w;
    fill(w);
    const Json right = state(w, "BudgetState").at("state");
    put_cache(w, missing ? z0::Value::null() : z0::Value::blob("\x07 not a cache"));
    const Json read = state(w, "BudgetState");
    CHECK(read.at("source") == "facts");
    CHECK(read.at("state") == right);
    reconcile(w);
    const Json facts = mismatches(w);
    CHECK(facts.size() == Folds::parts);
    for (const Json& fact : facts) {
      CHECK(fact.at("data").at("cached_value") == nullptr);
      CHECK(fact.at("data").at("resolution") == "cache_updated");
    }
    w.crash();
    const Json again = state(w, "BudgetState");
    CHECK(again.at("source") == "row");
    CHECK(again.at("state") == right);
  }
}

TEST_CASE("An append over an unreadable cache decides by the facts, and the mismatch is not lost") {
  TestWorld w;
  w.ask(
      "PUT", "/v1/configs/cfg_limit", "north",
      R"({"type":"budget","scope":"entity","applies_to":"acct_a","settings":{"limit":300,"enforce":true}})",
      {});
  fill(w);
  put_cache(w, z0::Value::blob("gone"));
  CHECK(w.post(charge("c_2", 200)).status == 402);
  CHECK(w.post(charge("c_3", 100)).status == 201);
  w.crash();
  w.now_ms += 11'000;
  w.run_alarms();
  CHECK(mismatches(w).size() == Folds::parts);
}

TEST_CASE("The alarm reconciles what was recorded since, and tells of it") {
  TestWorld w;
  fill(w);
  const std::string before = cache_of(w);
  w.post(charge("c_2", 1));
  put_cache(w, z0::Value::blob(with_part(cache_of(w), 6, 0, invented())));
  std::vector<std::string> points;
  w.seen = [&points](std::string_view, std::string_view bytes) {
    for (const auto& point : carried<z0::DataPoint>(bytes)) {
      std::string names;
      for (const auto blob : point.blobs) names += std::string(blob) + ' ';
      points.push_back(names);
    }
  };
  w.now_ms += 11'000;
  w.run_alarms();
  REQUIRE(mismatches(w).size() == 1);
  CHECK(std::count(points.begin(), points.end(), "z0_reconciliation_runs_total all ") == 1);
  CHECK(std::count(points.begin(), points.end(),
                   "z0_reconciliation_mismatches_total BudgetState cache_updated ") == 1);
  // The fact about it is a fact like others: D1 gets it without a gap.
  w.deliver_all();
  w.now_ms += 11'000;
  w.run_alarms();
  CHECK(w.d1_count("SELECT count(*) FROM facts WHERE type = 'reconciliation'") == 1);
  CHECK(w.d1_count("SELECT contiguous_seq FROM ledger_heads WHERE entity_id = 'acct_a'") == 7);
}

TEST_CASE("A large difference raises an alert, and so does the second one within a day") {
  TestWorld w;
  w.settings = R"({"reconciliation_alert_cents":500})";
  fill(w);
  // 1,000 instead of 123 deposited: 877 cents.
  put_cache(w, z0::Value::blob(with_part(cache_of(w), 5, 0, invented())));
  reconcile(w);
  CHECK(mismatches(w).at(0).at("data").at("resolution") == "alert_raised");

  TestWorld twice;
  fill(twice);
  for (const char* expected : {"cache_updated", "alert_raised"}) {
    const std::int64_t seq = twice.get("/v1/entities/acct_a").json.at("seq");
    put_cache(twice, z0::Value::blob(with_part(cache_of(twice), seq, 0, invented())));
    reconcile(twice);
    CHECK(mismatches(twice).back().at("data").at("resolution") == expected);
  }
  twice.now_ms += 2 * 86'400'000;
  const std::int64_t seq = twice.get("/v1/entities/acct_a").json.at("seq");
  put_cache(twice, z0::Value::blob(with_part(cache_of(twice), seq, 0, invented())));
  reconcile(twice);
  CHECK(mismatches(twice).back().at("data").at("resolution") == "cache_updated");
}

// A body whose deposits are past what can be counted.
std::string overflowing(const std::string& body) {
  z0::Buffer out;
  z0::Fact fact;
  for (z0::ByteReader in(body); z0::next_record(in, "acct_a", fact);) {
    if (fact.type == z0::FactType::deposit) fact.amount = z0::limits::amount_max;
    z0::Buffer submission;
    z0::append_submission(submission, fact);
    z0::append_record(out, fact.seq, fact.recorded_at, submission.view());
  }
  return std::string(out.view());
}

TEST_CASE("What cannot be calculated waits for a review: the cache is dropped, reads say nothing") {
  TestWorld w;
  w.post(list({deposit("d_1", "acct_a", 1000), deposit("d_2", "acct_a", 1000)}));
  const auto body =
      w.ledger_rows("acct_a", "SELECT body FROM segments").at(0).at(0).get<std::string>();
  REQUIRE_FALSE(w.ledger("acct_a")
                    .run({"UPDATE segments SET body = ?1", {z0::Value::blob(overflowing(body))}})
                    ->rows.failed);
  w.evict(TestWorld::object_of("acct_a"));
  const Reply reply = reconcile(w, true);
  REQUIRE(reply.status == 200);
  Json budget;
  Json tree;
  for (const Json& m : reply.json.at("mismatches")) {
    if (m.at("cache_type") == "BudgetState") budget = m;
    if (m.at("cache_type") == "MerkleTree") tree = m;
  }
  CHECK(budget.at("resolution") == "manual_review");
  CHECK(budget.at("calculated_value") == nullptr);
  CHECK(budget.at("cached_value").at("deposited") == 2000);
  // The same pass sees that the facts are not those that were hashed.
  CHECK(tree.at("resolution") == "manual_review");
  CHECK(tree.at("first_divergent_seq") == 1);
  CHECK(state(w, "BudgetState").at("state") == nullptr);
  w.crash();
  CHECK(state(w, "BudgetState").at("state") == nullptr);
  CHECK(w.post(deposit("d_3")).status == 201);
  CHECK(state(w, "CapState").at("state").at("total") == 0);
}

TEST_CASE("A snapshot in the middle of the history is compared too, when all of it is") {
  TestWorld w;
  for (int i = 0; i < 12; ++i) w.post(deposits("d_" + std::to_string(i) + "_", 0, 200));
  w.deliver_all();
  w.now_ms += 11'000;
  w.run_alarms();
  const Json rows =
      w.ledger_rows("acct_a", "SELECT first_seq, last_seq, cache FROM segments ORDER BY 1");
  REQUIRE(rows.size() >= 4);
  const std::int64_t first = rows.at(2).at(0);
  const std::int64_t last = rows.at(2).at(1);
  const std::string wrong = with_part(rows.at(2).at(2), last, 0, invented());
  put_cache(w, z0::Value::blob(wrong), "WHERE first_seq <= " + std::to_string(first));
  CHECK(reconcile(w).json.at("mismatches").empty());
  const Reply whole = reconcile(w, true);
  REQUIRE(whole.json.at("mismatches").size() == 1);
  CHECK(whole.json.at("mismatches").at(0).at("first_divergent_seq") == first);
  const std::string seq = std::to_string(last + 1);
  CHECK(state(w, "BudgetState", "&as_of=seq:" + seq).at("state").at("deposited") == 5 * (last + 1));
}

TEST_CASE("State as of a seq or a time is the fold of the facts up to there") {
  TestWorld w;
  std::vector<std::int64_t> times;
  for (int i = 0; i < 8; ++i) {
    w.post(deposits("d_" + std::to_string(i) + "_", 0, 300));
    times.push_back(w.now_ms);
    w.now_ms += 1000;
  }
  for (const std::int64_t seq : {1, 299, 300, 301, 1350, 2399, 2400}) {
    CAPTURE(seq);
    const Json read = state(w, "BudgetState", "&as_of=seq:" + std::to_string(seq));
    CHECK(read.at("seq") == seq);
    CHECK(read.at("source") == "facts");
    CHECK(read.at("state").at("deposited") == 5 * seq);
    CHECK(read.at("facts_folded").get<int>() <= 700);
  }
  for (std::size_t i = 0; i < times.size(); ++i) {
    CAPTURE(i);
    const std::int64_t at = times[i];
    const auto sum = static_cast<std::int64_t>(i + 1) * 1500;
    CHECK(state(w, "BudgetState", "&as_of=" + std::to_string(at)).at("state").at("deposited") ==
          sum);
    CHECK(
        state(w, "BudgetState", "&as_of=" + std::to_string(at + 999)).at("state").at("deposited") ==
        sum);
    CHECK(state(w, "BudgetState", "&as_of=" + std::to_string(at - 1)).at("state").at("deposited") ==
          sum - 1500);
  }
  CHECK(state(w, "BudgetState", "&as_of=946684800000").at("seq") == 0);
}

TEST_CASE("A state is read from memory, then from the row, then from the facts") {
  TestWorld w;
  fill(w);
  CHECK(state(w, "CapState").at("source") == "memory");
  w.crash();
  CHECK(state(w, "CapState").at("source") == "row");
  CHECK(w.get("/v1/entities/acct_b/state?cache=CapState").status == 404);
  CHECK(w.get("/v1/entities/acct_a/state?cache=CapState", "south").status == 404);
  CHECK(w.get("/v1/entities/acct_a/state?cache=Nothing").status == 400);
  CHECK(w.get("/v1/entities/acct_a/state?cache=CapState&as_of=yesterday").status == 400);
}

}  // namespace
