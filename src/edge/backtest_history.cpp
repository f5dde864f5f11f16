// GET /v1/rules/history, and what it has in common with POST /v1/rules/backtest.
#include "edge/backtest_history.hpp"

#include <algorithm>

#include "edge/handlers.hpp"
#include "z0/alerts/backtest_request.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

// ?1 tenant or null, ?2 from, ?3 to, ?4 step, ?5 whether subtypes and assets are told apart, ?6 rows,
// ?7 whether currencies are, what corrections correct, and accounts of tenants that end.
// Tenants and types are found by leaps in the key, so only facts of the time in question are read. Where
// sum() of amounts would pass 64 bits it fails, which total() does not.
constexpr std::string_view history_of_facts_sql =
    R"(WITH RECURSIVE owners(name) AS (
        SELECT coalesce(?1, (SELECT min(tenant_id) FROM ledger_facts))
        UNION ALL SELECT (SELECT min(tenant_id) FROM ledger_facts WHERE tenant_id > name)
        FROM owners WHERE ?1 IS NULL AND name IS NOT NULL),
      kinds(owner, kind) AS (
        SELECT name, (SELECT min(type) FROM ledger_facts WHERE tenant_id = name) FROM owners
        UNION ALL SELECT owner,
          (SELECT min(type) FROM ledger_facts WHERE tenant_id = owner AND type > kind)
        FROM kinds WHERE kind IS NOT NULL)
      SELECT timestamp - timestamp % ?4 AS at, owner, kind,
        CASE WHEN ?5 OR kind IN ('reconciliation', 'lifecycle') THEN subtype END AS subtype,
        CASE WHEN ?5 THEN asset_id END AS asset_id,
        CASE kind WHEN 'invocation' THEN tool_id WHEN 'reconciliation' THEN data->>'$.cache_type'
          WHEN 'routing_decision' THEN data->>'$.result' WHEN 'lifecycle' THEN data->>'$.type' END AS a,
        CASE kind WHEN 'invocation' THEN data->>'$.operation'
          WHEN 'reconciliation' THEN data->>'$.resolution'
          WHEN 'routing_decision' THEN data->>'$.reason' END AS b,
        CASE kind WHEN 'invocation' THEN CASE json_type(data, '$.error') WHEN 'object'
          THEN coalesce(data->>'$.error.code', 'error') END END AS c,
        count(*) AS facts,
        CASE WHEN ?7 AND kind IN ('charge', 'correction') THEN currency END AS currency,
        CASE WHEN ?7 THEN CASE kind WHEN 'correction' THEN coalesce(corrects, 'charge')
          WHEN 'lifecycle' THEN CASE WHEN subtype IN ('retiring', 'retired')
          AND entity_id = 'acct_' || owner THEN entity_id END END END AS mark,
        total(CASE WHEN ?7 AND kind IN ('charge', 'correction') THEN amount END) AS amount,
        max(timestamp) AS newest
      FROM kinds CROSS JOIN ledger_facts
      WHERE tenant_id = owner AND type = kind AND timestamp >= ?2 AND timestamp < ?3
      GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 10, 11 ORDER BY 1 LIMIT ?6)";
constexpr std::string_view history_of_attempts_sql =
    R"(SELECT timestamp - timestamp % ?4 AS at, tenant_id, type, NULL AS subtype, NULL AS asset_id,
        data->>'$.error.code' AS a, NULL AS b, NULL AS c, count(*) AS facts
      FROM failed_facts
      WHERE tenant_id BETWEEN coalesce(?1, '') AND coalesce(?1, char(0x10ffff))
        AND timestamp >= ?2 AND timestamp < ?3
      GROUP BY 1, 2, 3, 6 ORDER BY 1 LIMIT ?5)";
namespace of_history {
enum Column : std::size_t {
  at,
  tenant_id,
  type,
  subtype,
  asset_id,
  a,
  b,
  c,
  facts,
  // Of facts that were recorded.
  currency,
  mark,
  amount,
  newest,
};
}

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t default_ms = std::int64_t{7} * 86'400'000;
// A page's stretch of time grows while it holds few rows.
constexpr std::int64_t first_span_ms = 3'600'000;
constexpr std::int64_t span_ms_max = 86'400'000;

// Where a page begins, and how much time it tries.
struct HistoryCursor {
  std::int64_t from_ms = 0;
  std::int64_t span_ms = first_span_ms;
};

std::string bytes_of_cursor(const HistoryCursor& cursor) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(static_cast<std::uint64_t>(cursor.from_ms));
  out.varint(static_cast<std::uint64_t>(cursor.span_ms));
  return bytes;
}

bool read_history_cursor(std::string_view text, HistoryCursor& cursor) {
  std::string bytes;
  if (!base64url_decode(text, bytes)) return false;
  ByteReader in(bytes);
  cursor.from_ms = static_cast<std::int64_t>(in.varint());
  cursor.span_ms = static_cast<std::int64_t>(in.varint());
  return in.ok() && in.done() && cursor.span_ms >= minute_ms && cursor.span_ms <= span_ms_max &&
         cursor.from_ms >= 0 && cursor.from_ms <= limits::timestamp_ms_max;
}

void add_row(const Rows& rows, std::size_t row, bool failed, std::vector<HistorySample>& out) {
  using namespace of_history;
  FactTraits fact;
  fact.tenant_id = rows.at(row, tenant_id).bytes;
  fact.type = rows.at(row, type).bytes;
  fact.subtype = rows.at(row, subtype).bytes;
  fact.asset_id = rows.at(row, asset_id).bytes;
  fact.failed = failed;
  fact.a = rows.at(row, a).bytes;
  fact.b = rows.at(row, b).bytes;
  fact.c = rows.at(row, c).bytes;
  add_samples(fact, rows.at(row, at).integer,
              static_cast<std::uint64_t>(rows.at(row, facts).integer), out);
}

// What rules about business see of a row, if anything.
void add_money(const Rows& rows, std::size_t row, std::vector<HistoryFact>& out) {
  using namespace of_history;
  HistoryFact sum;
  sum.type = rows.at(row, type).bytes;
  const std::string_view marked = rows.at(row, mark).bytes;
  if (sum.type == "correction") {
    if (marked != "charge") return;
    sum.corrects = marked;
  } else if (sum.type == "lifecycle") {
    if (marked.empty()) return;
    sum.subtype = rows.at(row, subtype).bytes;
    sum.entity_id = marked;
  } else if (sum.type != "invocation" && sum.type != "charge") {
    return;
  }
  sum.tenant_id = rows.at(row, tenant_id).bytes;
  sum.currency = rows.at(row, currency).bytes;
  sum.amount = rows.at(row, amount).whole();
  sum.facts = rows.at(row, facts).integer;
  sum.at_ms = rows.at(row, newest).integer;
  out.push_back(std::move(sum));
}

}  // namespace

bool tells_assets(const std::vector<Rule>& rules) {
  const auto names = info(Metric::facts_written).labels;
  const auto is_finer = [](const Selector::Match& match) { return match.label > 0; };
  for (const Rule& rule : rules) {
    for (std::size_t i = 1; i < names.size(); ++i)
      if (std::find(rule.by.begin(), rule.by.end(), names[i]) != rule.by.end()) return true;
    for (const auto* selectors : {&rule.of, &rule.to})
      for (const Selector& one : *selectors)
        if (one.metric == Metric::facts_written &&
            std::any_of(one.where.begin(), one.where.end(), is_finer))
          return true;
  }
  return false;
}

void need_history(const Frame& frame, const HistoryPage& page, Effects& effects) {
  const Value tenant = Value::text_or_null(page.tenant_id);
  const Value from = Value::of(page.from_ms);
  const Value to = Value::of(page.to_ms);
  const Value step = Value::of(page.step_ms);
  const Value finer = Value::of(page.by_asset ? 1 : 0);
  const Value rows = Value::of(history_rows_max + 1);
  const Value money = Value::of(page.money ? 1 : 0);
  for (const auto database : databases_for(frame, page.tenant_id))
    effects.need_query("z0.d1.query.rule_history", database,
                       {{history_of_facts_sql, {tenant, from, to, step, finer, rows, money}},
                        {history_of_attempts_sql, {tenant, from, to, step, rows}}});
}

bool read_history(const Frame& frame, const HistoryPage& page, HistoryAnswer& out) {
  const std::int64_t to_ms = page.to_ms;
  out.reached_ms = to_ms;
  std::vector<std::vector<Rows>> answers;
  for (const auto answer : frame.answers) {
    answers.push_back(parse_query(answer));
    if (answers.back().size() != 2) return false;
    for (const Rows& rows : answers.back()) {
      if (rows.failed) return false;
      // Of the last step there may be more.
      if (static_cast<std::int64_t>(rows.size()) > history_rows_max)
        out.reached_ms = std::min(out.reached_ms, rows.at(rows.size() - 1, of_history::at).integer);
    }
  }
  if (out.reached_ms < to_ms) out.reached_ms -= out.reached_ms % page.whole_ms;
  for (const auto& tables : answers) {
    for (const Rows& rows : tables) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        out.facts += rows.at(i, of_history::facts).integer;
        if (rows.at(i, of_history::at).integer >= out.reached_ms) continue;
        const bool failed = &rows != tables.data();
        add_row(rows, i, failed, out.samples);
        if (page.money && !failed) add_money(rows, i, out.sums);
      }
    }
  }
  return true;
}

std::int64_t next_span_ms(const HistoryAnswer& answer, const HistoryPage& page) {
  const std::int64_t span_ms = std::max(page.to_ms - page.from_ms, page.whole_ms);
  std::int64_t next_ms = span_ms * 2;
  if (answer.reached_ms < page.to_ms) next_ms = answer.reached_ms - page.from_ms;
  if (answer.facts > 0) next_ms = std::min(next_ms, span_ms * history_facts_max / answer.facts);
  return std::clamp(next_ms - next_ms % page.whole_ms, page.whole_ms,
                    std::max(page.whole_ms, span_ms_max));
}

void get_rule_history(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  std::string_view tenant;
  if (!tenant_for(request, claims, tenant))
    return reply_error(effects, context, Status::not_found, "tenant");
  std::int64_t to = frame.now_ms;
  const std::string_view named_to = request.parameter("to");
  if (!named_to.empty() && !parse_time(named_to, to)) return reply_bad_time(effects, context, "to");
  HistoryCursor from{std::max<std::int64_t>(to - default_ms, 0), first_span_ms};
  const std::string_view named_from = request.parameter("from");
  if (!named_from.empty() && !parse_time(named_from, from.from_ms))
    return reply_bad_time(effects, context, "from");
  from.from_ms -= from.from_ms % minute_ms;
  const std::string_view cursor = request.parameter("cursor");
  if (!cursor.empty() && !read_history_cursor(cursor, from))
    return reply_error(effects, context, Status::bad_parameter, "cursor");
  const std::string_view money = request.parameter("facts");
  if (!money.empty() && money != "true" && money != "false")
    return reply_bad_value(effects, context, "facts", "true or false");
  const std::int64_t end_ms = std::min(to, from.from_ms + from.span_ms);
  need_history(frame, {tenant, from.from_ms, end_ms, minute_ms, true, money == "true"}, effects);
  std::string continuation;
  ByteWriter out(continuation);
  write_context(out, context);
  out.u8(money == "true" ? 1 : 0);
  for (const std::int64_t ms : {from.from_ms, end_ms, to})
    out.varint(static_cast<std::uint64_t>(ms));
  effects.resume(continuation);
}

void resume_rule_history(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  HistoryPage page;
  page.money = in.u8() != 0;
  HistoryCursor from;
  std::int64_t end_ms = 0;
  std::int64_t to_ms = 0;
  for (std::int64_t* ms : {&from.from_ms, &end_ms, &to_ms})
    *ms = static_cast<std::int64_t>(in.varint());
  page.from_ms = from.from_ms;
  page.to_ms = end_ms;
  HistoryAnswer answer;
  if (!read_history(frame, page, answer))
    return reply_error(effects, context, Status::storage_error, {});
  if (answer.reached_ms <= from.from_ms && end_ms > from.from_ms)
    return reply_error(effects, context, Status::bad_parameter, "tenant",
                       "A minute has more kinds of facts than one page holds: name a tenant.");
  const HistoryCursor next{answer.reached_ms, next_span_ms(answer, page)};
  std::string out;
  JsonWriter json(out);
  json.object().array("samples");
  for (const HistorySample& sample : answer.samples) json.raw(history_line(sample));
  json.end();
  if (page.money) {
    json.array("facts");
    for (const HistoryFact& sum : answer.sums) json.raw(history_line(sum));
    json.end();
  }
  json.integer("reached", answer.reached_ms);
  write_cursor(json, answer.reached_ms < to_ms, bytes_of_cursor(next));
  json.end();
  reply_json(effects, context, 200, out);
}

}  // namespace z0
