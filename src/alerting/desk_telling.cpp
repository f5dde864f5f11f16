// The desk's alerts as those are told of them who listen.
#include <algorithm>

#include "z0/alerting/desk.hpp"
#include "z0/alerting/words.hpp"
#include "z0/base/fields.hpp"
#include "z0/base/limits.hpp"
#include "z0/notify/limits.hpp"

namespace z0 {

Desk::Labels Desk::labels_of(const Rule* rule, const Known& known) {
  Labels labels;
  for (std::size_t i = 0; rule != nullptr && i < rule->by.size() && i < known.labels.size(); ++i)
    labels.emplace_back(rule->by[i], known.labels[i]);
  return labels;
}

const Rule* Desk::rule_of(const Known& known) const {
  const auto in = [&known](const std::vector<Rule>& rules) -> const Rule* {
    const auto found = std::find_if(rules.begin(), rules.end(),
                                    [&known](const Rule& rule) { return rule.name == known.rule; });
    return found == rules.end() ? nullptr : &*found;
  };
  if (known.rules_of.empty()) {
    const Rule* rule = in(book_.per_tenant());
    return rule != nullptr ? rule : in(book_.of_all());
  }
  for (const RuleBook::OfTenant& one : book_.tenants())
    if (one.tenant_id == known.rules_of) return in(one.rules);
  return nullptr;
}

LiveAlert Desk::live_of(const std::string& id, const Known& known, const Rule& rule,
                        std::int64_t now_ms) const {
  LiveAlert live;
  live.id = id;
  live.rules_of = known.rules_of;
  live.fired_ms = known.state.fired_at_ms;
  NotifiedAlert& alert = live.alert;
  alert.rule = known.rule;
  alert.severity = rule.severity;
  alert.level = rule.level;
  alert.audience = rule.audience;
  alert.summary = rule.summary;
  alert.tenant_id = known.tenant_id;
  alert.labels = labels_of(&rule, known);
  alert.value = known.words.empty() ? value_words(rule, known.state.value) : known.words;
  alert.money = known.money;
  alert.threshold = threshold_words(rule);
  alert.window_ms = rule.window_ms;
  alert.started_ms = known.state.active_at_ms;
  if (known.state.phase != AlertPhase::firing) alert.ended_ms = known.state.resolved_at_ms;
  alert.owner = rule.owner;
  alert.runbook = rule.runbook;
  const auto words = words_.find(id);
  if (words != words_.end() && words->second.holds(now_ms)) {
    live.said_by = words->second.author;
    live.reason = words->second.reason;
    live.said_ms = words->second.at_ms;
    live.said_for = words->second.said_for;
  }
  return live;
}

void Desk::set_zone(ZoneOffset zone) {
  std::erase_if(zones_, [&zone](const ZoneOffset& one) { return one.zone == zone.zone; });
  zones_.push_back(std::move(zone));
  // Zones of channels that are gone: nobody asks for them any more.
  if (zones_.size() > limits::channels_max) zones_.erase(zones_.begin());
  zones_changed_ = true;
}

std::string Desk::encode_zones() const {
  std::string bytes;
  FieldWriter out(bytes);
  for (const ZoneOffset& zone : zones_) {
    out.text(zone.zone);
    out.signed_number(zone.offset_min);
    out.number(zone.until_ms);
  }
  return bytes;
}

bool Desk::load_zones(std::string_view bytes) {
  FieldReader in(bytes);
  while (!in.done()) {
    ZoneOffset zone;
    in.text(zone.zone);
    in.signed_number(zone.offset_min);
    in.number(zone.until_ms);
    if (!in.ok()) return false;
    zones_.push_back(std::move(zone));
  }
  return true;
}

std::vector<Told> Desk::decide(std::span<const Listener> listeners,
                               std::span<const ZoneOffset> zones, std::int64_t now_ms) {
  for (const std::string& id : silences_.forget(now_ms)) changed_silences_.push_back(id);
  std::vector<LiveAlert> alerts;
  const auto add = [&](const std::map<std::string, Known>& some) {
    for (const auto& [id, known] : some) {
      const bool is_over =
          known.state.phase == AlertPhase::inactive && known.state.resolved_at_ms != 0;
      if (known.state.phase != AlertPhase::firing && !is_over) continue;
      const Rule* rule = rule_of(known);
      if (rule != nullptr) alerts.push_back(live_of(id, known, *rule, now_ms));
    }
  };
  add(own_);
  add(of_business_);
  for (const auto& [name, shard] : shards_) add(shard.alerts);
  return dispatch_.decide(alerts, all_heard_, silences_, listeners, zones, now_ms);
}

}  // namespace z0
