// A dispatch with alerts, people and a clock, told as a story. After each decision the dispatch is made
// anew of its rows, if `restarts`: nothing may change.
#pragma once

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "z0/alerting/dispatch.hpp"

namespace z0::test {

inline constexpr std::int64_t scene_begin_ms = 1'764'547'200'000;  // Monday, 2025-12-01, midnight

inline Channel channel_of(const std::string& name, ChannelType type = ChannelType::pagerduty) {
  Channel channel;
  channel.name = name;
  channel.type = type;
  return channel;
}

class Scene {
 public:
  explicit Scene(bool restarts = false) : restarts_(restarts) {}

  std::vector<Listener> listeners;
  std::vector<ZoneOffset> zones;
  Silences silences;
  std::map<std::string, LiveAlert> alerts;
  bool complete = true;
  std::int64_t now_ms = scene_begin_ms;

  Listener& listener(Channel channel, const std::string& tenant_id = "") {
    listeners.push_back({"c/" + channel.name, tenant_id, std::move(channel), {}, {}});
    return listeners.back();
  }
  Listener& pager() { return listener(channel_of("pager")); }

  // An alert fires from now on. Its id is its rule's name and what tells it from others.
  LiveAlert& fire(const std::string& rule, Severity severity = Severity::critical,
                  const std::string& tenant_id = "", const std::string& rules_of = "") {
    LiveAlert live;
    live.id = rule + (tenant_id.empty() ? "" : "/" + tenant_id);
    live.rules_of = rules_of;
    live.fired_ms = now_ms;
    live.alert.rule = rule;
    live.alert.severity = severity;
    live.alert.tenant_id = tenant_id;
    live.alert.runbook = "of_" + rule;
    live.alert.summary = "It is so.";
    live.alert.started_ms = now_ms;
    return alerts[live.id] = live;
  }
  void end(const std::string& id) { alerts.at(id).alert.ended_ms = now_ms; }
  void acknowledge(const std::string& id, const std::string& who = "ada",
                   const std::string& said_for = "") {
    LiveAlert& live = alerts.at(id);
    live.said_by = who;
    live.reason = "looking";
    live.said_ms = now_ms;
    live.said_for = said_for;
  }
  void silence(const std::string& rule, std::int64_t for_ms, const std::string& made_for = "",
               const std::string& tenant_id = "") {
    Silence one;
    one.id = "sil_" + std::to_string(silences.all().size());
    one.made_for = made_for;
    one.rule = rule;
    one.tenant_id = tenant_id;
    one.author = "ada";
    one.starts_ms = now_ms;
    one.ends_ms = now_ms + for_ms;
    static_cast<void>(silences.add(one, now_ms));
  }

  // One decision: "pager firing A B; mail resolved C", in what order it is said.
  std::string decide() {
    // The monitor forgets what was over for a quarter of an hour.
    std::erase_if(alerts, [this](const auto& item) {
      const std::int64_t ended_ms = item.second.alert.ended_ms;
      return ended_ms != 0 && now_ms - ended_ms > resolved_told_ms;
    });
    std::vector<LiveAlert> live;
    for (const auto& [id, one] : alerts) live.push_back(one);
    last = dispatch.decide(live, complete, silences, listeners, zones, now_ms);
    next_ms = dispatch.next_ms();
    keep();
    std::string text;
    for (const Told& told : last) text += (text.empty() ? "" : "; ") + words(told);
    return text;
  }
  // Time passes in steps of `step_ms`: what is said, a line each, with the time since the first.
  std::string pass(std::int64_t ms, std::int64_t step_ms = 5'000) {
    std::string text;
    const std::int64_t from_ms = now_ms;
    for (const std::int64_t until_ms = now_ms + ms; now_ms < until_ms;) {
      now_ms = std::min(now_ms + step_ms, until_ms);
      const std::string said = decide();
      if (!said.empty()) text += duration_text(now_ms - from_ms) + ' ' + said + '\n';
    }
    return text;
  }

  Dispatch dispatch;
  std::int64_t next_ms = 0;  // as of the last decision
  std::vector<Told> last;
  std::map<std::pair<std::int64_t, std::string>, std::string> rows;

 private:
  static std::string words(const Told& told) {
    std::string text = told.channel.substr(2) + ' ';
    text += notification_status_name(told.notification.status);
    for (const NotifiedAlert& alert : told.notification.alerts) {
      text += ' ' + alert.rule;
      if (!alert.tenant_id.empty()) text += '/' + alert.tenant_id;
      if (alert.ended_ms != 0) text += "(over)";
    }
    return text;
  }
  void keep() {
    dispatch.save(1, 2, [this](std::int64_t kind, std::string_view id, const std::string& bytes) {
      if (bytes.empty())
        rows.erase({kind, std::string(id)});
      else
        rows[{kind, std::string(id)}] = bytes;
    });
    if (!restarts_) return;
    dispatch = Dispatch();
    for (const auto& [key, bytes] : rows) {
      const bool good =
          key.first == 1 ? dispatch.load_group(key.second, bytes) : dispatch.load_listeners(bytes);
      if (!good) throw std::runtime_error("a row that was saved cannot be read");
    }
  }

  bool restarts_;
};

}  // namespace z0::test
