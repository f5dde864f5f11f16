// What comes late to the object of alerts, and what does not come at all.
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
  return desk.take(z0::encode(report), 1, begin_ms + 60'000, reply);
}

std::int64_t phase_of(z0::Desk& desk) {
  return desk.answer({"", true}, begin_ms + 60'000).alerts.at(0).alert.phase;
}

}  // namespace

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
  w.run_alarms();
  REQUIRE(w.alarm_of("alerts") != 0);
  w.lose_alarm("alerts");
  w.pass(300'000);
  CHECK_FALSE(w.took[z0::test::pager_url].empty());
}
