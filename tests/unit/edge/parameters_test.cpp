// What stands beside the body: parameters, methods and headers.
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::deposit;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr const char* post_url = "/v1/facts";

Reply keyed(TestWorld& w, const std::string& key, const std::string& body,
            const char* type = "application/json") {
  return w.post(body, "north", post_url, {{"idempotency-key", key}, {"content-type", type}});
}

// A deposit without an id.
std::string nameless(int amount = 5) {
  return R"({"type":"deposit","entity_id":"acct_a","amount":)" + std::to_string(amount) + '}';
}

}  // namespace

TEST_CASE("Parameters that are unknown, without a value or given twice are refused", "[edge]") {
  TestWorld w;
  w.post(deposit("f_1"));
  struct Row {
    const char* method;
    const char* url;
    const char* field;
  };
  for (const auto& [method, url, field] :
       {Row{"POST", "/v1/facts?atomc=true", "atomc"},
        Row{"POST", "/v1/facts?atomic=true&atomic=false", "atomic"},
        Row{"POST", "/v1/facts?atomic=", "atomic"}, Row{"POST", "/v1/facts?atomic", "atomic"},
        Row{"GET", "/v1/facts?limitt=5", "limitt"},
        Row{"GET", "/v1/facts?limit=5&limit=6", "limit"}, Row{"GET", "/v1/facts?limit=", "limit"},
        Row{"GET", "/v1/facts?tenant=", "tenant"}, Row{"GET", "/v1/facts?from=", "from"},
        Row{"GET", "/v1/facts?cursor=", "cursor"}, Row{"GET", "/v1/facts?=", "="},
        Row{"GET", "/v1/facts/acct_a?type=deposit", "type"},
        Row{"GET", "/v1/facts/acct_a?types=", "types"}, Row{"GET", "/v1/entities/acct_a?x=", "x"},
        Row{"GET", "/v1/entities/acct_a/state?cache=BudgetState&as_of=", "as_of"},
        Row{"GET", "/v1/report?type=charge", "type"}, Row{"GET", "/v1/report?tenant=", "tenant"},
        Row{"GET", "/healthz?x=1", nullptr}, Row{"GET", "/v1/facts?&", nullptr}}) {
    INFO(url);
    const Reply r = w.ask(method, url, "north", deposit("f_2"), {});
    CHECK(r.status == (field == nullptr ? 200 : 400));
    if (field != nullptr) CHECK(r.text("field") == field);
  }
  // An operator whose script has an empty variable is not answered with all tenants.
  CHECK(w.get("/v1/report?tenant=", "").status == 400);
  CHECK(w.get("/v1/entities/acct_a").json.at("seq") == 1);
}

TEST_CASE("An error of a closed list of values names the values", "[edge]") {
  TestWorld w;
  struct Row {
    const char* method;
    const char* url;
    const char* field;
    const char* action;
  };
  for (const auto& [method, url, field, action] :
       {Row{"POST", "/v1/facts?atomic=yes", "atomic", "Set `atomic` to true or false."},
        Row{"GET", "/v1/facts/acct_a?records=1", "records", "Set `records` to true or false."},
        Row{"GET", "/v1/facts?status=odd", "status", "Set `status` to recorded or failed."},
        Row{"GET", "/v1/entities/acct_a/state?cache=budget", "cache",
            "Set `cache` to BudgetState, CapState, AccessState, ContactCanonical or ConfigState."},
        Row{"GET", "/v1/entities/acct_a/state", "cache",
            "Set `cache` to BudgetState, CapState, AccessState, ContactCanonical or ConfigState."},
        Row{"POST", "/v1/ledgers/acct_a/reconcile?from=1", "from", "Set `from` to start."},
        Row{"POST", "/v1/ledgers/acct_a/replicate?from=1", "from", "Set `from` to start."}}) {
    INFO(url);
    const Reply r = w.ask(method, url, "", deposit("f_1"), {});
    CHECK(r.status == 400);
    CHECK(r.text("status") == "bad_parameter");
    CHECK(r.text("field") == field);
    CHECK(r.text("action") == action);
  }
}

TEST_CASE("A method that an address does not take is answered with those it takes", "[edge]") {
  TestWorld w;
  struct Row {
    const char* method;
    const char* url;
    const char* allow;
    const char* action;
  };
  for (const auto& [method, url, allow, action] :
       {Row{"DELETE", "/v1/facts", "GET, HEAD, POST", "Use GET to read, POST to send."},
        Row{"PUT", "/v1/report", "GET, HEAD", "Use GET to read."},
        Row{"POST", "/v1/configs/cfg_a", "GET, HEAD, PUT", "Use GET to read, PUT to write."},
        Row{"GET", "/v1/ledgers/acct_a/import", "POST", "Use POST to send."},
        Row{"HEAD", "/v1/ledgers/acct_a/import", "POST", "Use POST to send."}}) {
    INFO(method << ' ' << url);
    const Reply r = w.ask(method, url, "", {}, {});
    CHECK(r.status == 405);
    CHECK(r.text("status") == "method_not_allowed");
    CHECK(r.header("allow") == allow);
    CHECK(r.text("action") == action);
    CHECK(r.header("cache-control") == "no-store");
    CHECK_FALSE(r.header("traceparent").empty());
  }
  CHECK(w.get("/v1/nothing").header("allow").empty());
}

TEST_CASE("Media types and codings are the same in capitals", "[edge]") {
  const std::string lines = deposit("f_1") + '\n' + deposit("f_2");
  for (const char* type : {"Application/X-NDJSON", "application/ndjson; charset=utf-8",
                           "APPLICATION/JSONL", " application/x-ndjson ;x=y"}) {
    TestWorld w;
    INFO(type);
    CHECK(w.post(lines, "north", post_url, {{"content-type", type}}).status == 200);
  }
  for (const char* type : {"application/x-ndjsonish", "application/json;application/jsonl"}) {
    TestWorld w;
    INFO(type);
    CHECK(w.post(lines, "north", post_url, {{"content-type", type}}).status == 400);
  }
  for (const char* coding : {"Identity", "IDENTITY", " identity "}) {
    TestWorld w;
    INFO(coding);
    CHECK(w.post(deposit("f_1"), "north", post_url, {{"content-encoding", coding}}).status == 201);
  }
}

TEST_CASE("The header Idempotency-Key is the id of a single fact that has none", "[edge]") {
  TestWorld w;
  const Reply first = keyed(w, "key_1", nameless());
  CHECK(first.status == 201);
  CHECK(first.text("id") == "key_1");
  w.now_ms += 1'000;
  const Reply again = keyed(w, "key_1", nameless());
  CHECK(again.status == 200);
  CHECK(again.text("status") == "duplicate");
  CHECK(keyed(w, "key_1", nameless(6)).text("status") == "conflict");
  CHECK(keyed(w, "key_2", deposit("key_2")).status == 201);
  // Without one, each request is a fact of its own.
  CHECK(w.post(nameless()).status == 201);
  CHECK(w.post(nameless()).status == 201);
  CHECK(w.get("/v1/entities/acct_a").json.at("seq") == 4);
}

TEST_CASE("An Idempotency-Key that cannot be the fact's id is refused", "[edge]") {
  TestWorld w;
  struct Row {
    std::string key;
    std::string body;
    const char* type;
  };
  const char* json = "application/json";
  for (const auto& [key, body, type] :
       std::vector<Row>{{"", nameless(), json},
                        {"\"key_1\"", nameless(), json},
                        {"a b", nameless(), json},
                        {"key_1, key_2", nameless(), json},
                        {std::string(129, 'k'), nameless(), json},
                        {"key_1", deposit("key_2"), json},
                        {"key_1", '[' + nameless() + ']', json},
                        {"key_1", "[]", json},
                        {"key_1", '[' + deposit("key_1") + ']', json},
                        {"key_1", nameless(), "application/x-ndjson"}}) {
    INFO(key << ' ' << type << ' ' << body);
    const Reply r = keyed(w, key, body, type);
    CHECK(r.status == 400);
    CHECK(r.text("status") == "bad_parameter");
    CHECK(r.text("field") == "idempotency-key");
    CHECK(r.text("action").find("single fact") != std::string::npos);
  }
  CHECK(w.get("/v1/entities/acct_a").status == 404);
  // What cannot be read at all is told first.
  CHECK(keyed(w, "key_1", deposit("key_2") + '}').text("status") == "not_json");
}

TEST_CASE("Seconds are refused as a fact's time with words that name milliseconds", "[edge]") {
  TestWorld w;
  const auto note = [](const std::string& id, const std::string& time) {
    return R"({"type":"note","entity_id":"acct_a","id":")" + id + R"(","timestamp":)" + time + '}';
  };
  const Reply r = w.post(z0::test::list(
      {note("f_1", std::to_string(w.now_ms)), note("f_2", std::to_string(w.now_ms / 1'000)),
       note("f_3", "253402300799999"), note("f_4", "\"2026-03-30T10:15:00+02:00\""),
       note("f_5", "\"2026-03-30T10:15:00\"")}));
  CHECK(r.statuses() == "recorded number_out_of_range number_out_of_range recorded invalid_value");
  for (const std::size_t refused : {1u, 2u, 4u}) {
    CHECK(r.item(refused).at("http") == 422);
    CHECK(r.item(refused).at("field") == "timestamp");
    CHECK(r.item(refused).at("id") == "f_" + std::to_string(refused + 1));
    CHECK(r.item(refused).at("action").get<std::string>().find("milliseconds since 1970") !=
          std::string::npos);
  }
  CHECK(w.get("/v1/facts/acct_a").json.at("facts").at(1).at("timestamp") == 1774858500000);
}

TEST_CASE("A parameter that is a time takes milliseconds and RFC 3339, and no seconds", "[edge]") {
  TestWorld w;
  REQUIRE(
      w.ask("PUT", "/v1/configs/cfg_a", "north",
            R"({"type":"budget","scope":"entity","applies_to":"acct_a","settings":{"limit":1}})",
            {})
          .status == 201);
  w.post(deposit("f_1"));
  w.deliver_all();
  const std::string places[] = {
      "/v1/facts?from=",          "/v1/facts?to=",
      "/v1/closure?from=",        "/v1/closure?to=",
      "/v1/configs/cfg_a?as_of=", "/v1/entities/acct_a/state?cache=BudgetState&as_of="};
  for (const std::string& place : places) {
    for (const char* good :
         {"1774915200000", "2026-03-31T00:00:00Z", "2026-03-31T02:00:00%2B02:00",
          "2026-03-31T02:00:00+02:00", "2026-03-30T23:00:00.5-01:00", "9999-12-31T23:59:59Z"}) {
      INFO(place << good);
      CHECK(w.get(place + good).status == 200);
    }
    for (const char* bad : {"1774915200", "1", "-1", "2026-03-31", "2026-03-31T00:00:00",
                            "253402300800000", "1999-12-31T23:59:59Z", "yesterday"}) {
      INFO(place << bad);
      const Reply r = w.get(place + bad);
      CHECK(r.status == 400);
      CHECK(r.text("status") == "bad_parameter");
      CHECK(r.text("action").find("milliseconds since 1970, not seconds") != std::string::npos);
      const std::string name = place.substr(place.find_last_of("?&") + 1);
      CHECK(r.text("field") + '=' == name);
    }
  }
  CHECK(w.get("/v1/facts?type=deposit&from=2026-03-31T00:00:00Z").json.at("facts").size() == 1);
  CHECK(w.get("/v1/facts?from=2026-03-31T00:00:00.001Z").json.at("facts").empty());
  CHECK(w.get("/v1/facts?from=0").status == 200);
}
