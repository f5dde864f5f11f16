// Pages of other origins, and bodies that the host could not read.
#include <string>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::deposit;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr const char* ours = "https://app.example.com";
constexpr const char* settings =
    R"({"origin":"z0.example","cors_origins":["https://app.example.com","http://localhost:5173"]})";

Reply preflight(TestWorld& w, const std::string& url, const char* origin, const char* headers) {
  return z0::test::read_reply(w.request("OPTIONS", url,
                                        {{"origin", origin},
                                         {"access-control-request-method", "POST"},
                                         {"access-control-request-headers", headers}},
                                        {}));
}

}  // namespace

TEST_CASE("Without the setting no page of another origin may call", "[edge]") {
  TestWorld w;
  const Reply asked = preflight(w, "/v1/facts", ours, "authorization");
  CHECK(asked.status == 405);
  CHECK(asked.header("access-control-allow-origin").empty());
  const Reply r = w.post(deposit("f_1"), "north", "/v1/facts", {{"origin", ours}});
  CHECK(r.status == 201);
  for (const char* name :
       {"access-control-allow-origin", "access-control-expose-headers", "vary"}) {
    CHECK(r.header(name).empty());
  }
}

TEST_CASE("An origin that the setting names is asked for nothing but what it may", "[edge]") {
  TestWorld w;
  w.settings = settings;
  const Reply r =
      preflight(w, "/v1/facts", ours,
                "Authorization, content-type,x-evil,ce-source, Ce-Id ,\"x\",idempotency-key");
  CHECK(r.status == 204);
  CHECK(r.body.empty());
  CHECK(r.header("access-control-allow-origin") == ours);
  CHECK(r.header("access-control-allow-methods") == "GET, HEAD, POST");
  CHECK(r.header("access-control-allow-headers") ==
        "authorization, content-type, ce-source, ce-id, idempotency-key");
  CHECK(r.header("access-control-max-age") == "7200");
  CHECK(r.header("vary").find("origin") == 0);
  CHECK(r.header("access-control-allow-credentials").empty());
  CHECK(preflight(w, "/v1/configs/cfg_a", ours, "").header("access-control-allow-methods") ==
        "GET, HEAD, PUT");
  CHECK(preflight(w, "/v1/facts", ours, "").header("access-control-allow-headers").empty());
  CHECK(preflight(w, "/v1/nothing", ours, "").status == 404);
}

TEST_CASE("Only the whole origin counts", "[edge]") {
  TestWorld w;
  w.settings = settings;
  for (const char* origin :
       {"https://app.example.com.evil.example", "http://app.example.com", "https://example.com",
        "https://app.example.com:8443", "https://APP.example.com", "null", "*", "https://",
        "http://localhost:5174"}) {
    INFO(origin);
    CHECK(preflight(w, "/v1/facts", origin, "authorization").status == 405);
    const Reply r = w.post(deposit("f_1"), "north", "/v1/facts", {{"origin", origin}});
    CHECK(r.status <= 201);
    CHECK(r.header("access-control-allow-origin").empty());
  }
  for (const char* odd :
       {R"({"cors_origins":"https://app.example.com"})", R"({"cors_origins":[1]})",
        R"({"cors_origins":["*"]})", R"({"cors_origins":[""]})"}) {
    w.settings = odd;
    CHECK(preflight(w, "/v1/facts", ours, "authorization").status == 405);
    CHECK(preflight(w, "/v1/facts", "", "authorization").status == 405);
  }
}

TEST_CASE("Every answer may be read by the page that asked, refusals included", "[edge]") {
  TestWorld w;
  w.settings = settings;
  const z0::world::Headers page = {{"origin", "http://localhost:5173"}};
  const auto shared = [](const Reply& r) {
    INFO(r.status << ' ' << r.body.substr(0, 200));
    CHECK(r.header("access-control-allow-origin") == "http://localhost:5173");
    CHECK(r.header("access-control-expose-headers") ==
          "traceparent, retry-after, allow, www-authenticate");
    CHECK(r.header("vary") == "origin");
    CHECK_FALSE(r.header("traceparent").empty());
  };
  // Answers of the first half and of the second, in JSON and as text.
  shared(w.post(deposit("f_1"), "north", "/v1/facts", page));
  shared(w.post("{", "north", "/v1/facts", page));
  shared(w.ask("GET", "/v1/facts/acct_a", "north", {}, page));
  shared(w.ask("GET", "/v1/facts", "north", {}, page));
  shared(w.ask("GET", "/v1/report", "north", {}, page));
  shared(w.ask("GET", "/v1/ledgers/acct_a/checkpoint", "north", {}, page));
  shared(w.ask("DELETE", "/v1/facts", "north", {}, page));
  shared(w.ask("GET", "/v1/nothing", "north", {}, page));
  shared(z0::test::read_reply(w.request("GET", "/v1/facts", page, {})));
  shared(z0::test::read_reply(w.request("GET", "/healthz", page, {})));
  w.faults.call = [](std::string_view, z0_outcome& how, std::string&) {
    how = Z0_TIMEOUT;
    return true;
  };
  const Reply late = w.post(deposit("f_2"), "north", "/v1/facts", page);
  shared(late);
  CHECK_FALSE(late.header("retry-after").empty());
}

TEST_CASE("OPTIONS that asks for no method is no preflight", "[edge]") {
  TestWorld w;
  w.settings = settings;
  const Reply r = w.ask("OPTIONS", "/v1/facts", "north", {}, {{"origin", ours}});
  CHECK(r.status == 405);
  CHECK(r.header("allow") == "GET, HEAD, POST");
}

TEST_CASE("A body that the host could not decompress is told from an encoding that is not taken",
          "[edge]") {
  TestWorld w;
  struct Row {
    const char* encoding;
    const char* status;
    int http;
  };
  const Row rows[] = {{"gzip", "not_gzip", 400},
                      {"X-GZIP", "not_gzip", 400},
                      {"br", "unsupported_encoding", 415},
                      {"deflate", "unsupported_encoding", 415},
                      {"gzip, gzip", "unsupported_encoding", 415}};
  for (const Row& row : rows) {
    const z0::world::Headers encoded = {{"content-encoding", row.encoding}};
    for (const Reply& r :
         {w.post(deposit("f_1"), "north", "/v1/facts", encoded),
          w.ask("PUT", "/v1/configs/cfg_a", "north", "{}", encoded),
          w.ask("POST", "/v1/ledgers/acct_a/import?tenant=north", "", "", encoded)}) {
      INFO(row.encoding << ' ' << r.body);
      CHECK(r.text("status") == row.status);
      CHECK(r.status == row.http);
      CHECK(r.text("field") == "content-encoding");
    }
  }
  CHECK(w.post(deposit("f_1"), "north", "/v1/facts", {{"content-encoding", "Identity"}}).status ==
        201);
}
