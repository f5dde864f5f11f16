// What traffic and people do to alerts; pages_watch.cpp sees what passes.
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
constexpr std::string_view hits = "z0_cache_hits_total";
constexpr std::string_view misses = "z0_cache_misses_total";

Json rule_of(const char* name, Json signal, int above, const char* window, const char* severity) {
  return {{"name", name},         {"signal", {{"sum", std::move(signal)}}},
          {"above", above},       {"window", window},
          {"severity", severity}, {"runbook", name},
          {"owner", "sim"},       {"summary", "It is so."}};
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
  return !alone || took_for_over_ || quieted_.possible(alert.name, 0, INT64_MAX);
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
  Json share = rule_of("Share", misses, 0, "5m", "warning");
  share["signal"] = {{"ratio", {{"of", misses}, {"to", {hits, misses}}}}};
  share["above"] = 0.5;
  share["for"] = "15s";
  const Json rules = {rush, lasting, all, never, routes, facts, share};
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
  // A third of them misses, all of one tenant. They come first: where an isolate has no room for all points,
  // it is others that are missing.
  const auto read = [&](std::string_view metric, const char* tenant, std::int64_t reads) {
    DataPoint of{Z0_POINT_COUNTER, tenant, {metric, "state"}, 0, 0, {}};
    of.how_much = static_cast<double>(reads);
    telemetry_.measure(of);
  };
  read(hits, tenants[0], 2 * events);
  read(misses, tenants[1], events);
  DataPoint point{Z0_POINT_COUNTER, tenant_id, {routing, "won", ""}, 0, 0, {}};
  point.how_much = static_cast<double>(events / 2);
  telemetry_.measure(point);
  point.blobs[1] = "none";
  point.how_much = static_cast<double>(events - events / 2);
  telemetry_.measure(point);
}

void Pages::silence() {
  const char* const rules[] = {"Rush",   "Rush*",   "Never", "RushL*",
                               "Routes", "OwnRush", "Facts", ""};
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

}  // namespace z0::sim
