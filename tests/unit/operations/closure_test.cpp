// The open ends of the economic loop: facts whose cause is missing.
#include <string>
#include <vector>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::carried;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr std::int64_t day_ms = 86'400'000;

// A fact with a source, or an invocation; `more` are further members with a comma in front.
std::string fact(const std::string& type, const std::string& id, const std::string& source,
                 const std::string& more = {}, const std::string& entity = "acct_a") {
  std::string json = R"({"type":")" + type + R"(","id":")" + id + R"(","entity_id":")" + entity;
  if (source.empty())
    json += R"(","tool_id":"tool_1","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736")";
  else
    json += R"(","source_id":")" + source + '"';
  if (type == "outcome") json += R"(,"subtype":"qualified")";
  return json + more + '}';
}

std::string at(std::int64_t ms) { return ",\"timestamp\":" + std::to_string(ms); }

std::vector<std::string> ids(const Json& orphans) {
  std::vector<std::string> out;
  for (const auto& orphan : orphans) out.push_back(orphan.at("id"));
  return out;
}

// All orphans, page by page.
std::vector<std::string> all_pages(TestWorld& w, const std::string& query, int limit,
                                   std::string_view who) {
  std::vector<std::string> found;
  std::string cursor;
  for (int pages = 0; pages < 50; ++pages) {
    const Reply r = w.get("/v1/closure?limit=" + std::to_string(limit) + query + cursor, who);
    REQUIRE(r.status == 200);
    CHECK(r.json.contains("counts") == cursor.empty());
    for (const auto& id : ids(r.json.at("orphans"))) found.push_back(id);
    if (r.json.at("cursor").is_null()) return found;
    cursor = "&cursor=" + r.json.at("cursor").get<std::string>();
  }
  FAIL("the pages do not end");
  return found;
}

}  // namespace

TEST_CASE("An orphan tells what it lacks, and a source that comes late closes it", "[closure]") {
  TestWorld w;
  const std::int64_t now = w.now_ms;
  w.post(list({fact("invocation", "inv_1", "", at(now - 9)),
               fact("outcome", "out_1", "inv_1", at(now - 8)),
               fact("cost", "cost_1", "inv_1", at(now - 7) + R"(,"amount":3)"),
               fact("charge", "chg_1", "out_1", at(now - 6) + R"(,"amount":100)"),
               fact("charge", "chg_2", "out_2", at(now - 5) + R"(,"amount":250)"),
               fact("charge", "chg_3", "out_2", at(now - 4) + R"(,"amount":7,"currency":"EUR")"),
               fact("payout", "pay_1", "inv_1", at(now - 3) + R"(,"amount":40)"),
               fact("cost", "cost_2", "out_1", at(now - 2) + R"(,"amount":0)"),
               fact("outcome", "out_3", "inv_9", at(now - 1))}));
  w.deliver_all();
  const Json open = w.get("/v1/closure").json;
  CHECK(ids(open.at("orphans")) ==
        std::vector<std::string>{"chg_2", "chg_3", "pay_1", "cost_2", "out_3"});
  CHECK(open.at("orphans").at(0) == Json::parse(R"({"tenant_id":"north","type":"charge",
      "missing":"outcome","entity_id":"acct_a","seq":5,"id":"chg_2","source_id":"out_2",
      "amount":250,"currency":"USD","trace_id":null,"age_ms":5,"timestamp":)" +
                                                std::to_string(now - 5) + "}"));
  CHECK(open.at("orphans").at(3).at("missing") == "invocation");
  CHECK(open.at("orphans").at(4).at("missing") == "invocation");
  CHECK(open.at("orphans").at(4).at("amount").is_null());
  CHECK(open.at("cursor").is_null());
  CHECK(open.at("counts") == Json::parse(R"({
      "charge":{"total":3,"orphans":2,"amount_cents":{"USD":250,"EUR":7}},
      "cost":{"total":2,"orphans":1,"amount_cents":{"USD":0}},
      "outcome":{"total":2,"orphans":1,"amount_cents":{}},
      "payout":{"total":1,"orphans":1,"amount_cents":{"USD":40}}})"));
  w.post(list({fact("outcome", "out_2", "inv_1", at(now)), fact("invocation", "inv_9", "")}));
  w.deliver_all();
  const Json later = w.get("/v1/closure").json;
  CHECK(ids(later.at("orphans")) == std::vector<std::string>{"pay_1", "cost_2"});
  CHECK(later.at("counts").at("charge").dump() == R"({"amount_cents":{},"orphans":0,"total":3})");
}

TEST_CASE("Orphans are looked for in a week, their sources in all time", "[closure]") {
  TestWorld w;
  const std::int64_t now = w.now_ms;
  w.post(list({fact("outcome", "out_old", "inv", at(now - 300 * day_ms)),
               fact("charge", "chg_new", "out_old", at(now - day_ms) + R"(,"amount":1)"),
               fact("charge", "chg_8", "none", at(now - 8 * day_ms) + R"(,"amount":1)"),
               fact("charge", "chg_6", "none", at(now - 6 * day_ms) + R"(,"amount":1)"),
               fact("charge", "chg_later", "none", at(now + day_ms) + R"(,"amount":1)")}));
  w.deliver_all();
  const auto found = [&](const std::string& query) {
    return ids(w.get("/v1/closure" + query).json.at("orphans"));
  };
  CHECK(found("") == std::vector<std::string>{"chg_6", "chg_later"});
  CHECK(w.get("/v1/closure").json.at("orphans").at(1).at("age_ms") == 0);
  CHECK(found("?from=0") == std::vector<std::string>{"out_old", "chg_8", "chg_6", "chg_later"});
  CHECK(found("?to=" + std::to_string(now)) == std::vector<std::string>{"chg_6"});
  CHECK(found("?to=" + std::to_string(now - 7 * day_ms)) == std::vector<std::string>{"chg_8"});
  CHECK(w.get("/v1/closure?from=0&to=946684800000").json.at("counts").at("charge").at("total") ==
        0);
  for (const char* query : {"?from=x", "?to=-1", "?limit=0", "?limit=1001", "?cursor=x", "?type=a"})
    CHECK(w.get(std::string("/v1/closure") + query).status == 400);
}

TEST_CASE("A tenant's source closes nothing of another tenant", "[closure]") {
  TestWorld w;
  w.post(fact("outcome", "out_1", "inv_1", {}, "ast_s"), "south");
  w.post(fact("charge", "chg_n", "out_1", R"(,"amount":5)", "acct_n"), "north");
  w.deliver_all();
  CHECK(ids(w.get("/v1/closure", "north").json.at("orphans")) == std::vector<std::string>{"chg_n"});
  CHECK(ids(w.get("/v1/closure", "south").json.at("orphans")) == std::vector<std::string>{"out_1"});
  CHECK(w.get("/v1/closure?tenant=south", "north").status == 404);
  CHECK(w.get("/v1/closure", "").json.at("orphans").size() == 2);
  CHECK(ids(w.get("/v1/closure?tenant=north", "").json.at("orphans")) ==
        std::vector<std::string>{"chg_n"});
  w.faults.query = [] { return true; };
  CHECK(w.get("/v1/closure", "").status == 503);
}

TEST_CASE("Pages of orphans of several databases are one list, oldest first", "[closure]") {
  TestWorld w;
  w.settings = R"({"databases":{"DB_2":["big"]}})";
  std::vector<std::string> expected;
  for (int i = 0; i < 21; ++i) {
    const bool big = i % 3 == 0;
    const std::string id = (big ? "big_" : "small_") + std::to_string(i);
    // Two of a moment: the order of tenants decides, and "big" comes first.
    const std::string time = std::to_string(w.now_ms - 1000 + i / 3);
    const std::string tenant = big ? "big" : i % 3 == 1 ? "mid" : "small";
    w.d1(big ? "DB_2" : "DB")
        .script(
            "INSERT INTO ledger_facts (tenant_id, type, timestamp, entity_id, seq, id, "
            "source_id, amount, currency, recorded_at, data) VALUES ('" +
            tenant + "', 'charge', " + time + ", 'acct_" + tenant + "', " + std::to_string(i + 1) +
            ", '" + id + "', 'none', 9007199254740991, 'USD', 1, '{}')");
    expected.push_back(id);
  }
  for (const int limit : {1, 2, 5, 20, 21, 100}) CHECK(all_pages(w, "", limit, "") == expected);
  CHECK(all_pages(w, "&tenant=big", 3, "").size() == 7);
  CHECK(all_pages(w, "", 3, "big").size() == 7);
  CHECK(all_pages(w, "", 3, "mid").size() == 7);
  // 21 x (2^53 - 1).
  CHECK(w.get("/v1/closure", "").body.find(R"({"USD":189151184349560811})") != std::string::npos);
}

TEST_CASE("No look at the closure scans a table once a row", "[closure]") {
  TestWorld w;
  std::vector<std::string> plan;
  w.seen = [&](std::string_view, std::string_view effects) {
    for (const auto& need : carried<z0::QueryNeed>(effects)) {
      z0::Statement statement = need.statements.at(0);
      const std::string sql = "EXPLAIN QUERY PLAN " + std::string(statement.sql);
      statement.sql = sql;
      const auto answer = w.d1().run(statement);
      for (std::size_t i = 0; i < answer->rows.size(); ++i)
        plan.emplace_back(answer->rows.at(i, 3).bytes);
    }
  };
  w.get("/v1/closure", "");
  REQUIRE(plan.size() > 10);
  for (const auto& line : plan) {
    INFO(line);
    // The facts are always entered by their key, and what depends on a row is a leap in it.
    if (line.find("ledger_facts") != std::string::npos)
      CHECK(line.find("SEARCH ledger_facts USING PRIMARY KEY") == 0);
    if (line.find("CORRELATED") != std::string::npos)
      CHECK(line.find("CORRELATED SCALAR SUBQUERY") == 0);
    CHECK(line.find("AUTOMATIC") == std::string::npos);
  }
}
