// What traffic and people do to alerts, and what passes on their way; pages_checks.cpp judges.
#include "pages.hpp"

#include <algorithm>

#include "z0/alerts/machine.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/alerts.hpp"
#include "z0/calls/reply.hpp"
#include "z0/calls/silences.hpp"
#include "z0/notify/notification.hpp"

namespace z0::sim {
namespace {

// Of a hundred runs that carry metrics.
constexpr unsigned share_percent = 20;
constexpr std::int64_t minute_ms = 60'000;
constexpr const char* tenants[] = {"tenant_a", "tenant_b"};
constexpr std::string_view routing = "z0_routing_decisions_total";
constexpr std::string_view channels_config = "cfg_pages";

Json rule_of(const char* name, Json signal, int above, const char* window, const char* severity) {
  return {{"name", name},         {"signal", {{"sum", std::move(signal)}}},
          {"above", above},       {"window", window},
          {"severity", severity}, {"runbook", name},
          {"owner", "sim"},       {"summary", "It is so."}};
}

AlertName name_of(const AlertReport& alert) {
  AlertName name{std::string(alert.rule), std::string(alert.tenant_id), {}};
  name.labels.assign(alert.labels.begin(), alert.labels.end());
  std::sort(name.labels.begin(), name.labels.end());
  return name;
}

bool asks(const std::vector<Effect>& effects) {
  return !effects.empty() && effects[0].phase == Phase::need;
}

bool commits(const std::vector<Effect>& effects) {
  return std::any_of(effects.begin(), effects.end(),
                     [](const Effect& effect) { return effect.phase == Phase::commit; });
}

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

Pages::Pages(world::World& world, Agenda& agenda, Trouble& trouble, Telemetry& telemetry,
             std::uint64_t seed)
    : world_(world),
      agenda_(agenda),
      trouble_(trouble),
      telemetry_(telemetry),
      random_(seed ^ 0x9a6e5),
      quieted_("OwnRush", tenants[0]) {
  // Other runs are what they would be without.
  on_ = telemetry.on() && random_.percent(share_percent);
  if (!on_) return;
  receivers_.emplace(world, trouble, random_);
  until_ms_ = world.now_ms + random_.between(4, 9) * minute_ms;
  same_runbook_ = random_.percent(50);
  install();
  agenda.at(world.now_ms, [this] { publish(); });
  agenda.at(world.now_ms, [this] { live(); });
}

void Pages::install() {
  world_.watch = [this, outer = world_.watch](std::string_view frame, std::string_view effects) {
    outer(frame, effects);
    watch(frame, effects);
  };
  world_.committed = [this, outer = world_.committed](std::string_view object) {
    outer(object);
    if (object == alerts_object && step_) done(*std::exchange(step_, std::nullopt));
  };
  world_.fetch = [this, outer = world_.fetch](const FetchNeed& need) {
    if (Receivers::owns(need.url)) return receivers_->receive(need);
    return outer ? outer(need) : world::World::Fetched(0);
  };
  receivers_->meanwhile = [this] {
    if (driving_) return random_.percent(20) ? lose_memory() : void();
    if (trouble_.strikes(Fault::eviction)) forget();
  };
  receivers_->on_word = [this](const Receiver& receiver, const Notice& one) {
    word(receiver, one);
  };
  for (Receiver& receiver : receivers_->all()) {
    receiver.may_be_held = [this](const ShownAlert& alert) { return may_be_held(alert); };
  }
}

// By a silence, or as something else stands for it. And what is not heard of for long is taken for over.
bool Pages::may_be_held(const ShownAlert& alert) const {
  const std::string& rule = alert.name.rule;
  const bool alone = rule == "Rush" || rule == "RushAll" || rule == "Routes" || rule == "OwnRush" ||
                     rule == "Facts" || (rule == "RushLong" && !same_runbook_);
  return !alone || took_for_over_ || is_folded(alert.name) ||
         quieted_.possible(alert.name, 0, INT64_MAX);
}

std::vector<std::string> Pages::objects() const {
  if (!on_) return {};
  return {std::string(alerts_object), ledger_object_name(alerts_ledger)};
}

bool Pages::may_rest(std::string_view object) const {
  return on_ && !driven_ && object == ledger_object_name(alerts_ledger);
}

// -- what traffic and people do -------------------------------------------------------------------

std::string Pages::ask(AlertsMethod method, const std::string& request) {
  return world_.call(static_cast<std::uint8_t>(method), alerts_object, request);
}

// As the edge does it when somebody changed such a config.
void Pages::publish() {
  const Trouble::Calm calm(trouble_);
  Json rush = rule_of("Rush", routing, 50, "2m", "critical");
  rush["by"] = {"tenant_id"};
  Json lasting = rule_of("RushLong", routing, 50, "5m", "warning");
  lasting["by"] = {"tenant_id"};
  lasting["for"] = "2m";
  if (same_runbook_) lasting["runbook"] = "Rush";
  Json all = rule_of("RushAll", routing, 100, "2m", "critical");
  all["for"] = "30s";
  Json never = rule_of("Never", routing, 1'000'000, "1m", "critical");
  Json routes = rule_of("Routes", routing, 20, "1m", "warning");
  routes["by"] = {"tenant_id", "result"};
  const Json facts = rule_of("Facts", "z0_facts_written_total", 5, "1m", "warning");
  Json rules = {rush, lasting, all, never, routes, facts};
  // Shares of all tenants: after a restart one may begin by what the first shard says of its own tenants.
  for (const char* share :
       {"FactWriteFailuresWarning", "FactWriteFailures", "FactWriteBudgetBurnsFast",
        "FactWriteBudgetBurns", "ReconciliationMismatchesWarning", "ReconciliationMismatches",
        "ReplicationFailuresWarning", "ReplicationFailures"})
    rules.push_back(rule_of(share, routing, 1'000'000, "1m", "warning"));
  const Json own = rule_of("OwnRush", routing, 30, "2m", "critical");
  const auto put = [this](AlertsMethod method, std::string_view id, const char* of,
                          const Json& settings) {
    const std::string text = settings.dump();
    const std::string answer = ask(method, encode(RulesSource{id, of, text}));
    hold(answer == std::string(1, static_cast<char>(Status::ok)), "a config about alerts is taken",
         text);
  };
  put(AlertsMethod::publish_rules, "cfg_rules", "", {{"rules", rules}});
  put(AlertsMethod::publish_rules, "cfg_rules_own", tenants[0], {{"rules", {own}}});
  put(AlertsMethod::publish_channels, channels_config, "", receivers_->settings());
}

void Pages::live() {
  if (world_.now_ms >= until_ms_) return;
  const std::size_t dice = random_.below(100);
  if (dice < 45)
    burst(random_.pick(tenants), random_.between(5, 90));
  else if (dice < 57)
    silence();
  else if (dice < 63)
    unsilence();
  else if (dice < 75)
    acknowledge();
  else if (dice < 79)
    publish();
  upset();
  agenda_.at(world_.now_ms + random_.between(1'000, 40'000), [this] { live(); });
}

void Pages::upset() {
  if (trouble_.strikes(Fault::eviction)) forget();
  if (!trouble_.strikes(Fault::lost_alarm)) return;
  say("the alarm of alerts is lost");
  world_.lose_alarm(alerts_object);
}

void Pages::forget() {
  say("evict alerts");
  world_.evict(alerts_object);
}

void Pages::burst(const std::string& tenant_id, std::int64_t events) {
  say(std::to_string(events) + " decisions of " + tenant_id);
  DataPoint point{Z0_POINT_COUNTER, tenant_id, {routing, "won", ""}, 0, 0, {}};
  point.how_much = static_cast<double>(events / 2);
  telemetry_.measure(point);
  point.blobs[1] = "none";
  point.how_much = static_cast<double>(events - events / 2);
  telemetry_.measure(point);
}

void Pages::silence() {
  const char* const rules[] = {"Rush", "Rush*", "Rus", "RushL*", "Routes", "OwnRush", "Facts", ""};
  Quieted wanted;
  wanted.rule = random_.pick(rules);
  if (wanted.rule.empty() || random_.percent(40)) wanted.tenant_id = random_.pick(tenants);
  if (random_.percent(15)) wanted.label = random_.percent(50) ? "won" : "none";
  if (random_.percent(30)) wanted.made_for = random_.pick(tenants);
  if (random_.percent(25)) wanted.starts_ms = world_.now_ms + random_.between(1'000, 2 * minute_ms);
  static_cast<void>(ask_silence(wanted, random_.between(30'000, 6 * minute_ms)));
}

bool Pages::ask_silence(Quieted wanted, std::int64_t for_ms) {
  SilenceRequest request;
  SilenceView& view = request.silence;
  view.made_for = wanted.made_for;
  view.rule = wanted.rule;
  view.tenant_id = wanted.tenant_id;
  if (!wanted.label.empty()) view.labels = {"result", wanted.label};
  view.author = "ada";
  view.reason = "known";
  view.starts_ms = wanted.starts_ms;
  request.for_ms = for_ms;
  const std::string bytes = ask(AlertsMethod::silence, encode(request));
  SilencesReply reply;
  if (!bytes.empty() && decode_reply(bytes, reply) == Status::ok) {
    if (reply.silences.empty()) return false;
    const SilenceView& made = reply.silences[0];
    wanted.id = made.id;
    wanted.starts_ms = made.starts_ms;
    wanted.ends_ms = made.ends_ms;
    said_.insert("silence_" + wanted.id + '_' + std::to_string(wanted.ends_ms));
  } else {
    // Whenever its clock has it.
    wanted.ends_ms = std::max(wanted.starts_ms, world_.now_ms) + for_ms + 15 * minute_ms;
    wanted.starts_ms = 0;
  }
  say("silence " + wanted.id + " of " + wanted.rule + '/' + wanted.tenant_id + '/' + wanted.label +
      " by " + wanted.made_for + ", " + std::to_string(wanted.starts_ms) + " to " +
      std::to_string(wanted.ends_ms));
  wanted.made_at = order_;
  quieted_.add(wanted);
  return true;
}

void Pages::unsilence() {
  std::vector<Quieted>& all = quieted_.all();
  if (all.empty()) return;
  Quieted& one = all[random_.below(all.size())];
  if (one.id.empty() || one.ended_at != 0) return;
  // From here on nobody knows, unless it is answered.
  one.ended_at = std::max<std::uint64_t>(order_, 1);
  UnsilenceRequest request{one.id, {}, true};
  const std::string bytes = ask(AlertsMethod::unsilence, encode(request));
  SilencesReply reply;
  if (bytes.empty() || decode_reply(bytes, reply) != Status::ok || reply.silences.empty()) return;
  one.ends_ms = reply.silences[0].ends_ms;
  one.starts_ms = reply.silences[0].starts_ms;
  said_.insert("silence_" + one.id + '_' + std::to_string(one.ends_ms));
}

void Pages::acknowledge() {
  AlertsRequest all;
  all.all_tenants = true;
  std::string listed;
  {
    const Trouble::Calm calm(trouble_);
    listed = ask(AlertsMethod::list, encode(all));
  }
  AlertsReply reply;
  hold(decode_reply(listed, reply) == Status::ok, "alerts are listed", "");
  if (reply.alerts.empty()) return;
  AcknowledgeRequest request;
  const std::string id(reply.alerts[random_.below(reply.alerts.size())].id);
  request.id = id;
  request.all_tenants = true;
  request.author = "ada";
  request.reason = "looking";
  request.for_ms = random_.percent(50) ? 0 : random_.between(1, 5) * minute_ms;
  const std::string bytes = ask(AlertsMethod::acknowledge, encode(request));
  AlertsReply said;
  if (bytes.empty() || decode_reply(bytes, said) != Status::ok) return;
  for (const AlertsReply::Alert& alert : said.alerts)
    said_.insert("alert_" + id + "_acknowledged_" + std::to_string(alert.acknowledged_at_ms));
}

void Pages::healed() {
  if (on_) receivers_->heal();
}

// -- what passes ----------------------------------------------------------------------------------

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
  const bool all = heard_in_life_.size() >= telemetry_.shards();
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
  // One that was under way for long.
  for (const AlertReport& alert : report.alerts)
    say(std::string(report.shard) + " says " + name_of(alert).text() + ' ' +
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
    const Begin begin{name_of(alert), alert.active_at_ms, alert.fired_at_ms};
    const bool fires = static_cast<AlertPhase>(alert.phase) == AlertPhase::firing;
    // A shard that told of an end before it was saved, and was lost then, goes on with the same begin.
    const auto end = ended_.lower_bound({begin, 0});
    if (fires && end != ended_.end() && end->first == begin)
      took_for_over_ = once_took_for_over_ = true;
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
  const bool folded = std::any_of(one.alerts.begin(), one.alerts.end(),
                                  [](const ShownAlert& alert) { return is_folded(alert.name); });
  const bool repeats = !folded && last.id != one.id && last.status == "firing" &&
                       one.status == "firing" &&
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
