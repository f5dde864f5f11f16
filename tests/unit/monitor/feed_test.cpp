// The sums that rules are judged by, as they are kept up to date with the windows of a shard.
#include "z0/monitor/feed.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "laws/random.hpp"
#include "unit/catch.hpp"

namespace {

using z0::Metric;
using z0::Sample;

constexpr std::int64_t begin_ms = 1'774'915'200'000;
constexpr std::string_view settings = R"({"rules": [
  {"name": "Short", "signal": {"sum": "z0_facts_written_total"}, "at_least": 0, "window": "1m",
   "by": ["tenant_id"], "severity": "warning", "runbook": "r", "owner": "o", "summary": "s"},
  {"name": "Long", "signal": {"sum": "z0_facts_written_total"}, "at_least": 0, "window": "1h",
   "by": ["tenant_id", "fact_type"], "severity": "warning", "runbook": "r", "owner": "o",
   "summary": "s"},
  {"name": "Longer", "signal": {"sum": "z0_facts_written_total"}, "at_least": 0, "window": "6h",
   "by": ["tenant_id"], "severity": "warning", "runbook": "r", "owner": "o", "summary": "s"}]})";

// A shard's tables, that what happens is told to.
struct Tables {
  z0::SeriesTable table;
  z0::Windows windows;

  void count(std::string_view tenant, std::string_view type, std::int64_t how_much,
             std::int64_t now_ms) {
    Sample sample;
    sample.metric = Metric::facts_written;
    sample.tenant_id = tenant;
    sample.labels = {type, "", ""};
    sample.how_much = how_much;
    const std::uint32_t cell = table.cell_of(sample, now_ms);
    REQUIRE(cell != z0::SeriesTable::none);
    table.add(cell, static_cast<std::uint64_t>(how_much), windows, now_ms);
  }
  // What a rule of the window should see of a tenant, whole slots with the one that is open.
  std::int64_t by_hand(std::string_view tenant, std::int64_t window_ms, std::int64_t now_ms) const {
    const std::size_t level = z0::Windows::level_for(window_ms);
    const std::int64_t slot_ms = z0::Windows::levels[level].slot_ms;
    std::int64_t sum = 0;
    windows.each(level, (now_ms / slot_ms - window_ms / slot_ms + 1) * slot_ms, now_ms,
                 [&](std::int64_t, std::uint32_t cell, std::uint32_t amount) {
                   const auto& series = table.series()[table.cells()[cell].series];
                   if (z0::SeriesTable::name_of(series).tenant_id == tenant) sum += amount;
                 });
    return sum;
  }
};

// What the alerts of a rule say, added up by tenant: these rules always hold.
std::map<std::string, std::int64_t> seen(z0::Feed& feed, std::string_view rule) {
  std::map<std::string, std::int64_t> sums;
  for (z0::Feed::Set& set : feed.sets()) {
    for (const auto& alert : set.evaluator.alerts()) {
      if (alert.rule->name == rule)
        sums[std::string(alert.tenant_id)] += static_cast<std::int64_t>(alert.state->value);
    }
  }
  return sums;
}

z0::RuleBook book() { return z0::RuleBook({{"cfg_a", "", std::string(settings)}}); }

}  // namespace

TEST_CASE("Sums that are kept up to date are those of the windows, however time goes",
          "[monitor]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    z0::laws::Random random(seed);
    INFO("seed " << seed);
    Tables tables;
    const z0::RuleBook rules = book();
    z0::Feed feed(rules);
    std::int64_t now_ms = begin_ms;
    for (int step = 0; step < 300; ++step) {
      const std::uint64_t pace = random.below(40);
      now_ms += static_cast<std::int64_t>(pace == 0   ? random.below(3 * 3'600'000)
                                          : pace == 1 ? random.below(600'000)
                                                      : random.below(8'000));
      // A clock that goes back adds to slots that were over: whoever sees it says so.
      if (pace == 2) {
        now_ms -= 15'000;
        feed.forget_sums();
      }
      const std::string tenant = "tenant_" + std::to_string(random.below(3));
      const std::string type = random.below(2) == 0 ? "charge" : "cost";
      if (random.below(4) != 0)
        tables.count(tenant, type, 1 + static_cast<std::int64_t>(random.below(9)), now_ms);
      if (random.below(3) != 0) continue;
      feed.tick(tables.table, tables.windows, now_ms);
      for (const auto& [rule, window_ms] : std::map<std::string, std::int64_t>{
               {"Short", 60'000}, {"Long", 3'600'000}, {"Longer", 21'600'000}}) {
        for (const auto& [of, sum] : seen(feed, rule)) {
          INFO(rule << " of " << of << " at step " << step);
          REQUIRE(sum == tables.by_hand(of, window_ms, now_ms));
        }
      }
    }
  }
}

TEST_CASE("A tenant's rules see its own series alone", "[monitor]") {
  Tables tables;
  tables.count("north", "charge", 5, begin_ms);
  tables.count("south", "charge", 7, begin_ms);
  const std::string own =
      R"({"rules": [{"name": "Mine", "signal": {"sum": "z0_facts_written_total"},
    "above": 0, "window": "5m", "severity": "warning", "runbook": "r", "owner": "o",
    "summary": "s"}]})";
  const z0::RuleBook rules({{"cfg_a", "north", own}});
  z0::Feed feed(rules);
  feed.tick(tables.table, tables.windows, begin_ms);
  CHECK(seen(feed, "Mine") == std::map<std::string, std::int64_t>{{"north", 5}});
}

TEST_CASE("A feed rests when its windows are empty and no alert is left", "[monitor]") {
  Tables tables;
  const z0::RuleBook rules;
  z0::Feed feed(rules);
  feed.tick(tables.table, tables.windows, begin_ms);
  CHECK(feed.rests());
  tables.count("north", "charge", 5, begin_ms + 1'000);
  feed.tick(tables.table, tables.windows, begin_ms + 2'000);
  CHECK_FALSE(feed.rests());
  // Six hours is the longest window of the rules that ship.
  feed.tick(tables.table, tables.windows, begin_ms + std::int64_t{7} * 3'600'000);
  CHECK(feed.rests());
}

TEST_CASE("A rule that silence can make hold keeps a feed awake", "[monitor]") {
  const std::string absent = R"({"rules": [{"name": "Gone", "signal": {"absent":
    "z0_facts_written_total"}, "window": "5m", "by": ["tenant_id"], "severity": "warning",
    "runbook": "r", "owner": "o", "summary": "s"}]})";
  const z0::RuleBook rules({{"cfg_a", "", absent}});
  Tables tables;
  z0::Feed feed(rules);
  feed.tick(tables.table, tables.windows, begin_ms);
  CHECK_FALSE(feed.rests());
}

TEST_CASE("A config says a rule that ships in another way by its name", "[monitor]") {
  const std::string other = R"({"rules": [{"name": "ReplicationLag", "signal": {"value":
    "z0_replication_lag_ms"}, "above": 5, "severity": "critical", "runbook": "r", "owner": "o",
    "summary": "s"}]})";
  const z0::RuleBook shipped;
  const z0::RuleBook said({{"cfg_a", "", other}});
  CHECK(said.of_all().size() == shipped.of_all().size());
  CHECK(said.hash() != shipped.hash());
  const auto found =
      std::find_if(said.of_all().begin(), said.of_all().end(),
                   [](const z0::Rule& rule) { return rule.name == "ReplicationLag"; });
  REQUIRE(found != said.of_all().end());
  CHECK(found->threshold == 5);
}
