// The statements of a ledger's storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/json/write.hpp"

namespace z0::ledger_sql {

inline constexpr std::string_view create_meta =
    "CREATE TABLE IF NOT EXISTS meta (id INTEGER PRIMARY KEY CHECK (id = 1), value BLOB NOT NULL)";
// ids stands before body, so that reading the hashes of a segment does not walk its body's pages.
inline constexpr std::string_view create_segments =
    R"(CREATE TABLE IF NOT EXISTS segments (first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT
      NULL, first_recorded_at INTEGER NOT NULL, last_recorded_at INTEGER NOT NULL, count INTEGER
      NOT NULL, types INTEGER NOT NULL, summary BLOB NOT NULL, cache BLOB, ids BLOB NOT NULL,
      body BLOB NOT NULL))";
inline constexpr std::string_view create_id_runs =
    R"(CREATE TABLE IF NOT EXISTS id_runs (key INTEGER PRIMARY KEY, count INTEGER NOT NULL, body
      BLOB NOT NULL))";

inline constexpr std::string_view create_tree_nodes =
    "CREATE TABLE IF NOT EXISTS tree_nodes (key INTEGER PRIMARY KEY, hash BLOB NOT NULL)";

// What is left of each fact that was ever corrected. Most ledgers have no correction, so the table
// is made with the first.
inline constexpr std::string_view create_corrected =
    "CREATE TABLE IF NOT EXISTS corrected (seq INTEGER PRIMARY KEY, left_over INTEGER NOT NULL)";
inline constexpr std::string_view select_corrected =
    "SELECT seq, left_over FROM corrected WHERE seq IN (SELECT value FROM json_each(?1))";
// What a pass of reconciliation compares. A row for each number of ?1, with null where there is
// none; then the rows from ?1 on and below ?2, at most ?3.
inline constexpr std::string_view select_corrected_or_null =
    "SELECT value, (SELECT left_over FROM corrected WHERE seq = value) FROM json_each(?1)";
inline constexpr std::string_view select_corrected_range =
    "SELECT seq, left_over FROM corrected WHERE seq >= ?1 AND seq < ?2 ORDER BY seq LIMIT ?3";
// What each of the three gives.
namespace corrected {
enum Column : std::size_t { seq, left_over };
}
inline constexpr std::string_view delete_corrected =
    "DELETE FROM corrected WHERE seq IN (SELECT value FROM json_each(?1))";
// ?1: [[seq, left_over], ...]
inline constexpr std::string_view put_corrected =
    R"(INSERT INTO corrected (seq, left_over) SELECT value->>0, value->>1
    FROM json_each(?1) WHERE true ON CONFLICT (seq)
    DO UPDATE SET left_over = excluded.left_over)";

// Numbers as the JSON array that a statement takes.
inline std::string json_list(const std::vector<std::int64_t>& numbers) {
  std::string list;
  JsonWriter json(list);
  json.array();
  for (const auto n : numbers) json.integer(n);
  json.end();
  return list;
}

inline constexpr std::string_view select_meta = "SELECT value FROM meta WHERE id = 1";
inline constexpr std::string_view put_meta =
    R"(INSERT INTO meta (id, value) VALUES (1, ?1) ON CONFLICT (id)
    DO UPDATE SET value = excluded.value)";

inline constexpr std::string_view select_tail =
    R"(SELECT first_seq, last_seq, first_recorded_at, last_recorded_at, count, types, summary,
      cache, ids, body
    FROM segments ORDER BY first_seq DESC LIMIT 1)";
namespace tail {
enum Column : std::size_t {
  first_seq,
  last_seq,
  first_recorded_at,
  last_recorded_at,
  count,
  types,
  summary,
  cache,
  ids,
  body
};
}
inline constexpr std::string_view put_segment =
    R"(INSERT INTO segments (first_seq, last_seq, first_recorded_at, last_recorded_at, count,
      types, summary, cache, ids, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (first_seq)
    DO UPDATE SET last_seq = excluded.last_seq, last_recorded_at = excluded.last_recorded_at,
      count = excluded.count, types = excluded.types, summary = excluded.summary, cache =
      excluded.cache, ids = excluded.ids, body = excluded.body)";

// The filters; their keys are multiples of IdIndex::keys_per_run.
inline constexpr std::string_view select_filters =
    "SELECT key, body FROM id_runs WHERE key % 256 = 0 ORDER BY key";
// What this and select_chunks give.
namespace id_run {
enum Column : std::size_t { key, body };
}
// The hashes of every segment that holds a fact that is not sealed.
inline constexpr std::string_view select_open_ids =
    R"(WITH sealed(through) AS (SELECT coalesce(max(key / 256 + count - 1), 0) FROM id_runs WHERE
      key % 256 = 0)
    SELECT first_seq, ids FROM segments
    WHERE first_seq >= coalesce((SELECT max(first_seq) FROM segments WHERE first_seq <= (SELECT
      through FROM sealed) + 1), 0)
    ORDER BY first_seq)";
namespace open_ids {
enum Column : std::size_t { first_seq, ids };
}
inline constexpr std::string_view put_id_run =
    "INSERT INTO id_runs (key, count, body) VALUES (?1, ?2, ?3)";
inline constexpr std::string_view select_chunks =
    "SELECT key, body FROM id_runs WHERE key IN (SELECT value FROM json_each(?1)) LIMIT ?2";

// The segments that hold any of the sequence numbers in a JSON array.
inline constexpr std::string_view select_segments_of =
    R"(SELECT first_seq, last_seq, body FROM segments
    WHERE first_seq IN (SELECT (SELECT max(first_seq) FROM segments WHERE first_seq <= value)
      FROM json_each(?1))
    ORDER BY first_seq LIMIT ?2)";
// The segments that hold the range ?1 to ?2, only those with a type of the mask ?3.
inline constexpr std::string_view select_range =
    R"(SELECT first_seq, last_seq, body FROM segments
    WHERE first_seq >= coalesce((SELECT max(first_seq) FROM segments WHERE first_seq <= ?1), 0)
      AND first_seq <= ?2 AND types & ?3 != 0
    ORDER BY first_seq LIMIT ?4)";
// What this and select_segments_of give.
namespace segment {
enum Column : std::size_t { first_seq, last_seq, body };
}
inline constexpr std::string_view select_head =
    R"(SELECT last_seq, last_recorded_at, summary, cache FROM segments
    ORDER BY first_seq DESC LIMIT 1)";
namespace head {
enum Column : std::size_t { last_seq, last_recorded_at, summary, cache };
}

// The segment that holds ?1 and those after it, each with the snapshot before it: what a pass of
// reconciliation reads.
inline constexpr std::string_view select_pass =
    R"(SELECT first_seq, last_seq, summary, cache, body, (SELECT p.cache FROM segments p WHERE
      p.first_seq < s.first_seq ORDER BY p.first_seq DESC LIMIT 1)
    FROM segments s
    WHERE first_seq >= coalesce((SELECT max(first_seq) FROM segments WHERE first_seq <= ?1), 0)
    ORDER BY first_seq LIMIT ?2)";
namespace pass {
enum Column : std::size_t { first_seq, last_seq, summary, cache, body, cache_before };
}
inline constexpr std::string_view put_cache = "UPDATE segments SET cache = ?2 WHERE first_seq = ?1";
// The segment that holds ?1, with the snapshot before it.
inline constexpr std::string_view select_as_of_seq =
    R"(SELECT s.first_seq, s.last_seq, s.body, p.last_seq, p.cache FROM segments s
    LEFT JOIN segments p ON p.first_seq = (SELECT max(first_seq) FROM segments WHERE first_seq <
      s.first_seq)
    WHERE s.first_seq = (SELECT max(first_seq) FROM segments WHERE first_seq <= ?1))";
// The same for the last segment that begins by the time ?1. Commit times never run back, so the
// numbers can be halved: some twenty look-ups instead of a walk over every segment.
inline constexpr std::string_view select_as_of_time =
    R"(WITH RECURSIVE half(low, high) AS (SELECT 0, (SELECT max(first_seq) FROM segments) UNION ALL
      SELECT CASE WHEN m.first_recorded_at <= ?1 THEN (low + high + 1) / 2 ELSE low END, CASE
      WHEN m.first_recorded_at <= ?1 THEN high ELSE m.first_seq - 1 END FROM half JOIN segments
      m ON m.first_seq = (SELECT max(first_seq) FROM segments WHERE first_seq <= (low + high +
      1) / 2) WHERE low < high)
    SELECT s.first_seq, s.last_seq, s.body, p.last_seq, p.cache FROM segments s
    LEFT JOIN segments p ON p.first_seq = (SELECT max(first_seq) FROM segments WHERE first_seq <
      s.first_seq)
    WHERE s.first_seq = (SELECT max(first_seq) FROM segments WHERE first_seq <= (SELECT max(low)
      FROM half)))";
// What this and select_as_of_seq give.
namespace as_of {
enum Column : std::size_t { first_seq, last_seq, body, seq_before, cache_before };
}

// Keys of tree_nodes: level x 2^48 + index.
inline constexpr std::int64_t tree_level_keys = std::int64_t{1} << 48;
inline constexpr std::string_view put_tree_node =
    R"(INSERT INTO tree_nodes (key, hash) VALUES (?1, ?2) ON CONFLICT (key)
    DO UPDATE SET hash = excluded.hash)";
inline constexpr std::string_view select_tree_nodes =
    "SELECT hash FROM tree_nodes WHERE key >= ?1 AND key < ?2 ORDER BY key";
// The segments that hold any of ?1 to ?2, for hashing.
inline constexpr std::string_view select_leaves =
    R"(SELECT body FROM segments
    WHERE first_seq >= coalesce((SELECT max(first_seq) FROM segments WHERE first_seq <= ?1), 0)
      AND first_seq <= ?2
    ORDER BY first_seq)";

}  // namespace z0::ledger_sql
