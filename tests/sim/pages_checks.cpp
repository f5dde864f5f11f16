// What must be true of alerts, while nobody interferes, while they are driven, and at the end.
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

constexpr std::int64_t second_ms = 1'000;
constexpr std::int64_t minute_ms = 60'000;
// Where nothing is told any more rules are judged once a minute.
constexpr std::int64_t quiet_tick_ms = 70 * second_ms;
constexpr std::int64_t memory_ms = limits::shard_silent_ms + quiet_tick_ms;
constexpr const char* tenants[] = {"tenant_a", "tenant_b"};
// Until clocks that were ahead are past, receivers are asked again, and the run's own alerts are over.
constexpr std::int64_t settling_ms = 22 * minute_ms;
// A stretch in which alerts are driven: the longest window, and until its end was told.
constexpr std::int64_t stretch_ms = 10 * minute_ms;
constexpr std::int64_t poll_ms = 10 * second_ms;
// From an event to its page: a flush, a tick, the object's turns, and a turn that was lost.
constexpr std::int64_t page_ms = minute_ms;
// Between clocks of objects, and until calls that are late arrived.
constexpr std::int64_t apart_ms = 16 * minute_ms;

const char* const critical_rules[] = {"Rush", "RushAll", "OwnRush", "Never"};
const char* const warning_rules[] = {"RushLong", "Routes", "Facts"};

template <class List>
bool is_in(const List& list, const std::string& rule) {
  return std::find(std::begin(list), std::end(list), rule) != std::end(list);
}

AlertName name_of(const AlertReport& alert) {
  AlertName name{std::string(alert.rule), std::string(alert.tenant_id), {}};
  name.labels.assign(alert.labels.begin(), alert.labels.end());
  std::sort(name.labels.begin(), name.labels.end());
  return name;
}

AlertName name_of(const Json& data) {
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

bool fires(const AlertsReply::Alert& alert) {
  return static_cast<AlertPhase>(alert.alert.phase) == AlertPhase::firing;
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

// -- alerts that are driven -----------------------------------------------------------------------

void Pages::drive(const Pass& pass) {
  if (!on_) return;
  driving_ = true;
  pass(settling_ms);
  took_for_over_ = false;
  driven_from_ms_ = world_.now_ms;
  drive_once(pass);
  if (random_.percent(25)) drive_once(pass);
  check_channels(pass);
  driving_ = false;
  driven_ = true;
}

// Until a shard that rests is taken for one that has nothing to say, nothing about all tenants ends.
bool Pages::may_lose_memory() {
  if (world_.now_ms - forgot_ms_ < memory_ms) return false;
  forgot_ms_ = world_.now_ms;
  return true;
}

void Pages::lose_memory() {
  if (may_lose_memory()) forget();
}

void Pages::drive_once(const Pass& pass) {
  const std::int64_t from_ms = world_.now_ms;
  polled_.clear();
  const char* const rules[] = {"Rush", "Rus", "Rush*", "RushLong", "Routes", "OwnRush", "Ru*"};
  if (random_.percent(70)) {
    Quieted wanted;
    wanted.rule = random_.pick(rules);
    if (random_.percent(40)) wanted.tenant_id = random_.pick(tenants);
    if (random_.percent(15)) wanted.label = random_.percent(50) ? "won" : "none";
    if (random_.percent(25)) wanted.made_for = random_.pick(tenants);
    const std::int64_t lengths[] = {minute_ms / 2, stretch_ms + minute_ms};
    static_cast<void>(ask_silence(wanted, random_.pick(lengths)));
  }
  const std::int64_t a = random_.percent(80) ? random_.between(41, 90) : 0;
  const std::int64_t b = a == 0 || random_.percent(60) ? random_.between(41, 90) : 0;
  if (a > 0) burst(tenants[0], a);
  if (b > 0) burst(tenants[1], b);
  const std::vector<Expected> all = expected(from_ms, a, b);
  while (world_.now_ms < from_ms + stretch_ms) {
    pass(poll_ms);
    if (random_.percent(15)) lose_memory();
    if (random_.percent(10) && may_lose_memory()) look();
    poll();
  }
  const bool cramped = std::any_of(all.begin(), all.end(), [&](const Expected& one) {
    return one.by_ms != 0 && !one.name.tenant_id.empty() && !began(one.name, from_ms);
  });
  for (const Expected& one : all)
    if (!cramped || one.by_ms == 0 || began(one.name, from_ms)) check_expected(one, from_ms);
  // Until no silence holds any more.
  pass(2 * minute_ms);
}

// By what the rules say of so many events, and by which silence there is.
std::vector<Pages::Expected> Pages::expected(std::int64_t from_ms, std::int64_t a,
                                             std::int64_t b) const {
  std::vector<Expected> all;
  const auto expect = [&](const char* rule, const char* tenant, const char* label, bool holds,
                          std::int64_t after_ms, std::int64_t by_ms) {
    Expected& one = all.emplace_back();
    one.name = {rule, tenant, {}};
    if (*label != 0) one.name.labels = {label};
    one.not_before_ms = from_ms + after_ms;
    const bool always = quieted_.known(one.name, from_ms + stretch_ms, order_ + 1) != nullptr;
    const Quieted* const first = quieted_.known(one.name, from_ms, order_ + 1);
    if (!holds || always) return;
    one.by_ms = from_ms + by_ms + receivers_->group_interval_ms() + group_wait_ms;
    if (first == nullptr) return;
    one.not_before_ms = std::max(one.not_before_ms, first->ends_ms);
    one.by_ms += minute_ms + quiet_tick_ms;
  };
  for (const char* tenant : tenants) {
    const std::int64_t events = tenant == tenants[0] ? a : b;
    expect("Rush", tenant, "", events > 50, 0, page_ms);
    // Where the worse one stands for it, that one is over first.
    expect("RushLong", tenant, "", events > 50, 2 * minute_ms, 5 * minute_ms + quiet_tick_ms);
    expect("Routes", tenant, "won", events / 2 > 20, 0, page_ms);
    expect("Routes", tenant, "none", events - events / 2 > 20, 0, page_ms);
  }
  expect("OwnRush", tenants[0], "", a > 30, 0, page_ms);
  expect("RushAll", "", "", a + b > 100, 30 * second_ms, 30 * second_ms + page_ms);
  expect("Never", "", "", false, 0, 0);
  return all;
}

// Whether a shard says that it began since then. Where it has no room for more series, tenants count as one.
bool Pages::began(const AlertName& name, std::int64_t from_ms) const {
  return std::any_of(begins_.begin(), begins_.end(), [&](const Begin& begin) {
    return begin.name == name && begin.active_ms >= from_ms;
  });
}

void Pages::check_expected(const Expected& one, std::int64_t from_ms) {
  for (const Receiver& receiver : receivers_->all()) {
    if (!receiver.shows() || !receiver.wants(is_in(critical_rules, one.name.rule))) continue;
    std::int64_t told_ms = 0;
    for (const Notice& word : receiver.words()) {
      for (const ShownAlert& alert : word.alerts)
        if (told_ms == 0 && alert.name == one.name && alert.started_ms >= from_ms)
          told_ms = word.taken_ms;
    }
    const std::string where = receiver.name() + ' ' + one.name.text() + ' ' +
                              std::to_string(told_ms - from_ms) + " ms after the burst";
    if (one.by_ms == 0) {
      hold(told_ms == 0, "what a silence is about, or what does not hold, is not told", where);
      continue;
    }
    hold(told_ms != 0 && told_ms <= one.by_ms, "what held for as long as its rule asks is told",
         where);
    hold(told_ms >= one.not_before_ms, "nothing is told before its time", where);
  }
}

// Each receiver shows what fires and nothing else, some seconds later.
void Pages::poll() {
  const std::string bytes = listed();
  AlertsReply reply;
  hold(decode_reply(bytes, reply) == Status::ok, "alerts are listed", "");
  std::set<AlertName> firing;
  for (const AlertsReply::Alert& alert : reply.alerts) {
    const AlertName name = name_of(alert.alert);
    const bool quiet = quieted_.possible(name, world_.now_ms, world_.now_ms);
    Polled& polled = polled_[name];
    if (!fires(alert)) continue;
    firing.insert(name);
    if (quiet || !alert.inhibited_by.empty())
      polled.clear_ms = 0;
    else if (polled.clear_ms == 0)
      polled.clear_ms = world_.now_ms;
  }
  for (auto& [name, polled] : polled_) {
    if (is_folded(name)) continue;
    if (firing.contains(name)) {
      polled.gone_ms = 0;
    } else {
      polled.clear_ms = 0;
      if (polled.gone_ms == 0) polled.gone_ms = world_.now_ms;
    }
    poll_alert(name, polled);
  }
}

void Pages::poll_alert(const AlertName& name, const Polled& polled) {
  const std::int64_t lag_ms = receivers_->group_interval_ms() + group_wait_ms + page_ms;
  const bool critical = is_in(critical_rules, name.rule);
  // Of rules that ship it is not known here how bad they are.
  const bool known = critical || is_in(warning_rules, name.rule);
  for (const Receiver& receiver : receivers_->all()) {
    if (!receiver.shows()) continue;
    const bool shown = receiver.shown_in(name) != nullptr;
    const bool wanted = receiver.wants(false) || (known && critical);
    const std::string where = receiver.name() + ' ' + name.text();
    if (wanted && polled.clear_ms != 0 && world_.now_ms - polled.clear_ms >= lag_ms)
      hold(shown, "what fires is shown", where);
    if (polled.gone_ms != 0 && world_.now_ms - polled.gone_ms >= lag_ms + memory_ms)
      hold(!shown, "what is over is not shown any more", where);
  }
}

// -- at the end -----------------------------------------------------------------------------------

void Pages::check_channels(const Pass& pass) {
  AlertsReply reply;
  std::string bytes;
  bool waits = true;
  for (int i = 0; i < 20 && waits; ++i) {
    pass(quiet_tick_ms / 7);
    bytes = listed();
    hold(decode_reply(bytes, reply) == Status::ok, "alerts are listed", "");
    waits = std::any_of(reply.channels.begin(), reply.channels.end(),
                        [](const AlertsReply::ChannelView& one) { return one.waiting > 0; });
  }
  hold(!waits, "nothing waits for receivers that are well", "");
  hold(reply.channels.size() == receivers_->all().size(), "each channel is listed", "");
  for (const AlertsReply::ChannelView& one : reply.channels)
    hold(one.off.empty() && one.given_up == 0 && one.lost == 0,
         "no word is lost that a receiver may take", std::string(one.channel));
  // What is on its way to the ledger.
  pass(2 * minute_ms);
  for (const char* table : {"alert_letters", "alert_facts"}) {
    const std::string sql = std::string("SELECT count(*) FROM ") + table;
    const auto rows = world_.storage_of(alerts_object).run({sql, {}});
    const std::int64_t left = rows->rows.at(0, 0).integer;
    hold(left == 0, "no row stays of what was sent", std::to_string(left) + " of " + table);
  }
}

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
      const Begin begin{name_of(data), data.at("active_at"), data.at("fired_at")};
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
