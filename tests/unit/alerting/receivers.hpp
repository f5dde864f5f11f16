// A world with receivers of alerts outside: what they get, what they answer, and a clock that brings alarms.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/monitor/measuring.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"

namespace z0::test {

inline constexpr std::int64_t alert_tick = limits::alert_tick_ms;

// What a receiver got.
struct Received {
  std::int64_t at_ms = 0;
  std::map<std::string, std::string> headers;
  std::string body;
  Json json;
};

class Receivers : public TestWorld {
 public:
  Receivers() {
    measure(*this);
    named_secrets = {{"PAGER_KEY", std::string(32, 'k')},
                     {"SLACK_URL", "https://slack.example/hook"},
                     {"HOOK_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}};
    fetch = [this](const FetchNeed& need) {
      const std::string url(need.url);
      ++asked[url];
      const auto answer = answers.find(url);
      const Fetched fetched = answer == answers.end() ? Fetched(200) : answer->second;
      Received got;
      got.at_ms = now_ms;
      got.body = need.body;
      got.json = Json::parse(got.body, nullptr, false);
      for (const auto& [name, value] : need.headers)
        got.headers[std::string(name)] = std::string(value);
      if (fetched.http >= 200 && fetched.http < 300) took[url].push_back(got);
      return fetched;
    };
  }

  // By the address: what it answers, else 200; how often it was asked; what it took.
  std::map<std::string, Fetched> answers;
  std::map<std::string, int> asked;
  std::map<std::string, std::vector<Received>> took;

  Reply channels(const std::string& list, const std::string& id = "cfg_channels",
                 const std::string& scope = "platform", std::string_view who = "") {
    return ask("PUT", "/v1/configs/" + id, who,
               R"({"type": "alert_channels", "scope": ")" + scope +
                   R"(", "settings": {"channels": [)" + list + "]}}",
               {});
  }
  void fail_writes(int count, std::string_view who = "north") {
    faults.call = [](std::string_view object, z0_outcome& outcome, std::string& message) {
      outcome = Z0_FAILED;
      message = "the ledger is away";
      return object.starts_with("account_") && object != "account_acct_z0";
    };
    for (int i = 0; i < count; ++i)
      REQUIRE(post(deposit("f_" + std::to_string(next_++)), who).status == 503);
    faults.call = nullptr;
  }
  // Time passes with the alarms that it brings; what is due at one moment is done at that moment.
  void pass(std::int64_t ms) {
    const std::int64_t until = now_ms + ms;
    do {
      now_ms = std::min(until, now_ms + alert_tick);
      ring_due();
    } while (now_ms < until);
  }
  void ring_due() {
    for (int i = 0; i < 100 && run_alarms() > 0; ++i) {
    }
  }
  Json channel(const std::string& name) {
    const Json answer = get("/v1/alerts", "").json;
    for (const Json& one : answer.at("channels"))
      if (one.at("channel") == "cfg_channels/" + name) return one;
    return {};
  }
  Json alert(const std::string& rule) {
    const Json answer = get("/v1/alerts", "").json;
    for (const Json& one : answer.at("alerts"))
      if (one.at("rule") == rule) return one;
    return {};
  }

 private:
  int next_ = 0;
};

inline constexpr const char* pager =
    R"({"name": "pager", "type": "pagerduty", "secret": "PAGER_KEY", "url": "https://pager.example/"})";
inline constexpr const char* slack = R"({"name": "slack", "type": "slack", "secret": "SLACK_URL"})";
inline constexpr const char* am =
    R"({"name": "am", "type": "alertmanager", "url": "http://am.example"})";
inline constexpr const char* hook =
    R"({"name": "hook", "type": "webhook", "url": "https://hook.example/", "secret": "HOOK_KEY"})";

inline constexpr const char* pager_url = "https://pager.example/";
inline constexpr const char* slack_url = "https://slack.example/hook";
inline constexpr const char* am_url = "http://am.example/api/v2/alerts";
inline constexpr const char* hook_url = "https://hook.example/";

}  // namespace z0::test
