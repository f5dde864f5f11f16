// Traces: what invocations say of themselves is collected, judged, kept for a week and found again.
#include "z0/traces/traces.hpp"

#include <set>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/traces.hpp"
#include "z0/wire/read_effects.hpp"

namespace {

using z0::Span;
using z0::test::Json;
using z0::test::Reply;
using z0::test::rows_of;
using z0::test::TestWorld;

constexpr const char* trace_a = "4bf92f3577b34da6a3ce929d0e0e4736";

// A world whose spans reach the Tail Worker, a line an invocation.
class Traced : public TestWorld {
 public:
  explicit Traced(const char* one_in = "1") {
    settings = std::string(R"({"traces":{"one_in":)") + one_in + "}}";
    span = [this](std::string_view json) {
      spans_ += (spans_.empty() ? "" : ",") + std::string(json);
    };
  }
  // What was said so far is handed over.
  void hand_over() {
    Json line = R"({"z0":"spans","service":"z0","spans":[)" + spans_ + "]}";
    spans_.clear();
    REQUIRE(tail(Json::array({{{"script", "z0"},
                               {"event", "fetch"},
                               {"outcome", "ok"},
                               {"lines", Json::array({line})}}})
                     .dump()));
  }
  // A moment later, when it has been judged.
  void settle() {
    now_ms += z0::limits::trace_quiet_ms;
    run_alarms();
  }
  void store(const std::vector<Span>& spans) {
    for (const auto& delivery : z0::deliveries_of(spans, 1))
      call(static_cast<std::uint8_t>(z0::TracesMethod::store), "traces_0", delivery.request);
  }
  std::int64_t count(const char* sql) {
    return rows_of(storage_of("traces_0"), sql).at(0).at(0).get<std::int64_t>();
  }

 private:
  std::string spans_;
};

std::string traceparent(const char* trace) {
  return std::string("00-") + trace + "-00f067aa0ba902b7-01";
}

Reply post_charge(Traced& w, const char* id, const char* trace) {
  return w.post(R"({"type":"deposit","id":")" + std::string(id) +
                    R"(","entity_id":"acct_a","amount":500,"currency":"USD","trace_id":")" + trace +
                    R"("})",
                "north", "/v1/facts", {{"traceparent", traceparent(trace)}});
}

Span span_of(int trace, int number, std::int64_t start_ms, std::string_view tenant = "north") {
  Span span;
  span.trace_id = std::string(15, 't') + static_cast<char>('0' + trace);
  span.span_id = std::string(7, 's') + static_cast<char>('0' + number);
  if (number > 0) span.parent_id = std::string(7, 's') + '0';
  span.name = number == 0 ? "z0.worker.test.root" : "z0.worker.test.part";
  span.service = "test";
  span.start_us = start_ms * 1'000;
  span.end_us = span.start_us + 10'000;
  span.tenant_id = tenant;
  return span;
}

std::string hex(std::string_view bytes) {
  std::string out;
  z0::append_hex(out, bytes);
  return out;
}

Reply trace_of(Traced& w, const std::string& id, std::string_view who = "north") {
  return w.get("/v1/traces/" + id, who);
}

}  // namespace

TEST_CASE("A charge is followed from its request over ledger, queue and D1 to the money",
          "[traces]") {
  Traced w;
  REQUIRE(post_charge(w, "f_1", trace_a).status == 201);
  w.hand_over();
  w.deliver_all();
  w.hand_over();
  for (const bool judged : {false, true}) {
    INFO(judged);
    if (judged) w.settle();
    const Reply r = trace_of(w, trace_a, "");
    REQUIRE(r.status == 200);
    std::vector<std::string> names;
    for (const auto& span : r.json["spans"]) names.push_back(span["name"]);
    for (const char* name : {"z0.worker.facts.record", "z0.do.ledger.append_fact",
                             "z0.queue.facts.consume", "z0.d1.projection.write_facts"})
      CHECK(std::count(names.begin(), names.end(), name) >= 1);
    CHECK(r.json["operation"] == "z0.worker.facts.record");
    CHECK(r.json["spans"][0]["depth"] == 0);
    CHECK(r.json["spans"][1]["depth"] == 1);
    CHECK(r.json["missing"]["parents"] == Json::array({"00f067aa0ba902b7"}));
    CHECK(r.json["missing"]["open"] == !judged);
    CHECK(r.json["facts"][0]["id"] == "f_1");
    CHECK(r.json["money"]["moved"] ==
          Json::array({{{"type", "deposit"}, {"currency", "USD"}, {"count", 1}, {"amount", 500}}}));
    CHECK(r.json["money"]["failed"] == Json::array());
  }
}

TEST_CASE("A write that failed is an error of its trace, and its money is told", "[traces]") {
  Traced w("1000000000");
  REQUIRE(post_charge(w, "f_0", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").status == 201);
  w.faults.call = [](std::string_view object, z0_outcome& outcome, std::string& message) {
    outcome = Z0_TIMEOUT;
    message = "no answer";
    return object.starts_with("account_");
  };
  REQUIRE(post_charge(w, "f_1", trace_a).status == 504);
  w.deliver_all();
  w.hand_over();
  w.settle();
  const Reply r = trace_of(w, trace_a);
  REQUIRE(r.status == 200);
  CHECK(r.json["errors"] == 2);
  CHECK(r.json["spans"][0]["error_code"] == "timeout");
  CHECK(r.json["spans"][0]["money"] == "failed");
  CHECK(r.json["spans"][1]["name"] == "z0.do.ledger.append_fact");
  CHECK(r.json["spans"][1]["status"] == "error");
  CHECK(r.json["money"]["failed"][0]["amount"] == 500);
  CHECK(r.json["facts"][0]["error_code"] == "timeout");
  const Reply found = w.get("/v1/traces?money=failed");
  REQUIRE(found.json["traces"].size() == 1);
  CHECK(found.json["traces"][0]["trace_id"] == trace_a);
  CHECK(found.json["traces"][0]["error_code"] == "timeout");
}

TEST_CASE("Of traces without error, money or a slow root one in so many is kept, and counted",
          "[traces]") {
  Traced w("1000000000");
  Span slow = span_of(1, 0, w.now_ms);
  slow.end_us = slow.start_us + 1'000'000;
  Span failed = span_of(2, 0, w.now_ms);
  failed.status = z0::SpanStatus::error;
  Span money = span_of(3, 1, w.now_ms);
  money.money = z0::MoneyEffect::moved;
  w.store({span_of(0, 0, w.now_ms), slow, failed, span_of(3, 0, w.now_ms), money});
  w.settle();
  const Reply r = w.get("/v1/traces");
  REQUIRE(r.status == 200);
  std::set<std::string> ids;
  for (const auto& trace : r.json["traces"]) ids.insert(trace["trace_id"]);
  CHECK(ids ==
        std::set<std::string>{hex(slow.trace_id), hex(failed.trace_id), hex(money.trace_id)});
  CHECK(r.json["sampling"] == Json{{"kept", 3}, {"dropped", 1}, {"spans_refused", 0}});
  // What is kept by rate says how many it stands for.
  Traced all("1");
  all.store({span_of(0, 0, w.now_ms)});
  all.settle();
  CHECK(all.get("/v1/traces").json["traces"][0]["one_in"] == 1);
}

TEST_CASE("An eviction loses nothing that was acknowledged, whenever it comes", "[traces]") {
  for (int when = 0; when < 4; ++when) {
    INFO(when);
    Traced w;
    w.store({span_of(1, 0, w.now_ms)});
    if (when == 0) w.evict("traces_0");
    w.store({span_of(1, 1, w.now_ms), span_of(1, 0, w.now_ms)});
    if (when == 1) w.crash();
    w.settle();
    if (when == 2) w.evict("traces_0");
    w.store({span_of(1, 2, w.now_ms)});
    w.settle();
    if (when == 3) w.crash();
    const Reply r = trace_of(w, hex(span_of(1, 0, 0).trace_id));
    REQUIRE(r.status == 200);
    CHECK(r.json["spans"].size() == 3);
  }
}

TEST_CASE("A span that comes twice is there once, also when its trace had been judged",
          "[traces]") {
  Traced w;
  w.store({span_of(1, 0, w.now_ms), span_of(1, 1, w.now_ms)});
  w.store({span_of(1, 0, w.now_ms)});
  w.settle();
  w.store({span_of(1, 1, w.now_ms), span_of(1, 2, w.now_ms)});
  w.settle();
  CHECK(trace_of(w, hex(span_of(1, 0, 0).trace_id)).json["spans"].size() == 3);
  CHECK(w.get("/v1/traces").json["traces"].size() == 1);
}

TEST_CASE("A tenant sees its own spans and traces, and no others", "[traces][tenants]") {
  Traced w;
  w.store({span_of(1, 0, w.now_ms, "north"), span_of(1, 1, w.now_ms, "south"),
           span_of(2, 0, w.now_ms, "south")});
  for (const bool judged : {false, true}) {
    if (judged) w.settle();
    const std::string shared = hex(span_of(1, 0, 0).trace_id);
    CHECK(trace_of(w, shared, "north").json["spans"].size() == 1);
    CHECK(trace_of(w, shared, "south").json["spans"].size() == 1);
    CHECK(trace_of(w, shared, "").json["spans"].size() == 2);
    CHECK(trace_of(w, hex(span_of(2, 0, 0).trace_id), "north").status == 404);
  }
  CHECK(w.get("/v1/traces", "north").json["traces"].size() == 1);
  CHECK(w.get("/v1/traces", "north").json["traces"][0]["tenants"] == Json::array({"north"}));
  CHECK(w.get("/v1/traces", "south").json["traces"].size() == 2);
  CHECK(w.get("/v1/traces?tenant=north", "").json["traces"].size() == 1);
  CHECK(w.get("/v1/traces?tenant=south", "north").status == 404);
  CHECK(w.get("/v1/traces", "east").json["traces"].empty());
}

TEST_CASE("A span that links to other traces is found from each", "[traces]") {
  Traced w;
  Span consumer = span_of(1, 0, w.now_ms);
  consumer.links = {{span_of(2, 0, 0).trace_id, span_of(2, 0, 0).span_id}};
  w.store({consumer, span_of(2, 5, w.now_ms)});
  w.settle();
  const Reply own = trace_of(w, hex(consumer.trace_id));
  const Reply other = trace_of(w, hex(span_of(2, 0, 0).trace_id));
  CHECK(own.json["spans"].size() == 1);
  CHECK(other.json["spans"].size() == 1);
  REQUIRE(other.json["linked"].size() == 1);
  CHECK(other.json["linked"][0]["trace_id"] == hex(consumer.trace_id));
}

TEST_CASE("A search goes through all segments by pages, newest first, over all shards",
          "[traces]") {
  Traced w;
  w.settings = R"({"traces":{"one_in":1},"trace_shards":3})";
  std::set<std::string> ids;
  for (int i = 0; i < 60; ++i) {
    std::vector<Span> spans;
    for (int j = 0; j < 5; ++j) {
      Span span = span_of(0, 0, w.now_ms);
      span.trace_id = "trace_" + std::to_string(1'000'000'000 + i * 5 + j);
      span.attributes = {{"pad", "\"" + std::string(800, 'x') + "\""}};
      ids.insert(hex(span.trace_id));
      for (int k = 0; k < 8; ++k) {
        span.span_id[0] = static_cast<char>('a' + k);
        spans.push_back(span);
      }
    }
    for (const auto& delivery : z0::deliveries_of(spans, 3))
      w.call(static_cast<std::uint8_t>(z0::TracesMethod::store),
             z0::traces_object_name(delivery.shard), delivery.request);
    w.settle();
  }
  CHECK(w.count("SELECT count(*) FROM segments") > 1);
  std::set<std::string> found;
  std::int64_t before = w.now_ms * 1'000;
  std::string cursor;
  int pages = 0;
  do {
    const Reply r = w.get("/v1/traces?limit=7" + (cursor.empty() ? "" : "&cursor=" + cursor));
    REQUIRE(r.status == 200);
    REQUIRE(++pages < 200);
    for (const auto& trace : r.json["traces"]) {
      CHECK(found.insert(trace["trace_id"]).second);
      CHECK(trace["start_us"] <= before);
      before = trace["start_us"];
    }
    cursor = r.json["cursor"].is_null() ? "" : r.json["cursor"].get<std::string>();
  } while (!cursor.empty());
  CHECK(found == ids);
}

TEST_CASE("A search asks for what it was told", "[traces]") {
  Traced w;
  const std::int64_t t = w.now_ms;
  Span long_one = span_of(1, 0, t);
  long_one.end_us = long_one.start_us + 2'000'000;
  Span failed = span_of(2, 0, t + 1'000);
  failed.status = z0::SpanStatus::error;
  Span other = span_of(3, 0, t + 2'000);
  other.name = "z0.worker.test.other";
  w.store({long_one, failed, other});
  w.settle();
  const auto ids = [&](const std::string& query) {
    std::string all;
    const Reply r = w.get("/v1/traces?" + query);
    REQUIRE(r.status == 200);
    for (const auto& trace : r.json["traces"]) all += trace["trace_id"].get<std::string>().back();
    return all;
  };
  CHECK(ids("limit=9") == "321");
  CHECK(ids("min_ms=1000") == "1");
  CHECK(ids("error=true") == "2");
  CHECK(ids("error=false") == "321");
  CHECK(ids("operation=z0.worker.test.other") == "3");
  CHECK(ids("money=any").empty());
  CHECK(ids("from=" + std::to_string(t + 1'000)) == "32");
  CHECK(ids("to=" + std::to_string(t + 1'000)) == "1");
  CHECK(ids("limit=2") == "32");
  for (const char* bad : {"min_ms=x", "error=1", "money=lost", "from=5", "limit=0", "limit=201",
                          "cursor=%21", "cursor=AAAA", "operations=a"}) {
    INFO(bad);
    CHECK(w.get(std::string("/v1/traces?") + bad).status == 400);
  }
}

TEST_CASE("An id that is none is refused, and a trace that nobody has is not found", "[traces]") {
  Traced w;
  CHECK(trace_of(w, "00000000000000000000000000000001").status == 404);
  for (const char* bad :
       {"1", "4BF92F3577B34DA6A3CE929D0E0E4736", "00000000000000000000000000000000"})
    CHECK(trace_of(w, bad).status == 400);
}

TEST_CASE("After a week a trace is gone, and its rows with it", "[traces]") {
  Traced w;
  w.store({span_of(1, 0, w.now_ms)});
  w.settle();
  REQUIRE(w.count("SELECT count(*) FROM segments") == 1);
  for (int day = 0; day < 9; ++day) {
    w.now_ms += 86'400'000;
    w.run_alarms();
  }
  CHECK(w.count("SELECT count(*) FROM segments") == 0);
  CHECK(trace_of(w, hex(span_of(1, 0, 0).trace_id)).status == 404);
}

TEST_CASE("What nobody can read is refused and counted, and the rest is kept", "[traces]") {
  Traced w;
  const std::string good = z0::encode(span_of(1, 0, w.now_ms));
  const std::string id = span_of(1, 0, 0).trace_id;
  z0::StoreRequest request;
  request.items = {{id, good}, {id, "not a span"}};
  w.call(static_cast<std::uint8_t>(z0::TracesMethod::store), "traces_0", z0::encode(request));
  w.call(static_cast<std::uint8_t>(z0::TracesMethod::store), "traces_0", "not a request");
  w.settle();
  CHECK(trace_of(w, hex(id)).json["spans"].size() == 1);
  CHECK(w.get("/v1/traces").json["sampling"]["spans_refused"] == 1);
}

TEST_CASE("More spans than there is room for are judged early, and the money stays", "[traces]") {
  Traced w("1000000000");
  Span money = span_of(1, 0, w.now_ms);
  money.money = z0::MoneyEffect::moved;
  w.store({money});
  const std::string pad = "\"" + std::string(1'000, 'x') + "\"";
  for (int i = 0; i < 120; ++i) {
    std::vector<Span> spans;
    for (int j = 0; j < 80; ++j) {
      Span span = span_of(0, 0, w.now_ms);
      span.trace_id = "trace_" + std::to_string(1'000'000'000 + i * 80 + j);
      span.attributes = {{"pad", pad}};
      spans.push_back(span);
    }
    w.store(spans);
  }
  const auto waiting = static_cast<std::size_t>(w.count("SELECT sum(length(body)) FROM inbox"));
  CHECK(waiting < z0::limits::traces_open_bytes_max + z0::limits::traces_delivery_bytes_max);
  w.settle();
  CHECK(trace_of(w, hex(money.trace_id)).status == 200);
  CHECK(w.get("/v1/traces").json["sampling"]["dropped"] == 9'600);
}

TEST_CASE("A span costs a small part of a row", "[traces]") {
  Traced w;
  std::int64_t rows = 0;
  w.seen = [&](std::string_view frame, std::string_view effects) {
    z0::Frame f;
    REQUIRE(z0::parse_frame(frame, f));
    if (f.target != Z0_TARGET_TRACES) return;
    std::vector<z0::Effect> all;
    REQUIRE(z0::parse_effects(effects, all));
    for (const auto& effect : all) rows += effect.kind == Z0_WRITE || effect.kind == Z0_ALARM;
  };
  const int deliveries = 100, spans_each = 100;
  for (int i = 0; i < deliveries; ++i) {
    std::vector<Span> spans;
    for (int j = 0; j < spans_each; ++j) {
      Span span = span_of(0, j % 10, w.now_ms);
      span.trace_id = "trace_" + std::to_string(1'000'000'000 + i * 10 + j / 10);
      spans.push_back(span);
    }
    w.store(spans);
    w.now_ms += 500;
    w.run_alarms();
  }
  w.settle();
  // Deleting a row of the inbox is a row, too.
  CHECK(static_cast<double>(rows + deliveries) / (deliveries * spans_each) < 0.05);
}
