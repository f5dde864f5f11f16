// What is remembered of groups and of listeners, as rows.
#include "z0/alerting/dispatch.hpp"
#include "z0/base/fields.hpp"

namespace z0 {
namespace {

template <class Fields, class Self>
void visit_money(Fields& f, Self& money) {
  f.text(money.currency);
  f.signed_number(money.lost);
  f.signed_number(money.at_risk_per_hour);
  f.text(money.reckoning);
}

// Names and values in turn.
template <class Fields, class Self>
void visit_labels(Fields& f, Self& labels) {
  std::vector<std::string> flat;
  for (const auto& [name, value] : labels) {
    flat.push_back(name);
    flat.push_back(value);
  }
  f.list(flat);
  if constexpr (!std::is_const_v<Self>) {
    labels.clear();
    for (std::size_t i = 0; i + 1 < flat.size(); i += 2) labels.emplace_back(flat[i], flat[i + 1]);
  }
}

template <class Fields, class Self>
void visit_alert(Fields& f, Self& alert) {
  f.text(alert.rule);
  f.code(alert.severity);
  f.byte(alert.level);
  f.byte(alert.audience);
  f.text(alert.summary);
  f.text(alert.tenant_id);
  visit_labels(f, alert.labels);
  f.text(alert.value);
  f.text(alert.threshold);
  f.number(alert.window_ms);
  f.number(alert.started_ms);
  f.text(alert.owner);
  f.text(alert.runbook);
  f.text(alert.trace_id);
  bool has_money = alert.money.has_value();
  f.flag(has_money);
  if (!has_money) return;
  if constexpr (!std::is_const_v<Self>) alert.money.emplace();
  visit_money(f, *alert.money);
}

}  // namespace

template <class Fields, class Self>
void Dispatch::Episode::fields(Fields& f, Self& self) {
  visit_alert(f, self.alert);
  for (auto* n : {&self.fired_ms, &self.over_ms, &self.pages_since_ms, &self.escalations})
    f.number(*n);
  f.text(self.inhibited_by);
  f.list(self.changes);
  f.text(self.said_by);
  f.text(self.reason);
  f.number(self.said_ms);
  f.text(self.said_for);
}

// An alert's place in the group stands for its id in what listeners heard.
std::string Dispatch::encode_group(const Group& group) {
  std::string bytes;
  FieldWriter out(bytes);
  out.text(group.rules_of);
  out.number(static_cast<std::int64_t>(group.episodes.size()));
  for (const auto& [id, episode] : group.episodes) {
    out.text(id);
    out.part(episode);
  }
  out.number(static_cast<std::int64_t>(group.ears.size()));
  for (const auto& [key, ear] : group.ears) {
    out.text(key);
    for (const auto* n : {&ear.opened_ms, &ear.waits_ms, &ear.told_ms, &ear.escalations})
      out.number(*n);
    out.flag(ear.acknowledged);
    for (const auto& [id, episode] : group.episodes) {
      const auto heard = ear.of.find(id);
      out.code(heard == ear.of.end() ? Heard::nothing : heard->second);
    }
  }
  return bytes;
}

bool Dispatch::load_group(std::string_view key, std::string_view bytes) {
  FieldReader in(bytes);
  Group group;
  std::int64_t count = 0;
  in.text(group.rules_of);
  for (in.number(count); count > 0 && in.ok(); --count) {
    std::string id;
    in.text(id);
    in.part(group.episodes[id]);
  }
  for (in.number(count); count > 0 && in.ok(); --count) {
    std::string listener;
    in.text(listener);
    Ear& ear = group.ears[listener];
    for (auto* n : {&ear.opened_ms, &ear.waits_ms, &ear.told_ms, &ear.escalations}) in.number(*n);
    in.flag(ear.acknowledged);
    for (const auto& [id, episode] : group.episodes) {
      Heard heard = Heard::nothing;
      in.code(heard);
      if (heard != Heard::nothing) ear.of.emplace(id, heard);
    }
  }
  if (!in.done() || group.episodes.empty()) return false;
  groups_.insert_or_assign(std::string(key), std::move(group));
  return true;
}

std::string Dispatch::encode_listeners() const {
  std::string bytes;
  FieldWriter out(bytes);
  for (const auto& [key, since_ms] : since_ms_) {
    out.text(key);
    out.number(since_ms);
  }
  return bytes;
}

bool Dispatch::load_listeners(std::string_view bytes) {
  FieldReader in(bytes);
  while (!in.done()) {
    std::string key;
    std::int64_t since_ms = 0;
    in.text(key);
    in.number(since_ms);
    if (!in.ok()) return false;
    since_ms_.insert_or_assign(std::move(key), since_ms);
  }
  return true;
}

}  // namespace z0
