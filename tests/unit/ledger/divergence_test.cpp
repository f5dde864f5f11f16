// Bytes of facts that were altered behind a ledger's back: the first segment that is not what was
// hashed is the one that is named, however many there are and however the pass is cut.
#include <string>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"

namespace {

using z0::test::deposits;
using z0::test::Json;
using z0::test::Reply;
using z0::test::TestWorld;

// So many segments that a pass takes several steps; their first numbers.
std::vector<std::int64_t> fill(TestWorld& w) {
  const int segments = static_cast<int>(z0::limits::segments_per_pass_step) + 30;
  const std::string data = R"(,"data":{"a":")" + std::string(9'000, 'x') + "\"}";
  // A batch that does not fit the tail begins a segment.
  for (int i = 0; i < segments; ++i) w.post(deposits("f_", i * 2, 2, "acct_a", data));
  std::vector<std::int64_t> firsts;
  for (const auto& row : w.ledger_rows("acct_a", "SELECT first_seq FROM segments ORDER BY 1"))
    firsts.push_back(row.at(0));
  REQUIRE(firsts.size() > static_cast<std::size_t>(z0::limits::segments_per_pass_step));
  return firsts;
}

// Another letter in the data of a segment's facts: as readable as before, and worth as much.
void alter(TestWorld& w, std::int64_t first_seq) {
  const auto rows = w.ledger_rows(
      "acct_a", "SELECT body FROM segments WHERE first_seq = " + std::to_string(first_seq));
  std::string body = rows.at(0).at(0);
  body.replace(body.find("xxx"), 3, "yyy");
  const z0::Statement put{"UPDATE segments SET body = ?1 WHERE first_seq = ?2",
                          {z0::Value::blob(body), z0::Value::of(first_seq)}};
  REQUIRE_FALSE(w.ledger("acct_a").run(put)->rows.failed);
  w.evict(TestWorld::object_of("acct_a"));
}

// The whole ledger, step by step; what the steps found.
Json reconciled(TestWorld& w) {
  Json found = Json::array();
  std::string from = "?from=start";
  for (int steps = 0; steps < 50; ++steps) {
    const Reply reply = w.ask("POST", "/v1/ledgers/acct_a/reconcile" + from, "north", {}, {});
    REQUIRE(reply.status == 200);
    for (const auto& mismatch : reply.json.at("mismatches")) found.push_back(mismatch);
    if (reply.json.at("done") == true) return found;
    from.clear();
  }
  FAIL("the pass does not end");
  return found;
}

}  // namespace

TEST_CASE("The first segment whose facts are not what was hashed is named, not a later one",
          "[reconcile]") {
  TestWorld w;
  const auto firsts = fill(w);
  CHECK(reconciled(w).empty());
  // The tree of every segment after it differs as well.
  for (const std::size_t place : {firsts.size() - 1, firsts.size() / 2, std::size_t{1}}) {
    alter(w, firsts[place]);
    const Json found = reconciled(w);
    REQUIRE(found.size() == 1);
    CHECK(found[0].at("cache_type") == "MerkleTree");
    CHECK(found[0].at("resolution") == "manual_review");
    CHECK(found[0].at("first_divergent_seq") == firsts[place]);
  }
}
