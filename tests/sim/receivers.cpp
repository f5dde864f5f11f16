#include "receivers.hpp"

#include <algorithm>
#include <utility>

#include "z0/base/time.hpp"

namespace z0::sim {
namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t away_ms_max = 10 * minute_ms;
constexpr std::string_view hosts = ".alerted.example/";

std::int64_t ms_of(const Json& text) {
  std::int64_t ms = 0;
  hold(parse_rfc3339(text.get<std::string>(), ms), "a time is told in order", text.dump());
  return ms;
}

AlertName name_of(const std::string& rule, const Json& alert, const Json& labels) {
  AlertName name{rule, alert.value("tenant_id", ""), {}};
  for (const auto& [label, value] : labels.items()) name.labels.push_back(value);
  std::sort(name.labels.begin(), name.labels.end());
  return name;
}

ShownAlert shown_of(const Json& alert) {
  return {name_of(alert.at("rule"), alert, alert.at("labels")), ms_of(alert.at("started_at")),
          alert.at("status") == "firing", alert.at("severity") == "critical"};
}

Notice word_of_pager(const Json& body) {
  Notice word;
  word.key = body.at("dedup_key");
  const std::string action = body.at("event_action");
  word.status = action == "trigger" ? "firing" : action == "resolve" ? "resolved" : "acknowledged";
  for (const Json& alert : body.at("payload").at("custom_details").at("alerts"))
    word.alerts.push_back(shown_of(alert));
  return word;
}

Notice word_of_hook(const Json& body) {
  const Json& data = body.at("data");
  Notice word;
  word.key = data.at("dedup_key");
  word.id = data.at("id");
  word.status = data.at("status");
  word.decided_ms = ms_of(body.at("timestamp"));
  for (const Json& alert : data.at("alerts")) word.alerts.push_back(shown_of(alert));
  return word;
}

// What it says, wherever a word with the same id has to say the same.
std::string said_by(const Notice& word) {
  std::string said = word.key + ' ' + word.status;
  for (const ShownAlert& alert : word.alerts)
    said += ' ' + alert.name.text() + (alert.fires ? " fires" : " is over");
  return said;
}

}  // namespace

std::string AlertName::text() const {
  std::string text = rule + '/' + tenant_id;
  for (const std::string& label : labels) text += '/' + label;
  return text;
}

// One begin of an alert is of one incident, unless that was closed while the alert was held back. Of two
// incidents the word that closes the first one may come later.
std::string Receiver::show(const Notice& word, const ShownAlert& alert) {
  const auto [of, fresh] =
      incident_of_.try_emplace(std::pair(alert.name, alert.started_ms), word.key);
  if (!fresh && of->second != word.key) {
    if (!may_be_held(alert)) return "no alert is shown twice";
    of->second = word.key;
  }
  open_[word.key].insert(alert.name);
  shown_[alert.name] = word.key;
  return {};
}

std::string Receiver::take(Notice word) {
  if (!word.id.empty()) {
    ids_.insert(word.id);
    const auto [said, fresh] = said_.try_emplace(word.id, said_by(word));
    if (!fresh && said->second != said_by(word)) return "one id is one word";
  }
  const bool resolved = word.status == "resolved";
  if (closed_.contains(word.key) && !resolved) return "what is over does not begin again";
  for (const ShownAlert& alert : word.alerts) {
    if (alert.fires && resolved) return "what is over shows nothing that fires";
    if (!wants(alert.is_critical)) return "a receiver hears what it wants to hear";
    if (alert.fires) {
      if (std::string broken = show(word, alert); !broken.empty()) return broken;
      continue;
    }
    if (const auto open = open_.find(word.key); open != open_.end()) open->second.erase(alert.name);
    const auto shown = shown_.find(alert.name);
    if (shown != shown_.end() && shown->second == word.key) shown_.erase(shown);
  }
  if (resolved) {
    closed_.insert(word.key);
    open_.erase(word.key);
    std::erase_if(shown_, [&word](const auto& one) { return one.second == word.key; });
  }
  words_.push_back(std::move(word));
  return {};
}

void Receiver::take_alerts(const Json& alerts) {
  for (const Json& alert : alerts) {
    Json labels = alert.at("labels");
    const std::string rule = labels.at("alertname");
    for (const char* own : {"alertname", "severity", "level", "audience", "owner", "tenant_id"})
      labels.erase(own);
    ends_ms_[name_of(rule, alert.at("labels"), labels)] =
        alert.contains("endsAt") ? ms_of(alert.at("endsAt")) : 0;
  }
}

const std::string* Receiver::shown_in(const AlertName& name) const {
  const auto found = shown_.find(name);
  return found == shown_.end() ? nullptr : &found->second;
}

Receivers::Receivers(world::World& world, Trouble& trouble, Random& random)
    : world_(world), trouble_(trouble), random_(random) {
  world.named_secrets["PAGER_KEY"] = std::string(32, 'k');
  world.named_secrets["HOOK_KEY"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  world.named_secrets["SLACK_URL"] = "https://slack.alerted.example/";
  const auto add = [&](const char* name, const char* type, bool pages_only) {
    all_.emplace_back(name, "https://" + std::string(name) + std::string(hosts), type, pages_only);
  };
  add("hook", "webhook", false);
  add("pager", "pagerduty", random.percent(50));
  if (random.percent(40)) add("log", "webhook", true);
  if (random.percent(40)) add("am", "alertmanager", false);
  if (random.percent(20)) add("slack", "slack", false);
  const std::int64_t intervals[] = {10'000, 30'000, minute_ms};
  group_interval_ms_ = random.pick(intervals);
  const std::int64_t repeats[] = {4 * minute_ms, 60 * minute_ms};
  repeat_ms_ = random.pick(repeats);
}

bool Receivers::owns(std::string_view url) { return url.find(hosts) != std::string_view::npos; }

Receiver& Receivers::named(std::string_view name) {
  return *std::find_if(all_.begin(), all_.end(),
                       [&](const Receiver& one) { return one.name() == name; });
}

// Without what says the same again for other reasons: escalation, and an alert that flaps.
Json Receivers::settings() const {
  Json channels = Json::array();
  for (const Receiver& one : all_) {
    Json channel = {{"name", one.name()}, {"type", one.channel()}};
    if (one.channel() != "slack") channel["url"] = one.url();
    if (one.channel() == "pagerduty") channel["secret"] = "PAGER_KEY";
    if (one.channel() == "webhook") channel["secret"] = "HOOK_KEY";
    if (one.channel() == "slack") channel["secret"] = "SLACK_URL";
    if (!one.wants(false)) channel["severities"] = {"critical"};
    channels.push_back(channel);
  }
  return {{"channels", channels},
          {"policy",
           {{"group_wait", "10s"},
            {"group_interval", std::to_string(group_interval_ms_ / 1'000) + "s"},
            {"repeat", std::to_string(repeat_ms_ / 1'000) + "s"},
            {"escalate_after", "0s"},
            {"flap_changes", 50},
            {"flap_window", "1m"}}}};
}

void Receivers::heal() {
  for (Receiver& one : all_) one.away_until_ms = 0;
}

// It may refuse, be busy, hang, be away for a while, or take what it is told and not say so.
world::World::Fetched Receivers::receive(const FetchNeed& need) {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Receiver& one) {
    return need.url.starts_with(one.url());
  });
  hold(found != all_.end(), "nobody is asked but receivers", std::string(need.url));
  Receiver& receiver = *found;
  if (!trouble_.calm() && world_.now_ms < receiver.away_until_ms)
    return random_.percent(50) ? 0 : 503;
  if (trouble_.strikes(Fault::outage)) {
    receiver.away_until_ms = world_.now_ms + random_.between(1'000, away_ms_max);
    return 0;
  }
  if (trouble_.strikes(Fault::send)) {
    const int answers[] = {0, 429, 500, 503};
    const int http = random_.pick(answers);
    return {http, http == 429 ? static_cast<std::uint32_t>(random_.between(1, 60)) : 0};
  }
  take(receiver, need);
  meanwhile();
  if (!trouble_.strikes(Fault::lost_reply)) return 202;
  return random_.percent(50) ? 0 : 502;
}

void Receivers::take(Receiver& receiver, const FetchNeed& need) {
  if (receiver.channel() == "slack") return;
  const Json body = Json::parse(need.body);
  if (receiver.channel() == "alertmanager") return receiver.take_alerts(body);
  Notice word = receiver.channel() == "pagerduty" ? word_of_pager(body) : word_of_hook(body);
  word.taken_ms = world_.now_ms;
  on_word(receiver, word);
  const std::string broken = receiver.take(word);
  hold(broken.empty(), broken, receiver.name() + ": " + std::string(need.body));
}

}  // namespace z0::sim
