// What must be true of alerts, while nobody interferes and at the end.
#include <algorithm>
#include <iterator>

#include "final_checks.hpp"
#include "pages.hpp"
#include "scene.hpp"
#include "z0/alerts/machine.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/reply.hpp"
#include "z0/calls/silences.hpp"

namespace z0::sim {
namespace {

constexpr std::int64_t minute_ms = 60'000;
// Between clocks of objects, and until calls that are late arrived.
constexpr std::int64_t apart_ms = 16 * minute_ms;

AlertName name_in(const Json& data) {
  AlertName name{data.at("rule"), data.value("alert_tenant_id", ""), data.at("labels")};
  std::sort(name.labels.begin(), name.labels.end());
  return name;
}

// What an answer lists, a line each. Why an alert of business fires and what one costs is known by the next
// look at facts again.
std::vector<std::string> lines_of(std::string_view listed) {
  AlertsReply reply;
  std::vector<std::string> lines;
  hold(decode_reply(listed, reply) == Status::ok, "alerts are listed", "");
  lines.push_back("evaluated at " + std::to_string(reply.evaluated_at_ms));
  const auto add = [&lines](std::initializer_list<std::string_view> texts,
                            std::initializer_list<std::int64_t> numbers) {
    std::string& line = lines.emplace_back();
    for (const std::string_view text : texts) line.append(text).append(1, ' ');
    for (const std::int64_t n : numbers) line += std::to_string(n) + ' ';
  };
  for (const AlertsReply::Alert& one : reply.alerts) {
    const AlertReport& alert = one.alert;
    add({name_of(alert).text(), one.acknowledged_by, one.reason, one.silence_id, one.inhibited_by},
        {alert.phase, alert.active_at_ms, alert.fired_at_ms, alert.resolved_at_ms,
         one.acknowledged_at_ms, one.acknowledged_until_ms, one.escalations});
  }
  for (const AlertsReply::ChannelView& one : reply.channels)
    add({one.channel, one.to, one.off, one.why},
        {one.waiting, one.delivered, one.given_up, one.lost, one.delivered_at_ms, one.again_at_ms});
  for (const RulesSource& one : reply.rules) add({one.config_id, one.tenant_id, one.settings}, {});
  return lines;
}

std::string difference_of(const std::vector<std::string>& before,
                          const std::vector<std::string>& after) {
  for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
    const std::string was = i < before.size() ? before[i] : "nothing";
    const std::string is = i < after.size() ? after[i] : "nothing";
    if (was != is) return "was " + was + ", is " + is;
  }
  return {};
}

}  // namespace

// -- memory against rows --------------------------------------------------------------------------

std::string Pages::listed() {
  AlertsRequest all;
  all.all_tenants = true;
  return ask(AlertsMethod::list, encode(all));
}

std::string Pages::quieted() {
  SilencesRequest all;
  all.all_tenants = true;
  return ask(AlertsMethod::silences, encode(all));
}

// What each shard said last: false where that is too old, or not all of them spoke.
bool Pages::tell_again() {
  const bool all = heard_.size() == telemetry_.shards();
  const bool fresh = std::all_of(heard_.begin(), heard_.end(), [this](const auto& one) {
    return one.second.rests || world_.now_ms - one.second.heard_ms <= minute_ms;
  });
  if (!all || !fresh) return false;
  const std::map<std::string, Heard> heard = heard_;
  for (const auto& [shard, one] : heard) static_cast<void>(ask(AlertsMethod::report, one.report));
  return true;
}

// What shards said is in memory alone, so they say it again: twice before, so that it makes no difference.
void Pages::look() {
  if (!on_ || took_for_over_ || !tell_again() || !tell_again()) return;
  const std::vector<std::string> before = lines_of(listed());
  const std::string silences = quieted();
  forget();
  static_cast<void>(tell_again());
  const std::string difference = difference_of(before, lines_of(listed()));
  hold(difference.empty(), "what is read from rows is what was in memory", difference);
  hold(quieted() == silences, "silences are read from rows as they were", "");
}

// -- at the end -----------------------------------------------------------------------------------

void Pages::check() {
  if (!on_) return;
  check_incidents();
  check_facts();
}

// An incident that is open shows something that fires.
void Pages::check_incidents() {
  const std::string bytes = listed();
  AlertsReply reply;
  hold(decode_reply(bytes, reply) == Status::ok, "alerts are listed", "");
  std::set<AlertName> firing;
  for (const AlertsReply::Alert& alert : reply.alerts)
    if (fires(alert)) firing.insert(name_of(alert.alert));
  for (const Receiver& receiver : receivers_->all()) {
    for (const auto& [key, shown] : receiver.open()) {
      const bool lives = std::any_of(shown.begin(), shown.end(),
                                     [&](const AlertName& name) { return firing.contains(name); });
      hold(lives, "an incident ends with its alerts", receiver.name() + ' ' + key);
    }
    for (const auto& [name, ends_ms] : receiver.ends_ms())
      hold(firing.contains(name) || (ends_ms != 0 && ends_ms <= world_.now_ms),
           "Alertmanager hears of each end", name.text());
  }
}

void Pages::check_facts() {
  const Model nothing;
  Scene scene{world_, nothing, {}, {}, {}};
  scene.read(std::string(alerts_ledger));
  std::set<std::string> ids;
  std::vector<Begin> begins;
  std::set<Begin> begun;
  Ends ended;
  std::set<std::pair<std::string, std::string>> delivered;
  for (const Json& fact : scene.ledgers.at(std::string(alerts_ledger))) {
    ids.insert(fact.at("id").get<std::string>());
    const Json& data = fact.at("data");
    const std::string subtype = fact.value("subtype", "");
    if (fact.at("type") == "notification") {
      const std::string channel = data.at("channel");
      const std::string name = channel.substr(channel.find('/') + 1);
      const std::string id = data.at("notification_id");
      if (subtype != "delivered" || !receivers_->named(name).shows()) continue;
      hold(delivered.insert({channel, id}).second, "a delivery is on record once", fact.dump());
      hold(name == "pager" || receivers_->named(name).ids().contains(id),
           "what is on record as delivered was taken", fact.dump());
    } else if (subtype == "fired" || subtype == "resolved") {
      const Begin begin{name_in(data), data.at("active_at"), data.at("fired_at")};
      if (subtype == "fired") begins.push_back(begin);
      const bool once =
          subtype == "fired"
              ? begun.insert(begin).second
              : ended[begin].insert(data.at("resolved_at").get<std::int64_t>()).second;
      hold(once, "what happens to an alert is on record once", fact.dump());
    }
  }
  for (const Begin& begin : begins_)
    hold(begin.fired_ms < driven_from_ms_ || begun.contains(begin),
         "each alert that fired is on record", begin.name.text());
  for (const auto& [begin, at_ms] : ended_)
    hold(begin.fired_ms < driven_from_ms_ ||
             (ended.contains(begin) && ended.at(begin).contains(at_ms)),
         "each alert that ended is on record", begin.name.text());
  for (const std::string& id : said_) hold(ids.contains(id), "what people said is on record", id);
  check_told(begins, ended);
}

// Whatever failed meanwhile: an alert that no silence was near is told, by itself or by a later begin of it
// that took its place.
void Pages::check_told(const std::vector<Begin>& begins, const Ends& ends) {
  std::map<AlertName, std::set<std::int64_t>> shown;
  for (const Notice& word : receivers_->named("hook").words())
    for (const ShownAlert& alert : word.alerts) shown[alert.name].insert(alert.started_ms);
  for (auto one = begins.begin(); one != begins.end(); ++one) {
    // What was taken for over before it was told needs no word.
    if (once_took_for_over_ && one->fired_ms < driven_from_ms_) continue;
    const std::string& rule = one->name.rule;
    const bool of_all = rule == "RushAll" || rule == "Facts";
    // A shard may have forgotten what it said of one that it says no end of.
    const auto said = ended_.lower_bound({*one, 0});
    const bool ended = said != ended_.end() && said->first == *one;
    const bool obliges = of_all || (ended && begins_.contains(*one) &&
                                    (rule == "Rush" || rule == "Routes" || rule == "OwnRush"));
    const auto end = ends.find(*one);
    const std::int64_t end_ms = end == ends.end() ? world_.now_ms : *end->second.rbegin();
    if (!obliges || quieted_.possible(one->name, one->active_ms - apart_ms, end_ms + apart_ms))
      continue;
    const bool told = std::any_of(one, begins.end(), [&](const Begin& later) {
      return later.name == one->name && shown[one->name].contains(later.active_ms);
    });
    hold(told, "an alert that fired is told", one->name.text());
  }
}

}  // namespace z0::sim
