#include "z0/alerting/dispatch.hpp"

#include "unit/alerting/scene.hpp"
#include "unit/catch.hpp"

using z0::Audience;
using z0::ChannelType;
using z0::Severity;
using z0::test::channel_of;
using z0::test::Scene;

namespace {

constexpr std::int64_t second = 1'000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr auto warning = Severity::warning;

}  // namespace

TEST_CASE("A page does not wait, and its end is told", "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.pager();
  s.fire("A");
  CHECK(s.decide() == "pager firing A");
  const std::string key = s.last[0].notification.dedup_key;
  CHECK(s.pass(4 * minute).empty());
  s.end("A");
  CHECK(s.pass(2 * minute) == "1m pager resolved A(over)\n");
  CHECK(s.pass(hour).empty());
  CHECK(s.rows.size() == 1);

  s.fire("A");
  CHECK(s.decide() == "pager firing A");
  CHECK(s.last[0].notification.dedup_key != key);
}

TEST_CASE("Warnings that begin together are told together", "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.pager();
  s.fire("W", warning, "north");
  CHECK(s.decide().empty());
  CHECK(s.next_ms == s.now_ms + 10 * second);
  s.now_ms += 9'999;
  s.fire("W", warning, "south");
  CHECK(s.decide().empty());
  s.now_ms += 1;
  CHECK(s.decide() == "pager firing W/north W/south");
}

TEST_CASE("What changes in a group is told once within the interval, under one key", "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.pager();
  s.fire("A", Severity::critical, "north");
  CHECK(s.decide() == "pager firing A/north");
  const std::string key = s.last[0].notification.dedup_key;
  const std::string id = s.last[0].notification.id;
  s.now_ms += minute;
  s.fire("A", Severity::critical, "south");
  s.end("A/north");
  CHECK(s.pass(4 * minute - 1, minute).empty());
  s.now_ms += 1;
  CHECK(s.decide() == "pager firing A/south A/north(over)");
  CHECK(s.last[0].notification.dedup_key == key);
  CHECK(s.last[0].notification.id != id);
}

TEST_CASE("Rules and severities are groups of their own", "[dispatch]") {
  Scene s;
  s.pager();
  s.fire("A");
  s.fire("B");
  CHECK(s.pass(minute) == "5s pager firing A; pager firing B\n");
  s.fire("W", warning);
  CHECK(s.pass(minute) == "15s pager firing W\n");
}

TEST_CASE("What goes on is told again after long, and not while somebody looks after it",
          "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.pager().policy.escalate_ms = 0;
  s.fire("A");
  CHECK(s.decide() == "pager firing A");
  CHECK(s.pass(4 * hour, minute) == "4h pager firing A\n");
  s.now_ms += minute;
  s.acknowledge("A");
  CHECK(s.decide() == "pager acknowledged A");
  CHECK(s.last[0].notification.by == "ada");
  CHECK(s.last[0].notification.reason == "looking");
  CHECK(s.pass(9 * hour, minute).empty());

  // The word runs out.
  s.alerts.at("A").said_ms = 0;
  CHECK(s.decide() == "pager firing A");
}

TEST_CASE("An alert that joins those that are looked after is told of", "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.pager();
  s.fire("A", Severity::critical, "north");
  s.decide();
  s.acknowledge("A/north");
  s.now_ms += minute;
  CHECK(s.decide() == "pager acknowledged A/north");
  s.fire("A", Severity::critical, "south");
  CHECK(s.pass(6 * minute) == "5m pager firing A/north A/south\n");
}

TEST_CASE("A page that nobody acknowledges goes to the next audience, and again", "[dispatch]") {
  Scene s(GENERATE(false, true));
  z0::Channel pager = channel_of("pager");
  pager.audience = 1;
  s.listener(pager);
  z0::Channel lead = channel_of("lead", ChannelType::slack);
  lead.audience = 2;
  s.listener(lead);
  s.fire("A");
  CHECK(s.decide() == "pager firing A");
  CHECK(s.pass(15 * minute - 1).empty());
  CHECK(s.next_ms == s.now_ms + 1);
  s.now_ms += 1;
  CHECK(s.decide() == "lead firing A");
  CHECK(s.last[0].notification.alerts[0].summary == "Nobody acknowledged this for 15m. It is so.");
  CHECK(s.dispatch.standing("A").escalations == 1);
  CHECK(s.pass(16 * minute) == "15m lead firing A\n");
  s.acknowledge("A");
  CHECK(s.decide() == "pager acknowledged A; lead acknowledged A");
  CHECK(s.pass(hour, minute).empty());
  s.end("A");
  CHECK(s.pass(minute) == "5s pager resolved A(over); lead resolved A(over)\n");
}

TEST_CASE("A page that is acknowledged, silenced or a warning goes no further", "[dispatch]") {
  Scene s;
  z0::Channel lead = channel_of("lead", ChannelType::slack);
  lead.audience = 2;
  s.listener(lead);
  s.fire("A");
  s.fire("B");
  s.fire("W", warning);
  s.decide();
  s.acknowledge("A");
  s.silence("B", 2 * hour);
  CHECK(s.pass(2 * hour - minute, minute).empty());
  // A quarter of an hour after nothing silences it any more.
  CHECK(s.pass(20 * minute, minute) == "16m lead firing B\n");
}

TEST_CASE(
    "An alert that comes and goes is told as flapping, held, and its end told when it is quiet",
    "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.pager();
  std::string said;
  std::string summary;
  // Each minute it begins or ends: the seventh change is too many.
  for (int i = 0; i < 20; ++i) {
    s.now_ms += minute;
    if (i % 2 == 0)
      s.fire("A");
    else
      s.end("A");
    said += s.decide();
    if (s.last.empty()) continue;
    said += " at " + std::to_string(i) + '\n';
    summary = s.last[0].notification.alerts[0].summary;
  }
  CHECK(summary == "Flapping, 7 changes within 30m. It is so.");
  CHECK(said ==
        "pager firing A at 0\n"
        "pager resolved A(over) at 5\n"
        "pager firing A at 6\n");
  CHECK(s.dispatch.standing("A").flaps);
  // Of the changes of half an hour, six are left.
  s.now_ms += minute;
  const std::string end = s.pass(hour, minute);
  CHECK(end == "23m pager resolved A(over)\n");
  CHECK(s.pass(hour, minute).empty());
  CHECK(s.rows.size() == 1);
}

TEST_CASE("Alertmanager hears again every minute, until a quarter of an hour after the end",
          "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.listener(channel_of("am", ChannelType::alertmanager));
  s.fire("W", warning);
  CHECK(s.decide() == "am firing W");
  CHECK(s.last[0].notification.alerts[0].expires_ms == s.now_ms + 4 * minute);
  CHECK(s.pass(2 * minute) == "1m am firing W\n2m am firing W\n");
  s.acknowledge("W");
  CHECK(s.pass(minute) == "1m am firing W\n");
  s.end("W");
  s.now_ms += 5 * second;
  CHECK(s.decide() == "am resolved W(over)");
  std::string said = s.pass(hour);
  CHECK(std::count(said.begin(), said.end(), '\n') == 14);
  CHECK(said.find("firing") == std::string::npos);
}

TEST_CASE("What is not known yet is not over", "[dispatch]") {
  Scene s(true);
  s.pager();
  s.fire("A");
  s.decide();
  s.alerts.clear();
  s.complete = false;
  CHECK(s.pass(20 * minute).find("resolved") == std::string::npos);
  s.complete = true;
  CHECK(s.pass(minute) == "5s pager resolved A(over)\n");
}

TEST_CASE("An alert that ended before anybody looked is told as over", "[dispatch]") {
  Scene s;
  s.pager();
  s.decide();
  s.now_ms += minute;
  s.fire("A").alert.ended_ms = s.now_ms - 1;
  CHECK(s.decide() == "pager resolved A(over)");
}

TEST_CASE("Who begins to listen hears of what fires, and not of what is over", "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.pager();
  s.fire("A");
  s.fire("B");
  s.decide();
  s.end("A");
  s.now_ms += minute;
  s.decide();
  s.listener(channel_of("new"));
  CHECK(s.decide() == "new firing B");
  CHECK(s.pass(10 * minute) == "4m pager resolved A(over)\n");
  // And who listens no more is forgotten: it hears of B as anybody new.
  const z0::Listener gone = s.listeners[1];
  s.listeners.pop_back();
  s.now_ms += second;
  CHECK(s.decide().empty());
  s.listeners.push_back(gone);
  s.now_ms += second;
  CHECK(s.decide() == "new firing B");
}

TEST_CASE(
    "A listener hears of severities and audiences that it wants, and a tenant's of its tenant",
    "[dispatch]") {
  Scene s;
  z0::Channel success = channel_of("success");
  success.audience = 4;
  s.listener(success);
  z0::Channel pages = channel_of("pages");
  pages.severities = 2;
  s.listener(pages);
  s.listener(channel_of("north"), "north");
  s.fire("A", Severity::critical, "south").alert.audience = 5;
  s.fire("W", warning, "north");
  CHECK(s.pass(minute) ==
        "5s success firing A/south; pages firing A/south\n15s north firing W/north\n");
}

TEST_CASE("Of a tenant's own rules hear its own channels, or the platform's where it has none",
          "[dispatch]") {
  Scene s;
  s.pager();
  s.fire("A", Severity::critical, "north", "north");
  CHECK(s.decide() == "pager firing A/north");
  s.listener(channel_of("north"), "north");
  s.fire("B", Severity::critical, "north", "north");
  s.now_ms += second;
  CHECK(s.decide() == "north firing B/north; north firing A/north");
}

TEST_CASE("A group that is larger than a notification says how many are left out", "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.pager();
  for (int i = 0; i < 130; ++i) s.fire("A", Severity::critical, "t" + std::to_string(1000 + i));
  s.decide();
  REQUIRE(s.last.size() == 1);
  CHECK(s.last[0].notification.alerts.size() == 100);
  CHECK(s.last[0].notification.left_out == 30);
  // All of them were told, so nothing is told again.
  CHECK(s.pass(10 * minute).empty());
}

TEST_CASE("An alert that flapped and goes on is told no more as flapping", "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.pager().policy.escalate_ms = 0;
  for (int i = 0; i < 9; ++i) {
    s.now_ms += minute;
    if (i % 2 == 0)
      s.fire("A");
    else
      s.end("A");
    s.decide();
  }
  CHECK(s.dispatch.standing("A").flaps);
  CHECK(s.pass(hour, minute) == "");
  CHECK_FALSE(s.dispatch.standing("A").flaps);
}

TEST_CASE("A page says for how long nobody acknowledged it, where nobody did", "[dispatch]") {
  Scene s;
  s.pager();
  s.fire("A", Severity::critical, "north");
  s.fire("A", Severity::critical, "south");
  s.decide();
  s.acknowledge("A/north");
  CHECK(s.pass(16 * minute, minute) == "15m pager firing A/north A/south\n");
  CHECK(s.last.empty());
  CHECK(s.dispatch.standing("A/north").escalations == 0);
  CHECK(s.dispatch.standing("A/south").escalations == 1);
}

TEST_CASE("A tenant's word counts for its own rules and channels", "[dispatch]") {
  Scene s;
  s.pager();
  s.listener(channel_of("north"), "north");
  s.fire("A", Severity::critical, "north");
  CHECK(s.decide() == "pager firing A/north; north firing A/north");
  s.acknowledge("A/north", "nina", "north");
  s.now_ms += second;
  CHECK(s.decide() == "north acknowledged A/north");
  // Nobody of the platform said anything.
  CHECK(s.pass(16 * minute, minute) == "15m pager firing A/north\n");
}
