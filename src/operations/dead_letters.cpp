// GET /v1/dead-letters, and one of them: messages that could not be read, with what they hold as
// far as this version of z0 reads them.
#include <algorithm>

#include "operations/operations.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/limits.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

// The page by its key, then cut where its bodies grow too large. length() of a blob reads no blob.
constexpr std::string_view page_sql =
    R"(WITH page AS (SELECT id AS page_id, received_at AS at, length(body) AS bytes FROM
      dead_letters WHERE (received_at, id) > (?1, ?2) ORDER BY received_at, id LIMIT ?3)
      SELECT id, received_at, body, available
      FROM (SELECT page_id, sum(bytes) OVER (ORDER BY at, page_id) - bytes AS before, count(*)
      OVER () AS available FROM page)
      JOIN dead_letters ON id = page_id
      WHERE before < ?4
      ORDER BY received_at, id)";
constexpr std::string_view one_sql = "SELECT id, received_at, body FROM dead_letters WHERE id = ?1";
namespace of_page {
enum Column : std::size_t { id, received_at, body, available };
}

struct Cursor {
  std::int64_t received_at = -1;
  std::string_view id;
};

bool read_cursor(std::string_view text, std::string& bytes, Cursor& cursor) {
  if (text.empty()) return true;
  if (!base64url_decode(text, bytes)) return false;
  ByteReader in(bytes);
  cursor.received_at = static_cast<std::int64_t>(in.varint());
  cursor.id = in.short_bytes();
  return in.ok() && in.done();
}

std::string cursor_of(const Rows& rows, std::size_t row) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(static_cast<std::uint64_t>(rows.at(row, of_page::received_at).integer));
  out.short_bytes(rows.at(row, of_page::id).bytes);
  return bytes;
}

void write_entities(JsonWriter& json, const Message& message) {
  std::string_view named[limits::letter_entities_max];
  std::size_t count = 0;
  const auto name = [&](std::string_view entity_id) {
    for (std::size_t i = 0; i < count; ++i) {
      if (named[i] == entity_id) return;
    }
    if (count == std::size(named)) return;
    named[count++] = entity_id;
    json.text(entity_id);
  };
  for (const Run& run : message.runs) name(run.entity_id);
  for (const Attempt& attempt : message.attempts) name(attempt.entity_id);
}

// The members that a list shows. Whether the letter is readable.
bool write_letter(JsonWriter& json, const Rows& rows, std::size_t row, Message& message) {
  const std::string_view bytes = rows.at(row, of_page::body).bytes;
  const bool readable = parse_message(bytes, message);
  std::int64_t facts = 0;
  for (const Run& run : message.runs) facts += run.count;
  write_cell(json, "id", rows.at(row, of_page::id));
  write_cell(json, "received_at", rows.at(row, of_page::received_at));
  json.integer("bytes", static_cast<std::int64_t>(bytes.size())).boolean("readable", readable);
  json.integer("facts", facts);
  json.integer("attempts", static_cast<std::int64_t>(message.attempts.size()));
  json.array("entities");
  write_entities(json, message);
  json.end();
  return readable;
}

}  // namespace

std::string reason_of(const Message& message) {
  std::string reason(message.fault);
  reason += " at byte ";
  reason += std::to_string(message.fault_at);
  return reason;
}

void get_dead_letters(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  std::int64_t limit = 0;
  if (!read_limit(request, limit))
    return reply_error(effects, context, Status::bad_parameter, "limit");
  std::string bytes;
  Cursor cursor;
  if (!read_cursor(request.parameter("cursor"), bytes, cursor))
    return reply_error(effects, context, Status::bad_parameter, "cursor");
  effects.need_query("z0.d1.query.dead_letters", default_database, page_sql,
                     {Value::of(cursor.received_at), Value::text(cursor.id), Value::of(limit + 1),
                      Value::of(limits::letters_bytes_max)});
  std::string continuation;
  ByteWriter out(continuation);
  write_context(out, context);
  out.varint(static_cast<std::uint64_t>(limit));
  effects.resume(continuation);
}

void resume_dead_letters(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  const auto limit = static_cast<std::size_t>(in.varint());
  const Rows rows = d1_answer(frame).back();
  if (rows.failed) return reply_error(effects, context, Status::storage_error, {});
  const std::size_t count = std::min(rows.size(), limit);
  std::string out;
  JsonWriter json(out);
  json.object().array("dead_letters");
  for (std::size_t row = 0; row < count; ++row) {
    Message message;
    json.object();
    write_letter(json, rows, row, message);
    json.end();
  }
  json.end();
  const bool more = rows.at(0, of_page::available).integer > static_cast<std::int64_t>(count);
  write_cursor(json, more, more ? cursor_of(rows, count - 1) : std::string());
  json.end();
  reply_json(effects, context, 200, out);
}

void get_dead_letter(const RouteCall& call) {
  const auto& [request, claims, context, frame, letter_id, effects] = call;
  effects.need_query("z0.d1.query.dead_letter", default_database, one_sql,
                     {Value::text(letter_id)});
  resume_with(context, effects);
}

void resume_dead_letter(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  const Rows rows = d1_answer(frame).back();
  if (rows.failed) return reply_error(effects, context, Status::storage_error, {});
  if (rows.size() == 0) return reply_error(effects, context, Status::not_found, {});
  std::string out;
  JsonWriter json(out);
  Message message;
  json.object();
  if (write_letter(json, rows, 0, message)) {
    json.array("runs");
    for (const Run& run : message.runs) {
      json.object().text("tenant_id", run.tenant_id).text("entity_id", run.entity_id);
      json.integer("first_seq", run.first_seq);
      json.integer("last_seq", run.first_seq + run.count - 1).end();
    }
    json.end();
  } else {
    json.text("reason", reason_of(message));
  }
  json.plain("body", base64_encode(rows.at(0, of_page::body).bytes)).end();
  reply_json(effects, context, 200, out);
}

}  // namespace z0
