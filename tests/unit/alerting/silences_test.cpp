// /v1/silences, over a whole world.
#include <string>

#include "unit/alerting/watched.hpp"
#include "unit/catch.hpp"
#include "z0/base/time.hpp"

using z0::test::Json;
using z0::test::Reply;
using z0::test::tick;
using z0::test::Watched;

namespace {

constexpr std::int64_t hour = 3'600'000;

Reply silence(Watched& w, const std::string& members, std::string_view who = "") {
  return w.ask("POST", "/v1/silences", who,
               R"({"author":"ann","reason":"it moves")" + members + "}", {});
}
Json silences(Watched& w, std::string_view who = "", const std::string& query = "") {
  const Reply reply = w.get("/v1/silences" + query, who);
  REQUIRE(reply.status == 200);
  return reply.json.at("silences");
}

}  // namespace

TEST_CASE("A silence is made, listed, shown on its alerts, ended, and outlives a crash",
          "[silences]") {
  Watched w;
  const Reply made = silence(w, R"(,"rule":"Tenant*","labels":{"x":""},"for":"2h")");
  REQUIRE(made.status == 201);
  CHECK(made.json.at("state") == "active");
  CHECK(made.json.at("rule") == "Tenant*");
  CHECK(made.json.at("author") == "ann");
  CHECK(made.json.at("expires_at") == w.now_ms + 2 * hour);
  const std::string id = made.text("id");
  w.fail_writes();
  w.post_failures(5);
  w.pass(2 * tick);
  CHECK(w.alert("TenantWriteFailures").at("silence_id") == id);
  CHECK_FALSE(w.alert("FactWriteFailures").contains("silence_id"));

  w.crash();
  CHECK(silences(w).size() == 1);
  w.now_ms += hour;
  const Reply ended = w.ask("DELETE", "/v1/silences/" + id, "", "", {});
  REQUIRE(ended.status == 200);
  CHECK(ended.json.at("state") == "expired");
  CHECK(ended.json.at("expires_at") == w.now_ms);
  CHECK(silences(w).at(0).at("state") == "expired");
  w.pass(tick);
  CHECK_FALSE(w.alert("TenantWriteFailures").contains("silence_id"));
  CHECK(w.ask("DELETE", "/v1/silences/sil_0", "", "", {}).status == 404);
}

TEST_CASE("A silence takes its times as RFC 3339 has them, too", "[silences]") {
  Watched w;
  const std::int64_t begins = w.now_ms + hour;
  const Reply made = silence(w, R"(,"rule":"*","starts_at":")" + z0::rfc3339_text(begins) +
                                    R"(","expires_at":")" + z0::rfc3339_text(begins + hour) + '"');
  REQUIRE(made.status == 201);
  CHECK(made.json.at("starts_at") == begins);
  CHECK(made.json.at("expires_at") == begins + hour);
}

TEST_CASE("What is no silence is refused with its place", "[silences]") {
  struct Row {
    std::string members;
    std::string field;
  };
  Watched w;
  const std::string far = std::to_string(w.now_ms + 31 * 24 * hour);
  const std::string soon = std::to_string(w.now_ms + hour);
  const std::vector<Row> rows = {
      {R"(,"for":"1h")", "rule"},
      {R"(,"labels":{"tool_id":""},"for":"1h")", "rule"},
      {R"(,"labels":{"tool_id":"*"},"for":"1h")", "rule"},
      {R"(,"rule":"A")", "for"},
      {R"(,"rule":"A","for":"1h","expires_at":)" + soon, "for"},
      {R"(,"rule":"A","for":"31d")", "for"},
      {R"(,"rule":"A","for":"soon")", "for"},
      {R"(,"rule":"A","expires_at":)" + far, "expires_at"},
      {R"(,"rule":"A","expires_at":)" + std::to_string(w.now_ms), "expires_at"},
      {R"(,"rule":"A","starts_at":)" + soon + R"(,"expires_at":)" + soon, "expires_at"},
      {R"(,"rule":"A","for":"1h","starts_at":)" + far, "starts_at"},
      {R"(,"rule":"A","expires_at":"tomorrow")", "expires_at"},
      {R"(,"rule":"A","expires_at":"1969-12-31T23:59:59Z")", "expires_at"},
      {R"(,"rule":"A*B","for":"1h")", "rule"},
      {R"(,"rule":7,"for":"1h")", "rule"},
      {R"(,"rule":"A","labels":{"a":1},"for":"1h")", "labels.a"},
      {R"(,"rule":"A","label":{},"for":"1h")", "label"},
      {R"(,"rule":"A","for":"1h","author":"")", "author"},
      {R"(,"rule":"A","for":"1h","reason":"")", "reason"},
  };
  for (const Row& row : rows) {
    INFO(row.members);
    const Reply reply = silence(w, row.members);
    CHECK(reply.status == 422);
    CHECK(reply.text("field") == row.field);
  }
  CHECK(w.ask("POST", "/v1/silences", "", "[]", {}).status == 422);
  CHECK(silences(w).empty());
  CHECK(silence(w, R"(,"rule":"ReplicationLag","for":"30d")").status == 201);
}

TEST_CASE("A silence of a rule that there is not is refused, with those that may be meant",
          "[silences]") {
  struct Row {
    std::string rule;
    std::string similar;
  };
  Watched w;
  const std::string own = R"({"name": "NorthIsBusy", "signal": {"sum": "z0_facts_written_total"},
    "above": 2, "window": "5m", "severity": "warning", "runbook": "r", "owner": "o",
    "summary": "s"})";
  REQUIRE(w.publish("cfg_mine", "tenant", own, "north").status == 201);
  const std::vector<Row> rows = {
      {"ReplicatonLag", " Is it ReplicationLag"},
      {"replicationlag", " Is it ReplicationLag"},
      {"Replicaton*", " Is it "},
      {"externaltool", " Is it ExternalToolErrors"},
      {"Nothing of the kind", " GET"},
      {"NorthIsBusi", " GET"},
      {std::string(10'000, 'A'), ""},
  };
  for (const Row& row : rows) {
    INFO(row.rule);
    const Reply reply = silence(w, R"(,"for":"1h","rule":")" + row.rule + '"', "south");
    CHECK(reply.status == 422);
    CHECK(reply.text("field") == "rule");
    if (!row.similar.empty())
      CHECK(reply.text("action").find("would silence nothing." + row.similar) != std::string::npos);
  }
  CHECK(
      silence(w, R"(,"for":"1h","rule":"NorthIsBusi")", "").text("action") ==
      "No rule has this name, so it would silence nothing. Is it NorthIsBusy? GET /v1/rules lists "
      "those that there are.");
  CHECK(silence(w, R"(,"for":"1h","rule":"NorthIsBusy")", "south").status == 422);
  CHECK(silences(w).empty());
  for (const char* const who : {"", "north"})
    CHECK(silence(w, R"(,"for":"1h","rule":"NorthIsBusy")", who).status == 201);
  CHECK(silence(w, R"(,"for":"1h","rule":"Replication*")", "south").status == 201);
}

TEST_CASE("A tenant silences its own alerts for itself, and sees its own silences alone",
          "[silences]") {
  Watched w;
  w.fail_writes();
  w.post_failures(5, "north");
  w.pass(2 * tick);
  CHECK(silence(w, R"(,"rule":"*","tenant_id":"south","for":"1h")", "north").status == 404);
  CHECK(silence(w, R"(,"rule":"*","tenant_id":"nor*","for":"1h")", "north").status == 404);
  const Reply made = silence(w, R"(,"rule":"*","for":"1h")", "north");
  REQUIRE(made.status == 201);
  CHECK(made.json.at("tenant_id") == "north");
  CHECK(made.json.at("made_for") == "north");
  const std::string id = made.text("id");
  // The platform hears of its rule as before.
  CHECK_FALSE(w.alert("TenantWriteFailures").contains("silence_id"));
  CHECK(w.get("/v1/alerts", "north").json.at("alerts").at(0).at("silence_id") == id);
  CHECK(silences(w, "south").empty());
  CHECK(silences(w, "north").size() == 1);
  CHECK(silences(w, "", "?tenant=north").size() == 1);
  CHECK(silences(w, "", "?tenant=south").empty());
  CHECK(w.ask("DELETE", "/v1/silences/" + id, "south", "", {}).status == 404);
  CHECK(w.ask("DELETE", "/v1/silences/" + id, "north", "", {}).status == 200);
}

TEST_CASE("A tenant cannot fill up the room for silences", "[silences]") {
  Watched w;
  for (std::size_t i = 0; i < z0::limits::silences_of_tenant_max; ++i)
    REQUIRE(silence(w, R"(,"labels":{"n":")" + std::to_string(i) + R"("},"for":"1h")", "north")
                .status == 201);
  const Reply refused = silence(w, R"(,"rule":"*","for":"1h")", "north");
  CHECK(refused.status == 409);
  CHECK(silence(w, R"(,"rule":"*","for":"1h")", "south").status == 201);
}

TEST_CASE("A word about an alert can have an end", "[alerts]") {
  Watched w;
  w.fail_writes();
  w.post_failures(5);
  w.pass(2 * tick);
  const std::string id = w.alert("FactWriteFailures").at("id");
  const auto acknowledge = [&](const std::string& how_long) {
    return w.ask("POST", "/v1/alerts/" + id + "/acknowledge", "",
                 R"({"author":"ann","reason":"looking","for":")" + how_long + "\"}", {});
  };
  CHECK(acknowledge("soon").status == 422);
  CHECK(acknowledge("31d").text("field") == "for");
  const Reply reply = acknowledge("1m");
  REQUIRE(reply.status == 200);
  CHECK(reply.json.at("acknowledged").at("expires_at") == w.now_ms + 60'000);
  w.pass(60'000 - 1);
  CHECK(w.alert("FactWriteFailures").contains("acknowledged"));
  w.pass(1);
  CHECK_FALSE(w.alert("FactWriteFailures").contains("acknowledged"));
}
