// Kept traces are sent to somebody else as OTLP: in batches, again where that may help, never twice at
// once, and never for longer than there is room for what waits.
#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/traces.hpp"
#include "z0/trace/otlp.hpp"

namespace {

using z0::Span;
using z0::test::Json;
using z0::test::TestWorld;

// A z0 whose traces go to a receiver, which replies as it is told.
class Exporting : public TestWorld {
 public:
  Exporting() {
    settings =
        R"({"traces":{"one_in":1000000007},"otlp":{"traces_url":"https://otel.example/v1/traces",)"
        R"("headers":{"x-api-key":"k"}}})";
    fetch = [this](const z0::FetchNeed& need) {
      ++requests;
      last_url = need.url;
      headers.clear();
      for (const auto& [name, value] : need.headers) headers.emplace_back(name, value);
      z0::OtlpTraces traces;
      z0::OtlpFault fault;
      REQUIRE(z0::read_otlp_traces(need.body, traces, fault));
      if (reply.http == 200) {
        for (Span& span : traces.spans) received.push_back(std::move(span));
      }
      return reply;
    };
  }

  void store(int trace, bool failed = true) {
    Span span;
    span.trace_id = std::string(14, 't') + std::to_string(10 + trace);
    span.span_id = std::string(6, 's') + std::to_string(10 + trace);
    span.name = "z0.worker.test.root";
    span.start_us = now_ms * 1'000;
    span.end_us = span.start_us;
    if (failed) span.status = z0::SpanStatus::error;
    for (const auto& delivery : z0::deliveries_of({span}, 1))
      call(static_cast<std::uint8_t>(z0::TracesMethod::store), "traces_0", delivery.request);
  }
  // Alarms of so many seconds, each at its time.
  void pass(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      now_ms += 1'000;
      for (int rounds = 0; rounds < 5 && run_alarms() > 0; ++rounds) {
      }
    }
  }
  Json exported() { return get("/v1/traces", "").json["export"]; }

  Fetched reply = 200;
  int requests = 0;
  std::string last_url;
  z0::world::Headers headers;
  std::vector<Span> received;
};

}  // namespace

TEST_CASE("What is kept is sent once, with the headers of the setting, and nothing else is",
          "[traces][export]") {
  Exporting w;
  w.store(1);
  w.store(2, false);
  w.store(3);
  w.pass(20);
  CHECK(w.requests == 1);
  CHECK(w.last_url == "https://otel.example/v1/traces");
  CHECK(w.headers == z0::world::Headers{{"content-type", "application/json"}, {"x-api-key", "k"}});
  REQUIRE(w.received.size() == 2);
  CHECK(w.received[0].name == "z0.worker.test.root");
  CHECK(w.exported() == Json{{"spans", 2}, {"lost", 0}});
}

TEST_CASE("Without the setting nobody is asked", "[traces][export]") {
  Exporting w;
  for (const char* none :
       {"{}", R"({"otlp":{"traces_url":"ftp://a"}})", R"({"otlp":{"traces_url":7}})"}) {
    w.settings = none;
    w.store(1);
    w.pass(20);
  }
  CHECK(w.requests == 0);
}

TEST_CASE("A receiver that is busy is left alone for as long as it asks for", "[traces][export]") {
  Exporting w;
  w.reply = {503, 30};
  w.store(1);
  w.pass(8);
  CHECK(w.requests == 1);
  w.reply = 200;
  w.pass(20);
  CHECK(w.requests == 1);
  // What comes meanwhile is kept, and found.
  w.store(2);
  w.pass(20);
  CHECK(w.requests == 3);
  CHECK(w.received.size() == 2);
  CHECK(w.exported() == Json{{"spans", 2}, {"lost", 0}});
}

TEST_CASE("A receiver that is not there is asked less and less often, and gets all of it",
          "[traces][export]") {
  Exporting w;
  const auto there = w.fetch;
  w.fetch = nullptr;
  w.store(1);
  w.pass(120);
  w.fetch = there;
  w.evict("traces_0");
  w.store(2);
  w.pass(400);
  CHECK(w.received.size() == 2);
  CHECK(w.exported() == Json{{"spans", 2}, {"lost", 0}});
  w.reply = 429;
  w.store(3);
  w.requests = 0;
  w.pass(600);
  CHECK(w.requests >= 5);
  CHECK(w.requests <= 9);
}

TEST_CASE("What is refused for good is not sent again, and is counted", "[traces][export]") {
  Exporting w;
  for (const int status : {400, 401, 404, 500, 302}) {
    w.reply = status;
    w.requests = 0;
    w.store(1 + status % 50);
    w.pass(60);
    INFO(status);
    CHECK(w.requests == 1);
  }
  w.reply = 200;
  w.store(60);
  w.pass(20);
  CHECK(w.received.size() == 1);
  CHECK(w.exported() == Json{{"spans", 1}, {"lost", 5}});
}

TEST_CASE("What waits for a receiver that never comes is bounded, and the rest is counted",
          "[traces][export]") {
  Exporting w;
  w.fetch = nullptr;
  const int batches = static_cast<int>(z0::limits::exports_waiting_max) + 6;
  for (int i = 0; i < batches; ++i) {
    w.store(i);
    w.pass(7);
  }
  const auto waiting =
      z0::test::rows_of(w.storage_of("traces_0"), "SELECT count(*) FROM export_batches")[0][0]
          .get<std::int64_t>();
  CHECK(waiting == z0::limits::exports_waiting_max);
  CHECK(w.exported()["lost"] == 6);
  CHECK(w.get("/v1/traces?limit=200", "").json["traces"].size() ==
        static_cast<std::size_t>(batches));
}

TEST_CASE("Of a batch that was taken in part, the rest is counted as lost", "[traces][export]") {
  Exporting w;
  w.reply = {200, 0, R"({"partialSuccess":{"rejectedSpans":1,"errorMessage":"too old"}})"};
  w.store(1);
  w.store(2);
  w.pass(20);
  CHECK(w.requests == 1);
  CHECK(w.exported() == Json{{"spans", 1}, {"lost", 1}});
  // What cannot be read says nothing, and nobody rejects more than there was.
  for (const auto& [body, lost] : {std::pair{"", 1},
                                   {"no json", 1},
                                   {R"({"partialSuccess":{}})", 1},
                                   {R"({"partialSuccess":{"rejectedSpans":"x"}})", 1},
                                   {R"({"other":[{}]})", 1},
                                   {R"({"partialSuccess":{"rejectedSpans":"99"}})", 2}}) {
    w.reply = {200, 0, body};
    w.store(10 + w.requests);
    w.pass(20);
    INFO(body);
    CHECK(w.exported()["lost"] == lost);
  }
}

TEST_CASE("Where the setting goes while batches wait, they are given up, and the alarm rests",
          "[traces][export]") {
  Exporting w;
  w.fetch = nullptr;
  w.store(1);
  w.pass(10);
  w.settings = R"({"traces":{"one_in":1000000007}})";
  w.pass(400);
  CHECK(w.exported() == Json{{"spans", 0}, {"lost", 1}});
  CHECK(w.alarm_of("traces_0") > w.now_ms);
}
