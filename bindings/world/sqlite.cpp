#include "sqlite.hpp"

#include <sqlite3.h>

#include <stdexcept>

namespace z0::world {
namespace {

void bind(sqlite3_stmt* s, int i, const Value& v) {
  const auto size = static_cast<int>(v.bytes.size());
  switch (v.kind) {
    case Value::Kind::null:
      sqlite3_bind_null(s, i);
      break;
    case Value::Kind::integer:
      sqlite3_bind_int64(s, i, v.integer);
      break;
    case Value::Kind::real:
      sqlite3_bind_double(s, i, v.real);
      break;
    case Value::Kind::text:
      sqlite3_bind_text(s, i, size == 0 ? "" : v.bytes.data(), size, SQLITE_TRANSIENT);
      break;
    case Value::Kind::blob:
      sqlite3_bind_blob(s, i, size == 0 ? "" : v.bytes.data(), size, SQLITE_TRANSIENT);
      break;
  }
}

Value column(sqlite3_stmt* s, int c, std::deque<std::string>& bytes) {
  const auto keep = [&](const void* data) {
    bytes.emplace_back(static_cast<const char*>(data),
                       static_cast<std::size_t>(sqlite3_column_bytes(s, c)));
    return std::string_view(bytes.back());
  };
  switch (sqlite3_column_type(s, c)) {
    case SQLITE_INTEGER:
      return Value::of(sqlite3_column_int64(s, c));
    case SQLITE_FLOAT:
      return {Value::Kind::real, 0, sqlite3_column_double(s, c), {}};
    case SQLITE_TEXT:
      return Value::text(keep(sqlite3_column_text(s, c)));
    case SQLITE_BLOB:
      return Value::blob(keep(sqlite3_column_blob(s, c)));
    default:
      return Value::null();
  }
}

}  // namespace

Database::Database() {
  if (sqlite3_open(":memory:", &db_) != SQLITE_OK)
    throw std::runtime_error("SQLite cannot open a database in memory");
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

void Database::script(const std::string& sql) {
  char* message = nullptr;
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &message) == SQLITE_OK) return;
  const std::string what = message == nullptr ? "unknown" : message;
  sqlite3_free(message);
  throw std::runtime_error("SQLite: " + what);
}

std::int64_t Database::rows_written() const { return sqlite3_total_changes64(db_); }

sqlite3_stmt* Database::prepared(std::string_view sql) {
  std::string key(sql);
  const auto found = statements_.find(key);
  if (found != statements_.end()) return found->second;
  sqlite3_stmt* s = nullptr;
  if (sqlite3_prepare_v2(db_, sql.data(), static_cast<int>(sql.size()), &s, nullptr) != SQLITE_OK)
    return nullptr;
  statements_.emplace(std::move(key), s);
  return s;
}

std::unique_ptr<Answer> Database::run(const Statement& statement) {
  auto answer = std::make_unique<Answer>();
  const std::int64_t before = rows_written();
  sqlite3_stmt* s = prepared(statement.sql);
  int code = SQLITE_ERROR;
  if (s != nullptr) {
    for (std::size_t i = 0; i < statement.values.size(); ++i)
      bind(s, static_cast<int>(i) + 1, statement.values[i]);
    answer->rows.columns = static_cast<std::size_t>(sqlite3_column_count(s));
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
      for (int c = 0; c < static_cast<int>(answer->rows.columns); ++c) {
        answer->rows.cells.push_back(column(s, c, answer->bytes));
      }
    }
  }
  answer->rows.failed = code != SQLITE_DONE;
  if (answer->rows.failed) {
    answer->message = sqlite3_errmsg(db_);
    answer->rows.message = answer->message;
    answer->rows.cells.clear();
  }
  answer->rows.changes = static_cast<std::uint32_t>(rows_written() - before);
  sqlite3_reset(s);  // harmless for null
  if (s != nullptr) sqlite3_clear_bindings(s);
  return answer;
}

}  // namespace z0::world
