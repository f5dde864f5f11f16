#include "z0/alerting/lookout.hpp"

#include <algorithm>
#include <cmath>
#include <deque>

#include "alerting/business_limits.hpp"
#include "calls/replying.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/alerts.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/ledger_reads.hpp"
#include "z0/calls/look.hpp"
#include "z0/calls/reports.hpp"
#include "z0/json/write.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

// Tenants one after the other along the table's key, then of each the stretch of each type: it reads what
// lies in the stretch, and one row more for each tenant and type. A JavaScript number holds 53 bits, so
// the minutes come in two halves. Of an hour in which a fact failed and was sent again, each attempt
// counts as one.
constexpr std::string_view hours_sql =
    R"(WITH RECURSIVE tenant(id) AS (
      SELECT min(tenant_id) FROM ledger_facts
      UNION ALL SELECT (SELECT min(tenant_id) FROM ledger_facts WHERE tenant_id > tenant.id)
      FROM tenant WHERE tenant.id IS NOT NULL),
    kind(number, type) AS (VALUES (0, 'invocation'), (1, 'charge'), (2, 'correction'),
      (4, 'lifecycle')),
    found AS (
      SELECT f.tenant_id AS tenant_id, kind.number AS number, coalesce(f.currency, '') AS currency,
        f.timestamp / 3600000 AS hour, f.timestamp / 60000 % 60 AS minute, f.timestamp AS at,
        coalesce(f.amount, 0) AS amount
      FROM tenant CROSS JOIN kind CROSS JOIN ledger_facts AS f
      WHERE f.tenant_id = tenant.id AND f.type = kind.type AND f.timestamp >= ?1
        AND f.timestamp < ?2
        AND (kind.number <> 2 OR coalesce(f.corrects, 'charge') = 'charge')
        AND (kind.number <> 4 OR (f.subtype IN ('retiring', 'retired')
          AND f.entity_id = 'acct_' || f.tenant_id)))
    SELECT tenant_id, number, currency, hour, count(*) AS facts,
      coalesce(sum(DISTINCT CASE WHEN minute < 30 THEN 1 << minute END), 0) AS early,
      coalesce(sum(DISTINCT CASE WHEN minute >= 30 THEN 1 << (minute - 30) END), 0) AS late,
      total(amount) AS amount, max(at) AS newest
    FROM found GROUP BY 1, 2, 3, 4)";
// Attempts of one charge are one charge.
constexpr std::string_view failed_sql =
    R"(WITH RECURSIVE tenant(id) AS (
      SELECT min(tenant_id) FROM failed_facts
      UNION ALL SELECT (SELECT min(tenant_id) FROM failed_facts WHERE tenant_id > tenant.id)
      FROM tenant WHERE tenant.id IS NOT NULL)
    SELECT tenant_id, 3 AS number, currency, hour, count(*) AS facts, 0 AS early, 0 AS late,
      total(amount) AS amount, max(at) AS newest
    FROM (SELECT f.tenant_id AS tenant_id, coalesce(f.currency, '') AS currency,
        f.timestamp / 3600000 AS hour, max(coalesce(f.amount, 0)) AS amount, max(f.timestamp) AS at
      FROM tenant CROSS JOIN failed_facts AS f
      WHERE f.tenant_id = tenant.id AND f.type = 'charge' AND f.timestamp >= ?1
        AND f.timestamp < ?2
      GROUP BY 1, 2, 3, f.entity_id, f.id)
    GROUP BY 1, 2, 3, 4)";
namespace of_hours {
enum Column : std::size_t { tenant_id, number, currency, hour, facts, early, late, amount, newest };
}
// One step along the key for each.
constexpr std::string_view newest_sql =
    R"(SELECT value ->> 0 AS tenant_id, value ->> 1 AS number, (SELECT max(timestamp) FROM
      ledger_facts WHERE tenant_id = value ->> 0 AND type = CASE value ->> 1 WHEN 0 THEN
      'invocation' ELSE 'charge' END AND timestamp < ?2) AS at FROM json_each(?1))";
namespace of_newest {
enum Column : std::size_t { tenant_id, number, at };
}

// Charges are stamped with the budget that they were made under.
constexpr std::string_view charged_sql =
    R"(WITH RECURSIVE tenant(id) AS (
      SELECT min(tenant_id) FROM ledger_facts
      UNION ALL SELECT (SELECT min(tenant_id) FROM ledger_facts WHERE tenant_id > tenant.id)
      FROM tenant WHERE tenant.id IS NOT NULL)
    SELECT DISTINCT f.tenant_id AS tenant_id, f.entity_id AS entity_id
    FROM tenant CROSS JOIN ledger_facts AS f
    WHERE f.tenant_id = tenant.id AND f.type = 'charge' AND f.timestamp >= ?1
      AND f.timestamp < ?2 AND f.config_id IS NOT NULL LIMIT ?3)";
namespace of_charged {
enum Column : std::size_t { tenant_id, entity_id };
}

constexpr std::string_view look_mark = "look";

void add_hours(const Rows& rows, LookReply& reply) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    LookReply::Hour& hour = reply.hours.emplace_back();
    hour.tenant_id = rows.at(i, of_hours::tenant_id).bytes;
    hour.kind = static_cast<LookKind>(rows.at(i, of_hours::number).whole());
    hour.currency = rows.at(i, of_hours::currency).bytes;
    hour.hour = rows.at(i, of_hours::hour).whole();
    hour.facts = rows.at(i, of_hours::facts).whole();
    hour.minutes = rows.at(i, of_hours::early).whole() | rows.at(i, of_hours::late).whole() << 30;
    hour.amount = rows.at(i, of_hours::amount).whole();
    hour.newest_ms = rows.at(i, of_hours::newest).whole();
  }
}

void add_newest(const Rows& rows, LookReply& reply) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Value& at = rows.at(i, of_newest::at);
    if (at.kind == Value::Kind::null) continue;
    reply.newest.push_back({rows.at(i, of_newest::tenant_id).bytes,
                            static_cast<LookKind>(rows.at(i, of_newest::number).whole()),
                            at.whole()});
  }
}

void add_charged(const Rows& rows, LookReply& reply) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    reply.charged.push_back(
        {rows.at(i, of_charged::tenant_id).bytes, rows.at(i, of_charged::entity_id).bytes});
}

// What one ledger says of its budgets. `texts` keeps what the reply borrows.
void add_budgets(const CallAnswer& answer, std::deque<std::string>& texts, LookReply& reply) {
  StateReply state;
  CachedState spent;
  ConfigState configs;
  const bool known = answer.outcome == Z0_OK && decode_reply(answer.reply, state) == Status::ok &&
                     spent.decode(CacheType::budget, state.value) && configs.decode(state.configs);
  if (!known) return;
  for (const KnownConfig& config : configs.known()) {
    if (!config.is_budget) continue;
    LookReply::Budget& one = reply.budgets.emplace_back();
    one.tenant_id = state.tenant_id;
    one.entity_id = state.entity_id;
    one.config_id = texts.emplace_back(config.config_id);
    one.currency = texts.emplace_back(config.budget.currency);
    one.limit = config.budget.limit;
    one.period = static_cast<std::int64_t>(config.budget.period);
    one.used = spent.spent(config.budget.currency, config.budget.period, state.computed_at);
    one.at_ms = state.computed_at;
    one.enforced = config.budget.enforce;
  }
}

std::string json_of(const std::vector<LookRequest::Doubt>& doubts) {
  std::string text;
  JsonWriter json(text);
  json.array();
  for (const LookRequest::Doubt& doubt : doubts)
    json.array().text(doubt.tenant_id).integer(static_cast<std::int64_t>(doubt.kind)).end();
  json.end();
  return text;
}

// Whether D1 has what was recorded until some seconds ago, as far as is known. A monitor that has just
// begun may not know yet which ledgers lag.
bool is_healthy(const CallAnswer& answer, std::int64_t now_ms, LookReply& reply) {
  ReplicationReply replication;
  if (answer.outcome != Z0_OK || !decode(answer.reply, replication)) return false;
  reply.lag_ms = replication.lag_ms;
  const bool young = replication.since_ms != 0 &&
                     now_ms - replication.since_ms < business_limits::monitor_young_ms;
  return !young && replication.lag_ms <= business_limits::lag_ms_max;
}

void begin_look(const Frame& frame, Effects& effects) {
  LookRequest request;
  if (!decode(frame.part(1), request)) return reply_status(effects, Status::storage_error);
  const std::string doubts = json_of(request.doubts);
  const Value from = Value::of(request.from_ms);
  const Value until = Value::of(request.until_ms);
  for (const std::string_view database : settings_databases(frame.settings)) {
    effects.need_query("z0.d1.query.business", database,
                       {{hours_sql, {from, until}},
                        {failed_sql, {from, until}},
                        {newest_sql, {Value::text(doubts), until}},
                        {charged_sql, {from, until, Value::of(business_limits::accounts_max)}}});
  }
  for (const LookRequest::Account& account : request.accounts) {
    StateRequest state;
    state.tenant_id = account.tenant_id;
    state.entity_id = account.entity_id;
    state.what = static_cast<std::uint8_t>(CacheType::budget);
    effects.need_call(LedgerMethod::state, ledger_object_name(account.entity_id),
                      business_limits::look_timeout_ms, encode(state));
  }
  effects.need_call(MonitorMethod::replication, monitor_object, business_limits::look_timeout_ms,
                    {});
  effects.resume(look_mark);
}

void finish_look(const Frame& frame, Effects& effects) {
  LookReply reply;
  if (frame.answers.empty()) trap("a look goes on with its answers");
  const CallAnswer monitor = parse_call(frame.answers.back());
  if (!is_healthy(monitor, frame.now_ms, reply)) return reply_status(effects, Status::overloaded);
  std::vector<std::vector<Rows>> answers;
  std::deque<std::string> texts;
  const std::size_t databases =
      std::min(settings_databases(frame.settings).size(), frame.answers.size() - 1);
  for (std::size_t i = databases; i + 1 < frame.answers.size(); ++i)
    add_budgets(parse_call(frame.answers[i]), texts, reply);
  for (std::size_t i = 0; i < databases; ++i) {
    answers.push_back(parse_query(frame.answers[i]));
    const std::vector<Rows>& rows = answers.back();
    const bool failed = rows.size() != 4 || std::any_of(rows.begin(), rows.end(),
                                                        [](const Rows& r) { return r.failed; });
    if (failed) return reply_status(effects, Status::storage_error);
    add_hours(rows[0], reply);
    add_hours(rows[1], reply);
    add_newest(rows[2], reply);
    add_charged(rows[3], reply);
  }
  reply_value(effects, reply);
}

}  // namespace

bool to_lookout(const Frame& frame) {
  return frame.part(0) == (frame.kind == Z0_FRAME_RESUME ? look_mark : lookout_object);
}

void step_lookout(const Frame& frame, Effects& effects) {
  if (frame.kind == Z0_FRAME_RESUME) return finish_look(frame, effects);
  if (frame.kind != Z0_FRAME_CALL || static_cast<AlertsMethod>(frame.method) != AlertsMethod::look)
    trap("the lookout is asked for looks alone");
  begin_look(frame, effects);
}

}  // namespace z0
