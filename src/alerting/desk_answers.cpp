// What people ask of the desk: which alerts there are, and to be silent.
#include <algorithm>

#include "z0/alerting/desk.hpp"
#include "z0/alerting/similar.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/sha256.hpp"

namespace z0 {
namespace {

SilenceView view_of_silence(const Silence& silence) {
  SilenceView view{
      silence.id,     silence.made_for, silence.rule,    silence.tenant_id, {},
      silence.author, silence.reason,   silence.made_ms, silence.starts_ms, silence.ends_ms};
  for (const auto& [name, value] : silence.labels) {
    view.labels.push_back(name);
    view.labels.push_back(value);
  }
  return view;
}

}  // namespace

AlertsReply::Alert Desk::view_of(const std::string& id, const Known& known,
                                 const AlertsRequest& request, std::int64_t now_ms) const {
  AlertsReply::Alert view;
  view.id = id;
  view.alert = {known.rules_of,
                known.rule,
                known.tenant_id,
                {known.labels.begin(), known.labels.end()},
                static_cast<std::int64_t>(known.state.phase),
                known.state.active_at_ms,
                known.state.fired_at_ms,
                known.state.resolved_at_ms,
                millionths(known.state.value),
                known.words};
  if (known.money.has_value()) {
    view.currency = known.money->currency;
    view.lost = known.money->lost;
    view.at_risk_per_hour = known.money->at_risk_per_hour;
    view.reckoning = known.money->reckoning;
  }
  const Labels labels = labels_of(rule_of(known), known);
  const SilencedBy alert{known.rules_of, known.rule, known.tenant_id, &labels};
  const Silence* silence =
      silences_.find(alert, request.all_tenants ? std::string_view() : request.tenant_id, now_ms);
  if (silence != nullptr) view.silence_id = silence->id;
  const Dispatch::Standing standing = dispatch_.standing(id);
  view.inhibited_by = standing.inhibited_by;
  view.escalations = standing.escalations;
  view.flaps = standing.flaps;
  const auto words = words_.find(id);
  if (words == words_.end() || !words->second.holds(now_ms)) return view;
  view.acknowledged_by = words->second.author;
  view.reason = words->second.reason;
  view.acknowledged_at_ms = words->second.at_ms;
  view.acknowledged_until_ms = words->second.until_ms;
  return view;
}

void Desk::list(const std::map<std::string, Known>& alerts, const AlertsRequest& request,
                std::int64_t now_ms, AlertsReply& reply) const {
  for (const auto& [id, known] : alerts) {
    if (!request.all_tenants && known.tenant_id != request.tenant_id) continue;
    if (reply.alerts.size() >= limits::alerts_per_report_max)
      ++reply.left_out;
    else
      reply.alerts.push_back(view_of(id, known, request, now_ms));
  }
}

AlertsReply Desk::answer(const AlertsRequest& request, std::int64_t now_ms) {
  AlertsReply reply;
  reply.evaluated_at_ms = judged_ms_;
  list(own_, request, now_ms, reply);
  list(of_business_, request, now_ms, reply);
  for (const auto& [number, shard] : shards_) {
    list(shard.alerts, request, now_ms, reply);
    if (request.all_tenants) reply.left_out += shard.left_out;
    if (!shard.rests && now_ms - shard.heard_ms > limits::shard_silent_ms) ++reply.silent_shards;
  }
  if (now_ms - loaded_ms_ > limits::shard_silent_ms)
    reply.silent_shards += static_cast<std::int64_t>(unheard().size());
  for (const RuleBook::Source& source : book_.sources()) {
    if (request.all_tenants || source.tenant_id.empty() || source.tenant_id == request.tenant_id)
      reply.rules.push_back({source.config_id, source.tenant_id, source.settings});
  }
  return reply;
}

// Those that a tenant's silence, or one of the platform's, may be about.
std::vector<std::string_view> Desk::rule_names(std::string_view made_for) const {
  std::vector<std::string_view> names;
  const auto add = [&names](const std::vector<Rule>& rules) {
    for (const Rule& rule : rules) names.push_back(rule.name);
  };
  add(book_.per_tenant());
  add(book_.of_all());
  for (const RuleBook::OfTenant& one : book_.tenants())
    if (made_for.empty() || one.tenant_id == made_for) add(one.rules);
  return names;
}

void Desk::silence(const SilenceRequest& request, std::int64_t now_ms, SilencesReply& reply) {
  const SilenceView& wanted = request.silence;
  reply.now_ms = now_ms;
  const std::vector<std::string_view> names = rule_names(wanted.made_for);
  reply.no_such_rule = std::none_of(names.begin(), names.end(), [&wanted](std::string_view name) {
    return fits_pattern(wanted.rule, name);
  });
  if (reply.no_such_rule) {
    reply.similar_rules = similar_names(wanted.rule, names);
    return;
  }
  Silence silence;
  silence.made_for = wanted.made_for;
  silence.rule = wanted.rule;
  silence.tenant_id = wanted.tenant_id;
  for (std::size_t i = 0; i < wanted.labels.size(); i += 2)
    silence.labels.emplace_back(wanted.labels[i], wanted.labels[i + 1]);
  silence.author = wanted.author;
  silence.reason = wanted.reason;
  silence.made_ms = now_ms;
  silence.starts_ms = std::max(wanted.starts_ms, now_ms);
  silence.ends_ms = request.for_ms != 0 ? silence.starts_ms + request.for_ms : wanted.ends_ms;
  const std::string said = encode(view_of_silence(silence));
  silence.id = "sil_";
  append_hex(silence.id, bytes_of(sha256(said)).substr(0, 8));
  const std::string id = silence.id;
  if (!silences_.add(std::move(silence), now_ms)) return;
  changed_silences_.push_back(id);
  reply.silences = {view_of_silence(silences_.all().find(id)->second)};
}

bool Desk::unsilence(const UnsilenceRequest& request, std::int64_t now_ms, SilencesReply& reply) {
  const Silence* silence = silences_.end(request.id, request.made_for, request.all_tenants, now_ms);
  if (silence == nullptr) return false;
  changed_silences_.push_back(silence->id);
  reply.now_ms = now_ms;
  reply.silences = {view_of_silence(*silence)};
  return true;
}

SilencesReply Desk::silences(const SilencesRequest& request, std::int64_t now_ms) const {
  SilencesReply reply;
  reply.now_ms = now_ms;
  for (const auto& [id, silence] : silences_.all()) {
    const bool theirs = request.all_tenants || silence.made_for == request.made_for;
    if (theirs && now_ms - silence.ends_ms < limits::silence_kept_ms)
      reply.silences.push_back(view_of_silence(silence));
  }
  return reply;
}

}  // namespace z0
