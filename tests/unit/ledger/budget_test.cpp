// What a ledger refuses of sound facts: what a budget does not cover, what would not be exact, what
// comes to an entity that is retiring or retired.
#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::deposit;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

std::string charge(std::string_view id, std::int64_t amount, std::string_view entity = "acct_a",
                   std::string_view more = {}) {
  return R"({"type":"charge","id":")" + std::string(id) + R"(","entity_id":")" +
         std::string(entity) + R"(","source_id":"out_1","amount":)" + std::to_string(amount) +
         std::string(more) + '}';
}

std::string lifecycle(std::string_view id, std::string_view subtype) {
  return R"({"type":"lifecycle","id":")" + std::string(id) +
         R"(","entity_id":"acct_a","subtype":")" + std::string(subtype) + R"("})";
}

Reply put_budget(TestWorld& w, const std::string& id, const std::string& scope,
                 const std::string& settings, std::string_view who = "north") {
  const std::string target = scope == "entity" ? R"("applies_to":"acct_a",)" : "";
  return w.ask(
      "PUT", "/v1/configs/" + id, who,
      R"({"type":"budget","scope":")" + scope + "\"," + target + "\"settings\":" + settings + '}',
      {});
}

Json state(TestWorld& w, const std::string& cache, const std::string& more = {},
           const std::string& entity = "acct_a") {
  const Reply reply = w.get("/v1/entities/" + entity + "/state?cache=" + cache + more);
  CHECK(reply.status == 200);
  return reply.json;
}

TEST_CASE("An enforced budget refuses the charge that would exceed it, and takes a smaller one") {
  TestWorld w;
  REQUIRE(put_budget(w, "cfg_limit", "entity", R"({"limit":1000,"enforce":true})").status == 201);
  CHECK(w.post(charge("c_1", 600)).status == 201);
  const Reply refused = w.post(charge("c_2", 401));
  CHECK(refused.status == 402);
  CHECK(refused.text("status") == "budget_exhausted");
  CHECK(w.post(charge("c_3", 400)).status == 201);
  CHECK(w.post(charge("c_4", 1)).status == 402);
  const Json spent = state(w, "BudgetState").at("state");
  CHECK(spent.at("spent") == 1000);
  const Json budget = spent.at("budgets").at(0);
  CHECK(budget.at("limit") == 1000);
  CHECK(budget.at("used") == 1000);
  CHECK(budget.at("remaining") == 0);
}

TEST_CASE("A charge that a budget refused is a failed fact in D1") {
  TestWorld w;
  put_budget(w, "cfg_limit", "entity", R"({"limit":10,"enforce":true})");
  CHECK(w.post(charge("c_1", 11)).status == 402);
  // The caller's money, not our failure: it must not page anybody.
  const Json live = w.get("/v1/live", "").json;
  CHECK(live.at("failed") == 0);
  CHECK(live.at("refused") == 1);
  w.deliver_all();
  CHECK(w.d1_rows("SELECT id, json_extract(data, '$.error.code') FROM facts WHERE type = 'charge' "
                  "AND status = 'failed'") == Json::parse(R"([["c_1","budget_exhausted"]])"));
  CHECK(w.d1_count("SELECT count(*) FROM facts WHERE type = 'charge' AND status = 'recorded'") ==
        0);
}

TEST_CASE("The charges of one batch count against the budget one after the other") {
  TestWorld w;
  put_budget(w, "cfg_limit", "entity", R"({"limit":1000,"enforce":true})");
  const Reply reply = w.post(list({charge("c_1", 400), charge("c_2", 700), charge("c_3", 600)}));
  CHECK(reply.statuses() == "recorded budget_exhausted recorded");
  const Reply atomic =
      w.post(list({charge("c_4", 0), charge("c_5", 1)}), "north", "/v1/facts?atomic=true");
  CHECK(atomic.statuses() == "batch_refused budget_exhausted");
  CHECK(state(w, "BudgetState").at("state").at("spent") == 1000);
}

TEST_CASE("A budget that is not enforced only shows what was used") {
  TestWorld w;
  put_budget(w, "cfg_soft", "entity", R"({"limit":100})");
  CHECK(w.post(charge("c_1", 500)).status == 201);
  CHECK(state(w, "BudgetState").at("state").at("budgets").at(0).at("used") == 500);
}

TEST_CASE("A daily budget is there again the next day") {
  TestWorld w;
  put_budget(w, "cfg_day", "entity", R"({"limit":100,"enforce":true,"period":"day"})");
  CHECK(w.post(charge("c_1", 100)).status == 201);
  CHECK(w.post(charge("c_2", 1)).status == 402);
  w.now_ms += 86'400'000;
  CHECK(w.post(charge("c_2", 1)).status == 201);
}

TEST_CASE("A budget of the tenant binds a ledger from its first fact on, and stamps its charges") {
  TestWorld w;
  CHECK(put_budget(w, "cfg_all", "tenant", R"({"limit":50,"enforce":true})").status == 201);
  const Reply first = w.post(list({charge("c_1", 40), charge("c_2", 20)}));
  CHECK(first.statuses() == "recorded budget_exhausted");
  const Json facts = w.get("/v1/facts/acct_a").json.at("facts");
  REQUIRE(facts.size() == 2);
  CHECK(facts.at(0).at("subtype") == "config_updated");
  CHECK(facts.at(1).at("config_id") == "cfg_all");
  CHECK(facts.at(1).at("config_version") == 1);
  // In D1 as well, and without a gap: the ledger's own fact went along.
  w.deliver_all();
  CHECK(w.d1_count("SELECT contiguous_seq FROM ledger_heads WHERE entity_id = 'acct_a'") == 2);
  CHECK(w.d1_rows("SELECT config_id, config_version FROM facts WHERE id = 'c_1'") ==
        Json::parse(R"([["cfg_all",1]])"));
}

TEST_CASE("A retry of a stamped charge is a duplicate, whatever the config is by then") {
  TestWorld w;
  put_budget(w, "cfg_limit", "entity", R"({"limit":1000,"enforce":true})");
  const Reply first = w.post(charge("c_1", 5));
  put_budget(w, "cfg_limit", "entity", R"({"limit":2000,"enforce":true})");
  const Reply again = w.post(charge("c_1", 5));
  CHECK(again.text("status") == "duplicate");
  CHECK(again.json.at("seq") == first.json.at("seq"));
  CHECK(w.post(charge("c_1", 6)).text("status") == "conflict");
}

TEST_CASE("A sum that would no longer be exact is refused, and nothing wraps") {
  TestWorld w;
  const std::string most = std::to_string((std::int64_t{1} << 53) - 1);
  const auto give = [&](const char* id, const std::string& amount) {
    return w.post(R"({"type":"deposit","id":")" + std::string(id) +
                  R"(","entity_id":"acct_a","amount":)" + amount + '}');
  };
  CHECK(give("d_1", most).status == 201);
  const Reply refused = give("d_2", "1");
  CHECK(refused.status == 422);
  CHECK(refused.text("status") == "amount_overflow");
  CHECK(w.post(charge("c_1", 7)).status == 201);
  CHECK(give("d_3", "1").status == 422);
  CHECK(state(w, "BudgetState").at("state").at("deposited") == std::stoll(most));
}

TEST_CASE("A retiring entity takes lifecycle facts only, a retired one takes none") {
  TestWorld w;
  CHECK(w.post(deposit("d_1")).status == 201);
  CHECK(w.post(lifecycle("l_1", "retiring")).status == 201);
  const Reply refused = w.post(deposit("d_2"));
  CHECK(refused.status == 409);
  CHECK(refused.text("status") == "entity_inactive");
  CHECK(w.post(deposit("d_1")).text("status") == "duplicate");
  CHECK(w.get("/v1/entities/acct_a").json.at("lifecycle") == "retiring");
  CHECK(w.post(lifecycle("l_2", "created")).status == 409);
  CHECK(w.post(lifecycle("l_3", "retired")).status == 201);
  CHECK(w.post(lifecycle("l_4", "retired")).status == 409);
  w.crash();
  CHECK(w.post(deposit("d_3")).status == 409);
  CHECK(w.get("/v1/entities/acct_a").json.at("lifecycle") == "retired");
}

TEST_CASE("What a batch retires takes nothing of the same batch") {
  TestWorld w;
  const Reply reply = w.post(list({deposit("d_1"), lifecycle("l_1", "retired"), deposit("d_2")}));
  CHECK(reply.statuses() == "recorded recorded entity_inactive");
}

TEST_CASE("A fact that names a version that its ledger does not know is a gap, and is recorded") {
  TestWorld w;
  put_budget(w, "cfg_limit", "entity", R"({"limit":1000})");
  const auto with = [&](const char* id, int version) {
    return charge(id, 1, "acct_a",
                  R"(,"config_id":"cfg_limit","config_version":)" + std::to_string(version));
  };
  CHECK(w.post(with("c_1", 1)).status == 201);
  CHECK(state(w, "ConfigState").at("state").at("version_gaps") == 0);
  CHECK(w.post(with("c_2", 7)).status == 201);
  CHECK(state(w, "ConfigState").at("state").at("version_gaps") == 1);
}

TEST_CASE("A new ledger is not begun while the directory does not answer") {
  TestWorld w;
  w.faults.call = [](std::string_view object, z0_outcome& outcome, std::string& message) {
    outcome = Z0_OVERLOADED;
    message = "busy";
    return object.starts_with("directory_");
  };
  const Reply refused = w.post(deposit("d_1"));
  CHECK(refused.status == 503);
  CHECK(refused.text("status") == "overloaded");
  w.faults.call = {};
  CHECK(w.post(deposit("d_1")).status == 201);
  const Json ledgers = w.get("/v1/ledgers").json.at("ledgers");
  REQUIRE(ledgers.size() == 1);
  CHECK(ledgers.at(0).at("entity_id") == "acct_a");
}

// The ledger's facts with deposits that are past what can be counted.
void make_uncountable(TestWorld& w) {
  const std::string body =
      w.ledger_rows("acct_a", "SELECT body FROM segments").at(0).at(0).get<std::string>();
  z0::Buffer out;
  z0::Fact fact;
  for (z0::ByteReader in(body); z0::next_record(in, "acct_a", fact);) {
    if (fact.type == z0::FactType::deposit) fact.amount = z0::limits::amount_max;
    z0::Buffer submission;
    z0::append_submission(submission, fact);
    z0::append_record(out, fact.seq, fact.recorded_at, submission.view());
  }
  REQUIRE_FALSE(w.ledger("acct_a")
                    .run({"UPDATE segments SET body = ?1", {z0::Value::blob(out.view())}})
                    ->rows.failed);
  w.evict(TestWorld::object_of("acct_a"));
  REQUIRE(w.ask("POST", "/v1/ledgers/acct_a/reconcile?from=start", "", {}, {}).status == 200);
  REQUIRE(state(w, "BudgetState").at("state") == nullptr);
}

TEST_CASE("While nobody knows what was spent, a charge that a budget might refuse has to wait") {
  for (const char* settings : {R"({"limit":1000,"enforce":true})", R"({"limit":1000})"}) {
    TestWorld w;
    w.post(list({deposit("d_1"), deposit("d_2")}));
    REQUIRE(put_budget(w, "cfg_limit", "entity", settings).status == 201);
    make_uncountable(w);
    const Reply refused = w.post(charge("c_1", 1));
    CHECK(refused.status == 503);
    CHECK(refused.text("status") == "storage_error");
    // No budget speaks of euros, and what feeds no sum has nothing to wait for.
    CHECK(w.post(charge("c_2", 1, "acct_a", R"(,"currency":"EUR")")).status == 201);
    CHECK(w.post(deposit("d_3")).status == 201);
  }
}

TEST_CASE("A state as of a fact shows the period of that fact, not of today") {
  TestWorld w;
  put_budget(w, "cfg_day", "entity", R"({"limit":100,"enforce":true,"period":"day"})");
  const std::int64_t first_day = w.now_ms;
  const Json seq = w.post(charge("c_1", 30)).json.at("seq");
  w.now_ms += 86'400'000;
  w.post(charge("c_2", 7));
  w.now_ms += 86'400'000;
  const auto used = [&](const std::string& as_of) {
    const Json read = state(w, "BudgetState", as_of);
    return Json{read.at("computed_at"), read.at("state").at("budgets").at(0).at("used")};
  };
  CHECK(used("&as_of=seq:" + seq.dump()) == Json{first_day, 30});
  CHECK(used("&as_of=seq:" + std::to_string(seq.get<int>() + 1)) ==
        Json{first_day + 86'400'000, 7});
  CHECK(used("&as_of=" + std::to_string(first_day)) == Json{first_day, 30});
  CHECK(used("") == Json{w.now_ms, 0});
}

TEST_CASE("A clock that ran back shows the period of the last fact, from memory and from rows") {
  TestWorld w;
  put_budget(w, "cfg_day", "entity", R"({"limit":100,"enforce":true,"period":"day"})");
  w.now_ms += 86'400'000;
  w.post(charge("c_1", 30));
  const std::int64_t recorded_at = w.now_ms;
  w.now_ms -= 86'400'000;
  for (const bool evicted : {false, true}) {
    if (evicted) w.evict("account_acct_a");
    const Json read = state(w, "BudgetState");
    CHECK(read.at("computed_at") == recorded_at);
    CHECK(read.at("state").at("budgets").at(0).at("used") == 30);
  }
}

}  // namespace
