// What one listener is told of one group.
#include <algorithm>

#include "alerting/dispatch_parts.hpp"
#include "z0/alerting/dispatch.hpp"
#include "z0/alerts/rule.hpp"
#include "z0/base/bytes.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/sha256.hpp"

namespace z0 {
namespace {

constexpr std::int64_t never = INT64_MAX;

bool forgets(const Listener& listener) {
  return listener.channel.type == ChannelType::alertmanager;
}

// Of what the listener knows to be over. The last word of an incident names all that it was about: while a
// receiver was away, it may have missed the words between.
bool is_told_again(const Listener& listener, std::int64_t opened_ms, std::int64_t over_ms,
                   std::int64_t now_ms) {
  if (forgets(listener)) return now_ms - over_ms < resolved_told_ms;
  return opened_ms != 0 && over_ms >= opened_ms;
}

std::string short_hash(std::initializer_list<std::string_view> parts) {
  std::string bytes;
  ByteWriter out(bytes);
  for (const std::string_view part : parts) out.short_bytes(part);
  std::string hex;
  append_hex(hex, bytes_of(sha256(bytes)).substr(0, 12));
  return hex;
}

// Until when an alert flaps, which began and ended at these times; 0: it does not.
std::int64_t flaps_until(const std::vector<std::int64_t>& changes, const TellingPolicy& policy,
                         std::int64_t now_ms) {
  const auto most = static_cast<std::size_t>(policy.flap_changes);
  if (changes.size() <= most) return 0;
  const std::int64_t until_ms = changes[changes.size() - 1 - most] + policy.flap_window_ms;
  return now_ms < until_ms ? until_ms : 0;
}

// How often it did within the window.
std::int64_t flaps_in(const std::vector<std::int64_t>& changes, const TellingPolicy& policy,
                      std::int64_t now_ms) {
  return std::count_if(changes.begin(), changes.end(),
                       [&](std::int64_t at_ms) { return now_ms - at_ms < policy.flap_window_ms; });
}

// Whom a page is for once it went so far.
std::uint8_t escalated_audience(const TellingPolicy& policy, std::int64_t escalations) {
  unsigned audience = 0;
  for (std::size_t i = 0; i < policy.escalate_to.size(); ++i)
    if (static_cast<std::int64_t>(i) < escalations)
      audience |= 1U << static_cast<unsigned>(policy.escalate_to[i]);
  return static_cast<std::uint8_t>(audience);
}

// Whether a listener hears it again when a page goes further that often.
bool is_escalated_to(const Listener& listener, std::int64_t escalations) {
  const std::vector<Audience>& to = listener.policy.escalate_to;
  if (to.empty() || escalations == 0) return false;
  const std::size_t step = std::min(static_cast<std::size_t>(escalations), to.size()) - 1;
  const auto audience = static_cast<std::uint8_t>(1U << static_cast<unsigned>(to[step]));
  return wants(listener.channel, Severity::critical, audience);
}

std::int64_t escalations_of(std::int64_t since_ms, const TellingPolicy& policy,
                            std::int64_t now_ms) {
  if (since_ms == 0 || policy.escalate_ms == 0) return 0;
  return std::min((now_ms - since_ms) / policy.escalate_ms, limits::escalations_max);
}

}  // namespace

// How often a page went further, as a listener has it.
std::int64_t Dispatch::escalations_in(const Group& group, const Episode& episode,
                                      const Listener& listener, std::int64_t now_ms) {
  if (episode.over_ms != 0 || Now::is_acknowledged(group, episode, listener.tenant_id)) return 0;
  return escalations_of(episode.pages_since_ms, listener.policy, now_ms);
}

Dispatch::Message Dispatch::sort_out(const Now& now, const Listener& listener, Group& group,
                                     const Ear& ear) {
  Message message;
  const TellingPolicy& policy = listener.policy;
  const auto since = since_ms_.find(listener.key);
  // Of a tenant's own rules hear its own channels, or the platform's where it has none.
  const bool is_for = listener.tenant_id.empty() ? !now.tenants.contains(group.rules_of) : true;
  bool all_said = true;
  for (auto& item : group.episodes) {
    const std::string& id = item.first;
    Episode& episode = item.second;
    const NotifiedAlert& alert = episode.alert;
    if (!is_for || (!listener.tenant_id.empty() && listener.tenant_id != alert.tenant_id)) continue;
    const auto found = ear.of.find(id);
    const Heard heard = found == ear.of.end() ? Heard::nothing : found->second;
    const bool knows = heard == Heard::fires || heard == Heard::flaps;
    const std::int64_t flaps_ms = flaps_until(episode.changes, policy, now.ms);
    if (flaps_ms != 0) look_again(flaps_ms, now.ms);
    const bool fires = episode.over_ms == 0 || (flaps_ms != 0 && heard != Heard::is_over);
    const bool held =
        !episode.inhibited_by.empty() || now.is_silenced(group, episode, listener.tenant_id, fires);
    const std::int64_t escalations = held ? 0 : escalations_in(group, episode, listener, now.ms);
    if (episode.pages_since_ms != 0 && escalations < limits::escalations_max)
      look_again(episode.pages_since_ms + (escalations + 1) * policy.escalate_ms, now.ms);
    const bool wanted =
        wants(listener.channel, alert.severity,
              static_cast<std::uint8_t>(alert.audience | escalated_audience(policy, escalations)));
    if (!fires) {
      if (knows || (heard == Heard::nothing && wanted && !held && since != since_ms_.end() &&
                    episode.over_ms >= since->second))
        message.over.push_back(&item);
      else if (heard == Heard::is_over &&
               is_told_again(listener, ear.opened_ms, episode.over_ms, now.ms))
        message.again.push_back(&item);
      continue;
    }
    if (!knows && !wanted) continue;
    if (held) {
      if (knows) message.held.push_back(&item);
      continue;
    }
    message.fires.push_back(&item);
    if (flaps_ms != 0) message.flapping.insert(&item);
    message.has_new = message.has_new || !knows || (flaps_ms != 0 && heard == Heard::fires);
    all_said = all_said && Now::is_acknowledged(group, episode, listener.tenant_id);
    message.escalations = std::max(message.escalations, escalations);
  }
  message.acknowledged = all_said && !message.fires.empty() && !message.has_new;
  return message;
}

// When the listener is to be told, which may be past; `never`: there is nothing to tell.
std::int64_t Dispatch::due_ms(const Now& now, const Listener& listener, const Group& group,
                              const Ear& ear, const Message& message) {
  const TellingPolicy& policy = listener.policy;
  const bool is_page = group.episodes.begin()->second.alert.severity == Severity::critical;
  const bool is_open = ear.opened_ms != 0;
  std::int64_t due = never;
  if (forgets(listener)) {
    // It groups, waits and repeats by itself.
    if (message.has_new || !message.over.empty())
      due = now.ms;
    else if (!message.fires.empty() || !message.again.empty())
      due = ear.told_ms + limits::alertmanager_resend_ms;
  } else {
    if (message.has_new || !message.over.empty()) {
      const std::int64_t wait_ms = is_page ? 0 : policy.group_wait_ms;
      due = is_open ? ear.told_ms + policy.group_interval_ms : ear.waits_ms + wait_ms;
    }
    if (is_open && message.acknowledged && !ear.acknowledged) due = now.ms;
    if (is_open && !message.fires.empty() && !message.acknowledged) {
      // Somebody looked after it, and does no more.
      if (ear.acknowledged) due = std::min(due, ear.told_ms + policy.group_interval_ms);
      due = std::min(due, ear.told_ms + policy.repeat_ms);
      if (message.escalations > ear.escalations && is_escalated_to(listener, message.escalations))
        due = now.ms;
    }
  }
  std::int64_t opens_ms = 0;
  if (due != never && !is_page && !within_hours(listener.channel, now.zones, now.ms, opens_ms))
    due = std::max(due, opens_ms);
  return due;
}

Told Dispatch::tell(const Now& now, const Listener& listener, Group& group, Ear& ear,
                    Message& message) {
  group.changed = true;
  const bool is_open = ear.opened_ms != 0;
  const std::int64_t opened_ms = is_open ? ear.opened_ms : now.ms;
  Told told;
  told.channel = listener.key;
  Notification& notification = told.notification;
  const NotifiedAlert& any = group.episodes.begin()->second.alert;
  // Alertmanager knows no incidents: each word of a group takes the place of the one before.
  const std::string incident = forgets(listener) ? std::string() : std::to_string(opened_ms);
  notification.dedup_key = any.rule + '-' + std::string(severity_name(any.severity)) + '-' +
                           short_hash({group.rules_of, listener.key, incident});
  notification.id = short_hash({notification.dedup_key, std::to_string(now.ms)});
  notification.at_ms = now.ms;
  notification.links = listener.links;
  notification.left_out = group.left_out;
  const bool acknowledged = is_open && message.acknowledged && !forgets(listener);
  notification.status = message.fires.empty() ? NotificationStatus::resolved
                        : acknowledged        ? NotificationStatus::acknowledged
                                              : NotificationStatus::firing;
  if (acknowledged) {
    const Message::Item* newest = *std::max_element(
        message.fires.begin(), message.fires.end(),
        [](const auto* a, const auto* b) { return a->second.said_ms < b->second.said_ms; });
    notification.by = newest->second.said_by;
    notification.reason = newest->second.reason;
  }
  const std::size_t most = forgets(listener) ? limits::group_alerts_max : limits::told_alerts_max;
  const auto add = [&](const Message::Item& item, bool fires) {
    if (notification.alerts.size() >= most) {
      ++notification.left_out;
      return;
    }
    const Episode& episode = item.second;
    NotifiedAlert& alert = notification.alerts.emplace_back(episode.alert);
    alert.ended_ms = fires ? 0 : episode.over_ms;
    if (fires && forgets(listener)) alert.expires_ms = now.ms + 4 * limits::alertmanager_resend_ms;
    const std::int64_t escalations = escalations_in(group, episode, listener, now.ms);
    if (message.flapping.contains(&item)) {
      alert.summary =
          "Flapping, " + std::to_string(flaps_in(episode.changes, listener.policy, now.ms)) +
          " changes within " + duration_text(listener.policy.flap_window_ms) + ". " + alert.summary;
    } else if (escalations > 0 && fires && !forgets(listener)) {
      alert.summary = "Nobody acknowledged this for " +
                      duration_text(escalations * listener.policy.escalate_ms) + ". " +
                      alert.summary;
    }
  };
  const auto is_older = [](const auto* a, const auto* b) {
    return a->second.fired_ms < b->second.fired_ms;
  };
  std::stable_sort(message.fires.begin(), message.fires.end(), is_older);
  for (Message::Item* item : message.fires) {
    add(*item, true);
    ear.of[item->first] = message.flapping.contains(item) ? Heard::flaps : Heard::fires;
    item->second.escalations =
        std::max(item->second.escalations, escalations_in(group, item->second, listener, now.ms));
  }
  for (const Message::Item* item : message.over) {
    add(*item, false);
    ear.of[item->first] = Heard::is_over;
  }
  if (message.fires.empty() || forgets(listener))
    for (const Message::Item* item : message.again) add(*item, false);
  ear.told_ms = now.ms;
  ear.waits_ms = 0;
  ear.acknowledged = acknowledged;
  ear.escalations = message.escalations;
  ear.opened_ms = message.fires.empty() ? 0 : opened_ms;
  // The incident is closed: what is held back and fires on is told as new when nothing holds it back.
  if (message.fires.empty())
    for (const Message::Item* item : message.held) ear.of.erase(item->first);
  return told;
}

void Dispatch::hear(const Now& now, const Listener& listener, Group& group,
                    std::vector<Told>& out) {
  const auto known = group.ears.find(listener.key);
  const Ear deaf;
  Message message =
      sort_out(now, listener, group, known == group.ears.end() ? deaf : known->second);
  if (message.fires.empty() && message.over.empty() && message.again.empty() &&
      known == group.ears.end())
    return;
  Ear& ear = group.ears[listener.key];
  const bool waits = message.has_new || !message.over.empty();
  if (waits != (ear.waits_ms != 0)) {
    ear.waits_ms = waits ? now.ms : 0;
    group.changed = true;
  }
  if (message.escalations < ear.escalations) {
    ear.escalations = message.escalations;
    group.changed = true;
  }
  // What was told as flapping is quiet.
  for (const Message::Item* item : message.fires) {
    const auto heard = ear.of.find(item->first);
    if (heard == ear.of.end() || heard->second != Heard::flaps || message.flapping.contains(item))
      continue;
    heard->second = Heard::fires;
    group.changed = true;
  }
  // Those that one word does not show may be forgotten before the incident is over.
  for (std::size_t i = 0; i < std::min(message.again.size(), limits::told_alerts_max); ++i)
    message.again[i]->second.awaited = message.again[i]->second.awaited || !forgets(listener);
  const std::int64_t due = due_ms(now, listener, group, ear, message);
  if (due <= now.ms) {
    out.push_back(tell(now, listener, group, ear, message));
    return;
  }
  if (due != never) look_again(due, now.ms);
  for (Message::Item* item : message.over) item->second.awaited = true;
}

}  // namespace z0
