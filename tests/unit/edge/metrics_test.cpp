// GET /metrics and GET /v1/metrics/query over a whole world whose steps tell what they measure.
#include <functional>
#include <string>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/monitor/measuring.hpp"
#include "unit/test_world.hpp"
#include "z0/monitor/shard.hpp"

namespace {

using z0::test::carried;
using z0::test::deposit;
using z0::test::Json;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr const char* shard = "metrics_0";

class Measured : public TestWorld {
 public:
  Measured() { z0::test::measure(*this); }
  Reply query(const std::string& parameters, std::string_view who = "") {
    return get("/v1/metrics/query?" + parameters, who);
  }
  // What a metric comes to in the last hour.
  std::int64_t sum(const std::string& metric, std::string_view who = "") {
    const Reply reply = query("metric=" + metric, who);
    REQUIRE(reply.status == 200);
    const Json& groups = reply.json.at("groups");
    return groups.empty() ? 0 : groups.at(0).at("value").get<std::int64_t>();
  }
  Json shard_rows(std::string_view sql) { return z0::test::rows_of(storage_of(shard), sql); }
};

std::string facts_of(std::string_view who, Measured& w) {
  return w.query("metric=z0_facts_written_total&by=tenant_id,fact_type", who)
      .json.at("groups")
      .dump();
}

}  // namespace

TEST_CASE("What was recorded is answered exactly, by whatever labels, with a trace", "[metrics]") {
  Measured w;
  REQUIRE(
      w.post(R"([{"type":"charge","id":"c_1","entity_id":"acct_a","amount":4,"source_id":"s"},)" +
             deposit("d_1") + ',' + deposit("d_2") + ']')
          .status == 200);
  const Reply reply = w.query("metric=z0_facts_written_total&by=fact_type&window=5m&step=1m");
  REQUIRE(reply.status == 200);
  CHECK(reply.json.at("kind") == "counter");
  CHECK(reply.json.at("unit") == "facts");
  CHECK(reply.json.at("window_ms") == 300'000);
  const Json& groups = reply.json.at("groups");
  REQUIRE(groups.size() == 2);
  CHECK(groups.at(0).at("labels") == Json{{"fact_type", "charge"}});
  CHECK(groups.at(0).at("value") == 1);
  CHECK(groups.at(1).at("value") == 2);
  CHECK(groups.at(1).at("steps").at(0).at("value") == 2);
  CHECK(groups.at(1).at("trace_id").get<std::string>().size() == 32);
  // Counting began within the window, and the answer says so.
  CHECK(groups.at(0).at("exact") == false);
  w.now_ms += 300'000;
  REQUIRE(w.post(deposit("d_3")).status == 201);
  const Reply later = w.query("metric=z0_facts_written_total&window=1m");
  CHECK(later.json.at("groups").at(0).at("exact") == true);
  CHECK(later.json.at("groups").at(0).at("why") == "each event was counted, once");
}

TEST_CASE("A quantile says how far it may be from the value", "[metrics]") {
  Measured w;
  for (int i = 0; i < 10; ++i) REQUIRE(w.post(deposit("d_" + std::to_string(i))).status == 201);
  const Reply reply = w.query("metric=z0_facts_write_duration_ms&quantile=0.99");
  REQUIRE(reply.status == 200);
  CHECK(reply.json.at("quantile") == 0.99);
  CHECK(reply.json.at("groups").at(0).at("count") == 10);
  CHECK(reply.json.at("groups").at(0).at("value") == 0);
  // The lag is a gauge, whose quantiles are those of its distribution.
  w.now_ms += 5'000;
  w.deliver_all();
  const Reply lag = w.query("metric=z0_replication_lag_ms&quantile=0.5");
  CHECK(lag.json.at("metric") == "z0_replication_lag_distribution_ms");
  const Json& told = lag.json.at("groups").at(0);
  CHECK(told.at("value") >= 5'000);
  CHECK(told.at("value") < 5'000 + 5'000 / 16);
  CHECK(told.at("exact") == false);
  CHECK(told.at("why").get<std::string>().find("twentieth") != std::string::npos);
}

TEST_CASE("A tenant sees its own metrics alone, whatever it asks for", "[metrics]") {
  Measured w;
  REQUIRE(w.post(deposit("d_1", "acct_a"), "north").status == 201);
  REQUIRE(w.post(deposit("d_2", "acct_b"), "south").status == 201);
  CHECK(w.sum("z0_facts_written_total") == 2);
  for (const char* who : {"north", "south"}) {
    const std::string seen = facts_of(who, w);
    CHECK(seen.find(who) != std::string::npos);
    CHECK(seen.find(who == std::string("north") ? "south" : "north") == std::string::npos);
    CHECK(w.sum("z0_facts_written_total", who) == 1);
    CHECK(w.query("metric=z0_facts_written_total&tenant=" + std::string(who), who).status == 200);
    CHECK_FALSE(w.query("metric=z0_facts_written_total", who).json.contains("monitor"));
    CHECK(w.get("/metrics", who).status == 403);
  }
  CHECK(w.query("metric=z0_facts_written_total&tenant=south", "north").status == 404);
  CHECK(facts_of("elsewhere", w) == "[]");
  // The platform's own are an operator's.
  w.deliver_all();
  CHECK(w.query("metric=z0_replication_queue_depth", "north").json.at("groups").empty());
  CHECK(w.query("metric=z0_replication_queue_depth").json.at("groups").size() == 1);
}

TEST_CASE("What is asked wrongly is refused with what would be right", "[metrics]") {
  Measured w;
  for (const auto& [parameters, field] :
       {std::pair{"", "metric"}, std::pair{"metric=http_requests_total", "metric"},
        std::pair{"metric=z0_facts_written_total&by=color", "by"},
        std::pair{"metric=z0_facts_written_total&window=3d", "window"},
        std::pair{"metric=z0_facts_written_total&window=9s", "window"},
        std::pair{"metric=z0_facts_written_total&window=1y", "window"},
        std::pair{"metric=z0_facts_written_total&step=15s", "step"},
        std::pair{"metric=z0_facts_written_total&window=2h&step=1m", "step"},
        std::pair{"metric=z0_facts_written_total&step=0s", "step"},
        std::pair{"metric=z0_facts_written_total&quantile=0.5", "quantile"},
        std::pair{"metric=z0_facts_write_duration_ms&quantile=2", "quantile"},
        std::pair{"metric=z0_facts_write_duration_ms&quantile=0.1234567", "quantile"}}) {
    INFO(parameters);
    const Reply reply = w.query(parameters);
    CHECK(reply.status == 400);
    CHECK(reply.text("field") == field);
  }
}

TEST_CASE("Prometheus is shown families with help, seconds, buckets and exemplars", "[metrics]") {
  Measured w;
  REQUIRE(w.post(deposit("d_1", "acct_a", 5, R"(,"asset_id":"ast_1")")).status == 201);
  const Reply open =
      w.ask("GET", "/metrics", "", "",
            {{"accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}});
  REQUIRE(open.status == 200);
  CHECK(open.header("content-type") ==
        "application/openmetrics-text; version=1.0.0; charset=utf-8");
  const auto has = [](const Reply& reply, const std::string& text) {
    return reply.body.find(text) != std::string::npos;
  };
  CHECK(has(open,
            "# HELP z0_facts_written Facts that a ledger recorded.\n"
            "# TYPE z0_facts_written counter\n"
            "z0_facts_written_total{tenant_id=\"north\",fact_type=\"deposit\","
            "asset_id=\"ast_1\"} 1 # {trace_id=\""));
  CHECK(has(open, "# UNIT z0_facts_write_duration_seconds seconds\n"));
  CHECK(has(open,
            "z0_facts_write_duration_seconds_bucket{tenant_id=\"north\",fact_type=\"deposit\","
            "le=\"0.001\"} 1 # {trace_id=\""));
  CHECK(has(open, "le=\"+Inf\"} 1\n"));
  CHECK(has(open, "z0_facts_write_duration_seconds_count{"));
  CHECK(open.body.ends_with("# EOF\n"));
  const Reply text = w.get("/metrics", "");
  CHECK(text.header("content-type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(has(text, "# TYPE z0_facts_written_total counter\n"));
  CHECK_FALSE(has(text, "# EOF"));
  CHECK_FALSE(has(text, "trace_id"));
}

TEST_CASE("A shard that left memory has what it saved, and a crash loses no more than was not",
          "[metrics]") {
  Measured w;
  REQUIRE(w.post(deposit("d_1")).status == 201);
  REQUIRE(w.alarm_of(shard) != 0);
  w.now_ms += z0::limits::monitor_save_ms;
  REQUIRE(w.ring(shard));
  w.evict(shard);
  CHECK(w.sum("z0_facts_written_total") == 1);
  REQUIRE(w.post(deposit("d_2")).status == 201);
  CHECK(w.sum("z0_facts_written_total") == 2);
  // It dies before the next save. What it had heard since then is gone, and it says how much that
  // was when it hears the next flush.
  w.crash();
  CHECK(w.sum("z0_facts_written_total") == 1);
  REQUIRE(w.post(deposit("d_3")).status == 201);
  const Reply reply = w.query("metric=z0_facts_written_total");
  CHECK(reply.json.at("groups").at(0).at("value") == 2);
  CHECK(reply.json.at("missing") >= 1);
  CHECK(reply.json.at("groups").at(0).at("why").get<std::string>().find("did not arrive") !=
        std::string::npos);
}

TEST_CASE("An idle shard has no alarm, writes nothing and is asked nothing", "[metrics]") {
  Measured w;
  REQUIRE(w.post(deposit("d_1")).status == 201);
  w.deliver_all();
  // Rules are judged until their windows are empty: the longest of those that ship is six hours.
  for (int minutes = 0; minutes < 7 * 60; ++minutes) {
    w.now_ms += 60'000;
    w.run_alarms();
  }
  CHECK(w.alarm_of(shard) == 0);
  std::size_t frames = 0;
  w.seen = [&](std::string_view, std::string_view) { ++frames; };
  for (int hours = 0; hours < 24; ++hours) {
    w.now_ms += 3'600'000;
    CHECK(w.run_alarms() == 0);
  }
  CHECK(frames == 0);
}

TEST_CASE("A save writes the chunks and slots that changed, and no others", "[metrics]") {
  Measured w;
  REQUIRE(w.post(deposit("d_1")).status == 201);
  w.now_ms += z0::limits::monitor_save_ms;
  REQUIRE(w.ring(shard));
  std::size_t writes = 0;
  w.seen = [&](std::string_view, std::string_view bytes) {
    for (const auto& write : carried<z0::Write>(bytes))
      writes += write.statement.sql.find("metric_rows") != std::string_view::npos ? 1 : 0;
  };
  w.get("/v1/entities/acct_a/state?cache=BudgetState");
  CHECK(writes == 0);
  w.now_ms += z0::limits::monitor_save_ms;
  REQUIRE(w.ring(shard));
  // The head, one chunk of series, one slot of each level.
  CHECK(writes == 4);
  writes = 0;
  w.ring(shard);
  CHECK(writes == 0);
}

TEST_CASE("Rows of a shard that were damaged begin anew, and are replaced", "[metrics]") {
  Measured w;
  REQUIRE(w.post(deposit("d_1")).status == 201);
  w.now_ms += z0::limits::monitor_save_ms;
  REQUIRE(w.ring(shard));
  REQUIRE_FALSE(w.storage_of(shard)
                    .run({"UPDATE metric_rows SET bytes = x'ff' WHERE kind = 1", {}})
                    ->rows.failed);
  w.crash();
  CHECK(w.sum("z0_facts_written_total") == 0);
  REQUIRE(w.post(deposit("d_2")).status == 201);
  w.now_ms += z0::limits::monitor_save_ms;
  REQUIRE(w.ring(shard));
  w.crash();
  CHECK(w.sum("z0_facts_written_total") == 1);
}

TEST_CASE("Whichever byte of a shard's rows is damaged, it answers and counts on", "[metrics]") {
  Measured w;
  REQUIRE(w.post(deposit("d_1")).status == 201);
  w.now_ms += z0::limits::monitor_save_ms;
  REQUIRE(w.ring(shard));
  const Json rows = w.shard_rows("SELECT kind, id, hex(bytes) FROM metric_rows");
  for (const Json& row : rows) {
    const std::string bytes = row[2].get<std::string>();
    // Of a baseline, which is long and all alike, every 23rd.
    const std::size_t step = bytes.size() > 2'000 ? 2 * 23 : 2;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      const std::string where = " WHERE kind = " + row[0].dump() + " AND id = " + row[1].dump();
      const auto write = [&](const std::string& hex) {
        const std::string sql = "UPDATE metric_rows SET bytes = x'" + hex + "'" + where;
        REQUIRE_FALSE(w.storage_of(shard).run({sql, {}})->rows.failed);
      };
      INFO(row.dump() << " at " << at);
      for (const char* damage : {"FF", "01"}) {
        write(std::string(bytes).replace(at, 2, damage));
        w.evict(shard);
        CHECK(w.get("/metrics", "").status == 200);
        CHECK(w.query("metric=z0_facts_written_total&window=2d").status == 200);
      }
      write(bytes);
    }
  }
  w.evict(shard);
  REQUIRE(w.post(deposit("d_2")).status == 201);
  CHECK(w.sum("z0_facts_written_total") == 2);
}

TEST_CASE("A shard that does not answer is said, and Prometheus is not shown half of the series",
          "[metrics]") {
  Measured w;
  w.settings = R"({"monitor_shards":2})";
  REQUIRE(w.post(deposit("d_1")).status == 201);
  CHECK(w.get("/metrics", "").status == 200);
  w.faults.call = [](std::string_view object, z0_outcome& outcome, std::string&) {
    outcome = Z0_TIMEOUT;
    return object == "metrics_1";
  };
  const Reply half = w.query("metric=z0_facts_written_total");
  REQUIRE(half.status == 200);
  CHECK(half.json.at("monitor").at("unanswered") == 1);
  CHECK(half.json.at("groups").at(0).at("value") == 1);
  CHECK(half.json.at("groups").at(0).at("exact") == false);
  CHECK(half.json.at("groups").at(0).at("why").get<std::string>().find(
            "1 of the monitor's shards") != std::string::npos);
  CHECK(w.get("/metrics", "").status == 504);
  w.faults.call = [](std::string_view object, z0_outcome& outcome, std::string&) {
    outcome = Z0_OVERLOADED;
    return object == z0::monitor_object;
  };
  CHECK(w.query("metric=z0_facts_written_total").status == 503);
}

TEST_CASE("The depth of the queue is that of now, for whoever asks", "[metrics]") {
  Measured w;
  const auto depth = [&] {
    return w.query("metric=z0_replication_queue_depth").json.at("groups").at(0).at("value");
  };
  REQUIRE(w.post(deposit("d_1")).status == 201);
  REQUIRE(w.post(deposit("d_2")).status == 201);
  CHECK(depth() == 2);
  w.deliver_all();
  CHECK(depth() == 0);
  const Reply text = w.get("/metrics", "");
  CHECK(text.body.find("\nz0_replication_queue_depth 0\n") != std::string::npos);
}
