// What the parts of the dispatch have in common.
#pragma once

#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "z0/alerting/dispatch.hpp"

namespace z0 {

struct Dispatch::Now {
  std::int64_t ms = 0;
  const Silences& silences;
  std::span<const Listener> listeners;
  std::span<const ZoneOffset> zones;
  std::set<std::string_view> tenants;  // that have listeners of their own

  bool is_silenced(const Group& group, const Episode& episode, std::string_view listener_tenant,
                   bool fires) const {
    const SilencedBy alert{group.rules_of, episode.alert.rule, episode.alert.tenant_id,
                           &episode.alert.labels};
    return silences.find(alert, listener_tenant, fires ? ms : episode.over_ms) != nullptr;
  }
  // A tenant's word counts where the alert is its own, or the listener.
  static bool is_acknowledged(const Group& group, const Episode& episode,
                              std::string_view listener_tenant) {
    if (episode.said_ms == 0) return false;
    return episode.said_for.empty() || episode.said_for == group.rules_of ||
           episode.said_for == listener_tenant;
  }
};

struct Dispatch::Message {
  using Item = std::pair<const std::string, Episode>;
  std::vector<Item*> fires;  // and nothing holds that back
  std::vector<Item*> over;   // of which the listener does not know yet
  std::vector<Item*> again;  // of which it knows, but may be told again
  std::vector<Item*> held;   // of which it knows that they fire, and hears no more
  std::set<const Item*> flapping;
  bool has_new = false;  // among those that fire
  bool acknowledged = false;
  std::int64_t escalations = 0;
};

}  // namespace z0
