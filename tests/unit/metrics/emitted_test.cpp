// Every metric of the table is emitted by the code that makes its event happen.
#include <functional>
#include <map>
#include <set>
#include <string>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/edge/config_requests.hpp"
#include "unit/monitor/measuring.hpp"
#include "unit/test_world.hpp"
#include "z0/metrics/registry.hpp"

namespace {

using z0::Metric;
using z0::test::carried;
using z0::test::deposit;
using z0::test::TestWorld;

// A world that notes what it emits: metric, tenant and labels, with how much.
class Measured : public TestWorld {
 public:
  Measured() {
    debug = true;
    seen = [this](std::string_view, std::string_view bytes) {
      for (const auto& point : carried<z0::DataPoint>(bytes)) {
        std::string series(point.blobs.at(0));
        series += '{' + std::string(point.index);
        for (std::size_t i = 1; i < point.blobs.size(); ++i)
          series += ',' + std::string(point.blobs[i]);
        how_much[series + '}'] += point.how_much;
        metrics.emplace(point.blobs[0]);
      }
    };
  }
  double of(const std::string& series) const {
    const auto found = how_much.find(series);
    return found == how_much.end() ? 0 : found->second;
  }

  std::map<std::string, double> how_much;
  std::set<std::string> metrics;
};

void later(TestWorld& w) {
  w.now_ms += 11'000;
  w.run_alarms();
}

void facts(Measured& w) {
  CHECK(w.post(R"([{"type":"charge","id":"c_1","entity_id":"acct_a","amount":4,"source_id":"s",
                    "subtype":"call","asset_id":"ast_1"},)" +
               deposit("d_1") + ']')
            .status == 200);
  w.faults.call = [](std::string_view, z0_outcome& outcome, std::string&) {
    outcome = Z0_TIMEOUT;
    return true;
  };
  CHECK(w.post(deposit("d_2")).status == 504);
  w.faults.call = nullptr;
  w.deliver_all();
  later(w);
  CHECK(w.of("z0_facts_written_total{north,charge,call,ast_1}") == 1);
  CHECK(w.of("z0_facts_written_total{north,deposit,,}") == 1);
  CHECK(w.of("z0_facts_write_duration_ms{north,charge}") == 1);
  CHECK(w.of("z0_facts_write_failures_total{north,deposit,timeout}") == 1);
  CHECK(w.of("z0_errors_total{north,do,ledger,timeout}") == 1);
  CHECK(w.of("z0_replication_facts_total{north}") == 2);
  CHECK(w.of("z0_replication_lag_distribution_ms{north}") == 1);
  CHECK(w.of("z0_replication_queue_depth{}") >= 1);
}

void configs(Measured& w) {
  using z0::test::configs::budget;
  CHECK(z0::test::configs::put(w, "cfg_a", budget(50)).status == 201);
  CHECK(w.get("/v1/configs/cfg_a").status == 200);
  CHECK(w.post(deposit("d_3", "acct_a", 5, R"(,"config_id":"cfg_a","config_version":7)")).status ==
        201);
  CHECK(w.of("z0_config_updates_total{north,budget}") == 1);
  CHECK(w.of("z0_config_reads_total{north,budget}") == 1);
  CHECK(w.of("z0_config_version_gaps_total{north,budget}") == 1);
  // A copy hears of the newest version alone, where several came at once: nothing is missing.
  const auto publish = [&w](int limit) {
    const std::string config = z0::test::configs::wide_budget("tenant", limit);
    CHECK(z0::test::configs::put(w, "cfg_t", config).status == 201);
  };
  const auto hand_out = [&w] {
    while (w.run_alarms() > 0) {
    }
  };
  publish(9);
  hand_out();
  publish(8);
  publish(7);
  hand_out();
  CHECK(z0::test::configs::versions_in(w, "acct_a") ==
        z0::test::Json{"cfg_a:1", "cfg_t:1", "cfg_t:3"});
  CHECK(w.of("z0_config_version_gaps_total{north,budget}") == 1);
  // The ledger's own count says the same.
  CHECK(w.get("/v1/entities/acct_a/state?cache=ConfigState").json.at("state").at("version_gaps") ==
        1);
}

void caches(Measured& w) {
  CHECK(w.get("/v1/entities/acct_a/state?cache=BudgetState").status == 200);
  CHECK(w.get("/v1/entities/acct_a/state?cache=BudgetState&as_of=seq:1").status == 200);
  CHECK(w.of("z0_cache_hits_total{north,BudgetState}") == 1);
  CHECK(w.of("z0_cache_misses_total{north,BudgetState}") == 1);
  CHECK(w.of("z0_cache_read_duration_ms{north,BudgetState}") == 2);
}

// A snapshot that is not that of its facts; then rows that cannot be read.
void reconciliation(Measured& w) {
  REQUIRE_FALSE(w.ledger("acct_a").run({"UPDATE segments SET cache = x'00'", {}})->rows.failed);
  CHECK(w.ask("POST", "/v1/ledgers/acct_a/reconcile?from=start", "", {}, {}).status == 200);
  CHECK(w.of("z0_reconciliation_facts_scanned_total{north,all}") >= 3);
  CHECK(w.metrics.contains("z0_reconciliation_mismatches_total"));
  REQUIRE_FALSE(w.ledger("acct_a").run({"UPDATE segments SET body = x'00'", {}})->rows.failed);
  CHECK(w.ask("POST", "/v1/ledgers/acct_a/reconcile?from=start", "", {}, {}).status == 503);
  CHECK(w.of("z0_reconciliation_failures_total{north,all}") == 1);
}

void replication_fails(Measured& w) {
  CHECK(w.post(deposit("d_9", "acct_b")).status == 201);
  w.faults.query = [] { return true; };
  CHECK_FALSE(w.deliver());
  w.faults.query = nullptr;
  w.queue.clear();
  later(w);
  CHECK(w.of("z0_replication_failures_total{north}") == 1);
  // The delivery that failed, and the chunk that the ledger wrote.
  CHECK(w.of("z0_replication_retries_total{north}") == 2);
  CHECK(w.of("z0_replication_facts_total{north}") == 3);
}

void outside(Measured& w) {
  w.fetch = [](const z0::FetchNeed&) { return std::uint16_t{503}; };
  CHECK(w.ask("POST", "/conformance/trace-context", "",
              R"([{"url":"http://one.example/a","arguments":[]}])", {})
            .status == 200);
  CHECK(w.of("z0_external_calls_total{,trace_context,post,http_503}") == 1);
  CHECK(w.of("z0_external_errors_total{,trace_context,post,http_503}") == 1);
}

void notifications(Measured& w) {
  z0::test::measure(w);
  w.named_secrets = {{"SLACK", "https://slack.example/"},
                     {"HOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}};
  w.fetch = [](const z0::FetchNeed& need) {
    if (need.url == "https://slack.example/") return std::uint16_t{200};
    return need.url == "https://gone.example/" ? std::uint16_t{410} : std::uint16_t{503};
  };
  CHECK(w.ask("PUT", "/v1/configs/cfg_channels", "",
              R"({"type": "alert_channels", "scope": "platform", "settings": {"channels": [
                {"name": "a", "type": "slack", "secret": "SLACK"},
                {"name": "b", "type": "webhook", "secret": "HOOK", "url": "https://gone.example/"},
                {"name": "c", "type": "webhook", "secret": "HOOK", "url": "https://away.example/"}
              ]}})",
              {})
            .status == 201);
  w.faults.call = [](std::string_view object, z0_outcome& outcome, std::string&) {
    outcome = Z0_TIMEOUT;
    return object.starts_with("account_");
  };
  for (int i = 0; i < 6; ++i) CHECK(w.post(deposit("n_" + std::to_string(i))).status == 504);
  w.faults.call = nullptr;
  for (int i = 0; i < 60; ++i) {
    w.now_ms += 1'000;
    w.run_alarms();
  }
  CHECK(w.of("z0_notifications_total{,cfg_channels/a}") >= 1);
  CHECK(w.of("z0_notifications_lost_total{,cfg_channels/b}") >= 1);
  CHECK(w.metrics.contains("z0_notifications_delay_ms"));
  // Nothing ran for two minutes.
  w.now_ms += 120'000;
  for (int i = 0; i < 5; ++i) w.run_alarms();
  CHECK(w.metrics.contains("z0_alerts_evaluation_delay_ms"));
}

}  // namespace

TEST_CASE("Every metric but those of product Workers is emitted when its event happens",
          "[metrics]") {
  Measured w;
  facts(w);
  replication_fails(w);
  configs(w);
  caches(w);
  outside(w);
  reconciliation(w);
  notifications(w);
  for (int i = 0; i < static_cast<int>(Metric::count_); ++i) {
    const z0::MetricInfo& row = z0::info(static_cast<Metric>(i));
    INFO(row.name);
    CHECK(w.metrics.contains(std::string(row.name)) != row.of_products);
  }
}

TEST_CASE("What z0 fails at is an error, and what a caller did wrong is none", "[metrics]") {
  Measured w;
  CHECK(w.get("/v1/entities/acct_nobody").status == 404);
  CHECK(w.post("not json").status == 400);
  CHECK_FALSE(w.metrics.contains("z0_errors_total"));
  REQUIRE(w.post(deposit("d_1")).status == 201);
  w.faults.call = [](std::string_view, z0_outcome& outcome, std::string&) {
    outcome = Z0_TIMEOUT;
    return true;
  };
  CHECK(w.get("/v1/entities/acct_a").status == 504);
  CHECK(w.of("z0_errors_total{,worker,edge,timeout}") == 1);
}
