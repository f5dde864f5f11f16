// What a request gets: every status that can be reached, headers, traces.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "unit/traps.hpp"
#include "z0/base/remedies.hpp"
#include "z0/core/core.hpp"
#include "z0/json/json.hpp"

namespace {

using z0::Status;
using z0::test::deposit;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr const char* post_url = "/v1/facts";
const std::string codes =
    "AEDAFNALLAMDAOAARSAUDAWGAZNBAMBBDBDTBHDBIFBMDBNDBOBBRLBSDBTNBWPBYNBZDCADCDFCHFCLPCNYCOPCRCCUPC"
    "VE";
const std::string trace_a = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string trace_b = "aaf92f3577b34da6a3ce929d0e0e4736";

// A body that is one fact: the members every fact needs, then those of the row.
std::string note(const std::string& members) {
  return R"({"id":"f_1","entity_id":"acct_a",)" + members + '}';
}

struct Row {
  Status status;
  std::string field;
  std::function<Reply(TestWorld&)> ask;
};

Row posts(Status status, std::string field, std::string body) {
  return {status, std::move(field), [body](TestWorld& w) { return w.post(body); }};
}

Row gets(Status status, std::string field, std::string url) {
  return {status, std::move(field), [url](TestWorld& w) {
            w.post(deposit("f_1"));
            return w.get(url);
          }};
}

Row fails(Status status, z0_outcome outcome) {
  return {status, "", [outcome](TestWorld& w) {
            w.faults.call = [outcome](std::string_view, z0_outcome& how, std::string& message) {
              how = outcome;
              message = "told by the platform";
              return true;
            };
            return w.post(deposit("f_1"));
          }};
}

std::vector<Row> whole_request_rows() {
  const std::string deep = std::string(z0::limits::json_depth_max + 1, '[') +
                           std::string(z0::limits::json_depth_max + 1, ']');
  return {
      posts(Status::too_large, "body", std::string(z0::limits::body_bytes_max + 1, ' ')),
      {Status::unsupported_encoding, "content-encoding",
       [](TestWorld& w) {
         return w.post(deposit("f_1"), "north", post_url, {{"content-encoding", "br"}});
       }},
      {Status::not_gzip, "content-encoding",
       [](TestWorld& w) {
         return w.post(deposit("f_1"), "north", post_url, {{"content-encoding", "gzip"}});
       }},
      posts(Status::not_utf8, "byte 2", "{\"\xff\":1}"),
      posts(Status::lone_surrogate, "byte 60", note(R"("type":"note","data":{"a":"\ud83d"})")),
      posts(Status::not_json, "byte order mark", "\xef\xbb\xbf{}"),
      posts(Status::not_json, "byte 1", "{"),
      posts(Status::not_json, "byte 3", "{} {}"),
      posts(Status::not_json, "byte 0", "hello"),
      posts(Status::not_json, "byte 4", "[{},]"),
      posts(Status::too_deep, "byte 20", deep),
      posts(Status::too_many_facts, "body", z0::test::deposits("f_", 0, 1001)),
      posts(Status::no_facts, "body", ""),
      posts(Status::no_facts, "body", " \r\n\t"),
      posts(Status::no_facts, "body", "[]"),
      posts(Status::not_an_object, "body", "null"),
      posts(Status::not_an_object, "body", "\"f\""),
      posts(Status::duplicate_key, "byte 67", note(R"("type":"note","data":{"a":1,"b":2,"a":3})")),
      {Status::unauthorized, "",
       [](TestWorld& w) {
         return z0::test::read_reply(w.request("POST", post_url, {}, deposit("f_1")));
       }},
      {Status::scope_missing, "facts:write",
       [](TestWorld& w) {
         const auto headers = w.authorization("north", z0::scope_facts_read | z0::scope_ops);
         return z0::test::read_reply(w.request("POST", post_url, headers, deposit("f_1")));
       }},
      {Status::not_found, "",
       [](TestWorld& w) { return w.post(deposit("f_1"), "north", "/v2/facts"); }},
      {Status::method_not_allowed, "",
       [](TestWorld& w) { return w.ask("PUT", post_url, "north", deposit("f_1"), {}); }},
      {Status::bad_parameter, "atomic",
       [](TestWorld& w) { return w.post(deposit("f_1"), "north", "/v1/facts?atomic=yes"); }},
      {Status::bad_parameter, "url", [](TestWorld& w) { return w.get("/v1/facts?type=%zz"); }},
      {Status::bad_parameter, "url",
       [](TestWorld& w) { return w.get("/v1/facts?type=" + std::string(9000, 'a')); }},
  };
}

std::vector<Row> fact_rows() {
  const std::string large(z0::limits::data_bytes_max, 'x');
  return {
      posts(Status::recorded, "", note(R"("type":"note")")),
      {Status::duplicate, "",
       [](TestWorld& w) {
         w.post(note(R"("type":"note")"));
         return w.post(note(R"("type":"note")"));
       }},
      {Status::not_an_object, "", [](TestWorld& w) { return w.post_lines("5"); }},
      posts(Status::duplicate_key, "type", note(R"("type":"note","type":"note")")),
      posts(Status::unknown_member, "colour", note(R"("type":"note","colour":1)")),
      posts(Status::wrong_type, "amount", note(R"("type":"deposit","amount":"5")")),
      posts(Status::number_out_of_range, "amount", note(R"("type":"deposit","amount":0)")),
      posts(Status::missing_member, "amount", note(R"("type":"deposit")")),
      posts(Status::invalid_id, "tool_id", note(R"("type":"note","tool_id":"a b")")),
      posts(Status::invalid_type, "type", note(R"("type":"Note")")),
      posts(Status::invalid_value, "subtype", note(R"("type":"lifecycle","subtype":"reborn")")),
      posts(Status::unknown_ledger, "entity_id", R"({"type":"note","entity_id":"cmp_1"})"),
      posts(Status::data_too_large, "data", note(R"("type":"note","data":{"a":")" + large + "\"}")),
      posts(Status::tenant_mismatch, "tenant_id", note(R"("type":"note","tenant_id":"south")")),
      posts(Status::reserved_type, "type", note(R"("type":"reconciliation")")),
      posts(Status::trace_required, "trace_id", note(R"("type":"invocation","tool_id":"t")")),
      posts(Status::trace_mismatch, "data.trace_id",
            note(R"("type":"note","trace_id":")" + trace_a + R"(","data":{"trace_id":")" + trace_b +
                 "\"}")),
      {Status::forbidden, "",
       [](TestWorld& w) {
         w.post(deposit("f_0"), "south");
         return w.post(deposit("f_1"));
       }},
      {Status::conflict, "amount",
       [](TestWorld& w) {
         w.post(deposit("f_1", "acct_a", 5));
         return w.post(deposit("f_1", "acct_a", 6));
       }},
      {Status::entity_inactive, "",
       [](TestWorld& w) {
         w.post(R"({"id":"f_0","type":"lifecycle","subtype":"retiring","entity_id":"acct_a"})");
         return w.post(deposit("f_1"));
       }},
      {Status::amount_overflow, "amount",
       [](TestWorld& w) {
         w.post(note(R"("type":"deposit","amount":9007199254740991)"));
         return w.post(deposit("f_2"));
       }},
      {Status::ledger_full, "currency",
       [](TestWorld& w) {
         std::vector<std::string> deposits;
         for (std::size_t i = 0; i < z0::limits::currencies_per_ledger_max; ++i) {
           const std::string code = codes.substr(3 * i, 3);
           deposits.push_back(deposit(code, "acct_a", 5, R"(,"currency":")" + code + '"'));
         }
         w.post(z0::test::list(deposits));
         return w.post(deposit("f_last", "acct_a", 5, R"(,"currency":"ZWL")"));
       }},
      {Status::batch_refused, "",
       [](TestWorld& w) {
         Reply r = w.post('[' + deposit("f_1") + ",{}]", "north", "/v1/facts?atomic=true");
         r.json = r.item(0);
         r.status = r.json.at("http");
         return r;
       }},
      fails(Status::overloaded, Z0_OVERLOADED),
      fails(Status::timeout, Z0_TIMEOUT),
      fails(Status::storage_error, Z0_FAILED),
      {Status::storage_error, "",
       [](TestWorld& w) {
         w.faults.commit = [](std::string_view) { return true; };
         return w.post(deposit("f_1"));
       }},
  };
}

std::vector<Row> read_rows() {
  std::vector<Row> rows;
  for (const auto* url :
       {"/v1/facts/acct_z", "/v1/facts/", "/v1/facts/acct_", "/v1/facts/cmp_1",
        "/v1/facts/acct_a/x", "/v1/entities/acct_z", "/v1/entities/", "/v1/nothing", "/", ""}) {
    rows.push_back(gets(Status::not_found, "", url));
  }
  for (const auto* url : {"/v1/facts?tenant=south", "/v1/report?tenant=south"}) {
    rows.push_back(gets(Status::not_found, "tenant", url));
  }
  for (const auto* value : {"0", "1001", "ten", "-1", "1.0", "99999999999999999"}) {
    rows.push_back(gets(Status::bad_parameter, "limit", std::string("/v1/facts?limit=") + value));
    rows.push_back(
        gets(Status::bad_parameter, "limit", std::string("/v1/facts/acct_a?limit=") + value));
  }
  for (const auto* value : {"0", "x", "9007199254740992"}) {
    rows.push_back(
        gets(Status::bad_parameter, "from_seq", std::string("/v1/facts/acct_a?from_seq=") + value));
  }
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"type", "Bad"},
                                                        {"status", "odd"},
                                                        {"trace_id", "12"},
                                                        {"from", "yesterday"},
                                                        {"to", "-1"},
                                                        {"cursor", "%00"},
                                                        {"cursor", "AAAA"}}) {
    rows.push_back(gets(Status::bad_parameter, name, "/v1/facts?" + name + '=' + value));
  }
  rows.push_back(gets(Status::bad_parameter, "types", "/v1/facts/acct_a?types=deposit,Bad"));
  rows.push_back(gets(Status::bad_parameter, "types", "/v1/facts/acct_a?types=a,,b"));
  rows.push_back({Status::storage_error, "", [](TestWorld& w) {
                    w.faults.query = [] { return true; };
                    return w.get("/v1/facts");
                  }});
  rows.push_back({Status::storage_error, "", [](TestWorld& w) {
                    w.faults.query = [] { return true; };
                    return w.get("/v1/report");
                  }});
  for (const auto* url : {"/v1/facts/acct_a", "/v1/entities/acct_a"}) {
    rows.push_back({Status::timeout, "", [url](TestWorld& w) {
                      w.faults.call = [](std::string_view, z0_outcome& how, std::string&) {
                        how = Z0_TIMEOUT;
                        return true;
                      };
                      return w.get(url);
                    }});
  }
  rows.push_back({Status::overloaded, "", [](TestWorld& w) {
                    w.faults.call = [](std::string_view, z0_outcome& how, std::string&) {
                      how = Z0_OVERLOADED;
                      return true;
                    };
                    return w.get("/v1/live", "");
                  }});
  return rows;
}

// The answer says what the status is, in the words and with the code of status.hpp.
void check(const Row& row, std::set<Status>& met) {
  TestWorld world;
  Reply r = row.ask(world);
  if (r.json.contains("results")) {
    r.json = r.item(0);
    r.status = r.json.value("http", r.status);
  }
  const auto& expected = z0::info(row.status);
  INFO(expected.name << ", answered " << r.body.substr(0, 400));
  CHECK(r.text("status") == expected.name);
  CHECK(r.status == expected.http);
  CHECK(r.text("field") == row.field);
  met.insert(row.status);
  CHECK(world.largest_frame <= z0::limits::frame_bytes_max);
  CHECK_FALSE(r.header("traceparent").empty());
  CHECK((r.header("retry-after").empty() == !z0::transient(row.status)));
  CHECK((r.header("www-authenticate").empty() == (row.status != Status::unauthorized)));
  if (z0::accepted(row.status)) return;
  CHECK(r.text("message") == expected.sentence);
  // What fits one case only is said instead of the status's own words.
  const bool special =
      row.status == Status::bad_parameter || row.status == Status::method_not_allowed;
  CHECK((special ? !r.text("action").empty()
                 : r.text("action") == z0::remedy(row.status, row.field)));
  CHECK(r.json.at("http") == expected.http);
  CHECK(r.text("trace_id") == r.header("traceparent").substr(3, 32));
}

}  // namespace

TEST_CASE("Every status that a request can meet is answered with its name, code and field",
          "[edge]") {
  std::set<Status> met;
  for (const auto& row : whole_request_rows()) check(row, met);
  for (const auto& row : fact_rows()) check(row, met);
  for (const auto& row : read_rows()) check(row, met);
  // Kept for closed lists of types, which do not exist yet.
  std::set<Status> elsewhere = {Status::unknown_type};
  // Met by the tests of configs, of corrections and of proofs.
  elsewhere.insert({Status::relaxes_limit, Status::version_conflict, Status::budget_exhausted,
                    Status::not_distributed, Status::ok, Status::no_log_key, Status::unknown_source,
                    Status::source_mismatch, Status::over_corrected});
  for (int i = 0; i < static_cast<int>(Status::count_); ++i) {
    const auto status = static_cast<Status>(i);
    INFO(z0::info(status).name);
    CHECK(met.count(status) + elsewhere.count(status) == 1);
  }
}

TEST_CASE("Of two faults of a request the first in order is answered", "[edge]") {
  TestWorld w;
  const std::string large(z0::limits::body_bytes_max + 1, ' ');
  const auto no_token = [&](const char* method, const char* url) {
    return z0::test::read_reply(w.request(method, url, {}, deposit("f_1"))).text("status");
  };
  CHECK(w.post(large, "north", "/v1/facts?atomic=yes", {{"content-encoding", "gzip"}})
            .text("status") == "too_large");
  CHECK(
      w.post("{", "north", "/v1/facts?atomic=yes", {{"content-encoding", "gzip"}}).text("status") ==
      "not_gzip");
  CHECK(w.post("{", "north", "/v1/facts?atomic=yes").text("status") == "bad_parameter");
  // Whoever has no token learns nothing of the body, only which addresses there are.
  CHECK(no_token("POST", "/v1/facts?atomic=yes") == "unauthorized");
  CHECK(no_token("GET", "/v1/facts?limit=0") == "unauthorized");
  CHECK(no_token("GET", "/v1/facts/acct_z") == "unauthorized");
  CHECK(no_token("PUT", "/v1/facts") == "method_not_allowed");
  CHECK(no_token("GET", "/v1/nothing") == "not_found");
  // A batch that is not JSON in the end is refused whole, whatever its first facts were.
  const Reply r = w.post('[' + deposit("f_1") + ",{\"type\":");
  CHECK(r.text("status") == "not_json");
  CHECK(w.get("/v1/entities/acct_a").status == 404);
}

TEST_CASE("A trace goes in and out", "[edge]") {
  TestWorld w;
  const std::string parent = "00-" + trace_a + "-00f067aa0ba902b7-01";
  const Reply r = w.post("{}", "north", post_url, {{"traceparent", parent}});
  CHECK(r.text("trace_id") == trace_a);
  CHECK(r.header("traceparent").substr(0, 36) == "00-" + trace_a + '-');
  CHECK(r.header("traceparent") != parent);
  CHECK(r.header("traceparent").substr(53) == "01");
  CHECK(r.header("content-type") == "application/json");
  CHECK(r.header("cache-control") == "no-store");
  // An invalid one begins a new trace.
  const Reply fresh =
      w.post("{}", "north", post_url, {{"traceparent", "00-" + trace_a + "-0000000000000000-01"}});
  CHECK(fresh.text("trace_id") != trace_a);
  CHECK(fresh.text("trace_id").size() == 32);
  // And it travels with the facts.
  w.post(deposit("f_1"), "north", post_url, {{"traceparent", parent}});
  w.deliver_all();
  CHECK(w.d1_rows("SELECT trace_id FROM ledger_heads").at(0).at(0) == trace_a);
}

TEST_CASE("An item that failed for a while says when to come back, also among others", "[edge]") {
  TestWorld w;
  w.faults.call = [](std::string_view object, z0_outcome& how, std::string&) {
    how = Z0_OVERLOADED;
    return object == "account_acct_b";
  };
  const Reply mixed = w.post(z0::test::list({deposit("f_1"), deposit("f_2", "acct_b")}));
  CHECK(mixed.status == 207);
  CHECK(mixed.statuses() == "recorded overloaded");
  CHECK(mixed.header("retry-after") == "1");
  const Reply none = w.post(z0::test::list({"{}", deposit("f_2", "acct_b")}));
  CHECK(none.status == 422);
  CHECK(none.header("retry-after") == "1");
  CHECK(w.post(z0::test::list({deposit("f_3"), "{}"})).header("retry-after").empty());
}

TEST_CASE("What the platform said is cut between characters", "[edge]") {
  TestWorld w;
  w.faults.call = [](std::string_view, z0_outcome& how, std::string& message) {
    how = Z0_FAILED;
    message = "x";
    while (message.size() < 300) message += "\xc3\xb6";
    return true;
  };
  w.post(deposit("f_1"));
  w.faults.call = nullptr;
  w.deliver_all();
  const std::string data = w.d1_rows("SELECT data FROM failed_facts").at(0).at(0);
  CHECK(z0::valid_utf8(data));
}

TEST_CASE("A step of a request reads what the one before left to its end, or traps", "[routes]") {
  TestWorld w;
  std::vector<std::string> frames;
  w.seen = [&](std::string_view bytes, std::string_view) {
    z0::Frame frame;
    REQUIRE(z0::parse_frame(bytes, frame));
    const bool ours = frame.kind == Z0_FRAME_RESUME && frame.target == Z0_TARGET_EDGE;
    if (ours) frames.emplace_back(bytes);
  };
  w.post(deposit("f_1"));
  w.deliver_all();
  for (const auto url :
       {"/v1/facts", "/v1/facts/acct_a", "/v1/ledgers", "/v1/ledgers/acct_a/checkpoint",
        "/v1/replication", "/v1/dead-letters", "/v1/closure", "/v1/live"})
    w.get(url, "");
  CHECK(frames.size() == 13);
  for (const std::string& bytes : frames) {
    CHECK_FALSE(z0::test::traps_on_changed(bytes, [](std::string&) {}));
    CHECK(z0::test::traps_on_changed(bytes, [](std::string& c) { c[0] = '\xff'; }));
    CHECK(z0::test::traps_on_changed(bytes, [](std::string& c) { c[1] = 3; }));
    CHECK(z0::test::traps_on_changed(bytes, [](std::string& c) { c += 'x'; }));
  }
}
