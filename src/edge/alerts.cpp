// GET /v1/alerts, GET /v1/rules, POST /v1/rules/test, POST /v1/alerts/{}/acknowledge.
#include "z0/calls/alerts.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

#include "alerts/checked_json.hpp"
#include "edge/handlers.hpp"
#include "operations/value.hpp"
#include "z0/alerting/words.hpp"
#include "z0/alerts/machine.hpp"
#include "z0/alerts/prometheus.hpp"
#include "z0/alerts/rule_book.hpp"
#include "z0/alerts/rule_test.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/json/json.hpp"
#include "z0/json/write.hpp"
#include "z0/notify/notification.hpp"

namespace z0 {
namespace {

RuleBook book_of(const AlertsReply& reply) {
  std::vector<RuleBook::Source> sources;
  for (const RulesSource& source : reply.rules)
    sources.push_back({std::string(source.config_id), std::string(source.tenant_id),
                       std::string(source.settings)});
  return RuleBook(std::move(sources));
}

// The rule by which an alert fires; null where another version of the rules does not have it.
const Rule* rule_of(const RuleBook& book, const AlertReport& alert) {
  const auto find = [&alert](const std::vector<Rule>& rules) -> const Rule* {
    const auto found = std::find_if(rules.begin(), rules.end(),
                                    [&alert](const Rule& rule) { return rule.name == alert.rule; });
    return found == rules.end() ? nullptr : &*found;
  };
  if (alert.rules_of.empty()) {
    const Rule* rule = find(book.per_tenant());
    return rule != nullptr ? rule : find(book.of_all());
  }
  for (const RuleBook::OfTenant& one : book.tenants())
    if (one.tenant_id == alert.rules_of) return find(one.rules);
  return nullptr;
}

std::string_view state_name(const AlertReport& alert) {
  constexpr std::string_view names[] = {"resolved", "pending", "firing"};
  const auto phase = static_cast<std::size_t>(alert.phase);
  return phase < std::size(names) ? names[phase] : names[0];
}

void write_audience(JsonWriter& json, const Rule& rule) {
  json.array("audience");
  for (std::size_t i = 0; i < static_cast<std::size_t>(Audience::count_); ++i)
    if ((rule.audience >> i & 1) != 0) json.plain(audience_name(static_cast<Audience>(i)));
  json.end();
}

// Who is told, how bad it is, and where it says what to do.
void write_meaning(JsonWriter& json, const Rule& rule) {
  json.plain("severity", severity_name(rule.severity)).integer("level", rule.level);
  write_audience(json, rule);
  json.text("summary", rule.summary).text("runbook", rule.runbook).text("owner", rule.owner);
}

void write_condition(JsonWriter& json, const Rule& rule) {
  json.plain("signal", signal_name(rule.kind));
  if (has_threshold(rule))
    json.plain("comparison", comparison_name(rule.comparison))
        .key("threshold")
        .raw(number_text(rule.threshold));
  if (rule.window_ms > 0) json.plain("window", duration_text(rule.window_ms));
}

std::string thousandths_text(std::int64_t millionths) {
  return number_text(static_cast<double>(millionths) / 1e6);
}

// As notifications say it: "11.2 %, fires above 5 %".
void write_words(JsonWriter& json, const Rule& rule, const AlertReport& alert) {
  const std::string threshold = threshold_words(rule);
  if (threshold.empty()) return;
  const double value = static_cast<double>(alert.value_millionths) / 1e6;
  json.text("in_words", value_words(rule, value) + ", fires " + threshold);
}

void write_money(JsonWriter& json, const AlertsReply::Alert& view) {
  if (view.reckoning.empty()) return;
  const AlertMoney money{std::string(view.currency), view.lost, view.at_risk_per_hour, {}};
  json.object("money");
  if (!money.currency.empty())
    json.text("currency", money.currency)
        .integer("lost", money.lost)
        .integer("at_risk_per_hour", money.at_risk_per_hour);
  json.text("in_words", money_words(money)).text("reckoning", view.reckoning).end();
}

void write_alert(JsonWriter& json, const AlertsReply::Alert& view, const Rule* rule) {
  const AlertReport& alert = view.alert;
  json.object().plain("id", view.id).plain("state", state_name(alert)).text("rule", alert.rule);
  json.text_if_any("tenant_id", alert.tenant_id).text_if_any("rules_of", alert.rules_of);
  json.object("labels");
  for (std::size_t i = 0; rule != nullptr && i < rule->by.size() && i < alert.labels.size(); ++i)
    json.any_key(rule->by[i]).text(alert.labels[i]);
  json.end().key("value").raw(thousandths_text(alert.value_millionths));
  json.text_if_any("why", alert.words);
  write_money(json, view);
  if (rule != nullptr) {
    write_words(json, *rule, alert);
    write_condition(json, *rule);
    write_meaning(json, *rule);
  }
  write_integer_or_null(json, "active_at", alert.active_at_ms);
  write_integer_or_null(json, "fired_at", alert.fired_at_ms);
  write_integer_or_null(json, "resolved_at", alert.resolved_at_ms);
  if (view.acknowledged_at_ms != 0) {
    json.object("acknowledged").text("by", view.acknowledged_by).text("reason", view.reason);
    json.integer("at", view.acknowledged_at_ms);
    if (view.acknowledged_until_ms != 0) json.integer("expires_at", view.acknowledged_until_ms);
    json.end();
  }
  // Why nobody is told, or that more people were.
  json.text_if_any("silence_id", view.silence_id);
  json.text_if_any("inhibited_by", view.inhibited_by);
  if (view.escalations != 0) json.integer("escalated", view.escalations);
  if (view.flaps) json.key("flapping").raw("true");
  json.end();
}

void write_channels(JsonWriter& json, const AlertsReply& reply) {
  json.array("channels");
  for (const AlertsReply::ChannelView& one : reply.channels) {
    json.object().text("channel", one.channel).plain("to", one.to);
    const std::string_view state = !one.off.empty() ? "off" : one.why.empty() ? "good" : "failing";
    json.plain("state", state).text_if_any("why", one.off.empty() ? one.why : one.off);
    json.integer("waiting", one.waiting).integer("delivered", one.delivered);
    json.integer("given_up", one.given_up).integer("lost", one.lost);
    write_integer_or_null(json, "delivered_at", one.delivered_at_ms);
    write_integer_or_null(json, "next_try_at", one.again_at_ms);
    json.end();
  }
  json.end();
  if (!reply.has_dead_man) return;
  json.object("dead_man");
  write_integer_or_null(json, "heard_at", reply.dead_man_heard_at_ms);
  json.text_if_any("why", reply.dead_man_why).end();
}

void ask(const RouteCall& call) {
  std::string_view tenant_id;
  if (!tenant_for(call.request, call.claims, tenant_id))
    return reply_error(call.effects, call.context, Status::not_found, "tenant");
  AlertsRequest request;
  request.tenant_id = tenant_id;
  request.all_tenants = tenant_id.empty();
  call.effects.need_call(AlertsMethod::list, alerts_object, limits::read_timeout_ms,
                         encode(request));
  resume_with(call.context, call.effects);
}

struct Listed {
  const AlertsReply::Alert* view = nullptr;
  const Rule* rule = nullptr;  // null where another version of the rules does not have it
};

// Firing first, then the worst, then the oldest.
bool before(const Listed& a, const Listed& b) {
  const auto rank = [](const Listed& one) {
    const AlertReport& alert = one.view->alert;
    const int severity = one.rule == nullptr ? 0 : static_cast<int>(one.rule->severity);
    return std::tuple(-static_cast<int>(alert.phase), -severity, alert.active_at_ms, one.view->id);
  };
  return rank(a) < rank(b);
}

void write_rules(JsonWriter& json, const std::vector<Rule>& rules, std::string_view tenant_id) {
  for (const Rule& rule : rules) {
    json.object().text("name", rule.name).text_if_any("rules_of", tenant_id);
    write_condition(json, rule);
    json.key("reads").raw(signal_json(rule));
    json.plain("for", duration_text(rule.for_ms));
    json.plain("keep_firing_for", duration_text(rule.keep_firing_ms));
    json.integer("min_events", rule.min_events).plain("no_data", no_data_name(rule.no_data));
    json.array("by");
    if (rule.by_tenant) json.plain("tenant_id");
    for (const std::string& label : rule.by) json.text(label);
    json.end();
    write_meaning(json, rule);
    json.end();
  }
}

// Somebody's word about an alert, and how long it holds; 0: as long as the alert.
struct Words {
  std::string author;
  std::string reason;
  std::int64_t for_ms = 0;
};

// {"author": "...", "reason": "...", "for": "2h"}; the first two are said, so that who comes later knows
// whom to ask.
class WordsReader : private CheckedJson {
 public:
  WordsReader(std::string_view text, RuleError& error) : CheckedJson(text, 2, error) {}

  bool read(Words& out) {
    if (!object()) return fail("an object with author and reason");
    std::string_view key;
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, shorten(name, limits::id_bytes_max));
      if (!read_member(name, out)) return false;
    }
    if (in_.error() != JsonError::none || !in_.at_end()) return fail("JSON in order");
    if (out.author.empty()) return fail_at("author", "who looks after it");
    return !out.reason.empty() || fail_at("reason", "what is known, or done");
  }

 private:
  bool read_member(std::string_view name, Words& out) {
    if (name == "author") return text(out.author, "who looks after it");
    if (name == "reason") return text(out.reason, "what is known, or done");
    if (name == "for") return duration(out.for_ms, 1'000, limits::silence_ms_max);
    return fail("author, reason or for, and this is none");
  }
};

// A fault in a body that has no settings around it.
void reply_fault(const RouteCall& call, const RuleError& error) {
  reply_error(call.effects, call.context, Status::invalid_value,
              error.where == "settings" ? std::string_view("body") : error.where,
              "Expected is " + error.why + '.');
}

}  // namespace

void get_alerts(const RouteCall& call) { ask(call); }

void resume_alerts(const RouteResume& resumed) {
  AlertsReply reply;
  if (!value_or_refuse(resumed, reply)) return;
  const RuleBook book = book_of(reply);
  std::vector<Listed> listed;
  for (const AlertsReply::Alert& view : reply.alerts)
    listed.push_back({&view, rule_of(book, view.alert)});
  std::sort(listed.begin(), listed.end(), before);
  std::string out;
  JsonWriter json(out);
  json.object().array("alerts");
  for (const Listed& one : listed) write_alert(json, *one.view, one.rule);
  json.end();
  if (!reply.channels.empty() || reply.has_dead_man) write_channels(json, reply);
  write_integer_or_null(json, "evaluated_at", reply.evaluated_at_ms);
  json.integer("left_out", reply.left_out).integer("silent_shards", reply.silent_shards).end();
  reply_json(resumed.effects, resumed.context, 200, out);
}

void get_rules(const RouteCall& call) { ask(call); }

void resume_rules(const RouteResume& resumed) {
  AlertsReply reply;
  if (!value_or_refuse(resumed, reply)) return;
  const RuleBook book = book_of(reply);
  std::string out;
  JsonWriter json(out);
  json.object().array("rules");
  write_rules(json, book.of_all(), {});
  write_rules(json, book.per_tenant(), {});
  for (const RuleBook::OfTenant& one : book.tenants()) write_rules(json, one.rules, one.tenant_id);
  json.end().end();
  reply_json(resumed.effects, resumed.context, 200, out);
}

void post_rules_test(const RouteCall& call) {
  if (!body_or_refuse(call)) return;
  const RuleTestOutcome outcome = run_rule_test(call.request.body);
  if (!outcome.readable) return reply_fault(call, outcome.error);
  reply_json(call.effects, call.context, 200, outcome.json);
}

void post_acknowledge(const RouteCall& call) {
  if (!body_or_refuse(call)) return;
  Words words;
  RuleError error;
  if (!WordsReader(call.request.body, error).read(words)) return reply_fault(call, error);
  AcknowledgeRequest request;
  request.author = words.author;
  request.reason = words.reason;
  request.for_ms = words.for_ms;
  request.id = call.id;
  request.tenant_id = call.claims.all_tenants ? std::string_view() : call.claims.tenant_id;
  request.all_tenants = call.claims.all_tenants;
  call.effects.need_call(AlertsMethod::acknowledge, alerts_object, limits::read_timeout_ms,
                         encode(request));
  resume_with(call.context, call.effects);
}

void resume_acknowledge(const RouteResume& resumed) {
  AlertsReply reply;
  const Status status = value_in(first_call(resumed.frame), reply);
  if (status == Status::not_found)
    return reply_error(
        resumed.effects, resumed.context, status, "id",
        "Take the id from GET /v1/alerts; an alert that has been over for a quarter of "
        "an hour is no longer among them.");
  if (status != Status::ok) return reply_error(resumed.effects, resumed.context, status, {});
  std::string out;
  JsonWriter json(out);
  const RuleBook book = book_of(reply);
  for (const AlertsReply::Alert& view : reply.alerts)
    write_alert(json, view, rule_of(book, view.alert));
  reply_json(resumed.effects, resumed.context, 200, out);
}

}  // namespace z0
