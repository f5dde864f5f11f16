// What comes late to the object of alerts, and what does not come at all.
#include <map>
#include <utility>

#include "unit/alerting/receivers.hpp"
#include "z0/alerting/desk.hpp"

using z0::test::Receivers;

namespace {

constexpr std::int64_t begin_ms = 1'774'915'200'000;
constexpr std::int64_t firing = 2;

// What a shard says of one alert; an AlertPhase.
bool say(z0::Desk& desk, std::int64_t at_ms, std::int64_t phase) {
  const std::string hash(z0::RuleBook().hash());
  z0::ShardReport report;
  report.shard = "metrics_0";
  report.at_ms = at_ms;
  report.rules_hash = hash;
  z0::AlertReport& alert = report.alerts.emplace_back();
  alert.rule = "TenantWriteFailures";
  alert.tenant_id = "north";
  alert.phase = phase;
  alert.active_at_ms = alert.fired_at_ms = begin_ms;
  alert.resolved_at_ms = phase == firing ? 0 : begin_ms + 50'000;
  z0::ShardReportReply reply;
  return desk.take(z0::encode(report), begin_ms + 60'000, reply);
}

std::int64_t phase_of(z0::Desk& desk) {
  return desk.answer({"", true}, begin_ms + 60'000).alerts.at(0).alert.phase;
}

// What a shard adds to the rules about all tenants: facts that were written, and that could not be.
bool add(z0::Desk& desk, const char* shard, std::int64_t written, std::int64_t failed,
         std::int64_t at_ms, const char* tenant = "") {
  z0::Evaluator of_all(z0::RuleBook().of_all());
  std::vector<z0::Evaluator::Target> targets;
  const auto count = [&](z0::Metric metric, std::vector<std::string_view> labels,
                         std::int64_t amount) {
    targets.clear();
    of_all.targets(metric, "north", labels, targets);
    for (const z0::Evaluator::Target& target : targets)
      of_all.add(target, static_cast<std::uint64_t>(amount), 0);
  };
  count(z0::Metric::facts_written, {"charge", "", ""}, written);
  count(z0::Metric::facts_write_failures, {"charge", "storage_error"}, failed);
  count(z0::Metric::reconciliation_failures, {"all"}, failed);
  std::string sums;
  z0::ByteWriter out(sums);
  of_all.encode_sums(out);
  const std::string hash(z0::RuleBook().hash());
  z0::ShardReport report;
  report.shard = shard;
  report.at_ms = at_ms;
  report.rules_hash = hash;
  report.sums = sums;
  if (*tenant != 0) {
    z0::AlertReport& alert = report.alerts.emplace_back();
    alert.rule = "TenantWriteFailures";
    alert.tenant_id = tenant;
    alert.phase = firing;
    alert.active_at_ms = alert.fired_at_ms = begin_ms;
  }
  z0::ShardReportReply reply;
  return desk.take(z0::encode(report), at_ms, reply);
}

bool fires(z0::Desk& desk, std::string_view rule, std::int64_t at_ms) {
  for (const auto& one : desk.answer({"", true}, at_ms).alerts)
    if (one.alert.rule == rule && one.alert.phase == firing) return true;
  return false;
}

using Rows = std::map<std::pair<std::int64_t, std::string>, std::string>;

void save(z0::Desk& desk, Rows& rows) {
  desk.save([&rows](std::int64_t kind, std::string_view id, std::string_view bytes) {
    const std::pair key(kind, std::string(id));
    if (bytes.empty())
      rows.erase(key);
    else
      rows[key] = bytes;
  });
}

z0::Desk loaded(const Rows& rows, std::int64_t now_ms) {
  z0::Desk anew;
  for (const auto& [key, bytes] : rows) REQUIRE(anew.load(key.first, key.second, bytes));
  anew.end_loading(now_ms);
  return anew;
}

// Of a desk that two shards were heard of.
Rows rows_of_two(std::int64_t now_ms) {
  z0::Desk desk;
  REQUIRE(add(desk, "metrics_0", 10'000, 0, now_ms - 5'000));
  REQUIRE(add(desk, "metrics_1", 100, 0, now_ms - 5'000));
  Rows rows;
  save(desk, rows);
  return rows;
}

z0::Desk restarted(std::int64_t now_ms) { return loaded(rows_of_two(now_ms), now_ms); }

}  // namespace

TEST_CASE("After a restart a share is judged once all shards that were awake spoke", "[desk]") {
  z0::Desk desk = restarted(begin_ms);
  CHECK(desk.unheard() == std::vector<std::string>{"metrics_0", "metrics_1"});
  REQUIRE(add(desk, "metrics_1", 100, 20, begin_ms + 1'000));
  CHECK_FALSE(fires(desk, "FactWriteFailures", begin_ms + 1'000));
  // More of them can only be more.
  CHECK(fires(desk, "ReconciliationFailures", begin_ms + 1'000));
  REQUIRE(add(desk, "metrics_0", 10'000, 0, begin_ms + 2'000));
  CHECK(desk.unheard().empty());
  CHECK_FALSE(fires(desk, "FactWriteFailures", begin_ms + 2'000));
  REQUIRE(add(desk, "metrics_1", 100, 200, begin_ms + 6'000));
  CHECK(fires(desk, "FactWriteFailures", begin_ms + 6'000));
}

TEST_CASE("A shard that does not speak after a restart holds up no share for long", "[desk]") {
  z0::Desk desk = restarted(begin_ms);
  REQUIRE(add(desk, "metrics_1", 100, 20, begin_ms + 1'000));
  CHECK(desk.next_ms(begin_ms + 1'000) == begin_ms + 1'000);
  desk.ask();
  const std::int64_t by_ms = desk.next_ms(begin_ms + 1'000);
  CHECK(by_ms == begin_ms + z0::limits::shard_unheard_ms + 1);
  desk.tick(by_ms);
  CHECK(fires(desk, "FactWriteFailures", by_ms));
  CHECK(desk.unheard().size() == 1);
}

TEST_CASE("A shard that never speaks again is silent, and holds up no end for long", "[desk]") {
  Rows rows = rows_of_two(begin_ms);
  z0::Desk desk = loaded(rows, begin_ms);
  desk.ask();
  const std::string hash(z0::RuleBook().hash());
  z0::ShardReport rests;
  rests.shard = "metrics_1";
  rests.at_ms = begin_ms + 1'000;
  rests.rules_hash = hash;
  rests.rests = true;
  z0::ShardReportReply reply;
  REQUIRE(desk.take(z0::encode(rests), rests.at_ms, reply));
  const std::int64_t unheard_ms = desk.next_ms(rests.at_ms);
  CHECK(unheard_ms == begin_ms + z0::limits::shard_unheard_ms + 1);
  desk.tick(unheard_ms);
  const std::int64_t silent_ms = desk.next_ms(unheard_ms);
  CHECK(silent_ms == begin_ms + z0::limits::shard_silent_ms + 1);
  CHECK(desk.answer({"", true}, silent_ms - 1).silent_shards == 0);
  desk.tick(silent_ms);
  CHECK(desk.answer({"", true}, silent_ms).silent_shards == 1);
  CHECK(desk.next_ms(silent_ms) == 0);
  // A restart makes it no sound one.
  save(desk, rows);
  z0::Desk anew = loaded(rows, silent_ms + 1'000);
  CHECK(anew.unheard() == std::vector<std::string>{"metrics_0"});
  REQUIRE(add(anew, "metrics_0", 1, 0, silent_ms + 2'000));
  CHECK(anew.answer({"", true}, silent_ms + 2'000 + z0::limits::shard_silent_ms).silent_shards ==
        0);
}

TEST_CASE("Two shards have two alerts for the tenants that they had no room for", "[desk]") {
  z0::Desk desk;
  REQUIRE(add(desk, "metrics_0", 0, 0, begin_ms, "(other)"));
  REQUIRE(add(desk, "metrics_1", 0, 0, begin_ms, "(other)"));
  const auto alerts = desk.answer({"", true}, begin_ms).alerts;
  REQUIRE(alerts.size() == 2);
  CHECK(alerts[0].id != alerts[1].id);
  CHECK(alerts[0].alert.tenant_id == "(other of metrics_0)");
}

TEST_CASE("A shard's word that comes after a newer one changes nothing", "[desk]") {
  z0::Desk desk;
  REQUIRE(say(desk, begin_ms + 55'000, 0));
  REQUIRE(say(desk, begin_ms + 40'000, firing));
  CHECK(phase_of(desk) == 0);
  // Further back it is the shard's clock that went back.
  REQUIRE(say(desk, begin_ms - 200'000, firing));
  CHECK(phase_of(desk) == firing);
}

TEST_CASE("An alarm that never came is set anew by the next word", "[desk]") {
  Receivers w;
  REQUIRE(w.channels(z0::test::pager).status == 201);
  w.fail_writes(5);
  w.now_ms += z0::test::alert_tick;
  // The shard saves what it found, and says it.
  w.run_alarms();
  w.run_alarms();
  REQUIRE(w.alarm_of("alerts") != 0);
  w.lose_alarm("alerts");
  w.pass(300'000);
  CHECK_FALSE(w.took[z0::test::pager_url].empty());
}
