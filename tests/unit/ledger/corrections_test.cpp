// What a correction may take back, and which total it moves.
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"

namespace {

using z0::test::deposit;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr std::int64_t most = z0::limits::amount_max;
constexpr std::int64_t day_ms = 86'400'000;

std::string money(const std::string& type, const std::string& id, std::int64_t amount,
                  const std::string& more = {}) {
  return R"({"type":")" + type + R"(","id":")" + id +
         R"(","entity_id":"acct_a","source_id":"o","amount":)" + std::to_string(amount) + more +
         '}';
}

std::string correction(const std::string& id, const std::string& source, std::int64_t amount,
                       const std::string& more = {}, const std::string& entity = "acct_a") {
  return R"({"type":"correction","id":")" + id + R"(","entity_id":")" + entity +
         R"(","source_id":")" + source + R"(","data":{"reason":"refund"},"amount":)" +
         std::to_string(amount) + more + '}';
}

Json budget(TestWorld& w, const std::string& more = {}) {
  return w.get("/v1/entities/acct_a/state?cache=BudgetState" + more).json.at("state");
}

// Deposited, credits, spent, remaining.
std::vector<std::int64_t> sums(TestWorld& w) {
  const Json state = budget(w);
  return {state.at("deposited"), state.at("credits"), state.at("spent"), state.at("remaining")};
}
using Sums = std::vector<std::int64_t>;

void put_budget(TestWorld& w, const char* period, int limit) {
  REQUIRE(w.ask("PUT", "/v1/configs/cfg_a", "north",
                R"({"type":"budget","scope":"entity","applies_to":"acct_a","settings":{"limit":)" +
                    std::to_string(limit) + R"(,"enforce":true,"period":")" + period + "\"}}",
                {})
              .status == 201);
}

}  // namespace

TEST_CASE("A correction moves the total that the corrected fact moved", "[corrections]") {
  TestWorld w;
  w.post(list({deposit("d", "acct_a", 10'000), money("credit_issued", "g", 500),
               money("charge", "c", 300), money("cost", "k", 70), money("payout", "p", 60),
               money("tip", "t", 50)}));
  CHECK(sums(w) == Sums{10'000, 500, 300, 10'200});
  CHECK(w.post(correction("1", "d", -10'000)).status == 201);
  CHECK(sums(w) == Sums{0, 500, 300, 200});
  CHECK(w.post(correction("2", "c", -100)).status == 201);
  CHECK(sums(w) == Sums{0, 500, 200, 300});
  CHECK(w.post(correction("3", "g", 25)).status == 201);
  CHECK(sums(w) == Sums{0, 525, 200, 325});
  const Json before = budget(w);
  CHECK(w.post(list({correction("4", "k", -70), correction("5", "p", -1), correction("6", "t", 9)}))
            .status == 200);
  CHECK(budget(w) == before);
  w.evict(TestWorld::object_of("acct_a"));
  CHECK(budget(w) == before);
  const Json facts = w.get("/v1/facts/acct_a?types=correction").json.at("facts");
  const char* corrected[] = {"deposit", "charge", "credit_issued", "cost", "payout", "tip"};
  for (std::size_t i = 0; i < 6; ++i) CHECK(facts.at(i).at("corrects") == corrected[i]);
  CHECK_FALSE(w.get("/v1/facts/acct_a").json.at("facts").at(0).contains("corrects"));
  w.deliver_all();
  CHECK(w.d1_rows("SELECT corrects FROM facts WHERE type = 'correction' ORDER BY seq").dump() ==
        R"([["deposit"],["charge"],["credit_issued"],["cost"],["payout"],["tip"]])");
}

TEST_CASE("All corrections of a fact together cannot take it below zero", "[corrections]") {
  TestWorld w;
  // In one batch, in which the fact comes too.
  const Reply batch = w.post(
      list({money("charge", "c", 500), correction("1", "c", -300), correction("2", "c", -201),
            correction("3", "c", -200), correction("4", "c", -1)}));
  CHECK(batch.statuses() == "recorded recorded over_corrected recorded over_corrected");
  CHECK(batch.item(2).at("http") == 422);
  CHECK(batch.item(2).at("field") == "amount");
  const std::string words = batch.item(2).at("action");
  CHECK(words.find("200 USD") != std::string::npos);
  CHECK(words.find("-200 or more") != std::string::npos);
  CHECK(sums(w) == Sums{0, 0, 0, 0});
  // In another one, by a state that is there and by one that is made again.
  for (const bool evicts : {false, true}) {
    if (evicts) w.evict(TestWorld::object_of("acct_a"));
    CHECK(w.post(correction("5", "c", -1)).text("status") == "over_corrected");
    CHECK(w.post(correction("0", "c", 0)).json.at("status") == (evicts ? "duplicate" : "recorded"));
  }
  // What was given back may be taken again.
  CHECK(w.post(list({correction("6", "c", 40), correction("7", "c", -40)})).status == 200);
  CHECK(w.post(correction("8", "c", -1)).text("status") == "over_corrected");
  CHECK(w.ledger_rows("acct_a", "SELECT seq, left_over FROM corrected").dump() == "[[1,0]]");
}

TEST_CASE("A correction that is sent again is the same correction", "[corrections]") {
  TestWorld w;
  const std::string refund = correction("r", "c", -500);
  w.post(money("charge", "c", 500));
  const Reply first = w.post(refund);
  for (const bool evicts : {false, true}) {
    if (evicts) w.evict(TestWorld::object_of("acct_a"));
    const Reply again = w.post(refund);
    CHECK(again.status == 200);
    CHECK(again.json.at("seq") == first.json.at("seq"));
    CHECK(w.post(list({refund, refund})).statuses() == "duplicate duplicate");
    CHECK(w.post(correction("r", "c", -1)).text("status") == "conflict");
  }
  CHECK(w.post(list({money("charge", "x", 5), correction("s", "x", -5), correction("s", "x", -5),
                     correction("s", "x", -4)}))
            .statuses() == "recorded recorded duplicate conflict");
  CHECK(sums(w) == Sums{0, 0, 0, 0});
}

TEST_CASE("A correction names a fact of its own ledger", "[corrections]") {
  TestWorld w;
  w.post(list({deposit("d"), deposit("other", "acct_b")}));
  const Reply r = w.post(
      list({correction("1", "none", -1), correction("2", "other", -1), correction("3", "3", -1),
            correction("4", "late", -1), money("charge", "late", 5), correction("5", "bad", -1),
            R"({"type":"correction","id":"6","entity_id":"acct_a",)"
            R"("source_id":"none","data":{"reason":"of text"}})"}));
  CHECK(r.statuses() ==
        "unknown_source unknown_source unknown_source unknown_source recorded unknown_source "
        "unknown_source");
  CHECK(r.item(0).at("http") == 422);
  CHECK(r.item(0).at("field") == "source_id");
  CHECK(w.post(correction("4", "late", -1)).status == 201);
  // Atomic, one takes the others with it, and nothing is left of them.
  CHECK(w.post(list({correction("7", "late", -4), correction("8", "none", -1)}), "north",
               "/v1/facts?atomic=true")
            .statuses() == "batch_refused unknown_source");
  CHECK(w.post(correction("9", "late", -4)).status == 201);
  // Nobody else's facts are told apart from none.
  CHECK(w.post(correction("1", "d", -1, {}, "acct_a"), "south").text("status") == "forbidden");
}

TEST_CASE("A correction has the currency of its fact, and an amount if that has one",
          "[corrections]") {
  TestWorld w;
  w.post(list({money("charge", "eur", 500, R"(,"currency":"EUR")"), money("charge", "usd", 500),
               R"({"type":"note","id":"n","entity_id":"acct_a"})"}));
  const Reply r =
      w.post(list({correction("1", "eur", -5), correction("2", "usd", -5, R"(,"currency":"EUR")"),
                   correction("3", "n", -5)}));
  CHECK(r.statuses() == "source_mismatch source_mismatch source_mismatch");
  CHECK(r.item(0).at("http") == 422);
  CHECK(r.item(0).at("field") == "currency");
  CHECK(r.item(0).at("action").get<std::string>().find("`eur` is in EUR") != std::string::npos);
  CHECK(r.item(2).at("field") == "amount");
  CHECK(w.post(correction("1", "eur", -5, R"(,"currency":"EUR")")).status == 201);
  const std::string text = R"({"type":"correction","entity_id":"acct_a","data":{"reason":"r"},)";
  CHECK(w.post(text + R"("id":"4","source_id":"n"})").status == 201);
  CHECK(w.post(text + R"("id":"5","source_id":"usd"})").status == 201);
  CHECK(w.post(correction("6", "5", -1)).text("status") == "source_mismatch");
  CHECK(budget(w).at("currencies").at(0).at("spent") == 495);
}

TEST_CASE("The largest amount can be entered by mistake, and mended", "[corrections]") {
  TestWorld w;
  for (const char* type : {"deposit", "credit_issued", "charge"}) {
    const std::string id = std::string("m_") + type;
    REQUIRE(w.post(money(type, id, most)).status == 201);
    CHECK(w.post(correction("up_" + id, id, 1)).text("status") == "amount_overflow");
    CHECK(w.post(correction("down_" + id, id, -most)).status == 201);
    CHECK(sums(w) == Sums{0, 0, 0, 0});
  }
}

TEST_CASE("To correct a correction is to correct the fact behind it", "[corrections]") {
  TestWorld w;
  w.post(list({money("charge", "c", 500), correction("r", "c", -500)}));
  CHECK(w.post(correction("undo", "r", 200)).status == 201);
  CHECK(sums(w) == Sums{0, 0, 200, -200});
  CHECK(w.post(correction("again", "undo", -201)).text("status") == "over_corrected");
  CHECK(w.post(list({correction("a", "undo", -100), correction("b", "a", -100),
                     correction("d", "b", -1)}))
            .statuses() == "recorded recorded over_corrected");
  const Json facts = w.get("/v1/facts/acct_a?types=correction").json.at("facts");
  for (const Json& fact : facts) CHECK(fact.at("corrects") == "charge");
  CHECK(sums(w) == Sums{0, 0, 0, 0});
  // Far back in the history as well.
  for (int i = 0; i < 40; ++i) w.post(deposit("f_" + std::to_string(i), "acct_b"));
  for (int i = 0; i < 30; ++i)
    w.post(R"({"type":"note","entity_id":"acct_a","data":{"x":")" + std::string(3'000, 'x') +
           "\"}}");
  w.evict(TestWorld::object_of("acct_a"));
  CHECK(w.post(correction("far", "b", 50)).status == 201);
  CHECK(w.post(correction("far_2", "c", -51)).text("status") == "over_corrected");
  CHECK(w.post(list({correction("far_3", "far", -20), correction("far_4", "undo", -30)}))
            .statuses() == "recorded recorded");
  CHECK(sums(w) == Sums{0, 0, 0, 0});
}

TEST_CASE("Facts far back are corrected like the last ones", "[corrections]") {
  TestWorld w;
  std::vector<std::string> corrections;
  for (int i = 0; i < 60; ++i) {
    const std::string id = "c_" + std::to_string(i);
    w.post(money("charge", id, 100, R"(,"data":{"x":")" + std::string(2'000, 'x') + "\"}"));
    corrections.push_back(correction("r_" + id, id, -60));
  }
  for (const char* status : {"recorded", "duplicate"}) {
    const Reply r = w.post(list(corrections));
    for (std::size_t i = 0; i < 60; ++i) CHECK(r.item(i).at("status") == status);
  }
  CHECK(sums(w) == Sums{0, 0, 2'400, -2'400});
  w.evict(TestWorld::object_of("acct_a"));
  for (const char* id : {"c_0", "c_31", "c_59"}) {
    CHECK(w.post(correction(std::string("s_") + id, id, -41)).text("status") == "over_corrected");
    CHECK(w.post(correction(std::string("s_") + id, id, -40)).status == 201);
  }
}

TEST_CASE("A ledger without corrections pays nothing for them", "[corrections]") {
  TestWorld w;
  w.post(list({deposit("d"), money("charge", "c", 5)}));
  const std::string table = "SELECT count(*) FROM sqlite_master WHERE name = 'corrected'";
  CHECK(w.ledger_rows("acct_a", table).at(0).at(0) == 0);
  std::size_t steps = 0;
  w.seen = [&](std::string_view, std::string_view) { ++steps; };
  w.post(deposit("e"));
  const std::size_t usual = steps;
  // The first one of a ledger asks for nothing either: all is left.
  steps = 0;
  w.post(correction("1", "c", -1));
  CHECK(steps == usual);
  CHECK(w.ledger_rows("acct_a", table).at(0).at(0) == 1);
  steps = 0;
  w.post(deposit("f"));
  CHECK(steps == usual);
  steps = 0;
  w.post(correction("2", "c", -1));
  CHECK(steps == usual + 1);
}

TEST_CASE("A refund belongs to the period of its charge", "[corrections]") {
  TestWorld w;
  put_budget(w, "day", 1'000);
  REQUIRE(w.post(money("charge", "c", 1'000)).status == 201);
  CHECK(w.post(money("charge", "d", 1)).status == 402);
  CHECK(w.post(correction("1", "c", -400)).status == 201);
  CHECK(budget(w).at("day_spent") == 600);
  // What makes a charge larger is spending, too.
  CHECK(w.post(correction("2", "c", 401)).status == 402);
  CHECK(w.post(correction("2", "c", 100)).status == 201);
  CHECK(w.post(money("charge", "d", 301)).status == 402);
  CHECK(w.post(money("charge", "d", 300)).status == 201);
  w.now_ms += day_ms;
  CHECK(w.post(money("charge", "e", 900)).status == 201);
  // Of yesterday, which is not limited any more, and does not count for today.
  CHECK(w.post(list({correction("3", "d", -300), correction("4", "c", 5'000)})).status == 200);
  CHECK(budget(w).at("day_spent") == 900);
  CHECK(w.post(money("charge", "f", 101)).status == 402);
  CHECK(w.post(money("charge", "f", 100)).status == 201);
  CHECK(budget(w).at("day_spent") == 1'000);
  CHECK(budget(w).at("spent") == 5'700 + 1'000);
  const std::int64_t yesterday = w.now_ms - day_ms;
  CHECK(budget(w, "&as_of=" + std::to_string(yesterday)).at("day_spent") == 1'000);
}

TEST_CASE("Corrections come through an import and a reconciliation unchanged", "[corrections]") {
  TestWorld w;
  w.post(list({deposit("d", "acct_a", 900), money("charge", "c", 500), correction("1", "c", -300),
               correction("2", "d", -900), correction("3", "1", 50)}));
  std::string lines;
  const Json facts = w.get("/v1/facts/acct_a?records=true").json.at("facts");
  for (const Json& fact : facts) lines += fact.dump() + '\n';
  TestWorld copy(2);
  copy.now_ms += 1'000;
  const auto import = [&] {
    return copy.ask("POST", "/v1/ledgers/acct_a/import?tenant=north", "", lines, {});
  };
  REQUIRE(import().status == 200);
  CHECK(import().json.at("root") == w.get("/v1/entities/acct_a").json.at("root"));
  for (TestWorld* world : {&w, &copy}) {
    CHECK(sums(*world) == Sums{0, 0, 250, -250});
    CHECK(world->post(correction("4", "c", -251)).text("status") == "over_corrected");
    CHECK(world->post(correction("4", "d", -1)).text("status") == "over_corrected");
    CHECK(world->post(correction("5", "c", -250)).status == 201);
    const Reply pass = world->ask("POST", "/v1/ledgers/acct_a/reconcile?from=start", "", {}, {});
    CHECK(pass.json.at("done") == true);
    CHECK(pass.json.at("mismatches").empty());
    CHECK(sums(*world) == Sums{0, 0, 0, 0});
  }
}
