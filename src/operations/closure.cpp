// GET /v1/closure: where the economic loop is open. A charge and a payout come from an outcome, a
// cost and an outcome from an invocation; an orphan names a source that its tenant has no fact of.
//
// Nothing is stored: when the source arrives, the orphan is none. Sources are looked for in all
// time, orphans in a window. There is no index by id, which would cost a row a fact, so what is
// named and what is there are sorted together once: measured with a million facts, 2 s for a week
// and 8 s for all, where a look-up of each in a temporary index took minutes.
#include <algorithm>
#include <vector>

#include "operations/operations.hpp"
#include "reporting/money.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/limits.hpp"

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

enum OpenColumn : std::size_t {
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

// Where an orphan stands in the order of all.
struct Key {
  std::int64_t timestamp = -1;
  std::string_view tenant_id;
  std::string_view entity_id;
  std::int64_t seq = 0;

  bool operator<(const Key& other) const {
    if (timestamp != other.timestamp) return timestamp < other.timestamp;
    const int tenants = tenant_id.compare(other.tenant_id);
    if (tenants != 0) return tenants < 0;
    const int entities = entity_id.compare(other.entity_id);
    return entities != 0 ? entities < 0 : seq < other.seq;
  }
};

// What one database said, and how far the merge has come in it.
struct OpenPage {
  Rows rows;
  std::size_t at = 0;

  const Value& cell(OpenColumn column) const { return rows.at(at, column); }
  // Behind the orphans stand the counts.
  bool done() const { return cell(tenant_id).kind == Value::Kind::null; }
  Key key() const {
    return {cell(timestamp).integer, cell(tenant_id).bytes, cell(entity_id).bytes,
            cell(seq).integer};
  }
};

// The page whose next orphan is the oldest; null when there is none.
OpenPage* oldest(std::vector<OpenPage>& pages) {
  OpenPage* found = nullptr;
  for (OpenPage& page : pages) {
    if (!page.done() && (found == nullptr || page.key() < found->key())) found = &page;
  }
  return found;
}

std::string cursor_of(const Key& key) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(static_cast<std::uint64_t>(key.timestamp));
  out.short_bytes(key.tenant_id);
  out.short_bytes(key.entity_id);
  out.varint(static_cast<std::uint64_t>(key.seq));
  return bytes;
}

bool read_cursor(std::string_view text, std::string& bytes, Key& key) {
  if (!base64url_decode(text, bytes)) return false;
  ByteReader in(bytes);
  key.timestamp = static_cast<std::int64_t>(in.varint());
  key.tenant_id = in.short_bytes();
  key.entity_id = in.short_bytes();
  key.seq = static_cast<std::int64_t>(in.varint());
  return in.ok() && in.done();
}

// The money of one type's orphans in one currency.
struct Amount {
  std::string_view currency;
  Money money;
};

// The member of a type, from what all databases counted.
void write_counts(JsonWriter& json, std::string_view name, const std::vector<OpenPage>& pages) {
  std::int64_t facts[2] = {};  // closed ones, orphans
  std::vector<Amount> amounts;
  for (const auto& [rows, end] : pages) {
    for (std::size_t i = end; i < rows.size(); ++i) {
      if (rows.at(i, tenant_id).kind != Value::Kind::null || rows.at(i, type).bytes != name)
        continue;
      const bool open = rows.at(i, orphan).integer != 0;
      facts[open ? 1 : 0] += rows.at(i, count).integer;
      const std::string_view code = rows.at(i, currency).bytes;
      if (!open || code.empty()) continue;
      std::size_t at = 0;
      while (at < amounts.size() && amounts[at].currency != code) ++at;
      if (at == amounts.size()) amounts.push_back({code, {}});
      amounts[at].money.add(rows.at(i, millions), rows.at(i, rest));
    }
  }
  json.any_key(name).object().integer("total", facts[0] + facts[1]).integer("orphans", facts[1]);
  json.object("amount_cents");
  for (const auto& [code, money] : amounts) json.any_key(code).raw(money.decimal());
  json.end().end();
}

void write_orphan(JsonWriter& json, const OpenPage& page, std::int64_t now_ms) {
  struct Member {
    JsonName name;
    OpenColumn column;
  };
  static constexpr Member members[] = {{"tenant_id", tenant_id},
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
  json.object();
  for (const auto& [name, column] : members) write_cell(json, name, page.cell(column));
  json.integer("age_ms", std::max<std::int64_t>(0, now_ms - page.cell(timestamp).integer)).end();
}

}  // namespace

void get_closure(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  std::string_view tenant;
  if (!tenant_for(request, claims, tenant))
    return reply_error(effects, context, Status::not_found, "tenant");
  const auto wrong = [&](std::string_view name) {
    reply_error(call.effects, call.context, Status::bad_parameter, name);
  };
  std::int64_t to = limits::timestamp_ms_max;
  const std::string_view named_to = request.parameter("to");
  if (!named_to.empty() && !parse_time(named_to, to)) return reply_bad_time(effects, context, "to");
  std::int64_t from = std::min(to, frame.now_ms) - limits::closure_window_ms;
  const std::string_view named_from = request.parameter("from");
  if (!named_from.empty() && !parse_time(named_from, from))
    return reply_bad_time(effects, context, "from");
  std::int64_t limit = 0;
  if (!read_limit(request, limit)) return wrong("limit");
  std::string bytes;
  Key after;
  const std::string_view cursor = request.parameter("cursor");
  if (!cursor.empty() && !read_cursor(cursor, bytes, after)) return wrong("cursor");
  const std::string sql = closure_sql(cursor.empty());
  for (const auto database : databases_for(frame, tenant)) {
    effects.need_query("z0.d1.query.closure", database, sql,
                       {Value::text_or_null(tenant), Value::of(std::max(from, after.timestamp)),
                        Value::of(to), Value::of(after.timestamp), Value::text(after.tenant_id),
                        Value::text(after.entity_id), Value::of(after.seq), Value::of(limit + 1)});
  }
  std::string continuation;
  ByteWriter out(continuation);
  write_context(out, context);
  out.varint(static_cast<std::uint64_t>(limit));
  out.u8(cursor.empty() ? 1 : 0);
  effects.resume(continuation);
}

void resume_closure(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  const std::uint64_t limit = in.varint();
  const bool first_page = in.u8() != 0;
  std::vector<OpenPage> pages;
  for (const auto answer : frame.answers) {
    pages.push_back({std::move(parse_query(answer).front()), 0});
    if (pages.back().rows.failed) return reply_error(effects, context, Status::storage_error, {});
  }
  std::string out;
  JsonWriter json(out);
  json.object().array("orphans");
  std::string cursor;
  OpenPage* next = oldest(pages);
  for (std::uint64_t n = 0; next != nullptr && n < limit; ++n, next = oldest(pages)) {
    write_orphan(json, *next, frame.now_ms);
    cursor = cursor_of(next->key());
    ++next->at;
  }
  json.end();
  if (first_page) {
    json.object("counts");
    for (const std::string_view name : {"charge", "cost", "outcome", "payout"})
      write_counts(json, name, pages);
    json.end();
  }
  write_cursor(json, next != nullptr, cursor);
  json.end();
  reply_json(effects, context, 200, out);
}

}  // namespace z0
