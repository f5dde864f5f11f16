// OTLP over HTTP: what a sender is answered, and what becomes of its data points.
#include <map>
#include <string>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::Reply;
using z0::test::TestWorld;
using z0::world::Headers;

const Headers json = {{"content-type", "application/json"}};

class Sender : public TestWorld {
 public:
  Sender() {
    seen = [this](std::string_view, std::string_view bytes) {
      for (const auto& point : z0::test::carried<z0::DataPoint>(bytes)) {
        std::string key(point.index);
        for (const auto blob : point.blobs) key += ' ' + std::string(blob);
        points[key + '=' + std::to_string(static_cast<std::int64_t>(point.value))] +=
            point.how_much;
      }
    };
  }
  Reply send(const std::string& metrics, std::string_view who = "north", const Headers& h = json) {
    return ask("POST", "/v1/metrics", who,
               R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[)" + metrics + "]}]}]}", h);
  }
  std::string rejected(const std::string& metrics, std::string_view who = "north") {
    const Reply r = send(metrics, who);
    CHECK(r.status == 200);
    if (!r.json.contains("partialSuccess")) return "nothing";
    return r.json["partialSuccess"]["rejectedDataPoints"].get<std::string>() + ' ' +
           r.json["partialSuccess"]["errorMessage"].get<std::string>();
  }
  std::map<std::string, double> points;
};

std::string sum(const std::string& name, const std::string& points, int temporality = 1) {
  return R"({"name":")" + name + R"(","sum":{"isMonotonic":true,"aggregationTemporality":)" +
         std::to_string(temporality) + R"(,"dataPoints":[)" + points + "]}}";
}
std::string hits(const std::string& tenant) {
  return R"({"asInt":"3","attributes":[{"key":"cache_type","value":{"stringValue":"budget"}},)"
         R"({"key":"tenant_id","value":{"stringValue":")" +
         tenant + R"("}}]})";
}

}  // namespace

TEST_CASE("An empty request of OTLP is taken", "[otlp]") {
  Sender w;
  for (const char* body : {"", "{}", R"({"resourceMetrics":[]})"}) {
    const Reply r = w.ask("POST", "/v1/metrics", "north", body, json);
    CHECK(r.status == 200);
    CHECK(r.body == "{}");
  }
}

TEST_CASE("A sum and a histogram of delta temporality become points of their tenant", "[otlp]") {
  Sender w;
  CHECK(w.rejected(sum("z0_cache_hits_total", hits("north"))) == "nothing");
  CHECK(w.points["north z0_cache_hits_total budget=0"] == 3);
  CHECK(
      w.rejected(
          R"({"name":"z0_cache_read_duration_ms","histogram":{"aggregationTemporality":1,"dataPoints":[{"count":5,
      "bucketCounts":[2,3,0],"explicitBounds":[7,20],"attributes":[]}]}})") == "nothing");
  CHECK(w.points["north z0_cache_read_duration_ms =7"] == 2);
  CHECK(w.points["north z0_cache_read_duration_ms =20"] == 3);
}

TEST_CASE("What is not z0's is rejected by itself, with a word", "[otlp]") {
  Sender w;
  CHECK(w.rejected(sum("http.requests", R"({"asInt":1},{"asInt":1})") + "," +
                   sum("z0_cache_hits_total", hits("north"))) ==
        "2 http.requests is no metric of z0");
  CHECK(w.points["north z0_cache_hits_total budget=0"] == 3);
  CHECK(w.rejected(sum("z0_cache_hits_total", hits("north"), 2))
            .find("TEMPORALITY_PREFERENCE=delta") != std::string::npos);
  CHECK(w.rejected(R"({"name":"z0_cache_hits_total","summary":{"dataPoints":[{}]}})")
            .find("summary") != std::string::npos);
  CHECK(w.rejected(sum("z0_cache_hits_total", R"({"asDouble":1.5})")).find("whole number") !=
        std::string::npos);
}

TEST_CASE("A tenant's token writes its own tenant alone, an operator's any", "[otlp]") {
  Sender w;
  CHECK(w.rejected(sum("z0_cache_hits_total", hits("south"))) ==
        "1 z0_cache_hits_total is of another tenant than the token");
  CHECK(w.points.count("south z0_cache_hits_total budget=0") == 0);
  CHECK(w.rejected(sum("z0_cache_hits_total", hits("south")), "") == "nothing");
  CHECK(w.points["south z0_cache_hits_total budget=0"] == 3);
}

TEST_CASE("Errors of OTLP's addresses are its Status, with z0's members beside", "[otlp]") {
  Sender w;
  const Reply broken = w.ask("POST", "/v1/metrics", "north", "{", json);
  CHECK(broken.status == 400);
  CHECK(broken.json.at("code") == 3);
  CHECK(broken.json.at("message").is_string());
  CHECK(broken.json.at("trace_id").is_string());
  const Reply shape =
      w.ask("POST", "/v1/metrics", "north", R"({"resourceMetrics":[{"resource":1}]})", json);
  CHECK(shape.status == 400);
  CHECK(shape.json.at("field") == "resourceMetrics[0].resource");
  const Reply protobuf = w.send("", "north", {{"content-type", "application/x-protobuf"}});
  CHECK(protobuf.status == 415);
  CHECK(protobuf.text("action").find("http/json") != std::string::npos);
  const Reply large =
      w.ask("POST", "/v1/metrics", "north", std::string(z0::limits::body_bytes_max + 1, ' '), json);
  CHECK(large.status == 413);
  CHECK(large.json.at("code") == 3);
  const Reply nobody = z0::test::read_reply(w.request("POST", "/v1/metrics", json, "{}"));
  CHECK(nobody.status == 401);
  CHECK(nobody.json.at("code") == 16);
  const Reply reader = z0::test::read_reply(
      w.request("POST", "/v1/metrics", w.authorization("north", z0::scope_facts_read), "{}"));
  CHECK(reader.status == 403);
  CHECK(reader.json.at("code") == 7);
  CHECK(z0::test::read_reply(w.request("POST", "/v1/metrics",
                                       w.authorization("north", z0::scope_telemetry_write), "{}"))
            .status == 200);
}

TEST_CASE("Spans of OTLP are found by their trace, a tenant's under its own token alone",
          "[otlp]") {
  Sender w;
  const auto span = [](const char* id, const char* tenant) {
    return std::string(R"({"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":")") + id +
           R"(","name":"pay","startTimeUnixNano":"1700000000000001000","endTimeUnixNano":)"
           R"("1700000000000003000","attributes":[{"key":"z0.tenant_id","value":{"stringValue":")" +
           tenant + R"("}}]})";
  };
  const std::string spans =
      span("EEE19B7EC3C1B174", "north") + ',' + span("EEE19B7EC3C1B175", "south");
  const std::string body = R"({"resourceSpans":[{"scopeSpans":[{"spans":[)" + spans + "]}]}]}";
  const Reply r = w.ask("POST", "/v1/traces", "north", body, json);
  CHECK(r.status == 200);
  CHECK(r.json.at("partialSuccess").at("rejectedSpans") == "1");
  const Reply found = w.get("/v1/traces/5b8efff798038103d269b633813fc60c");
  CHECK(found.status == 200);
  CHECK(found.body.find("eee19b7ec3c1b174") != std::string::npos);
  CHECK(found.body.find("eee19b7ec3c1b175") == std::string::npos);
  w.faults.call = [](std::string_view, z0_outcome& outcome, std::string&) {
    outcome = Z0_OVERLOADED;
    return true;
  };
  const Reply later = w.ask("POST", "/v1/traces", "north", body, json);
  CHECK((later.status == 503 || later.status == 429));
  CHECK(later.json.at("code").is_number());
  CHECK(w.ask("POST", "/v1/traces", "north", "", json).body == "{}");
}
