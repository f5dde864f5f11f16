// What is known of alerts and of who listens, from one decision to the next.
#include "z0/alerting/dispatch.hpp"

#include <algorithm>

#include "alerting/dispatch_parts.hpp"
#include "z0/alerting/causes.hpp"
#include "z0/base/bytes.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/sha256.hpp"

namespace z0 {
namespace {

std::string group_key(const LiveAlert& live) {
  std::string name;
  ByteWriter out(name);
  out.short_bytes(live.rules_of);
  out.short_bytes(live.alert.rule);
  out.u8(static_cast<std::uint8_t>(live.alert.severity));
  std::string key;
  append_hex(key, bytes_of(sha256(name)).substr(0, 8));
  return key;
}

void note_change(std::vector<std::int64_t>& changes, std::int64_t at_ms) {
  changes.push_back(at_ms);
  if (static_cast<std::int64_t>(changes.size()) > limits::flap_changes_max + 1)
    changes.erase(changes.begin());
}

// What is the same thing, but for how bad it is.
std::string same_thing(std::string_view rules_of, const NotifiedAlert& alert) {
  std::string key;
  ByteWriter out(key);
  for (const std::string_view part :
       {rules_of, std::string_view(alert.runbook), std::string_view(alert.tenant_id)})
    out.short_bytes(part);
  for (const auto& [name, value] : alert.labels) {
    out.short_bytes(name);
    out.short_bytes(value);
  }
  return key;
}

std::string cause_of(std::string_view rules_of, std::string_view runbook,
                     std::string_view tenant_id, Severity severity) {
  std::string key;
  ByteWriter out(key);
  for (const std::string_view part : {rules_of, runbook, tenant_id}) out.short_bytes(part);
  out.u8(static_cast<std::uint8_t>(severity));
  return key;
}

}  // namespace

std::vector<Told> Dispatch::decide(const std::vector<LiveAlert>& alerts, bool complete,
                                   const Silences& silences, std::span<const Listener> listeners,
                                   std::span<const ZoneOffset> zones, std::int64_t now_ms) {
  Now now{now_ms, silences, listeners, zones, {}};
  for (const Listener& listener : listeners)
    if (!listener.tenant_id.empty()) now.tenants.insert(listener.tenant_id);
  next_ms_ = 0;
  meet(listeners, now_ms);
  learn(alerts, complete, now_ms);
  inhibit();
  watch_pages(now);
  std::vector<Told> out;
  for (auto& [key, group] : groups_)
    for (const Listener& listener : listeners) hear(now, listener, group, out);
  forget(now);
  if (!groups_.empty()) look_again(silences.next_ms(now_ms), now_ms);
  const auto is_page = [](const Told& told) {
    return told.notification.status == NotificationStatus::firing &&
           told.notification.alerts[0].severity == Severity::critical;
  };
  std::stable_sort(out.begin(), out.end(),
                   [&is_page](const Told& a, const Told& b) { return is_page(a) && !is_page(b); });
  return out;
}

// Who begins to listen is not told of what was over by then.
void Dispatch::meet(std::span<const Listener> listeners, std::int64_t now_ms) {
  std::set<std::string_view> keys;
  for (const Listener& listener : listeners) {
    keys.insert(listener.key);
    if (since_ms_.try_emplace(listener.key, now_ms).second) listeners_changed_ = true;
  }
  const auto is_gone = [&keys](const auto& item) { return !keys.contains(item.first); };
  if (std::erase_if(since_ms_, is_gone) == 0) return;
  listeners_changed_ = true;
  for (auto& [key, group] : groups_)
    if (std::erase_if(group.ears, is_gone) > 0) group.changed = true;
}

void Dispatch::learn(const std::vector<LiveAlert>& alerts, bool complete, std::int64_t now_ms) {
  for (auto& [key, group] : groups_) {
    group.left_out = 0;
    for (auto& [id, episode] : group.episodes) {
      episode.seen = false;
      episode.awaited = false;
    }
  }
  for (const LiveAlert& live : alerts) learn_one(live, now_ms);
  if (!complete) return;
  for (auto& [key, group] : groups_) {
    for (auto& [id, episode] : group.episodes) {
      if (episode.seen || episode.over_ms != 0) continue;
      episode.over_ms = now_ms;
      note_change(episode.changes, now_ms);
      group.changed = true;
    }
  }
}

void Dispatch::learn_one(const LiveAlert& live, std::int64_t now_ms) {
  const std::int64_t over_ms = live.alert.ended_ms;
  const std::string key = group_key(live);
  auto at = groups_.find(key);
  const bool known = at != groups_.end() && at->second.episodes.contains(live.id);
  if (!known && over_ms != 0 && now_ms - over_ms > resolved_told_ms) return;
  if (at == groups_.end()) at = groups_.try_emplace(key).first;
  Group& group = at->second;
  group.rules_of = live.rules_of;
  if (!known && group.episodes.size() >= limits::group_alerts_max) {
    ++group.left_out;
    return;
  }
  Episode& episode = group.episodes[live.id];
  const bool begins = live.fired_ms != episode.fired_ms || (episode.over_ms != 0 && over_ms == 0);
  if (begins) {
    // It ended in between, which nobody saw.
    if (known && episode.over_ms == 0) note_change(episode.changes, live.fired_ms);
    note_change(episode.changes, live.fired_ms);
    if (episode.over_ms != 0) {
      episode.escalations = 0;
      for (auto& [listener, ear] : group.ears)
        if (const auto heard = ear.of.find(live.id);
            heard != ear.of.end() && heard->second == Heard::is_over)
          ear.of.erase(heard);
    }
    episode.fired_ms = live.fired_ms;
    episode.over_ms = 0;
    group.changed = true;
  }
  if (over_ms != 0 && episode.over_ms == 0) {
    note_change(episode.changes, over_ms);
    episode.over_ms = over_ms;
    group.changed = true;
  }
  if (live.said_ms != episode.said_ms || live.said_for != episode.said_for) {
    episode.said_by = live.said_by;
    episode.reason = live.reason;
    episode.said_ms = live.said_ms;
    episode.said_for = live.said_for;
    group.changed = true;
  }
  episode.alert = live.alert;
  episode.seen = true;
}

// Critical over warning of the same thing, and a cause over what follows from it.
void Dispatch::inhibit() {
  std::map<std::string, std::string_view> critical;
  std::map<std::string, std::string_view> by_cause;
  for (const auto& [key, group] : groups_) {
    for (const auto& [id, episode] : group.episodes) {
      const NotifiedAlert& alert = episode.alert;
      if (episode.over_ms != 0) continue;
      if (alert.severity == Severity::critical)
        critical.try_emplace(same_thing(group.rules_of, alert), id);
      by_cause.try_emplace(cause_of(group.rules_of, alert.runbook, alert.tenant_id, alert.severity),
                           id);
    }
  }
  const auto cause_for = [&](const Group& group, const NotifiedAlert& alert) -> std::string_view {
    for (const Cause& one : causes()) {
      if (one.symptom != alert.runbook) continue;
      for (const std::string_view tenant : {std::string_view(alert.tenant_id), std::string_view()})
        for (const Severity severity : {Severity::critical, alert.severity}) {
          const auto found = by_cause.find(cause_of(group.rules_of, one.cause, tenant, severity));
          if (found != by_cause.end()) return found->second;
        }
    }
    return {};
  };
  for (auto& [key, group] : groups_) {
    for (auto& [id, episode] : group.episodes) {
      // What held it back when it last fired holds back that it is over.
      if (episode.over_ms != 0) continue;
      std::string_view by = cause_for(group, episode.alert);
      if (by.empty() && episode.alert.severity != Severity::critical) {
        const auto found = critical.find(same_thing(group.rules_of, episode.alert));
        if (found != critical.end()) by = found->second;
      }
      if (by == episode.inhibited_by) continue;
      episode.inhibited_by = by;
      group.changed = true;
    }
  }
}

// Since when a page waits for somebody's word.
void Dispatch::watch_pages(const Now& now) {
  for (auto& [key, group] : groups_) {
    for (auto& [id, episode] : group.episodes) {
      const bool waits = episode.over_ms == 0 && episode.alert.severity == Severity::critical &&
                         episode.inhibited_by.empty() &&
                         !now.is_silenced(group, episode, {}, true) &&
                         !Now::is_acknowledged(group, episode, {});
      if (waits == (episode.pages_since_ms != 0)) continue;
      episode.pages_since_ms = waits ? now.ms : 0;
      group.changed = true;
    }
  }
}

void Dispatch::forget(const Now& now) {
  std::int64_t kept_ms = resolved_told_ms + 60'000;
  for (const Listener& listener : now.listeners)
    kept_ms = std::max(kept_ms, listener.policy.flap_window_ms);
  for (auto at = groups_.begin(); at != groups_.end();) {
    Group& group = at->second;
    for (auto one = group.episodes.begin(); one != group.episodes.end();) {
      const Episode& episode = one->second;
      if (episode.over_ms == 0 || episode.awaited || now.ms - episode.over_ms < kept_ms) {
        ++one;
        continue;
      }
      for (auto& [listener, ear] : group.ears) ear.of.erase(one->first);
      one = group.episodes.erase(one);
      group.changed = true;
    }
    if (!group.episodes.empty()) {
      ++at;
      continue;
    }
    gone_.push_back(at->first);
    at = groups_.erase(at);
  }
}

Dispatch::Standing Dispatch::standing(std::string_view id) const {
  for (const auto& [key, group] : groups_) {
    const auto found = group.episodes.find(id);
    if (found == group.episodes.end()) continue;
    Standing standing;
    standing.inhibited_by = found->second.inhibited_by;
    standing.escalations = found->second.escalations;
    for (const auto& [listener, ear] : group.ears) {
      const auto heard = ear.of.find(id);
      if (heard != ear.of.end() && heard->second == Heard::flaps) standing.flaps = true;
    }
    return standing;
  }
  return {};
}

}  // namespace z0
