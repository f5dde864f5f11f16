#include "core/row_words.hpp"

#include <algorithm>
#include <iterator>

#include "base/shorten.hpp"
#include "ledger/step.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/sha256.hpp"
#include "z0/facts/fact.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

constexpr std::size_t shown_text_max = 1'200;
constexpr std::size_t shown_columns_max = 40;
constexpr std::size_t shown_rows_max = 5;

// The folds of a segment's row: those that some fact fed.
std::string folds_words(std::string_view bytes) {
  std::string out;
  for (std::size_t part = 0; part < Folds::parts; ++part) {
    std::int64_t seq = 0;
    Folds folds;
    folds.decode(part, Folds::part_in(bytes, part, seq));
    if (seq == 0 || !folds.valid(part)) return {};
    if (part == 0) out = "<folds at " + text(seq);
    if (folds.last_seq(part) == 0) continue;
    out += ' ' + std::string(Folds::name(part)) + ' ';
    JsonWriter json(out);
    folds.write_json(json, part, 0);
  }
  return out + '>';
}

// Rows of a ledger by what they say: its owner, its counts, facts in a row.
std::string blob_words(std::string_view bytes) {
  LedgerState owner;
  if (owner.decode_meta(bytes)) {
    return '<' + owner.entity_id + " of " + owner.tenant_id + ", confirmed to " +
           text(owner.confirmed_seq) + '>';
  }
  Summary summary;
  if (summary.decode(bytes)) {
    const TypeCounts& counts = summary.counts;
    std::string out = "<counts";
    for (std::size_t i = 0; i < std::size(counts.known); ++i) {
      if (counts.known[i] > 0)
        out += ' ' + std::string(type_name(static_cast<FactType>(i))) + ' ' + text(counts.known[i]);
    }
    for (const auto& [name, count] : counts.custom) out += ' ' + name + ' ' + text(count);
    out += " root ";
    append_hex(out, bytes_of(summary.tree.root()).substr(0, 4));
    return out + '>';
  }
  std::string folds = folds_words(bytes);
  if (!folds.empty()) return folds;
  RecordBytes record;
  std::int64_t first = 0;
  std::int64_t last = 0;
  ByteReader in(bytes);
  while (next_record_bytes(in, record) && (last == 0 || record.seq == last + 1)) {
    last = record.seq;
    if (first == 0) first = last;
  }
  const bool facts = last > 0 && in.ok() && in.done() && record.seq == last;
  return '<' + (facts ? "facts " + text(first) + ".." + text(last) + ", " : std::string()) +
         shown(bytes) + '>';
}

std::string value_words(const Value& v) {
  switch (v.kind) {
    case Value::Kind::null:
      return "null";
    case Value::Kind::integer:
      return text(v.integer);
    case Value::Kind::real:
      return std::to_string(v.real);
    case Value::Kind::text:
      return '\'' + shown(v.bytes) + '\'';
    case Value::Kind::blob:
      break;
  }
  return blob_words(v.bytes);
}

// The word that follows `before`.
std::string_view word_after(std::string_view sql, std::string_view before) {
  const std::size_t at = sql.find(before);
  if (at == std::string_view::npos) return "?";
  const std::string_view rest = sql.substr(at + before.size());
  return rest.substr(0, rest.find_first_of(" ("));
}

// In one line, with one space between words.
std::string in_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n';
    if (!space || (!line.empty() && line.back() != ' ')) line += space ? ' ' : c;
  }
  return line;
}

// The verb, what is asked for and the table: enough to know the statement by, short enough to read.
std::string statement_name(std::string_view text) {
  const std::string line = in_one_line(text);
  std::string_view sql = line;
  if (sql.starts_with("CREATE TABLE")) return "create " + std::string(word_after(sql, "EXISTS "));
  if (sql.starts_with("INSERT")) return "insert into " + std::string(word_after(sql, " INTO "));
  if (sql.starts_with("UPDATE")) return "update " + std::string(word_after(sql, "UPDATE "));
  if (sql.starts_with("DELETE")) return "delete from " + std::string(word_after(sql, " FROM "));
  // Behind the tables that a WITH defines.
  if (sql.starts_with("WITH ")) sql = sql.substr(std::min(sql.size(), sql.find(") SELECT ") + 2));
  constexpr std::string_view verb = "SELECT ";
  const std::size_t from = sql.find(" FROM ");
  if (!sql.starts_with(verb) || from == std::string_view::npos) return shown(sql);
  std::string columns(sql.substr(verb.size(), from - verb.size()));
  if (columns.size() > shown_columns_max)
    columns = columns.substr(0, columns.rfind(',', shown_columns_max) + 1) + " ...";
  return "select " + columns + " from " + std::string(word_after(sql, " FROM "));
}

}  // namespace

bool printable(std::string_view bytes) {
  for (const char c : bytes) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') return false;
  }
  return valid_utf8(bytes);
}

std::string text(std::int64_t n) { return std::to_string(n); }

std::string text(std::size_t n) { return std::to_string(n); }

// Text as it is, binary as its size and the first 8 hex digits of its SHA-256.
std::string shown(std::string_view bytes) {
  if (printable(bytes)) {
    if (bytes.size() <= shown_text_max) return std::string(bytes);
    return std::string(shorten(bytes, shown_text_max)) + "... (" + text(bytes.size()) + " bytes)";
  }
  const Digest digest = sha256(bytes);
  std::string out = text(bytes.size()) + " bytes ";
  append_hex(out, bytes_of(digest).substr(0, 4));
  return out;
}

std::string shown(const Statement& s) {
  std::string out = statement_name(s.sql);
  for (std::size_t i = 0; i < s.values.size(); ++i)
    out += (i == 0 ? " | " : ", ") + value_words(s.values[i]);
  return out;
}

std::string rows_words(const Rows& rows) {
  if (rows.failed) return "failed: " + shown(rows.message);
  if (rows.columns == 0)
    return rows.changes == 0 ? "done" : "done, " + text(std::size_t{rows.changes}) + " changed";
  if (rows.size() == 0) return "no rows";
  std::string out;
  for (std::size_t r = 0; r < std::min(rows.size(), shown_rows_max); ++r) {
    out += r == 0 ? "(" : " (";
    for (std::size_t c = 0; c < rows.columns; ++c)
      out += (c == 0 ? "" : ", ") + value_words(rows.at(r, c));
    out += ')';
  }
  return rows.size() > shown_rows_max ? out + " and " + text(rows.size() - shown_rows_max) + " more"
                                      : out;
}

std::string query_words(std::string_view answer) {
  std::string out;
  for (const Rows& rows : parse_query(answer)) out += (out.empty() ? "" : "; ") + rows_words(rows);
  return out;
}

}  // namespace z0
