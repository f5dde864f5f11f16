// CloudEvents 1.0 over HTTP: structured, binary and batched.
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;
using z0::world::Headers;

constexpr const char* url = "/v1/facts";
const Headers structured = {{"content-type", "application/cloudevents+json; charset=utf-8"}};
const Headers batch = {{"content-type", "Application/CloudEvents-Batch+JSON"}};

// An event of a charge; `more` are further members with a comma in front.
std::string event(std::string_view id, std::string_view more = {},
                  std::string_view source = "urn:shop") {
  std::string json =
      R"({"specversion":"1.0","type":"com.example.charge","subject":"acct_a","id":")";
  json.append(id).append(R"(","source":")").append(source).append("\"").append(more);
  if (more.find("\"data\"") == std::string_view::npos)
    json += R"(,"data":{"amount":100,"source_id":"o_1","order":"o-7"})";
  return json + '}';
}

Reply send(TestWorld& w, const std::string& body, std::string_view who = "north") {
  return w.post(body, who, url, structured);
}

Headers binary(const Headers& attributes) {
  Headers headers = {{"ce-specversion", "1.0"}, {"content-type", "application/json"}};
  headers.insert(headers.end(), attributes.begin(), attributes.end());
  return headers;
}

Json fact_of(TestWorld& w, const Reply& receipt) {
  const std::string entity = receipt.text("entity_id");
  const Json read = w.get("/v1/facts/" + entity).json;
  for (const Json& fact : read.at("facts")) {
    if (fact.at("id") == receipt.text("id")) return fact;
  }
  return {};
}

struct Fault {
  std::string body;
  const char* status;
  const char* field;
  const char* words;
};

std::vector<Fault> faults() {
  return {
      {R"({"id":"e","source":"s","type":"note","subject":"acct_a"})", "missing_member",
       "specversion", "CloudEvent"},
      {R"({"specversion":"0.3","id":"e","source":"s","type":"note"})", "invalid_value",
       "specversion", "1.0"},
      {R"({"specversion":"1.0","id":"e","type":"note","subject":"acct_a"})", "missing_member",
       "source", "CloudEvent"},
      {R"({"specversion":"1.0","id":"e","source":"","type":"note"})", "invalid_value", "source",
       "empty"},
      {R"({"specversion":"1.0","id":5.5,"source":"s","type":"note"})", "wrong_type", "id",
       "quotes"},
      {R"({"specversion":"1.0","id":"e","source":"s","type":"note"})", "missing_member", "subject",
       "entity_id"},
      {event("e", R"(,"entityid":"cmp_1")"), "unknown_ledger", "subject", "acct_"},
      {R"({"specversion":"1.0","id":"e","source":"s","type":"note","subject":"order 7"})",
       "invalid_id", "subject", "entityid"},
      {event("e", R"(,"type":"charge")"), "duplicate_key", "type", "one of the two"},
      {event("e", R"(,"data_base64":"e30=")"), "unsupported_encoding", "data_base64", "base64"},
      {event("e", R"(,"datacontenttype":"text/xml","data":"<a/>")"), "unsupported_encoding",
       "datacontenttype", "JSON"},
      {event("e", R"(,"data":"text")"), "wrong_type", "data", "object"},
      {event("e", R"(,"data":{"amount":"1","source_id":"o"})"), "wrong_type", "data.amount",
       "cents"},
      {event("e", R"(,"data":{"source_id":"o"})"), "missing_member", "amount", "cents"},
      {event("e", R"(,"data":{"amount":1,"amount":2,"source_id":"o"})"), "duplicate_key",
       "data.amount", "one of the two"},
      {event("e", R"(,"data":{"amount":1,"source_id":"o","a":1,"a":2})"), "duplicate_key", "data",
       "one of the two"},
      {event("e", R"(,"data":{"amount":1,"source_id":"o","cloudevent":1})"), "duplicate_key",
       "data", "one of the two"},
      {event("e", R"(,"Shard":"1")"), "unknown_member", "Shard", "data"},
      {event("e", R"(,"shard":{})"), "wrong_type", "shard", ""},
      {"5", "not_an_object", "body", "object"},
      {event("e", R"(,"data":{"a":"\ud83d"})"), "lone_surrogate", "byte 120", ""},
  };
}

}  // namespace

TEST_CASE("An event becomes a fact: type, subject, data and all that it says of itself",
          "[events]") {
  TestWorld w;
  const Reply r =
      send(w, event("e 1", R"(,"dataschema":"https://example.com/s","shard":7,"dry":true,
      "tracestate":"a=b","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")"));
  REQUIRE(r.status == 201);
  Json fact = fact_of(w, r);
  CHECK(fact.at("type") == "charge");
  CHECK(fact.at("entity_id") == "acct_a");
  CHECK(fact.at("amount") == 100);
  CHECK(fact.at("source_id") == "o_1");
  CHECK(fact.at("trace_id") == "4bf92f3577b34da6a3ce929d0e0e4736");
  fact.at("data").erase("trace_id");
  CHECK(
      fact.at("data").dump() ==
      R"({"cloudevent":{"dataschema":"https://example.com/s","dry":"true","id":"e 1","shard":"7",)"
      R"("source":"urn:shop","type":"com.example.charge"},"order":"o-7"})");
}

TEST_CASE("An event's time is its fact's, and without one it is the request's", "[events]") {
  TestWorld w;
  const Reply timed = send(w, event("e1", R"(,"time":"2026-03-30T12:15:00.25+02:00")"));
  REQUIRE(timed.status == 201);
  CHECK(fact_of(w, timed).at("timestamp") == 1'774'865'700'250);
  CHECK(fact_of(w, send(w, event("e2"))).at("timestamp") == w.now_ms);
}

TEST_CASE("Source and id together are an event's identity", "[events]") {
  TestWorld w;
  const Reply first = send(w, event("e1"));
  CHECK(first.status == 201);
  CHECK(first.text("id").size() == 46);
  const Reply again = send(w, event("e1"));
  CHECK(again.status == 200);
  CHECK(again.text("status") == "duplicate");
  const Reply elsewhere = send(w, event("e1", {}, "urn:other"));
  CHECK(elsewhere.status == 201);
  CHECK(elsewhere.text("id") != first.text("id"));
  // What stands where does not matter for the pair, only for each of the two.
  CHECK(send(w, event("b", {}, "urn:a")).status == 201);
  CHECK(send(w, event(":ab", {}, "urn")).status == 201);
  const Reply other = send(w, event("e1", R"(,"data":{"amount":101,"source_id":"o_1"})"));
  CHECK(other.status == 409);
  CHECK(other.text("field") == "amount");
  CHECK(w.get("/v1/entities/acct_a").json.at("seq") == 4);
}

TEST_CASE("An event is the same in each mode", "[events]") {
  TestWorld w;
  const Headers attributes = binary({{"ce-id", "e%201"},
                                     {"ce-source", "urn:shop"},
                                     {"ce-type", "com.example.charge"},
                                     {"ce-subject", "acct_a"},
                                     {"ce-shard", "7"}});
  const std::string data = R"({"amount":100,"source_id":"o_1","order":"o-7"})";
  const Reply first = w.post(data, "north", url, attributes);
  CHECK(first.status == 201);
  CHECK(fact_of(w, first).at("data").at("cloudevent").at("id") == "e 1");
  CHECK(send(w, event("e 1", R"(,"shard":7,"datacontenttype":"application/json","time":null)"))
            .text("status") == "duplicate");
  const Reply both =
      w.post(list({event("e 1", R"(,"shard":7)"), event("e2")}), "north", url, batch);
  CHECK(both.statuses() == "duplicate recorded");
  // A plain fact of the same request form is none of it.
  CHECK(w.post(z0::test::deposit("f_1")).status == 201);
}

TEST_CASE("Attributes in headers may be quoted and percent-encoded, and a lone % is itself",
          "[events]") {
  struct Row {
    const char* header;
    const char* value;
  };
  const Row rows[] = {{"a%20b", "a b"},
                      {"\"a b\"", "a b"},
                      {R"("a \"b\" \\")", R"(a "b" \)"},
                      {"100 %", "100 %"},
                      {"%22g%C3%BCnstig%22", "\"g\xc3\xbcnstig\""},
                      {"\"", "\""},
                      {"%zz%20", "%zz%20"}};
  TestWorld w;
  int n = 0;
  for (const Row& row : rows) {
    const Reply r = w.post("", "north", url,
                           binary({{"ce-id", std::to_string(n++)},
                                   {"ce-source", "s"},
                                   {"ce-type", "note"},
                                   {"ce-subject", "acct_a"},
                                   {"ce-note", row.header}}));
    INFO(row.header << ' ' << r.body);
    REQUIRE(r.status == 201);
    CHECK(fact_of(w, r).at("data").at("cloudevent").at("note") == row.value);
  }
}

TEST_CASE("The last segment of an event's type is the fact's, without a version", "[events]") {
  struct Row {
    const char* type;
    const char* fact;
  };
  const Row rows[] = {{"note", "note"},
                      {"com.example.note", "note"},
                      {"com.example.note.v2", "note"},
                      {"com.example.v2.note", "note"},
                      {"note.v10", "note"},
                      {"com.example.charge.refunded", "refunded"},
                      {"v1", "v1"},
                      {"com.example.vip", "vip"}};
  TestWorld w;
  int n = 0;
  for (const Row& row : rows) {
    const Reply r = send(w, R"({"specversion":"1.0","source":"s","subject":"acct_a","id":"e)" +
                                std::to_string(n++) + R"(","type":")" + row.type + "\"}");
    INFO(row.type << ' ' << r.body);
    REQUIRE(r.status == 201);
    CHECK(fact_of(w, r).at("type") == row.fact);
  }
}

TEST_CASE("The entity, the tenant and the cause may be data or extensions", "[events]") {
  TestWorld w;
  const Reply by_data = send(
      w,
      event("e1",
            R"(,"data":{"entity_id":"acct_b","tenant_id":"north","amount":1,"source_id":"o"})"),
      "");
  REQUIRE(by_data.status == 201);
  CHECK(by_data.text("entity_id") == "acct_b");
  const Headers extensions = binary({{"ce-id", "e2"},
                                     {"ce-source", "urn:shop"},
                                     {"ce-type", "charge"},
                                     {"ce-subject", "orders/42"},
                                     {"ce-entityid", "acct_c"},
                                     {"ce-tenantid", "north"},
                                     {"ce-sourceid", "o_1"},
                                     {"ce-amount", "1250"},
                                     {"ce-currency", "EUR"}});
  const Reply by_extension = w.post("", "", url, extensions);
  REQUIRE(by_extension.status == 201);
  const Json fact = fact_of(w, by_extension);
  CHECK(fact.at("amount") == 1250);
  CHECK(fact.at("currency") == "EUR");
  CHECK(fact.at("data").at("cloudevent").at("subject") == "orders/42");
}

TEST_CASE("What is wrong with an event is named in its words", "[events]") {
  for (const Fault& row : faults()) {
    TestWorld w;
    const Reply r = send(w, row.body);
    INFO(row.body << ' ' << r.body);
    CHECK(r.text("status") == row.status);
    if (std::string_view(row.field) != "byte 120") CHECK(r.text("field") == row.field);
    CHECK(r.text("action").find(row.words) != std::string::npos);
  }
}

TEST_CASE("What is wrong with an event in headers is named in its words", "[events]") {
  TestWorld w;
  const Reply none = w.post("{}", "north", url, binary({{"ce-id", "e"}, {"ce-source", "s"}}));
  CHECK(none.text("field") == "type");
  for (const char* value : {"%ff", "\xff", "%c3 %"}) {
    const Reply r = w.post("{}", "north", url, binary({{"ce-id", value}}));
    CHECK(r.text("status") == "not_utf8");
    CHECK(r.text("field") == "id");
  }
  const Headers complete = binary({{"ce-id", "e"}, {"ce-source", "s"}, {"ce-type", "note"}});
  CHECK(w.post("{", "north", url, complete).text("status") == "not_json");
  CHECK(w.post("{} {}", "north", url, complete).text("status") == "not_json");
  Headers text = complete;
  text[1].second = "text/plain";
  const Reply plain = w.post("{}", "north", url, text);
  CHECK(plain.text("status") == "unsupported_encoding");
  CHECK(plain.text("field") == "content-type");
  for (const char* type : {"application/cloudevents+avro", "application/cloudevents",
                           "application/cloudevents-batch+xml"}) {
    CHECK(w.post(event("e"), "north", url, {{"content-type", type}}).status == 415);
  }
  // An event has an identity of its own.
  Headers keyed = structured;
  keyed.emplace_back("idempotency-key", "k1");
  CHECK(w.post(event("e"), "north", url, keyed).text("field") == "idempotency-key");
}

TEST_CASE("A batch of events is judged one by one, and may be empty", "[events]") {
  TestWorld w;
  const Reply r = w.post(list({event("e1"), R"({"specversion":"1.0","id":"e2"})",
                               event("e3", R"(,"data":{"amount":-1,"source_id":"o"})"), event("e1"),
                               event("e4", R"(,"data":{"a":"\ud83d"})"), event("e5")}),
                         "north", url, batch);
  CHECK(r.status == 207);
  CHECK(r.statuses() ==
        "recorded missing_member number_out_of_range duplicate lone_surrogate recorded");
  CHECK(r.item(1).at("index") == 1);
  CHECK(r.item(2).at("field") == "data.amount");
  CHECK(r.item(2).at("id").get<std::string>().substr(0, 3) == "ce_");
  const Reply atomic =
      w.post(list({event("e6"), event("e7", R"(,"data":{"amount":-1,"source_id":"o"})")}), "north",
             "/v1/facts?atomic=true", batch);
  CHECK(atomic.statuses() == "batch_refused number_out_of_range");
  const Reply empty = w.post("[]", "north", url, batch);
  CHECK(empty.status == 200);
  CHECK(empty.json.at("results").empty());
  CHECK(w.post("[]", "north", url).text("status") == "no_facts");
}
