// A SQLite database that runs the core's statements, as Durable Object storage and D1 do.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace z0::world {

// The answer to a statement, with the bytes of its cells.
struct Answer {
  Rows rows;
  std::deque<std::string> bytes;  // a deque: its elements stay where they are
  std::string message;
};

class Database {
 public:
  Database();  // in memory
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs one statement. The answer's views point into itself.
  std::unique_ptr<Answer> run(const Statement& statement);
  // Runs a script of statements without parameters; throws std::runtime_error when one fails.
  void script(const std::string& sql);
  void begin() { run({"BEGIN", {}}); }
  void commit() { run({"COMMIT", {}}); }
  void roll_back() { run({"ROLLBACK", {}}); }
  // Rows inserted, changed or deleted since the database was opened.
  std::int64_t rows_written() const;

 private:
  // The statement's compiled form, kept from one use to the next; null when it does not compile.
  sqlite3_stmt* prepared(std::string_view sql);

  sqlite3* db_ = nullptr;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;
};

}  // namespace z0::world
