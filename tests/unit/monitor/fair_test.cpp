// Rules of one tenant, and what they leave to others.
#include <map>
#include <string>
#include <vector>

#include "src/monitor/watch.hpp"
#include "unit/alerting/watched.hpp"
#include "unit/catch.hpp"
#include "z0/alerts/evaluator.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/alerts.hpp"
#include "z0/calls/reply.hpp"
#include "z0/monitor/feed.hpp"

namespace {

using z0::test::deposit;
using z0::test::tick;
using z0::test::Watched;

// Many rules that any fact makes fire.
std::string rules_of(const std::string& prefix, int count, const std::string& by = "") {
  std::string list;
  for (int i = 0; i < count; ++i) {
    list += list.empty() ? "" : ",";
    list += R"({"name": ")" + prefix + std::to_string(i) +
            R"(", "severity": "warning", "runbook": "r", "owner": "o", "summary": "s",
      "signal": {"sum": "z0_facts_written_total"}, "above": 0, "window": "1h", "by": [)" +
            by + "]}";
  }
  return list;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("A tenant whose rules all fire leaves room for the alerts of another", "[alerts]") {
  Watched w;
  // As many as may be, before the other's in any order of tenants.
  for (int i = 0; i < 11; ++i) {
    REQUIRE(w.publish("cfg_a" + std::to_string(i), "tenant",
                      rules_of("A" + std::to_string(i) + "_", 200), "north")
                .status == 201);
  }
  REQUIRE(w.publish("cfg_b", "tenant", rules_of("Mine", 1), "south").status == 201);
  w.post_facts(1, "south", "acct_b");
  w.pass(3 * tick);
  w.post_facts(1, "north");
  w.post_facts(1, "south", "acct_b");
  w.pass(3 * tick);
  CHECK(count_of(w.alerts(), " north\n") == z0::limits::alerts_of_tenant_per_report_max);
  CHECK(w.alerts("south") == "firing Mine0 south\n");
  // What was told stays among what is told.
  const std::string before = w.alerts("north");
  w.post_facts(1, "north");
  w.pass(2 * tick);
  CHECK(w.alerts("north") == before);
}

TEST_CASE("A tenant's rules and labels together hold so many states and no more", "[monitor]") {
  const z0::RuleBook book(
      {{"cfg_a", "north", R"({"rules": [)" + rules_of("A", 200, R"("fact_type")") + "]}"},
       {"cfg_b", "", R"({"rules": [)" + rules_of("P", 200, R"("tenant_id", "fact_type")") + "]}"}});
  z0::Feed feed(book);
  for (z0::Feed::Set& set : feed.sets()) {
    std::vector<z0::Evaluator::Target> targets;
    constexpr int types = 60;
    for (int i = 0; i < types; ++i) {
      const std::string type = "type_" + std::to_string(i);
      const std::string_view labels[] = {type, "", ""};
      set.evaluator.targets(z0::Metric::facts_written, "north", labels, targets);
    }
    if (set.tenant_id.empty()) {
      CHECK(set.evaluator.states() > z0::limits::alert_states_of_tenant_max);
      continue;
    }
    CHECK(set.evaluator.states() == z0::limits::alert_states_of_tenant_max);
    CHECK(set.evaluator.left_out() == types - 50);
  }
}

TEST_CASE("No row of a shard is longer than a row may be, whatever rules there are", "[monitor]") {
  constexpr std::int64_t now_ms = 1'774'915'200'000;
  const std::string many = R"({"rules": [)" + rules_of("A", 200, R"("fact_type")") + "]}";
  const std::string one = R"({"rules": [)" + rules_of("Mine", 1) + "]}";
  const auto rows_of = [&](int configs) {
    std::vector<std::string> ids;
    for (int i = 0; i < configs; ++i) ids.push_back("cfg_" + std::to_string(1'000 + i));
    z0::ShardReportReply sources;
    for (const std::string& id : ids) sources.rules.push_back({id, "north", many});
    sources.rules.push_back({"cfg_z", "south", one});
    z0::Watch watch;
    sources.rules_hash = "of another book";
    watch.heard(z0::encode_reply(sources));
    z0::SeriesTable table;
    z0::Windows windows;
    for (int i = 0; i < 50; ++i) {
      z0::Sample sample;
      const std::string type = "type_" + std::to_string(i);
      sample.metric = z0::Metric::facts_written;
      sample.tenant_id = i == 0 ? "south" : "north";
      sample.labels = {type, "", ""};
      sample.how_much = 1;
      table.add(table.cell_of(sample, now_ms), 1, windows, now_ms);
    }
    watch.tick(table, windows, now_ms);
    std::map<std::int64_t, std::string> rows;
    watch.save([&rows](std::int64_t id, const std::string& bytes) { rows[id] = bytes; });
    for (const auto& [id, bytes] : rows) CHECK(bytes.size() <= z0::limits::alert_row_bytes_max);
    CHECK(rows.at(1).find("Mine0") != std::string::npos);
    CHECK(rows.at(1).find("A100") == std::string::npos);
    return rows;
  };
  CHECK(rows_of(1).at(0).find("Mine0") != std::string::npos);
  CHECK(rows_of(60).at(0).find("Mine0") == std::string::npos);
}
