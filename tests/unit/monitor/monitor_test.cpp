// The monitor: bands at every boundary, replication by sequence numbers, windows that roll.
#include "z0/monitor/monitor.hpp"

#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::Band;
using z0::MessageReport;
using z0::Monitor;
using z0::RequestReport;
using z0::test::Json;

constexpr std::int64_t start = 1'774'915'200'000;

Json live(Monitor& m, std::int64_t now) {
  const Json json = Json::parse(m.live(now), nullptr, false);
  REQUIRE_FALSE(json.is_discarded());
  return json;
}

Json replication(Monitor& m, std::int64_t now) { return live(m, now).at("replication"); }

// `count` facts of a ledger that thereby reached `seq`.
void recorded(Monitor& m, std::int64_t now, const char* entity_id, std::int64_t seq,
              std::int64_t count = 1) {
  RequestReport report;
  report.recorded = count;
  for (std::int64_t i = 0; i < count; ++i) report.recorded_by_type.add(z0::FactType::deposit, {});
  report.heads.push_back({entity_id, seq, now});
  REQUIRE(m.take(z0::encode_report(report), now));
}

void landed(Monitor& m, std::int64_t now, const char* entity_id, std::int64_t contiguous_seq,
            std::int64_t lag_ms = 0) {
  MessageReport report;
  report.facts = report.inserted = 1;
  report.lag_ms_max = lag_ms;
  report.heads.push_back({entity_id, contiguous_seq});
  REQUIRE(m.take(z0::encode_report(report), now));
}

void message(Monitor& m, std::int64_t now, bool failed, bool dead = false) {
  MessageReport report;
  report.failed = failed;
  report.dead = dead;
  REQUIRE(m.take(z0::encode_report(report), now));
}

}  // namespace

TEST_CASE("Every value has one band, and the worst of the three wins", "[monitor]") {
  struct Row {
    std::int64_t lag_ms, depth;
    double failure_rate;
    const char* band;
  };
  const Row rows[] = {
      {0, 0, 0, "healthy"},
      {999, 999, 0, "healthy"},
      {1'000, 0, 0, "degraded"},
      {60'000, 0, 0, "degraded"},
      {60'001, 0, 0, "critical"},
      {0, 1'000, 0, "degraded"},
      {0, 100'000, 0, "degraded"},
      {0, 100'001, 0, "critical"},
      {0, 0, 0.000'001, "degraded"},
      {0, 0, 0.01, "degraded"},
      {0, 0, 0.010'001, "critical"},
      {0, 0, 1, "critical"},
      {1'000, 100'001, 0, "critical"},
      {60'001, 1'000, 0.01, "critical"},
      {999, 1'000, 0, "degraded"},
  };
  for (const auto& row : rows) {
    INFO(row.lag_ms << " ms, " << row.depth << " facts, " << row.failure_rate);
    CHECK(z0::band_name(z0::replication_band(row.lag_ms, row.depth, row.failure_rate)) == row.band);
  }
}

TEST_CASE("The answer says where the bands of each signal begin", "[monitor]") {
  Monitor m;
  const Json bands = replication(m, start).at("bands");
  CHECK(bands == Json::parse(R"({"lag_ms":{"healthy_max":999,"critical_above":60000},
                                 "depth":{"healthy_max":999,"critical_above":100000},
                                 "failure_rate":{"healthy_max":0,"critical_above":0.01}})"));
  // And they are those that the band itself goes by.
  for (const char* band : {"healthy_max", "critical_above"}) {
    const bool healthy = band == std::string("healthy_max");
    const std::int64_t lag = bands.at("lag_ms").at(band);
    const std::int64_t depth = bands.at("depth").at(band);
    const double rate = bands.at("failure_rate").at(band);
    const Band at = healthy ? Band::healthy : Band::degraded;
    const Band beyond = healthy ? Band::degraded : Band::critical;
    CHECK(z0::replication_band(lag, 0, 0) == at);
    CHECK(z0::replication_band(lag + 1, 0, 0) == beyond);
    CHECK(z0::replication_band(0, depth, 0) == at);
    CHECK(z0::replication_band(0, depth + 1, 0) == beyond);
    CHECK(z0::replication_band(0, 0, rate) == at);
    CHECK(z0::replication_band(0, 0, rate + 1e-9) == beyond);
  }
}

TEST_CASE("Depth is what was recorded and has not arrived, whatever happens to reports",
          "[monitor]") {
  Monitor m;
  recorded(m, start, "acct_a", 3, 3);
  recorded(m, start, "acct_b", 2, 2);
  CHECK(replication(m, start).at("depth") == 5);
  landed(m, start + 100, "acct_a", 1);
  CHECK(replication(m, start + 100).at("depth") == 4);
  // A later number says all that earlier ones did; repeated and late ones say nothing.
  recorded(m, start + 200, "acct_a", 9, 2);
  CHECK(replication(m, start + 200).at("depth") == 10);
  recorded(m, start + 210, "acct_a", 7, 2);
  landed(m, start + 220, "acct_a", 1);
  CHECK(replication(m, start + 220).at("depth") == 10);
  landed(m, start + 230, "acct_a", 9);
  landed(m, start + 240, "acct_a", 4);
  CHECK(replication(m, start + 240).at("depth") == 2);
  // A message that overtakes its request's report leaves nothing lagging.
  landed(m, start + 250, "acct_c", 4);
  recorded(m, start + 260, "acct_c", 4, 4);
  landed(m, start + 270, "acct_b", 2);
  const Json r = replication(m, start + 280);
  CHECK(r.at("depth") == 0);
  CHECK(r.at("oldest_age_ms") == 0);
  CHECK(r.at("band") == "healthy");
}

TEST_CASE("A stalled pipeline lags by the age of its oldest fact", "[monitor]") {
  Monitor m;
  recorded(m, start, "acct_a", 1);
  recorded(m, start + 700, "acct_b", 1);
  struct Row {
    std::int64_t after;
    const char* band;
  };
  for (const auto& [after, band] : {Row{999, "healthy"}, Row{1'000, "degraded"},
                                    Row{60'000, "degraded"}, Row{60'001, "critical"}}) {
    const Json r = replication(m, start + after);
    CHECK(r.at("lag_ms") == after);
    CHECK(r.at("lag_p99_ms") == after);
    CHECK(r.at("oldest_age_ms") == after);
    CHECK(r.at("band") == band);
  }
  landed(m, start + 61'000, "acct_a", 1, 61'000);
  CHECK(replication(m, start + 61'000).at("oldest_age_ms") == 60'300);
}

TEST_CASE("A ledger's own word corrects what reports missed", "[monitor]") {
  Monitor m;
  // None of the requests' reports arrived; the alarm tells.
  REQUIRE(m.take(z0::encode_report(z0::LedgerReport{"acct_a", 12, 5, start - 30'000, 2}), start));
  Json r = replication(m, start);
  CHECK(r.at("depth") == 7);
  CHECK(r.at("oldest_age_ms") == 30'000);
  CHECK(r.at("retries") == 2);
  REQUIRE(m.take(z0::encode_report(z0::LedgerReport{"acct_a", 12, 12, 0, 0}), start + 10));
  r = replication(m, start + 10);
  CHECK(r.at("depth") == 0);
  CHECK(r.at("oldest_age_ms") == 0);
}

TEST_CASE("Lag is what the last messages took, over the last minute", "[monitor]") {
  Monitor m;
  recorded(m, start, "acct_a", 3, 3);
  landed(m, start, "acct_a", 1, 2'000);
  landed(m, start + 1'000, "acct_a", 2, 300);
  landed(m, start + 1'500, "acct_a", 3, 400);
  Json r = replication(m, start + 1'600);
  CHECK(r.at("lag_ms") == 400);
  CHECK(r.at("lag_p99_ms") == 2'000);
  CHECK(r.at("band") == "healthy");
  r = replication(m, start + 59'999);
  CHECK(r.at("lag_p99_ms") == 2'000);
  r = replication(m, start + 60'000);
  CHECK(r.at("lag_p99_ms") == 400);
  r = replication(m, start + 62'000);
  CHECK(r.at("lag_ms") == 0);
}

TEST_CASE("The 99th percentile of the lag is that of the messages, not their maximum",
          "[monitor]") {
  Monitor m;
  // Of 1,000 messages in a minute nine were slow: fewer than one in a hundred.
  for (int i = 0; i < 1'000; ++i)
    landed(m, start + i * 59, "acct_a", i + 1, i % 111 == 110 ? 50'000 : 200 + i % 100);
  const std::int64_t now = start + 59'500;
  Json r = replication(m, now);
  CHECK(r.at("lag_p99_ms") >= 298);
  CHECK(r.at("lag_p99_ms") < 317);
  // Ten more, and one in a hundred has been as slow.
  for (int i = 0; i < 10; ++i) landed(m, now, "acct_a", 1'001 + i, 40'000);
  r = replication(m, now);
  CHECK(r.at("lag_p99_ms") >= 40'000);
  CHECK(r.at("lag_p99_ms") < 42'500);
  // They leave the minute that is judged, and what comes again says nothing.
  MessageReport again;
  again.facts = 3;
  REQUIRE(m.take(z0::encode_report(again), now + 60'000));
  r = replication(m, now + 60'000);
  CHECK(r.at("lag_p99_ms") == 0);
  CHECK(r.at("lag_ms") == 0);
}

TEST_CASE("Failures are rated over a minute and counted over ten", "[monitor]") {
  Monitor m;
  for (int i = 0; i < 99; ++i) message(m, start, false);
  message(m, start, true);
  Json r = replication(m, start);
  CHECK(r.at("failure_rate") == 0.01);
  CHECK(r.at("band") == "degraded");
  message(m, start, true);
  r = replication(m, start);
  CHECK(r.at("band") == "critical");
  CHECK(r.at("failures") == 2);
  CHECK(r.at("retries") == 2);
  r = replication(m, start + 60'000);
  CHECK(r.at("failure_rate") == 0);
  CHECK(r.at("band") == "healthy");
  CHECK(r.at("failures") == 2);
  CHECK(replication(m, start + 600'000).at("failures") == 0);
  message(m, start + 600'000, true);
  CHECK(replication(m, start + 600'000).at("failure_rate") == 1);
  message(m, start + 600'000, false, true);
  CHECK(replication(m, start + 600'000).at("dead_letters") == 1);
}

TEST_CASE("The curve shows whole seconds, oldest first, and the window rolls", "[monitor]") {
  Monitor m;
  recorded(m, start + 10, "acct_a", 2, 2);
  recorded(m, start + 999, "acct_a", 5, 3);
  recorded(m, start + 1'000, "acct_a", 6, 1);
  const auto curve = [&](std::int64_t now) { return live(m, now).at("facts_per_second"); };
  CHECK(curve(start + 999).at(119) == 0);  // the second is not over
  CHECK(curve(start + 1'000).at(119) == 5);
  CHECK(curve(start + 2'000).at(118) == 5);
  CHECK(curve(start + 2'000).at(119) == 1);
  CHECK(curve(start + 120'000).at(0) == 5);
  CHECK(curve(start + 121'000).at(0) == 1);
  int sum = 0;
  for (const auto& n : curve(start + 122'000)) sum += n.get<int>();
  CHECK(sum == 0);
  CHECK(live(m, start + 599'999).at("recorded") == 6);
  CHECK(live(m, start + 600'000).at("recorded") == 1);
  CHECK(live(m, start + 601'000).at("recorded") == 0);
  // The same slot, ten minutes later.
  recorded(m, start + 600'000, "acct_a", 7, 1);
  CHECK(live(m, start + 600'500).at("recorded") == 2);
  CHECK(live(m, start + 600'500).at("now") == start + 600'500);
}

TEST_CASE("Types are counted by name for ten minutes", "[monitor]") {
  Monitor m;
  RequestReport report;
  report.recorded = 4;
  report.recorded_by_type.add(z0::FactType::charge, {});
  report.recorded_by_type.add(z0::FactType::custom, "lead_scored");
  report.recorded_by_type.add(z0::FactType::custom, "lead_scored");
  report.recorded_by_type.add(z0::FactType::custom, "custom");
  REQUIRE(m.take(z0::encode_report(report), start));
  REQUIRE(m.take(z0::encode_report(report), start + 61'000));
  CHECK(live(m, start + 61'000).at("by_type").dump() ==
        R"({"charge":2,"custom":2,"lead_scored":4})");
  CHECK(live(m, start + 600'000).at("by_type").dump() ==
        R"({"charge":1,"custom":1,"lead_scored":2})");
  CHECK(live(m, start + 661'000).at("by_type").empty());
  // More names than are kept apart count together.
  for (std::size_t i = 0; i < z0::limits::counted_types_max + 10; ++i) {
    RequestReport one;
    one.recorded = 1;
    one.recorded_by_type.add(z0::FactType::custom, "type_" + std::to_string(i));
    REQUIRE(m.take(z0::encode_report(one), start + 700'000));
  }
  const Json by_type = live(m, start + 700'000).at("by_type");
  CHECK(by_type.size() == z0::limits::counted_types_max + 1);
  CHECK(by_type.at("(other)") == 10);
}

TEST_CASE("A type of the name other is not what counts the types without a name", "[monitor]") {
  z0::TypeCounts counts;
  counts.add(z0::FactType::custom, "other");
  for (std::size_t i = 0; i < z0::limits::counted_types_max + 4; ++i)
    counts.add(z0::FactType::custom, "type_" + std::to_string(i));
  std::string json;
  z0::JsonWriter writer(json);
  counts.write_json(writer);
  CHECK(json.find(R"("other":1)") != std::string::npos);
  CHECK(json.find("\"(other)\":5") != std::string::npos);
  CHECK(json.find(R"("other":)") == json.rfind(R"("other":)"));
}

TEST_CASE("The latest facts stand newest first and are bounded", "[monitor]") {
  Monitor m;
  for (int i = 0; i < 30; ++i) {
    RequestReport report;
    for (int j = 0; j < 3; ++j)
      report.latest.push_back("{\"id\":\"f_" + std::to_string(3 * i + j) + "\"}");
    REQUIRE(m.take(z0::encode_report(report), start));
  }
  const Json latest = live(m, start).at("latest");
  REQUIRE(latest.size() == z0::limits::latest_facts);
  for (std::size_t i = 0; i < latest.size(); ++i)
    CHECK(latest[i].at("id") == "f_" + std::to_string(89 - i));
}

TEST_CASE("Reports that are cut are refused, and the monitor goes on", "[monitor]") {
  RequestReport request;
  request.recorded = 1;
  request.recorded_by_type.add(z0::FactType::custom, "lead_scored");
  request.heads.push_back({"acct_a", 1, start});
  MessageReport arrived;
  arrived.heads.push_back({"acct_a", 1});
  for (const std::string& whole : {z0::encode_report(request), z0::encode_report(arrived),
                                   z0::encode_report(z0::LedgerReport{"acct_a", 2, 1, start, 0})}) {
    Monitor m;
    CHECK(m.take(whole, start));
    for (std::size_t n = 0; n < whole.size(); ++n) CHECK_FALSE(m.take(whole.substr(0, n), start));
    CHECK_FALSE(m.take(whole + '\0', start));
    CHECK_FALSE(m.take("", start));
    CHECK_FALSE(m.take("\x09", start));
    live(m, start);
  }
}

TEST_CASE("So many ledgers are followed by name, and those that arrived make room", "[monitor]") {
  Monitor m;
  constexpr auto most = static_cast<std::int64_t>(z0::limits::lagging_ledgers_max);
  for (std::int64_t i = 0; i < most + 5; ++i)
    recorded(m, start, ("acct_" + std::to_string(i)).c_str(), 1);
  CHECK(replication(m, start).at("depth") == most);
  for (const char* name : {"acct_0", "acct_1", "acct_2"}) landed(m, start, name, 1);
  CHECK(replication(m, start).at("depth") == most - 3);
  // Those that arrived make room, and there is no more of it.
  for (int i = 0; i < 5; ++i) {
    landed(m, start, ("acct_new" + std::to_string(i)).c_str(), 1);
    recorded(m, start, ("acct_newer" + std::to_string(i)).c_str(), 1);
  }
  const std::int64_t depth = replication(m, start).at("depth");
  CHECK(depth > most - 3);
  CHECK(depth <= most);
}

TEST_CASE("An empty monitor is healthy and says so", "[monitor]") {
  Monitor m;
  const Json json = live(m, start);
  CHECK(json.at("recorded") == 0);
  CHECK(json.at("latest").empty());
  CHECK(json.at("by_type").empty());
  CHECK(json.at("replication").at("band") == "healthy");
  CHECK(json.at("facts_per_second").size() == 120);
}
