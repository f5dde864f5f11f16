// The native host keeps its promises: the same seed gives the same world, and faults fall where
// they are asked for.
#include "world.hpp"

#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::deposit;
using z0::test::deposits;
using z0::test::TestWorld;

std::string story(std::uint64_t seed) {
  TestWorld w(seed);
  std::string all;
  w.seen = [&](std::string_view frame, std::string_view effects) {
    all += frame;
    all += effects;
  };
  w.post(deposits("f_", 0, 5));
  w.post(R"({"type":"note","entity_id":"acct_b"})");
  w.deliver_all();
  w.now_ms += 10'000;
  w.run_alarms();
  w.get("/v1/facts/acct_a");
  return all;
}

}  // namespace

TEST_CASE("The same seed gives the same bytes, another seed others", "[world]") {
  const std::string first = story(1);
  CHECK(story(1) == first);
  CHECK(story(2) != first);
}

TEST_CASE("A refused message goes back to the end of the queue", "[world]") {
  TestWorld w;
  w.post(deposit("f_1"));
  w.post(deposit("f_2"));
  const std::string first = w.queue[0];
  int left = 1;
  w.faults.query = [&] { return left-- > 0; };
  CHECK_FALSE(w.deliver());
  REQUIRE(w.queue.size() == 2);
  CHECK(w.queue[1] == first);
  CHECK(w.deliver());
  CHECK(w.deliver());
  CHECK(w.queue.empty());
}

TEST_CASE("A D1 batch that fails is rolled back, one that times out is not", "[world]") {
  TestWorld w;
  w.post(deposit("f_1"));
  w.faults.query_after_commit = [] { return true; };
  CHECK_FALSE(w.deliver());
  CHECK(w.d1_count("SELECT count(*) FROM ledger_facts") == 1);
  w.faults.query_after_commit = nullptr;
  w.d1().script("DROP TABLE ledger_heads");
  w.post(deposit("f_2"));
  CHECK_FALSE(w.deliver(1));
  CHECK(w.d1_count("SELECT count(*) FROM ledger_facts") == 1);
}

TEST_CASE("A host that crashed serves every ledger from its rows", "[world]") {
  TestWorld w;
  w.post(deposit("f_1"));
  w.post(deposit("f_1", "acct_b"));
  w.crash();
  CHECK(w.post(deposit("f_1")).text("status") == "duplicate");
  CHECK(w.post(deposit("f_2", "acct_b")).json.at("seq") == 2);
  CHECK(w.alarm_of("account_acct_a") != 0);  // alarms outlive memory
}

TEST_CASE("The migrations are what D1 needs and no more than it takes", "[world]") {
  TestWorld w;
  const auto columns = w.d1_rows("SELECT name FROM pragma_table_info('facts')");
  std::string names;
  for (const auto& row : columns) names += row.at(0).get<std::string>() + ' ';
  CHECK(names ==
        "id type subtype timestamp tenant_id entity_id source_id asset_id campaign_id tool_id "
        "user_id config_id "
        "config_version amount currency trace_id seq recorded_at status data corrects ");
}
