// A whole world whose steps tell what they measure, and whose alerts are looked at.
#pragma once

#include <algorithm>
#include <string>

#include "unit/catch.hpp"
#include "unit/monitor/measuring.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"

namespace z0::test {

inline constexpr std::int64_t tick = z0::limits::alert_tick_ms;

class Watched : public TestWorld {
 public:
  Watched() { measure(*this); }

  void fail_writes() {
    faults.call = [](std::string_view object, z0_outcome& outcome, std::string& message) {
      outcome = Z0_FAILED;
      message = "the ledger is away";
      return object.starts_with("account_");
    };
  }
  void post_failures(int count, std::string_view who = "north") {
    for (int i = 0; i < count; ++i)
      REQUIRE(post(deposit("f_" + std::to_string(next_++)), who).status == 503);
  }
  void post_facts(int count, std::string_view who = "north", std::string_view entity = "acct_a") {
    for (int i = 0; i < count; ++i)
      REQUIRE(post(deposit("d_" + std::to_string(next_++), entity), who).status == 201);
  }
  // Time passes with the alarms that it brings, and those that they bring at once.
  void pass(std::int64_t ms) {
    for (const std::int64_t until = now_ms + ms; now_ms < until;) {
      now_ms = std::min(until, now_ms + tick);
      for (int rounds = 0; rounds < 4 && run_alarms() > 0; ++rounds) {
      }
    }
  }
  // "firing FactWriteFailures", "pending X", one a line.
  std::string alerts(std::string_view who = "") {
    const Reply reply = get("/v1/alerts", who);
    REQUIRE(reply.status == 200);
    std::string text;
    for (const Json& alert : reply.json.at("alerts")) {
      text += alert.at("state").get<std::string>() + ' ' + alert.at("rule").get<std::string>();
      if (alert.contains("tenant_id")) text += ' ' + alert.at("tenant_id").get<std::string>();
      text += '\n';
    }
    return text;
  }
  Json alert(const std::string& rule) {
    const Json answer = get("/v1/alerts", "").json;
    for (const Json& alert : answer.at("alerts"))
      if (alert.at("rule") == rule) return alert;
    return {};
  }
  Reply publish(const std::string& id, const std::string& scope, const std::string& rules,
                std::string_view who = "") {
    return ask("PUT", "/v1/configs/" + id, who,
               R"({"type": "alert_rules", "scope": ")" + scope + R"(", "settings": {"rules": [)" +
                   rules + "]}}",
               {});
  }

 private:
  int next_ = 0;
};

}  // namespace z0::test
