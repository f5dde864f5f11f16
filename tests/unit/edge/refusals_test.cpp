// What refusals name: a byte order mark, the budget and its numbers, the amount, the member of data
// that differs, the parameters that an address takes.
#include <string>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/remedies.hpp"

namespace {

using z0::test::deposit;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

}  // namespace

TEST_CASE("A byte order mark is named in every kind of body", "[edge]") {
  TestWorld w;
  for (const std::string mark : {"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"}) {
    const std::string one = mark + deposit("f_1");
    CHECK(w.post(one).text("field") == z0::byte_order_mark);
    CHECK(w.post(mark + list({deposit("f_1")})).text("field") == z0::byte_order_mark);
    CHECK(w.post_lines(one + "\n" + deposit("f_2")).item(0).at("field") == z0::byte_order_mark);
    CHECK(w.ask("PUT", "/v1/configs/cfg_a", "north", mark + "{}", {}).text("field") ==
          z0::byte_order_mark);
  }
  CHECK(w.post("\xef\xbb").text("field") == "byte 0");
}

TEST_CASE(
    "A budget that refuses is named with its numbers, and nothing is advised that does not help",
    "[edge]") {
  TestWorld w;
  w.post(deposit("f_0", "acct_a", 100'000));
  const auto limit = [&](const char* text, const char* period) {
    const std::string body =
        R"({"type":"budget","scope":"entity","applies_to":"acct_a","settings":{"limit":)" +
        std::string(text) + R"(,"period":")" + period + R"(","enforce":true}})";
    REQUIRE(w.ask("PUT", "/v1/configs/cfg_b", "north", body, {}).status < 300);
  };
  const auto charge = [&](const char* id, int amount) {
    return w.post(R"({"id":")" + std::string(id) +
                  R"(","type":"charge","entity_id":"acct_a","source_id":"o","amount":)" +
                  std::to_string(amount) + '}');
  };
  limit("1000", "total");
  CHECK(charge("c_1", 400).status == 201);
  const Reply r = charge("c_2", 601);
  CHECK(r.status == 402);
  CHECK(r.text("field") == "amount");
  CHECK(r.json.at("budget").dump() ==
        R"({"config_id":"cfg_b","currency":"USD","limit":1000,"period":"total","remaining":600,)"
        R"("used":400})");
  CHECK(
      r.text("action") ==
      "The budget cfg_b allows 1000 in all, in minor units of USD; 400 of them are spent and this "
      "charge is 601. Charge at most 600, or raise its limit with PUT /v1/configs/cfg_b; then "
      "send the fact again under the same id.");
  limit("300", "month");
  const Reply month = w.post(list({R"({"id":"c_3","type":"charge","entity_id":"acct_a",)"
                                   R"("source_id":"o","amount":1})"}));
  CHECK(month.item(0).at("budget").at("remaining") == 0);
  CHECK(
      month.item(0).at("action") ==
      "The budget cfg_b allows 300 a month, in minor units of USD; 400 of them are spent and this "
      "charge is 1. Raise its limit with PUT /v1/configs/cfg_b, or wait for the next month "
      "(UTC); then send the fact again under the same id.");
  // The attempt keeps the numbers too.
  w.deliver_all();
  const auto messages = w.d1_rows(
      "SELECT json_extract(data, '$.error.message') FROM facts WHERE status = 'failed' ORDER BY "
      "id");
  CHECK(
      messages.at(0).at(0) ==
      "The budget cfg_b allows 1000 in all, in minor units of USD; 400 of them are spent and this "
      "charge is 601.");
}

TEST_CASE("A sum that overflows names the amount, a conflict the member that differs", "[edge]") {
  TestWorld w;
  w.post(deposit("f_0", "acct_a", 5));
  const Reply over =
      w.post(R"({"id":"f_1","type":"deposit","entity_id":"acct_a","amount":9007199254740991})");
  CHECK(over.text("status") == "amount_overflow");
  CHECK(over.text("field") == "amount");

  struct Pair {
    const char* first;
    const char* second;
    const char* field;
  };
  const Pair pairs[] = {
      {R"({"a":1})", R"({"a":1.0})", "data.a"},
      {R"({"a":1,"b":2})", R"({"b":3,"a":1})", "data.b"},
      {R"({"a":{"x":[1,{"y":2}]}})", R"({"a":{"x":[1,{"y":3}]}})", "data.a.x[1].y"},
      {R"({"a":[1,2]})", R"({"a":[1,2,3]})", "data.a[2]"},
      {R"({"a":[1,2,3]})", R"({"a":[1]})", "data.a[1]"},
      {R"({"a":1})", R"({"a":1,"b":2})", "data.b"},
      {R"({"a":1,"b":2})", R"({"a":1,"c":2})", "data.b"},
      {R"({"a":1,"c":2})", R"({"a":1,"b":2})", "data.b"},
      {R"({"a":{"x":1}})", R"({"a":[1]})", "data.a"},
      {R"({"a":"1"})", R"({"a":1})", "data.a"},
      {R"({"a\u0022":1})", R"({"a\u0022":2})", "data.a\""},
  };
  int n = 0;
  for (const Pair& pair : pairs) {
    const std::string id = "d_" + std::to_string(n++);
    const auto with = [&](const char* data) {
      return R"({"id":")" + id + R"(","type":"note","entity_id":"acct_a","data":)" + data + '}';
    };
    REQUIRE(w.post(with(pair.first)).status == 201);
    const Reply r = w.post(with(pair.second));
    INFO(pair.first << " against " << pair.second << ": " << r.body);
    CHECK(r.status == 409);
    CHECK(r.text("field") == pair.field);
  }
  const std::string key(60'000, 'k');
  const auto keyed = [&](const char* value) {
    return R"({"id":"long","type":"note","entity_id":"acct_a","data":{")" + key + "\":" + value +
           "}}";
  };
  w.post(keyed("1"));
  CHECK(w.post(keyed("2")).text("field").size() == z0::limits::id_bytes_max);
}

TEST_CASE("A parameter that an address does not take is answered with those that it takes",
          "[edge]") {
  TestWorld w;
  const Reply r = w.get("/v1/facts?page=2");
  CHECK(r.text("field") == "page");
  CHECK(r.text("action") ==
        "This address takes these parameters, each at most once and with a value: tenant, type, "
        "status, from, to, trace_id, limit, cursor.");
  CHECK(w.get("/v1/keys?a=1").text("action") == "This address takes no parameters.");
}
