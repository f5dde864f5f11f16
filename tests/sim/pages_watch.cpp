// What passes on the way of alerts, and what must be true of it at any time.
#include <algorithm>

#include "pages.hpp"
#include "z0/alerts/machine.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/reply.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/notify/notification.hpp"

namespace z0::sim {
namespace {

// False where it was judged by other rules, which the answer then brings.
bool was_heard(const std::vector<Effect>& effects) {
  for (const Effect& effect : effects) {
    ShardReportReply reply;
    if (effect.kind == Z0_REPLY &&
        decode_reply(carried_by<HttpAnswer>(effect).body, reply) == Status::ok)
      return reply.rules_hash.empty();
  }
  return false;
}

}  // namespace

AlertName name_of(const AlertReport& alert, std::string_view shard) {
  AlertName name{std::string(alert.rule), std::string(alert.tenant_id), {}};
  if (name.tenant_id == other_value) name.tenant_id = "(other of " + std::string(shard) + ')';
  name.labels.assign(alert.labels.begin(), alert.labels.end());
  std::sort(name.labels.begin(), name.labels.end());
  return name;
}

void Pages::watch(std::string_view frame_bytes, std::string_view effect_bytes) {
  // What was to be done by a transaction that failed is not done by the next one.
  step_.reset();
  Frame frame;
  hold(parse_frame(frame_bytes, frame), "a frame can be read", "");
  if (frame.target != Z0_TARGET_ALERTS) return;
  std::vector<Effect> effects;
  hold(parse_effects(effect_bytes, effects), "effects can be read", "");
  if (asks(effects)) return;
  live_through(frame);
  Step step;
  const bool reports = frame.kind == Z0_FRAME_CALL &&
                       frame.method == static_cast<std::uint8_t>(AlertsMethod::report);
  if (reports && was_heard(effects)) step.report = frame.part(1);
  for (const Effect& effect : effects) {
    if (effect.kind != Z0_WRITE) continue;
    const Statement statement = carried_by<Write>(effect).statement;
    if (!statement.sql.starts_with("INSERT OR REPLACE INTO alert_letters")) continue;
    const auto status = static_cast<NotificationStatus>(statement.values.at(3).integer);
    step.decided.push_back(
        {std::string(statement.values.at(1).bytes), std::string(statement.values.at(2).bytes),
         std::string(notification_status_name(status)), statement.values.at(5).integer, 0});
  }
  if (commits(effects))
    step_ = std::move(step);
  else
    done(step);
}

// As long as not all shards were heard, only time says that what they knew is over.
void Pages::live_through(const Frame& frame) {
  if (incarnation_ != frame.incarnation) {
    incarnation_ = frame.incarnation;
    life_began_ms_ = frame.now_ms;
    heard_in_life_.clear();
  }
  const bool all = std::all_of(heard_.begin(), heard_.end(), [this](const auto& one) {
    return one.second.rests || heard_in_life_.contains(one.first);
  });
  if (!all && frame.now_ms - life_began_ms_ > limits::shard_silent_ms)
    took_for_over_ = once_took_for_over_ = true;
}

void Pages::done(const Step& step) {
  ++order_;
  if (!step.report.empty()) hear(step.report);
  for (const Decided& one : step.decided) decide(one);
}

void Pages::hear(const std::string& bytes) {
  ShardReport report;
  hold(decode(bytes, report), "a shard's report can be read", "");
  const bool first = heard_in_life_.emplace(report.shard).second;
  Heard& heard = heard_[std::string(report.shard)];
  for (const AlertReport& alert : report.alerts)
    say(std::string(report.shard) + " says " + name_of(alert, report.shard).text() + ' ' +
        std::to_string(alert.phase) + " since " + std::to_string(alert.active_at_ms) + " at " +
        std::to_string(report.at_ms));
  // One that was under way for long is not heeded, if that can be known: not after a restart, and not where
  // the shard's clock went back.
  const bool late = report.at_ms < heard.at_ms;
  const bool believed = first || heard.at_ms - report.at_ms >= limits::shard_silent_ms;
  took_for_over_ = took_for_over_ || (late && believed);
  once_took_for_over_ = once_took_for_over_ || took_for_over_;
  if (late && !believed) return;
  heard = {bytes, report.at_ms, world_.now_ms, report.rests};
  for (const AlertReport& alert : report.alerts) {
    if (alert.fired_at_ms == 0) continue;
    const Begin begin{name_of(alert, report.shard), alert.active_at_ms, alert.fired_at_ms};
    const bool fires = static_cast<AlertPhase>(alert.phase) == AlertPhase::firing;
    // A clock that went back stands still until it is there again: what begins meanwhile has the same time.
    if (fires && begin.fired_ms > report.at_ms) same_time_.insert(begin);
    const auto end = ended_.lower_bound({begin, 0});
    const bool goes_on = fires && end != ended_.end() && end->first == begin;
    hold(took_for_over_ || !goes_on || same_time_.contains(begin), "what ended does not go on",
         begin.name.text());
    if (fires) begins_.insert(begin);
    if (alert.resolved_at_ms >= alert.fired_at_ms) ended_.insert({begin, alert.resolved_at_ms});
  }
}

// What changes within an interval is told at its end; only a word of acknowledgement goes at once.
void Pages::decide(const Decided& one) {
  std::vector<Decided>& before = decided_[{one.channel, one.key}];
  const bool paced = !one.channel.ends_with("/am") && one.status != "acknowledged";
  if (!before.empty() && paced)
    hold(one.at_ms - before.back().at_ms >= receivers_->group_interval_ms(),
         "two words about a group are an interval apart",
         one.channel + ' ' + one.key + ' ' + std::to_string(one.at_ms));
  say("decided: " + one.status + ' ' + one.key + " for " + one.channel);
  before.push_back(one);
  before.back().order = order_;
}

void Pages::word(const Receiver& receiver, const Notice& one) {
  say(receiver.name() + " takes " + one.status + ' ' + one.key);
  for (const ShownAlert& alert : one.alerts)
    say("  " + alert.name.text() + (alert.fires ? " fires since " : " is over, since ") +
        std::to_string(alert.started_ms));
  const auto found = decided_.find({std::string(channels_config) + '/' + receiver.name(), one.key});
  hold(found != decided_.end(), "what is told was decided before", one.key);
  if (one.decided_ms == 0) return;
  const std::vector<Decided>& all = found->second;
  const auto at = std::find_if(all.rbegin(), all.rend(), [&](const Decided& decided) {
    return decided.at_ms == one.decided_ms && decided.status == one.status;
  });
  hold(at != all.rend(), "what is told was decided before", one.key);
  for (const ShownAlert& alert : one.alerts) {
    const Quieted* const by = quieted_.known(alert.name, one.decided_ms, at->order);
    hold(!alert.fires || by == nullptr, "nothing is shown that a silence is about",
         alert.name.text() + ' ' + (by == nullptr ? "" : by->id));
  }
  Notice& last = last_[receiver.name() + ' ' + one.key];
  const auto same = [](const ShownAlert& a, const ShownAlert& b) {
    return a.name == b.name && a.started_ms == b.started_ms && a.fires == b.fires;
  };
  const bool repeats = last.id != one.id && last.status == "firing" && one.status == "firing" &&
                       std::equal(one.alerts.begin(), one.alerts.end(), last.alerts.begin(),
                                  last.alerts.end(), same);
  const bool said_between = std::any_of(all.begin(), all.end(), [&](const Decided& decided) {
    return decided.status == "acknowledged" && decided.at_ms >= last.decided_ms &&
           decided.order <= at->order;
  });
  hold(!repeats || said_between || took_for_over_ ||
           one.decided_ms - last.decided_ms >= receivers_->repeat_ms(),
       "what does not change is told again after long", receiver.name() + ' ' + one.key);
  last = one;
}

}  // namespace z0::sim
