// Who may: tokens that are refused, and the routes that each scope opens.
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/core/core.hpp"

namespace {

using z0::test::deposit;
using z0::test::Reply;
using z0::test::TestWorld;
using z0::world::Headers;

}  // namespace

TEST_CASE("Tokens that are absent, foreign, expired or too small are refused alike", "[edge]") {
  TestWorld w;
  const auto ask = [&](const Headers& headers, const char* url = "/v1/facts") {
    return z0::test::read_reply(w.request("GET", url, headers, {}));
  };
  const Headers good = w.authorization("north", z0::scope_facts_read);
  CHECK(ask(good).status == 200);
  const std::string bearer = good[0].second;
  for (const char* scheme : {"bearer ", "BEARER ", "bEARER  "}) {
    CHECK(ask({{"authorization", scheme + bearer.substr(7)}}).status == 200);
  }
  std::set<std::string> messages;
  for (const Headers& headers :
       std::vector<Headers>{{},
                            {{"authorization", ""}},
                            {{"authorization", "Bearer "}},
                            {{"authorization", "Bearer x"}},
                            {{"authorization", bearer + "x"}},
                            {{"authorization", bearer.substr(0, bearer.size() - 2)}},
                            {{"authorization", "Basic " + bearer.substr(7)}},
                            {{"authorization", "bearer"}},
                            {{"authorization", "Bearer" + bearer.substr(7)}},
                            {{"authorization", "Bearers " + bearer.substr(7)}},
                            {{"authorization", bearer.substr(7)}}}) {
    const Reply r = ask(headers);
    CHECK(r.status == 401);
    messages.insert(r.text("message"));
  }
  w.secrets = "another";
  CHECK(ask(good).status == 401);
  w.secrets = "another,world-secret";  // rotated: the old one still verifies
  CHECK(ask(good).status == 200);
  w.now_ms += 3'599'999;
  CHECK(ask(good).status == 200);
  w.now_ms += 1;
  const Reply expired = ask(good);
  CHECK(expired.status == 401);
  messages.insert(expired.text("message"));
  CHECK(messages.size() == 1);
}

TEST_CASE("A scope opens its own routes and no other", "[edge]") {
  TestWorld w;
  w.post(deposit("f_1"));
  struct Route {
    const char* method;
    const char* url;
    std::uint8_t scope;
    bool operators_only;
  };
  const Route routes[] = {{"POST", "/v1/facts", z0::scope_facts_write, false},
                          {"GET", "/v1/facts", z0::scope_facts_read, false},
                          {"GET", "/v1/facts/acct_a", z0::scope_facts_read, false},
                          {"GET", "/v1/entities/acct_a", z0::scope_facts_read, false},
                          {"GET", "/v1/report", z0::scope_facts_read, false},
                          {"GET", "/v1/live", z0::scope_ops, true}};
  for (const auto& route : routes) {
    for (const std::string tenant : {"north", ""}) {
      for (std::uint8_t scope : {z0::scope_facts_write, z0::scope_facts_read,
                                 z0::scope_telemetry_write, z0::scope_ops}) {
        const std::string body = tenant.empty()
                                     ? deposit("f_1", "acct_a", 5, R"(,"tenant_id":"north")")
                                     : deposit("f_1");
        const auto r = z0::test::read_reply(
            w.request(route.method, route.url, w.authorization(tenant, scope), body));
        const bool open = scope == route.scope && (!route.operators_only || tenant.empty());
        INFO(route.method << ' ' << route.url << " for '" << tenant << "' with "
                          << z0::scope_names(scope));
        CHECK(r.status == (open ? 200 : 403));
        if (!open) CHECK(r.text("status") == "scope_missing");
        if (!open) CHECK(r.text("field") == z0::scope_names(route.scope));
      }
    }
  }
  const auto health = z0::test::read_reply(w.request("GET", "/healthz", {}, {}));
  CHECK(health.status == 200);
  CHECK(health.text("status") == "ok");
  CHECK_FALSE(health.text("version").empty());
}
