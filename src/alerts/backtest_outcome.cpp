// Incidents, and what a backtest came to.
#include <algorithm>
#include <cmath>
#include <map>

#include "alerts/checked_json.hpp"
#include "z0/alerts/backtest.hpp"
#include "z0/alerts/prometheus.hpp"
#include "z0/base/time.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

constexpr std::size_t incident_depth_max = 3;
constexpr std::size_t incident_rules_max = 50;
constexpr std::int64_t incident_ms_max = std::int64_t{31} * 86'400'000;
constexpr std::int64_t seven_days_ms = std::int64_t{7} * 86'400'000;

bool is_currency_code(std::string_view text) {
  return text.size() == 3 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

class IncidentReader : private CheckedJson {
 public:
  IncidentReader(std::string_view text, Incident& out, RuleError& error)
      : CheckedJson(text, incident_depth_max, error), out_(out) {
    path_ = "incident";
  }

  bool read() {
    if (!object()) return fail("an object");
    std::string_view key;
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, name);
      if (!read_member(name)) return fail("another value");
    }
    if (in_.error() != JsonError::none || !in_.at_end()) return fail("JSON in order");
    if (out_.name.empty()) return fail_at("name", "a name");
    if (out_.from_ms <= 0) return fail_at("from", "when it began");
    if (out_.to_ms <= out_.from_ms || out_.to_ms - out_.from_ms > incident_ms_max)
      return fail_at("to", "when it ended, after it began and at most 31 days later");
    return true;
  }

 private:
  bool read_member(std::string_view name) {
    if (name == "name") return text(out_.name, "a name");
    if (name == "tenant_id") return text(out_.tenant_id, "a tenant's id");
    if (name == "from") return read_time(out_.from_ms);
    if (name == "to") return read_time(out_.to_ms);
    if (name == "rules") return read_rule_names();
    return name == "lost" ? read_lost() : fail("a member of an incident, and this is none");
  }

  bool read_time(std::int64_t& ms) {
    constexpr std::string_view what = "a time in ms, or as RFC 3339 has it";
    if (in_.peek() == JsonKind::number) {
      JsonReader::Fit fit{};
      return (in_.integer(ms, fit) && ms > 0) || fail(std::string(what));
    }
    std::string value;
    return text(value, what) && (parse_rfc3339(value, ms) || fail(std::string(what)));
  }

  bool read_rule_names() {
    if (!list()) return fail("a list of names of rules");
    while (in_.next_element()) {
      if (out_.rules.size() >= incident_rules_max) return fail("fewer rules");
      if (!text(out_.rules.emplace_back(), "the name of a rule")) return false;
    }
    return true;
  }

  bool read_lost() {
    if (!object()) return fail("an object with an amount and a currency");
    std::string_view key;
    bool any = false;
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, name);
      JsonReader::Fit fit{};
      if (name == "currency") {
        constexpr std::string_view what = "a currency's code, such as EUR";
        if (!text(out_.currency, what)) return false;
        if (!is_currency_code(out_.currency)) return fail(std::string(what));
      } else if (name == "amount") {
        any = true;
        const bool read = in_.peek() == JsonKind::number && in_.integer(out_.lost, fit);
        if (!read || out_.lost < 0 || out_.lost > limits::amount_max)
          return fail("an amount in minor units, from 0 to 2^53 - 1");
      } else {
        return fail("a member of what was lost, and this is none");
      }
    }
    if (out_.currency.empty()) out_.currency = "USD";
    return any || fail_at("amount", "an amount in minor units, from 0 on");
  }

  Incident& out_;
};

// An alert about all tenants tells of each of them.
bool is_about(const Firing& firing, const Incident& incident) {
  return incident.tenant_id.empty() || firing.tenant_id.empty() ||
         firing.tenant_id == incident.tenant_id;
}

bool begins_in(const Firing& firing, const Incident& incident) {
  return firing.fired_at_ms >= incident.from_ms && firing.fired_at_ms <= incident.to_ms;
}

class Outcome {
 public:
  Outcome(const Backtest& backtest, std::int64_t from_ms, std::int64_t to_ms,
          std::span<const Incident> incidents, JsonWriter& json)
      : backtest_(backtest), from_ms_(from_ms), to_ms_(to_ms), incidents_(incidents), json_(json) {}

  void write() {
    json_.object();
    write_pages();
    json_.array("rules");
    for (std::size_t i = 0; i < backtest_.rules().size(); ++i) write_rule(i);
    json_.end().array("firings");
    for (const Firing& firing : backtest_.firings()) write_firing(firing);
    json_.end().integer("firings_left_out", backtest_.left_out());
    json_.integer("groups_left_out", backtest_.groups_left_out());
    json_.array("incidents");
    for (const Incident& incident : incidents_) write_incident(incident);
    json_.end().array("money");
    for (const auto& [currency, money] : money_) {
      json_.object().text("currency", currency).integer("lost", money.lost);
      json_.integer("caught", money.caught).integer("missed", money.lost - money.caught).end();
    }
    json_.end().end();
  }

 private:
  struct Sum {
    std::int64_t lost = 0;
    std::int64_t caught = 0;
  };

  const Rule& rule_of(const Firing& firing) const { return backtest_.rules()[firing.rule]; }
  bool pages(const Firing& firing) const { return rule_of(firing).severity == Severity::critical; }
  bool is_outside(const Firing& firing) const {
    return std::none_of(incidents_.begin(), incidents_.end(), [&](const Incident& incident) {
      return is_about(firing, incident) && begins_in(firing, incident);
    });
  }
  std::int64_t ends_ms(const Firing& firing) const {
    return firing.resolved_at_ms == 0 ? std::max(to_ms_, firing.fired_at_ms)
                                      : firing.resolved_at_ms;
  }

  void write_pages() {
    std::int64_t count = 0;
    std::int64_t outside = 0;
    for (const Firing& firing : backtest_.firings()) {
      if (!pages(firing)) continue;
      ++count;
      if (is_outside(firing)) ++outside;
    }
    json_.integer("pages", count).raw("pages_a_week", a_week(count, from_ms_));
    json_.integer("pages_outside_incidents", outside);
  }

  std::string a_week(std::int64_t count, std::int64_t from_ms) const {
    const double weeks =
        static_cast<double>(std::max<std::int64_t>(to_ms_ - from_ms, 1)) / double{seven_days_ms};
    return number_text(std::round(static_cast<double>(count) / weeks * 100) / 100);
  }

  // Why a rule was not judged; empty where it was.
  std::string_view unjudged(std::size_t number) const {
    const Rule& rule = backtest_.rules()[number];
    const JudgedSince& since = backtest_.judged(number);
    const bool learned = since.judged_from_ms != 0 && since.judged_from_ms < to_ms_;
    if (rule.kind == SignalKind::business) {
      if (learned) return "";
      return since.why_not.empty() ? "it needs facts, and there were none to look at"
                                   : std::string_view(since.why_not);
    }
    if (!backtest_.has_history(rule)) return "the history has none of its measurements";
    return learned || rule.kind != SignalKind::anomaly ? "" : "none of its baselines saw two weeks";
  }

  // Since when it was judged.
  std::int64_t judged_from_ms(std::size_t number) const {
    return std::max(from_ms_, backtest_.judged(number).judged_from_ms);
  }

  void write_rule(std::size_t number) {
    const Rule& rule = backtest_.rules()[number];
    std::int64_t count = 0;
    std::int64_t outside = 0;
    std::int64_t sum_ms = 0;
    std::int64_t longest_ms = 0;
    for (const Firing& firing : backtest_.firings()) {
      if (firing.rule != number) continue;
      const std::int64_t took_ms = ends_ms(firing) - firing.fired_at_ms;
      ++count;
      sum_ms += took_ms;
      longest_ms = std::max(longest_ms, took_ms);
      if (is_outside(firing)) ++outside;
    }
    json_.object().text("name", rule.name).plain("severity", severity_name(rule.severity));
    json_.integer("firings", count).integer("outside_incidents", outside);
    json_.integer("firing_ms", sum_ms).integer("longest_ms", longest_ms);
    const std::string_view why_not = unjudged(number);
    json_.raw("a_week", a_week(count, why_not.empty() ? judged_from_ms(number) : from_ms_));
    json_.text_or_null("not_judged", why_not);
    const std::int64_t learned_ms = backtest_.judged(number).learned_from_ms;
    if (learned_ms != 0) json_.integer("learned_from", learned_ms);
    why_not.empty() ? json_.integer("judged_from", judged_from_ms(number))
                    : json_.null("judged_from");
    json_.end();
  }

  void write_firing(const Firing& firing) {
    const Rule& rule = rule_of(firing);
    json_.object().text("rule", rule.name).plain("severity", severity_name(rule.severity));
    json_.text_if_any("tenant_id", firing.tenant_id).object("labels");
    for (std::size_t i = 0; i < firing.labels.size() && i < rule.by.size(); ++i)
      if (!firing.labels[i].empty()) json_.any_key(rule.by[i]).text(firing.labels[i]);
    json_.end().integer("active_at", firing.active_at_ms).integer("fired_at", firing.fired_at_ms);
    firing.resolved_at_ms == 0 ? json_.null("resolved_at")
                               : json_.integer("resolved_at", firing.resolved_at_ms);
    json_.raw("value", number_text(firing.value)).text_if_any("why", firing.why);
    if (!firing.cost.currency.empty()) {
      json_.object("money").text("currency", firing.cost.currency);
      json_.integer("lost", firing.cost.lost);
      json_.integer("at_risk_per_hour", firing.cost.at_risk_per_hour).end();
    }
    json_.array("incidents");
    for (const Incident& incident : incidents_)
      if (is_about(firing, incident) && begins_in(firing, incident)) json_.text(incident.name);
    json_.end().end();
  }

  const Firing* first_of(const Incident& incident, bool page) const {
    const Firing* first = nullptr;
    for (const Firing& firing : backtest_.firings()) {
      const bool tells =
          incident.rules.empty() || std::find(incident.rules.begin(), incident.rules.end(),
                                              rule_of(firing).name) != incident.rules.end();
      if (!tells || !is_about(firing, incident) || !begins_in(firing, incident)) continue;
      if (page && !pages(firing)) continue;
      if (first == nullptr || firing.fired_at_ms < first->fired_at_ms) first = &firing;
    }
    return first;
  }

  void write_incident(const Incident& incident) {
    json_.object().text("name", incident.name);
    json_.integer("from", incident.from_ms).integer("to", incident.to_ms);
    json_.text_if_any("tenant_id", incident.tenant_id);
    // Of what began at another time nobody knows when it would have been told, nor what that cost.
    if (incident.from_ms < from_ms_ || incident.from_ms >= to_ms_) {
      json_.boolean("detected", false);
      json_.plain("not_judged", "it began outside of the time that was played").end();
      return;
    }
    const Firing* first = first_of(incident, false);
    const Firing* page = first_of(incident, true);
    json_.boolean("detected", first != nullptr);
    if (first != nullptr) {
      json_.text("rule", rule_of(*first).name).integer("detected_at", first->fired_at_ms);
      json_.integer("detected_after_ms", first->fired_at_ms - incident.from_ms);
    }
    if (page != nullptr) json_.integer("paged_after_ms", page->fired_at_ms - incident.from_ms);
    if (!incident.currency.empty()) {
      const std::int64_t until = first == nullptr ? incident.to_ms : first->fired_at_ms;
      const std::int64_t missed = lost_until(incident, until);
      Sum& sum = money_[incident.currency];
      sum.lost += incident.lost;
      sum.caught += incident.lost - missed;
      json_.text("currency", incident.currency).integer("lost", incident.lost);
      json_.integer("caught", incident.lost - missed).integer("missed", missed);
    }
    json_.end();
  }

  const Backtest& backtest_;
  std::int64_t from_ms_;
  std::int64_t to_ms_;
  std::span<const Incident> incidents_;
  JsonWriter& json_;
  std::map<std::string_view, Sum> money_;
};

}  // namespace

bool read_incident(std::string_view text, Incident& out, RuleError& error) {
  out = {};
  return IncidentReader(text, out, error).read();
}

// In two parts, so that nothing overflows: a remainder is less than incident_ms_max, and so is a time.
std::int64_t lost_until(const Incident& incident, std::int64_t at_ms) {
  const std::int64_t whole = incident.to_ms - incident.from_ms;
  const std::int64_t passed =
      std::clamp(at_ms, incident.from_ms, incident.to_ms) - incident.from_ms;
  return incident.lost / whole * passed + incident.lost % whole * passed / whole;
}

std::string backtest_json(const Backtest& backtest, std::int64_t from_ms, std::int64_t to_ms,
                          std::span<const Incident> incidents) {
  std::string out;
  JsonWriter json(out);
  Outcome(backtest, from_ms, to_ms, incidents, json).write();
  return out;
}

}  // namespace z0
