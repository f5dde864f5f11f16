// GET /v1/closure: where the economic loop is open. A charge and a payout come from an outcome, a
// cost and an outcome from an invocation; an orphan names a source that its tenant has no fact of.
//
// Nothing is stored: when the source arrives, the orphan is none. Sources are looked for in all
// time, orphans in a window. There is no index by id, which would cost a row a fact, so what is
// named and what is there are sorted together once: measured with a million facts, 2 s for a week
// and 8 s for all, where a look-up of each in a temporary index took minutes.
#include <algorithm>
#include <map>
#include <tuple>

#include "edge_audit.hpp"
#include "money.hpp"
#include "z0/base64.hpp"
#include "z0/limits.hpp"

namespace z0 {
namespace {

// ?1 tenant or null, ?2 from, ?3 to. Tenants are found by leaps in the key, so that even of all of
// them only the types and times in question are read.
constexpr std::string_view tenants_sql =
    "WITH RECURSIVE tenants(name) AS (SELECT coalesce(?1, (SELECT min(tenant_id) FROM "
    "ledger_facts)) UNION ALL SELECT (SELECT min(tenant_id) FROM ledger_facts WHERE tenant_id > "
    "name) FROM tenants WHERE ?1 IS NULL AND name IS NOT NULL), links(link, missing) AS (VALUES "
    "('charge', 'outcome'), ('cost', 'invocation'), ('outcome', 'invocation'), ('payout', "
    "'outcome')), orphans AS MATERIALIZED (SELECT owner, kind, key FROM (SELECT name AS owner, "
    "missing AS kind, coalesce(source_id, '') AS key, 0 AS here";
constexpr std::string_view window_sql =
    " FROM tenants CROSS JOIN links CROSS JOIN ledger_facts WHERE tenant_id = name AND type = link "
    "AND timestamp BETWEEN ?2 AND ?3";
constexpr std::string_view sources_sql =
    " UNION ALL SELECT name, column1, id, 1 FROM tenants CROSS JOIN (VALUES ('invocation'), "
    "('outcome')) CROSS JOIN ledger_facts WHERE tenant_id = name AND type = column1) GROUP BY 1, "
    "2, 3 HAVING max(here) = 0) SELECT * FROM (SELECT timestamp, tenant_id, entity_id, seq, type, "
    "missing, id, source_id, amount, currency, trace_id";
constexpr std::string_view after_sql =
    " AND (timestamp, tenant_id, entity_id, seq) > (?4, ?5, ?6, ?7) AND ";
constexpr std::string_view orphan_sql =
    "(name, missing, coalesce(source_id, '')) IN (SELECT owner, kind, key FROM orphans)";
constexpr std::string_view order_sql = " ORDER BY 1, 2, 3, 4 LIMIT ?8)";
// Behind the page, rows without a tenant: facts by type, currency and whether they are orphans.
constexpr std::string_view counts_sql =
    " UNION ALL SELECT count(*), NULL, NULL, orphan, type, NULL, NULL, "
    "CAST(coalesce(sum(amount / 1000000), 0) AS TEXT), NULL, coalesce(currency, ''), "
    "CAST(coalesce(sum(amount % 1000000), 0) AS TEXT) FROM (SELECT type, currency, amount, ";
constexpr std::string_view groups_sql = ") GROUP BY type, currency, orphan";

std::string closure_sql(bool counts) {
  std::string sql;
  for (const auto part :
       {tenants_sql, window_sql, sources_sql, window_sql, after_sql, orphan_sql, order_sql})
    sql += part;
  if (!counts) return sql;
  sql += counts_sql;
  sql += orphan_sql;
  sql += " AS orphan";
  sql += window_sql;
  sql += groups_sql;
  return sql;
}

enum Column : std::size_t {
  timestamp = 0,
  count = 0,
  tenant_id = 1,
  entity_id = 2,
  seq = 3,
  orphan = 3,
  type = 4,
  missing = 5,
  id = 6,
  source_id = 7,
  millions = 7,
  amount = 8,
  currency = 9,
  trace_id = 10,
  rest = 10
};

using Key = std::tuple<std::int64_t, std::string_view, std::string_view, std::int64_t>;

struct Orphan {
  const Rows* rows;
  std::size_t row;

  const Value& at(Column column) const { return rows->at(row, column); }
  Key key() const {
    return {at(timestamp).integer, at(tenant_id).bytes, at(entity_id).bytes, at(seq).integer};
  }
};

std::string cursor_of(const Key& key) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(static_cast<std::uint64_t>(std::get<0>(key)));
  out.short_bytes(std::get<1>(key));
  out.short_bytes(std::get<2>(key));
  out.varint(static_cast<std::uint64_t>(std::get<3>(key)));
  return base64url_encode(bytes);
}

bool read_cursor(std::string_view text, std::string& bytes, Key& key) {
  if (!base64url_decode(text, bytes)) return false;
  ByteReader in(bytes);
  std::get<0>(key) = static_cast<std::int64_t>(in.varint());
  std::get<1>(key) = in.short_bytes();
  std::get<2>(key) = in.short_bytes();
  std::get<3>(key) = static_cast<std::int64_t>(in.varint());
  return in.ok() && in.done();
}

struct Counts {
  std::int64_t total = 0;
  std::int64_t orphans = 0;
  std::map<std::string_view, Money> amounts;  // of the orphans, by currency
};
using CountsByType = std::map<std::string_view, Counts>;

void add_counts(const Orphan& row, CountsByType& by_type) {
  Counts& counts = by_type[row.at(type).bytes];
  counts.total += row.at(count).integer;
  if (row.at(orphan).integer == 0) return;
  counts.orphans += row.at(count).integer;
  const std::string_view code = row.at(currency).bytes;
  if (!code.empty()) counts.amounts[code].add(row.at(millions), row.at(rest));
}

void append_counts(std::string& json, const CountsByType& by_type) {
  json += ",\"counts\":{";
  for (const auto& [name, counts] : by_type) {
    if (json.back() != '{') json += ',';
    append_json_string(json, name);
    json += ":{\"total\":" + std::to_string(counts.total);
    json += ",\"orphans\":" + std::to_string(counts.orphans) + ",\"amount_cents\":{";
    for (const auto& [code, money] : counts.amounts) {
      if (json.back() != '{') json += ',';
      append_json_string(json, code);
      json += ':' + money.decimal();
    }
    json += "}}";
  }
  json += '}';
}

void append_orphan(std::string& json, const Orphan& fact, std::int64_t now_ms) {
  constexpr std::pair<std::string_view, Column> members[] = {{"tenant_id", tenant_id},
                                                             {"type", type},
                                                             {"missing", missing},
                                                             {"entity_id", entity_id},
                                                             {"seq", seq},
                                                             {"id", id},
                                                             {"source_id", source_id},
                                                             {"amount", amount},
                                                             {"currency", currency},
                                                             {"trace_id", trace_id},
                                                             {"timestamp", timestamp}};
  json += json.back() == '[' ? "{" : ",{";
  for (const auto& [name, column] : members) {
    const Value& v = fact.at(column);
    json += '"';
    json += name;
    json += "\":";
    if (v.kind == Value::Kind::integer)
      json += std::to_string(v.integer);
    else if (v.kind == Value::Kind::null)
      json += "null";
    else
      append_json_string(json, v.bytes);
    json += ',';
  }
  const std::int64_t age_ms = std::max<std::int64_t>(0, now_ms - fact.at(timestamp).integer);
  json += "\"age_ms\":" + std::to_string(age_ms) + '}';
}

}  // namespace

void get_closure(const Request& request, const Claims& claims, const Context& context,
                 const Frame& frame, Effects& effects) {
  std::string_view tenant;
  if (!tenant_for(request, claims, tenant))
    return reply_error(effects, context, Status::not_found, "tenant");
  const auto wrong = [&](std::string_view name) {
    reply_error(effects, context, Status::bad_parameter, name);
  };
  std::int64_t to = limits::timestamp_ms_max;
  const std::string_view named_to = request.parameter("to");
  if (!named_to.empty() && !parse_number(named_to, to)) return wrong("to");
  std::int64_t from = std::min(to, frame.now_ms) - limits::closure_window_ms;
  const std::string_view named_from = request.parameter("from");
  if (!named_from.empty() && !parse_number(named_from, from)) return wrong("from");
  std::int64_t limit = 0;
  if (!read_limit(request, limit)) return wrong("limit");
  std::string bytes;
  Key after{-1, {}, {}, 0};
  const std::string_view cursor = request.parameter("cursor");
  if (!cursor.empty() && !read_cursor(cursor, bytes, after)) return wrong("cursor");
  const std::string sql = closure_sql(cursor.empty());
  for (const auto database : databases_for(frame, tenant)) {
    effects.need_query(
        database,
        {{sql,
          {Value::text_or_null(tenant), Value::of(std::max(from, std::get<0>(after))),
           Value::of(to), Value::of(std::get<0>(after)), Value::text(std::get<1>(after)),
           Value::text(std::get<2>(after)), Value::of(std::get<3>(after)), Value::of(limit + 1)}}});
  }
  std::string continuation;
  ByteWriter out(continuation);
  write_context(out, Operation::closure, context);
  out.varint(static_cast<std::uint64_t>(limit));
  out.u8(cursor.empty() ? 1 : 0);
  effects.resume(Z0_FRAME_RESUME, continuation);
}

void resume_closure(ByteReader& continuation, const Context& context, const Frame& frame,
                    Effects& effects) {
  const auto limit = static_cast<std::size_t>(continuation.varint());
  const bool first_page = continuation.u8() != 0;
  std::vector<std::vector<Rows>> answers;
  for (const auto answer : frame.answers) answers.push_back(parse_query(answer));
  std::vector<Orphan> orphans;
  CountsByType by_type;
  for (const auto name : {"charge", "cost", "outcome", "payout"}) by_type[name];
  for (const auto& answer : answers) {
    const Rows& rows = answer[0];
    if (rows.failed) return reply_error(effects, context, Status::storage_error, {});
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const Orphan fact{&rows, row};
      if (fact.at(tenant_id).kind == Value::Kind::null)
        add_counts(fact, by_type);
      else
        orphans.push_back(fact);
    }
  }
  std::sort(orphans.begin(), orphans.end(),
            [](const Orphan& a, const Orphan& b) { return a.key() < b.key(); });
  const bool more = orphans.size() > limit;
  if (more) orphans.resize(limit);
  std::string json = "{\"orphans\":[";
  for (const Orphan& fact : orphans) append_orphan(json, fact, frame.now_ms);
  json += "],\"cursor\":";
  json += more ? '"' + cursor_of(orphans.back().key()) + '"' : "null";
  if (first_page) append_counts(json, by_type);
  reply_json(effects, context, 200, json + '}');
}

}  // namespace z0
