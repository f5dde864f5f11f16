// What was counted goes out to a receiver of OTLP: once, when there is something to send, again where that
// may help, and never in the way of a reply.
#include <map>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/monitor/measuring.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"
#include "z0/trace/otlp.hpp"

namespace {

using z0::test::deposit;
using z0::test::Json;
using z0::test::TestWorld;

constexpr const char* shard = "metrics_0";
constexpr const char* written = "z0_facts_written_total";
constexpr const char* duration = "z0_facts_write_duration_ms";

// A z0 whose metrics go to a receiver, which replies as it is told.
class Sending : public TestWorld {
 public:
  Sending() {
    z0::test::measure(*this);
    settings = sends;
    fetch = [this](const z0::FetchNeed& need) {
      ++requests;
      url = need.url;
      headers.clear();
      for (const auto& [name, value] : need.headers) headers.emplace_back(name, value);
      bodies.emplace_back(need.body);
      if (reply.http == 200) add_up(bodies.back());
      return reply;
    };
  }

  void record(int facts = 1, std::string_view tenant = "north") {
    for (int i = 0; i < facts; ++i) {
      REQUIRE(
          post(deposit("d_" + std::to_string(++recorded_), "acct_" + std::string(tenant)), tenant)
              .status == 201);
    }
  }
  // Alarms of so many seconds, each at its time.
  void pass(std::int64_t seconds, int step_s = 1) {
    for (const std::int64_t end = now_ms + seconds * 1'000; now_ms < end;) {
      now_ms += step_s * 1'000;
      for (int rounds = 0; rounds < 20 && alarm_of(shard) != 0 && alarm_of(shard) <= now_ms;
           ++rounds)
        ring(shard);
    }
  }
  Json counts() { return get("/v1/metrics/query?metric=z0_errors_total", "").json["export"]; }

  static constexpr const char* sends =
      R"({"otlp":{"metrics_url":"https://otel.example/v1/metrics","headers":{"x-api-key":"k"}}})";
  Fetched reply = 200;
  int requests = 0;
  std::string url;
  z0::world::Headers headers;
  std::vector<std::string> bodies;
  std::map<std::string, double> sums;  // by name, of what was taken

 private:
  void add_up(const std::string& body) {
    z0::OtlpMetrics metrics;
    z0::OtlpFault fault;
    const bool read = z0::read_otlp_metrics(body, metrics, fault);
    INFO(fault.place << ' ' << fault.why << ' ' << body);
    REQUIRE(read);
    CHECK(metrics.rejected.count == 0);
    for (const auto& metric : metrics.metrics) {
      for (const auto& point : metric.points)
        sums[metric.name] += metric.kind == z0::OtlpKind::histogram
                                 ? static_cast<double>(point.count)
                                 : point.number;
    }
  }
  int recorded_ = 0;
};

// The one data point of a metric with this value of an attribute.
Json point_of(const std::string& body, const std::string& metric, const std::string& value) {
  const Json json = Json::parse(body);
  for (const Json& one : json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]) {
    if (one["name"] != metric) continue;
    for (const char* kind : {"sum", "gauge", "histogram"}) {
      if (!one.contains(kind)) continue;
      for (const Json& point : one[kind]["dataPoints"]) {
        for (const Json& attribute : point["attributes"])
          if (attribute["value"]["stringValue"] == value) return point;
      }
    }
  }
  return {};
}

}  // namespace

TEST_CASE("What happened in an interval goes out once, of all tenants, and z0 reads it as its own",
          "[metrics][export]") {
  Sending w;
  w.record(3);
  w.record(2, "south");
  w.pass(59);
  CHECK(w.requests == 0);
  w.pass(11);
  REQUIRE(w.requests == 1);
  CHECK(w.url == "https://otel.example/v1/metrics");
  CHECK(w.headers == z0::world::Headers{{"content-type", "application/json"}, {"x-api-key", "k"}});
  CHECK(w.sums[written] == 5);
  const Json north = point_of(w.bodies[0], written, "north");
  CHECK(north["asInt"] == "3");
  CHECK(north["startTimeUnixNano"] == "1774915200000000000");
  CHECK(north["timeUnixNano"] == "1774915260000000000");
  CHECK(north["exemplars"][0]["traceId"].get<std::string>().size() == 32);
  CHECK(w.counts()["lost"] == 0);
  CHECK(w.counts()["points"].get<int>() >= 4);

  // Another z0 takes it for what it is.
  TestWorld other;
  other.now_ms = w.now_ms;
  z0::test::measure(other);
  const auto taken =
      other.ask("POST", "/v1/metrics", "", w.bodies[0], {{"content-type", "application/json"}});
  CHECK(taken.status == 200);
  CHECK(taken.body == "{}");
  const auto groups = [](TestWorld& world, const std::string& query) {
    std::map<std::string, Json> values;
    const Json reply = world.get("/v1/metrics/query?by=tenant_id&metric=" + query, "").json;
    for (const Json& g : reply["groups"])
      values[g["labels"]["tenant_id"]] = {g["value"], g.value("count", 0), g.value("trace_id", "")};
    return values;
  };
  CHECK(groups(w, written).size() == 2);
  CHECK(groups(other, written) == groups(w, written));
  const std::string p99 = std::string(duration) + "&quantile=0.99";
  CHECK(groups(other, p99) == groups(w, p99));
  CHECK(groups(w, p99)["south"][1] == 2);
}

TEST_CASE("A z0 that is idle asks nobody and has no alarm", "[metrics][export]") {
  Sending w;
  w.record();
  w.pass(80);
  CHECK(w.requests == 1);
  // Rules are judged until their windows are empty.
  w.pass(std::int64_t{7} * 3'600, 60);
  CHECK(w.requests == 1);
  CHECK(w.alarm_of(shard) == 0);
  // What was sent is known when the object comes back.
  w.evict(shard);
  CHECK(w.counts()["lost"] == 0);
  w.pass(7'200, 10);
  CHECK(w.requests == 1);
  w.record();
  w.pass(80);
  CHECK(w.requests == 2);
  CHECK(w.sums[written] == 2);
  // It began where the last one ended.
  CHECK(point_of(w.bodies[1], written, "north")["startTimeUnixNano"] ==
        point_of(w.bodies[0], written, "north")["timeUnixNano"]);
}

TEST_CASE("Without the setting nothing goes out, and what happened before it came is not sent",
          "[metrics][export]") {
  Sending w;
  w.settings = R"({"otlp":{"metrics_url":"ftp://otel.example","traces_url":"https://a.example"}})";
  w.record(3);
  w.pass(120);
  CHECK(w.requests == 0);
  w.settings = Sending::sends;
  w.record(2);
  w.pass(120);
  CHECK(w.requests == 1);
  CHECK(w.sums[written] == 2);
}

TEST_CASE("A busy receiver is left alone for as long as it asks for, whatever dies meanwhile",
          "[metrics][export]") {
  Sending w;
  w.reply = {503, 100};
  w.record(3);
  w.pass(70);
  CHECK(w.requests == 1);
  w.evict(shard);
  w.reply = 200;
  w.record(2);
  w.pass(80);
  CHECK(w.requests == 1);
  w.pass(300);
  CHECK(w.sums[written] == 5);
  CHECK(w.requests == 3);
  CHECK(w.bodies[0] == w.bodies[1]);
  CHECK(w.counts()["lost"] == 0);
}

TEST_CASE("What adds up while nobody is there is few batches, and nothing of it is lost",
          "[metrics][export]") {
  Sending w;
  const auto there = w.fetch;
  w.fetch = nullptr;
  const int steps = 4 * 60;
  for (int i = 0; i < steps; ++i) {
    w.record();
    w.pass(60, 10);
    if (i % 50 == 49) w.evict(shard);
  }
  CHECK(z0::test::rows_of(w.storage_of(shard), "SELECT count(*) FROM export_batches")[0][0] <= 9);
  w.fetch = there;
  w.pass(1'200, 10);
  CHECK(w.sums[written] == steps);
  CHECK(w.counts()["lost"] == 0);
  w.pass(std::int64_t{7} * 3'600, 60);
  CHECK(w.alarm_of(shard) == 0);
}

TEST_CASE("What is refused is gone and counted, the whole or a part", "[metrics][export]") {
  Sending w;
  int logged = 0;
  w.watch = [&](std::string_view, std::string_view effects) {
    for (const auto& line : z0::test::carried<z0::LogLine>(effects))
      logged += line.json.find(R"("z0.otlp.export_refused","signal":"metrics")") !=
                std::string_view::npos;
  };
  w.reply = 400;
  w.record();
  w.pass(80);
  CHECK(w.requests == 1);
  CHECK(w.counts()["points"] == 0);
  const int lost = w.counts()["lost"];
  CHECK(lost > 0);
  CHECK(logged == 1);
  w.reply = {200, 0, R"({"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"no room"}})"};
  w.record();
  w.pass(80);
  CHECK(w.counts()["lost"] == lost + 2);
  CHECK(w.counts()["points"].get<int>() > 0);
  CHECK(logged == 2);
}

TEST_CASE("Where the setting goes, what waits is given up and counted", "[metrics][export]") {
  Sending w;
  w.fetch = nullptr;
  w.record();
  w.pass(70);
  CHECK(w.counts()["lost"] == 0);
  w.settings = "{}";
  w.record();
  w.pass(60);
  CHECK(w.counts()["lost"].get<int>() > 0);
  w.pass(std::int64_t{7} * 3'600, 60);
  CHECK(w.alarm_of(shard) == 0);
  CHECK(z0::test::rows_of(w.storage_of(shard), "SELECT count(*) FROM export_batches")[0][0] == 0);
}

TEST_CASE("A receiver that takes long to answer holds up neither replies nor rows",
          "[metrics][export]") {
  Sending w;
  w.record();
  w.fetch = [&](const z0::FetchNeed&) {
    for (int i = 0; i < 20; ++i) {
      w.now_ms += 1'000;
      w.record();
    }
    return z0::world::World::Fetched(200);
  };
  w.pass(61);
  // A crash right behind it loses what came after the last save, which no alarm made.
  w.crash();
  const Json answer = w.get("/v1/metrics/query?metric=z0_facts_written_total", "").json;
  CHECK(answer["groups"][0]["value"] >= 13);
}

TEST_CASE("A shard that dies between its rows and the receiver sends nothing twice that was taken",
          "[metrics][export]") {
  Sending w;
  for (int i = 0; i < 40; ++i) {
    w.record(2);
    w.pass(10);
    w.evict(shard);
  }
  w.pass(120);
  CHECK(w.sums[written] == 80);
}

TEST_CASE("A clock that runs back makes nothing go out twice, and stops nothing",
          "[metrics][export]") {
  for (const std::int64_t back : {300'000, 86'400'000}) {
    Sending w;
    w.record(2);
    w.pass(70);
    CHECK(w.sums[written] == 2);
    w.now_ms -= back;
    w.record(4);
    w.pass(600, 10);
    CHECK(w.sums[written] <= 6);
    const double before = w.sums[written];
    w.record(8);
    w.pass(80);
    CHECK(w.sums[written] == before + 8);
  }
}

TEST_CASE("A gauge goes out with its newest value, when it was told", "[metrics][export]") {
  Sending w;
  w.record();
  w.deliver_all();
  w.pass(80);
  REQUIRE(w.requests >= 1);
  CHECK(w.sums.contains("z0_replication_queue_depth"));
  CHECK(w.sums.contains("z0_replication_lag_ms"));
}
