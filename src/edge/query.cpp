// GET /v1/facts: facts across ledgers, from D1, newest first.
//
// Recorded and failed facts lie in two tables, and tenants in several databases. Each table is
// asked for a page of its own, so that each uses its own key, and the pages are merged here.
#include <algorithm>
#include <tuple>

#include "edge/handlers.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

constexpr std::string_view columns =
    "timestamp, entity_id, id, type, subtype, tenant_id, source_id, asset_id, campaign_id, "
    "tool_id, "
    "user_id, config_id, config_version, amount, currency, trace_id, data, ";
// The columns of both, by position; the last three differ by table.
constexpr JsonName column_names[] = {
    "timestamp", "entity_id",   "id",      "type",    "subtype",     "tenant_id",      "source_id",
    "asset_id",  "campaign_id", "tool_id", "user_id", "config_id",   "config_version", "amount",
    "currency",  "trace_id",    "data",    "seq",     "recorded_at", "corrects"};
enum Column : std::size_t {
  timestamp = 0,
  entity_id = 1,
  id = 2,
  data = 16,
  number = 17,
  recorded_at = 18,
  corrects = 19,
  available = 20,  // how many rows there were before the page was cut to its bytes
};

// A place in the order of results: what comes after it is the next page.
struct Cursor {
  std::int64_t timestamp = 0;
  std::int64_t number = 0;
  std::string entity_id;
  std::string id;
};

bool decode_cursor(std::string_view text, Cursor& cursor) {
  std::string bytes;
  if (!base64url_decode(text, bytes)) return false;
  ByteReader in(bytes);
  cursor.timestamp = static_cast<std::int64_t>(in.varint());
  cursor.number = static_cast<std::int64_t>(in.varint());
  cursor.entity_id = in.short_bytes();
  cursor.id = in.short_bytes();
  return in.ok() && in.done();
}

std::string encode_cursor(const Rows& rows, std::size_t row) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(static_cast<std::uint64_t>(rows.at(row, timestamp).integer));
  out.varint(static_cast<std::uint64_t>(rows.at(row, number).integer));
  out.short_bytes(rows.at(row, entity_id).bytes);
  out.short_bytes(rows.at(row, id).bytes);
  return bytes;
}

struct Query {
  std::string_view tenant_id;
  std::string_view type;
  std::string_view status;
  std::string_view trace_id;
  std::int64_t from = 0;
  std::int64_t to = limits::timestamp_ms_max;
  std::int64_t limit = 0;
  std::int64_t bytes_max = limits::page_bytes_max;
  bool has_cursor = false;
  Cursor cursor;
};

// Reads the parameters; the name of a wrong one, or empty.
std::string_view read_query(const Request& request, Query& q) {
  q.type = request.parameter("type");
  if (!q.type.empty() && !valid_type(q.type)) return "type";
  q.status = request.parameter("status");
  if (!q.status.empty() && q.status != "recorded" && q.status != "failed") return "status";
  q.trace_id = request.parameter("trace_id");
  if (!q.trace_id.empty() && !valid_trace_id(q.trace_id)) return "trace_id";
  const std::string_view from = request.parameter("from");
  if (!from.empty() && !parse_time(from, q.from)) return "from";
  const std::string_view to = request.parameter("to");
  if (!to.empty() && !parse_time(to, q.to)) return "to";
  if (!read_limit(request, q.limit)) return "limit";
  const std::string_view cursor = request.parameter("cursor");
  q.has_cursor = !cursor.empty();
  if (q.has_cursor && !decode_cursor(cursor, q.cursor)) return "cursor";
  return {};
}

// One page of one table. `number_column` is what orders facts of one ledger and time.
Statement page_of(const Query& q, std::string_view table, std::string_view number_column,
                  std::string_view last_column, std::string& sql) {
  Statement s;
  const auto where = [&](std::string_view condition, Value value) {
    sql += s.values.empty() ? " WHERE " : " AND ";
    s.values.push_back(value);
    sql += condition;
    sql += std::to_string(s.values.size());
  };
  // Inside, the page by its key; outside, cut where its data grows too large.
  const std::string order =
      " ORDER BY timestamp DESC, entity_id DESC, " + std::string(number_column) + " DESC, id DESC";
  sql =
      "SELECT * FROM (SELECT *, count(*) OVER () AS available, sum(length(CAST(data AS BLOB))) "
      "OVER (";
  sql += order.substr(1);
  sql += " ROWS UNBOUNDED PRECEDING) AS bytes FROM (SELECT ";
  sql += columns;
  sql += number_column;
  sql += last_column;
  sql += " FROM ";
  sql += table;
  if (!q.tenant_id.empty()) where("tenant_id = ?", Value::text(q.tenant_id));
  if (!q.type.empty()) where("type = ?", Value::text(q.type));
  if (!q.trace_id.empty()) where("trace_id = ?", Value::text(q.trace_id));
  where("timestamp >= ?", Value::of(q.from));
  where("timestamp <= ?", Value::of(q.has_cursor ? std::min(q.to, q.cursor.timestamp) : q.to));
  if (q.has_cursor) {
    const std::size_t at = s.values.size();
    sql += " AND (timestamp, entity_id, ";
    sql += number_column;
    sql += ", id) < (?" + std::to_string(at + 1) + ", ?" + std::to_string(at + 2) + ", ?" +
           std::to_string(at + 3) + ", ?" + std::to_string(at + 4) + ")";
    s.values.insert(s.values.end(), {Value::of(q.cursor.timestamp), Value::text(q.cursor.entity_id),
                                     Value::of(q.cursor.number), Value::text(q.cursor.id)});
  }
  s.values.push_back(Value::of(q.limit + 1));
  s.values.push_back(Value::of(q.bytes_max));
  const std::size_t at = s.values.size();
  sql += order + " LIMIT ?" + std::to_string(at - 1) +
         ")) WHERE bytes - length(CAST(data AS BLOB)) < ?" + std::to_string(at) + order;
  s.sql = sql;
  return s;
}

void write_row(JsonWriter& json, const Rows& rows, std::size_t row, bool failed) {
  json.object();
  for (std::size_t c = 0; c < std::size(column_names); ++c) {
    const Value& v = rows.at(row, c);
    if (v.kind == Value::Kind::null || c == data || (failed && c == number)) continue;
    write_cell(json, column_names[c], v);
  }
  json.plain("status", failed ? "failed" : "recorded").raw("data", rows.at(row, data).bytes).end();
}

// A page of one table, and how far the merge has come in it.
struct Page {
  Rows rows;
  bool failed = false;  // of attempts
  std::size_t at = 0;

  bool done() const { return at == rows.size(); }
  // Whether the table has more than it gave.
  bool cut() const {
    return rows.size() > 0 &&
           rows.at(0, available).integer > static_cast<std::int64_t>(rows.size());
  }
};

// Whether a page's next row comes before that of another one.
bool before(const Page& a, const Page& b) {
  const auto key = [](const Page& p) {
    return std::make_tuple(p.rows.at(p.at, timestamp).integer, p.rows.at(p.at, entity_id).bytes,
                           p.rows.at(p.at, number).integer, p.rows.at(p.at, id).bytes);
  };
  return key(a) > key(b);
}

std::string merge(std::vector<Page>& pages, std::int64_t limit) {
  std::string out;
  JsonWriter json(out);
  json.object().array("facts");
  std::string cursor;
  bool more = false;
  for (std::int64_t n = 0;; ++n) {
    Page* next = nullptr;
    more = false;
    bool unknown = n == limit;
    for (Page& page : pages) {
      more = more || !page.done() || page.cut();
      // What comes next in a table that was cut is not known, so nothing may pass it.
      unknown = unknown || (page.done() && page.cut());
      if (!page.done() && (next == nullptr || before(page, *next))) next = &page;
    }
    if (unknown || next == nullptr) break;
    write_row(json, next->rows, next->at, next->failed);
    cursor = encode_cursor(next->rows, next->at);
    ++next->at;
  }
  json.end();
  write_cursor(json, more, cursor);
  json.end();
  return out;
}

}  // namespace

void query_facts(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  Query q;
  if (!tenant_for(request, claims, q.tenant_id))
    return reply_error(effects, context, Status::not_found, "tenant");
  const std::string_view wrong = read_query(request, q);
  if (wrong == "status") return reply_bad_value(effects, context, wrong, "recorded or failed");
  if (wrong == "from" || wrong == "to") return reply_bad_time(effects, context, wrong);
  if (!wrong.empty()) return reply_error(effects, context, Status::bad_parameter, wrong);
  const auto databases = databases_for(frame, q.tenant_id);
  q.bytes_max /= static_cast<std::int64_t>(databases.size());
  std::string recorded_sql;
  std::string failed_sql;
  std::vector<Statement> statements;
  if (q.status != "failed")
    statements.push_back(
        page_of(q, "ledger_facts", "seq", ", recorded_at, corrects", recorded_sql));
  if (q.status != "recorded") {
    statements.push_back(page_of(q, "failed_facts", "attempted_at",
                                 ", attempted_at AS recorded_at, NULL AS corrects", failed_sql));
  }
  for (const auto database : databases)
    effects.need_query("z0.d1.query.facts_by_tenant", database, statements);
  std::string continuation;
  ByteWriter out(continuation);
  write_context(out, context);
  out.u8(q.status == "failed" ? 1 : 0);
  out.varint(static_cast<std::uint64_t>(q.limit));
  effects.resume(continuation);
}

void resume_query(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  const bool failed_only = in.u8() != 0;
  const auto limit = static_cast<std::int64_t>(in.varint());
  std::vector<Page> pages;
  for (const auto answer : frame.answers) {
    bool failed = failed_only;
    for (Rows& rows : parse_query(answer)) {
      if (rows.failed) return reply_error(effects, context, Status::storage_error, {});
      pages.push_back({std::move(rows), failed});
      failed = true;
    }
  }
  reply_json(effects, context, 200, merge(pages, limit));
}

}  // namespace z0
