#include "z0/alerting/alert_facts.hpp"

#include <algorithm>

#include "calls/appended.hpp"
#include "z0/base/ids.hpp"
#include "z0/json/write.hpp"
#include "z0/notify/limits.hpp"

namespace z0 {
namespace {

constexpr std::string_view create_facts =
    "CREATE TABLE IF NOT EXISTS alert_facts (n INTEGER PRIMARY KEY, submission BLOB NOT NULL)";
constexpr std::string_view select_range = "SELECT max(n), count(*) FROM alert_facts";
constexpr std::string_view select_first =
    "SELECT n, submission FROM alert_facts ORDER BY n LIMIT ?1";
constexpr std::string_view put_fact = "INSERT INTO alert_facts (n, submission) VALUES (?1, ?2)";
constexpr std::string_view drop_facts = "DELETE FROM alert_facts WHERE n <= ?1";
constexpr std::string_view notification_type = "notification";

std::string key_of(std::string_view id, std::int64_t fired_ms) {
  return std::string(id) + '_' + std::to_string(fired_ms);
}

// Waits twice as long each time that the ledger is away.
std::int64_t pause_of(std::int64_t tries) {
  return std::min(limits::notify_pause_ms << std::min<std::int64_t>(tries, 20),
                  limits::notify_pause_ms_max);
}

}  // namespace

void AlertFacts::ask_rows(Effects& effects) {
  effects.need_rows(create_facts, {});
  effects.need_rows(select_range, {});
}

bool AlertFacts::load(std::string_view answer, std::int64_t now_ms) {
  const Rows rows = parse_rows(answer);
  if (rows.failed || rows.size() != 1) return false;
  last_n_ = std::max(rows.at(0, 0).integer, now_ms);
  waiting_ = rows.at(0, 1).integer;
  return true;
}

void AlertFacts::note(const AlertsReply::Alert& view, bool over, Effects& effects) {
  const AlertReport& alert = view.alert;
  const std::int64_t at_ms = over ? alert.resolved_at_ms : alert.fired_at_ms;
  const std::string_view subtype = over ? "resolved" : "fired";
  std::string data;
  JsonWriter json(data);
  json.object().plain("alert_id", view.id).text("rule", alert.rule);
  json.text_if_any("rules_of", alert.rules_of).text_if_any("alert_tenant_id", alert.tenant_id);
  json.array("labels");
  for (const std::string_view label : alert.labels) json.text(label);
  json.end().integer("active_at", alert.active_at_ms).integer("fired_at", alert.fired_at_ms);
  if (over) json.integer("resolved_at", alert.resolved_at_ms);
  json.integer("value_millionths", alert.value_millionths).end();
  const std::string id =
      "alert_" + std::string(view.id) + '_' + std::string(subtype) + '_' + std::to_string(at_ms);
  add(FactType::alert, subtype, id, at_ms, data, effects);
}

void AlertFacts::remember(std::string_view id, std::int64_t fired_ms, std::int64_t over_ms) {
  remembered_.emplace(key_of(id, fired_ms), over_ms);
}

void AlertFacts::watch(const AlertsReply& alerts, Effects& effects) {
  std::map<std::string, std::int64_t, std::less<>> seen;
  for (const AlertsReply::Alert& view : alerts.alerts) {
    const std::int64_t fired_ms = view.alert.fired_at_ms;
    const std::int64_t resolved_ms = view.alert.resolved_at_ms;
    if (fired_ms == 0) continue;
    const std::string key = key_of(view.id, fired_ms);
    auto before = seen_.find(key);
    bool known = before != seen_.end();
    if (!known) {
      before = remembered_.find(key);
      known = before != remembered_.end();
    }
    if (!known) note(view, false, effects);
    const bool told = known && before->second == resolved_ms;
    if (resolved_ms >= fired_ms && !told) note(view, true, effects);
    seen.emplace(key, resolved_ms);
  }
  seen_ = std::move(seen);
}

void AlertFacts::add(FactType type, std::string_view subtype, std::string_view id,
                     std::int64_t at_ms, std::string_view data, Effects& effects) {
  if (waiting_ >= limits::alert_facts_waiting_max) {
    ++lost_;
    return;
  }
  Fact fact;
  fact.type = type;
  fact.fields = field_subtype | field_data;
  if (type == FactType::custom) {
    fact.fields |= field_custom_type;
    fact.custom_type = notification_type;
  }
  fact.id = id;
  fact.subtype = subtype;
  fact.timestamp = at_ms;
  fact.data = data;
  Buffer bytes;
  append_submission(bytes, fact);
  effects.write(put_fact, {Value::of(++last_n_), Value::blob(bytes.view())});
  ++waiting_;
}

// Fewer where not even the first one was taken: together they may be too many to be looked for.
void AlertFacts::ask_first(Effects& effects) const {
  const std::int64_t most = limits::alert_facts_per_call_max >> std::min<std::int64_t>(tries_, 20);
  effects.need_rows(select_first, {Value::of(std::max<std::int64_t>(most, 1))});
}

std::vector<std::int64_t> AlertFacts::send(const Rows& rows, Effects& effects) {
  std::vector<std::int64_t> numbers;
  if (rows.failed || rows.size() == 0) return numbers;
  std::string packed;
  ByteWriter out(packed);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    numbers.push_back(rows.at(i, 0).integer);
    out.short_bytes(rows.at(i, 1).bytes);
  }
  effects.need_call(LedgerMethod::append, ledger_object_name(alerts_ledger),
                    limits::append_timeout_ms,
                    encode_append_request(AppendRequest::system_flag, platform_tenant,
                                          alerts_ledger, rows.size(), packed));
  return numbers;
}

void AlertFacts::settle(const std::vector<std::int64_t>& numbers, std::string_view answer,
                        std::int64_t now_ms, Effects& effects) {
  const CallAnswer called = parse_call(answer);
  AppendReply reply;
  AppendRequest request;
  const bool heard =
      called.outcome == Z0_OK && decode(called.reply, reply) && decode(called.request, request);
  // Those before the first one that may still be taken: a ledger does not look for the originals of many
  // facts at once, so what comes again after a restart comes apart.
  std::size_t settled = 0;
  const std::size_t all = heard ? std::min(reply.results.size(), numbers.size()) : 0;
  for (; settled < all; ++settled) {
    const Status status = reply.results[settled].status;
    if (transient(status)) break;
    // One that differs from what the ledger has under its id was told before a restart: it has it.
    if (!accepted(status) && status != Status::conflict) ++lost_;
  }
  if (settled == 0) {
    again_ms_ = now_ms + pause_of(tries_++);
    return;
  }
  effects.write(drop_facts, {Value::of(numbers[settled - 1])});
  waiting_ = std::max<std::int64_t>(waiting_ - static_cast<std::int64_t>(settled), 0);
  tries_ = again_ms_ = 0;
}

}  // namespace z0
