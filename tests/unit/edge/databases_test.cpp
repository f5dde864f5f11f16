// Reads over tenants whose reporting copies lie in several databases.
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::Json;
using z0::test::Reply;
using z0::test::TestWorld;

struct Place {
  const char* binding;
  const char* tenant;
};
constexpr Place places[] = {{"DB", "mid"}, {"DB_2", "big"}, {"DB_3", "huge"}};

// 30 charges in turn, three of each moment, and every fifth one an attempt that failed. Their ids,
// newest first.
std::vector<std::string> fill(TestWorld& w, const std::string& data = "{}") {
  w.settings = R"({"databases":{"DB_2":["big"],"DB_3":["huge"]}})";
  std::vector<std::string> ids;
  for (int i = 0; i < 30; ++i) {
    // At one moment the entity decides: acct_big, acct_huge, acct_mid.
    const Place& place = places[(i + 1) % 3];
    const bool failed = i % 5 == 4;
    const std::string id = "f_" + std::to_string(i);
    const std::string values = ") VALUES ('" + std::string(place.tenant) + "', 'charge', " +
                               std::to_string(1'700'000'000'100 + i / 3) + ", 'acct_" +
                               place.tenant + "', " + std::to_string(i + 1) + ", '" + id +
                               "', 10, 'USD', '" + data + "', " +
                               (failed ? "'4bf92f3577b34da6a3ce929d0e0e4736'" : "1") + ')';
    const std::string names = "tenant_id, type, timestamp, entity_id, ";
    w.d1(place.binding)
        .script(failed ? "INSERT INTO failed_facts (" + names +
                             "attempted_at, id, amount, currency, data, trace_id" + values
                       : "INSERT INTO ledger_facts (" + names +
                             "seq, id, amount, currency, data, recorded_at" + values);
    ids.insert(ids.begin(), id);
  }
  return ids;
}

std::vector<std::string> all_pages(TestWorld& w, const std::string& query, int limit,
                                   std::string_view who = "") {
  std::vector<std::string> ids;
  std::string cursor;
  for (int pages = 0; pages < 50; ++pages) {
    const Reply r = w.get("/v1/facts?limit=" + std::to_string(limit) + query + cursor, who);
    REQUIRE(r.status == 200);
    CHECK(static_cast<int>(r.json.at("facts").size()) <= limit);
    for (const auto& fact : r.json.at("facts")) ids.push_back(fact.at("id"));
    if (r.json.at("cursor").is_null()) return ids;
    cursor = "&cursor=" + r.json.at("cursor").get<std::string>();
  }
  FAIL("the pages do not end");
  return ids;
}

}  // namespace

TEST_CASE("Pages of facts of several databases are one list, newest first", "[edge]") {
  TestWorld w;
  const auto ids = fill(w);
  for (const int limit : {1, 2, 7, 29, 30, 31, 100}) CHECK(all_pages(w, "", limit) == ids);
  CHECK(all_pages(w, "&status=failed", 4).size() == 6);
  CHECK(all_pages(w, "&status=recorded", 4).size() == 24);
  CHECK(all_pages(w, "&from=1700000000103&to=1700000000104", 4) ==
        std::vector<std::string>(ids.begin() + 15, ids.begin() + 21));
  CHECK(w.get("/v1/facts?limit=30", "").json.at("facts").at(0).at("tenant_id") == "mid");
}

TEST_CASE("A tenant's reads ask its own database and no other", "[edge]") {
  TestWorld w;
  fill(w);
  int asked = 0;
  w.faults.query = [&] { return ++asked == 0; };
  for (const auto& place : places) {
    asked = 0;
    CHECK(all_pages(w, "", 100, place.tenant).size() == 10);
    CHECK(w.get(std::string("/v1/facts?tenant=") + place.tenant, "").json.at("facts").size() == 10);
    CHECK(w.get("/v1/report", place.tenant).json.at("tenants").size() == 1);
    CHECK(w.get("/v1/configs/gaps", place.tenant).status == 200);
    CHECK(w.get("/v1/closure?from=0", place.tenant).json.at("orphans").size() == 8);
    CHECK(asked == 5);
  }
  asked = 0;
  CHECK(w.get("/v1/report", "").status == 200);
  CHECK(asked == 3);
  // One that fails fails all: a list with holes would pass for a whole one.
  for (const char* url : {"/v1/facts", "/v1/report", "/v1/closure", "/v1/configs/gaps"}) {
    asked = 0;
    w.faults.query = [&] { return ++asked == 2; };
    CHECK(w.get(url, "").status == 503);
  }
}

TEST_CASE("Facts too large for one page lose none, however many databases there are", "[edge]") {
  TestWorld w;
  const auto ids = fill(w, R"({"a":")" + std::string(900'000, 'x') + "\"}");
  w.largest_frame = 0;
  const Reply first = w.get("/v1/facts", "");
  CHECK(first.json.at("facts").size() < 30);
  CHECK(w.largest_frame < 24'000'000);
  CHECK(all_pages(w, "", 100) == ids);
}

TEST_CASE("A report of several databases is the report of all their tenants", "[edge]") {
  TestWorld w;
  fill(w);
  const Json report = w.get("/v1/report", "").json;
  REQUIRE(report.at("tenants").size() == 3);
  CHECK(report.at("recorded_by_type").dump() == R"({"charge":24})");
  for (const auto& place : places) {
    CHECK(report.at("tenants").at(place.tenant) ==
          w.get("/v1/report", place.tenant).json.at("tenants").at(place.tenant));
    CHECK(report.at("tenants").at(place.tenant).at("revenue_cents") == 80);
    CHECK(report.at("accounts").at(std::string("acct_") + place.tenant).at("spent") == 80);
  }
}
