// What holds a notification back: causes, silences, business hours.
#include <set>

#include "unit/alerting/scene.hpp"
#include "unit/catch.hpp"
#include "z0/alerting/causes.hpp"
#include "z0/base/limits.hpp"

using z0::Severity;
using z0::Silence;
using z0::SilencedBy;
using z0::Silences;
using z0::ZoneOffset;
using z0::test::channel_of;
using z0::test::Scene;

namespace {

constexpr std::int64_t second = 1'000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr auto warning = Severity::warning;

z0::LiveAlert& fire(Scene& s, const std::string& rule, Severity severity,
                    const std::string& runbook, const std::string& tenant_id = "") {
  z0::LiveAlert& live = s.fire(rule, severity, tenant_id);
  live.alert.runbook = runbook;
  return live;
}

z0::Channel office(const std::string& name) {
  z0::Channel channel = channel_of(name, z0::ChannelType::slack);
  channel.business_hours = z0::BusinessHours{"Europe/Berlin", 9 * 60, 17 * 60 + 30, 0x1f};
  return channel;
}
// As in winter.
ZoneOffset berlin(std::int64_t until_ms) { return {"Europe/Berlin", 60, until_ms}; }

}  // namespace

TEST_CASE("A critical alert holds back the warning of the same thing alone", "[dispatch]") {
  struct Row {
    const char* what;
    const char* runbook;
    const char* tenant_id;
    const char* rules_of;
    const char* tool;
    Severity severity;
    bool held;
  };
  const auto row = GENERATE(Row{"the same", "r", "north", "", "t", warning, true},
                            Row{"another runbook", "q", "north", "", "t", warning, false},
                            Row{"another tenant", "r", "south", "", "t", warning, false},
                            Row{"a tenant's own rule", "r", "north", "north", "t", warning, false},
                            Row{"another label", "r", "north", "", "u", warning, false},
                            Row{"as bad", "r", "north", "", "t", Severity::critical, false});
  INFO(row.what);
  Scene s(GENERATE(false, true));
  s.pager();
  fire(s, "Cause", Severity::critical, "r", "north").alert.labels = {{"tool_id", "t"}};
  z0::LiveAlert other = s.fire("Other", row.severity, row.tenant_id, row.rules_of);
  other.alert.runbook = row.runbook;
  other.alert.labels = {{"tool_id", row.tool}};
  s.alerts[other.id] = other;
  const std::string said = s.decide() + s.pass(minute);
  CHECK((said.find("Other") == std::string::npos) == row.held);
  CHECK(s.dispatch.standing(other.id).inhibited_by == (row.held ? "Cause/north" : ""));
}

TEST_CASE("A warning that was held back is told when only it goes on, and not when both end",
          "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.pager();
  fire(s, "C", Severity::critical, "r");
  fire(s, "W", warning, "r");
  CHECK(s.pass(minute) == "5s pager firing C\n");
  s.end("C");
  CHECK(s.pass(5 * minute) == "15s pager firing W\n4m5s pager resolved C(over)\n");

  fire(s, "C", Severity::critical, "r");
  CHECK(s.pass(minute) == "5s pager firing C\n");
  s.end("C");
  s.end("W");
  CHECK(s.pass(hour) == "5s pager resolved W(over)\n4m5s pager resolved C(over)\n");
  fire(s, "C", Severity::critical, "r");
  fire(s, "W", warning, "r");
  s.pass(10 * minute);
  s.end("C");
  s.end("W");
  CHECK(s.pass(hour) == "5s pager resolved C(over)\n");
}

TEST_CASE("A cause holds back what follows from it, where it is as bad and about as much",
          "[dispatch]") {
  struct Row {
    const char* cause_tenant;
    Severity cause;
    const char* symptom_tenant;
    Severity symptom;
    bool held;
  };
  constexpr auto critical = Severity::critical;
  const auto row = GENERATE(
      Row{"", critical, "", critical, true}, Row{"", critical, "", warning, true},
      Row{"", warning, "", warning, true}, Row{"", warning, "", critical, false},
      Row{"", critical, "north", critical, true}, Row{"north", critical, "north", critical, true},
      Row{"north", critical, "south", critical, false},
      Row{"north", critical, "", critical, false});
  Scene s;
  s.pager();
  fire(s, "Cause", row.cause, "replication_failures", row.cause_tenant);
  const std::string id = fire(s, "Symptom", row.symptom, "replication_lag", row.symptom_tenant).id;
  const std::string said = s.decide() + s.pass(minute);
  CHECK((said.find("Symptom") == std::string::npos) == row.held);
  CHECK(s.dispatch.standing(id).inhibited_by.empty() != row.held);
}

TEST_CASE("Of a tenant to whom nothing comes one page tells, and no warning about its numbers",
          "[dispatch]") {
  Scene s;
  s.pager();
  fire(s, "ZeroInvocations", Severity::critical, "zero_invocations", "north");
  fire(s, "RevenueUnusual", warning, "unusual", "north");
  fire(s, "RevenueLow", warning, "revenue_low", "north");
  fire(s, "FactsUnusual", warning, "unusual", "south");
  const std::string said = s.decide() + s.pass(minute);
  CHECK(said.find("ZeroInvocations/north") != std::string::npos);
  CHECK(said.find("Unusual/north") == std::string::npos);
  CHECK(said.find("RevenueLow") == std::string::npos);
  CHECK(said.find("FactsUnusual/south") != std::string::npos);
}

TEST_CASE("The table of causes has no circle, and names runbooks that there are", "[dispatch]") {
  std::set<std::string_view> runbooks;
  std::vector<z0::Rule> rules;
  z0::RuleError error;
  REQUIRE(z0::read_rules(z0::default_rules_json(), rules, error));
  for (const z0::Rule& rule : rules) runbooks.insert(rule.runbook);
  // What nothing causes any more is taken out, until nothing is left.
  std::vector<z0::Cause> left(z0::causes().begin(), z0::causes().end());
  REQUIRE_FALSE(left.empty());
  for (const z0::Cause& one : left) {
    CHECK(runbooks.contains(one.cause));
    CHECK(runbooks.contains(one.symptom));
  }
  for (std::size_t before = 0; before != left.size();) {
    before = left.size();
    std::set<std::string_view> symptoms;
    for (const z0::Cause& one : left) symptoms.insert(one.symptom);
    std::erase_if(left, [&](const z0::Cause& one) { return !symptoms.contains(one.cause); });
  }
  CHECK(left.empty());
}

TEST_CASE("A silence is about what it says", "[silences]") {
  struct Row {
    const char* rule;
    const char* tenant_id;
    std::vector<std::pair<std::string, std::string>> labels;
    bool silences;
  };
  const std::vector<Row> rows = {
      {"ExternalToolErrors", "", {}, true},
      {"ExternalTool", "", {}, false},
      {"ExternalTool*", "", {}, true},
      {"ExternalToolErrors*", "", {}, true},
      {"*", "", {}, true},
      {"X*", "", {}, false},
      {"externaltoolerrors", "", {}, false},
      {"", "north", {}, true},
      {"", "nor*", {}, true},
      {"", "south", {}, false},
      {"", "", {{"tool_id", "search"}}, true},
      {"", "", {{"tool_id", "sea*"}}, true},
      {"", "", {{"tool_id", "sea"}}, false},
      {"", "", {{"tool_id", "search"}, {"zone", "eu"}}, false},
      {"", "", {{"zone", ""}}, true},
      {"", "", {{"tool_id", ""}}, false},
      {"ExternalToolErrors", "south", {}, false},
      {"Other", "north", {{"tool_id", "search"}}, false},
  };
  const std::vector<std::pair<std::string, std::string>> labels = {{"tool_id", "search"}};
  const SilencedBy alert{"", "ExternalToolErrors", "north", &labels};
  for (const Row& row : rows) {
    INFO(row.rule << " of " << row.tenant_id << " with " << row.labels.size());
    Silences silences;
    Silence one{"s", "", row.rule, row.tenant_id, row.labels, "ada", "", 0, 100, 200};
    REQUIRE(silences.add(one, 0));
    CHECK((silences.find(alert, "", 150) != nullptr) == row.silences);
    // From its start until its end, which is none of it.
    CHECK(silences.find(alert, "", 99) == nullptr);
    CHECK((silences.find(alert, "", 100) != nullptr) == row.silences);
    CHECK((silences.find(alert, "", 199) != nullptr) == row.silences);
    CHECK(silences.find(alert, "", 200) == nullptr);
    // It comes back from its row.
    Silences again;
    REQUIRE(again.load("s", silences.encode("s")));
    CHECK(again.all() == silences.all());
    CHECK_FALSE(again.load("s", silences.encode("s").substr(1)));
  }
}

TEST_CASE("A tenant's silence is about its own rules and its own channels", "[silences]") {
  struct Row {
    const char* made_for;
    const char* rules_of;
    const char* tenant_id;
    const char* listener;
    bool silences;
  };
  const std::vector<Row> rows = {
      {"", "", "", "", true},
      {"", "north", "north", "north", true},
      {"north", "", "", "", false},
      {"north", "", "north", "", false},
      {"north", "", "south", "", false},
      {"north", "", "north", "north", true},
      {"north", "north", "north", "", true},
      {"north", "south", "south", "south", false},
      {"north", "", "north", "south", false},
  };
  const std::vector<std::pair<std::string, std::string>> labels;
  for (const Row& row : rows) {
    INFO(row.made_for << '|' << row.rules_of << '|' << row.tenant_id << '|' << row.listener);
    Silences silences;
    REQUIRE(silences.add({"s", row.made_for, "*", "", {}, "ada", "", 0, 0, 10}, 0));
    const SilencedBy alert{row.rules_of, "R", row.tenant_id, &labels};
    CHECK((silences.find(alert, row.listener, 5) != nullptr) == row.silences);
  }
}

TEST_CASE("Silences are ended by who made them, forgotten after a day, and bounded", "[silences]") {
  Silences s;
  REQUIRE(s.add({"a", "north", "*", "", {}, "ada", "", 0, 0, 1000}, 0));
  CHECK(s.end("b", "north", false, 500) == nullptr);
  CHECK(s.end("a", "south", false, 500) == nullptr);
  REQUIRE(s.end("a", "north", false, 500) != nullptr);
  CHECK(s.all().at("a").ends_ms == 500);
  // Once more changes nothing.
  REQUIRE(s.end("a", "", true, 700) != nullptr);
  CHECK(s.all().at("a").ends_ms == 500);
  CHECK(s.forget(500 + z0::limits::silence_kept_ms - 1).empty());
  CHECK(s.forget(500 + z0::limits::silence_kept_ms) == std::vector<std::string>{"a"});
  for (std::size_t i = 0; i < z0::limits::silences_of_tenant_max; ++i)
    REQUIRE(s.add({"n" + std::to_string(i), "north", "*", "", {}, "ada", "", 0, 0, 1000}, 0));
  CHECK_FALSE(s.add({"more", "north", "*", "", {}, "ada", "", 0, 0, 1000}, 0));
  CHECK(s.add({"other", "south", "*", "", {}, "ada", "", 0, 0, 1000}, 0));
  // Those that ended make room.
  CHECK(s.add({"later", "north", "*", "", {}, "ada", "", 0, 1000, 2000}, 1000));
}

TEST_CASE("What is silenced is not told, nor is its end, and what goes on afterwards is",
          "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.pager().policy.escalate_ms = 0;
  s.silence("A*", hour);
  s.fire("A1");
  s.fire("A2");
  s.fire("B");
  CHECK(s.pass(30 * minute, minute).find("A") == std::string::npos);
  s.end("A1");
  CHECK(s.pass(20 * minute, minute).empty());
  CHECK(s.next_ms == z0::test::scene_begin_ms + hour);
  CHECK(s.pass(20 * minute, minute) == "10m pager firing A2\n");
}

TEST_CASE("An incident that is silenced is closed when it is over", "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.pager();
  s.fire("A");
  CHECK(s.decide() == "pager firing A");
  s.silence("A", 30 * minute);
  CHECK(s.pass(10 * minute).empty());
  s.end("A");
  CHECK(s.pass(minute) == "5s pager resolved A(over)\n");
}

TEST_CASE("What is silenced in a group does not keep its incident open, and is told as new later",
          "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.pager();
  s.fire("A", Severity::critical, "north");
  s.fire("A", Severity::critical, "south");
  CHECK(s.decide() == "pager firing A/north A/south");
  s.silence("A", hour, "", "south");
  s.end("A/north");
  CHECK(s.pass(hour - minute) == "5m pager resolved A/north(over)\n");
  CHECK(s.pass(2 * minute) == "1m pager firing A/south\n");
}

TEST_CASE("A warning at night is told in the morning, even if it is over, and a page at once",
          "[dispatch]") {
  Scene s(GENERATE(false, true));
  s.zones = {berlin(s.now_ms + 48 * hour)};
  s.listener(office("office"));
  s.fire("W", warning, "north");
  s.fire("W", warning, "south");
  s.fire("P");
  CHECK(s.decide() == "office firing P");
  s.now_ms += minute;
  s.acknowledge("P");
  CHECK(s.decide() == "office acknowledged P");
  s.end("W/north");
  // Nine in Berlin is eight in UTC.
  CHECK(s.pass(8 * hour - 2 * minute, minute).empty());
  CHECK(s.next_ms == z0::test::scene_begin_ms + 8 * hour);
  CHECK(s.pass(minute, minute) == "1m office firing W/south W/north(over)\n");
  CHECK(s.last[0].notification.alerts[1].ended_ms == z0::test::scene_begin_ms + minute);
  // In the evening it is over.
  s.now_ms = z0::test::scene_begin_ms + 16 * hour + 30 * minute;
  s.end("W/south");
  CHECK(s.pass(15 * hour, minute).empty());
  CHECK(s.pass(hour, minute) == "30m office resolved W/south(over)\n");
}

TEST_CASE("Business hours are those of the zone, with their boundaries", "[dispatch]") {
  struct Row {
    const char* what;
    std::int64_t at_ms;  // since Monday, midnight in UTC
    bool open;
    std::int64_t opens_ms;
  };
  const std::int64_t day = 24 * hour;
  const std::vector<Row> rows = {
      {"before nine", 8 * hour - 1, false, 8 * hour},
      {"nine", 8 * hour, true, 0},
      {"before half past five", 16 * hour + 30 * minute - 1, true, 0},
      {"half past five", 16 * hour + 30 * minute, false, day + 8 * hour},
      {"Friday evening", 4 * day + 17 * hour, false, 7 * day + 8 * hour},
      {"Saturday noon", 5 * day + 12 * hour, false, 7 * day + 8 * hour},
      {"Sunday, before midnight", 7 * day - hour - 1, false, 7 * day + 8 * hour},
      {"Monday, when Sunday is in UTC", 7 * day - hour, false, 7 * day + 8 * hour},
  };
  const std::vector<ZoneOffset> zones = {berlin(z0::test::scene_begin_ms + 30 * day)};
  for (const Row& row : rows) {
    INFO(row.what);
    std::int64_t opens_ms = -1;
    CHECK(z0::within_hours(office("o"), zones, z0::test::scene_begin_ms + row.at_ms, opens_ms) ==
          row.open);
    CHECK(opens_ms == (row.open ? 0 : z0::test::scene_begin_ms + row.opens_ms));
  }
}

TEST_CASE("A zone that is not known holds nothing back, and is asked for", "[dispatch]") {
  Scene s;
  s.listener(office("a"));
  s.listener(office("b"));
  s.listener(channel_of("c"));
  CHECK(z0::zones_to_ask(s.listeners, s.zones, s.now_ms) ==
        std::vector<std::string>{"Europe/Berlin"});
  std::int64_t opens_ms = 0;
  CHECK(z0::within_hours(s.listeners[0].channel, s.zones, s.now_ms, opens_ms));
  s.zones = {berlin(s.now_ms + hour)};
  CHECK(z0::zones_to_ask(s.listeners, s.zones, s.now_ms).empty());
  // Clocks change before it opens: then it is looked at again.
  CHECK_FALSE(z0::within_hours(s.listeners[0].channel, s.zones, s.now_ms, opens_ms));
  CHECK(opens_ms == s.now_ms + hour);
  CHECK(z0::zones_to_ask(s.listeners, s.zones, s.now_ms + hour).size() == 1);
  // What was known stands until the answer is there.
  CHECK_FALSE(z0::within_hours(s.listeners[0].channel, s.zones, s.now_ms + hour, opens_ms));
  CHECK(opens_ms == s.now_ms + 8 * hour);
}
