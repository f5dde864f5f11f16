// Reads: tenants apart, facts across ledgers with their filters and pages, reports, the live
// window.
#include <set>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::deposit;
using z0::test::deposits;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr std::int64_t morning_ms = 1'700'000'000'000;

// A body without what differs from request to request.
std::string without_trace(const Reply& r) {
  Json j = r.json;
  j.erase("trace_id");
  return j.dump();
}

std::vector<std::string> ids_of(const Json& facts) {
  std::vector<std::string> ids;
  for (const auto& fact : facts) ids.push_back(fact.at("id"));
  return ids;
}

// Every page of a query, newest first.
std::vector<std::string> all_pages(TestWorld& w, const std::string& query, int limit,
                                   std::string_view who = "north") {
  std::vector<std::string> ids;
  std::string cursor;
  for (int pages = 0; pages < 200; ++pages) {
    const Reply r = w.get("/v1/facts?limit=" + std::to_string(limit) + query +
                              (cursor.empty() ? "" : "&cursor=" + cursor),
                          who);
    REQUIRE(r.status == 200);
    for (const auto& id : ids_of(r.json.at("facts"))) ids.push_back(id);
    CHECK(static_cast<int>(r.json.at("facts").size()) <= limit);
    if (r.json.at("cursor").is_null()) return ids;
    cursor = r.json.at("cursor");
  }
  FAIL("the pages do not end");
  return ids;
}

}  // namespace

TEST_CASE("Another tenant's ledger reads as one that does not exist, and cannot be written",
          "[edge]") {
  TestWorld w;
  w.post(deposit("f_1", "acct_a"), "south");
  w.deliver_all();
  for (const std::string route : {"/v1/facts/", "/v1/entities/"}) {
    const Reply theirs = w.get(route + "acct_a");
    const Reply nobodys = w.get(route + "acct_z");
    CHECK(theirs.status == 404);
    CHECK(without_trace(theirs) == without_trace(nobodys));
    CHECK(theirs.headers.size() == nobodys.headers.size());
    CHECK(w.get(route + "acct_a", "south").status == 200);
    CHECK(w.get(route + "acct_a", "").status == 200);
  }
  const Reply write = w.post(deposit("f_2"));
  CHECK(write.status == 403);
  CHECK(write.text("status") == "forbidden");
  // Also a retry of a fact that is there, so that nobody learns which ids are taken.
  CHECK(without_trace(w.post(deposit("f_1"))).find("\"forbidden\"") != std::string::npos);
  CHECK(w.get("/v1/entities/acct_a", "south").json.at("seq") == 1);
  CHECK(w.get("/v1/facts").json.at("facts").empty());
  CHECK(w.get("/v1/report").json.at("tenants").empty());
  CHECK(w.get("/v1/report").json.at("accounts").empty());
  CHECK(w.get("/v1/facts", "south").json.at("facts").size() == 1);
  CHECK(w.get("/v1/facts?tenant=south", "").json.at("facts").size() == 1);
  CHECK(w.get("/v1/facts?tenant=north", "").json.at("facts").empty());
  CHECK(w.get("/v1/facts", "").json.at("facts").size() == 1);
}

TEST_CASE("A fact reads the same from its ledger and from D1", "[edge]") {
  TestWorld w;
  const std::string full =
      R"({"id":"f_1","type":"correction","subtype":"refund","timestamp":1700000000007,"entity_id":"acct_a","source_id":"s",)"
      R"("asset_id":"ast_1","campaign_id":"cmp_1","tool_id":"tool_1","user_id":"usr_1","config_id":"cfg",)"
      R"("config_version":3,"amount":-9007199254740991,"currency":"EUR",)"
      R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",)"
      R"("data":{"reason":"a\u0000b \"q\" \ud83d\ude00","n":[1.50,1e2,-0,12345678901234567890],"deep":{"x":{}}}})";
  CHECK(
      w.post(
           R"({"id":"s","type":"deposit","timestamp":1700000000008,"entity_id":"acct_a","amount":9007199254740991,"currency":"EUR"})")
          .status == 201);
  CHECK(w.post(full).status == 201);
  CHECK(w.post(R"({"id":"f_2","type":"note","timestamp":1700000000006,"entity_id":"acct_a"})")
            .status == 201);
  w.deliver_all();
  Json from_ledger = w.get("/v1/facts/acct_a").json.at("facts");
  const Json from_d1 = w.get("/v1/facts").json.at("facts");
  REQUIRE(from_d1.size() == 3);
  CHECK(from_d1 == from_ledger);
  CHECK(from_d1.at(1).at("corrects") == "deposit");
  CHECK(w.get("/v1/facts").body.find(R"("n":[1.50,1e2,-0,12345678901234567890])") !=
        std::string::npos);
  CHECK(from_d1.at(1).at("amount") == -9007199254740991);
}

TEST_CASE("A head tells what a ledger holds", "[edge]") {
  TestWorld w;
  w.post(list({deposit("f_1"), deposit("f_2"),
               R"({"id":"f_3","type":"lead_scored","entity_id":"acct_a"})"}));
  w.now_ms += 10;
  w.post(R"({"id":"f_4","type":"custom","entity_id":"acct_a"})");
  const Json head = w.get("/v1/entities/acct_a").json;
  CHECK(head.at("entity_id") == "acct_a");
  CHECK(head.at("type") == "account");
  CHECK(head.at("tenant_id") == "north");
  CHECK(head.at("seq") == 4);
  CHECK(head.at("recorded_at") == 1774915200010);
  CHECK(head.at("created_at") == 1774915200000);
  CHECK(head.at("replicated_seq") == 0);
  CHECK(head.at("counts").dump() == R"({"custom":1,"deposit":2,"lead_scored":1})");
  w.deliver_all();
  w.now_ms += z0::limits::confirm_after_ms;
  w.run_alarms();
  CHECK(w.get("/v1/entities/acct_a").json.at("replicated_seq") == 4);
}

TEST_CASE("Facts across ledgers are filtered and come newest first, page by page", "[edge]") {
  TestWorld w;
  std::set<std::string> all;
  std::vector<std::string> facts;
  for (int i = 0; i < 50; ++i) {
    const std::string id = "f_" + std::to_string(i);
    all.insert(id);
    // Many share a timestamp, so that pages end among equals.
    facts.push_back(deposit(id, "acct_" + std::to_string(i % 3), 5,
                            ",\"timestamp\":" + std::to_string(morning_ms + i / 9)));
  }
  w.post(list(facts));
  w.post(
      R"({"id":"n_1","type":"note","entity_id":"acct_0","timestamp":1700000000002,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"})");
  w.faults.call = [](std::string_view, z0_outcome& how, std::string&) {
    how = Z0_TIMEOUT;
    return true;
  };
  std::set<std::string> failed;
  for (int i = 0; i < 7; ++i) {
    w.now_ms += i % 2;
    const std::string id = "x_" + std::to_string(i);
    w.post(deposit(id, "acct_0", 5, ",\"timestamp\":" + std::to_string(morning_ms + i)));
    failed.insert(id);
  }
  w.faults.call = nullptr;
  w.deliver_all();
  for (const int limit : {1, 2, 7, 13, 100, 1000}) {
    const auto recorded = all_pages(w, "&status=recorded&type=deposit", limit);
    CHECK(std::set<std::string>(recorded.begin(), recorded.end()) == all);
    CHECK(recorded.size() == all.size());
    const auto attempts = all_pages(w, "&status=failed", limit);
    CHECK(std::set<std::string>(attempts.begin(), attempts.end()) == failed);
    CHECK(attempts.size() == failed.size());
    const auto both = all_pages(w, "", limit);
    CHECK(both.size() == all.size() + failed.size() + 1);
    CHECK(std::set<std::string>(both.begin(), both.end()).size() == both.size());
  }
  const Json newest = w.get("/v1/facts?limit=1000").json.at("facts");
  for (std::size_t i = 1; i < newest.size(); ++i)
    CHECK(newest.at(i - 1).at("timestamp") >= newest.at(i).at("timestamp"));
  CHECK(all_pages(w, "&trace_id=4bf92f3577b34da6a3ce929d0e0e4736", 10) ==
        std::vector<std::string>{"n_1"});
  CHECK(all_pages(w, "&type=note", 10) == std::vector<std::string>{"n_1"});
  CHECK(all_pages(w, "&type=memo", 10).empty());
  CHECK(
      all_pages(w, "&from=1700000000002&to=1700000000002&type=deposit&status=recorded", 4).size() ==
      9);
  CHECK(all_pages(w, "&from=1700000000005", 4).size() == 7);
  CHECK(w.get("/v1/facts").json.at("facts").size() == 58);
  const Json attempt = w.get("/v1/facts?status=failed&limit=1").json.at("facts").at(0);
  CHECK(attempt.at("status") == "failed");
  CHECK_FALSE(attempt.contains("seq"));
  CHECK(attempt.at("data").at("error").at("code") == "timeout");
}

TEST_CASE("The report adds up each tenant's money by currency", "[edge]") {
  TestWorld w;
  w.post(list(
      {deposit("f_1", "acct_a", 1000),
       R"({"id":"f_2","type":"credit_issued","entity_id":"acct_a","amount":50})",
       R"({"id":"f_3","type":"charge","entity_id":"acct_a","source_id":"o","amount":300})",
       R"({"id":"f_4","type":"charge","entity_id":"acct_a","source_id":"o","amount":7,"currency":"EUR"})",
       R"({"id":"f_5","type":"correction","entity_id":"acct_a","source_id":"f_3","amount":-100,"data":{"reason":"r"}})",
       R"({"id":"f_6","type":"cost","entity_id":"acct_a","source_id":"i","amount":0})",
       R"({"id":"f_7","type":"payout","entity_id":"acct_p","source_id":"o","amount":40})",
       R"({"id":"f_8","type":"invocation","entity_id":"ast_1","asset_id":"ast_1","tool_id":"t","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"})",
       R"({"id":"f_9","type":"outcome","entity_id":"ast_1","source_id":"f_8","subtype":"sale"})"}));
  w.post(deposit("f_1", "acct_s", 9), "south");
  w.deliver_all();
  const Json report = w.get("/v1/report").json;
  CHECK(report.at("accounts").at("acct_a").dump() ==
        R"({"credits":50,"deposited":1000,"other_currencies":{"EUR":{"credits":0,"deposited":0,)"
        R"("remaining":-7,"spent":7}},"remaining":850,"spent":200})");
  CHECK(report.at("accounts").size() == 2);
  CHECK(report.at("recorded_by_type").at("charge") == 2);
  const Json& north = report.at("tenants").at("north");
  CHECK(north.at("charges") == 2);
  CHECK(north.at("revenue_cents") == 200);
  CHECK(north.at("other_currencies").at("EUR").at("charge") == 7);
  CHECK(north.at("costs") == 1);
  CHECK(north.at("cost_cents") == 0);
  CHECK(north.at("payout_cents") == 40);
  CHECK(north.at("invocations") == 1);
  CHECK(north.at("outcomes") == 1);
  CHECK(north.at("top_assets").at("ast_1") == 1);
  CHECK(report.at("tenants").size() == 1);
  CHECK(w.get("/v1/report", "").json.at("tenants").size() == 2);
  CHECK(w.get("/v1/report?tenant=south", "").json.at("tenants").size() == 1);
}

TEST_CASE("The report is net of corrections, in every currency", "[edge]") {
  TestWorld w;
  const auto fact = [](const char* type, const char* id, int amount, const std::string& more) {
    return R"({"type":")" + std::string(type) + R"(","id":")" + id +
           R"(","entity_id":"acct_a","amount":)" + std::to_string(amount) + more + '}';
  };
  const auto take_back = [&fact](const char* source, int amount, const std::string& more) {
    const std::string id = std::string("back_") + source;
    return fact("correction", id.c_str(), amount,
                R"(,"data":{"reason":"r"},"source_id":")" + std::string(source) + '"' + more);
  };
  const std::string from = R"(,"source_id":"o")";
  const std::string yen = R"(,"currency":"JPY")";
  w.post(
      list({fact("charge", "c", 500, from), take_back("c", -500, {}), fact("cost", "k", 70, from),
            take_back("k", -20, {}), fact("payout", "p", 9, from + yen), take_back("p", -4, yen),
            fact("charge", "y", 800, from + yen), take_back("y", -100, yen),
            fact("deposit", "d", 300, yen), take_back("d", -300, yen)}));
  w.deliver_all();
  const Json report = w.get("/v1/report").json;
  const Json& tenant = report.at("tenants").at("north");
  const Json& account = report.at("accounts").at("acct_a");
  CHECK(tenant.at("revenue_cents") == 0);
  CHECK(account.at("spent") == 0);
  CHECK(tenant.at("cost_cents") == 50);
  CHECK(tenant.at("payout_cents") == 0);
  CHECK(tenant.at("charges") == 2);
  CHECK(tenant.at("other_currencies").dump() == R"({"JPY":{"charge":700,"payout":5}})");
  CHECK(account.at("other_currencies").dump() ==
        R"({"JPY":{"credits":0,"deposited":0,"remaining":-700,"spent":700}})");
  CHECK(report.at("recorded_by_type").at("correction") == 5);
}

TEST_CASE("The live window tells what the last requests did", "[edge]") {
  TestWorld w;
  w.post(list({deposit("f_1"), deposit("f_2"), deposit("f_1"), deposit("f_1", "acct_a", 6), "5"}));
  w.faults.call = [](std::string_view object, z0_outcome& how, std::string&) {
    how = Z0_TIMEOUT;
    return object == "account_acct_b";
  };
  w.post(deposit("f_3", "acct_b"));
  w.now_ms += 1000;
  const Json live = w.get("/v1/live", "").json;
  CHECK(live.at("recorded") == 2);
  CHECK(live.at("duplicate") == 1);
  CHECK(live.at("conflict") == 1);
  CHECK(live.at("refused") == 1);
  CHECK(live.at("failed") == 1);
  CHECK(live.at("by_type").dump() == R"({"deposit":2})");
  CHECK(live.at("facts_per_second").size() == 120);
  CHECK(live.at("facts_per_second").at(119) == 2);
  CHECK(live.at("replication").at("depth") == 2);
  CHECK(live.at("latest").size() == 5);
  CHECK(live.at("latest").at(0).at("status") == "timeout");
  CHECK(live.at("latest").at(4).at("id") == "f_1");
  w.deliver_all();
  CHECK(w.get("/v1/live", "").json.at("replication").at("depth") == 0);
}

TEST_CASE("A request tells of its last facts, the newest last", "[edge]") {
  TestWorld w;
  w.post(deposits("f_", 0, 37));
  const Json latest = w.get("/v1/live", "").json.at("latest");
  REQUIRE(latest.size() == z0::limits::latest_per_report);
  for (int i = 0; i < static_cast<int>(latest.size()); ++i)
    CHECK(latest.at(static_cast<std::size_t>(i)).at("id") == "f_" + std::to_string(36 - i));
}

TEST_CASE("Large facts make short pages, not large frames", "[edge]") {
  TestWorld w;
  const std::string data = R"(,"data":{"a":")" + std::string(60'000, 'x') + "\"}";
  for (int i = 0; i < 90; i += 45) w.post(deposits("f_", i, 45, "acct_a", data));
  w.largest_frame = 0;
  std::int64_t seen = 0;
  int pages = 0;
  for (std::int64_t from = 1; from != 0; ++pages) {
    const Reply r = w.get("/v1/facts/acct_a?limit=1000&from_seq=" + std::to_string(from));
    REQUIRE(r.status == 200);
    for (const auto& fact : r.json.at("facts")) REQUIRE(fact.at("seq") == ++seen);
    from = r.json.at("next_seq").is_null() ? 0 : r.json.at("next_seq").get<std::int64_t>();
  }
  CHECK(seen == 90);
  CHECK(pages == 2);
  CHECK(w.largest_frame < z0::limits::frame_bytes_max / 8);
}

TEST_CASE("Facts too large for one page make more pages, and none is lost", "[edge]") {
  TestWorld w;
  const std::string filler(60'000, 'x');
  std::vector<std::string> posted;
  for (int i = 0; i < 300; ++i) {
    const std::string id = "f_" + std::to_string(1000 + i);
    w.post(R"({"id":")" + id + R"(","type":"note","entity_id":"acct_a","timestamp":)" +
           std::to_string(morning_ms + i) + R"(,"data":{"text":")" + filler + "\"}}");
    posted.insert(posted.begin(), id);
  }
  w.deliver_all();
  w.largest_frame = 0;
  const Reply first = w.get("/v1/facts?limit=1000");
  CHECK(first.status == 200);
  CHECK(first.json.at("facts").size() < 300);
  CHECK(w.largest_frame < 12'000'000);
  CHECK(all_pages(w, "", 1000) == posted);
}

TEST_CASE("Sums beyond 64 bits are reported to the last cent", "[edge]") {
  TestWorld w;
  w.post(list(
      {R"({"type":"deposit","id":"d","entity_id":"acct_a","amount":9007199254740991})",
       R"({"type":"charge","id":"c","entity_id":"acct_a","amount":9007199254740991,"source_id":"o"})"}));
  w.deliver_all();
  // A ledger refuses such sums; D1 takes the rows: 2,000 x (2^53 - 1) =
  // 18,014,398,509,481,982,000, and 7 charges of as much.
  const auto others = w.d1().run(
      {"WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 2001) INSERT INTO "
       "ledger_facts SELECT tenant_id, type, timestamp, entity_id, i, id, subtype, source_id, "
       "asset_id, campaign_id, tool_id, user_id, config_id, config_version, amount, currency, "
       "trace_id, recorded_at, data, corrects FROM n JOIN ledger_facts ON type = 'deposit' OR i <= "
       "8",
       {}});
  REQUIRE(others->rows.changes == 1999 + 6);
  const Reply r = w.get("/v1/report");
  CHECK(r.body.find(R"("deposited":18014398509481982000,)") != std::string::npos);
  CHECK(r.body.find(R"("spent":63050394783186937)") != std::string::npos);
  CHECK(r.body.find(R"("remaining":17951348114698795063,)") != std::string::npos);
  CHECK(r.body.find(R"("revenue_cents":63050394783186937,)") != std::string::npos);
}

TEST_CASE("Amounts of a trace add up beyond 64 bits", "[edge]") {
  TestWorld w;
  w.post(R"({"type":"deposit","id":"d","entity_id":"acct_a","amount":500,"trace_id":")" +
         std::string(32, 'a') + "\"}");
  w.deliver_all();
  const auto others = w.d1().run(
      {"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2001), made(of, "
       "most) AS (VALUES ('payout', 9007199254740991), ('correction', -9007199254740991)) INSERT "
       "INTO ledger_facts SELECT tenant_id, of, timestamp, entity_id, i, id, subtype, source_id, "
       "asset_id, campaign_id, tool_id, user_id, config_id, config_version, most, currency, "
       "trace_id, recorded_at, data, corrects FROM n JOIN made JOIN ledger_facts",
       {}});
  REQUIRE(others->rows.changes == 2 * 2000);
  const Reply r = w.get("/v1/traces/" + std::string(32, 'a'));
  REQUIRE(r.status == 200);
  const auto moved = [&r](const char* what) {
    return r.body.find(R"({"type":")" + std::string(what) + '}') != std::string::npos;
  };
  CHECK(moved(R"(correction","currency":"USD","count":2000,"amount":-18014398509481982000)"));
  CHECK(moved(R"(deposit","currency":"USD","count":1,"amount":500)"));
  CHECK(moved(R"(payout","currency":"USD","count":2000,"amount":18014398509481982000)"));
}
