// What a tenant is told does not depend on who else is there: each route answers alike in a world
// of one tenant and in one that it shares, whatever is asked.
#include <string>
#include <utility>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::deposit;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr const char* trace = "4bf92f3577b34da6a3ce929d0e0e4736";

std::string fact(const std::string& type, const std::string& id, const std::string& entity_id,
                 const std::string& more) {
  return R"({"type":")" + type + R"(","id":")" + id + R"(","entity_id":")" + entity_id + '"' +
         more + '}';
}

// Facts of every kind that some list or sum looks at: money in two currencies, assets, orphans,
// attempts that failed, a config, and a fact that names a version that nobody knows. What both
// tenants have alike, as ids of facts, traces and causes, is alike; entities are not.
void live(TestWorld& w, const std::string& tenant, const std::string& entity, int amount) {
  const std::string money = R"(,"amount":)" + std::to_string(amount);
  const std::string traced = R"(,"trace_id":")" + std::string(trace) + '"';
  const std::string asset = "ast_" + entity.substr(5);
  w.post(list({fact("deposit", "d_1", entity, money),
               fact("credit_issued", "d_2", entity, money + R"(,"currency":"EUR")"),
               fact("invocation", "i_1", asset,
                    traced + R"(,"tool_id":"tool_1","asset_id":"ast_shared")"),
               fact("outcome", "o_1", asset, R"(,"source_id":"i_1","subtype":"sale")"),
               fact("charge", "c_1", entity, money + R"(,"source_id":"o_1")"),
               fact("cost", "k_1", entity, money + R"(,"source_id":"i_none")" + traced),
               fact("payout", "p_1", entity, money + R"(,"source_id":"o_none")"),
               fact("charge", "c_2", entity,
                    money + R"(,"source_id":"o_1","config_id":"cfg_none","config_version":3)")}),
         tenant);
  w.ask("PUT", "/v1/configs/cfg_" + entity.substr(5), tenant,
        R"({"type":"budget","scope":"tenant","settings":{"limit":)" +
            std::to_string(1'000 * amount) + "}}",
        {});
  w.faults.call = [&](std::string_view object, z0_outcome& how, std::string&) {
    how = Z0_TIMEOUT;
    return object == "account_" + entity;
  };
  w.post(fact("charge", "c_failed", entity, money + R"(,"source_id":"o_1")" + traced), tenant);
  w.faults = {};
}

// Of the second tenant.
const std::vector<std::string> questions = {
    "/v1/facts",
    "/v1/facts?limit=3",
    "/v1/facts?type=charge",
    "/v1/facts?status=failed",
    "/v1/facts?status=recorded&from=0",
    "/v1/facts?type=charge&to=99999999999999",
    "/v1/facts?trace_id=" + std::string(trace),
    "/v1/facts?status=failed&trace_id=" + std::string(trace),
    "/v1/facts?tenant=south",
    "/v1/facts/acct_s",
    "/v1/entities/acct_s",
    "/v1/entities/acct_s/state?cache=BudgetState",
    "/v1/entities/acct_s/state?cache=ConfigState",
    "/v1/ledgers",
    "/v1/ledgers?limit=1",
    "/v1/configs/cfg_s",
    "/v1/configs/cfg_s/versions",
    "/v1/configs/gaps",
    "/v1/report",
    "/v1/closure",
    "/v1/closure?from=0",
    "/v1/closure?limit=1"};

// A page, and those that follow it.
Json pages(TestWorld& w, const std::string& url, const std::string& who) {
  Json all = Json::array();
  std::string cursor;
  for (int n = 0; n < 40; ++n) {
    const Reply reply = w.get(url + cursor, who);
    CHECK(reply.status == 200);
    all.push_back(reply.json);
    if (!reply.json.contains("cursor") || reply.json.at("cursor").is_null()) return all;
    cursor = (url.find('?') == std::string::npos ? "?cursor=" : "&cursor=") +
             reply.json.at("cursor").get<std::string>();
    all.back().erase("cursor");
  }
  FAIL("the pages do not end");
  return all;
}

void settle(TestWorld& w) {
  w.deliver_all();
  w.now_ms += 20'000;
  for (int i = 0; i < 5; ++i) w.run_alarms();
  w.deliver_all();
}

}  // namespace

TEST_CASE("What a tenant is told does not depend on who else is there", "[edge]") {
  // Entities before, between and behind those of the other tenant, in every index.
  for (const std::string neighbour : {"acct_a", "acct_t"}) {
    for (const bool one_database : {true, false}) {
      TestWorld alone;
      TestWorld shared;
      if (!one_database) {
        alone.settings = shared.settings = R"({"databases":{"DB_2":["south"]}})";
      }
      live(alone, "south", "acct_s", 7);
      live(shared, "north", neighbour, 1'000'003);
      live(shared, "south", "acct_s", 7);
      live(shared, "north", "acct_sz", 1'000'003);
      settle(alone);
      settle(shared);
      for (const auto& url : questions) {
        INFO(url << " beside " << neighbour);
        CHECK(pages(shared, url, "south") == pages(alone, url, "south"));
      }
    }
  }
}

TEST_CASE("Every account has its balance, whatever its name, and nothing else has one", "[edge]") {
  // A name may begin with, and consist of, every character of an id.
  const std::string letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-.:";
  TestWorld w;
  std::vector<std::string> facts;
  std::vector<std::string> names;
  for (const char letter : letters) {
    names.push_back(std::string("acct_") + letter);
    names.push_back(std::string("acct_") + letter + "zzz");
  }
  for (const auto& name : names) facts.push_back(deposit("f_" + name.substr(5), name, 3));
  for (const char* other : {"ast_a", "con_a", "deal_a"}) facts.push_back(deposit("f_1", other, 3));
  REQUIRE(w.post(list(facts)).status == 200);
  w.deliver_all();
  const Json accounts = w.get("/v1/report").json.at("accounts");
  CHECK(accounts.size() == names.size());
  for (const auto& name : names) {
    INFO(name);
    REQUIRE(accounts.contains(name));
    CHECK(accounts.at(name).at("remaining") == 3);
  }
}
