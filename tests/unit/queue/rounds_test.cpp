// Other writers may move the heads of a message while it lands: then the consumer looks again, but
// not for ever.
#include <string>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"
#include "z0/tree/merkle.hpp"

namespace {

using z0::test::deposit;
using z0::test::deposits;
using z0::test::Reply;
using z0::test::TestWorld;

// Before each batch but the last ones another writer leaves the run that follows what is there: so
// every look finds something to join.
struct Restless {
  Restless(TestWorld& w, std::size_t busy_batches) {
    w.faults.query = [this, &w, busy_batches] {
      if (++queries > busy_batches) return false;
      z0::MerkleRange range(4 + static_cast<std::int64_t>(queries));
      range.append(z0::Digest{});
      const std::string seq = std::to_string(range.end());
      w.d1().script("INSERT INTO ledger_runs VALUES ('acct_a', " + seq + ", " + seq + ", '" +
                    range.encode_hex() + "')");
      return false;
    };
  }
  std::size_t queries = 0;
};

constexpr std::size_t rounds_max = z0::limits::projection_rounds_max;

}  // namespace

TEST_CASE("A message whose heads keep moving is given back after so many rounds", "[consumer]") {
  TestWorld w;
  w.post(deposits("f_", 0, 5));
  const std::string message = w.queue.at(0);
  Restless others(w, ~std::size_t{0});
  CHECK_FALSE(w.deliver_copy(message));
  // The facts and the first look, then the rounds.
  CHECK(others.queries == 1 + rounds_max);
  w.faults = {};
  CHECK(w.deliver_copy(message));
  CHECK(w.d1_count("SELECT contiguous_seq FROM ledger_heads") == 6 + static_cast<int>(rounds_max));
}

TEST_CASE("A message lands whose heads come to rest in the last round", "[consumer]") {
  TestWorld w;
  w.post(deposits("f_", 0, 5));
  Restless others(w, rounds_max);
  CHECK(w.deliver());
  CHECK(others.queries == 1 + rounds_max);
  CHECK(w.d1_count("SELECT contiguous_seq FROM ledger_heads") == 5 + static_cast<int>(rounds_max));
}

TEST_CASE("A redrive whose heads keep moving fails after so many rounds, and keeps the letter",
          "[consumer]") {
  TestWorld w;
  w.post(deposits("f_", 0, 5));
  const z0::Statement put{"INSERT INTO dead_letters (id, received_at, body) VALUES ('m_1', 1, ?1)",
                          {z0::Value::blob(w.queue.at(0))}};
  REQUIRE_FALSE(w.d1().run(put)->rows.failed);
  w.queue.clear();
  Restless others(w, ~std::size_t{0});
  const Reply failed = w.ask("POST", "/v1/dead-letters/m_1/redrive", "", {}, {});
  CHECK(failed.status == 503);
  // One more than a delivery: the letter is read first.
  CHECK(others.queries == 2 + rounds_max);
  CHECK(w.d1_count("SELECT count(*) FROM dead_letters") == 1);
  w.faults = {};
  CHECK(w.ask("POST", "/v1/dead-letters/m_1/redrive", "", {}, {}).status == 200);
  CHECK(w.d1_count("SELECT contiguous_seq FROM ledger_heads") > 5);
  CHECK(w.d1_count("SELECT count(*) FROM dead_letters") == 0);
}
