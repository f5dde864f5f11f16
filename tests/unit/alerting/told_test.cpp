// Who is told, and when, over a whole world: what people say and what clocks show.
#include <string>

#include "unit/alerting/receivers.hpp"
#include "unit/catch.hpp"

namespace {

using z0::test::alert_tick;
using z0::test::Json;
using z0::test::pager;
using z0::test::pager_url;
using z0::test::Receivers;
using z0::test::Reply;
using z0::test::slack_url;

constexpr std::int64_t minute = 60'000;
constexpr std::int64_t hour = 60 * minute;

// The clocks of Berlin in summer.
void set_clocks(Receivers& w) {
  w.zone = [](std::string_view zone, std::int64_t at_ms, std::int64_t& offset_min,
              std::int64_t& until_ms) {
    offset_min = 120;
    until_ms = at_ms + 24 * hour;
    return zone == "Europe/Berlin";
  };
}

std::string office(const std::string& zone) {
  return R"({"name": "office", "type": "slack", "secret": "SLACK_URL", "business_hours":
    {"time_zone": ")" +
         zone + R"(", "from": "09:00", "to": "17:00"}})";
}

std::size_t heard(const Receivers& w, const char* url, const std::string& what) {
  std::size_t count = 0;
  const auto found = w.took.find(url);
  if (found == w.took.end()) return 0;
  for (const auto& got : found->second) count += got.body.find(what) != std::string::npos ? 1 : 0;
  return count;
}

// A warning that begins with three facts and ends some minutes later.
void be_busy(Receivers& w) {
  const std::string rules =
      R"({"type": "alert_rules", "scope": "platform", "settings": {"rules": [{"name": "Busy",
          "signal": {"sum": "z0_facts_written_total"}, "above": 2, "window": "5m",
          "severity": "warning", "runbook": "busy", "owner": "o", "summary": "Busy."}]}})";
  REQUIRE(w.ask("PUT", "/v1/configs/cfg_rules", "", rules, {}).status == 201);
  for (int i = 0; i < 3; ++i)
    REQUIRE(w.post(z0::test::deposit("d_" + std::to_string(i), "acct_a"), "north").status == 201);
}

Reply say(Receivers& w, const std::string& alert, const std::string& words) {
  return w.ask("POST", "/v1/alerts/" + alert + "/acknowledge", "",
               R"({"author":"ann","reason":"looking")" + words + "}", {});
}

}  // namespace

TEST_CASE("A channel in a zone that there is not is refused", "[dispatch]") {
  Receivers w;
  set_clocks(w);
  const Reply refused = w.channels(std::string(pager) + ',' + office("Europe/Atlantis"));
  CHECK(refused.status == 422);
  CHECK(refused.text("field") == "settings.channels[1].business_hours.time_zone");
  CHECK(w.get("/v1/configs/cfg_channels", "").status == 404);
  CHECK(w.channels(std::string(pager) + ',' + office("Europe/Berlin")).status == 201);
}

TEST_CASE("A warning at night is with people in the morning, whatever happens to the memory",
          "[dispatch]") {
  Receivers w;
  set_clocks(w);
  REQUIRE(w.channels(office("Europe/Berlin")).status == 201);
  // Two o'clock in Berlin.
  REQUIRE(w.now_ms % (24 * hour) == 0);
  be_busy(w);
  w.pass(2 * minute);
  REQUIRE(w.alert("Busy").at("state") == "firing");
  CHECK(heard(w, slack_url, "Busy") == 0);
  w.crash();
  w.pass(2 * minute);
  CHECK(heard(w, slack_url, "Busy") == 0);
  const std::int64_t nine = w.now_ms - w.now_ms % (24 * hour) + 7 * hour;
  while (w.now_ms < nine - minute) w.pass(std::min(10 * minute, nine - minute - w.now_ms));
  CHECK(w.alert("Busy").is_null());
  CHECK(heard(w, slack_url, "Busy") == 0);
  w.pass(2 * minute);
  CHECK(heard(w, slack_url, "Busy") == 1);
  w.pass(hour);
  CHECK(heard(w, slack_url, "Busy") == 1);
}

TEST_CASE("What somebody looks after is told so, once", "[dispatch]") {
  Receivers w;
  REQUIRE(w.channels(pager).status == 201);
  w.fail_writes(5);
  w.pass(2 * alert_tick);
  REQUIRE(heard(w, pager_url, "FactWriteFailures") >= 1);
  const std::string id = w.alert("FactWriteFailures").at("id");
  REQUIRE(say(w, id, "").status == 200);
  w.pass(minute);
  CHECK(heard(w, pager_url, R"("acknowledge")") == 1);
}

TEST_CASE("A page that nobody answers goes to the next audience, and shows that it did",
          "[dispatch]") {
  Receivers w;
  const std::string lead =
      R"({"name": "lead", "type": "slack", "secret": "SLACK_URL", "audience": ["engineering_lead"]})";
  REQUIRE(w.channels(std::string(pager) + ',' + lead).status == 201);
  for (int i = 0; i < 14; ++i) {
    w.fail_writes(3);
    w.pass(minute);
  }
  CHECK(heard(w, slack_url, "FactWriteFailures") == 0);
  CHECK_FALSE(w.alert("FactWriteFailures").contains("escalated"));
  w.fail_writes(3);
  w.pass(2 * minute);
  CHECK(heard(w, slack_url, "Nobody acknowledged this for 15m") >= 1);
  CHECK(w.alert("FactWriteFailures").at("escalated") == 1);
}

TEST_CASE("What is silenced reaches nobody until it is not", "[dispatch]") {
  Receivers w;
  REQUIRE(w.channels(pager).status == 201);
  const Reply silence = w.ask("POST", "/v1/silences", "",
                              R"({"rule":"*","author":"ann","reason":"r","for":"1h"})", {});
  REQUIRE(silence.status == 201);
  w.fail_writes(5);
  w.pass(2 * minute);
  REQUIRE(w.alert("FactWriteFailures").at("silence_id") == silence.text("id"));
  CHECK(w.took[pager_url].empty());
  REQUIRE(w.ask("DELETE", "/v1/silences/" + silence.text("id"), "", "", {}).status == 200);
  w.pass(alert_tick);
  CHECK(heard(w, pager_url, "FactWriteFailures") >= 1);
}
